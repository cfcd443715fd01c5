"""Goal: a case moves whole, once, by a checked map, on somebody's order; whatever can't be told stays, and says why."""

import dataclasses

import pytest
import refund_world as world
from versions import CASE, NEW, OLD, ORDER, map_of, moved, renamed, with_clause

from edca.kernel.expression import Compare, Comparison, Constant, History, ReadFact, ReadHistory, ReadInput, ReadMemory
from edca.kernel.inputs import Authenticated
from edca.kernel.machine import MemoryField, Never
from edca.kernel.types import DecimalType
from edca.kernel.verdict import Accepted, Escalated, Refused, Stage
from edca.runtime.approving import Said, Void
from edca.runtime.loop import Runtime
from edca.runtime.migrating import Fate


def test_a_case_waits_for_its_migration_and_then_goes_on(bench):
    bench.approved()
    bench.reopen(NEW)
    refused = bench.submit("pay", "p", order_id="o1").verdict
    assert (refused.stage, refused.code) == (Stage.WRONG_MACHINE, "wrong_machine")
    before = bench.row().case
    (fate,) = moved(bench).cases
    assert (fate.case, fate.fate, fate.state, fate.target) == (CASE, Fate.MOVES, "approved", "approved")
    after = bench.row().case
    assert after.machine == NEW.digest
    assert (after.revision, after.entered, after.state) == (before.revision + 1, before.entered, before.state)
    assert (after.memory, after.proposers, after.signers) == (before.memory, before.proposers, before.signers)
    assert bench.submit("pay", "p2", order_id="o1").state == "paid"
    bench.assert_replays()


def test_the_record_says_who_moved_what_by_which_map_and_why(bench):
    bench.approved()
    done = moved(bench)
    (begun,), (record,) = bench.records("migration"), bench.records("migrated")
    migration, _ = map_of()
    assert (begun.content["by"], begun.content["role"], begun.content["reason"]) == (
        "sven",
        "supervisor",
        "New rules hold from today.",
    )
    assert begun.content["authenticated"] == Authenticated.ASSERTED.value
    for content in (begun.content, record.content):
        assert (content["from"], content["machine"], content["migration"]) == (
            OLD.digest,
            NEW.digest,
            migration.digest,
        )
    assert record.content["begun"] == done.record.digest
    assert record.content["change"]["memory"] == [{"promised": "20.00"}, {"promised": "20.00"}]


def test_moving_again_does_nothing(bench):
    bench.approved()
    moved(bench)
    size, row = bench.ledger.size, bench.row()
    again = moved(bench)
    assert (again.record, again.cases) == (None, ())
    assert (bench.ledger.size, bench.row()) == (size, row)


def test_a_plan_changes_nothing(bench):
    bench.approved()
    bench.reopen(NEW)
    size, row = bench.ledger.size, bench.row()
    seen = []
    bench.runtime.plan_migration(OLD, map_of()[0], lambda done, total: seen.append((done, total)))
    assert (bench.ledger.size, bench.row(), seen) == (size, row, [(1, 1)])


def test_a_case_that_was_only_refused_needs_no_migration(bench):
    assert isinstance(bench.submit("approve", "a", order_id="o1", amount="900.00").verdict, Refused)
    assert moved(bench).cases == ()
    assert isinstance(bench.submit("approve", "b", order_id="o1", amount="10.00").verdict, Accepted)
    bench.assert_replays()


def test_a_redelivered_candidate_gets_its_answer_and_acts_once(bench):
    first = bench.approved()
    bench.submit("pay", "p", order_id="o1")
    moved(bench)
    again = bench.submit("pay", "p", order_id="o1")
    assert (again.state, again.outcome.value) == ("paid", "confirmed")
    assert bench.approved().record == first.record
    assert world.row(bench.world, "o1")[1] == 20_00
    bench.assert_replays()


# --- what stays ---


def test_an_effect_under_way_holds_a_case_back_until_it_has_an_outcome(bench):
    bench.approved()
    bench.runtime.context.stop.set()
    assert bench.submit("pay", "p", order_id="o1").outcome is None
    migration, text = map_of()
    # As an operator opens the ledger: nothing is recovered, so the effect is still under way.
    runtime = Runtime(NEW, bench.router, bench.ledger, world.ROSTER, bench.clock, admit=None)
    done = runtime.migrate(OLD, migration, text, ORDER)
    (fate,) = done.cases
    assert (fate.fate, fate.why, done.record) == (Fate.PENDING, "an effect has no outcome yet", None)
    bench.reopen()  # which recovers
    assert bench.row().case.state == "paid"
    (fate,) = moved(bench).cases
    assert (fate.fate, fate.target) == (Fate.MOVES, "paid")


def test_a_quarantined_case_stays_until_a_person_has_looked(bench):
    bench.approved()
    bench.runtime.context.stop.set()
    bench.submit("pay", "p", order_id="o1")
    bench.reopen(NEW)  # under another version nobody can tell what the effect would mean
    assert bench.row().quarantined
    (fate,) = moved(bench).cases
    assert (fate.fate, fate.record) == (Fate.QUARANTINED, None)
    bench.reopen()
    bench.runtime.observe("order", ("o1",), "sven", "approved")
    assert moved(bench).cases[0].fate is Fate.MOVES


def stays(bench, lines="", new=NEW):
    (fate,) = moved(bench, lines, new).cases
    assert (fate.fate, fate.record, fate.state) == (Fate.NEEDS_PERSON, None, "approved")
    assert bench.row().case.machine == OLD.digest
    assert bench.records("migration") == []
    return fate.why


