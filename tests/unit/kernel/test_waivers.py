"""Goal: a person may waive what says `else escalate`, for what they were shown; people count, not their accounts."""

from typing import Any

import pytest
from machines import FALSE, ONE, TEN, TRUE, UNKNOWN, act, add, answered, clause, machine, setup, transition
from setups import NOW, Setup, rebound, said, shown

from edca.kernel.approvals import WAIVER_LASTS_US
from edca.kernel.candidate import Candidate
from edca.kernel.expression import Arithmetic, Constant, Expression, Input, Operation, ReadInput, ReadLet
from edca.kernel.inputs import Authenticated
from edca.kernel.machine import ClauseKind, Let, MemoryField, OnFail
from edca.kernel.preview import preview
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.types import IntType, TimeType
from edca.kernel.values import TIME_MAX
from edca.kernel.verdict import Accepted, Escalated, Preview, Refused, Result, Stage

SIGN = ClauseKind.SIGN


def _waivable(condition: Expression = FALSE, *others: Any, **parts: Any) -> Setup:
    wide = clause("wide", condition=condition, on_fail=OnFail.ESCALATE, role="supervisor")
    return setup(machine(transition("go", wide, *others), **parts))


def _roster(made: Setup, *principals: Principal) -> Setup:
    ids = {principal.id for principal in principals}
    kept = tuple(one for one in made.inputs.roster.principals if one.id not in ids)
    return made.with_inputs(roster=Roster((*kept, *principals), made.inputs.roster.mandates))


# --- waiving ---


@pytest.mark.parametrize("condition", [FALSE, UNKNOWN])
def test_a_clause_that_fails_or_is_unknown_may_be_waived(condition: Expression) -> None:
    made = _waivable(condition)
    assert isinstance(made.decide(), Escalated)
    verdict = answered(made, "wide", "sam").decide()
    assert isinstance(verdict, Accepted)
    assert (verdict.clauses[0].result, verdict.clauses[0].answered_by) == (Result.WAIVED, ("sam",))


def test_what_refuses_cannot_be_waived() -> None:
    for kind, condition in ((ClauseKind.REQUIRE, FALSE), (ClauseKind.FORBID, TRUE)):
        made = setup(machine(transition("go", clause("hard", kind, condition, role="supervisor"))))
        assert isinstance(answered(made, "hard", "sam", "sia").decide(), Refused)
    made = setup(
        machine(transition("go", clause("odd", ClauseKind.FORBID, TRUE, on_fail=OnFail.ESCALATE, role="supervisor")))
    )
    assert isinstance(answered(made, "odd", "sam").decide(), Escalated)


def test_an_early_stage_cannot_be_waived() -> None:
    made = answered(_waivable(), "wide", "sam").with_case(state="gone")
    verdict = made.decide()
    assert isinstance(verdict, Refused)
    assert verdict.stage is Stage.NO_SUCH_TRANSITION


def test_a_no_to_a_waiver_refuses_whatever_others_said() -> None:
    verdict = answered(answered(_waivable(), "wide", "sam"), "wide", "sia", value=False).decide()
    assert isinstance(verdict, Refused)
    assert (verdict.code, verdict.clauses[0].answered_by) == ("wide", ("sia",))


def test_a_waiver_of_what_passes_changes_nothing() -> None:
    made = _waivable(TRUE)
    for value in (True, False):
        assert answered(made, "wide", "sam", value=value).bytes() == made.bytes()


def test_a_waiver_never_counts_as_a_signature_nor_the_reverse() -> None:
    made = _waivable(FALSE, clause("once", SIGN))
    waived = answered(made, "wide", "sam").decide()
    assert isinstance(waived, Escalated)
    assert [need.code for need in waived.needs] == ["once"]
    signed = answered(made, "once", "sam").decide()
    assert isinstance(signed, Escalated)
    assert [need.code for need in signed.needs] == ["wide"]


