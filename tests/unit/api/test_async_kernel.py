"""Goal: on an event loop everything is as it is without one: the same methods, the same answers, nothing held up."""

import asyncio
import inspect
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from edca.api import AsyncKernel, Caller, FixedClock, Kernel, LedgerError, Outcome, PolicyError

_HERE = Path(__file__).resolve().parent
BOT = Caller("bot", "assistant", subject="carla", model="small-model-2024-05-01")
SVEN = Caller("sven", "supervisor", subject="carla")
APPROVE = {
    "transition": "approve_refund",
    "arguments": {"order_id": "o1", "amount": "20.00", "picks": [{"sku": "a1", "count": 1}]},
    "key": "call-1",
    "confidence": 0.91,
}
PAY = {"transition": "pay", "arguments": {"order_id": "o1"}, "key": "pay-1"}
_BLOCKING = {"start_timers", "stop_timers", "replay", "migrate", "plan_migration"}  # for whoever runs the process
_SHOP = """
CREATE TABLE t_ord(ono TEXT PRIMARY KEY, cno TEXT, lvl TEXT, st_cd TEXT, tot_c INTEGER, ref_c INTEGER,
                   dlv_us INTEGER, frz_f INTEGER);
CREATE TABLE t_itm(ono TEXT, art TEXT, prc_c INTEGER, ret_f INTEGER, PRIMARY KEY(ono, art));
CREATE TABLE t_done(op_key TEXT PRIMARY KEY, body TEXT);
INSERT INTO t_ord VALUES('o1', 'carla', 'R', 'D', 8000, 0, 1772355600000000, 0);
INSERT INTO t_itm VALUES('o1', 'a1', 8000, 1);
"""


@pytest.fixture
def parts(tmp_path, monkeypatch, repository):
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript(_SHOP)
    monkeypatch.setenv("EDCA_TEST_SHOP_URL", f"sqlite:///{tmp_path / 'shop.db'}")
    return {
        "spec": repository / "specs" / "refund" / "refund.edca",
        "routes": _HERE / "refund.arp",
        "roster": _HERE / "roster.toml",
        "ledger": tmp_path / "ledger.db",
        "clock": FixedClock("2026-03-20T12:00:00Z"),
    }


def _open(parts, **more):
    options = {**parts, **more}
    return AsyncKernel.open(options.pop("spec"), **options)


def _public(kind):
    return {name: found for name, found in inspect.getmembers(kind) if not name.startswith("_") and name != "open"}


def test_it_has_the_methods_of_a_kernel_with_the_same_parameters():
    sync, other = _public(Kernel), _public(AsyncKernel)
    assert set(sync) - set(other) == _BLOCKING
    assert set(other) <= set(sync)
    for name, found in other.items():
        if inspect.isfunction(found) and name != "mode":
            mine = list(inspect.signature(found).parameters.values())
            theirs = list(inspect.signature(sync[name]).parameters.values())
            assert [(p.name, p.kind, p.default) for p in mine] == [(p.name, p.kind, p.default) for p in theirs], name


def test_a_refund_goes_its_whole_way_and_an_answer_is_heard(parts):
    async def main():
        async with await _open(parts) as kernel:
            view = await kernel.view("order", ["o1"], caller=BOT)
            assert (view.state, kernel.machine.name, await kernel.mode()) == ("requested", "refund", "normal")
            agreed = kernel.attest("agreed", True, by="carla", role="customer")
            reason = kernel.attest("reason", "It arrived broken.", by="carla", role="customer")
            unsure = {**APPROVE, "confidence": 0.5}
            waiting = await kernel.submit(unsure, caller=BOT, attestations=[agreed, reason])
            assert waiting.verdict.code == "unsure"
            (asked,) = await kernel.inbox()
            said = {"code": "unsure", "by": "sven", "role": "supervisor", "preview": asked.preview.digest}
            answered = await kernel.approve(asked.id, **said)
            paid = await kernel.submit(PAY, caller=SVEN)
            question = await kernel.question(paid.record.index)
            return answered.void, answered.answer.state, paid.outcome, question.candidate.transition

    assert asyncio.run(main()) == (None, "approved", Outcome.CONFIRMED, "pay")


def test_operators_act_and_errors_arrive(parts):
    async def main():
        async with await _open(parts) as kernel:
            await kernel.halt(by="ops", reason="stop")
            assert (await kernel.submit(PAY, caller=SVEN)).verdict.code == "halted"
            assert await kernel.resume(by="ops") == ()
            with pytest.raises(LedgerError, match="another process"):
                await _open(parts)
            with pytest.raises(ValueError, match="no entity"):
                await kernel.view("ordre", ["o1"], caller=BOT)
        with pytest.raises(PolicyError):
            await _open(parts, spec=parts["roster"])

    asyncio.run(main())


def test_the_event_loop_goes_on_while_a_candidate_is_taken(parts):
    async def main():
        async with await _open(parts) as kernel:
            go, read = threading.Event(), kernel.kernel._runtime.context.router.read

            def slow(requests, as_of):
                assert go.wait(30)
                return read(requests, as_of)

            kernel.kernel._runtime.context.router.read = slow
            task = asyncio.create_task(kernel.submit(PAY, caller=SVEN))
            for _ in range(3):
                await asyncio.sleep(0.01)
                assert not task.done()
            go.set()
            return (await task).verdict.code

    assert asyncio.run(main()) == "no_such_transition"
