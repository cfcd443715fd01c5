"""Goal: time in a state and who acted are kept with the case, move with acceptance alone, and replay the same."""

import dataclasses

import pytest
import refund_world as world

from edca.kernel.canonical import decode, encode
from edca.kernel.verdict import Accepted, Escalated, Move, Need
from edca.ledger.errors import TamperedError
from edca.ledger.record import parse
from edca.ledger.store import Cell
from edca.runtime.answers import Outcome
from edca.runtime.cases import SPACE, load_row
from edca.runtime.ports import Performed, Report
from edca.runtime.question import Question
from edca.runtime.verdicts import verdict_from_raw

HOUR = 60 * world.MINUTE
OTHER = world.Caller("sam", "supervisor")


# --- time in the state ---


def test_entering_a_state_is_when_the_verdict_came(bench):
    bench.approved()
    (record,) = bench.records("verdict")
    assert bench.row().case.entered == bench.row().case.touched == record.content["at"]


def test_a_transition_back_into_its_state_and_refusals_leave_the_time_alone(bench):
    bench.submit("approve", "big", order_id="o1", amount="500.00")
    first = bench.row().case
    assert first.entered == first.touched
    bench.submit("remind", "r", order_id="o1")
    bench.submit("approve", "big again", order_id="o1", amount="500.00")
    after = bench.row().case
    assert (after.state, after.revision) == ("requested", 1)
    assert after.entered == first.entered < after.touched
    bench.assert_replays()


def test_a_case_waits_from_the_first_time_it_was_met(bench):
    early = bench.submit("wait", "w1", order_id="o1")
    assert (early.verdict.code, early.verdict.transition) == ("too_early", "wait")
    met = bench.row().case.entered
    bench.clock.instant = met + HOUR - 1_000_000 * 3
    assert bench.submit("wait", "w2", order_id="o1").verdict.code == "too_early"
    bench.reopen()
    bench.clock.instant = met + HOUR
    assert bench.submit("wait", "w3", order_id="o1").state == "stuck"
    bench.assert_replays()


def test_a_case_with_effects_enters_its_state_with_their_outcome(bench):
    bench.approved()
    before = bench.row().case.entered
    bench.submit("pay", "p", order_id="o1")
    (outcome,) = bench.records("outcome")
    assert bench.row().case.entered == outcome.content["at"] > before
    bench.assert_replays()


@pytest.mark.parametrize("found", ["approved", "stuck"])
def test_what_a_person_finds_begins_a_new_time_only_where_the_state_is_another(bench, found):
    bench.approved()
    before = bench.row().case.entered
    bench.router.perform = lambda permit: Report(Performed.UNKNOWN)
    bench.router.performed = lambda permit: Performed.UNKNOWN
    assert bench.submit("pay", "p", order_id="o1").outcome is Outcome.QUARANTINED
    bench.runtime.observe("order", ("o1",), "sven", found)
    assert bench.row().case.entered == (before if found == "approved" else bench.row().case.touched)
    bench.assert_replays()


# --- who acted ---


def test_the_proposer_of_an_acceptance_is_remembered_and_of_a_refusal_is_not(bench):
    bench.submit("approve", "big", order_id="o1", amount="500.00")
    assert bench.row().case.proposers == {}
    bench.approved()
    assert bench.row().case.proposers == {"approve": "sven"}
    assert bench.submit("settle", "s1", order_id="o1").verdict.code == "same_hands"
    bench.assert_replays()


def test_a_branch_is_remembered_by_what_candidates_call_it(bench):
    answer = bench.submit("remind", "r", order_id="o1")
    assert (answer.verdict.transition, bench.row().case.proposers) == ("remind.now", {"remind": "sven"})


def test_those_who_signed_are_remembered_and_kept_from_the_next_step(bench):
    bench.approved()
    bench.submit("vouch", "v", world.ASSISTANT, order_id="o1")
    waiting = bench.say("sia", "vouched").answer
    assert isinstance(waiting.verdict, Escalated)
    assert waiting.verdict.needs[0].count == 1
    assert bench.row().case.signers == {"agreed": ()}  # which `approve` did not demand of so small an amount
    done = bench.say("sam", "vouched").answer
    assert isinstance(done.verdict, Accepted)
    assert bench.row().case.signers == {"agreed": (), "vouched": ("sam", "sia")}
    bench.reopen()
    assert bench.submit("settle", "s1", OTHER, order_id="o1").verdict.code == "signed"
    assert bench.submit("settle", "s2", world.ASSISTANT, order_id="o1").state == "paid"
    bench.assert_replays()


