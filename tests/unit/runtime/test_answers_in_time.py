"""Goal: an answer that counted is decided, however long that takes; a no counts whatever has changed meanwhile."""

import dataclasses
import sqlite3

import pytest
import refund_world as world
from asking import BOTH, DAY, SIGNED, approval, ask
from versions import NEW, OLD, moved, with_clause

from edca.kernel.machine import ClauseKind
from edca.kernel.verdict import Accepted, Escalated, Refused
from edca.runtime import inbox
from edca.runtime.approving import Said, Void
from edca.runtime.loop import Runtime
from edca.runtime.replay import replay
from edca.runtime.waiting import Waiting

DEAL = ("carla", "customer", "agreed")
SECOND = world._clause("second", ClauseKind.SIGN, world.Constant(True), role="supervisor", count=1)
REMEMBERING = approval(SECOND, assignments=(world.Assignment("promised", world._field("total")),))


class ProcessEndedError(BaseException):
    """Nothing after it ran."""


def deal(bench, key="a"):
    """Have a large approval wait for the customer's yes, and return the question."""
    assert isinstance(bench.submit("approve", key, order_id="o1", amount="60.00").verdict, Escalated)
    (found,) = bench.runtime.open_questions()
    return found


def said(question, by, role, code, *, yes):
    return Said(question.id, by, role, code, yes, question.preview.digest)


def answer_and_end(bench, answer):
    """Have the answer count, and end the process before anything is decided by it."""

    def end(found):
        raise ProcessEndedError

    bench.runtime.reconsider = end
    with pytest.raises(ProcessEndedError):
        bench.runtime.answer(answer)
    assert bench.records("approval")[-1].content["void"] is None


# --- the question's time comes to its end between the answer and the decision ---


@pytest.mark.parametrize("yes", [False, True])
@pytest.mark.parametrize("seconds", range(1, 10))
def test_an_answer_in_time_is_decided_even_where_the_decision_is_not(bench, seconds, yes):
    question = deal(bench)
    bench.clock.instant = question.due - seconds * 1_000_000
    answered = bench.runtime.answer(said(question, *DEAL, yes=yes))
    if answered.void is None:
        assert isinstance(answered.answer.verdict, Accepted if yes else Refused)
    else:
        assert answered.void is Void.EXPIRED
    assert bench.runtime.open_questions() == ()
    bench.assert_replays()


def test_a_no_before_the_process_ended_refuses_long_after_its_question_was_due(bench):
    question = deal(bench)
    answer_and_end(bench, said(question, *DEAL, yes=False))
    bench.clock.instant = question.due + 30 * DAY
    (decided,) = bench.reopen()
    assert (type(decided.verdict), decided.verdict.code) == (Refused, "agreed")
    assert (bench.runtime.open_questions(), bench.records("closed")) == ((), [])
    bench.assert_replays()


def test_a_yes_that_is_too_old_by_then_accepts_nothing(bench):
    question = deal(bench)
    answer_and_end(bench, said(question, *DEAL, yes=True))
    bench.clock.instant = question.due + DAY
    (decided,) = bench.reopen()
    assert isinstance(decided.verdict, Escalated)
    assert bench.runtime.open_questions() == ()  # it was decided, and now its time is over
    assert len(bench.records("closed")) == 1
    bench.assert_replays()


def test_a_no_outlasts_a_halt_that_outlasts_its_question(bench):
    question = deal(bench)
    answer_and_end(bench, said(question, *DEAL, yes=False))
    bench.runtime = Runtime(OLD, bench.router, bench.ledger, world.ROSTER, bench.clock, admit=None)
    bench.runtime.halt("sven", "Let me look.")
    bench.clock.instant = question.due + DAY
    assert bench.runtime.close_overdue() == ()
    late = bench.runtime.answer(said(question, *DEAL, yes=True))
    assert late.void is Void.EXPIRED
    assert [one.id for one in bench.runtime.open_questions()] == [question.id]
    bench.runtime.resume("sven", "It is all right.")
    assert bench.runtime.open_questions() == ()
    assert bench.records("verdict")[-1].content["verdict"]["outcome"] == "refused"
    bench.assert_replays()


