"""Goal: so many different people must say yes in time, none of them the proposer or excluded; one no refuses."""

import pytest
from machines import FALSE, TRUE, UNKNOWN, answered, clause, fact, machine, setup, transition
from setups import NOW, Setup, said, shown

from edca.kernel.expression import Expression, History, Input, ReadHistory, ReadInput
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.roster import Principal, Roster
from edca.kernel.values import Unknown
from edca.kernel.verdict import Accepted, ClauseResult, Escalated, Need, Refused, Result

MINUTE = 60_000_000
SIGN = ClauseKind.SIGN
PROPOSER = ReadInput(Input.PROPOSER)


def _signing(condition: Expression = TRUE, **changes: object) -> Setup:
    parts: dict[str, object] = {"count": 2, "within_us": 30 * MINUTE}
    return setup(machine(transition("go", clause("twice", SIGN, condition, **(parts | changes)))))


def _result(made: Setup) -> ClauseResult:
    return made.decide().clauses[0]


# --- how many ---


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("people", [(), ("sam",), ("sam", "sia"), ("sia", "sam", "sue"), ("sam", "sam")])
def test_so_many_different_people_must_answer(count: int, people: tuple[str, ...]) -> None:
    verdict = answered(_signing(count=count), "twice", *people).decide()
    different = len(set(people))
    assert verdict.clauses[0].answered_by == tuple(sorted(set(people)))
    if different >= count:
        assert isinstance(verdict, Accepted)
    else:
        assert isinstance(verdict, Escalated)
        assert verdict.needs == (Need("twice", SIGN, "supervisor", count - different),)


def test_a_subject_whom_the_roster_does_not_know_signs_for_nobody() -> None:
    """The host's word makes them the subject, and nobody's supervisor, whatever role the answer names."""
    made = answered(_signing(count=1), "twice", "carla")
    assert made.candidate.subject == "carla"  # type: ignore[union-attr]
    assert isinstance(made.decide(), Escalated)


def test_a_waiver_waits_for_one_person() -> None:
    waivable = clause("wide", condition=FALSE, on_fail=OnFail.ESCALATE, role="supervisor")
    verdict = setup(machine(transition("go", waivable, clause("twice", SIGN, count=2)))).decide()
    assert isinstance(verdict, Escalated)
    assert [(need.code, need.count) for need in verdict.needs] == [("wide", 1), ("twice", 2)]


def test_a_yes_to_another_clause_is_no_yes_to_this_one() -> None:
    assert isinstance(answered(_signing(count=1), "thrice", "sam").decide(), Escalated)


# --- whose ---


def test_the_proposer_never_signs() -> None:
    made = _signing(count=1).with_candidate(proposer="sam", role="supervisor")
    assert isinstance(answered(made, "twice", "sam").decide(), Escalated)
    assert isinstance(answered(made, "twice", "sia").decide(), Accepted)


def test_people_sign_in_the_clauses_role_and_in_roles_they_hold() -> None:
    made = _signing(count=1)
    for answer in (
        said("twice", True, "carla", "customer"),
        said("twice", True, "carla", "supervisor"),
        said("twice", True, "stranger", "supervisor"),
        said("twice", True, "bot", "supervisor"),
    ):
        assert isinstance(made.with_inputs(attestations=(answer,)).decide(), Escalated), answer


def test_a_model_never_signs_whatever_roles_it_was_given() -> None:
    made = _signing(count=1)
    principals = (*made.inputs.roster.principals, Principal("robot", ("supervisor",), "model-of-2026-01-01"))
    made = made.with_inputs(roster=Roster(principals, made.inputs.roster.mandates))
    assert isinstance(answered(made, "twice", "robot").decide(), Escalated)


@pytest.mark.parametrize(("excluding", "people", "missing"), [
    ((fact("owner"),), ("sam", "sia"), 0),
    ((fact("watchers"),), ("sue", "sam"), 1),
    ((fact("watchers"),), ("sia", "sam"), 0),
    ((fact("watchers"), PROPOSER), ("sue", "sam", "sia"), 0),
])  # fmt: skip
def test_nobody_signs_whom_the_clause_excludes(
    excluding: tuple[Expression, ...], people: tuple[str, ...], missing: int
) -> None:
    verdict = answered(_signing(distinct_from=excluding), "twice", *people).decide()
    assert isinstance(verdict, Escalated if missing else Accepted)
    assert "sue" not in verdict.clauses[0].answered_by
    assert not isinstance(verdict, Escalated) or verdict.needs[0].count == missing


@pytest.mark.parametrize("excluding", [(UNKNOWN,), (PROPOSER, UNKNOWN), (UNKNOWN, PROPOSER)])
def test_with_an_unknown_exclusion_no_yes_is_enough(excluding: tuple[Expression, ...]) -> None:
    made = answered(_signing(distinct_from=excluding), "twice", "sam", "sia", "sue")
    verdict = made.decide()
    assert isinstance(verdict, Escalated)
    assert verdict.needs[0].count == 2
    result = _result(made)
    assert (result.result, result.reason, result.answered_by) == (Result.UNKNOWN, Unknown.UNATTESTED, ())


def test_an_unknown_exclusion_matters_only_where_the_answer_is_demanded() -> None:
    assert isinstance(_signing(FALSE, distinct_from=(UNKNOWN,)).decide(), Accepted)


def test_who_signed_another_clause_before_can_be_excluded() -> None:
    earlier = ReadHistory(History.SIGNERS, "once")
    made = answered(_signing(count=1, distinct_from=(earlier,)), "twice", "sam")
    assert _result(made).reason is Unknown.MISSING
    assert isinstance(made.with_case(signers={"once": ("sia",)}).decide(), Accepted)
    assert isinstance(made.with_case(signers={"once": ("sam", "sia")}).decide(), Escalated)
    assert isinstance(made.with_case(signers={"once": ()}).decide(), Accepted)


