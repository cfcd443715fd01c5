"""Goal: a route that gives no answer in time can't hold the loop up, and what it says later can't act."""

import threading
import time

import pytest
import refund_world as world

from edca.kernel.verdict import Refused
from edca.runtime.answers import Outcome
from edca.runtime.deadlines import call_within
from edca.runtime.ports import Performed, Report
from edca.runtime.recover import recover

SECOND = 1_000_000
TIMED = world.timed(5 * SECOND)


class Hanging:
    """Makes a router's calls of one effect hang until they are let go; afterwards each does what it would have done."""

    def __init__(self, router, effect):
        self.go = threading.Event()
        self.ended = threading.Event()
        perform = router.perform

        def hang(permit):
            if permit.effect != effect:
                return perform(permit)
            try:
                assert self.go.wait(10)
                return perform(permit)
            finally:
                self.ended.set()

        router.perform = hang


def _until(condition):
    for _ in range(400):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came about")


def test_no_answer_in_time_takes_the_declared_edge(bench):
    bench.reopen(TIMED)
    bench.approved()
    hanging = Hanging(bench.router, "send_money")
    answer = bench.submit("pay", "p", order_id="o1")
    assert (answer.outcome, answer.state, answer.revision) == (Outcome.TIMED_OUT, "stuck", 2)
    assert bench.row().case.pending is None
    (outcome,) = bench.records("outcome")
    (step,) = outcome.content["effects"]
    assert (step["report"], step["in_time"], step["attempts"][0]["report"]) == ("unknown", False, None)
    assert step["expires"] - step["attempts"][0]["at"] <= 5 * SECOND
    bench.assert_replays()

    hanging.go.set()
    _until(lambda: bench.records("late"))
    (late,) = bench.records("late")
    assert (late.content["effect"], late.content["report"], late.content["key"]) == ("send_money", "done", step["key"])
    assert (bench.row().case.state, bench.row().case.revision) == ("stuck", 2)
    assert bench.submit("pay", "p", order_id="o1") == answer
    assert isinstance(bench.submit("pay", "again", order_id="o1").verdict, Refused)
    bench.assert_replays()
    assert bench.reopen(TIMED) == ()
    bench.assert_replays()


def test_what_the_route_knows_to_have_happened_counts_in_spite_of_its_silence(bench):
    bench.reopen(TIMED)
    bench.approved()
    perform, go = bench.router.perform, threading.Event()

    def pay_and_hang(permit):
        report = perform(permit)
        assert go.wait(10)
        return report

    bench.router.perform = pay_and_hang
    answer = bench.submit("pay", "p", order_id="o1")
    assert (answer.outcome, answer.state) == (Outcome.CONFIRMED, "paid")
    go.set()
    _until(lambda: bench.records("late"))
    assert world.row(bench.world, "o1")[1] == 2000
    assert bench.row().case.state == "paid"
    bench.assert_replays()


def test_a_route_that_hangs_when_asked_does_not_hold_the_loop_up_either(bench):
    bench.reopen(TIMED)
    bench.approved()
    hanging, go = Hanging(bench.router, "send_money"), threading.Event()
    bench.router.performed = lambda permit: go.wait(10)
    assert bench.submit("pay", "p", order_id="o1").outcome is Outcome.TIMED_OUT
    go.set()
    hanging.go.set()
    _until(lambda: bench.records("late"))


def test_a_reading_back_that_hangs_undoes_the_effect(bench):
    bench.reopen(TIMED)
    bench.approved()
    perform, read, go = bench.router.perform, bench.router.read, threading.Event()

    def then_hang(permit):
        bench.router.read = lambda requests, as_of: (go.wait(10), read(requests, as_of))[1]
        return perform(permit)

    bench.router.perform = then_hang
    assert bench.submit("pay", "p", order_id="o1").outcome is Outcome.UNDONE
    go.set()
    assert world.row(bench.world, "o1")[1] == 0


