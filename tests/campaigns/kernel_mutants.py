"""Breaks the kernel's source, one line at a time, and sees whether anything notices: `make campaign-kernel`.

Each mutation is made in a copy of the repository's sources. It is killed if the two engines then differ on a few
thousand questions about specs written by chance; failing that, if a scenario of the repository's specs, or a question
made from one, comes out otherwise; failing that, if a unit test of the kernel fails. Else it survives. Exits with 1 if
any survives, and with 2 if one no longer fits the source it was written for.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOTS = ("kernel", "dsl", "semantic", "routing", "surfaces")  # where the packages of `edca` are
SECONDS_MAX = 300  # for one check of one mutation


@dataclass(frozen=True)
class Mutation:
    """One change of a module of the kernel: a text that stands in it once, and what stands there instead."""

    module: str
    old: str
    new: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.module}: {' '.join(self.old.split())}  →  {' '.join(self.new.split()) or 'nothing'}"


def _of(module: str, *pairs: tuple[str, str]) -> tuple[Mutation, ...]:
    return tuple(Mutation(module, old, new) for old, new in pairs)


_STALE = """    if candidate.revision is not None and candidate.revision != case.revision:
        return Stopped(Stage.STALE_REVISION, f"the candidate saw revision {candidate.revision}, not {case.revision}")
"""
_PENDING = """    if case.pending is not None:
        return Stopped(Stage.EFFECT_PENDING, "an effect of this case has no confirmed outcome yet")
