"""Goal: the early stages stop alone, in their order, each before any clause is looked at."""

import dataclasses
import itertools
from collections.abc import Callable
from functools import cache

import pytest
import worlds
from worlds import ORDER, Setup

from edca.kernel.candidate import Malformed
from edca.kernel.expression import Compare, Comparison, Constant, Input, ReadInput
from edca.kernel.machine import Machine, Mode, Transition
from edca.kernel.roster import Principal, Roster
from edca.kernel.values import Unknown
from edca.kernel.verdict import Accepted, Refused, Stage


def _case_is_drifted(setup: Setup) -> Setup:
    if ORDER not in setup.inputs.facts:
        return setup
    order = setup.inputs.facts[ORDER]
    states = tuple(state.name for state in setup.machine.states)
    return setup.with_instance(dataclasses.replace(order, state="declined", mapped=states))


def _on_candidate(change: Callable[[Setup], Setup]) -> Callable[[Setup], Setup]:
    return lambda setup: setup if isinstance(setup.candidate, Malformed) else change(setup)


def _on_case(change: Callable[[Setup], Setup]) -> Callable[[Setup], Setup]:
    return lambda setup: setup if setup.case is None else change(setup)


def _no_anchor(setup: Setup) -> Setup:
    roster = setup.inputs.roster
    return setup.with_inputs(roster=Roster(roster.principals, ()))


def _unpinned(setup: Setup) -> Setup:
    return setup.with_candidate(model="another-model")


MALFORMED = Malformed("not one JSON value", 3, b"x" * 32, "bot", "assistant", "carla", None)

CALM = Mode("calm", "Calm.", ("pay",), (), ("supervisor",), (), ("supervisor",))
GUARD = Compare(Comparison.EQUAL, ReadInput(Input.SUBJECT), Constant("carla"))


def _guarded(transition: Transition) -> Transition:
    first = transition.name == "approve_refund"
    return dataclasses.replace(transition, guard=GUARD, after_us=1) if first else transition


@cache
def _machine() -> Machine:
    """The refund machine with a mode besides, and a first transition that waits and has a guard."""
    machine = worlds.spec("refund")
    return dataclasses.replace(machine, modes=(CALM,), transitions=tuple(map(_guarded, machine.transitions)))


def _approval() -> Setup:
    return dataclasses.replace(worlds.approval(), machine=_machine()).with_case(machine=_machine().digest)


# Each breaks one stage, in the order of the stages, and leaves the others as they were.
# Those of a candidate: only what is asked can name no query.
STAGES = [stage for stage in Stage if stage is not Stage.NO_SUCH_QUERY]

BREAKS: dict[Stage, Callable[[Setup], Setup]] = {
    Stage.MALFORMED: lambda setup: dataclasses.replace(setup, candidate=MALFORMED),
    Stage.UNKNOWN_CASE: lambda setup: dataclasses.replace(setup, case=None),
    Stage.WRONG_MACHINE: _on_case(lambda setup: setup.with_case(machine=b"x" * 32)),
    Stage.UNKNOWN_PROPOSER: _on_candidate(lambda setup: setup.with_candidate(proposer="nobody")),
    Stage.WRONG_ROLE: _on_candidate(lambda setup: setup.with_candidate(role="customer")),
    Stage.MODEL_MISMATCH: _on_candidate(_unpinned),
    Stage.DUPLICATE: lambda setup: setup.with_inputs(key_used_by=b"x" * 32),
    Stage.HALTED: lambda setup: setup.with_inputs(mode="halted"),
    Stage.MODE: lambda setup: setup.with_inputs(mode="calm" if setup.inputs.mode == "normal" else setup.inputs.mode),
    Stage.CLOCK_WENT_BACK: _on_case(lambda setup: setup.with_case(touched=setup.inputs.now + 1)),
    Stage.STALE_REVISION: _on_candidate(lambda setup: setup.with_candidate(revision=2)),
    Stage.EFFECT_PENDING: _on_case(lambda setup: setup.with_case(pending=b"x" * 32)),
    Stage.STATE_DRIFT: _case_is_drifted,
    Stage.NO_SUCH_TRANSITION: _on_case(lambda setup: setup.with_case(state="paid")),
    Stage.BAD_ARGUMENT: _on_candidate(lambda setup: setup.with_arguments(amount="a lot")),
    Stage.NO_BRANCH: _on_candidate(lambda setup: setup.with_candidate(subject=None)),
    Stage.TOO_EARLY: _on_case(lambda setup: setup.with_case(entered=setup.inputs.now)),
    Stage.NO_ANCHOR: _no_anchor,
}


