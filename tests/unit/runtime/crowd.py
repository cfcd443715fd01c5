"""Many callers at once over one desk: in threads, and in tasks."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import desk_world as world

from edca.api import AsyncKernel, Kernel
from edca.ledger.record import parse
from edca.runtime.loop import Runtime

WATCHDOG_S = 60


def another_runtime(bench, **parts):
    """Another runtime over the same ledger and desk."""
    return Runtime(world.MACHINE, bench.router, bench.ledger, world.ROSTER, bench.clock, admit=lambda *_: None, **parts)


def by_threads(calls):
    """Run the calls at the same time, each in a thread, and return results and errors in order."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait(WATCHDOG_S)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(run, call) for call in calls]
        errors = [future.exception(WATCHDOG_S) for future in futures]
    return [future.result() if error is None else error for future, error in zip(futures, errors, strict=True)]


def by_tasks(bench, candidates, caller=world.BOT, workers=64):
    """Submit the candidates at the same time, each in a task, and return their answers in order."""

    async def main():
        kernel = AsyncKernel(open_kernel(bench, probing=None), workers=workers)
        async with asyncio.timeout(WATCHDOG_S):
            return await asyncio.gather(*(kernel.submit(one, caller=caller) for one in candidates))

    return asyncio.run(main())


def open_kernel(bench, **parts):
    parts = {"probing": None} | parts  # a crowd of one bot's candidates is refused often
    kernel = Kernel.open(
        world.MACHINE, routes=bench.router, roster=world.ROSTER, ledger=bench.ledger, clock=bench.clock, **parts
    )
    bench.runtime = kernel._runtime
    return kernel


def submit(runtime, transition, key="", revision=None, caller=world.BOT, **arguments):
    found = world.candidate(transition, key, revision, **({"job_id": "j1"} | arguments))
    return runtime.submit(found, caller)


def contents(bench, kind):
    return [found.content for stored in bench.ledger.records() if (found := parse(stored.body)).kind == kind]