def test_a_case_whose_state_needs_a_person_stays(bench):
    bench.approved()
    assert stays(bench, 'state approved needs person "Ask the bank."\n') == "state `approved`: Ask the bank."


def test_a_case_whose_memory_does_not_fit_stays(bench):
    bench.approved()
    narrow = dataclasses.replace(NEW, memory=(MemoryField("promised", DecimalType(2, 0, 10_00), 0),))
    assert (
        stays(bench, "memory promised = promised\n", narrow)
        == "memory `promised`: 20.00 is no decimal(2, 0.00 to 10.00)"
    )


def test_a_case_of_which_nobody_can_tell_what_it_holds_stays(bench):
    bench.approved()
    lines = "memory promised = if proposer of settle == proposer of approve then 1.00 else 2.00\n"
    lines += 'forget promised "Nobody needs it."\n'
    new = dataclasses.replace(NEW, memory=(MemoryField("promised", DecimalType(2, 0, 10_000_001), 0),))
    assert stays(bench, lines, new).startswith("memory `promised`: nobody can tell what it holds (")


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param(Compare(Comparison.GREATER, ReadMemory("promised"), Constant(0)), id="true"),
        pytest.param(
            Compare(
                Comparison.EQUAL, ReadHistory(History.PROPOSER, "settle"), ReadHistory(History.PROPOSER, "approve")
            ),
            id="unknown",
        ),
    ],
)
def test_a_case_that_would_violate_a_property_stays(bench, condition):
    bench.approved()
    new = dataclasses.replace(NEW, properties=(Never("modest", "Promise little.", "order", ("approved",), condition),))
    assert stays(bench, "", new) == "property `modest`: Promise little."


def test_a_property_that_reads_facts_is_noted_as_untested(bench):
    bench.approved()
    total = ReadFact(ReadInput(world.Input.CASE), "order", "total")
    condition = Compare(Comparison.GREATER, ReadMemory("promised"), total)
    new = dataclasses.replace(
        NEW, properties=(Never("covered", "Never more than paid.", "order", ("approved", "paid"), condition),)
    )
    (fate,) = moved(bench, "", new).cases
    assert (fate.fate, fate.untested) == (Fate.MOVES, ("covered",))
    assert bench.records("migrated")[0].content["untested"] == ["covered"]


# --- what moves with a case ---


def test_time_in_a_state_is_kept_or_begins_anew_as_the_map_says(bench):
    for lines, begins_anew in (("", False), ("state approved to approved restarting time\n", True)):
        order = "o2" if begins_anew else "o1"
        bench.reopen()
        bench.approved(order)
        before = bench.row(order).case
        bench.clock.instant += 50 * world.MINUTE
        new = dataclasses.replace(NEW, text=lines)
        moved(bench, lines, new)
        assert (bench.row(order).case.entered != before.entered) is begins_anew
        bench.clock.instant += 20 * world.MINUTE
        verdict = bench.submit("wait", f"w-{order}", order_id=order).verdict
        assert (verdict.code == "too_early") is begins_anew, verdict
    bench.assert_replays()


def test_who_acted_is_remembered_under_the_new_name(bench):
    bench.approved()
    new = renamed("approve", "promise")
    settle = next(one for one in new.transitions if one.name == "settle")
    hands = world._require(
        "same_hands", Compare(Comparison.UNEQUAL, world._PROPOSER, ReadHistory(History.PROPOSER, "promise"))
    )
    changed = dataclasses.replace(settle, clauses=(hands,))
    new = dataclasses.replace(new, transitions=tuple(changed if one is settle else one for one in new.transitions))
    moved(bench, 'proposer of promise = proposer of approve\nforget signers of agreed "Nobody asks."\n', new)
    assert bench.row().case.proposers == {"promise": "sven"}
    assert bench.submit("settle", "s", order_id="o1").verdict.clauses[0].result.value == "failed"
    assert isinstance(bench.submit("settle", "t", world.Caller("sia", "supervisor"), order_id="o1").verdict, Accepted)
    bench.assert_replays()


def test_people_who_have_taken_a_case_over_have_it_still(bench):
    bench.approved()
    bench.runtime.take_over(CASE, "sven", "")
    moved(bench)
    assert bench.row().case.human_only
    assert bench.submit("pay", "b", world.ASSISTANT, order_id="o1").verdict.stage is Stage.MODE
    bench.assert_replays()


def test_open_questions_are_void_and_let_go_of_what_they_held(bench):
    limited = with_clause(OLD, "vouch", world._PACE)
    new = dataclasses.replace(limited, version="2.0.0")
    bench.reopen(limited)
    bench.approved()
    assert isinstance(bench.submit("vouch", "", order_id="o1").verdict, Escalated)
    (question,) = bench.runtime.open_questions()
    assert bench.say("sam", "vouched").void is None
    bench.reopen(new)
    (fate,) = moved(bench, "", new, limited).cases
    assert [void.question for void in fate.void] == [question.id]
    assert bench.runtime.open_questions() == ()
    assert list(bench.ledger.cells("reservation")) == []
    said = Said(question.id, "sia", "supervisor", "vouched", True, question.preview.digest)
    late = bench.runtime.answer(said)
    assert late.void is Void.NO_SUCH_QUESTION
    again = bench.submit("vouch", "", order_id="o1").verdict  # the very same candidate
    assert isinstance(again, Escalated)  # and nobody has signed yet
    assert [clause.answered_by for clause in again.clauses if clause.code == "vouched"] == [()]
    bench.assert_replays()
