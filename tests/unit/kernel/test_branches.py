"""Goal: of branches that share a name the guards choose one, by priority, and what is unknown chooses none."""

import dataclasses
import itertools

import pytest
from machines import FALSE, TRUE, UNKNOWN, at_most, clause, fact, machine, setup, transition
from setups import NOW, Setup

from edca.kernel.candidate import Candidate
from edca.kernel.expression import Expression, ReadArgument
from edca.kernel.inputs import Address, address
from edca.kernel.machine import ClauseKind, Machine
from edca.kernel.roster import Mandate, Roster
from edca.kernel.values import TIME_MAX, Unknown
from edca.kernel.verdict import Accepted, Refused, Stage

TRUTHS: dict[str, Expression | None] = {"true": TRUE, "false": FALSE, "unknown": UNKNOWN, "none": None}


def _branches(first: Expression | None, second: Expression | None) -> Machine:
    return machine(
        transition("go.first", guard=first, priority=2, target="done"),
        transition("go.second", guard=second, priority=1, target="gone"),
    )


@pytest.mark.parametrize(("first", "second"), list(itertools.product(TRUTHS, TRUTHS)))
def test_the_first_true_guard_chooses_and_an_unknown_one_before_it_stops(first: str, second: str) -> None:
    verdict = setup(_branches(TRUTHS[first], TRUTHS[second])).decide()
    if first in ("true", "none"):
        assert isinstance(verdict, Accepted)
        assert (verdict.transition, verdict.target) == ("go.first", "done")
    elif first == "false" and second in ("true", "none"):
        assert isinstance(verdict, Accepted)
        assert (verdict.transition, verdict.target) == ("go.second", "gone")
    else:
        assert isinstance(verdict, Refused)
        assert (verdict.stage, verdict.transition, verdict.clauses) == (Stage.NO_BRANCH, "go", ())


def test_branches_are_tried_by_falling_priority_then_by_id() -> None:
    made = machine(
        transition("go.a", priority=1),
        transition("go.b", priority=3),
        transition("go.c", priority=3),
        transition("stop"),
    )
    assert [branch.name for branch in made.index.offered["go"]] == ["go.b", "go.c", "go.a"]
    assert setup(made).decide().transition == "go.b"


def test_only_branches_that_start_in_the_cases_state_are_tried() -> None:
    made = machine(transition("go.here", sources=("stuck",), priority=1), transition("go.there", sources=("open",)))
    assert setup(made).decide().transition == "go.there"
    assert setup(made, state="stuck").decide().transition == "go.here"
    verdict = setup(made, state="late").decide()
    assert isinstance(verdict, Refused)
    assert (verdict.stage, verdict.transition) == (Stage.NO_SUCH_TRANSITION, "go")


def test_a_candidate_does_not_choose_its_branch_by_naming_it() -> None:
    verdict = setup(_branches(FALSE, TRUE), offered="go.first").decide()
    assert isinstance(verdict, Refused)
    assert verdict.stage is Stage.NO_SUCH_TRANSITION


@pytest.mark.parametrize("amount", [6, 7, 8])
def test_guards_read_arguments_and_facts(amount: int) -> None:
    made = machine(
        transition("go.small", guard=at_most(ReadArgument("amount"), 7), priority=1),
        transition("go.large", guard=fact("flag"), target="gone"),
    )
    verdict = setup(made, flag=True).with_arguments(amount=amount).decide()
    assert verdict.transition == ("go.small" if amount <= 7 else "go.large")


def test_a_role_that_no_branch_allows_stops_early_and_one_that_the_chosen_lacks_stops_late() -> None:
    made = machine(
        transition("go.first", guard=fact("flag"), priority=1, by=("supervisor",)),
        transition("go.second", by=("clerk",)),
    )
    assert isinstance(setup(made).decide(), Accepted)
    late = setup(made, flag=True).decide()
    assert isinstance(late, Refused)
    assert (late.stage, late.transition) == (Stage.WRONG_ROLE, "go.first")
    early = setup(made).with_candidate(proposer="carla", role="customer").with_case(state="late").decide()
    assert isinstance(early, Refused)
    assert (early.stage, early.transition) == (Stage.WRONG_ROLE, "go")


def test_refusals_after_the_choice_name_the_branch() -> None:
    made = machine(transition("go.only", clause("no", condition=FALSE), guard=TRUE))
    verdict = setup(made).decide()
    assert (verdict.transition, [item.code for item in verdict.clauses]) == ("go.only", ["no"])
    waiting = setup(machine(transition("go.only", guard=TRUE, after_us=1))).with_case(entered=NOW).decide()
    assert isinstance(waiting, Refused)
    assert (waiting.stage, waiting.transition) == (Stage.TOO_EARLY, "go.only")


def _bare(made: Setup) -> Setup:
    return made.with_inputs(facts={})


def test_what_guards_read_is_wanted_before_a_branch_is_chosen() -> None:
    made = setup(machine(transition("go.a", guard=fact("flag"), priority=1), transition("go.b", guard=fact("other"))))
    bare = _bare(made)
    verdict = bare.decide()
    assert isinstance(verdict, Refused)
    assert verdict.stage is Stage.NO_BRANCH
    assert [handle for handle, _ in bare.wanted()] == [("order", ("o1",))]
    assert made.wanted() == ()


def test_one_reading_serves_every_branch() -> None:
    first = transition("go.a", guard=fact("flag"), priority=1, evidence=())
    second = transition("go.b", clause("c", condition=fact("other")))
    wanted = _bare(setup(machine(first, second))).wanted()
    assert wanted == ((("order", ("o1",)), tuple(sorted(("flag", "other", "total", "owner", "watchers")))),)


def test_an_unknown_lower_guard_does_not_matter_once_a_higher_one_is_true() -> None:
    made = machine(transition("go.a", guard=fact("flag"), priority=1), transition("go.b", guard=fact("other")))
    assert isinstance(setup(made, flag=True, other=Unknown.STALE).decide(), Accepted)
    assert isinstance(setup(made, flag=Unknown.STALE, other=True).decide(), Refused)


@pytest.mark.parametrize(("named", "answers"), [("go", True), ("go.only", True), ("go.else", False), ("stop", False)])
def test_a_mandate_names_a_transition_with_all_its_branches_or_one_branch(named: str, answers: bool) -> None:
    made = setup(machine(transition("go.only", guard=TRUE)))
    mandate = Mandate("m", "sven", "supervisor", "orders", (named,), 0, TIME_MAX)
    verdict = made.with_inputs(roster=Roster(made.inputs.roster.principals, (mandate,))).decide()
    assert isinstance(verdict, Accepted) is answers
    assert isinstance(verdict, Accepted) or verdict.code == "no_anchor"


def test_the_clauses_of_the_chosen_branch_alone_decide() -> None:
    made = machine(
        transition("go.a", clause("a", condition=FALSE), guard=fact("flag"), priority=1),
        transition("go.b", clause("b", ClauseKind.FORBID, FALSE)),
    )
    assert [item.code for item in setup(made).decide().clauses] == ["b"]
    assert [item.code for item in setup(made, flag=True).decide().clauses] == ["a"]


def test_a_candidate_is_about_what_its_branches_are_about() -> None:
    made = setup(machine(transition("make.one", creates=True, key=(), guard=TRUE)), offered="make")
    assert isinstance(made.candidate, Candidate)
    assert address(made.machine, made.candidate) == Address("order", None, True)
    unknown = dataclasses.replace(made.candidate, transition="make.one")
    assert address(made.machine, unknown) == Address("order", ("o1",), False)
