"""Goal: signatures prove who answered; inbox and mandates have their bounds; crashes and forgers change nothing."""

import dataclasses

import pytest
import refund_world as world
from asking import BOTH, SIGNED, WAIVABLE, ask, go_on_with, voided

from edca.kernel.canonical import encode
from edca.kernel.inputs import Attestation, Authenticated
from edca.kernel.roster import Principal
from edca.kernel.verdict import Accepted, Refused
from edca.ledger.errors import TamperedError
from edca.ledger.record import Draft, parse
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.store import Cell
from edca.runtime import inbox
from edca.runtime.approving import Void
from edca.runtime.heard import check_answers
from edca.runtime.inbox import Risk
from edca.runtime.ports import Performed, Report
from edca.runtime.replay import replay
from edca.runtime.signatures import message, new_key, public_key, sign

PRIVATE, PUBLIC = new_key()

# --- keys ---


def _signature(found, code, yes=True, private=PRIVATE, **changes):
    parts = {"question": found.id, "preview": found.preview.digest, "code": code} | changes
    return sign(private, message(**parts, yes=yes))


def test_who_has_a_key_answers_signed_or_not_at_all(bench):
    ask(bench)
    go_on_with(bench, Principal("sam", ("supervisor",), key=PUBLIC))
    (found,) = bench.runtime.open_questions()
    assert voided(bench, bench.say("sam", "lavish")) is Void.UNSIGNED
    other = new_key()[0]
    for wrong in (
        _signature(found, "lavish", yes=False),
        _signature(found, "twice"),
        _signature(found, "lavish", private=other),
        _signature(found, "lavish", question="0123456789abcdef"),
        _signature(found, "lavish", preview=bytes(32)),
    ):
        assert voided(bench, bench.say("sam", "lavish", signature=wrong)) is Void.BAD_SIGNATURE
    answered = bench.say("sam", "lavish", signature=_signature(found, "lavish"))
    assert isinstance(answered.answer.verdict, Accepted)
    found = check_answers(bench.ledger.records())
    assert (found.signed, found.broken, found.asserted) == ((answered.record.index,), (), ())
    bench.assert_replays()


def test_a_key_makes_its_public_half():
    assert public_key(PRIVATE) == PUBLIC
    assert len(sign(PRIVATE, b"x")) == 64


def test_what_the_host_asserts_is_told_apart(bench):
    ask(bench)
    answered = bench.say("sam", "lavish")
    found = check_answers(bench.ledger.records())
    assert (found.signed, found.broken, found.asserted) == ((), (), (answered.record.index,))


def test_a_host_cannot_hand_over_answers_as_signed_or_as_the_inboxs(bench):
    bench.reopen(WAIVABLE)
    for changes in ({"source": inbox.SOURCE}, {"source": "desk", "authenticated": Authenticated.SIGNED}):
        forged = Attestation("lavish", True, "sam", "supervisor", **({"at": 0} | changes))
        with pytest.raises(ValueError, match="inbox"):
            bench.submit("approve", "k", world.ASSISTANT, (forged,), order_id="o1", amount="20.00")


# --- order, bounds, mandates ---


def test_the_riskiest_comes_first_then_what_is_over_sooner(bench):
    stamp = dataclasses.replace(
        next(item for item in WAIVABLE.transitions if item.name == "stamp_and_pay"),
        sources=("requested",),
        clauses=(dataclasses.replace(SIGNED, within_us=None),),
    )
    others = tuple(item for item in BOTH.transitions if item.name != stamp.name)
    machine = dataclasses.replace(BOTH, transitions=tuple(sorted((*others, stamp), key=lambda t: t.name)))
    bench.reopen(machine)
    bench.submit("approve", "a", world.ASSISTANT, order_id="o1", amount="20.00")
    bench.submit("stamp_and_pay", "b", world.ASSISTANT, order_id="o2")
    bench.submit("approve", "c", world.ASSISTANT, order_id="o2", amount="20.00")
    found = bench.runtime.open_questions()
    assert [one.candidate.key for one in found] == ["b", "a", "c"]
    assert [one.risk for one in found] == [Risk.IRREVERSIBLE, Risk.NO_EFFECT, Risk.NO_EFFECT]
    bench.assert_replays()


def test_beyond_its_bound_the_inbox_refuses(bench):
    bench.reopen(WAIVABLE, inbox_max=1)
    bench.submit("approve", "a", world.ASSISTANT, order_id="o1", amount="20.00")
    full = bench.submit("approve", "b", world.ASSISTANT, order_id="o2", amount="20.00")
    assert isinstance(full.verdict, Refused)
    assert full.verdict.code == "overload"
    assert isinstance(bench.say("sam", "lavish").answer.verdict, Accepted)
    bench.assert_replays()


def test_a_mandate_is_used_up_and_counted_on_record(bench):
    (mandate,) = world.ROSTER.mandates
    bench.reopen()
    go_on_with(bench, machine=world.MACHINE, mandates=(dataclasses.replace(mandate, uses_max=1),))
    first = bench.submit("approve", "a", world.ASSISTANT, order_id="o1", amount="20.00")
    assert isinstance(first.verdict, Accepted)
    second = bench.submit("approve", "b", world.ASSISTANT, order_id="o2", amount="20.00")
    assert second.verdict.code == "no_anchor"
    assert [record.content["mandate_uses"] for record in bench.records("verdict")] == [{"m1": 0}, {"m1": 1}]
    bench.assert_replays()
    bench.ledger.commit((), [Cell("mandate", key, encode(0)) for key, _ in bench.ledger.cells("mandate")])
    bench.submit("approve", "c", world.ASSISTANT, order_id="o2", amount="20.00")
    assert replay(bench.ledger).mismatches[0].path == "mandate_uses.m1"


