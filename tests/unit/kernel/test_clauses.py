"""Goal: all clauses are evaluated, the gravest decides, and a confirmation is one person's answer in time."""

import itertools
from typing import Any

import pytest
import worlds
from worlds import NOW, ORDER, Setup, said

from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.roster import Principal, Roster
from edca.kernel.values import Unknown, Value
from edca.kernel.verdict import Accepted, Escalated, Refused, Result, failed

MINUTE = 60_000_000


def _result(setup: Setup, code: str) -> Result:
    return next(clause.result for clause in setup.decide().clauses if clause.code == code)


# --- precedence ---

REFUSES: dict[str, Value] = {"total": 0, "status": "placed", "frozen": True}


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize("escalates", [False, True])
@pytest.mark.parametrize("unanswered", [False, True])
def test_refuse_outranks_escalate_outranks_accept(refuses: bool, escalates: bool, unanswered: bool) -> None:
    setup = worlds.approval()
    setup = setup.with_fact(ORDER, "total", 0) if refuses else setup
    setup = setup.with_candidate(confidence=8_499) if escalates else setup
    setup = setup.with_inputs(attestations=setup.inputs.attestations[1:]) if unanswered else setup
    verdict = setup.decide()
    codes = [clause.code for clause in failed(verdict)]
    assert codes == ["over_total"] * refuses + ["unsure"] * escalates + ["agreed"] * unanswered
    expected = Refused if refuses else Escalated if escalates or unanswered else Accepted
    assert isinstance(verdict, expected)
    if isinstance(verdict, Escalated):
        assert [(need.code, need.role) for need in verdict.needs] == [("unsure", "supervisor")] * escalates + [
            ("agreed", "customer")
        ] * unanswered


def test_forbids_stand_first_and_the_first_refusing_clause_gives_the_code() -> None:
    setup = worlds.approval()
    for field, value in REFUSES.items():
        setup = setup.with_fact(ORDER, field, value)
    verdict = setup.with_candidate(confidence=0).decide()
    assert isinstance(verdict, Refused)
    assert verdict.code == "frozen"
    assert [c.code for c in failed(verdict)] == ["frozen", "not_delivered", "over_total", "unsure"]


def test_no_clause_short_circuits_another() -> None:
    codes = [clause.code for clause in worlds.approval().decide().clauses]
    assert codes[:2] == ["not_yours", "frozen"]
    fields = worlds.approval().inputs.facts[ORDER].fields
    for lost in itertools.combinations(fields, 2):
        setup = worlds.approval()
        for field in lost:
            setup = setup.with_fact(ORDER, field, Unknown.MISSING)
        assert [clause.code for clause in setup.decide().clauses] == codes


@pytest.mark.parametrize("confidence", [8_500, 8_499, None])
def test_an_unknown_escalating_clause_escalates(confidence: int | None) -> None:
    verdict = worlds.approval().with_candidate(confidence=confidence).decide()
    assert isinstance(verdict, Accepted if confidence == 8_500 else Escalated)
    assert failed(verdict) == () or failed(verdict)[0].on_fail is OnFail.ESCALATE


# --- confirmations ---


def _agreeing(*attestations: Any, **candidate: Any) -> Setup:
    setup = worlds.approval()
    reason = setup.inputs.attestations[1]
    return setup.with_inputs(attestations=(*attestations, reason)).with_candidate(**candidate)


@pytest.mark.parametrize(
    ("attestation", "passes"),
    [
        (said("agreed", True), True),
        (said("agreed", True, at=NOW - 30 * MINUTE), True),
        (said("agreed", True, at=NOW - 30 * MINUTE - 1), False),
        (said("agreed", True, at=NOW + 1), False),
        (said("agreed", True, role="supervisor"), False),
        (said("agreed", True, by="sven", role="supervisor"), False),
        (said("agreed", True, by="bot"), False),
        (said("disagreed", True), False),
    ],
)
def test_a_yes_counts_from_the_right_person_in_time(attestation: Any, passes: bool) -> None:
    setup = _agreeing(attestation)
    assert (_result(setup, "agreed") is Result.PASSED) is passes
    assert isinstance(setup.decide(), Accepted if passes else Escalated)


