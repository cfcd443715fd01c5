"""Goal: people answer what they were shown, or their answer is void; each is on record, and nothing approves itself."""

import dataclasses

import pytest
import refund_world as world
from asking import BOTH, DAY, SIGNED, approval, ask, go_on_with, voided

from edca.kernel.inputs import Attestation
from edca.kernel.roster import Principal
from edca.kernel.verdict import Accepted, Escalated, Intent, Refused, Result
from edca.runtime.approving import AnswerError, Said, Void

# --- waivers ---


def test_a_person_in_the_role_waives_just_this_clause(bench):
    ask(bench)
    answered = bench.say("sam", "lavish")
    assert answered.void is None
    assert isinstance(answered.answer.verdict, Accepted)
    result = answered.answer.verdict.clauses[-1]
    assert (result.code, result.result, result.answered_by) == ("lavish", Result.WAIVED, ("sam",))
    assert bench.runtime.open_questions() == ()
    assert bench.submit("approve", "k", world.ASSISTANT, order_id="o1", amount="20.00") == answered.answer
    (record,) = bench.records("approval")
    assert (record.content["by"], record.content["authenticated"], record.chain) == ("sam", "asserted", '/order:["o1"]')
    bench.assert_replays()


def test_a_no_refuses_and_stays_the_answer(bench):
    ask(bench)
    answered = bench.say("sam", "lavish", yes=False)
    assert isinstance(answered.answer.verdict, Refused)
    assert answered.answer.verdict.code == "lavish"
    assert bench.submit("approve", "k", world.ASSISTANT, order_id="o1", amount="20.00") == answered.answer
    assert bench.runtime.open_questions() == ()
    bench.assert_replays()


def test_a_waiver_is_no_signature(bench):
    ask(bench, BOTH)
    waived = bench.say("sam", "lavish").answer.verdict
    assert [(need.code, need.count) for need in waived.needs] == [("twice", 2)]
    assert [(n.code, n.count) for n in bench.say("sam", "twice").answer.verdict.needs] == [("twice", 1)]
    assert isinstance(bench.say("sia", "twice").answer.verdict, Accepted)
    bench.assert_replays()


def test_answers_outlast_a_restart_and_a_second_delivery(bench):
    ask(bench, BOTH)
    bench.say("sam", "twice")
    bench.reopen(BOTH)
    again = bench.submit("approve", "k", world.ASSISTANT, order_id="o1", amount="20.00")
    assert [(n.code, n.count) for n in again.verdict.needs] == [("lavish", 1), ("twice", 1)]
    bench.say("sia", "lavish")
    assert isinstance(bench.say("sia", "twice").answer.verdict, Accepted)
    bench.assert_replays()


# --- void ---


def test_every_byte_of_the_preview_counts(bench):
    ask(bench)
    (found,) = bench.runtime.open_questions()
    for place in range(32):
        shown = bytearray(found.preview.digest)
        shown[place] ^= 1
        answered = bench.say("sam", "lavish", preview=bytes(shown))
        assert answered.void is Void.PREVIEW_CHANGED
        assert isinstance(answered.answer.verdict, Escalated)
    bench.assert_replays()
    assert isinstance(bench.say("sam", "lavish").answer.verdict, Accepted)


def test_what_the_preview_covers_changes_its_digest(bench):
    ask(bench)
    (found,) = bench.runtime.open_questions()
    seen, raw = found.preview, found.preview.to_raw()
    assert raw["memory"] == {"promised": "20.00"}
    assert raw["waived"] == ["lavish"]
    changes = {
        "machine": bytes(32),
        "candidate": bytes(32),
        "case": '/order:["o2"]',
        "transition": "other",
        "source": "approved",
        "target": "paid",
        "memory": {"promised": "20.01"},
        "intents": (Intent("stamp", {"order": ["o1"]}),),
        "waived": (),
    }
    assert set(changes) == set(raw)
    for name, value in changes.items():
        assert dataclasses.replace(seen, **{name: value}).digest != seen.digest


