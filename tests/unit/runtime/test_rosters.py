"""Goal: what is taken from somebody is taken at once and for good, on record under the name of who had it so."""

import dataclasses

import desk_world
import pytest
import refund_world as world
from asking import BOTH, WAIVABLE, ask
from desk_bench import DeskBench

from edca.kernel.machine import Mode
from edca.kernel.roster import Principal, Roster
from edca.kernel.verdict import Accepted, Escalated
from edca.ledger.ed25519 import new_key, sign
from edca.ledger.record import Draft, parse
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime import modes
from edca.runtime.approving import Void
from edca.runtime.loop import Runtime
from edca.runtime.mode_changes import ModeError
from edca.runtime.replay import replay
from edca.runtime.rosters import AdoptionError
from edca.runtime.scheduler import Scheduler
from edca.runtime.signatures import message

PRIVATE, PUBLIC = new_key()
WITHOUT_SAM = Roster(tuple(one for one in world.ROSTER.principals if one.id != "sam"), world.ROSTER.mandates)


def with_principal(principal):
    kept = tuple(one for one in world.ROSTER.principals if one.id != principal.id)
    return Roster((*kept, principal), world.ROSTER.mandates)


def adopt(bench, roster, reason="Sam has left."):
    return bench.runtime.adopt_roster(roster, "ops", reason)


def open_with(bench, roster, machine):
    return Runtime(machine, bench.router, bench.ledger, roster, bench.clock, admit=bench.runtime._admit)


def test_a_mandate_taken_back_carries_nothing_from_the_next_decision_on(bench):
    assert isinstance(bench.submit("approve", "a", world.ASSISTANT, order_id="o1", amount="1.00").verdict, Accepted)
    taken = dataclasses.replace(world.ROSTER.mandates[0], revoked_at=bench.clock.instant)
    adopt(bench, Roster(world.ROSTER.principals, (taken,)), "The mandate is taken back.")
    assert bench.submit("approve", "b", world.ASSISTANT, order_id="o2", amount="1.00").verdict.code == "no_anchor"
    bench.assert_replays()


def test_who_is_off_the_roster_proposes_and_answers_nothing_more(bench):
    ask(bench)
    adopt(bench, WITHOUT_SAM)
    assert bench.say("sam", "lavish").void is Void.WRONG_ROLE
    gone = bench.submit("approve", "x", world.Caller("sam", "supervisor"), order_id="o2", amount="1.00")
    assert gone.verdict.code == "unknown_proposer"
    assert isinstance(bench.say("sia", "lavish").answer.verdict, Accepted)
    bench.assert_replays()


def test_answers_of_who_is_off_the_roster_count_no_more_in_what_is_open(bench):
    ask(bench, BOTH)
    bench.say("sam", "twice")
    bench.say("sam", "lavish")
    (decided,) = adopt(bench, WITHOUT_SAM).answers
    assert isinstance(decided.verdict, Escalated)
    assert {need.code for need in decided.verdict.needs} == {"twice", "lavish"}
    bench.say("sia", "twice")
    bench.say("sven", "twice")
    assert isinstance(bench.say("sia", "lavish").answer.verdict, Accepted)
    bench.assert_replays()


@pytest.mark.parametrize("key", [None, PUBLIC[::-1]], ids=["none", "another"])
def test_answers_signed_with_a_key_that_is_taken_count_no_more(bench, key):
    """Whoever has stolen it could have signed them; and the person can answer anew."""
    ask(bench, BOTH)
    adopt(bench, with_principal(Principal("sam", ("supervisor",), key=PUBLIC)), "Sam has a key.")
    (found,) = bench.runtime.open_questions()
    signature = sign(PRIVATE, message(found.id, found.preview.digest, "twice", yes=True))
    assert bench.say("sam", "twice", signature=signature).void is None
    assert bench.say("sia", "twice").answer.verdict.needs[0].code == "lavish"
    adopt(bench, with_principal(Principal("sam", ("supervisor",), key=key)), "The key was stolen.")
    (found,) = bench.runtime.open_questions()
    assert {need.code for need in found.verdict.needs} == {"twice", "lavish"}
    again = bench.say("sam", "twice", signature=signature)
    assert again.void is Void.BAD_SIGNATURE
    if key is None:
        assert bench.say("sam", "twice").void is None
    bench.assert_replays()


def test_a_key_that_is_given_makes_earlier_answers_without_it_count_no_more(bench):
    ask(bench, BOTH)
    bench.say("sam", "twice")
    adopt(bench, with_principal(Principal("sam", ("supervisor",), key=PUBLIC)), "Sam has a key.")
    assert bench.say("sia", "twice").answer.verdict.needs[-1].code == "twice"
    bench.assert_replays()


def test_under_a_halt_open_questions_wait_and_are_decided_under_the_new_roster(bench):
    ask(bench)
    bench.runtime.halt("ops", "Look first.")
    assert adopt(bench, WITHOUT_SAM).answers == ()
    bench.runtime.resume("ops")
    assert bench.say("sam", "lavish").void is Void.WRONG_ROLE
    bench.assert_replays()


