"""Refusals in words: one evaluation, two readers.

The operator is told which clauses failed, what they read, what is missing and who can supply it. The model is told the
same event in abstract terms only; and where anything withheld is involved, nothing but `not_possible`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.gate import bind_arguments
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.values import Unknown, ValueProblem
from edca.kernel.verdict import Accepted, Escalated, Refused, Result, Stage, Verdict, failed

if TYPE_CHECKING:
    from edca.kernel.canonical import Data
    from edca.kernel.machine import Machine
    from edca.kernel.verdict import ClauseResult

NOT_POSSIBLE = "not_possible"
NOT_POSSIBLE_TEXT = "This is not possible."

_SUPPLY: dict[Unknown, str] = {
    Unknown.MISSING: "the source named by the route has no such value; its operator can supply it",
    Unknown.STALE: "the value read is older than the case allows; read it again",
    Unknown.DRIFT: "the source answered something its declared type does not allow; the routes' owner must look",
    Unknown.UNATTESTED: "nobody has attested the claim yet",
    Unknown.ABSENT: "an optional value is absent where one is needed",
    Unknown.UNSTATED: "the proposer gave no confidence, or the host no subject",
    Unknown.EMPTY: "a list is empty where an element is needed",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a model is told of a verdict: an outcome, public codes and public texts, and nothing else."""

    outcome: str
    codes: tuple[str, ...]
    texts: tuple[str, ...]

    def to_raw(self) -> dict[str, Data]:
        """Return it as the model sees it."""
        return {"outcome": self.outcome, "codes": list(self.codes), "texts": list(self.texts)}


def clause_texts(machine: Machine, transition: str) -> dict[str, str]:
    """Return the message of every clause of a transition, by code."""
    found = machine.index.transitions.get(transition)
    return {} if found is None else {clause.code: clause.text for clause in found.clauses}


def for_model(machine: Machine, candidate: Candidate | Malformed, verdict: Verdict) -> Told:
    """Return what a model may know of the verdict.

    What follows from the public spec alone comes first, whatever the case: a name that is no transition, an argument
    that is not of its type. So neither tells whether a case exists. After that, a clause that reads labelled or
    identifying facts, and any clause whose facts could not be read, makes the whole answer `not_possible`: otherwise
    the other clauses' answers would tell about a case that may not be the subject's.
    """
    public = _from_the_spec_alone(machine, candidate)
    if public is not None:
        return public
    texts = clause_texts(machine, verdict.transition)
    open_clauses = failed(verdict)
    match verdict:
        case Accepted():
            return Told("accepted", (), ())
        case Refused() if verdict.stage is Stage.DUPLICATE:
            return Told("refused", (verdict.code,), ("Another candidate used this key: choose a new key.",))
        case Refused():
            if verdict.stage is not None or not open_clauses or any(_is_withheld(clause) for clause in open_clauses):
                return Told("refused", (NOT_POSSIBLE,), (NOT_POSSIBLE_TEXT,))
            outcome = "refused"
        case Escalated():
            if any(_is_withheld(clause) for clause in open_clauses):
                return Told("escalated", (NOT_POSSIBLE,), (NOT_POSSIBLE_TEXT,))
            outcome = "escalated"
        case _:
            assert_never(verdict)
    codes = tuple(clause.code for clause in open_clauses)
    return Told(outcome, codes, tuple(texts[code] for code in codes))


def _from_the_spec_alone(machine: Machine, candidate: Candidate | Malformed) -> Told | None:
    if isinstance(candidate, Malformed):
        return Told("refused", ("malformed",), (f"This is not a candidate: {candidate.problem}.",))
    transition = machine.index.transitions.get(candidate.transition)
    if transition is None:
        return Told("refused", ("no_such_transition",), ("There is no transition of that name.",))
    try:
        bind_arguments(machine, transition, candidate)
    except ValueProblem as problem:
        return Told("refused", ("bad_argument",), (f"{problem.path}: {problem.problem}.",))
    return None


def _is_withheld(clause: ClauseResult) -> bool:
    return clause.withheld or clause.reason in (Unknown.MISSING, Unknown.STALE, Unknown.DRIFT)


def for_operator(machine: Machine, verdict: Verdict) -> tuple[str, ...]:
    """Return the verdict as lines of text for the people who run the machine."""
    lines = [_headline(machine, verdict)]
    texts = clause_texts(machine, verdict.transition)
    if isinstance(verdict, Refused) and verdict.detail:
        lines.append(f"  {verdict.detail}")
    for clause in failed(verdict):
        lines.append(f"  {_clause_line(clause, texts.get(clause.code, ''))}")
        lines += [f"      {reading.name} = {reading.value}" for reading in clause.readings]
        if clause.reason is not None:
            lines.append(f"      missing: {_SUPPLY[clause.reason]}")
        if clause.on_fail is OnFail.ESCALATE and clause.role is not None:
            lines.append(f"      can be answered by: {clause.role}")
    passed = sum(1 for clause in verdict.clauses if clause.result is Result.PASSED)
    if verdict.clauses:
        lines.append(f"  {passed} of {len(verdict.clauses)} clauses passed")
    if verdict.anchor is not None:
        how = "proposed it" if verdict.anchor.mandate is None else f"mandate {verdict.anchor.mandate}"
        lines.append(f"  answers: {verdict.anchor.principal} as {verdict.anchor.role} ({how})")
    if isinstance(verdict, Accepted):
        lines += [f"  effect: {intent.effect}" for intent in verdict.intents]
    return tuple(lines)


def _headline(machine: Machine, verdict: Verdict) -> str:
    name = verdict.transition or "what was sent"
    match verdict:
        case Accepted(source=source, target=target):
            transition = machine.index.transitions.get(name)
            means = "" if transition is None else f": {transition.text}"
            return f"accepted {name}, {source} → {target}{means}"
        case Refused(code=code):
            return f"refused {name}: {code}"
        case Escalated(needs=needs):
            return f"escalated {name}: needs {', '.join(need.code for need in needs)}"
        case _:
            assert_never(verdict)


def _clause_line(clause: ClauseResult, text: str) -> str:
    word = {
        ClauseKind.REQUIRE: "required",
        ClauseKind.FORBID: "forbidden",
        ClauseKind.CONFIRM: "to be confirmed",
    }[clause.kind]
    how = " (unknown)" if clause.result is Result.UNKNOWN else ""
    return f"{clause.code}: {text} [{word}{how}]"
