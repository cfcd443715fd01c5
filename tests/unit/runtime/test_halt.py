"""Goal: a halt stops every effect that has not begun, until it is lifted; taking back goes on."""

import threading

import pytest
import refund_world as world

from edca.kernel.verdict import Accepted
from edca.runtime.answers import Outcome
from edca.runtime.ports import Performed, Report


@pytest.mark.parametrize("restarted", [False, True])
def test_a_halt_between_verdict_and_effect_stops_the_effect_until_it_is_lifted(bench, restarted):
    bench.approved()
    append = bench.runtime.context.store.commit
    runtime = bench.runtime
    halting = []

    def halt_after_the_verdict(drafts, cells=()):
        stored = append(drafts, cells)
        if any(draft.kind == "verdict" for draft in drafts) and not halting:
            halting.append(threading.Thread(target=runtime.halt, args=("ops", "stop")))
            halting[0].start()
            assert runtime.context.stop.wait(5)
        return stored

    bench.ledger.commit = halt_after_the_verdict
    answer = bench.submit("pay", "p", order_id="o1")
    bench.ledger.commit = append
    halting[0].join()
    assert (type(answer.verdict), answer.outcome, answer.state) == (Accepted, None, "approved")
    assert world.row(bench.world, "o1")[1] == 0
    assert bench.row().case.pending == answer.record.digest
    assert not list(bench.ledger.cells("permit"))
    if restarted:
        assert bench.reopen() == ()
        assert world.row(bench.world, "o1")[1] == 0
    (resumed,) = bench.runtime.resume("ops", "false alarm")
    assert (resumed.outcome, resumed.state) == (Outcome.CONFIRMED, "paid")
    assert world.row(bench.world, "o1")[1] == 2000
    assert bench.submit("pay", "p", order_id="o1") == resumed
    bench.assert_replays()


def test_a_halt_between_two_effects_keeps_the_first_and_holds_the_second(bench):
    bench.approved()
    perform, runtime = bench.router.perform, bench.runtime
    halting = []

    def halt_after(permit):
        report = perform(permit)
        if permit.effect == "send_money" and not halting:
            halting.append(threading.Thread(target=runtime.halt, args=("ops", "stop")))
            halting[0].start()
            assert runtime.context.stop.wait(5)
        return report

    bench.router.perform = halt_after
    assert bench.submit("pay_and_stamp", "p", order_id="o1").outcome is None
    halting[0].join()
    assert world.row(bench.world, "o1") == (10000, 2000, 0)
    (resumed,) = bench.runtime.resume("ops")
    assert resumed.outcome is Outcome.CONFIRMED
    assert world.row(bench.world, "o1") == (10000, 2000, 100)
    bench.assert_replays()


def test_taking_back_goes_on_under_a_halt(bench):
    bench.approved()
    perform, runtime = bench.router.perform, bench.runtime
    halting = []

    def halt_and_fail(permit):
        if permit.effect == "stamp":
            halting.append(threading.Thread(target=runtime.halt, args=("ops", "stop")))
            halting[0].start()
            assert runtime.context.stop.wait(5)
            return Report(Performed.FAILED)
        return perform(permit)

    bench.router.perform = halt_and_fail
    answer = bench.submit("pay_and_stamp", "p", order_id="o1")
    halting[0].join()
    assert (answer.outcome, world.row(bench.world, "o1")[1]) == (Outcome.UNDONE, 0)
    bench.assert_replays()


def test_a_halt_stops_an_effect_that_is_tried_again(bench):
    halting = []

    def halt_while_pausing(_delay_us):
        halting.append(threading.Thread(target=bench.runtime.halt, args=("ops", "stop")))
        halting[0].start()
        assert bench.runtime.context.stop.wait(5)

    bench.reopen(pause=halt_while_pausing)
    bench.approved()
    perform = bench.router.perform
    calls = []
    bench.router.perform = lambda permit: (calls.append(permit), Report(Performed.TRANSIENT))[1]
    assert bench.submit("pay", "p", order_id="o1").outcome is None
    halting[0].join()
    assert len(calls) == 1
    bench.router.perform = perform
    (resumed,) = bench.runtime.resume("ops")
    assert resumed.outcome is Outcome.CONFIRMED
    assert world.row(bench.world, "o1")[1] == 2000
    bench.assert_replays()


def test_what_a_crash_left_spent_is_not_performed_under_a_halt(bench):
    bench.approved()

    class Killed(BaseException):
        pass

    perform = bench.router.perform
    bench.router.perform = lambda permit: (_ for _ in ()).throw(Killed())
    with pytest.raises(Killed):
        bench.submit("pay", "p", order_id="o1")
    bench.router.perform = perform
    bench.runtime.halt("ops", "stop")
    assert bench.reopen() == ()
    assert world.row(bench.world, "o1")[1] == 0
    (resumed,) = bench.runtime.resume("ops")
    assert (resumed.outcome, world.row(bench.world, "o1")[1]) == (Outcome.CONFIRMED, 2000)
