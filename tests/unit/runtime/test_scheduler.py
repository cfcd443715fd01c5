"""Goal: what is due happens exactly once, across restarts and schedulers, and nobody is asked twice for nothing."""

import threading
import time

import desk_world as world
import pytest
from desk_bench import DeskBench, code

from edca.kernel.roster import Principal, Roster
from edca.kernel.verdict import Escalated
from edca.ledger.errors import LedgerBusyError
from edca.ledger.record import parse
from edca.runtime.ports import Performed, Report
from edca.runtime.scheduler import NoClockError, Scheduler, TimerThread
from edca.runtime.timers import Timers

TWO_HOURS = 2 * world.HOUR


@pytest.fixture
def desk(tmp_path):
    desk = DeskBench(tmp_path)
    yield desk
    desk.assert_sound()
    desk.close()


def _fired(scheduler):
    return [(fired.case, fired.transition, code(fired.answer)) for fired in scheduler.run_due()]


def _decided(desk, transition):
    records = [parse(stored.body) for stored in desk.ledger.records()]
    verdicts = [record.content["verdict"] for record in records if record.kind == "verdict"]
    return [verdict["code"] for verdict in verdicts if verdict["transition"] == transition]


LAPSED = ('/job:["j1"]', "lapse", "accepted")
NOT_READY = ('/job:["j1"]', "close", "not_ready")


def test_a_case_that_the_ledger_has_not_met_has_no_timer(desk):
    assert Scheduler(desk.runtime).run_due() == ()


def test_it_fires_at_its_time_and_not_before(desk):
    desk.look()
    scheduler = Scheduler(desk.runtime)
    assert _fired(scheduler) == [NOT_READY]
    desk.clock.instant += TWO_HOURS - 1
    assert _fired(scheduler) == []
    desk.clock.instant += 1
    assert _fired(scheduler) == [LAPSED]
    assert _fired(scheduler) == []


def test_moving_within_a_state_does_not_begin_its_time_anew(desk):
    desk.look()
    scheduler = Scheduler(desk.runtime)
    desk.clock.instant += world.HOUR
    desk.look()
    desk.clock.instant += world.HOUR
    assert LAPSED in _fired(scheduler)


def test_it_is_in_the_clocks_name_and_anchored_by_a_person(desk):
    desk.look()
    desk.clock.instant += TWO_HOURS
    Scheduler(desk.runtime).run_due()
    (record,) = [
        record
        for stored in desk.ledger.records()
        if (record := parse(stored.body)).kind == "verdict" and record.content["verdict"]["transition"] == "lapse"
    ]
    assert record.content["candidate"]["proposer"] == "ticker"
    assert record.content["candidate"]["revision"] == 1
    assert record.content["verdict"]["anchor"] == {"mandate": "m1", "principal": "bea", "role": "boss"}


def test_what_was_refused_is_not_proposed_again_before_something_changed(desk):
    desk.look()
    scheduler = Scheduler(desk.runtime)
    assert _fired(scheduler) == [NOT_READY]
    assert _fired(scheduler) == _fired(scheduler) == []
    desk.reopen()
    assert _fired(Scheduler(desk.runtime)) == []
    assert _decided(desk, "close") == ["not_ready"]
    desk.look()  # the case has moved: it is asked once more
    assert _fired(Scheduler(desk.runtime)) == [NOT_READY]


def test_a_change_of_the_facts_is_noticed(desk):
    desk.look()
    scheduler = Scheduler(desk.runtime)
    _fired(scheduler)
    desk.router.jobs["j1"]["ready"] = True
    assert _fired(scheduler) == [('/job:["j1"]', "close", "accepted")]
    assert _decided(desk, "close") == ["not_ready", "accepted"]


def test_an_acceptance_that_a_change_crossed_is_tried_again(desk):
    desk.look()
    scheduler, foresee = Scheduler(desk.runtime), desk.runtime.foresee

    def foresee_too_early(candidate, caller):
        desk.router.jobs["j1"]["ready"] = True
        verdict = foresee(candidate, caller)
        desk.router.jobs["j1"]["ready"] = False
        return verdict

    desk.runtime.foresee = foresee_too_early
    assert _fired(scheduler) == [NOT_READY]
    assert _fired(scheduler) == [NOT_READY]
    desk.runtime.foresee = foresee
    desk.router.jobs["j1"]["ready"] = True
    assert _fired(scheduler) == [('/job:["j1"]', "close", "accepted")]


