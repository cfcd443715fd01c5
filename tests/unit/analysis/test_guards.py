"""Goal: what is claimed of guards and clauses agrees with trying every combination of values.

Conditions on single values are within the reach of the analysis: there it must find all that is so. On conditions that
compare several values, it may miss something, but whatever it claims must be so.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edca.diagnostics import Source
from edca.dsl.parse import parse
from edca.kernel.evaluate import Frame, closure_of, known
from edca.kernel.expression import Input
from edca.kernel.machine import ClauseKind
from edca.semantic.analysis import branches, constraints, idle
from edca.semantic.compile import check_spec, compile_spec
from edca.semantic.lower import lower_expression
from edca.semantic.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.diagnostics import Diagnostic
    from edca.semantic.checked import CheckedSpec, CheckedTransition

HEAD = """edca 1 machine m version "1"
role person human
enum hue { red | green | blue }
entity thing key (thing_id: id) { size: int(0 to 2), tint: hue, whole: bool }
case about thing by thing_id
memory { kept: int(0 to 1) = 0 }
state open initial "Open."
state half "Half."
state closed final "Closed." success
transition start(thing_id: id) from open to half { means "S." by person answers person }
"""
HUES = ("red", "green", "blue")
PLAIN = [f"{name} {sign} {number}" for name in ("n", "thing.size") for sign in ("<=", ">", "!=") for number in (0, 1)]
PLAIN += ["kept == 0", "b", "thing.whole", "h == red", "h in [red, blue]", "thing.tint != green", "thing.tint == red"]
MIXED = [*PLAIN, "n < thing.size", "h == thing.tint", "n + kept > 1", "n + kept <= 1", "n <= kept", "n == thing.size"]

World = dict[str, Any]


@dataclass(frozen=True)
class Drawn:
    """A transition in several branches; `plain` if its conditions only speak of single values."""

    text: str
    plain: bool


@st.composite
def specs(draw: st.DrawFn) -> Drawn:
    """Draw branches with guards, priorities and clauses."""
    plain = draw(st.booleans())
    atoms = PLAIN if plain else MIXED

    def condition(depth: int) -> str:
        match draw(st.integers(0, 5)) if depth else 9:
            case 0 | 1:
                return f"({condition(depth - 1)} and {condition(depth - 1)})"
            case 2 | 3:
                return f"({condition(depth - 1)} or {condition(depth - 1)})"
            case 4:
                return f"(if {condition(depth - 1)} then {condition(depth - 1)} else {condition(depth - 1)})"
            case _:
                atom = draw(st.sampled_from(atoms))
                return f"(not ({atom}))" if draw(st.booleans()) else f"({atom})"

    lines = []
    for number in range(draw(st.integers(1, 3))):
        sources = draw(st.sampled_from(["open", "half", "open, half"]))
        guard = f" when {condition(2)}" if draw(st.integers(0, 5)) else ""
        priority = draw(st.sampled_from(["", "", "priority 1", "priority 2"]))
        parts = []
        for code in "xyz"[: draw(st.integers(0, 3))]:
            test = condition(draw(st.integers(0, 2)))
            forbid = draw(st.booleans())
            parts.append(f'forbid {code} "X." when {test}' if forbid else f'require {test} else refuse {code} "X."')
        lines.append(
            f"transition go.b{number}(thing_id: id, n: int(0 to 2), b: bool, h: hue) from {sources} to closed{guard} "
            f'{{ means "G." by person answers person {priority} {" ".join(parts)} }}'
        )
    return Drawn(HEAD + "\n".join(lines), plain)


# --- the oracle ---


WORLDS = [
    {"n": n, "b": b, "h": h, "thing.size": size, "thing.tint": tint, "thing.whole": whole, "kept": kept}
    for n, b, h, size, tint, whole, kept in itertools.product(
        range(3), (True, False), HUES, range(3), HUES, (True, False), range(2)
    )
]


def frame(world: World) -> Frame:
    """Return all that a decision reads in a world."""
    facts = {name.removeprefix("thing."): value for name, value in world.items() if name.startswith("thing.")}
    return Frame(
        arguments={name: world[name] for name in "nbh"},
        memory={"kept": world["kept"]},
        claims={},
        inputs={Input.CASE: ("t1",)},
        facts={("thing", ("t1",)): facts},
    )


FRAMES = [frame(world) for world in WORLDS]


def outcomes(spec: CheckedSpec, condition: Any) -> list[bool]:
    """Return how a condition comes out in each world."""
    closure = closure_of(lower_expression(condition, spec.definitions))
    return [known(closure(one)) is True for one in FRAMES]


@dataclass
class Branch:
    """What a branch does in each world."""

    item: CheckedTransition
    priority: int
    guard: list[bool]
    clauses: dict[str, list[bool]]  # whether it passes


def worked_out(text: str) -> list[Branch]:
    """Return the branches of a spec with all that they do."""
    parsed = parse(Source("random.edca", text))
    problems = Problems()
    spec = None if parsed.spec is None else check_spec(parsed.spec, problems)
    if spec is None:
        raise ValueError(f"{problems.found}\n{text}")  # no disagreement, but a mistake of this test
    found = []
    for item in spec.transitions:
        if item.offered != "go":
            continue
        guard = [True] * len(WORLDS) if item.guard is None else outcomes(spec, item.guard)
        clauses = {}
        for clause in item.clauses:
            truths = outcomes(spec, clause.condition)
            passes = truths if clause.kind is ClauseKind.REQUIRE else [not truth for truth in truths]
            clauses[clause.code] = passes
        found.append(Branch(item, item.priority or 0, guard, clauses))
    return found


def is_taken(branch: Branch, all_branches: list[Branch]) -> bool:
    """Tell whether some state and world lead to the branch."""
    for state in branch.item.sources:
        before = [one for one in all_branches if one.priority > branch.priority and state in one.item.sources]
        if any(mine and not any(one.guard[i] for one in before) for i, mine in enumerate(branch.guard)):
            return True
    return False


def overlapping(all_branches: list[Branch]) -> Iterator[tuple[str, str]]:
    """Yield branches of one priority that are both meant in some state and world, the later one first."""
    for one, other in itertools.combinations(all_branches, 2):
        shared = set(one.item.sources) & set(other.item.sources)
        if shared and one.priority == other.priority and any(map(all, zip(one.guard, other.guard, strict=True))):
            yield other.item.name, one.item.name


def agree(drawn: Drawn) -> None:
    """Compare what is found with what the oracle says."""
    found = compile_spec(Source("random.edca", drawn.text)).diagnostics
    all_branches = worked_out(drawn.text)
    by_name = {branch.item.name: branch for branch in all_branches}
    told = [re.findall(r"`(go\.b\d)`", one.message)[:2] for one in found if one.code.id == "C046"]
    truly = set(overlapping(all_branches))
    # A guard that can't be true is a finding of its own, and then the branch is left alone.
    assert truly <= {(first, second) for first, second in told}, drawn.text
    if drawn.plain:
        assert truly == {(first, second) for first, second in told}, drawn.text
    for one in found:
        if one.code.id == "C046":
            check_example(one, by_name, drawn)
    never = {name for name, branch in by_name.items() if not is_taken(branch, all_branches)}
    said = {
        name
        for one in found
        if one.code.id == "C019" and "never taken" in one.message
        for name in re.findall(r"`(go\.b\d)`", one.message)
    }
    assert said <= never, drawn.text
    if drawn.plain:
        assert said == never, drawn.text
    for branch in all_branches:
        check_clauses(branch, found, drawn)
    for one in found:
        read = re.search(r"`when` of `(go\.b\d)` reads `([\w.]+)`", one.message)
        assert read is None or is_idle(by_name[read[1]].guard, read[2]), (drawn.text, one.message)


def check_example(one: Diagnostic, by_name: dict[str, Branch], drawn: Drawn) -> None:
    """Hold the analysis to the values that it names."""
    example = re.search(r"both are true where (.*)$", one.message)
    first, second = (by_name[name] for name in re.findall(r"`(go\.b\d)`", one.message)[:2])
    if example is None:
        assert not drawn.plain or "neither" in one.message or "both can be true" in one.message, drawn.text
        return
    values = dict(re.findall(r"`([\w.]+)` is (\w+)", example[1]))
    fitting = [
        i for i, world in enumerate(WORLDS) if all(str(world[name]).lower() == text for name, text in values.items())
    ]
    assert any(first.guard[i] and second.guard[i] for i in fitting), (drawn.text, one.message)
    if "more values" not in example[1]:
        assert all(first.guard[i] and second.guard[i] for i in fitting), (drawn.text, one.message)


def check_clauses(branch: Branch, found: tuple[Diagnostic, ...], drawn: Drawn) -> None:
    """Compare the findings about one branch's clauses."""
    lines = {clause.span.start for clause in branch.item.clauses}
    own = [one for one in found if one.primary.span.start in lines]
    passed = [all(passes) for passes in zip(branch.guard, *branch.clauses.values(), strict=True)]
    told = any(one.code.id == "C019" for one in own)
    if any(branch.guard):
        assert not (told and any(passed)), drawn.text
        assert told or any(passed) or not drawn.plain, drawn.text
    for one in own:
        if one.code.id == "C045" and "reads" in one.message:
            code, fact = re.findall(r"`([^`]*)`", one.message)[:2]
            assert is_idle(branch.clauses[code], fact), (drawn.text, one.message)
        elif one.code.id == "C045":
            code, other = re.findall(r"`([^`]*)`", one.message)[:2]
            stronger = branch.guard if other == "when" else branch.clauses[other]
            assert all(mine or not theirs for mine, theirs in zip(branch.clauses[code], stronger, strict=True)), (
                drawn.text,
                one.message,
            )


