"""Goal: what breaks, hangs, is interrupted or too much is told to whom it concerns, and leaves nothing half-known."""

import asyncio
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import desk_world as world
import pytest
from crowd import WATCHDOG_S, another_runtime, by_threads, contents, open_kernel, submit
from desk_bench import DeskBench

from edca.api import AsyncKernel
from edca.kernel.values import Unknown
from edca.ledger.errors import InDoubtError, LedgerBusyError
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.answers import Outcome
from edca.runtime.entrance import OverloadedError
from edca.runtime.evidence import NOT_IN_TIME
from edca.runtime.recover import recover


@pytest.fixture
def bench(tmp_path):
    bench = DeskBench(tmp_path)
    yield bench
    bench.close()


def test_a_commit_that_fails_is_told_to_every_caller(bench, monkeypatch):
    bench.router.jobs = {f"j{n}": dict(bench.router.jobs["j1"]) for n in range(20)}
    size = bench.ledger.size

    def fail(_ledger, _staged):
        time.sleep(0.05)
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(SQLiteLedger, "_transact", fail)
    calls = [lambda n=n: submit(bench.runtime, "spend", "k", job_id=f"j{n}", amount="0.10") for n in range(20)]
    assert [type(error) for error in by_threads(calls)] == [InDoubtError] * 20
    monkeypatch.undo()
    with pytest.raises(InDoubtError):
        calls[0]()
    bench.reopen()
    assert (bench.ledger.size, bench.router.done) == (size, {})
    assert {answer.outcome for answer in by_threads(calls)} == {Outcome.CONFIRMED}
    bench.assert_sound()


def test_a_busy_ledger_between_verdict_and_outcome_is_gone_on_with_by_the_next(bench, monkeypatch):
    transact, count = SQLiteLedger._transact, []

    def busy(ledger, staged):
        count.append(1)
        if len(count) == 2:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        transact(ledger, staged)

    monkeypatch.setattr(SQLiteLedger, "_transact", busy)
    with pytest.raises(LedgerBusyError):
        bench.spend("1.00")
    assert bench.router.done == {}
    answer = bench.submit("spend", amount="2.00")
    assert (answer.outcome, answer.revision) == (Outcome.CONFIRMED, 2)
    assert bench.router.jobs["j1"]["spent"] == 300
    bench.assert_sound()


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_who_is_torn_away_from_an_effect_is_followed_by_the_next_who_comes(bench, stop):
    perform = bench.router.perform

    def torn(permit):
        perform(permit)
        raise stop

    bench.router.perform = torn
    with pytest.raises(stop):
        bench.submit("spend", key="p", amount="1.00")
    bench.router.perform = perform
    assert bench.submit("spend", key="p", amount="1.00").outcome is Outcome.CONFIRMED
    assert bench.router.jobs["j1"]["spent"] == 100
    assert recover(bench.runtime) == ()
    bench.assert_sound()


def test_one_candidate_too_many_is_sent_away_at_once_and_leaves_no_trace(bench):
    runtime = another_runtime(bench, waiting_max=2)
    entered, go, read = threading.Semaphore(0), threading.Event(), bench.router.read

    def slow(requests, as_of):
        entered.release()
        assert go.wait(WATCHDOG_S)
        return read(requests, as_of)

    bench.router.read = slow
    size = bench.ledger.size
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(submit, runtime, "spend", "k", job_id=job, amount="1.00") for job in ("j1", "j2")]
        for _ in futures:
            assert entered.acquire(timeout=WATCHDOG_S)
        with pytest.raises(OverloadedError, match="2 candidates") as caught:
            submit(runtime, "spend", "k", job_id="j3", amount="1.00")
        assert (caught.value.code, bench.ledger.size) == ("overloaded", size)
        go.set()
        assert [future.result(WATCHDOG_S).outcome for future in futures] == [Outcome.CONFIRMED] * 2
    assert submit(runtime, "spend", "k", job_id="j3", amount="1.00").outcome is Outcome.CONFIRMED


def test_tasks_beyond_the_bound_are_sent_away_and_a_halt_never_waits(bench):
    entered, go, read = threading.Semaphore(0), threading.Event(), bench.router.read

    def slow(requests, as_of):
        entered.release()
        assert go.wait(WATCHDOG_S)
        return read(requests, as_of)

    bench.router.read = slow

    async def main():
        kernel = AsyncKernel(open_kernel(bench, read_within_s=None), workers=2, waiting_max=3)
        spends = [world.candidate("spend", job_id=job, amount="1.00") for job in ("j1", "j2", "j3")]
        tasks = [asyncio.create_task(kernel.submit(one, caller=world.BOT)) for one in spends]
        await asyncio.to_thread(entered.acquire, timeout=WATCHDOG_S)
        await asyncio.to_thread(entered.acquire, timeout=WATCHDOG_S)
        with pytest.raises(OverloadedError):
            await kernel.submit(spends[0], caller=world.BOT)
        await kernel.halt(by="ops", reason="stop")
        assert await kernel.mode() == "halted"
        go.set()
        return [answer.verdict.code for answer in await asyncio.gather(*tasks)]

    async def watched():
        async with asyncio.timeout(WATCHDOG_S):
            return await main()

    assert asyncio.run(watched()) == ["halted"] * 3


def test_a_cancelled_task_takes_nothing_back(bench):
    entered, go, perform = threading.Event(), threading.Event(), bench.router.perform

    def slow(permit):
        entered.set()
        assert go.wait(WATCHDOG_S)
        return perform(permit)

    bench.router.perform = slow
    spend = world.candidate("spend", "p", job_id="j1", amount="1.00")
    unbegun = world.candidate("spend", "q", job_id="j2", amount="1.00")

    async def main():
        kernel = AsyncKernel(open_kernel(bench), workers=1)
        task, other = (asyncio.create_task(kernel.submit(one, caller=world.BOT)) for one in (spend, unbegun))
        await asyncio.to_thread(entered.wait, WATCHDOG_S)
        for one in (task, other):
            one.cancel()
            with pytest.raises(asyncio.CancelledError):
                await one
        go.set()
        return await kernel.submit(spend, caller=world.BOT)

    answer = asyncio.run(main())
    assert answer.outcome is Outcome.CONFIRMED
    assert (bench.router.jobs["j1"]["spent"], bench.router.jobs["j2"]["spent"]) == (100, 0)
    assert [content["candidate"]["key"] for content in contents(bench, "verdict")] == ["p"]
    bench.assert_sound()


def test_what_a_source_does_not_tell_in_time_is_unknown(bench):
    runtime = another_runtime(bench, read_within_us=50_000)
    go, read = threading.Event(), bench.router.read
    submit(runtime, "spend", amount="1.00")

    def hanging(requests, as_of):
        go.wait(WATCHDOG_S)
        return read(requests, as_of)

    bench.router.read = hanging
    began = time.monotonic()
    answer = submit(runtime, "spend", amount="1.00")
    unmet = submit(runtime, "spend", job_id="j2", amount="1.00")
    assert time.monotonic() - began < WATCHDOG_S / 2
    go.set()
    assert (answer.verdict.code, answer.verdict.clauses[0].reason) == ("odd", Unknown.MISSING)
    assert unmet.verdict.code == "unknown_case"
    (told,) = contents(bench, "verdict")[1]["facts"]
    assert (told["source"], told["found"]) == (NOT_IN_TIME, False)
    bench.router.read = read
    bench.assert_sound()