def test_a_new_proposal_of_the_same_hears_the_no_too(bench):
    question = deal(bench, key="")
    answer_and_end(bench, said(question, *DEAL, yes=False))
    bench.runtime = Runtime(OLD, bench.router, bench.ledger, world.ROSTER, bench.clock, admit=None)
    bench.clock.instant = question.due + DAY
    assert isinstance(bench.submit("approve", "", order_id="o1", amount="60.00").verdict, Refused)
    assert bench.records("closed") == []
    bench.assert_replays()


def test_a_replay_finds_a_question_that_was_closed_over_an_answer(bench, monkeypatch):
    question = deal(bench)
    answer_and_end(bench, said(question, *DEAL, yes=False))
    bench.clock.instant = question.due
    with monkeypatch.context() as patched:
        patched.setattr(Waiting, "is_over", lambda item, now: now >= item.due)
        assert len(bench.runtime.close_overdue()) == 1
    assert [one.path for one in replay(bench.ledger).mismatches] == ["over"]


# --- what would come about changes ---


def change_total(bench):
    with sqlite3.connect(bench.world) as connection:
        connection.execute("UPDATE orders SET total = 9000")
    connection.close()


def test_a_no_counts_though_a_source_changed_before_the_decision(bench, monkeypatch):
    bench.reopen(REMEMBERING)
    question = deal_for(bench)
    read, reads = bench.router.read, []

    def changing(requests, as_of):
        reads.append(requests)
        if len(reads) == 2:  # the first is for the answer, the second for the decision that follows
            change_total(bench)
        return read(requests, as_of)

    monkeypatch.setattr(bench.router, "read", changing)
    answered = bench.runtime.answer(said(question, "sam", "supervisor", "second", yes=False))
    assert len(reads) >= 2
    assert (type(answered.answer.verdict), answered.answer.verdict.code) == (Refused, "second")
    assert bench.runtime.open_questions() == ()
    bench.assert_replays()


def deal_for(bench):
    asked = bench.submit("approve", "a", order_id="o1", amount="20.00")
    assert isinstance(asked.verdict, Escalated)
    (found,) = bench.runtime.open_questions()
    return found


@pytest.mark.parametrize("yes", [False, True])
def test_only_a_yes_must_be_to_what_would_come_about_now(bench, yes):
    bench.reopen(REMEMBERING)
    question = deal_for(bench)
    change_total(bench)
    answered = bench.runtime.answer(said(question, "sam", "supervisor", "second", yes=yes))
    if yes:
        assert answered.void is Void.PREVIEW_CHANGED
        assert isinstance(answered.answer.verdict, Escalated)  # by now the record shows something else
        answered = bench.runtime.answer(said(question, "sia", "supervisor", "second", yes=False))
    assert answered.void is None
    assert isinstance(answered.answer.verdict, Refused)
    bench.assert_replays()


def test_a_no_counts_under_a_new_version(bench):
    question = deal(bench)
    answer_and_end(bench, said(question, *DEAL, yes=False))
    (decided,) = bench.reopen(NEW)  # the ledger holds no state of that case, so it is not bound to the old version
    assert (type(decided.verdict), decided.verdict.code) == (Refused, "agreed")
    assert bench.runtime.open_questions() == ()
    bench.assert_replays()


# --- cases that stay under the version they were opened under ---

LIMITED = with_clause(OLD, "vouch", world._PACE)
LATER = dataclasses.replace(LIMITED, version="2.0.0")


def cells(bench):
    return [list(bench.ledger.cells(space)) for space in (inbox.SPACE, "reservation", "counter")]


