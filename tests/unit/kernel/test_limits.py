"""Goal: a limit lets through up to and with its bound, counts per key, and refuses where anything is unknown."""

import dataclasses

import pytest
from machines import COUNT, FALSE, HOUR, PROMISED, TEN, TRUE, UNKNOWN, clause, fact, limit, machine, setup, transition
from setups import Setup

from edca.kernel.decide import counters_wanted
from edca.kernel.expression import Expression, Input, ReadArgument, ReadInput, ReadLet
from edca.kernel.inputs import CounterKey
from edca.kernel.machine import ClauseKind, Let, OnFail, Window, WindowKind
from edca.kernel.types import IntType, PrincipalType, ReferenceType
from edca.kernel.values import Unknown, Value
from edca.kernel.verdict import Accepted, ClauseResult, Escalated, Move, Refused, Result

PROPOSER, CASE = ReadInput(Input.PROPOSER), ReadInput(Input.CASE)
AMOUNT = ReadArgument("amount")
ROLLING = Window(WindowKind.ROLLING, HOUR)
DAILY = Window(WindowKind.UTC, 24 * HOUR)


def _limited(condition: Expression = TRUE, bound: Expression = TEN, **changes: object) -> Setup:
    return setup(machine(transition("go", limit("pace", bound, condition, **changes))))


def _used(made: Setup, used: int, *key: Value) -> Setup:
    return made.with_inputs(used={**made.inputs.used, ("go", "pace", key): used})


def _result(made: Setup) -> ClauseResult:
    return made.decide().clauses[0]


# --- the bound ---


@pytest.mark.parametrize(("used", "passes"), [(0, True), (8, True), (9, True), (10, False), (11, False)])
def test_candidates_pass_up_to_and_with_the_bound(used: int, passes: bool) -> None:
    verdict = _used(_limited(), used).decide()
    if passes:
        assert isinstance(verdict, Accepted)
        assert verdict.moves == (Move("pace", (), used, 1, 10),)
    else:
        assert isinstance(verdict, Refused)
        assert (verdict.code, verdict.clauses[0].result) == ("pace", Result.FAILED)


@pytest.mark.parametrize(("used", "amount", "passes"), [(3, 7, True), (4, 7, False), (3, 8, False), (10, 0, True)])
def test_a_sum_counts_what_the_candidate_would_add(used: int, amount: int, passes: bool) -> None:
    verdict = _used(_limited(measure=AMOUNT), used).with_arguments(amount=amount).decide()
    assert isinstance(verdict, Accepted if passes else Refused)
    assert not isinstance(verdict, Accepted) or verdict.moves == (Move("pace", (), used, amount, 10),)


def test_measure_and_bound_may_be_facts_and_memory() -> None:
    made = _used(_limited(bound=PROMISED, measure=fact("total")), 5)
    assert isinstance(made.with_case(memory={"promised": 10}).decide(), Accepted)
    assert isinstance(made.with_case(memory={"promised": 9}).decide(), Refused)


def test_the_numbers_stand_beside_a_limit_that_refuses() -> None:
    readings = _result(_used(_limited(measure=AMOUNT), 4)).readings
    assert [(item.name, item.value) for item in readings] == [
        ("amount", "7"),
        ("counted so far", "4"),
        ("would be added", "7"),
        ("at most", "10"),
    ]


def test_nobody_can_be_asked_to_lift_a_limit() -> None:
    lifted = dataclasses.replace(limit("pace"), on_fail=OnFail.ESCALATE, role="supervisor")
    made = setup(machine(transition("go", lifted)))
    assert isinstance(_used(made, 10).decide(), Refused)
    assert isinstance(made.decide(), Refused)


# --- unknown ---


def test_a_counter_that_nobody_has_read_refuses() -> None:
    result = _result(_limited())
    assert (result.result, result.reason) == (Result.UNKNOWN, Unknown.UNCOUNTED)


@pytest.mark.parametrize(
    "unknown",
    [
        _limited(measure=UNKNOWN),
        _limited(bound=UNKNOWN),
        _limited(keys=(UNKNOWN,), key_types=(PrincipalType(""),)),
        _limited(keys=(PROPOSER, UNKNOWN), key_types=(PrincipalType(""), PrincipalType(""))),
    ],
    ids=["measure", "bound", "key", "second key"],
)
def test_whatever_is_unknown_about_a_limit_refuses(unknown: Setup) -> None:
    result = _result(_used(_used(unknown, 0), 0, "cleo"))
    assert (result.result, result.reason) == (Result.UNKNOWN, Unknown.UNATTESTED)
    assert isinstance(unknown.decide(), Refused)


