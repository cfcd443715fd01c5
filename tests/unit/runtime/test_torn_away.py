"""Goal: what was accepted is carried out in the end, whatever failed meanwhile, without a restart."""

import dataclasses
import sqlite3
import threading
import time

import pytest
import refund_world as world

from edca.kernel.machine import Role, RoleKind
from edca.kernel.roster import Principal
from edca.ledger.errors import LedgerBusyError
from edca.ledger.record import parse
from edca.runtime.answers import Outcome
from edca.runtime.mode_changes import ModeError
from edca.runtime.ports import Performed, Report
from edca.runtime.scheduler import Scheduler
from edca.runtime.stopping import Stop

WAIT_S = 20


def busy_for(bench, kind, times):
    """Let so many commits fail that hold a record of that kind; return what undoes it."""
    transact, left = bench.ledger._transact, [times]

    def failing(staged):
        if left[0] and any(parse(row[3]).kind == kind for row in staged.rows):
            left[0] -= 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        transact(staged)

    bench.ledger._transact = failing
    return lambda: setattr(bench.ledger, "_transact", transact)


def held_up(bench, *orders):
    """Accept a payment for each order while somebody is halting, so that all of them wait."""
    for order in orders:
        bench.approved(order)
    bench.runtime.context.stop.set()
    for order in orders:
        assert bench.submit("pay", f"p-{order}", order_id=order).outcome is None
    bench.runtime.context.stop.clear()


def torn(bench, order="o1"):
    """Accept a payment whose outcome cannot be recorded."""
    bench.approved(order)
    undo = busy_for(bench, "outcome", 1)
    with pytest.raises(LedgerBusyError):
        bench.submit("pay", "p", order_id=order)
    undo()
    assert bench.row(order).case.pending is not None


def test_a_halt_that_cannot_be_recorded_goes_on_with_what_it_stopped(bench):
    held_up(bench, "o1")  # as where the halt comes between the verdict and its permit
    busy_for(bench, "mode", 1)
    with pytest.raises(LedgerBusyError):
        bench.runtime.halt("sven", "x")
    assert bench.runtime.mode() == "normal"
    assert bench.row().case.state == "paid"
    assert bench.submit("pay", "p-o1", order_id="o1").outcome is Outcome.CONFIRMED
    bench.assert_replays()


def test_what_a_failed_halt_cannot_go_on_with_waits_for_whoever_comes_next(bench):
    held_up(bench, "o1")
    busy_for(bench, "mode", 1)
    undo = busy_for(bench, "spent", 1)
    with pytest.raises(LedgerBusyError) as caught:
        bench.runtime.halt("sven", "x")
    undo()
    assert "could not be gone on with yet" in caught.value.__notes__[0]
    assert bench.submit("pay", "p-o1", order_id="o1").outcome is Outcome.CONFIRMED
    bench.assert_replays()


def test_what_was_stopped_without_a_halt_is_gone_on_with_by_whoever_comes_next(bench):
    held_up(bench, "o1")
    assert bench.submit("wait", "w", order_id="o1").state == "paid"
    bench.assert_replays()


def test_nobody_goes_on_with_it_under_a_halt(bench):
    held_up(bench, "o1")
    bench.runtime.halt("sven", "x")
    assert bench.submit("pay", "p-o1", order_id="o1").outcome is None
    Scheduler(bench.runtime).run_due()
    assert (bench.records("spent"), bench.row().case.state) == ([], "approved")


def test_who_comes_by_under_a_halt_leaves_torn_effects_to_whoever_resumes(bench):
    torn(bench)
    bench.runtime.halt("sven", "x")
    assert bench.submit("pay", "p", order_id="o1").outcome is None
    (resumed,) = bench.runtime.resume("sven")
    assert resumed.outcome is Outcome.CONFIRMED
    bench.assert_replays()


def test_of_two_who_halt_one_that_fails_does_not_clear_the_flag_of_the_other():
    stop = Stop()
    stop.set()
    stop.set()
    stop.clear()
    assert stop.is_set()
    stop.clear()
    assert not stop.is_set()