def test_the_new_version_leaves_the_questions_of_cases_that_have_not_moved(bench):
    bench.reopen(LIMITED)
    bench.approved()
    assert isinstance(bench.submit("vouch", "", order_id="o1").verdict, Escalated)
    (question,) = bench.runtime.open_questions()
    assert bench.say("sam", "vouched").void is None
    before = cells(bench)
    assert all(before)
    bench.reopen(LATER)
    answered = bench.say("sia", "vouched")
    assert (answered.void, answered.detail, answered.answer) == (Void.NOT_NOW, "wrong_machine", None)
    assert bench.submit("vouch", "", order_id="o1").verdict.code == "wrong_machine"
    bench.runtime.adopt_roster(world.ROSTER, "sven", "As before.")
    assert cells(bench) == before
    bench.assert_replays()
    bench.reopen(LIMITED)
    assert [one.id for one in bench.runtime.open_questions()] == [question.id]
    assert isinstance(bench.say("sia", "vouched").answer.verdict, Accepted)
    bench.assert_replays()


def test_a_no_waits_for_its_version_and_is_void_once_the_case_has_moved(bench):
    bench.approved()
    assert isinstance(bench.submit("vouch", "v", order_id="o1").verdict, Escalated)
    (question,) = bench.runtime.open_questions()
    answer_and_end(bench, said(question, "sam", "supervisor", "vouched", yes=False))
    bench.clock.instant = question.due
    assert bench.reopen(NEW) == ()
    assert [one.id for one in bench.runtime.open_questions()] == [question.id]
    assert [void.question for fate in moved(bench).cases for void in fate.void] == [question.id]
    assert bench.runtime.open_questions() == ()


# --- whose record it is ---


def test_a_migration_of_another_case_leaves_the_question_about_a_creation(bench):
    old = with_clause(OLD, "open", SECOND)
    new = dataclasses.replace(old, version="2.0.0")
    bench.reopen(old)
    bench.approved("o1")
    assert isinstance(bench.submit("open", "k", amount="10.00").verdict, Escalated)
    (question,) = bench.runtime.open_questions()
    bench.reopen(new)
    assert len(moved(bench, "", new, old).cases) == 1
    assert [one.id for one in bench.runtime.open_questions()] == [question.id]
    bench.clock.instant = question.due
    assert len(bench.runtime.close_overdue()) == 1
    bench.assert_replays()


def of_tenant(bench, tenant, machine=OLD, **parts):
    return Runtime(machine, bench.router, bench.ledger, world.ROSTER, bench.clock, admit=None, tenant=tenant, **parts)


def ask_of(runtime, key="a"):
    return runtime.submit(world.candidate("approve", key, order_id="o1", amount="60.00"), world.SUPERVISOR).verdict


def test_nobody_closes_the_questions_of_another_tenant(bench):
    a, b = of_tenant(bench, "a"), of_tenant(bench, "b")
    assert isinstance(ask_of(a), Escalated)
    (question,) = a.open_questions()
    bench.clock.instant = question.due
    assert b.close_overdue() == ()
    assert b.open_questions() == ()
    assert len(a.close_overdue()) == 1
    (record,) = bench.records("closed")
    assert record.content["tenant"] == "a"
    bench.assert_replays()


def test_the_questions_of_another_tenant_take_no_place(bench):
    a, b = of_tenant(bench, "a", inbox_max=1), of_tenant(bench, "b", inbox_max=1)
    assert isinstance(ask_of(a), Escalated)
    assert isinstance(ask_of(b), Escalated)
    assert ask_of(a, "another").code == "overload"
    bench.assert_replays()


def test_one_of_two_signatures_in_time_leaves_the_question_to_its_end(bench):
    ask(bench, BOTH)
    (question,) = bench.runtime.open_questions()
    bench.clock.instant = question.due - 4_000_000
    answered = bench.say("sam", SIGNED.code)
    assert answered.void is None
    assert isinstance(answered.answer.verdict, Escalated)
    assert bench.runtime.open_questions() == ()
    (record,) = bench.records("closed")
    assert record.content["question"] == question.id
    bench.assert_replays()
