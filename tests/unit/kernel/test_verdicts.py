"""Goal: over all mixtures of clauses, answers, counters and properties, the verdict is the one the rules say."""

import dataclasses
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from machines import FALSE, TRUE, UNKNOWN, answered, clause, limit, machine, never, setup, transition
from setups import Setup

from edca.kernel import canonical
from edca.kernel.expression import Constant, Expression
from edca.kernel.machine import Clause, ClauseKind, OnFail
from edca.kernel.verdict import Accepted, Escalated, Refused, Verdict, encoded

PEOPLE = ("sam", "sia", "sue")
TRUTHS: dict[bool | None, Expression] = {True: TRUE, False: FALSE, None: UNKNOWN}


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A clause with what the world holds for it."""

    kind: ClauseKind
    truth: bool | None
    escalates: bool
    count: int
    excluded: tuple[str, ...] | None  # null: unknown
    answers: dict[str, bool]
    used: int | None


@st.composite
def _clauses(draw: st.DrawFn) -> Drawn:
    return Drawn(
        kind=draw(st.sampled_from(list(ClauseKind))),
        truth=draw(st.sampled_from([True, True, False, None])),
        escalates=draw(st.booleans()),
        count=draw(st.integers(1, 3)),
        excluded=draw(st.sampled_from([(), (), (), ("sue",), None])),
        answers=draw(st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from([True, True, True, False]))),
        used=draw(st.sampled_from([0, 8, 9, 10, None])),
    )


def _declared(code: str, drawn: Drawn) -> Clause:
    condition = TRUTHS[drawn.truth]
    match drawn.kind:
        case ClauseKind.LIMIT:
            return limit(code, condition=condition)
        case ClauseKind.CONFIRM | ClauseKind.SIGN:
            excluding = UNKNOWN if drawn.excluded is None else Constant(drawn.excluded)
            return clause(code, drawn.kind, condition, count=drawn.count, distinct_from=(excluding,))
        case _:
            on_fail = OnFail.ESCALATE if drawn.escalates else OnFail.REFUSE
            return clause(code, drawn.kind, condition, on_fail=on_fail, role="supervisor")


def _expected(drawn: Drawn) -> str:
    """What a clause comes to by the rules: passed, refuse or escalate."""
    fails = "escalate" if drawn.escalates else "refuse"
    match drawn.kind:
        case ClauseKind.REQUIRE:
            if drawn.truth is True or not drawn.escalates or not drawn.answers:
                return "passed" if drawn.truth is True else fails
            return "passed" if all(drawn.answers.values()) else "refuse"  # waived, unless anybody says no
        case ClauseKind.FORBID:
            return "passed" if drawn.truth is False else fails
        case ClauseKind.LIMIT:
            within = drawn.used is not None and drawn.used <= 9
            return "passed" if drawn.truth is False or within else "refuse"
        case _:
            if drawn.truth is False:
                return "passed"
            counted = {who: said for who, said in drawn.answers.items() if who not in (drawn.excluded or ())}
            if False in counted.values():
                return "refuse"
            return "passed" if drawn.excluded is not None and len(counted) >= drawn.count else "escalate"


def _asked(drawn: list[Drawn], nevers: list[bool | None]) -> Setup:
    declared = [_declared(f"c{index}", one) for index, one in enumerate(drawn)]
    properties = tuple(never(f"n{index}", TRUTHS[truth], "done") for index, truth in enumerate(nevers))
    made = setup(machine(transition("go", *declared), properties=properties))
    used: dict[Any, int] = {}
    for index, one in enumerate(drawn):
        for who, value in one.answers.items():
            made = answered(made, f"c{index}", who, value=value)
        if one.used is not None:
            used["go", f"c{index}", ()] = one.used
    return made.with_inputs(used=used)


@given(st.lists(_clauses(), max_size=5), st.lists(st.sampled_from([False, False, True, None]), max_size=2))
@settings(max_examples=300)
def test_the_verdict_is_the_one_that_the_rules_say(drawn: list[Drawn], nevers: list[bool | None]) -> None:
    verdict, expected = _asked(drawn, nevers).decide(), [_expected(one) for one in drawn]
    if "refuse" in expected:
        assert isinstance(verdict, Refused)
        assert verdict.code == f"c{expected.index('refuse')}"
    elif True in nevers or ("escalate" not in expected and None in nevers):
        assert isinstance(verdict, Refused)
        assert verdict.code == "property_violated"
    elif "escalate" in expected:
        assert isinstance(verdict, Escalated)
        assert [need.code for need in verdict.needs] == [f"c{i}" for i, one in enumerate(expected) if one == "escalate"]
    else:
        assert isinstance(verdict, Accepted)
    _check_moves(verdict, drawn)


def _check_moves(verdict: Verdict, drawn: list[Drawn]) -> None:
    if isinstance(verdict, Refused):
        return
    limits = [f"c{i}" for i, one in enumerate(drawn) if one.kind is ClauseKind.LIMIT and one.truth is not False]
    assert [move.code for move in verdict.moves] == limits


@given(st.lists(_clauses(), max_size=5))
def test_a_verdict_is_encoded_as_it_stands_in_records(drawn: list[Drawn]) -> None:
    verdict = _asked(drawn, []).decide()
    assert encoded(verdict).canonical == canonical.encode(verdict.to_raw())
    assert encoded(verdict).canonical == canonical.encode(verdict.to_raw())  # also from what was kept the first time


@given(st.lists(_clauses(), min_size=1, max_size=4), st.data())
@settings(max_examples=200)
def test_losing_what_is_known_never_allows_more(drawn: list[Drawn], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(drawn) - 1))
    lost = data.draw(st.sampled_from([{"truth": None}, {"excluded": None}, {"used": None}]))
    poorer = [dataclasses.replace(one, **lost) if index == place else one for index, one in enumerate(drawn)]
    before, after = _asked(drawn, []).decide(), _asked(poorer, []).decide()
    if isinstance(after, Accepted):
        assert isinstance(before, Accepted)