def test_two_schedulers_at_once_let_it_happen_once(tmp_path):
    desk = DeskBench(tmp_path)
    for job in ("j1", "j2", "j3"):
        desk.look(job=job)
    desk.clock.instant += TWO_HOURS
    fired, barrier = [], threading.Barrier(4)

    def run():
        scheduler = Scheduler(desk.runtime)
        barrier.wait()
        fired.extend(_fired(scheduler))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(case for case, transition, _ in fired if transition == "lapse") == [
        f'/job:["{job}"]' for job in ("j1", "j2", "j3")
    ]
    assert _decided(desk, "lapse") == ["accepted"] * 3
    desk.assert_sound()
    desk.close()


def test_a_restart_finds_every_timer_again(desk):
    for job in ("j1", "j2"):
        desk.look(job=job)
    desk.clock.instant += TWO_HOURS
    desk.reopen()
    assert {case for case, transition, _ in _fired(Scheduler(desk.runtime)) if transition == "lapse"} == {
        '/job:["j1"]',
        '/job:["j2"]',
    }


def test_timers_built_anew_are_those_that_were_kept_current(desk):
    kept = Timers(world.MACHINE, desk.ledger, "")
    for job in ("j1", "j2", "j3"):
        desk.look(job=job)
    desk.submit("close", world.BOSS, job_id="j2")
    desk.clock.instant += TWO_HOURS
    desk.submit("lapse", world.Caller("ticker", "timer"), job_id="j3")
    now = desk.clock.instant
    found = kept.due(now)
    assert found == Timers(world.MACHINE, desk.ledger, "").due(now)
    assert {due.case for due in found} == {'/job:["j1"]', '/job:["j2"]'}
    assert kept.due(now) == found  # it stays due until its case moves
    assert kept.next_at() == world.NOON


# --- too late ------------------------------------------------------------------------------------------------------


def test_an_approval_after_the_clock_has_moved_the_case_cannot_act(desk):
    assert isinstance(desk.ask("10.00").verdict, Escalated)
    desk.clock.instant += TWO_HOURS
    Scheduler(desk.runtime).run_due()
    late = desk.ask("10.00", attestations=desk.yes())
    assert (code(late), late.state) == ("no_such_transition", "lapsed")


def test_a_candidate_that_saw_the_case_before_cannot_act(desk):
    seen = desk.submit("look").revision
    desk.clock.instant += TWO_HOURS
    Scheduler(desk.runtime).run_due()
    assert code(desk.submit("ask", revision=seen, amount="1.00")) == "stale_revision"


# --- what can't run -------------------------------------------------------------------------------------------------


def test_a_roster_without_a_clock_is_told_so(desk):
    desk.reopen(roster=Roster((Principal("bea", ("boss",)),), ()))
    with pytest.raises(NoClockError, match="role `timer`"):
        Scheduler(desk.runtime)


def test_while_effects_are_pending_nothing_is_recorded(tmp_path):
    desk = DeskBench(tmp_path, machine=world.without_timeouts())
    desk.look()
    desk.router.reports, desk.router.asked = [Report(Performed.UNKNOWN)], Performed.UNKNOWN
    desk.spend("1.00")
    desk.clock.instant += TWO_HOURS
    size = desk.ledger.size
    assert Scheduler(desk.runtime).run_due() == ()
    assert desk.ledger.size == size
    desk.close()


def test_a_clock_that_went_back_lets_nothing_fire(desk):
    desk.clock.instant += TWO_HOURS
    desk.look()
    scheduler = Scheduler(desk.runtime)
    desk.clock.instant -= 1
    assert scheduler.run_due() == ()


# --- in the background ------------------------------------------------------------------------------------------------


def _until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_thread_runs_it_and_stops_cleanly(desk):
    desk.look()
    desk.clock.instant += TWO_HOURS
    running = TimerThread(Scheduler(desk.runtime), every_s=0.01)
    _until(lambda: (desk.ledger.size >= 6 and "lapse" in str(_decided(desk, "lapse"))) or _decided(desk, "lapse"))
    running.stop()
    running.stop()
    assert not running.is_running
    assert _decided(desk, "lapse") == ["accepted"]


def test_a_thread_outlives_a_failure_and_says_so(desk):
    desk.look()
    scheduler, run_due, failing = Scheduler(desk.runtime), Scheduler.run_due, [True]

    def run():
        if failing[0]:
            raise LedgerBusyError("readers held it")
        return run_due(scheduler)

    class Flaky:
        run_due = staticmethod(run)

    desk.clock.instant += TWO_HOURS
    running = TimerThread(Flaky(), every_s=0.01)
    _until(lambda: running.failure is not None)
    failing[0] = False
    _until(lambda: running.failure is None)
    _until(lambda: _decided(desk, "lapse"))
    running.stop()


def test_it_looks_every_so_often_or_not_at_all(desk):
    with pytest.raises(ValueError, match="more than zero"):
        TimerThread(Scheduler(desk.runtime), every_s=0)