@pytest.mark.parametrize(
    ("age", "counts"), [(0, True), (WAIVER_LASTS_US, True), (WAIVER_LASTS_US + 1, False), (-1, False)]
)
def test_a_waiver_lasts_a_week(age: int, counts: bool) -> None:
    verdict = answered(_waivable(), "wide", "sam", at=NOW - age).decide()
    assert isinstance(verdict, Accepted if counts else Escalated)


# --- who ---


def test_only_people_of_the_role_on_the_roster_waive() -> None:
    made = _waivable()
    for by, role in (
        ("carla", "customer"),
        ("carla", "supervisor"),
        ("bot", "supervisor"),
        ("bot", "assistant"),
        ("zoe", "supervisor"),
    ):
        answer = said("wide", True, by, role, NOW, shown(made))
        assert isinstance(made.with_inputs(attestations=(answer,)).decide(), Escalated), by
    # Not even the subject, for whom the host vouches elsewhere.
    subject = made.with_candidate(subject="zoe")
    answer = said("wide", True, "zoe", "supervisor", NOW, shown(subject))
    assert isinstance(subject.with_inputs(attestations=(answer,)).decide(), Escalated)


def test_the_proposer_waives_nothing_through_whichever_account() -> None:
    made = _waivable().with_candidate(proposer="sam", role="supervisor")
    assert isinstance(answered(made, "wide", "sam").decide(), Escalated)
    second = _roster(made, Principal("sam2", ("supervisor",), person="sam"))
    assert isinstance(answered(second, "wide", "sam2").decide(), Escalated)
    both = _roster(made, Principal("sam", ("supervisor",), person="s"), Principal("sia", ("supervisor",), person="s"))
    assert isinstance(answered(both, "wide", "sia").decide(), Escalated)
    assert isinstance(answered(both, "wide", "sue").decide(), Accepted)


def test_signers_are_counted_as_people() -> None:
    made = _roster(
        setup(machine(transition("go", clause("twice", SIGN, count=2)))),
        Principal("sia", ("supervisor",), person="sam"),
    )
    verdict = answered(made, "twice", "sam", "sia").decide()
    assert isinstance(verdict, Escalated)
    assert (verdict.needs[0].count, len(verdict.clauses[0].answered_by)) == (1, 1)
    assert isinstance(answered(made, "twice", "sam", "sia", "sue").decide(), Accepted)


def test_the_newest_word_of_a_person_counts_through_whichever_account() -> None:
    made = _roster(
        setup(machine(transition("go", clause("once", SIGN)))), Principal("sia", ("supervisor",), person="sam")
    )
    turned = answered(answered(made, "once", "sam", at=NOW - 1), "once", "sia", value=False)
    assert isinstance(turned.decide(), Refused)
    back = answered(answered(made, "once", "sia", value=False, at=NOW - 1), "once", "sam")
    assert isinstance(back.decide(), Accepted)


def test_who_is_excluded_is_so_with_all_accounts() -> None:
    excluding = clause("once", SIGN, distinct_from=(Constant("sven"),))
    made = _roster(setup(machine(transition("go", excluding))), Principal("sia", ("supervisor",), person="sven"))
    assert isinstance(answered(made, "once", "sia").decide(), Escalated)
    assert isinstance(answered(made, "once", "sue").decide(), Accepted)
    # Also where the account that is excluded is the second one.
    excluding = clause("once", SIGN, distinct_from=(Constant("sia"),))
    made = _roster(setup(machine(transition("go", excluding))), Principal("sia", ("supervisor",), person="sven"))
    assert isinstance(answered(made, "once", "sven").decide(), Escalated)


@pytest.mark.parametrize(("starts", "ends", "valid"), [
    (None, None, True), (NOW, None, True), (NOW + 1, None, False), (None, NOW + 1, True), (None, NOW, False),
])  # fmt: skip
def test_an_account_speaks_and_proposes_in_its_time(starts: int | None, ends: int | None, valid: bool) -> None:
    made = _roster(_waivable(), Principal("sam", ("supervisor",), starts=starts, ends=ends))
    assert isinstance(answered(made, "wide", "sam").decide(), Accepted if valid else Escalated)
    proposing = _roster(_waivable(TRUE), Principal("sam", ("supervisor",), starts=starts, ends=ends))
    verdict = proposing.with_candidate(proposer="sam", role="supervisor", model=None).decide()
    assert isinstance(verdict, Accepted if valid else Refused)
    # Nor does somebody whose time is over come back as one for whom the host vouches.
    gone = made.with_candidate(subject="sam")
    assert isinstance(answered(gone, "wide", "sam").decide(), Accepted if valid else Escalated)