def test_a_preview_that_changed_meanwhile_is_asked_anew(bench):
    machine = approval(SIGNED, assignments=(world.Assignment("promised", world._field("refunded")),))
    ask(bench, machine)
    bench.say("sam", "twice")
    (before,) = bench.runtime.open_questions()
    with bench.router._open() as connection, connection:
        connection.execute("UPDATE orders SET refunded = 100 WHERE order_id = 'o1'")
    assert voided(bench, bench.say("sia", "twice")) is Void.PREVIEW_CHANGED
    (after,) = bench.runtime.open_questions()
    assert (after.id, after.due) == (before.id, before.due)
    assert after.preview.digest != before.preview.digest
    # What was signed before was signed for something else.
    assert [(need.code, need.count) for need in after.verdict.needs] == [("twice", 2)]
    bench.say("sia", "twice")
    assert isinstance(bench.say("sam", "twice").answer.verdict, Accepted)
    bench.assert_replays()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"by": "carla"}, Void.WRONG_ROLE),
        ({"by": "carla", "role": "customer"}, Void.WRONG_ROLE),
        ({"by": "nobody"}, Void.WRONG_ROLE),
        ({"by": "bot"}, Void.WRONG_ROLE),
        ({"by": "bot", "role": "assistant"}, Void.WRONG_ROLE),
        ({"code": "over_total"}, Void.NOT_ASKED),
        ({"code": "nothing"}, Void.NOT_ASKED),
        ({"question": "0123456789abcdef"}, Void.NO_SUCH_QUESTION),
        ({"signature": bytes(64)}, Void.BAD_SIGNATURE),
    ],
    ids=str,
)
def test_an_answer_that_may_not_count_is_void_and_on_record(bench, changes, why):
    ask(bench)
    answered = bench.say("sam", "lavish", **changes)
    assert (voided(bench, answered), answered.answer) == (why, None)
    assert len(bench.runtime.open_questions()) == 1


def test_nobody_waives_or_signs_what_they_propose_through_whichever_account(bench):
    ask(bench, caller=world.SUPERVISOR)
    assert voided(bench, bench.say("sven", "lavish")) is Void.SELF_APPROVAL
    go_on_with(bench, Principal("sven2", ("supervisor",), person="sven"))
    assert voided(bench, bench.say("sven2", "lavish")) is Void.SELF_APPROVAL
    assert isinstance(bench.say("sam", "lavish").answer.verdict, Accepted)
    bench.assert_replays()


def test_two_accounts_of_one_person_sign_once(bench):
    bench.reopen(BOTH)
    go_on_with(bench, Principal("sia", ("supervisor",), person="sam"), machine=BOTH)
    bench.submit("approve", "k", world.ASSISTANT, order_id="o1", amount="5.00")
    bench.say("sam", "twice")
    assert voided(bench, bench.say("sia", "twice")) is Void.REPLAYED
    assert [(n.code, n.count) for n in bench.runtime.open_questions()[0].verdict.needs] == [("twice", 1)]


def test_the_same_answer_again_is_void(bench):
    ask(bench, BOTH)
    bench.say("sam", "twice")
    assert voided(bench, bench.say("sam", "twice")) is Void.REPLAYED
    assert isinstance(bench.say("sam", "twice", yes=False).answer.verdict, Refused)


def test_the_subject_signs_nothing_on_the_hosts_word(bench):
    """Whoever is on no roster speaks for themselves, and never in a role that signs or waives."""
    bob = dataclasses.replace(world.ASSISTANT, subject="bob")
    ask(bench, BOTH, bob)
    for code in ("twice", "lavish"):
        assert voided(bench, bench.say("bob", code)) is Void.WRONG_ROLE


def test_whom_the_clause_excludes_cannot_sign(bench):
    machine = approval(dataclasses.replace(SIGNED, count=1, distinct_from=(world.Constant("sam"),)))
    ask(bench, machine)
    assert voided(bench, bench.say("sam", "twice")) is Void.EXCLUDED
    assert isinstance(bench.say("sia", "twice").answer.verdict, Accepted)