# --- when ---


def test_a_limit_that_does_not_apply_counts_nothing() -> None:
    verdict = _limited(FALSE).decide()
    assert isinstance(verdict, Accepted)
    assert (verdict.moves, verdict.clauses[0].result) == ((), Result.PASSED)
    assert isinstance(_used(_limited(FALSE), 11).decide(), Accepted)


def test_a_limit_applies_while_it_is_unknown_whether_it_does() -> None:
    within = _used(_limited(UNKNOWN), 9).decide()
    assert isinstance(within, Accepted)
    assert within.moves == (Move("pace", (), 9, 1, 10),)
    over = _result(_used(_limited(UNKNOWN), 10))
    assert (over.result, over.reason) == (Result.UNKNOWN, Unknown.UNATTESTED)


# --- keys ---


def test_each_key_has_its_own_counter() -> None:
    per_proposer = _limited(keys=(PROPOSER,), key_types=(PrincipalType(""),))
    made = _used(_used(per_proposer, 10, "cleo"), 0, "sam")
    assert isinstance(made.decide(), Refused)
    other = made.with_candidate(proposer="sam", role="supervisor").decide()
    assert isinstance(other, Accepted)
    assert other.moves == (Move("pace", ("sam",), 0, 1, 10),)
    assert _result(made.with_candidate(proposer="sue", role="supervisor")).reason is Unknown.UNCOUNTED


def test_keys_stand_in_moves_in_raw_form() -> None:
    made = _limited(keys=(CASE, fact("total")), key_types=(ReferenceType("order"), IntType(0, 100)))
    verdict = _used(made, 1, ("o1",), 5).decide()
    assert isinstance(verdict, Accepted)
    assert verdict.moves == (Move("pace", (["o1"], 5), 1, 1, 10),)
    assert verdict.to_raw()["moves"] == [{"code": "pace", "key": [["o1"], 5], "used": 1, "amount": 1, "bound": 10}]


def test_a_counter_belongs_to_one_branch_and_one_limit() -> None:
    made = _limited()
    for counter in (("other", "pace", ()), ("go", "other", ()), ("go", "pace", ("cleo",))):
        assert _result(made.with_inputs(used={counter: 0})).reason is Unknown.UNCOUNTED


# --- moves ---


def test_an_escalation_carries_the_moves_that_an_acceptance_would() -> None:
    made = setup(
        machine(transition("go", limit("pace"), clause("agreed", ClauseKind.CONFIRM), limit("off", TEN, FALSE)))
    )
    verdict = _used(made, 2).decide()
    assert isinstance(verdict, Escalated)
    assert verdict.moves == (Move("pace", (), 2, 1, 10),)


# --- which counters ---


def _wanted(made: Setup) -> tuple[tuple[CounterKey, Window], ...]:
    return counters_wanted(made.machine, made.case, made.candidate, made.inputs)


def test_the_counters_to_read_are_those_of_the_limits_that_may_apply() -> None:
    made = setup(
        machine(
            transition(
                "go.it",
                limit("pace", keys=(ReadLet("who"),), key_types=(PrincipalType(""),)),
                limit("daily", condition=UNKNOWN, window=DAILY, type=COUNT),
                limit("off", condition=FALSE),
                limit("lost", keys=(UNKNOWN,), key_types=(PrincipalType(""),)),
                clause("agreed", ClauseKind.CONFIRM),
                guard=TRUE,
                lets=(Let("who", PROPOSER),),
            )
        )
    )
    assert _wanted(made) == ((("go", "pace", ("cleo",)), ROLLING), (("go", "daily", ()), DAILY))
    assert _wanted(made.with_case(state="late")) == ()


def test_what_was_asked_for_is_what_decides() -> None:
    made = _limited(keys=(fact("owner"),), key_types=(PrincipalType("customer"),))
    (((*_, key), _),) = _wanted(made)
    assert key == ("carla",)
    assert isinstance(made.with_inputs(used={_wanted(made)[0][0]: 9}).decide(), Accepted)


def test_what_a_limit_reads_is_gathered() -> None:
    for part in ({"measure": fact("total")}, {"keys": (fact("owner"),), "key_types": (PrincipalType("customer"),)}):
        made = _limited(**part)
        assert made.with_inputs(facts={}).wanted() != ()
        assert made.wanted() == ()
