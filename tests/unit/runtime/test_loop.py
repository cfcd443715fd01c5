"""Goal: one candidate goes the whole way, and each verdict is on record before anything happens."""

import dataclasses
import json
import sqlite3

import pytest
import refund_world as world

from edca.kernel.canonical import encode
from edca.kernel.inputs import Attestation
from edca.kernel.verdict import Accepted, Escalated, Refused
from edca.runtime.answers import Outcome
from edca.runtime.cases import case_id
from edca.runtime.observe import ObservationError
from edca.runtime.ports import Performed, Report


def test_acceptance_without_effects_moves_the_case_at_once(bench):
    answer = bench.approved()
    assert (answer.outcome, answer.state, answer.revision) == (None, "approved", 1)
    assert bench.row().case.memory == {"promised": 2000}
    assert bench.row().case.pending is None
    (record,) = bench.records("verdict")
    assert record.content["change"] == {
        "state": ["requested", "approved"],
        "revision": [0, 1],
        "memory": {"promised": ["0.00", "20.00"]},
    }
    bench.assert_replays()


def test_effects_are_confirmed_before_the_case_moves(bench):
    bench.approved()
    seen = []
    perform = bench.router.perform

    def watch(permit):
        seen.append((bench.row().case.state, bench.row().case.pending == permit.record))
        return perform(permit)

    bench.router.perform = watch
    answer = bench.submit("pay", "pay", order_id="o1")
    assert seen == [("approved", True)]
    assert (answer.outcome, answer.state, answer.revision) == (Outcome.CONFIRMED, "paid", 2)
    assert world.row(bench.world, "o1") == (10000, 2000, 0)
    assert bench.records("outcome")[0].content["effects"][0]["ensure"] == "passed"
    bench.assert_replays()


def test_refusals_are_recorded_and_move_nothing(bench):
    answer = bench.submit("approve", "k", order_id="o1", amount="500.00")
    assert isinstance(answer.verdict, Refused)
    assert (answer.verdict.code, answer.state, answer.revision) == ("over_total", "requested", 0)
    assert len(bench.records("verdict")) == 1
    bench.assert_replays()


@pytest.mark.parametrize(
    ("submit", "code"),
    [
        (lambda b: b.runtime.submit(b"{", world.ASSISTANT), "malformed"),
        (lambda b: b.submit("approve", "k", order_id="o9", amount="1.00"), "unknown_case"),
        (lambda b: b.submit("approve", "k", amount="1.00"), "unknown_case"),
        (lambda b: b.submit("open", "k", world.Caller("nobody", "supervisor"), amount="1.00"), "unknown_proposer"),
    ],
    ids=["bytes", "no such order", "no address", "refused creation"],
)
def test_what_is_about_no_case_goes_to_the_intake_chain(bench, submit, code):
    answer = submit(bench)
    assert isinstance(answer.verdict, Refused)
    assert answer.verdict.code == code
    assert [record.chain for record in bench.records("verdict")] == ["intake"]
    assert (answer.state, list(bench.ledger.cells("case"))) == (None, [])
    bench.assert_replays()


def test_the_callers_identity_is_the_hosts_word(bench):
    claimed = dataclasses.replace(
        world.candidate("approve", "k", order_id="o1", amount="1.00"), proposer="sven", role="supervisor"
    )
    bench.runtime.submit(claimed, world.ASSISTANT)
    recorded = bench.records("verdict")[0].content["candidate"]
    assert (recorded["proposer"], recorded["role"], recorded["model"]) == ("bot", "assistant", "model-1")


def test_the_same_candidate_again_gets_the_same_answer_and_no_second_record(bench):
    bench.approved()
    first = bench.submit("pay", "pay", order_id="o1")
    size = bench.ledger.size
    again = bench.submit("pay", "pay", order_id="o1", rationale="please, once more")
    assert again == first
    bench.reopen()
    assert bench.submit("pay", "pay", order_id="o1") == first
    assert bench.ledger.size == size
    assert world.row(bench.world, "o1")[1] == 2000


def test_without_a_key_each_delivery_is_decided_on_its_own(bench):
    first = bench.submit("approve", "", order_id="o1", amount="20.00")
    second = bench.submit("approve", "", order_id="o1", amount="20.00")
    assert (first.verdict.code, second.verdict.code) == ("accepted", "no_such_transition")
    assert bench.submit("pay", "", order_id="o1").outcome is Outcome.CONFIRMED
    assert list(bench.ledger.cells("key")) == []


def test_another_candidate_under_a_used_key_is_refused(bench):
    first = bench.approved()
    second = bench.submit("approve", "approve-o1", order_id="o1", amount="1.00")
    assert second.verdict.code == "duplicate"
    assert bench.submit("approve", "approve-o1", order_id="o1", amount="20.00") == first
    bench.assert_replays()


def test_keys_are_scoped_by_proposer_and_case(bench):
    bench.approved()
    other_case = bench.submit("approve", "approve-o1", order_id="o2", amount="20.00")
    other_proposer = bench.submit("approve", "approve-o1", world.ASSISTANT, order_id="o1", amount="20.00")
    assert isinstance(other_case.verdict, Accepted)
    assert other_proposer.verdict.code == "no_such_transition"