@pytest.mark.parametrize("performed", [Performed.DONE, Performed.FAILED, Performed.UNKNOWN])
def test_who_acted_is_remembered_however_the_effects_come_out(bench, performed):
    bench.approved()
    real = bench.router.perform

    def perform(permit):
        assert bench.row().case.proposers == {"approve": "sven", "pay_and_stamp": "sam"}
        return real(permit) if performed is Performed.DONE else Report(performed)

    bench.router.perform = perform
    if performed is Performed.UNKNOWN:
        bench.router.performed = lambda permit: performed
    bench.submit("pay_and_stamp", "p", OTHER, order_id="o1")
    assert bench.row().case.proposers == {"approve": "sven", "pay_and_stamp": "sam"}
    assert bench.row().case.state == {"done": "paid", "failed": "stuck", "unknown": "approved"}[performed.value]
    bench.reopen()
    bench.assert_replays()


def test_a_creation_remembers_its_proposer(bench):
    answer = bench.submit("open", "o", amount="5.00")
    assert answer.outcome is Outcome.CONFIRMED
    created = load_row(bench.ledger, '/order:["new0"]').case
    assert (created.proposers, created.entered) == ({"open": "sven"}, created.touched)
    bench.assert_replays()


@pytest.mark.parametrize(
    "forged",
    [
        {"entered": 0},
        {"proposers": {"approve": "sam"}},
        {"proposers": {}},
        {"signers": {"vouched": ["sven"]}},
    ],
    ids=str,
)
@pytest.mark.parametrize("paid", [False, True])
def test_an_edited_history_is_not_believed(bench, forged, paid):
    bench.approved()
    if paid:
        bench.submit("pay_and_stamp", "p", order_id="o1")
    key = '/order:["o1"]'
    data = decode(bench.ledger.cell(SPACE, key))
    bench.ledger.commit((), [Cell(SPACE, key, encode(data | {"case": data["case"] | forged}))])
    with pytest.raises(TamperedError):
        bench.submit("pay", "p2", order_id="o1")


# --- limits ---


def test_what_a_limit_has_counted_stands_in_the_record(bench):
    answers = [bench.submit("tally", f"t{number}", order_id="o1") for number in range(4)]
    assert [answer.verdict.code for answer in answers] == ["accepted"] * 3 + ["pace"]
    assert [record.content["counters"] for record in bench.records("verdict")] == [
        [["tally", "pace", [], counted]] for counted in range(4)
    ]
    bench.assert_replays()


def test_counters_and_mode_stand_in_the_question(bench):
    bench.submit("tally", "t", order_id="o1")
    stored = next(item for item in bench.ledger.records() if parse(item.body).kind == "verdict")
    question = Question.from_data(parse(stored.body).content, world.MACHINE, world.ROSTER)
    used = {("tally", "pace", ("o1", ("x", 1))): 3, ("approve", "pace", ()): 1, ("tally", "pace", (True,)): 2}
    asked = dataclasses.replace(question, inputs=dataclasses.replace(question.inputs, used=used, mode="halted"))
    data = decode(encode(asked.to_data()))
    assert Question.from_data(data, world.MACHINE, world.ROSTER) == asked
    turned = dataclasses.replace(asked.inputs, used=dict(reversed(used.items())))
    assert encode(dataclasses.replace(asked, inputs=turned).to_data()) == encode(asked.to_data())


def test_a_verdict_comes_back_from_its_raw_form_whole(bench):
    bench.approved()
    bench.submit("vouch", "v", world.ASSISTANT, order_id="o1")
    answer = bench.say("sia", "vouched").answer
    verdict = dataclasses.replace(
        answer.verdict, moves=(Move("pace", ("sven", 3), 1, 2, 3),), needs=(Need("vouched", *_rest(answer), 2),)
    )
    assert verdict_from_raw(decode(encode(verdict.to_raw()))) == verdict


def _rest(answer):
    need = answer.verdict.needs[0]
    return need.kind, need.role