# --- when ---


@pytest.mark.parametrize("condition", [TRUE, UNKNOWN])
def test_an_answer_is_demanded_unless_the_condition_is_false(condition: Expression) -> None:
    made = _signing(condition, count=1)
    assert isinstance(made.decide(), Escalated)
    assert isinstance(answered(made, "twice", "sam").decide(), Accepted)
    assert isinstance(_signing(FALSE).decide(), Accepted)


def test_an_unknown_condition_is_the_reason_while_nobody_has_answered() -> None:
    result = _result(_signing(UNKNOWN))
    assert (result.result, result.reason) == (Result.UNKNOWN, Unknown.UNATTESTED)
    assert _result(_signing(TRUE)).result is Result.FAILED


def test_nobody_has_signed_what_was_not_demanded() -> None:
    verdict = answered(_signing(FALSE), "twice", "sam", "sia").decide()
    assert (verdict.clauses[0].result, verdict.clauses[0].answered_by) == (Result.PASSED, ())


@pytest.mark.parametrize(("age", "counts"), [(0, True), (30 * MINUTE, True), (30 * MINUTE + 1, False), (-1, False)])
def test_an_answer_counts_for_its_time(age: int, counts: bool) -> None:
    verdict = answered(_signing(count=1), "twice", "sam", at=NOW - age).decide()
    assert isinstance(verdict, Accepted if counts else Escalated)


def test_without_a_bound_an_answer_counts_however_old() -> None:
    assert isinstance(answered(_signing(count=1, within_us=None), "twice", "sam", at=0).decide(), Accepted)


# --- no ---


def test_one_no_among_any_number_of_yeses_refuses() -> None:
    made = answered(answered(_signing(), "twice", "sam", "sia", "sue"), "twice", "sven", value=False)
    verdict = made.decide()
    assert isinstance(verdict, Refused)
    assert verdict.code == "twice"
    assert (verdict.clauses[0].on_fail, verdict.clauses[0].answered_by) == (OnFail.REFUSE, ("sven",))


def test_a_persons_newest_answer_counts_and_of_two_at_once_the_no() -> None:
    earlier = answered(_signing(count=1), "twice", "sam", value=False, at=NOW - 1)
    assert isinstance(answered(earlier, "twice", "sam").decide(), Accepted)
    yes_then_no = answered(answered(_signing(count=1), "twice", "sam", at=NOW - 1), "twice", "sam", value=False)
    assert isinstance(yes_then_no.decide(), Refused)
    both = answered(answered(_signing(count=1), "twice", "sam"), "twice", "sam", value=False)
    assert isinstance(both.decide(), Refused)
    turned = both.with_inputs(attestations=both.inputs.attestations[::-1])
    assert turned.bytes() == both.bytes()


def test_a_later_yes_of_somebody_else_does_not_outweigh_a_no() -> None:
    declined = answered(_signing(count=1), "twice", "sam", value=False, at=NOW - 1)
    assert isinstance(answered(declined, "twice", "sia").decide(), Refused)


def test_a_no_from_somebody_who_may_not_answer_or_not_yet_refuses_nothing() -> None:
    made = answered(_signing(count=1, distinct_from=(fact("watchers"),)), "twice", "sam")
    assert isinstance(answered(made, "twice", "sia", value=False, at=NOW + 1).decide(), Accepted)
    assert isinstance(answered(made, "twice", "sue", value=False).decide(), Accepted)
    assert isinstance(answered(made, "twice", "carla", value=False).decide(), Accepted)


def test_a_no_to_a_question_counts_however_late_it_is_heard_and_whatever_has_changed() -> None:
    """Only what was said of a preview was said of this question; what the host hands over is of its time."""
    waivable = clause("wide", condition=FALSE, on_fail=OnFail.ESCALATE, role="supervisor")
    asked = clause("agreed", ClauseKind.CONFIRM, role="supervisor", count=1, within_us=30 * MINUTE)
    signed = clause("twice", SIGN, count=1, within_us=30 * MINUTE)
    for declared in (signed, asked, waivable):
        code = declared.code
        made = answered(setup(machine(transition("go", declared))), code, "sam")
        assert isinstance(made.decide(), Accepted)
        for at in (NOW, NOW - 31 * MINUTE, NOW - 8 * 24 * 60 * MINUTE):
            for binds in (shown(made), bytes(32)):
                no = said(code, False, "sia", "supervisor", at, binds)
                heard = made.with_inputs(attestations=(*made.inputs.attestations, no))
                verdict = heard.decide()
                assert (type(verdict), verdict.clauses[0].answered_by) == (Refused, ("sia",))
        loose = said(code, False, "sia", "supervisor", NOW - 8 * 24 * 60 * MINUTE)
        heard = made.with_inputs(attestations=(*made.inputs.attestations, loose))
        assert isinstance(heard.decide(), Accepted)


def test_a_no_refuses_while_it_is_unknown_whose_answers_do_not_count() -> None:
    made = _signing(count=1, distinct_from=(UNKNOWN,))
    assert isinstance(answered(made, "twice", "sam", value=False).decide(), Refused)


def test_a_no_to_what_is_not_demanded_refuses_nothing() -> None:
    assert isinstance(answered(_signing(FALSE), "twice", "sam", value=False).decide(), Accepted)


def test_the_order_of_attestations_changes_nothing() -> None:
    made = answered(_signing(), "twice", "sue", "sam", "sia")
    turned = made.with_inputs(attestations=made.inputs.attestations[::-1])
    assert turned.bytes() == made.bytes()
    assert _result(made).answered_by == ("sam", "sia", "sue")