def test_nobody_confirms_their_own_proposal() -> None:
    machine = worlds.machine_of("""edca 1 machine m version "1"
        role supervisor human
        entity order key (order_id: id) { a: bool }
        case about order by order_id
        state open initial "Open." state closed final "Closed." success
        transition close(order_id: id) from open to closed {
          means "Close it." by supervisor answers supervisor confirm agreed by supervisor "Agreed." }""")
    inputs = worlds.approval().inputs
    case = worlds.case_of(machine, "order", ("o1",), "open")
    asked = Setup(machine, case, worlds.proposal("close", "sven", "supervisor", None, order_id="o1"), inputs)
    for by, expected in (("sven", Escalated), ("sara", Accepted)):
        answered = asked.with_inputs(attestations=(said("agreed", True, by, "supervisor"),))
        roster = Roster((*inputs.roster.principals, Principal("sara", ("supervisor",))), ())
        assert isinstance(answered.with_inputs(roster=roster).decide(), expected)


def test_an_explicit_no_refuses() -> None:
    verdict = _agreeing(said("agreed", False)).decide()
    assert isinstance(verdict, Refused)
    assert verdict.code == "agreed"


@pytest.mark.parametrize("first", [True, False])
def test_the_newest_answer_counts_in_whatever_order_they_are_given(first: bool) -> None:
    older, newer = said("agreed", first, at=NOW - 2), said("agreed", not first, at=NOW - 1)
    for order in ((older, newer), (newer, older)):
        assert isinstance(_agreeing(*order).decide(), Refused if first else Accepted)


def test_of_a_yes_and_a_no_at_one_instant_the_no_counts() -> None:
    yes, no = said("agreed", True), said("agreed", False)
    for order in ((yes, no), (no, yes)):
        assert isinstance(_agreeing(*order).decide(), Refused)


def test_the_newest_word_of_a_claim_counts_in_whatever_order_it_is_given() -> None:
    """With a reason the limit is 500.00, without one it is 100.00."""
    agreed = said("agreed", True)
    setup = worlds.approval().with_arguments(amount="70.00")
    dear = setup.with_fact(ORDER, "total", 90_000).with_arguments(amount="200.00")
    older, newer = said("reason", "It broke.", at=NOW - 2), said("reason", "", at=NOW - 1)
    for order in ((older, newer), (newer, older)):
        verdict = dear.with_inputs(attestations=(agreed, *order)).decide()
        assert [clause.code for clause in failed(verdict)] == ["over_limit"]


@pytest.mark.parametrize(
    "attestation",
    [
        said("reason", "It broke.", at=NOW + 1),
        said("reason", "It broke.", by="sven", role="supervisor"),
        said("reason", "It broke.", by="bot", role="assistant"),
    ],
)
def test_a_claim_of_the_future_or_of_somebody_else_is_none(attestation: Any) -> None:
    verdict = worlds.approval().with_inputs(attestations=(said("agreed", True), attestation)).decide()
    (clause,) = failed(verdict)
    assert (clause.code, clause.reason) == ("over_limit", Unknown.UNATTESTED)


CONFIRM_WHEN = """edca 1 machine m version "1"
role assistant model role customer human role supervisor human
entity order key (order_id: id) { dear: bool }
case about order by order_id
state open initial "Open." state closed final "Closed." success
transition close(order_id: id) from open to closed {
  means "Close it." by supervisor answers supervisor
  confirm agreed by customer when order.dear "Agreed." }"""


@pytest.mark.parametrize(
    ("dear", "answer", "outcome"),
    [
        (False, None, Accepted),
        (False, False, Accepted),
        (True, None, Escalated),
        (True, True, Accepted),
        (True, False, Refused),
        (Unknown.MISSING, None, Escalated),
        (Unknown.MISSING, True, Accepted),
        (Unknown.MISSING, False, Refused),
    ],
)
def test_a_conditional_confirmation_is_demanded_unless_false(
    dear: bool | Unknown, answer: bool | None, outcome: type
) -> None:
    machine = worlds.machine_of(CONFIRM_WHEN)
    inputs = worlds.approval().inputs
    order = worlds.instance("order", "o1", dear=dear)
    setup = Setup(
        machine,
        worlds.case_of(machine, "order", ("o1",), "open"),
        worlds.proposal("close", "sven", "supervisor", "carla", order_id="o1"),
        inputs,
    ).with_inputs(facts={ORDER: order}, attestations=() if answer is None else (said("agreed", answer),))
    verdict = setup.decide()
    assert isinstance(verdict, outcome)
    (clause,) = verdict.clauses
    assert clause.kind is ClauseKind.CONFIRM