def test_who_has_a_key_is_heard_signed_only() -> None:
    made = _roster(_waivable(), Principal("sam", ("supervisor",), key=bytes(32)))
    assert isinstance(answered(made, "wide", "sam").decide(), Escalated)
    signed = said("wide", True, "sam", "supervisor", NOW, shown(made))
    object.__setattr__(signed, "authenticated", Authenticated.SIGNED)
    assert isinstance(made.with_inputs(attestations=(signed,)).decide(), Accepted)


# --- what they were shown ---


def test_a_waiver_and_a_signature_bind_and_a_confirmation_may() -> None:
    for kind, counts in ((ClauseKind.CONFIRM, True), (SIGN, False)):
        made = setup(machine(transition("go", clause("asked", kind))))
        loose = made.with_inputs(attestations=(said("asked", True, "sam", "supervisor"),))
        assert isinstance(loose.decide(), Accepted if counts else Escalated)
        other = made.with_inputs(attestations=(said("asked", True, "sam", "supervisor", NOW, bytes(32)),))
        assert isinstance(other.decide(), Escalated)
    made = _waivable()
    assert isinstance(made.with_inputs(attestations=(said("wide", True, "sam", "supervisor"),)).decide(), Escalated)


def test_every_byte_of_the_digest_counts() -> None:
    made = _waivable()
    digest = shown(made)
    assert digest is not None
    for place in range(32):
        other = bytes(byte ^ (index == place) for index, byte in enumerate(digest))
        flipped = made.with_inputs(attestations=(said("wide", True, "sam", "supervisor", NOW, other),))
        assert isinstance(flipped.decide(), Escalated)


def test_any_change_of_candidate_memory_or_what_is_waived_voids_the_answer() -> None:
    made = answered(_waivable(), "wide", "sam")
    assert isinstance(made.decide(), Accepted)
    for other in (
        made.with_arguments(amount=made.candidate.arguments["amount"] + 1),  # type: ignore[union-attr, operator]
        made.with_candidate(key="another"),
        made.with_candidate(evidence=("x",)),
        made.with_candidate(subject="somebody"),
        made.with_case(memory={"promised": 7}),
        made.with_case(id="another"),
    ):
        assert isinstance(other.decide(), Escalated)
        assert isinstance(rebound(other).decide(), Accepted)


def test_an_escalation_names_the_preview_of_its_acceptance() -> None:
    effects = {"assignments": (add("promised", TEN),), "acts": (act(ONE),)}
    wide = clause("wide", condition=FALSE, on_fail=OnFail.ESCALATE, role="supervisor")
    made = setup(machine(transition("go", wide, **effects)))
    verdict, found = made.decide(), preview(made.machine, made.case, made.candidate, made.inputs)
    assert isinstance(verdict, Escalated) and found is not None
    assert verdict.preview == found.digest
    accepted = answered(made, "wide", "sam").decide()
    assert isinstance(accepted, Accepted)
    assert (found.memory, found.intents, found.target) == (accepted.memory, accepted.intents, accepted.target)
    assert made.case is not None
    assert (found.case, found.source, found.transition) == (made.case.id, accepted.source, "go")
    assert isinstance(made.candidate, Candidate)
    assert (found.machine, found.candidate) == (made.machine.digest, made.candidate.digest)
    assert found.waived == ("wide",)


def test_without_a_case_there_is_no_preview() -> None:
    made = _waivable()
    assert preview(made.machine, None, made.candidate, made.inputs) is None


