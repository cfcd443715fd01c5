"""Goal: a route that acts on its own kernel from within an effect is told so; nothing hangs, and nothing acts twice."""

import asyncio
import contextvars
import threading

import pytest
import refund_world as world
from versions import OLD

from edca.runtime.answers import Outcome
from edca.runtime.lanes import Lanes
from edca.runtime.reentry import ReentrantCallError, check_outside, is_inside, within_effect

WAIT_S = 20


def called_back(bench, act):
    """Pay, with a route that does `act` first; return what that raised."""
    perform, raised = bench.router.perform, []

    def calling(permit):
        if not raised:
            try:
                act()
            except ReentrantCallError as error:
                raised.append(error)
        return perform(permit)

    bench.router.perform = calling
    answers = []
    paying = threading.Thread(target=lambda: answers.append(bench.submit("pay", "p", order_id="o1")), daemon=True)
    paying.start()
    paying.join(WAIT_S)
    assert not paying.is_alive()
    assert answers[0].outcome is Outcome.CONFIRMED
    bench.assert_replays()
    return raised


@pytest.mark.parametrize(
    "act",
    [
        lambda bench: bench.submit("tally", "t", order_id="o1"),
        lambda bench: bench.submit("tally", "t", order_id="o2"),
        lambda bench: bench.runtime.recover(),
        lambda bench: bench.runtime.resume("sven"),
        lambda bench: bench.runtime.leave_mode("sven", "supervisor"),
        lambda bench: bench.runtime.adopt_roster(world.ROSTER, "sven", "x"),
        lambda bench: bench.runtime.observe("order", ("o1",), "sven", "paid"),
        lambda bench: bench.runtime.reconcile('/order:["o1"]', "sven"),
    ],
)
@pytest.mark.parametrize("within_us", [None, 10_000_000])
def test_a_route_that_acts_on_its_own_kernel_is_told_so(bench, act, within_us):
    bench.reopen(OLD if within_us is None else world.timed(within_us, OLD))
    bench.approved()
    (raised,) = called_back(bench, lambda: act(bench))
    assert 'case `/order:["o1"]`' in str(raised)
    assert len(bench.records("outcome")) == 1


def test_also_through_asyncio(bench):
    bench.reopen(OLD)
    bench.approved()

    async def act():
        await asyncio.to_thread(bench.submit, "tally", "t", order_id="o2")

    assert called_back(bench, lambda: asyncio.run(act()))


def test_two_effects_that_would_wait_for_each_others_case_do_not(bench):
    bench.reopen(OLD)
    bench.approved("o1")
    bench.approved("o2")
    perform, both, seen = bench.router.perform, threading.Barrier(2), set()

    def crossing(permit):
        if permit.case not in seen:
            seen.add(permit.case)
            both.wait(WAIT_S)
            other = "o2" if "o1" in permit.case else "o1"
            bench.submit("tally", "t", order_id=other)
        return perform(permit)

    bench.router.perform = crossing
    threads = [
        threading.Thread(target=lambda order=order: bench.submit("pay", "p", order_id=order), daemon=True)
        for order in ("o1", "o2")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert not any(thread.is_alive() for thread in threads)
    bench.assert_replays()


def test_a_route_may_halt_the_machine_and_look(bench):
    bench.reopen(OLD)
    bench.approved()
    assert called_back(bench, lambda: (bench.runtime.mode(), bench.runtime.halt("sven", "the route saw fraud"))) == []
    assert bench.runtime.mode() == "halted"


def test_once_the_effect_is_over_tasks_that_it_left_behind_may_act():
    lanes, left = Lanes(), []

    def call():
        left.append(contextvars.copy_context())
        with pytest.raises(ReentrantCallError, match="`o1`"):
            check_outside(lanes)
        check_outside(Lanes())  # another ledger's

    within_effect(lanes, "o1", call)()
    assert not left[0].run(is_inside, lanes)
