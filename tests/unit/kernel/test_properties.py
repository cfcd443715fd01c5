"""Goal: every property is tested on what would come about, and what isn't known to keep it is refused."""

import pytest
from machines import FALSE, PROMISED, TRUE, act, add, answered, at_most, clause, fact, machine, never, setup, transition
from setups import Setup

from edca.kernel.expression import (
    Compare,
    Comparison,
    Constant,
    Expression,
    History,
    Negation,
    ReadArgument,
    ReadFact,
    ReadHistory,
    ReadInput,
)
from edca.kernel.expression import Input as NamedInput
from edca.kernel.machine import ClauseKind, Edge, Never, OnFail, Timeout, Transition
from edca.kernel.values import Unknown
from edca.kernel.verdict import Accepted, Escalated, Refused

OVER = Negation(at_most(PROMISED, 10))
FLAG = fact("flag")


def _kept(*properties: Never, moving: Transition | None = None, **facts: object) -> Setup:
    moving = moving or transition("go")
    made = machine(moving, properties=tuple(sorted(properties, key=lambda item: item.code)))
    return setup(made, **facts)  # type: ignore[arg-type]


def _violated(made: Setup) -> str | None:
    verdict = made.decide()
    if isinstance(verdict, Refused):
        assert (verdict.code, verdict.stage, verdict.anchor is None) == ("property_violated", None, False)
        return verdict.detail
    assert isinstance(verdict, Accepted)
    return None


@pytest.mark.parametrize(
    ("flag", "kept"), [(False, True), (True, False), (Unknown.STALE, False), (Unknown.MISSING, False)]
)
def test_only_a_property_known_to_be_kept_lets_through(flag: bool | Unknown, kept: bool) -> None:
    assert _violated(_kept(never("p", FLAG, "done"), flag=flag)) == (None if kept else "p")


def test_a_property_of_other_states_or_another_entity_says_nothing() -> None:
    assert _violated(_kept(never("p", TRUE, "gone", "open", "stuck"))) is None
    assert _violated(_kept(Never("p", "p.", "line", ("done",), TRUE))) is None


@pytest.mark.parametrize(("amount", "kept"), [(10, True), (11, False)])
def test_memory_is_what_the_transition_sets(amount: int, kept: bool) -> None:
    moving = transition("go", assignments=(add("promised", ReadArgument("amount")),))
    made = _kept(never("p", OVER, "done"), moving=moving).with_arguments(amount=amount)
    assert _violated(made.with_case(memory={"promised": 99})) == (None if kept else "p")


@pytest.mark.parametrize("edges", [
    {"on_failed": Edge("stuck", "Stuck.")},
    {"on_timeout": Timeout(1, "stuck", "Stuck.")},
    {"on_failed": Edge("stuck", "Stuck."), "on_timeout": Timeout(1, "late", "Late.")},
])  # fmt: skip
@pytest.mark.parametrize(("promised", "kept"), [(10, True), (11, False)])
def test_where_effects_may_fail_memory_is_what_it_was(edges: dict[str, object], promised: int, kept: bool) -> None:
    moving = transition("go", assignments=(add("promised", Constant(99)),), acts=(act(),), **edges)
    made = _kept(never("p", OVER, "stuck", "late"), moving=moving).with_case(memory={"promised": promised})
    assert _violated(made) == (None if kept else "p")


def test_edges_of_a_transition_without_effects_are_never_taken() -> None:
    moving = transition("go", on_failed=Edge("stuck", "Stuck."))
    assert _violated(_kept(never("p", TRUE, "stuck"), moving=moving)) is None


def test_history_is_as_the_acceptance_leaves_it() -> None:
    proposer = ReadHistory(History.PROPOSER, "go")
    by_draft = ReadHistory(History.PROPOSER, "draft")
    made = _kept(never("p", Compare(Comparison.EQUAL, proposer, by_draft), "done"))
    assert _violated(made.with_case(proposers={"draft": "carla", "go": "carla"})) is None
    assert _violated(made.with_case(proposers={"draft": "cleo"})) == "p"
    assert _violated(made.with_case(proposers={"draft": "cleo", "go": "carla"})) == "p"  # not whoever did it before
    assert _violated(made) == "p"  # nobody has drafted, so it isn't known


def test_signers_are_those_of_this_acceptance() -> None:
    signed = Compare(Comparison.EQUAL, ReadHistory(History.SIGNERS, "twice"), Constant(("sam",)))
    moving = transition("go", clause("twice", ClauseKind.SIGN))
    made = _kept(never("p", signed, "done"), moving=moving).with_case(signers={"twice": ("sia",)})
    assert _violated(answered(made, "twice", "sam")) == "p"
    assert _violated(answered(made, "twice", "sue")) is None


def test_now_is_the_decisions() -> None:
    made = _kept(never("p", Compare(Comparison.GREATER, ReadInput(NamedInput.NOW), Constant(5)), "done"))
    assert _violated(made) == "p"


def test_the_first_violated_property_by_code_is_named() -> None:
    assert _violated(_kept(never("b", TRUE, "done"), never("a", FLAG, "done"), flag=Unknown.STALE)) == "a"


@pytest.mark.parametrize(("condition", "outcome"), [(TRUE, Refused), (FALSE, Escalated), (fact("other"), Escalated)])
def test_nobody_is_asked_to_approve_a_definite_violation(condition: Expression, outcome: type) -> None:
    moving = transition("go", clause("agreed", ClauseKind.CONFIRM))
    made = _kept(never("p", condition, "done"), moving=moving, other=Unknown.STALE)
    verdict = made.decide()
    assert isinstance(verdict, outcome)
    assert isinstance(verdict, Escalated) or verdict.code == "property_violated"


def test_an_unknown_property_is_refused_once_people_have_answered() -> None:
    moving = transition("go", clause("agreed", ClauseKind.CONFIRM))
    made = _kept(never("p", FLAG, "done"), moving=moving, flag=Unknown.STALE)
    assert isinstance(made.decide(), Escalated)
    assert _violated(answered(made, "agreed", "sam")) == "p"


def test_a_definite_violation_is_named_before_one_that_is_unknown_while_people_are_asked() -> None:
    moving = transition("go", clause("wide", condition=FALSE, on_fail=OnFail.ESCALATE, role="supervisor"))
    made = _kept(never("a", FLAG, "done"), never("b", TRUE, "done"), moving=moving, flag=Unknown.STALE)
    verdict = made.decide()
    assert isinstance(verdict, Refused)
    assert verdict.detail == "b"


def test_a_clause_that_refuses_is_named_before_a_property() -> None:
    verdict = _kept(never("p", TRUE, "done"), moving=transition("go", clause("c", condition=FALSE))).decide()
    assert verdict.code == "c"  # type: ignore[union-attr]


def test_what_a_property_reads_is_gathered() -> None:
    made = _kept(never("p", FLAG, "done"))
    assert made.with_inputs(facts={}).wanted() != ()
    assert made.wanted() == ()
    other = ReadFact(Constant(("o2",)), "order", "flag")
    assert [handle for handle, _ in _kept(never("p", other, "done")).wanted()] == [("order", ("o2",))]