def test_every_stage_is_broken_below_in_the_order_of_the_stages() -> None:
    assert list(BREAKS) == STAGES


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_stops_alone(stage: Stage) -> None:
    setup = _approval()
    assert isinstance(setup.decide(), Accepted)
    broken = BREAKS[stage](setup)
    verdict = broken.decide()
    assert isinstance(verdict, Refused)
    assert (verdict.stage, verdict.code, verdict.clauses, verdict.anchor) == (stage, stage.value, (), None)
    assert verdict.detail
    assert broken.wanted() == ()


@pytest.mark.parametrize(("earlier", "later"), list(itertools.combinations(STAGES, 2)), ids=lambda stage: stage.value)
def test_of_two_the_earlier_stops(earlier: Stage, later: Stage) -> None:
    for order in ((earlier, later), (later, earlier)):
        setup = _approval()
        for stage in order:
            setup = BREAKS[stage](setup)
        verdict = setup.decide()
        assert isinstance(verdict, Refused)
        assert verdict.stage is earlier


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_stops_before_failing_clauses(stage: Stage) -> None:
    poor = _approval().with_fact(ORDER, "total", 0).with_fact(ORDER, "frozen", True)
    verdict = BREAKS[stage](poor).decide()
    assert isinstance(verdict, Refused)
    assert verdict.stage is stage


# --- each stage's edges ---


@pytest.mark.parametrize(("revision", "accepted"), [(None, True), (3, True), (2, False), (4, False), (0, False)])
def test_a_revision_must_be_the_cases_own(revision: int | None, accepted: bool) -> None:
    assert isinstance(worlds.approval().with_candidate(revision=revision).decide(), Accepted) is accepted


def test_a_clock_that_stands_still_does_not_go_back() -> None:
    setup = worlds.approval()
    assert isinstance(setup.with_case(touched=setup.inputs.now).decide(), Accepted)


@pytest.mark.parametrize(
    ("state", "mapped", "stage"),
    [
        (None, (), None),
        ("requested", ("requested", "approved"), None),
        ("approved", ("requested", "approved"), Stage.STATE_DRIFT),
        (Unknown.DRIFT, ("requested",), Stage.STATE_DRIFT),
        (None, ("requested",), Stage.STATE_DRIFT),
        ("approved", ("approved",), None),  # the source has no code for the ledger's state: they can't disagree
    ],
)
def test_the_ledgers_state_and_the_sources(
    state: str | Unknown | None, mapped: tuple[str, ...], stage: Stage | None
) -> None:
    setup = worlds.approval()
    order = dataclasses.replace(setup.inputs.facts[ORDER], state=state, mapped=mapped)
    verdict = setup.with_instance(order).decide()
    assert (verdict.stage if isinstance(verdict, Refused) else None) is stage


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"amount": "20.001"}, "amount"),
        ({"amount": "-0.01"}, "amount"),
        ({"amount": "100000.01"}, "amount"),
        ({"amount": None}, "amount"),
        ({"order_id": ""}, "order_id"),
        ({"picks": []}, "picks"),
        ({"picks": [{"sku": "a1"}]}, "picks[0].count"),
        ({"picks": [{"sku": "a1", "count": 0}]}, "picks[0].count"),
        ({"picks": [{"sku": "a1", "count": 1, "price": 1}]}, "picks[0].price"),
        ({"picks": [{"sku": "a1", "count": 1}] * 51}, "picks"),
        ({"note": "hello"}, "note"),
    ],
)
def test_arguments_are_exactly_of_their_types(arguments: dict[str, object], problem: str) -> None:
    verdict = worlds.approval().with_arguments(**arguments).decide()
    assert isinstance(verdict, Refused)
    assert verdict.stage is Stage.BAD_ARGUMENT
    assert verdict.detail.startswith(f"{problem}: ")


def test_a_missing_argument_is_bad() -> None:
    setup = worlds.approval().with_candidate(arguments={"order_id": "o1", "amount": "20.00"})
    verdict = setup.decide()
    assert isinstance(verdict, Refused)
    assert (verdict.stage, verdict.detail.partition(":")[0]) == (Stage.BAD_ARGUMENT, "picks")


@pytest.mark.parametrize("role", ["customer", "supervisor", "clock", "nobody"])
def test_a_role_must_be_held_and_may_propose(role: str) -> None:
    verdict = worlds.approval().with_candidate(role=role).decide()
    assert isinstance(verdict, Refused)
    assert verdict.stage is Stage.WRONG_ROLE


def test_a_person_holds_no_models_role() -> None:
    setup = worlds.approval()
    people = Roster((Principal("bot", ("assistant",), None),), setup.inputs.roster.mandates)
    verdict = setup.with_inputs(roster=people).with_candidate(model=None).decide()
    assert isinstance(verdict, Refused)
    assert verdict.stage is Stage.WRONG_ROLE