def test_what_was_to_be_created_and_may_be_there_has_a_case(bench):
    bench.reopen(TIMED)
    hanging = Hanging(bench.router, "open_order")
    answer = bench.submit("open", "n", amount="30.00")
    assert (answer.outcome, answer.state) == (Outcome.TIMED_OUT, "stuck")
    assert bench.row("new0").case.state == "stuck"
    bench.assert_replays()
    hanging.go.set()
    _until(lambda: bench.records("late"))


def test_after_a_crash_the_deadline_counts_from_when_the_permit_was_spent(bench):
    bench.reopen(TIMED)
    bench.approved()

    class Killed(BaseException):
        pass

    def kill(permit):
        raise Killed

    perform = bench.router.perform
    bench.router.perform = kill
    with pytest.raises(Killed):
        bench.submit("pay", "p", order_id="o1")
    bench.router.perform = perform
    bench.clock.instant += 60 * SECOND
    (answer,) = bench.reopen(TIMED)
    # It did not happen, and is not begun any more.
    assert (answer.outcome, answer.state) == (Outcome.FAILED, "approved")
    assert world.row(bench.world, "o1")[1] == 0
    bench.assert_replays()


def test_within_its_time_a_spent_permit_is_used_after_a_crash(bench):
    within = world.timed(3600 * SECOND)
    bench.reopen(within)
    bench.approved()

    class Killed(BaseException):
        pass

    perform = bench.router.perform
    bench.router.perform = lambda permit: (_ for _ in ()).throw(Killed())
    with pytest.raises(Killed):
        bench.submit("pay", "p", order_id="o1")
    bench.router.perform = perform
    (answer,) = bench.reopen(within)
    assert answer.outcome is Outcome.CONFIRMED
    assert world.row(bench.world, "o1")[1] == 2000


def test_after_a_crash_an_answer_of_nobody_knows_takes_the_declared_edge(bench):
    bench.reopen(TIMED)
    bench.approved()

    class Killed(BaseException):
        pass

    bench.router.perform = lambda permit: (_ for _ in ()).throw(Killed())
    with pytest.raises(Killed):
        bench.submit("pay", "p", order_id="o1")
    bench.router.performed = lambda permit: Performed.UNKNOWN
    (answer,) = bench.reopen(TIMED)
    assert (answer.outcome, answer.state) == (Outcome.TIMED_OUT, "stuck")


def test_an_undo_that_fails_takes_the_declared_edge(bench):
    bench.reopen(TIMED)
    bench.approved()
    perform = bench.router.perform
    failing = ("stamp", "recall_money")
    bench.router.perform = lambda permit: Report(Performed.FAILED) if permit.effect in failing else perform(permit)
    answer = bench.submit("pay_and_stamp", "p", order_id="o1")
    assert (answer.outcome, answer.state) == (Outcome.TIMED_OUT, "stuck")
    bench.assert_replays()


# --- the calls themselves ---


class Still:
    """A clock that stands."""

    source = "still"

    def now(self):
        return 0


def test_real_time_bounds_a_call_whose_clock_stands_still():
    go = threading.Event()
    late = []
    assert call_within(lambda: go.wait(10), Still(), 0, 20_000, late.append) is None
    go.set()
    _until(lambda: late == [True])


def test_a_deadline_that_is_over_calls_nothing():
    assert call_within(lambda: pytest.fail("called"), Still(), 5, 5, lambda _: None) is None


def test_what_a_call_raises_in_time_is_raised():
    with pytest.raises(ZeroDivisionError):
        call_within(lambda: 1 // 0, Still(), 0, 10 * SECOND, lambda _: None)


def test_a_late_answer_to_a_closed_ledger_is_left_to_reconciliation(bench):
    bench.reopen(TIMED)
    bench.approved()
    hanging = Hanging(bench.router, "send_money")
    bench.submit("pay", "p", order_id="o1")
    bench.ledger.close()
    hanging.go.set()
    assert hanging.ended.wait(5)
    _until(lambda: not any(thread.name == "edca-route" for thread in threading.enumerate()))
    bench.reopen(TIMED)
    found = bench.runtime.reconcile('/order:["o1"]', "sven")
    assert [finding.report.performed for finding in found.findings] == [Performed.DONE]
    bench.assert_replays()
    assert recover(bench.runtime) == ()
