"""Goal: a machine's clauses can be told in the language again, and what is told means what the kernel evaluates."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import setups
import strategies
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from edca.diagnostics import Source
from edca.kernel.evaluate import Frame, closure_of
from edca.kernel.expression import Expression, Input
from edca.kernel.machine import Machine, Transition
from edca.kernel.types import ListType, ReferenceType, Type
from edca.kernel.values import Unknown, Value
from edca.semantic.compile import compile_spec
from edca.semantic.notation import LENGTH_MAX, Notation
from edca.semantic.notation_clauses import clause_notation

RULES = """
transition close(thing_id: id, a: decimal(2, 0.00 to 99.99), n1: int(0 to 9)) from open to closed
{
  means "Close." by agent, person answers person
  %s
}
"""

# What is written, and what is told where that is not the same.
CLAUSES: dict[str, str | None] = {
    "a <= 5.00": None,
    "a > 5": "a > 5.00",
    "n1 < a": None,
    "thing.f >= 0.85": None,
    "a * 2 > thing.m": None,
    "a * 0.25 > thing.m": "a * 0.25 > thing.m",
    "a + n1 <= thing.m - 1.50": None,
    "a - (thing.m - 1.50) == 5.00": None,
    "thing.g is present and thing.g < a": None,
    "thing.o is absent": None,
    "now - thing.t <= 30 days": None,
    "now < thing.t + 90 minutes": None,
    "now >= 2026-03-20T12:00:00Z": None,
    "thing.d + 3 days <= thing.e": None,
    "thing.d - thing.e > 2 days": None,
    "thing.d >= 2024-02-29": None,
    "thing.w * n1 < 4 hours": None,
    'thing.s != "a \\"b\\" \\\\ c"': None,
    "thing.h in [red, blue]": None,
    "thing.h not in [red, blue]": None,
    "thing.h == pale_green": None,
    "felt == blue or (thing.b and not thing.c)": None,
    "not (thing.b and thing.c)": None,
    "thing.owner == subject": None,
    'thing.friend.friend.k == "x"': None,
    'lookup thing("t2").b': None,
    "every p in thing.ps satisfies p.price < a": None,
    "some x in thing.xs satisfies x > n1 and x < 9": None,
    "count(x in thing.xs where x > 3) == 2": None,
    "count(thing.xs) > 0": None,
    "sum(p.price for p in thing.ps where p.count > 1) <= a": None,
    "sum(p.count * p.price for p in thing.ps) <= a": None,
    "max(a, 2.00) < thing.m": None,
    "min(thing.xs) < 3": None,
    "first(thing.xs) <= last(thing.xs)": None,
    "count(distinct(collect(p.sku for p in thing.ps))) == 1": None,
    "every x in pairs(thing.xs) satisfies x.first <= x.second": None,
    "(if thing.b then a else 2.00) > thing.m": None,
    "if thing.b then a > 1.00 else thing.c": None,
    "7 in thing.xs": None,
    "a in [1.00, 2.50]": None,
    "some x in [1.50, 2.25] satisfies x > a": None,
    "every x in [1.5, 2] satisfies x < n1": "every x in [1.5, 2.0] satisfies x < n1",
    "a < thing.m + (min(12.345, 1.50) + 0.00)": "a < thing.m + (min(12.345, 1.50) + 0.00)",
    # A define stands written out, and so its arguments; a second name for elements that are called alike.
    "both(thing.b, n > 3)": "thing.b and n <= 3",
    "every p in thing.ps satisfies some q in thing.ps satisfies p.sku == q.sku": (
        "every p in thing.ps satisfies some p2 in thing.ps satisfies p.sku == p2.sku"
    ),
    "some t in thing.friends satisfies t.b": None,
}


def _machine(clauses: str) -> Machine | None:
    return compile_spec(Source("told.edca", strategies.VOCABULARY + RULES % clauses)).machine


def _told(condition: str) -> tuple[str, ...]:
    machine = _machine(f'require {condition} else refuse tested "T."')
    assert machine is not None, condition
    transition = machine.index.transitions["close"]
    return clause_notation(machine, transition, transition.clauses[-1])


@pytest.mark.parametrize("condition", CLAUSES)
def test_a_condition_is_told_in_the_language(condition: str) -> None:
    assert _told(condition) == (f"require {CLAUSES[condition] or condition} else refuse tested",)


def test_lets_are_told_below_with_the_scale_that_their_use_shows() -> None:
    machine = _machine(
        """let small = if thing.b then 5.00 else 10.00
  let other = small + 1.00
  let unread = thing.c
  require a <= other else refuse tested "T." """
    )
    assert machine is not None
    transition = machine.index.transitions["close"]
    assert clause_notation(machine, transition, transition.clauses[0]) == (
        "require a <= other else refuse tested",
        "let small = if thing.b then 5.00 else 10.00",
        "let other = small + 1.00",
    )


OTHERS = {
    'forbid f "F." when thing.b': "forbid f when thing.b",
    'require a > 0 else escalate person e "E."': "require a > 0.00 else escalate person e",
    'confirm c by person "C."': "confirm c by person",
    'confirm c by person within 30 minutes when a > 9.00 "C."': "confirm c by person within 30 minutes when a > 9.00",
    'sign s by 2 of person "S."': "sign s by 2 of person",
    'sign s by 2 of person distinct from proposer of close, thing.owner within 2 days when thing.b "S."': (
        "sign s by 2 of person distinct from proposer of close, thing.owner within 2 days when thing.b"
    ),
    'limit l count to 20 per rolling 1 hour per proposer "L."': "limit l count to 20 per rolling 1 hour per proposer",
    'limit l sum(a) to 500.00 per utc week "L."': "limit l sum(a) to 500.00 per utc week",
    'limit l sum(n1) to 50 per utc day per thing.owner, subject when a > 1.00 "L."': (
        "limit l sum(n1) to 50 per utc day per thing.owner, subject when a > 1.00"
    ),
}


@pytest.mark.parametrize("written", OTHERS)
def test_every_kind_of_clause_is_told(written: str) -> None:
    machine = _machine(written)
    assert machine is not None
    transition = machine.index.transitions["close"]
    assert clause_notation(machine, transition, transition.clauses[0]) == (OTHERS[written],)


def test_what_grows_without_end_is_cut() -> None:
    doubled = "\n".join(f"define d{n}(x: bool) = d{n - 1}(x and thing.b) or d{n - 1}(x)" for n in range(1, 9))
    text = strategies.VOCABULARY + f"define d0(x: bool) = x or thing.c\n{doubled}\n"
    found = compile_spec(Source("long.edca", text + RULES % 'require d8(thing.b) else refuse tested "T."'))
    assert found.machine is not None
    transition = found.machine.index.transitions["close"]
    (line,) = clause_notation(found.machine, transition, transition.clauses[0])
    assert len(line) < LENGTH_MAX + 50 and "…" in line


# --- it means the same ---

_FIELDS: dict[str, Type] = strategies.FACTS | {
    "friend": ReferenceType("thing"),
    "friends": ListType(0, 3, ReferenceType("thing")),
}
_KEYS = ("t1", "t2")


def _value(type_: Type) -> st.SearchStrategy[Value | Unknown]:
    match type_:
        case ReferenceType():
            return st.sampled_from(_KEYS).map(lambda key: (key,))
        case ListType(low, high, ReferenceType()):
            return st.lists(_value(ReferenceType("thing")), min_size=low, max_size=high).map(tuple)  # type: ignore[arg-type]  # references are values
        case _:
            return strategies.values(type_)


@st.composite
def frames(draw: st.DrawFn) -> dict[str, Any]:
    """What an expression may read; now and then a field is unknown."""

    def fields() -> dict[str, Value | Unknown]:
        return {
            name: draw(st.sampled_from(list(Unknown))) if draw(st.integers(0, 9)) == 0 else draw(_value(type_))
            for name, type_ in _FIELDS.items()
        }

    return {
        "arguments": {"thing_id": "t1", "a": draw(st.integers(0, 9999)), "n1": draw(st.integers(0, 9))},
        "memory": {"n": draw(st.integers(-50, 50)), "y": draw(st.booleans()), "z": draw(st.integers(0, 999))},
        "claims": {"said": draw(st.booleans()), "felt": draw(st.sampled_from(["red", "pale_green", "blue"]))},
        "inputs": {
            Input.NOW: setups.NOW,
            Input.PROPOSER: "sven",
            Input.SUBJECT: draw(st.sampled_from(["carla", Unknown.UNSTATED])),
            Input.CONFIDENCE: 9_000,
            Input.CASE: ("t1",),
        },
        "facts": {("thing", (key,)): fields() for key in _KEYS},
    }


def _outcome(expression: Expression, given_: dict[str, Any]) -> object:
    found = closure_of(expression)(Frame(**given_))
    return "unknown" if isinstance(found, Unknown) or found is None else found


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_what_is_told_means_what_is_evaluated(depth: int) -> None:
    """Sums of nothing but written dates, times and durations can't always be told; whatever is told is right."""
    seen = {"told": 0, "not told": 0}

    @given(st.lists(strategies.expressions("bool", depth), min_size=6, max_size=6), st.lists(frames(), min_size=3))
    @settings(max_examples=20, deadline=None, phases=[Phase.generate])  # what fails is printed, and short enough
    def check(conditions: list[str], read: list[dict[str, Any]]) -> None:
        clauses = [f'require {text} else refuse r{index} "R."' for index, text in enumerate(conditions)]
        machine = _machine("\n".join(clauses))
        assume(machine is not None)
        assert machine is not None
        transition = machine.index.transitions["close"]
        for clause in transition.clauses:
            told = Notation.of(machine, transition).write(clause.condition)
            again = None if "…" in told else _machine(f'require {told} else refuse again "R."')
            seen["not told" if again is None else "told"] += 1
            if again is None:
                continue
            (same,) = again.index.transitions["close"].clauses
            for given_ in read:
                assert _outcome(clause.condition, given_) == _outcome(same.condition, given_), told

    check()
    assert seen["told"] > 30 * max(seen["not told"], 1)


def test_it_depends_on_the_machine_alone() -> None:
    machine = _machine('require thing.b else refuse tested "T."')
    assert machine is not None
    again = Machine.from_bytes(machine.to_bytes())
    transition: Transition = again.index.transitions["close"]
    assert clause_notation(again, transition, transition.clauses[0]) == ("require thing.b else refuse tested",)
    assert dataclasses.replace(machine) == again
