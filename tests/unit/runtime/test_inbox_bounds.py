"""Goal: signatures prove who answered; inbox and mandates have their bounds; crashes and forgers change nothing."""

import dataclasses

import pytest
import refund_world as world
from asking import BOTH, DAY, SIGNED, WAIVABLE, ask, go_on_with, voided

from edca.kernel.canonical import decode, encode
from edca.kernel.inputs import Attestation, Authenticated
from edca.kernel.machine import Mode
from edca.kernel.roster import Principal
from edca.kernel.verdict import Accepted, Refused
from edca.ledger.ed25519 import new_key, public_key, sign
from edca.ledger.errors import TamperedError
from edca.ledger.record import Draft, parse
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.store import Cell
from edca.runtime import inbox, modes, waiting
from edca.runtime.approving import Void
from edca.runtime.heard import check_answers
from edca.runtime.inbox import Risk
from edca.runtime.ports import Performed, Report
from edca.runtime.replay import replay
from edca.runtime.scheduler import Scheduler
from edca.runtime.signatures import message

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


def test_no_other_account_of_somebody_who_has_a_key_answers_unsigned(bench):
    """Who could make such an account would else answer for somebody who signs."""
    ask(bench, BOTH)
    keyed = Principal("sam", ("supervisor",), person="sam.ray", key=PUBLIC)
    go_on_with(bench, keyed, Principal("sam2", ("supervisor",), person="sam.ray"), machine=BOTH)
    (found,) = bench.runtime.open_questions()
    assert voided(bench, bench.say("sam2", "twice")) is Void.UNSIGNED
    assert voided(bench, bench.say("sam2", "twice", yes=False)) is Void.UNSIGNED
    signed = bench.say("sam2", "twice", signature=_signature(found, "twice"))
    assert signed.void is None
    assert voided(bench, bench.say("sam", "twice", signature=_signature(found, "twice"))) is Void.REPLAYED
    checked = check_answers(bench.ledger.records())
    assert (checked.signed, checked.broken, checked.asserted) == ((signed.record.index,), (), ())


def test_a_key_on_an_account_that_is_over_binds_nobody_any_more(bench):
    ask(bench)
    over = Principal("sam", ("supervisor",), person="sam.ray", key=PUBLIC, ends=world.START)
    go_on_with(bench, over, Principal("sam2", ("supervisor",), person="sam.ray"))
    assert bench.say("sam2", "lavish").void is None
    assert len(check_answers(bench.ledger.records()).asserted) == 1
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
    for changes in ({"source": waiting.SOURCE}, {"source": "desk", "authenticated": Authenticated.SIGNED}):
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
    ((key, value),) = bench.ledger.cells("mandate")
    _, newest = decode(value)
    bench.ledger.commit((), [Cell("mandate", key, encode([0, newest]))])
    with pytest.raises(TamperedError, match="mandate `m1`"):
        bench.submit("approve", "c", world.ASSISTANT, order_id="o2", amount="20.00")
    bench.ledger.commit((), [Cell("mandate", key, None)])
    bench.submit("approve", "c", world.ASSISTANT, order_id="o2", amount="20.00")
    found = replay(bench.ledger)
    assert found.mismatches[0].path == "mandate_uses.m1"
    assert [(one.space, one.cell, one.records) for one in found.cells] == [("mandate", "1", "2")]


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


def _answer_and_stop(bench, machine=WAIVABLE):
    """Leave an answer on record whose decision never came."""
    ask(bench, machine)

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


CALM = (Mode("calm", "Calm.", ("pay",), (), ("supervisor",), (), ("supervisor",)),)


def test_a_mode_that_ends_lets_answers_lead_to_their_decision(bench):
    machine = dataclasses.replace(WAIVABLE, modes=CALM)
    _answer_and_stop(bench, machine)
    bench.runtime.enter_mode("calm", "sven", "supervisor")
    assert bench.reopen(machine) == ()
    bench.runtime.leave_mode("sven", "supervisor")
    assert bench.row().case.state == "approved"
    bench.assert_replays()


def test_the_timers_decide_what_was_answered_while_nothing_could_be(bench):
    machine = dataclasses.replace(WAIVABLE, modes=CALM)
    _answer_and_stop(bench, machine)
    bench.runtime.enter_mode("calm", "sven", "supervisor")
    bench.reopen(machine)
    modes.leave(bench.runtime.context, "sven", "supervisor")  # as where a trigger ends it: nothing is carried on
    Scheduler(bench.runtime).run_due()
    assert bench.row().case.state == "approved"
    bench.assert_replays()


@pytest.mark.parametrize("stop", ["halt", "mode", "clock"])
def test_what_only_cannot_be_decided_now_leaves_its_question_and_its_answers(bench, stop):
    machine = dataclasses.replace(BOTH, modes=CALM)
    ask(bench, machine)
    bench.say("sam", "twice")
    cells = [(space, *bench.ledger.cells(space)) for space in (waiting.SPACE, "reservation", "counter")]
    instant = bench.clock.instant
    match stop:
        case "halt":
            bench.runtime.halt("sven", "Look first.")
        case "mode":
            bench.runtime.enter_mode("calm", "sven", "supervisor")
        case "clock":
            bench.clock.instant = world.START - 1_000_000_000
    refused = bench.submit("approve", "k", world.ASSISTANT, (_told(bench),), order_id="o1", amount="20.00")
    assert isinstance(refused.verdict, Refused)
    assert [(space, *bench.ledger.cells(space)) for space in (waiting.SPACE, "reservation", "counter")] == cells
    bench.clock.instant = instant + 1_000_000_000
    if stop == "halt":
        bench.runtime.resume("sven")
    if stop == "mode":
        bench.runtime.leave_mode("sven", "supervisor")
    bench.say("sia", "twice")
    assert isinstance(bench.say("sven", "lavish").answer.verdict, Accepted)
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


@pytest.mark.parametrize(
    "edit",
    [
        lambda item: {"opened": 0, "newest": 0},
        lambda item: {"opened": item.newest},
        lambda item: {"newest": item.opened},
        lambda item: {"due": item.due + DAY},
        lambda item: {"answers": ()},
        lambda item: {"answers": item.answers[1:]},
        lambda item: {"answers": item.answers[::-1]},
        lambda item: {"answers": (*item.answers, item.answers[-1])},
    ],
)
def test_a_cell_that_says_something_else_than_its_records_is_noticed(bench, edit):
    """A longer time to answer, or an answer less, would be authority that nobody gave."""
    ask(bench, BOTH)
    bench.say("sam", "twice")
    bench.say("sia", "lavish")
    ((key, value),) = bench.ledger.cells(waiting.SPACE)
    item = inbox.find(bench.runtime.context, key)
    bench.ledger.commit((), [dataclasses.replace(item, **edit(item)).cell()])
    with pytest.raises(TamperedError):
        bench.runtime.open_questions()
    with pytest.raises(TamperedError):
        bench.submit("approve", "k", world.ASSISTANT, (_told(bench),), order_id="o1", amount="20.00")
    bench.ledger.commit((), [Cell(waiting.SPACE, key, value)])
    bench.runtime.open_questions()


def test_a_void_answer_never_passes_for_one_that_counted(bench):
    ask(bench)
    void = bench.say("carla", "lavish")
    ((key, _),) = bench.ledger.cells(waiting.SPACE)
    item = inbox.find(bench.runtime.context, key)
    bench.ledger.commit((), [dataclasses.replace(item, answers=(void.record.index,)).cell()])
    with pytest.raises(TamperedError, match="none by its records"):
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
    assert mismatch.path.startswith("answers heard[0]")
