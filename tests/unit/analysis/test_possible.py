"""Goal: whatever a condition yields, its analysis has foreseen: no value, and no reason to be unknown, is missing."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edca.diagnostics import Source
from edca.kernel.evaluate import Frame, closure_of, known
from edca.kernel.expression import Input
from edca.kernel.values import Unknown
from edca.semantic.analysis.possible import Reach
from edca.semantic.analysis.ranges import Doubt, truths
from edca.semantic.compile import compile_spec
from edca.semantic.lower import lower_expression

if TYPE_CHECKING:
    from edca.semantic.checked import CheckedSpec

SPEC = """edca 1 machine m version "1"
role person human
enum hue { red | green | blue }
entity thing key (thing_id: id) { size: int(0 to 3), tint: hue, gap: int(0 to 3) optional, whole: bool,
  parts: list(0 to 2) of int(0 to 2) }
claim told : bool by person "Told."
case about thing by thing_id
memory { kept: int(0 to 2) = 1 }
state open initial "Open."
state closed final "Closed." success
define is_red = thing.tint == red
define near(a: int(-9 to 9), margin: int(0 to 9)) = a <= margin and a >= 0 - margin
table grade(of: hue, large: bool) gives int(0 to 5) {
  | red,   any   => 0
  | green, true  => 1
  | green, false => 2
  | blue,  any   => 5
}
transition close(thing_id: id, n: int(0 to 3), d: decimal(1, 0.0 to 1.5), h: hue, b: bool,
                 xs: list(0 to 2) of int(0 to 2)) from open to closed {
  means "Close." by person answers person
  let flag = b or n == 1
  let half = n + kept
  require FIRST else refuse first_one "First."
  require SECOND else refuse second_one "Second."
}
"""
REASONS = {
    Unknown.MISSING: Doubt.FACT,
    Unknown.UNATTESTED: Doubt.CLAIM,
    Unknown.UNSTATED: Doubt.INPUT,
    Unknown.ABSENT: Doubt.GAP,
    Unknown.EMPTY: Doubt.GAP,
}
NUMBERS = ["0", "1", "2", "0.5", "n", "d", "kept", "half", "thing.size", "thing.gap", "first(xs)", "count(thing.parts)"]
TRUTHS = [
    "b",
    "flag",
    "told",
    "thing.whole",
    "is_red",
    "true",
    "thing.gap is present",
    "thing.gap is absent",
    "h == red",
]
TRUTHS += [
    "h in [red, blue]",
    "thing.tint not in [green]",
    "thing.tint != h",
    "thing.tint == blue",
    "confidence >= 0.5",
]
COMPARISONS = ["==", "!=", "<", "<=", ">", ">="]


@dataclass(slots=True)
class Writer:
    """Writes random expressions; each variable has a name of its own."""

    draw: st.DrawFn
    variables: list[str] = field(default_factory=list)
    count: int = 0

    def number(self, depth: int) -> str:
        leaf = self.draw(st.sampled_from(NUMBERS + self.variables))
        if depth == 0:
            return leaf
        match self.draw(st.integers(0, 7)):
            case 0:
                return f"({self.number(depth - 1)} {self.draw(st.sampled_from('+-'))} {self.number(depth - 1)})"
            case 1:
                return f"(2 * {self.number(depth - 1)})"
            case 2:
                function = self.draw(st.sampled_from(["min", "max"]))
                return f"{function}({self.number(depth - 1)}, {self.number(depth - 1)})"
            case 3:
                return f"(if {self.truth(depth - 1)} then {self.number(depth - 1)} else 1)"
            case 4:
                function = self.draw(st.sampled_from(["sum", "min", "max"]))
                return self.quantified(lambda x, xs, kept: f"{function}({x} for {x} in {xs} where {kept})", depth)
            case 5:
                return self.quantified(lambda x, xs, kept: f"count({x} in {xs} where {kept})", depth)
            case 6:
                return f"grade({self.draw(st.sampled_from(['h', 'thing.tint', 'red']))}, {self.truth(depth - 1)})"
            case _:
                return leaf

    def truth(self, depth: int) -> str:
        if depth == 0:
            return self.draw(st.sampled_from(TRUTHS))
        match self.draw(st.integers(0, 6)):
            case 0 | 1:
                comparison = self.draw(st.sampled_from(COMPARISONS))
                return f"({self.number(depth - 1)} {comparison} {self.number(depth - 1)})"
            case 2 | 3:
                word = self.draw(st.sampled_from(["and", "or"]))
                return f"({self.truth(depth - 1)} {word} {self.truth(depth - 1)})"
            case 4:
                return f"(not {self.truth(depth - 1)})"
            case 5:
                word = self.draw(st.sampled_from(["every", "some"]))
                return self.quantified(lambda x, xs, kept: f"({word} {x} in {xs} satisfies {kept})", depth)
            case _:
                return f"near(min(3, max(-3, {self.draw(st.sampled_from(['n', 'kept', 'thing.size', '2']))})), kept)"

    def quantified(self, write: Any, depth: int) -> str:
        name = f"x{self.count}"
        self.count += 1
        domain = self.draw(st.sampled_from(["xs", "thing.parts", "[n, 2]", "distinct(xs)"]))
        self.variables.append(name)
        kept = self.truth(depth - 1)
        self.variables.remove(name)
        return f"{write(name, domain, kept)}"


@st.composite
def conditions(draw: st.DrawFn) -> tuple[str, str]:
    """Draw two conditions."""
    writer = Writer(draw)
    return writer.truth(draw(st.integers(1, 3))), writer.truth(draw(st.integers(0, 2)))


def world(chance: random.Random) -> Frame:
    """Return all that a decision reads, some of it not known."""

    def maybe(value: Any, unknown: Unknown = Unknown.MISSING) -> Any:
        return unknown if chance.random() < 0.15 else value

    hue = chance.choice(["red", "green", "blue"])
    parts = tuple(chance.randrange(3) for _ in range(chance.randrange(3)))
    fields = {
        "size": maybe(chance.randrange(4)),
        "tint": maybe(hue),
        "gap": maybe(chance.choice([None, 0, 1, 2, 3])),
        "whole": maybe(chance.random() < 0.5),
        "parts": maybe(parts),
    }
    return Frame(
        arguments={
            "thing_id": "t1",
            "n": chance.randrange(4),
            "d": chance.randrange(16),
            "h": chance.choice(["red", "green", "blue"]),
            "b": chance.random() < 0.5,
            "xs": tuple(chance.randrange(3) for _ in range(chance.randrange(3))),
        },
        memory={"kept": chance.randrange(3)},
        claims={"told": maybe(chance.random() < 0.5, Unknown.UNATTESTED)},
        inputs={Input.CASE: ("t1",), Input.CONFIDENCE: maybe(chance.randrange(10_001), Unknown.UNSTATED)},
        facts={("thing", ("t1",)): fields},
    )


def compiled(first: str, second: str) -> CheckedSpec | None:
    """Return the spec with these two conditions, or null where one of them does not type."""
    return compile_spec(Source("random.edca", SPEC.replace("FIRST", first).replace("SECOND", second))).checked


@settings(max_examples=200, deadline=None)
@given(conditions(), st.integers(0, 2**32))
def test_nothing_comes_out_that_was_not_foreseen(drawn: tuple[str, str], seed: int) -> None:
    spec = compiled(*drawn)
    assume(spec is not None)
    assert spec is not None
    (item,) = spec.transitions
    within = Reach(spec).transition(item.lets)
    foreseen = [within.of(clause.condition).known() for clause in item.clauses]
    together = within.constraints()
    for clause in item.clauses:
        together.add(clause.condition, True)
    lets = [(name, closure_of(lower_expression(value, spec.definitions))) for name, value in item.lets]
    closures = [closure_of(lower_expression(clause.condition, spec.definitions)) for clause in item.clauses]
    chance = random.Random(seed)  # noqa: S311
    for _ in range(60):
        frame = world(chance)
        frame.lets.update((name, value(frame)) for name, value in lets)
        outcomes = [known(closure(frame)) for closure in closures]
        for text, outcome, possible in zip(drawn, outcomes, foreseen, strict=True):
            if isinstance(outcome, Unknown):
                assert REASONS[outcome] in possible.doubts, text
            else:
                assert outcome in truths(possible.values), text
        assert not (together.contradictory and outcomes == [True, True]), drawn


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("n + kept <= 5", {True}),
        ("max(n, 2) < 2", {False}),
        ("thing.gap is present and thing.gap > 3", {False}),
        ("sum(x for x in xs where x > 0) <= 4", {True}),
        ("near(min(3, max(-3, n)), 3)", {True}),
        ("grade(h, b) > 5", {False}),
        ("grade(red, b) == 0", {True}),
        ("half >= 0 and flag == flag", {True}),
        ("every x in xs satisfies x < 3 and x >= 0", {True}),
        ("2 * d <= 3.0", {True}),
        ("n < 2 and n > 0.5 and n != 1", {False}),
        ("(if n > 1 then 1 else 2) in [1, 2]", {True}),
        ("(n - 1) + (1 - n) == 0", {True, False}),  # not followed, so nothing is claimed
        ("n == 2 or b", {True, False}),
    ],
)
def test_what_is_certain_is_found(first: str, expected: set[bool]) -> None:
    spec = compiled(first, "true")
    assert spec is not None
    (item,) = spec.transitions
    assert truths(Reach(spec).transition(item.lets).of(item.clauses[0].condition).values) == expected