def test_no_file_from_before_brings_back_what_was_taken(bench):
    adopt(bench, WITHOUT_SAM)
    with pytest.raises(AdoptionError, match="adopted another roster"):
        open_with(bench, world.ROSTER, world.MACHINE)
    runtime = open_with(bench, WITHOUT_SAM, world.MACHINE)
    assert runtime.context.roster == WITHOUT_SAM
    runtime.adopt_roster(world.ROSTER, "ops", "Sam is back.")
    assert open_with(bench, world.ROSTER, world.MACHINE).context.roster == world.ROSTER
    bench.assert_replays()


def test_a_runtime_of_another_tenant_is_not_concerned(bench):
    adopt(bench, WITHOUT_SAM)
    other = Runtime(
        world.MACHINE, bench.router, bench.ledger, world.ROSTER, bench.clock, admit=bench.runtime._admit, tenant="b"
    )
    assert other.context.roster == world.ROSTER


def test_it_is_on_record_who_had_it_adopted_and_why(bench):
    adopted = adopt(bench, WITHOUT_SAM)
    (record,) = bench.records("roster")
    content = record.content
    assert (content["by"], content["reason"], content["authenticated"]) == ("ops", "Sam has left.", "asserted")
    assert (content["roster"], content["adopts"]) == (world.ROSTER.digest, WITHOUT_SAM.digest)
    assert bench.ledger.read(adopted.record.index).leaf.body_digest == adopted.record.digest


@pytest.mark.parametrize(
    ("by", "reason", "roster", "message"),
    [
        ("bot", "I want it.", WITHOUT_SAM, "stands a model"),
        ("robot", "I want it.", with_principal(Principal("robot", ("assistant",), "model-2")), "stands a model"),
        ("", "Why not.", WITHOUT_SAM, "has a name"),
        ("ops", " ", WITHOUT_SAM, "for a reason"),
    ],
)
def test_what_cannot_be_adopted_is_not_recorded(bench, by, reason, roster, message):
    size = bench.ledger.size
    with pytest.raises(AdoptionError, match=message):
        bench.runtime.adopt_roster(roster, by, reason)
    assert bench.ledger.size == size


def test_the_roster_that_the_host_opened_with_can_be_made_the_only_one(bench):
    adopt(bench, world.ROSTER, "No other one from here on.")
    with pytest.raises(AdoptionError, match="in force already"):
        adopt(bench, world.ROSTER, "Again.")
    with pytest.raises(AdoptionError, match="adopted another roster"):
        open_with(bench, WITHOUT_SAM, world.MACHINE)
    bench.assert_replays()


def test_modes_too_are_a_matter_of_the_roster_in_force(bench):
    calm = Mode("calm", "Calm.", ("pay",), (), ("supervisor",), (), ("supervisor",))
    machine = dataclasses.replace(WAIVABLE, modes=(calm,))
    bench.reopen(machine)
    adopt(bench, with_principal(Principal("sam", ("supervisor",), ends=world.START)))
    with pytest.raises(ModeError, match="no person"):
        bench.runtime.enter_mode("calm", "sam", "supervisor")
    bench.runtime.enter_mode("calm", "sia", "supervisor")
    bench.assert_replays()


def test_a_replay_finds_a_decision_under_a_roster_that_was_not_in_force(bench, tmp_path):
    adopt(bench, WITHOUT_SAM)
    bench.submit("approve", "a", order_id="o1", amount="1.00")
    with SQLiteLedger.open(tmp_path / "forged.db", durable=False) as forged:
        for stored in bench.ledger.records():
            record = parse(stored.body)
            other = {"roster": world.ROSTER.digest} if record.kind == "verdict" else {}
            forged.commit([Draft(record.chain, record.kind, record.content | other)])
        (mismatch,) = replay(forged).mismatches
    assert mismatch.path == "roster"


def test_who_may_not_halt_any_more_holds_nothing_up(bench, monkeypatch):
    """Though they were let through at first, by the roster from before."""
    bench.approved()
    bench.runtime.context.stop.set()
    assert bench.submit("pay", "p", order_id="o1").outcome is None
    bench.runtime.context.stop.clear()
    monkeypatch.setattr(modes, "check_halt", lambda context, by, reason: None)
    with pytest.raises(ModeError, match="stands a model"):
        bench.runtime.halt("bot", "I want it.")
    assert bench.row().case.state == "paid"
    assert not bench.runtime.context.stop.is_set()
    bench.assert_replays()


def test_the_clock_too_proposes_by_the_roster_in_force(tmp_path):
    desk = DeskBench(tmp_path)
    scheduler = Scheduler(desk.runtime)
    kept = tuple(one for one in desk_world.ROSTER.principals if one.id != "ticker")
    roster = Roster((*kept, Principal("new ticker", ("timer",))), desk_world.ROSTER.mandates)
    desk.runtime.adopt_roster(roster, "ops", "Another machine keeps the time.")
    desk.ask("60.00")
    desk.submit("lapse", caller=desk_world.Caller("new ticker", "timer"))
    desk.clock.instant += 3 * desk_world.HOUR
    assert scheduler.run_due()
    (*_, last) = [parse(stored.body) for stored in desk.ledger.records() if parse(stored.body).kind == "verdict"]
    assert last.content["candidate"]["proposer"] == "new ticker"
    desk.assert_sound()
    desk.close()