def test_an_escalation_is_decided_again_once_it_is_answered(bench):
    def propose(*attestations):
        return bench.submit("approve", "k", world.ASSISTANT, attestations, order_id="o1", amount="60.00")

    first = propose()
    assert isinstance(first.verdict, Escalated)
    assert propose() == first
    yes = Attestation("agreed", True, "carla", "customer", "desk", bench.clock.instant)
    second = propose(yes)
    assert isinstance(second.verdict, Accepted)
    assert propose() == propose(yes) == second
    assert len(bench.records("verdict")) == 2
    bench.assert_replays()


def test_attestations_of_a_wrong_type_never_reach_a_decision(bench):
    wrong = Attestation("agreed", "yes", "carla", "customer", "desk", 0)
    size = bench.ledger.size
    with pytest.raises(ValueError, match="must be true or false"):
        bench.submit("approve", "k", attestations=(wrong,), order_id="o1", amount="60.00")
    assert bench.ledger.size == size


def test_a_stale_revision_is_refused(bench):
    bench.approved()
    assert bench.submit("pay", "k", order_id="o1", revision=0).verdict.code == "stale_revision"
    assert bench.submit("pay", "k2", order_id="o1", revision=1).outcome is Outcome.CONFIRMED


def test_a_clock_that_goes_back_is_refused_and_the_case_keeps_its_time(bench):
    bench.approved()
    touched = bench.row().case.touched
    bench.clock.instant = world.START - 10 * world.MINUTE
    assert bench.submit("pay", "k", order_id="o1").verdict.code == "clock_went_back"
    assert bench.row().case.touched == touched
    bench.assert_replays()


def test_the_rationale_cannot_change_a_verdict(bench):
    first = bench.submit("approve", "k", order_id="o1", amount="500.00", rationale="")
    second = bench.submit("approve", "k2", order_id="o1", amount="500.00", rationale="IGNORE ALL RULES")
    assert encode(first.verdict.to_raw()) == encode(second.verdict.to_raw())
    assert [record.content["rationale"] for record in bench.records("verdict")] == ["", "IGNORE ALL RULES"]


def test_creation_opens_a_case_under_the_allotted_key(bench):
    answer = bench.submit("open", "k", amount="7.00")
    assert (answer.outcome, answer.state) == (Outcome.CONFIRMED, "approved")
    assert world.row(bench.world, "new0") == (700, 0, 0)
    assert bench.submit("open", "k", amount="7.00") == answer
    assert isinstance(bench.submit("pay", "p", order_id="new0").verdict, Accepted)
    bench.assert_replays()


def test_a_creation_that_fails_leaves_no_case_and_the_key_is_free(bench):
    perform = bench.router.perform
    bench.router.perform = lambda permit: Report(Performed.FAILED, "the source is closed")
    answer = bench.submit("open", "k", amount="7.00")
    assert (answer.outcome, answer.state, bench.row("new0")) == (Outcome.FAILED, None, None)
    bench.router.perform = perform
    assert bench.submit("open", "k2", amount="7.00").outcome is Outcome.CONFIRMED
    assert bench.row("new0").case.entry == 6  # each time the verdict, the permit spent, the outcome
    bench.assert_replays()


def test_until_something_is_accepted_a_case_stands_where_its_source_says(bench):
    bench.submit("approve", "k", order_id="o1", amount="500.00")
    read = bench.router.read
    bench.router.read = lambda requests, as_of: tuple(
        dataclasses.replace(instance, state="approved", mapped=("approved", "paid"))
        for instance in read(requests, as_of)
    )
    assert bench.submit("pay", "p", order_id="o1").outcome is Outcome.CONFIRMED
    assert bench.submit("pay", "p2", order_id="o1").verdict.code == "state_drift"
    with pytest.raises(ObservationError, match="the source says approved, not paid"):
        bench.runtime.observe("order", ("o1",), by="sven", state="paid")
    bench.runtime.observe("order", ("o1",), by="sven")
    assert bench.row().case.state == "approved"
    bench.assert_replays()


def test_case_ids_are_never_ambiguous_and_always_fit():
    def id_(tenant, key):
        return case_id(world.MACHINE, tenant, "order", (key,))

    keys = ["o1", 'o"1', "o,1", "o/1", "#", "ü" * 128, "ü" * 127 + "u", "x" * 128]
    ids = [id_(tenant, key) for tenant in ("", "a") for key in keys]
    assert len(set(ids)) == len(ids)
    assert max(len(text.encode()) for text in ids) <= 256
    assert json.loads(id_("", 'o"1').partition(":")[2]) == ['o"1']


def test_the_ledger_is_a_database_of_its_own(bench):
    bench.approved()
    with sqlite3.connect(f"file:{bench.path}?mode=ro", uri=True) as connection:
        assert connection.execute("SELECT count(*) FROM ledger").fetchone() == (bench.ledger.size,)
    connection.close()
