"""Goal: an accepted transition moves state, memory, revision, time in the state and who acted, and nothing else."""

import dataclasses

import pytest
from machines import FALSE, TRUE, act, add, answered, clause, machine, setup, transition
from setups import NOW, Setup

from edca.kernel.candidate import Candidate
from edca.kernel.expression import (
    Compare,
    Comparison,
    Constant,
    Contains,
    Expression,
    History,
    Input,
    Negation,
    ReadHistory,
    ReadInput,
)
from edca.kernel.inputs import Case
from edca.kernel.machine import ClauseKind, Edge, Timeout
from edca.kernel.movement import arrived, begun, completed, failed, timed_out
from edca.kernel.values import Unknown
from edca.kernel.verdict import Accepted, Refused

LATER = NOW + 5
SIGNED = clause("twice", ClauseKind.SIGN, count=2)
MOVING = machine(
    transition(
        "go.a", SIGNED, clause("agreed", ClauseKind.CONFIRM, FALSE), assignments=(add("promised", Constant(3)),)
    ),
    transition("again", target="open"),
    transition(
        "send",
        SIGNED,
        acts=(act(),),
        on_failed=Edge("stuck", "Stuck."),
        on_timeout=Timeout(1, "late", "Late."),
        assignments=(add("promised", Constant(3)),),
    ),
    transition("bare", acts=(act(),)),
    transition("make", acts=(act(),), creates=True, on_timeout=Timeout(1, "late", "Late.")),
)


def _accepted(offered: str) -> tuple[Case, Candidate, Accepted]:
    made = answered(setup(MOVING, offered=offered), "twice", "sia", "sam").with_case(
        entered=5, proposers={"draft": "carla"}
    )
    verdict = made.decide()
    assert isinstance(verdict, Accepted)
    assert made.case is not None
    assert isinstance(made.candidate, Candidate)
    return made.case, made.candidate, verdict


def test_what_is_completed_stands_in_the_target_since_then() -> None:
    case, candidate, verdict = _accepted("go")
    assert completed(MOVING, case, candidate, verdict, LATER) == dataclasses.replace(
        case,
        state="done",
        memory={"promised": 3},
        revision=case.revision + 1,
        entered=LATER,
        proposers={"draft": "carla", "go": "cleo"},
        signers={"twice": ("sam", "sia"), "agreed": ()},
    )


def test_a_transition_back_into_its_state_does_not_begin_the_time_anew() -> None:
    case, candidate, verdict = _accepted("again")
    after = completed(MOVING, case, candidate, verdict, LATER)
    assert (after.state, after.entered, after.revision) == ("open", 5, case.revision + 1)


def test_while_effects_are_under_way_only_who_acted_is_noted() -> None:
    case, candidate, verdict = _accepted("send")
    assert begun(case, candidate, verdict) == dataclasses.replace(
        case, proposers={"draft": "carla", "send": "cleo"}, signers={"twice": ("sam", "sia")}
    )


@pytest.mark.parametrize(("move", "target"), [(failed, "stuck"), (timed_out, "late")])
def test_a_failure_takes_its_edge_with_memory_as_it_was(move: object, target: str) -> None:
    case, candidate, verdict = _accepted("send")
    after = move(MOVING, case, candidate, verdict, LATER)  # type: ignore[operator]
    assert after == arrived(begun(case, candidate, verdict), target, LATER)
    assert (after.state, after.memory, after.entered) == (target, case.memory, LATER)


@pytest.mark.parametrize("move", [failed, timed_out])
def test_without_an_edge_a_failure_leaves_the_case_where_it_was(move: object) -> None:
    case, candidate, verdict = _accepted("bare")
    pending = dataclasses.replace(case, pending=b"x" * 32)
    assert move(MOVING, pending, candidate, verdict, LATER) == begun(case, candidate, verdict)  # type: ignore[operator]


def test_a_creation_that_fails_leaves_no_case() -> None:
    case, candidate, verdict = _accepted("make")
    assert failed(MOVING, case, candidate, verdict, LATER) is None


def test_a_creation_that_times_out_may_have_happened_so_its_case_is_there() -> None:
    case, candidate, verdict = _accepted("make")
    after = timed_out(MOVING, case, candidate, verdict, LATER)
    timeout = MOVING.index.transitions["make"].on_timeout
    assert after is not None
    assert timeout is not None
    assert after == arrived(begun(case, candidate, verdict), timeout.target, LATER)


def test_moving_twice_over_one_acceptance_notes_it_once() -> None:
    case, candidate, verdict = _accepted("send")
    noted = begun(case, candidate, verdict)
    assert completed(MOVING, noted, candidate, verdict, LATER) == completed(MOVING, case, candidate, verdict, LATER)


# --- reading history ---


def _reading(condition: Expression) -> Setup:
    return setup(machine(transition("go", clause("c", condition=condition))))


OTHER = Compare(Comparison.UNEQUAL, ReadInput(Input.PROPOSER), ReadHistory(History.PROPOSER, "draft"))
NOT_SIGNED = Negation(Contains(ReadInput(Input.PROPOSER), ReadHistory(History.SIGNERS, "once")))


def test_who_proposed_is_unknown_before_it_happened() -> None:
    verdict = _reading(OTHER).decide()
    assert isinstance(verdict, Refused)
    assert verdict.clauses[0].reason is Unknown.MISSING
    assert [(item.name, item.value) for item in verdict.clauses[0].readings] == [
        ("proposer", "cleo"),
        ("proposer of draft", "unknown (fact_missing)"),
    ]


@pytest.mark.parametrize(("who", "passes"), [("carla", True), ("cleo", False)])
def test_two_steps_can_be_kept_in_different_hands(who: str, passes: bool) -> None:
    verdict = _reading(OTHER).with_case(proposers={"draft": who}).decide()
    assert isinstance(verdict, Accepted if passes else Refused)


@pytest.mark.parametrize(("who", "passes"), [((), True), (("sam",), True), (("cleo", "sam"), False)])
def test_signers_are_a_list(who: tuple[str, ...], passes: bool) -> None:
    verdict = _reading(NOT_SIGNED).with_case(signers={"once": who}).decide()
    assert isinstance(verdict, Accepted if passes else Refused)
    if isinstance(verdict, Refused):
        assert [item.value for item in verdict.clauses[0].readings] == ["cleo", '["cleo", "sam"]']


def test_this_acceptance_is_not_yet_history() -> None:
    own = Compare(Comparison.EQUAL, ReadInput(Input.PROPOSER), ReadHistory(History.PROPOSER, "go"))
    assert isinstance(_reading(own).decide(), Refused)
    assert isinstance(_reading(own).with_case(proposers={"go": "cleo"}).decide(), Accepted)


def test_who_answered_stands_in_the_record() -> None:
    _, _, verdict = _accepted("go")
    assert verdict.to_raw()["clauses"][0]["answered_by"] == ["sam", "sia"]  # type: ignore[index, call-overload]
    assert isinstance(setup(machine(transition("go", clause("c", condition=TRUE)))).decide(), Accepted)
