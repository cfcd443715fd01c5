"""Goal: tasks that submit at one time are taken together, told together, and none waits for another's source."""

import asyncio
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "runtime"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "faults"))

import desk_world as world
from crowd import WATCHDOG_S, open_kernel
from desk_bench import DeskBench

from edca.api import AsyncKernel
from edca.api.crowd import LEADERS
from edca.runtime import together
from edca.runtime.loop import Runtime

JOBS = [f"j{number}" for number in range(200)]


@pytest.fixture
def desk(tmp_path):
    made = DeskBench(tmp_path, *JOBS)
    yield made
    made.close()


@pytest.fixture
def taken(monkeypatch):
    """How many were taken at a time."""
    counts, take = [], Runtime.submit_together

    def noted(runtime, submissions):
        counts.append(len(submissions))
        return take(runtime, submissions)

    monkeypatch.setattr(Runtime, "submit_together", noted)
    return counts


def _run(desk, main, **options):
    async def watched():
        kernel = AsyncKernel(open_kernel(desk), **options)
        async with asyncio.timeout(WATCHDOG_S):
            return await main(kernel)

    return asyncio.run(watched())


def _ask(kernel, job, amount="0.10"):
    return kernel.submit(world.candidate("spend", f"key of {job}", job_id=job, amount=amount), caller=world.BOT)


def test_a_crowd_takes_few_turns_and_each_gets_its_own_answer(desk, taken):
    async def main(kernel):
        return await asyncio.gather(*(_ask(kernel, job) for job in JOBS))

    answers = _run(desk, main)
    assert len({answer.record for answer in answers}) == len(JOBS)
    assert sum(taken) == len(JOBS)
    assert len(taken) < len(JOBS) / 4
    assert all(desk.router.jobs[job]["spent"] == 10 for job in JOBS)
    desk.assert_sound()


def test_no_more_are_taken_at_one_time_than_there_are_workers(desk, taken):
    async def main(kernel):
        return await asyncio.gather(*(_ask(kernel, job) for job in JOBS[:20]))

    assert len(_run(desk, main, workers=3)) == 20
    assert max(taken) <= 3


def test_a_slow_source_of_one_holds_up_nobody_else(desk, monkeypatch):
    monkeypatch.setattr(together, "PATIENCE_S", 0.01)
    go, read = threading.Event(), desk.router.read

    def slow(requests, as_of):
        if requests[0].key == ("j7",):
            assert go.wait(WATCHDOG_S)
        return read(requests, as_of)

    desk.router.read = slow

    async def main(kernel):
        held = asyncio.create_task(_ask(kernel, "j7"))
        others = await asyncio.gather(*(_ask(kernel, job) for job in JOBS if job != "j7"))
        assert not held.done()
        go.set()
        return [*others, await held]

    assert {answer.verdict.code for answer in _run(desk, main)} == {"accepted"}
    desk.assert_sound()


def test_who_leaves_before_it_is_taken_leaves_nothing(desk, taken):
    async def main(kernel):
        tasks = [asyncio.create_task(_ask(kernel, job)) for job in JOBS[:50]]
        await asyncio.sleep(0)  # each has submitted now
        for task in tasks[1:]:
            task.cancel()
        came = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(kernel._crowd.close)
        return came

    came = _run(desk, main, workers=1)
    assert [type(one) for one in came[1:]] == [asyncio.CancelledError] * 49
    assert sum(taken) < 50
    assert sum(job["spent"] for job in desk.router.jobs.values()) == 10 * sum(taken)
    desk.assert_sound()


def test_what_goes_wrong_for_all_is_told_to_all_and_others_come_after_them(desk, monkeypatch):
    class Worse(BaseException):
        pass

    take = Runtime.submit_together

    def failing(runtime, submissions):
        monkeypatch.setattr(Runtime, "submit_together", take)
        raise Worse

    async def main(kernel):
        for _ in range(LEADERS + 1):
            monkeypatch.setattr(Runtime, "submit_together", failing)
            with pytest.raises(Worse):
                await _ask(kernel, "j1")
        return await asyncio.gather(*(_ask(kernel, job) for job in JOBS[:10]))

    assert {answer.verdict.code for answer in _run(desk, main)} == {"accepted"}


def test_two_event_loops_share_a_kernel(desk):
    kernel = AsyncKernel(open_kernel(desk))

    async def main(jobs):
        async with asyncio.timeout(WATCHDOG_S):
            return await asyncio.gather(*(_ask(kernel, job) for job in jobs))

    came = []
    threads = [
        threading.Thread(target=lambda part=part: came.extend(asyncio.run(main(JOBS[part::2])))) for part in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WATCHDOG_S)
    assert len(came) == len(JOBS)
    desk.assert_sound()


def test_once_closed_it_takes_nobody(desk):
    async def main(kernel):
        await asyncio.gather(*(_ask(kernel, job) for job in JOBS[:10]))
        await kernel.close()
        await kernel.close()
        with pytest.raises(RuntimeError, match="closed"):
            await _ask(kernel, "j1")

    _run(desk, main)
