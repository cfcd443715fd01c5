"""Goal: an `AsyncKernel` that does not come about leaves no ledger open; one that does is not called by its routes."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from edca.api import Accepted, AsyncKernel, Caller, FixedClock, Kernel, ReentrantCallError, open_engine
from edca.runtime.answers import Outcome

REFUND = Path(__file__).resolve().parents[2] / "specs" / "refund"
WAIT_S = 20


@pytest.fixture
def parts(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.executescript((REFUND / "shop.sql").read_text("utf-8"))
    shop.close()
    return {
        "spec": REFUND / "refund.edca",
        "routes": REFUND / "refund.arp",
        "roster": REFUND / "roster.toml",
        "ledger": tmp_path / "ledger.db",
        "engines": {"shop": open_engine(f"sqlite:///{tmp_path}/shop.db")},
        "clock": FixedClock("2026-03-20T12:00:00Z"),
    }


def opens(parts):
    Kernel.open(**parts).close()


@pytest.mark.parametrize("bounds", [{"workers": 0}, {"waiting_max": 0}])
def test_refused_bounds_leave_no_ledger_open(parts, bounds):
    async def main():
        with pytest.raises(ValueError):
            await AsyncKernel.open(**parts, **bounds)
        opens(parts)

    asyncio.run(main())


@pytest.mark.parametrize("already_open", [False, True])
def test_cancelled_while_opening_leaves_no_ledger_open(parts, monkeypatch, already_open):
    begun, go, done = threading.Event(), threading.Event(), threading.Event()
    original = Kernel.open.__func__
    closed = threading.Event()
    close = Kernel.close

    def slow(cls, *args, **options):
        kernel = original(cls, *args, **options) if already_open else None
        begun.set()
        assert go.wait(WAIT_S)
        done.set()
        return kernel or original(cls, *args, **options)

    monkeypatch.setattr(Kernel, "open", classmethod(slow))
    monkeypatch.setattr(Kernel, "close", lambda self: (close(self), closed.set()))

    async def main():
        opening = asyncio.create_task(AsyncKernel.open(**parts))
        assert await asyncio.to_thread(begun.wait, WAIT_S)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        go.set()
        assert await asyncio.to_thread(closed.wait, WAIT_S)

    asyncio.run(main())
    monkeypatch.undo()
    opens(parts)


def test_a_route_that_calls_back_through_the_async_kernel_is_told_so(parts):
    sven = Caller("sven", "supervisor", subject="carla")
    pay = {"transition": "pay", "arguments": {"order_id": "o1"}, "key": "p"}
    approve = {
        "transition": "approve_refund",
        "arguments": {"order_id": "o1", "amount": "20.00", "picks": [{"sku": "a1", "count": 1}]},
        "confidence": 0.93,
    }
    bot = Caller("desk-bot", "assistant", subject="carla", model="small-model-2026-01-15")
    said = {"agreed": True, "reason": "It arrived broken."}

    async def main():
        raised, loop = [], asyncio.get_running_loop()
        async with await AsyncKernel.open(**parts) as kernel:
            router = kernel.kernel._runtime.context.router
            perform = router.perform

            def calling(permit):
                if not raised:
                    for wait in (
                        lambda: asyncio.run_coroutine_threadsafe(kernel.submit(pay, caller=sven), loop).result(WAIT_S),
                        lambda: asyncio.run(kernel.recover()),
                    ):
                        with pytest.raises(ReentrantCallError) as caught:
                            wait()
                        raised.append(caught.value)
                return perform(permit)

            router.perform = calling
            given = [kernel.attest(name, value, by="carla", role="customer") for name, value in said.items()]
            assert isinstance((await kernel.submit(approve, caller=bot, attestations=given)).verdict, Accepted)
            paid = await kernel.submit(pay, caller=sven)
            assert (paid.outcome, len(raised)) == (Outcome.CONFIRMED, 2)
            assert await kernel.recover() == ()

    asyncio.run(main())