def test_what_is_unknown_is_shown_as_unknown_and_outlasts_nothing() -> None:
    wide = clause("wide", condition=FALSE, on_fail=OnFail.ESCALATE, role="supervisor")
    made = setup(machine(transition("go", wide, assignments=(add("promised", UNKNOWN),))))
    found = preview(made.machine, made.case, made.candidate, made.inputs)
    assert found is not None and found.memory == {"promised": {"unknown": "claim_unattested"}}
    assert isinstance(answered(made, "wide", "sam", value=False).decide(), Refused)
    yes = answered(made, "wide", "sam")
    assert yes.decide().code == "claim_unattested"
    too_much = setup(machine(transition("go", wide, assignments=(add("promised", Constant(1000)),))))
    found = preview(too_much.machine, too_much.case, too_much.candidate, too_much.inputs)
    assert found is not None and found.memory == {"promised": {"unknown": "out_of_range"}}


def _moment(value: Expression, *lets: Let) -> Preview:
    wide = clause("wide", condition=FALSE, on_fail=OnFail.ESCALATE, role="supervisor")
    made = machine(
        transition("go", wide, assignments=(add("when", value),), lets=lets),
        memory=(MemoryField("promised", IntType(0, 100), 0), MemoryField("when", TimeType(), 0)),
    )
    later = setup(made).with_inputs(now=NOW + 60_000_000)
    found = preview(made, later.case, later.candidate, later.inputs)
    assert found is not None
    return found


def test_a_moment_reckoned_from_now_is_the_same_at_every_decision() -> None:
    now = ReadInput(Input.NOW)
    later = Arithmetic(Operation.ADD, now, Constant(3_600_000_000))
    assert _moment(later).memory["when"] == {"from_decision_us": 3_600_000_000}
    assert _moment(ReadLet("soon"), Let("soon", later)).memory["when"] == {"from_decision_us": 3_600_000_000}
    assert _moment(Constant(NOW)).memory["when"] == NOW


# --- the inbox is full, and mandates ---


def test_a_full_inbox_refuses_what_would_be_escalated_and_nothing_else() -> None:
    full = _waivable().with_inputs(overloaded=True)
    verdict = full.decide()
    assert isinstance(verdict, Refused)
    assert (verdict.code, verdict.stage) == ("overload", None)
    assert isinstance(answered(full, "wide", "sam").decide(), Accepted)
    assert isinstance(_waivable(TRUE).with_inputs(overloaded=True).decide(), Accepted)


@pytest.mark.parametrize(("uses_max", "uses", "holds"), [
    (None, {}, True), (1, {"m": 0}, True), (1, {"m": 1}, False), (2, {"m": 1}, True),
    (2, {"m": 5}, False), (2, {}, False),
])  # fmt: skip
def test_a_mandate_is_used_up(uses_max: int | None, uses: dict[str, int], holds: bool) -> None:
    made = _waivable(TRUE)
    mandate = Mandate("m", "sven", "supervisor", "orders", (), 0, TIME_MAX, uses_max)
    made = made.with_inputs(roster=Roster(made.inputs.roster.principals, (mandate,)), mandate_uses=uses)
    assert (made.decide().code == "accepted") is holds


@pytest.mark.parametrize(("revoked_at", "holds"), [(None, True), (NOW + 1, True), (NOW, False), (0, False)])
def test_a_mandate_is_taken_back(revoked_at: int | None, holds: bool) -> None:
    made = _waivable(TRUE)
    mandate = Mandate("m", "sven", "supervisor", "orders", (), 0, TIME_MAX, None, revoked_at)
    made = made.with_inputs(roster=Roster(made.inputs.roster.principals, (mandate,)))
    assert (made.decide().code == "accepted") is holds


def test_a_mandate_lapses_with_its_givers_account() -> None:
    made = _waivable(TRUE)
    mandate = Mandate("m", "sven", "supervisor", "orders", (), 0, TIME_MAX)
    gone = made.with_inputs(roster=Roster(made.inputs.roster.principals, (mandate,)))
    assert _roster(gone, Principal("sven", ("supervisor",), ends=NOW)).decide().code == "no_anchor"
