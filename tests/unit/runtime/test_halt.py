"""Goal: a halt stops every effect that has not begun, until it is lifted; taking back goes on."""

import threading

import pytest
import refund_world as world

from edca.kernel.verdict import Accepted
from edca.runtime.answers import Outcome
from edca.runtime.mode_changes import ModeError
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
    assert not bench.records("spent")
    if restarted:
        assert bench.reopen() == ()
        assert world.row(bench.world, "o1")[1] == 0
    (resumed,) = bench.runtime.resume("ops", "false alarm")
    assert (resumed.outcome, resumed.state) == (Outcome.CONFIRMED, "paid")
    assert world.row(bench.world, "o1")[1] == 2000
    assert bench.submit("pay", "p", order_id="o1") == resumed
    bench.assert_replays()


@pytest.mark.parametrize(("by", "reason"), [("bot", "I say so."), ("ops", "  "), ("", "Why not.")])
def test_a_halt_that_is_refused_stops_nothing(bench, by, reason):
    """Else whoever may not halt would leave payments pending for good, without a record."""
    bench.approved()
    read, runtime = bench.router.read, bench.runtime
    size = bench.ledger.size

    def refused_meanwhile(requests, as_of):
        refused = threading.Thread(target=_refused_halt, args=(runtime, by, reason))
        refused.start()
        refused.join(0.5)  # where it waited for its turn, it would have stopped what is read for here
        return read(requests, as_of)

    bench.router.read = refused_meanwhile
    assert bench.submit("pay", "p", order_id="o1").outcome is Outcome.CONFIRMED
    assert not runtime.context.stop.is_set()
    assert [record.kind for record in bench.records("mode")] == []
    assert bench.ledger.size == size + 3  # verdict, spent permit, outcome


def _refused_halt(runtime, by, reason):
    with pytest.raises(ModeError):
        runtime.halt(by, reason)


def test_a_halt_between_two_effects_keeps_the_first_and_holds_the_second(bench):
    bench.approved()
    perform, runtime = bench.router.perform, bench.runtime
    halting = []

    def halt_after(permit):
        report = perform(permit)
        if permit.effect == "send_money" and not halting:
            halting.append(threading.Thread(target=runtime.halt, args=("ops", "stop")))
            halting[0].start()
            halting[0].join(5)  # it need not wait for the effect
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
            halting[0].join(5)
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
        halting[0].join(5)

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