def test_a_mandate_taken_back_answers_for_nothing_more(bench):
    (mandate,) = world.ROSTER.mandates
    bench.reopen()
    go_on_with(bench, machine=world.MACHINE, mandates=(dataclasses.replace(mandate, revoked_at=world.START),))
    answer = bench.submit("approve", "a", world.ASSISTANT, order_id="o1", amount="20.00")
    assert answer.verdict.code == "no_anchor"
    bench.assert_replays()


# --- the world fails ---


class StopError(Exception):
    """Ends the process, as far as a test can."""


def _answer_and_stop(bench):
    """Leave an answer on record whose decision never came."""
    ask(bench)

    def stop(found):
        raise StopError

    bench.runtime.reconsider = stop
    with pytest.raises(StopError):
        bench.say("sam", "lavish")


def test_under_a_halt_the_decision_of_an_answer_waits(bench):
    _answer_and_stop(bench)
    bench.runtime.halt("sven", "Look first.")
    assert bench.reopen(WAIVABLE) == ()
    (decided,) = bench.runtime.resume("sven")
    assert isinstance(decided.verdict, Accepted)
    bench.assert_replays()


def test_an_answer_that_counted_leads_to_its_decision_after_a_crash(bench):
    _answer_and_stop(bench)
    assert len(bench.records("verdict")) == 1
    (recovered,) = bench.reopen(WAIVABLE)
    assert isinstance(recovered.verdict, Accepted)
    assert bench.reopen(WAIVABLE) == ()
    bench.assert_replays()


def test_the_answer_to_a_candidate_with_effects_carries_them_out(bench):
    machine = dataclasses.replace(
        world.MACHINE,
        transitions=tuple(
            dataclasses.replace(item, clauses=(SIGNED,)) if item.name == "pay" else item
            for item in world.MACHINE.transitions
        ),
    )
    bench.reopen(machine)
    bench.approved()
    bench.submit("pay", "p", world.ASSISTANT, order_id="o1")
    (found,) = bench.runtime.open_questions()
    assert [intent.effect for intent in found.preview.intents] == ["send_money"]
    bench.say("sam", "twice")
    done = bench.say("sia", "twice").answer
    assert (done.state, done.outcome.value) == ("paid", "confirmed")
    assert world.row(bench.world, "o1")[1] == 2000
    assert bench.submit("pay", "p", world.ASSISTANT, order_id="o1") == done
    bench.assert_replays()


def test_a_cell_that_names_other_records_is_noticed(bench):
    ask(bench)
    ((key, value),) = bench.ledger.cells(inbox.SPACE)
    waiting = inbox.Waiting(key, 0, 0, world.START * 2, None)
    bench.ledger.commit((), [waiting.cell()])
    with pytest.raises(TamperedError):
        bench.runtime.open_questions()
    bench.ledger.commit((), [Cell(inbox.SPACE, key, value)])
    bench.runtime.open_questions()


def test_a_void_answer_never_passes_for_one_that_counted(bench):
    ask(bench)
    void = bench.say("carla", "lavish")
    ((key, _),) = bench.ledger.cells(inbox.SPACE)
    item = inbox.find(bench.runtime.context, key)
    bench.ledger.commit((), [dataclasses.replace(item, approval=void.record.index).cell()])
    with pytest.raises(TamperedError, match="did not count"):
        bench.submit("approve", "k", world.ASSISTANT, (_told(bench),), order_id="o1", amount="20.00")


def _told(bench):
    return Attestation("agreed", True, "carla", "customer", "desk", bench.clock.instant)


def test_an_escalated_creation_waits_too(bench):
    (declared,) = (item for item in world.MACHINE.transitions if item.name == "open")
    opening = dataclasses.replace(declared, clauses=(dataclasses.replace(SIGNED, count=1),))
    others = tuple(item for item in world.MACHINE.transitions if item.name != "open")
    bench.reopen(
        dataclasses.replace(world.MACHINE, transitions=tuple(sorted((*others, opening), key=lambda t: t.name)))
    )
    bench.submit("open", "n", world.ASSISTANT, amount="20.00")
    answered = bench.say("sam", "twice")
    assert answered.answer.state == "approved"
    bench.assert_replays()


def test_effects_that_fail_after_an_answer_leave_its_question_answered(bench):
    machine = dataclasses.replace(
        world.MACHINE,
        transitions=tuple(
            dataclasses.replace(item, clauses=(dataclasses.replace(SIGNED, count=1),)) if item.name == "pay" else item
            for item in world.MACHINE.transitions
        ),
    )
    bench.reopen(machine)
    bench.approved()
    bench.submit("pay", "p", world.ASSISTANT, order_id="o1")
    bench.router.perform = lambda permit: Report(Performed.FAILED)
    assert bench.say("sam", "twice").answer.outcome.value == "failed"
    assert bench.runtime.open_questions() == ()
    bench.assert_replays()


def test_a_replay_finds_an_answer_that_was_heard_and_never_counted(bench, tmp_path):
    ask(bench)
    bench.say("sam", "lavish")
    with SQLiteLedger.open(tmp_path / "forged.db", durable=False) as forged:
        for stored in bench.ledger.records():
            record = parse(stored.body)
            void = {"void": "replayed"} if record.kind == "approval" else {}
            forged.commit([Draft(record.chain, record.kind, {**record.content, **void})])
        (mismatch,) = replay(forged).mismatches
    assert mismatch.path.startswith("attestations[0]")