def test_resume_goes_on_with_all_cases_though_one_raises_and_again_with_that_one(bench):
    held_up(bench, "o1", "o2")
    bench.runtime.halt("sven", "x")
    busy_for(bench, "spent", 1)
    with pytest.raises(LedgerBusyError):
        bench.runtime.resume("sven", "x")
    assert [bench.row(order).case.state for order in ("o1", "o2")] == ["approved", "paid"]
    (again,) = bench.runtime.resume("sven", "x")
    assert (again.outcome, bench.row().case.state) == (Outcome.CONFIRMED, "paid")
    with pytest.raises(ModeError, match="not halted"):
        bench.runtime.resume("sven", "x")
    bench.assert_replays()


def test_who_observes_goes_on_with_torn_effects_first(bench):
    torn(bench)
    with pytest.raises(ValueError, match="does not disagree"):
        bench.runtime.observe("order", ("o1",), "sven", "paid")
    assert bench.row().case.state == "paid"
    bench.assert_replays()


def test_an_answer_goes_on_with_torn_effects_first(bench):
    bench.approved()
    bench.submit("vouch", "v", order_id="o1")
    (asked,) = bench.runtime.open_questions()
    undo = busy_for(bench, "outcome", 1)
    with pytest.raises(LedgerBusyError):
        bench.submit("pay", "p", order_id="o1")
    undo()
    answered = bench.say("sam", asked.verdict.needs[0].code)
    assert answered.record.index > 0
    assert bench.row().case.pending is None
    assert len(bench.records("outcome")) == 1
    bench.assert_replays()


def with_clock(monkeypatch):
    """Return the world's machine with a timer, on whose roster somebody speaks for the clock."""
    machine, by_name = world.MACHINE, lambda one: one.name
    roles = tuple(sorted((*machine.roles, Role("clock", RoleKind.CLOCK)), key=by_name))
    transitions = tuple(
        dataclasses.replace(one, by=("clock",)) if one.name == "wait" else one for one in machine.transitions
    )
    people = (*world.ROSTER.principals, Principal("timers", ("clock",)))
    principals = tuple(sorted(people, key=lambda one: one.id))
    monkeypatch.setattr(world, "ROSTER", dataclasses.replace(world.ROSTER, principals=principals))
    return dataclasses.replace(machine, roles=roles, transitions=transitions)


def test_a_tick_goes_on_with_torn_effects(bench, monkeypatch):
    bench.reopen(with_clock(monkeypatch))
    torn(bench)
    Scheduler(bench.runtime).run_due()
    assert bench.row().case.state == "paid"
    bench.assert_replays()


def test_a_timer_goes_on_with_torn_effects_of_its_case_and_then_fires(bench, monkeypatch):
    bench.reopen(with_clock(monkeypatch))
    monkeypatch.setattr(bench.router, "perform", lambda permit: Report(Performed.FAILED))
    torn(bench)
    bench.clock.instant += 2 * 60 * world.MINUTE
    (fired,) = Scheduler(bench.runtime).run_due()
    assert (fired.transition, [one.content["outcome"] for one in bench.records("outcome")]) == ("wait", ["failed"])
    bench.assert_replays()


def test_a_hanging_effect_holds_up_no_timer_roster_or_recovery_of_other_cases(bench, monkeypatch):
    bench.reopen(with_clock(monkeypatch))
    for order in ("o1", "o2"):
        bench.approved(order)
        bench.submit("vouch", "v", order_id=order)
    started, go, perform = threading.Event(), threading.Event(), bench.router.perform

    def hanging(permit):
        started.set()
        assert go.wait(WAIT_S)
        return perform(permit)

    bench.router.perform = hanging
    paying = threading.Thread(target=lambda: bench.submit("pay", "p", order_id="o1"), daemon=True)
    paying.start()
    assert started.wait(WAIT_S)
    began = time.monotonic()
    adopted = bench.runtime.adopt_roster(world.ROSTER, "sven", "the same people")
    assert [answer.verdict.code for answer in adopted.answers]  # the other case's question was decided anew
    assert len(bench.runtime.context.postponed) == 1
    assert bench.runtime.recover() == ()
    bench.clock.instant += 2 * 60 * world.MINUTE
    scheduler = Scheduler(bench.runtime)
    fired = scheduler.run_due()
    assert time.monotonic() - began < WAIT_S / 2
    assert [one.case for one in fired] == ['/order:["o2"]']
    go.set()
    paying.join(WAIT_S)
    assert bench.row("o1").case.state == "paid"
    scheduler.run_due()  # the question that was passed over
    assert not bench.runtime.context.postponed
    bench.assert_replays()