"""

MUTATIONS = (
    *_of(
        "gate",
        ("if case.machine != machine.digest:", "if case.machine == machine.digest:"),
        ("if inputs.key_used_by is not None:", "if inputs.key_used_by is None:"),
        ("if inputs.now < case.touched:", "if inputs.now <= case.touched:"),
        (_STALE, ""),
        (_PENDING, ""),
        (_STALE + _PENDING, _PENDING + _STALE),
        ("routed.state != case.state:", "routed.state == case.state:"),
        ("if candidate.role not in transition.by:", "if False:"),
        ("inputs.now - case.entered < transition.after_us", "inputs.now - case.entered <= transition.after_us"),
        ("        if truth is not False:\n            detail", "        if truth is None:\n            detail"),
        ("if candidate.transition not in mode.allow:", "if candidate.transition in mode.allow:"),
        ("mode = None if name == HALTED else", "mode = None if name == NORMAL else"),
        ("if not principal.is_valid(now):", "if False:"),
        ("if role is None or role.name not in principal.roles:", "if role is None:"),
        ("if candidate.model != principal.model:", "if False:"),
        ("case.human_only and machine", "not case.human_only and machine"),
        ("kind is RoleKind.HUMAN:\n        return _answers", "kind is RoleKind.MODEL:\n        return _answers"),
        ("role.name not in may_propose:", "False:"),
    ),
    *_of(
        "machine",
        ("for state in dict.fromkeys(transition.sources):", "for state in [one.name for one in machine.states]:"),
    ),
    *_of(
        "reader",
        ("and {low} <= {raw} <= {high}", ""),
        ('{type_.low} <= {units} <= {type_.high}', "True"),
        ("{whole} and len({fraction}) == {type_.scale}", "{whole}"),
        ('{low} <= len({raw}) <= {high}', "True"),
        ("and len({raw}) == {len(parts)}", ""),
        ("and len(given) == {len(parameters)}", ""),
        ("and {raw}.isprintable()", ""),
        ("len({raw}) <= {length_max} and {raw}.isascii()", "True"),
    ),
    *_of(
        "decision",
        ('_Share(f"{truth.text} is True", plain)', '_Share(f"{truth.text} is not False", plain)'),
        ('_Share(f"{truth.text} is False", plain)', '_Share(f"{truth.text} is not True", plain)'),
        ("unbound(inputs.attestations) and ", ""),
        ("not {given}.no and", "{given} and"),
        ("and {answers}.unknown is None", ""),
        ("len({answers}.yes) >= {clause.count}", "{answers}.yes"),
        ("{used} + {amount.text} <= {bound.text}", "{used} <= {bound.text}"),
        ("is False or {truth.text} is True and", "is not True or"),
        ("is not {clause.kind is ClauseKind.REQUIRE}: places", "is {clause.kind is not ClauseKind.REQUIRE}: places"),
        ('tests = ["accepting", *kept,', 'tests = ["accepting",'),
        ("is int and {low} <= {term.text} <= {high}", "is int"),
        ("{transition.target!r}", "{transition.sources[0]!r}"),
        ("if not _reads_signers(condition)]", "]"),
    ),
    *_of(
        "numbering",
        ("_REMEMBERED = (ReadMemory, ", "_REMEMBERED = ("),
    ),
    *_of(
        "judgement",
        ("if shown is not None and is_waivable(clause)", "if False"),
        ("result=Result.WAIVED, answered_by=answers.yes", "result=Result.PASSED, answered_by=answers.yes"),
        ("    if answers.no:\n        return dataclasses", "    if False:\n        return dataclasses"),
        ("yes = answers.yes if answers.unknown is None else ()", "yes = answers.yes"),
        ("max(clause.count - len(yes), 0)", "max(clause.count - 1 - len(yes), 0)"),
        ("if is_kept(move):", "if not is_kept(move):"),
        ("OnFail.REFUSE, over, move=move)", "OnFail.ESCALATE, over, move=move)"),
        ("if passed and not one.answered_by:", "if passed:"),
    ),
    *_of(
        "approvals",
        ("excluded = [roster.person(candidate.proposer)]", "excluded = list[str]()"),
        ("excluded = [roster.person(candidate.proposer)]", "excluded = [candidate.proposer]"),
        ("[roster.person(account) for other in", "[account for other in"),
        ("person = roster.person(attestation.by)", "person = attestation.by"),
        ("earlier is None or answer > earlier", "earlier is None or answer < earlier"),
        ("attestation.role == clause.role", "True"),
        ("and attestation.at <= inputs.now", ""),
        ("inputs.now - attestation.at > lasts_us", "inputs.now - attestation.at >= lasts_us"),
        ("_is_no_to_question(attestation) or _is_in_force", "_is_in_force"),
        ("attestation.binds is not None and attestation.value is not", "attestation.value is not"),
        ("return attestation.binds == shown", "return True"),
        ("return clause.kind is ClauseKind.CONFIRM", "return True"),
        ("attestation.authenticated is Authenticated.SIGNED", "True"),
    ),
    *_of(
        "limits",
        ("move.used + move.amount <= move.bound", "move.used + move.amount < move.bound"),
        ("move.used + move.amount <= move.bound", "move.used <= move.bound"),
        ("    if used is None:\n        return Unknown.UNCOUNTED", "    if used is None:\n        used = 0"),
    ),
    *_of(
        "properties",
        ("|= outcome.wanted\n        if truth is not False:", "|= outcome.wanted\n        if truth is True:"),
        ("memory=memory if never.moved else gate.case.memory", "memory=gate.case.memory"),
        ("remembered(gate.case, candidate.transition, candidate.proposer, signers)", "gate.case"),
    ),
    *_of(
        "decide",
        ("next((one for one in failed if", "next((one for one in reversed(failed) if"),
        ("one.result not in LETTING_PASS", "one.result is Result.FAILED"),
        ("if rests_on.kept and not gate", "if not gate"),
        ("if item.reason is None or not failed", "if not failed"),
        ("problem = None if failed else _problem(machine, gate, rests_on)", "problem = None"),
        ("if failed and violation is None and inputs.overloaded:", "if False:"),
        ("target=gate.transition.target,", "target=gate.case.state,"),
        ("moves=moves,\n            preview", "moves=(),\n            preview"),
    ),
    *_of(
        "generate",
        ('decides = " or ".join(', 'decides = " and ".join('),
        ('neither = " and ".join(', 'neither = " or ".join('),
        ("if moment == DONE and name in self._assigned:", "if False:"),
        ("if moment != NOW and (history, name)", "if False and (history, name)"),
        ("elif {instance}.as_of > {now}{too_old}:", "elif {instance}.as_of > {now}:"),
        ("elif {instance}.as_of > {now}{too_old}:", "elif False{too_old}:"),
        ('f"{name} if {name}.__class__ is U else {text}"', "text"),
        ('f"ABSENT if {value.text} is None else {value.text}"', "value.text"),
        ('f"({a.text} if {truth.text} else {b.text})"', 'f"({b.text} if {truth.text} else {a.text})"'),
        ('self._binary("in", parts, moment)', 'self._binary("not in", parts, moment)'),
        ("self.text.line(f\" {result} = {decisive}\")", "self.text.line(f\" {result} = {not decisive}\")"),
        ('"({0}[-1] if {0} else EMPTY)"', '"({0}[0] if {0} else EMPTY)"'),
    ),
)  # fmt: skip


def killed_by(mutation: Mutation, count: int) -> str | None:
    """Return what noticed the mutation, or null where nothing did. Raises `ValueError` where it fits no source."""
    with tempfile.TemporaryDirectory(prefix="edca-mutant-") as folder:
        copy = Path(folder)
        for name in (*ROOTS, "tests", "specs"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        path = copy / "kernel" / "edca" / "kernel" / f"{mutation.module}.py"
        source = path.read_text("utf-8")
        if source.count(mutation.old) != 1:
            raise ValueError(f"the text stands there {source.count(mutation.old)} times")
        path.write_text(source.replace(mutation.old, mutation.new), "utf-8")
        for what, arguments in _checks(count).items():
            if _run(copy, *arguments):
                return what
        return None


def _checks(count: int) -> dict[str, tuple[str, ...]]:
    """Return what may notice a mutation, the other engine first: each a program that then ends with another code."""
    engines = ("tests/campaigns/engines.py", "--jobs", "1", "--count", str(count))
    return {
        "the other engine": (*engines, "--written"),
        "a scenario": engines,
        "a unit test": ("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "tests/unit/kernel"),
    }


def _run(folder: Path, *arguments: str) -> int:
    """Run Python with the sources in the folder; return its exit code."""
    paths = os.pathsep.join(str(folder / name) for name in ROOTS)
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1
    return done.returncode


def main() -> int:
    """Try the source as it is, then every mutation, and print what became of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=2000, help="put to both engines, a mutation (default: 2000)")
    parser.add_argument("--jobs", type=int, default=2, help="mutations at a time (default: 2)")
    parser.add_argument("--only", default="", help="only mutations whose line holds this text")
    asked = parser.parse_args()
    chosen = [mutation for mutation in MUTATIONS if asked.only in str(mutation)]
    start = time.monotonic()
    unbroken = killed_by(Mutation("decide", "def decide(", "def decide("), asked.questions)
    if unbroken is not None:
        print(f"the source as it is, is noticed by {unbroken}: mend that first")
        return 2
    expected = (time.monotonic() - start) * len(chosen) / asked.jobs
    print(f"{len(chosen)} mutations, {asked.jobs} at a time: at most {expected / 60:.0f} minutes", flush=True)
    killers: Counter[str] = Counter()
    survived = unfit = 0
    with ThreadPoolExecutor(asked.jobs) as pool:
        work = [(mutation, pool.submit(killed_by, mutation, asked.questions)) for mutation in chosen]
        for mutation, running in work:
            try:
                killer = running.result()
            except ValueError as error:
                unfit += 1
                print(f"UNFIT     {mutation}: {error}", flush=True)
                continue
            if killer is None:
                survived += 1
                print(f"SURVIVED  {mutation}", flush=True)
            else:
                killers[killer] += 1
                print(f"killed    {mutation}  by {killer}", flush=True)
    told = ", ".join(f"{count} by {killer}" for killer, count in killers.most_common())
    print(f"{sum(killers.values())} killed ({told}), {survived} survived, {unfit} unfit")
    return 2 if unfit else 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