def test_a_late_answer_finds_the_case_gone_on(bench):
    ask(bench)
    bench.submit("approve", "other", world.SUPERVISOR, order_id="o1", amount="5.00")
    answered = bench.say("sam", "lavish")
    assert (voided(bench, answered), answered.detail) == (Void.OVERTAKEN, "no_such_transition")
    assert isinstance(answered.answer.verdict, Refused)
    assert bench.runtime.open_questions() == ()


def test_under_a_halt_an_answer_is_void_and_the_question_stays(bench):
    ask(bench)
    bench.runtime.halt("sven", "Look first.")
    answered = bench.say("sam", "lavish")
    assert (answered.void, answered.detail, answered.answer) == (Void.NOT_NOW, "halted", None)
    bench.runtime.resume("sven")
    assert isinstance(bench.say("sam", "lavish").answer.verdict, Accepted)
    bench.assert_replays()


@pytest.mark.parametrize("changes", [{"by": ""}, {"code": "x" * 300}, {"preview": b"short"}, {"signature": b"x"}])
def test_what_no_answer_can_be_is_not_even_recorded(bench, changes):
    ask(bench)
    size = bench.ledger.size
    with pytest.raises(AnswerError):
        bench.say("sam", "lavish", **changes)
    assert bench.ledger.size == size


# --- time ---


def test_no_answer_never_approves(bench):
    ask(bench)
    for days in range(1, 7):
        bench.clock.instant = world.START + days * DAY
        assert len(bench.runtime.open_questions()) == 1
    bench.clock.instant = world.START + 8 * DAY
    assert bench.runtime.open_questions() == ()
    (closed,) = bench.records("closed")
    assert closed.content["case"]["state"] == "requested"
    assert bench.records("approval") == []
    assert [r.content["verdict"]["outcome"] for r in bench.records("verdict")] == ["escalated"]
    bench.assert_replays()


def test_an_answer_behind_its_time_is_void_and_closes_the_question(bench):
    ask(bench, BOTH)
    (found,) = bench.runtime.open_questions()
    assert found.due - found.opened_at == DAY  # the shortest `within`
    bench.clock.instant = found.due
    said = Said(found.id, "sam", "supervisor", "lavish", True, found.preview.digest)
    assert voided(bench, bench.runtime.answer(said)) is Void.EXPIRED
    assert len(bench.records("closed")) == 1
    assert bench.runtime.answer(said).void is Void.NO_SUCH_QUESTION
    bench.assert_replays()


def test_an_answer_in_the_last_microsecond_of_its_time_counts(bench, monkeypatch):
    ask(bench)
    (found,) = bench.runtime.open_questions()
    monkeypatch.setattr(bench.clock, "now", lambda: found.due - 1, raising=False)
    assert isinstance(bench.say("sam", "lavish").answer.verdict, Accepted)
    bench.assert_replays()


def test_a_candidate_delivered_again_behind_the_time_is_asked_anew_without_the_old_answers(bench):
    ask(bench, BOTH)
    (found,) = bench.runtime.open_questions()
    bench.say("sam", "lavish")
    bench.clock.instant = found.due
    told = Attestation("agreed", True, "carla", "customer", "desk", bench.clock.instant)
    again = bench.submit("approve", "k", world.ASSISTANT, (told,), order_id="o1", amount="20.00")
    assert [need.code for need in again.verdict.needs] == ["lavish", "twice"]
    (asked,) = bench.runtime.open_questions()
    assert asked.id != found.id
    bench.assert_replays()


def test_each_answer_is_heard_once_and_the_last_one_stays(bench):
    ask(bench, BOTH)
    bench.say("sam", "twice")
    bench.say("sia", "lavish")
    answered = bench.say("sia", "twice", yes=False)
    assert isinstance(answered.answer.verdict, Refused)
    heard = [one["by"] for one in bench.records("verdict")[-1].content["attestations"]]
    assert heard == ["sam", "sia", "sia"]
    assert bench.submit("approve", "k", world.ASSISTANT, order_id="o1", amount="20.00") == answered.answer
    bench.assert_replays()