def is_idle(results: list[bool], fact: str) -> bool:
    """Tell whether worlds that only differ in a fact come out the same."""
    seen: dict[tuple[Any, ...], bool] = {}
    for world, result in zip(WORLDS, results, strict=True):
        rest = tuple(value for name, value in world.items() if name != fact)
        if seen.setdefault(rest, result) != result:
            return False
    return True


@settings(max_examples=150)
@given(specs())
def test_guards_and_clauses_agree_with_every_combination_of_values(drawn: Drawn) -> None:
    agree(drawn)


# --- a test of the test: each of these mistakes shows ---


def machine(*parts: str) -> Drawn:
    """Return branches, each from its head behind the parameters to its last clause."""
    head = "(thing_id: id, n: int(0 to 2), b: bool, h: hue) from open to closed"
    lines = [f"transition go.b{number}{head} {part} }}" for number, part in enumerate(parts)]
    return Drawn(HEAD + "\n".join(lines), True)


REST = '{ means "G." by person answers person'
CHOICE = machine(f"when n > 1 or b {REST}", f"when n <= 1 and not b {REST}")
OVERLAP = machine(f"when n > 0 {REST}", f"when b {REST}")
READS = machine(f'when b {REST} require n > 0 and thing.whole else refuse x "X."')
CLAUSES = machine(f'{REST} require n > 0 else refuse x "X." require n != 1 else refuse y "Y."')
HIDDEN = machine(f"when n > 0 {REST} priority 2", f"when n > 1 {REST}")

# What is broken, and a machine for which the comparison tells.
MISTAKES: dict[str, tuple[Any, str, Any, Drawn]] = {
    "everything contradicts": (constraints.Constraints, "settled", lambda _: None, OVERLAP),
    "no way is tried": (constraints.Constraints, "settled", lambda self: None if self.contradictory else self, CHOICE),
    "overlaps are forgotten": (branches.Guards, "overlap", lambda *_: None, OVERLAP),
    "what comes before is forgotten": (branches.Guards, "shadowed", lambda *_: None, HIDDEN),
    "half is read": (idle.Live, "_needed", lambda _, __, operands: operands[:1], READS),
    "all is implied": (idle._Implied, "_implies", lambda _, one, __: one.clause is not None, CLAUSES),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_broken_analysis_shows(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    *broken, example = MISTAKES[mistake]
    agree(example)
    monkeypatch.setattr(*broken)
    with pytest.raises(AssertionError):
        agree(example)
