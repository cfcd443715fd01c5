"""What the whole durable way of a candidate costs, against a bare loop that writes the same: `make bench-submit`.

The candidates are specs/refund's `approve_refund`: thirteen clauses, two limits, a claim and a confirmation. Each is
about a case of its own, comes with an idempotency key, and is accepted. Facts come from memory, because what a source
takes is not the kernel's: all else is what `Kernel.submit` does. Effects are measured apart, with `pay`, which leaves
three records: the verdict, the permit spent, the outcome.

The bare loop takes what the kernel has just written, commit by commit, and writes those very rows again into a file
with the same tables, indexes, triggers and syncs: the same bytes in as many durable commits, without deciding, encoding
or hashing. A second one makes a commit for each record, as a service without shared commits would. Kernel and loops
take turns, ten times; a ratio is the median of the ten.

Growth is measured without syncs and in the process' own time, so that it shows the work and not the disk: with a new
case for each record, with a hundred cases that get all of them, and with a new case each that one counter counts, of a
day and of a rolling window; of the latter, the counter lets one passage go for each that it gets by the last size.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from submit_desk import MILLISECOND, Ask, Bench, approval, payment

from edca.api import AsyncKernel
from edca.kernel.machine import Window, WindowKind
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.staging import Staged

CALLERS = 100
ROUNDS = 10


@contextmanager
def captured() -> Iterator[list[Staged]]:
    """Keep what each commit writes."""
    written: list[Staged] = []
    transact = SQLiteLedger._transact

    def kept(ledger: SQLiteLedger, staged: Staged) -> None:
        written.append(staged)
        transact(ledger, staged)

    SQLiteLedger._transact = kept  # type: ignore[method-assign, assignment]
    try:
        yield written
    finally:
        SQLiteLedger._transact = transact  # type: ignore[method-assign]


def bare(ledger: SQLiteLedger, written: list[Staged]) -> float:
    """Write the same rows in the same commits, and return how many seconds that takes."""
    began = time.perf_counter()
    for staged in written:
        ledger._transact(staged)
    return time.perf_counter() - began


def one_by_one(written: list[Staged]) -> list[Staged]:
    """Return the same rows with a commit for each record, the cells spread evenly over them."""
    split: list[Staged] = []
    for staged in written:
        cells, heads, count = list(staged.cells.items()), list(staged.heads.items()), max(1, len(staged.rows))
        for place in range(count):
            part = Staged(staged.range, staged.tip)
            part.rows = staged.rows[place : place + 1]
            part.heads = dict(heads[place::count])
            part.cells = dict(cells[place::count])
            split.append(part)
    return split


# --- who calls ---


def by_tasks(bench: Bench, asks: list[Ask], rate: float | None = None) -> tuple[float, list[float]]:
    """Let 100 tasks submit, or `rate` of them begin a second; return the seconds in all and of each."""

    async def main() -> tuple[float, list[float]]:
        kernel, waits = AsyncKernel(bench.kernel, workers=CALLERS), []

        async def one(ask: Ask) -> None:
            began = time.perf_counter()
            answer = await kernel.submit(ask.candidate, caller=ask.caller, attestations=ask.attestations)
            waits.append(time.perf_counter() - began)
            assert answer.verdict.code == "accepted", answer.verdict

        async def caller(mine: Iterator[Ask]) -> None:
            for ask in mine:
                await one(ask)

        began = time.perf_counter()
        if rate is None:
            shared = iter(asks)
            await asyncio.gather(*(caller(shared) for _ in range(CALLERS)))
        else:
            tasks = []
            for number, ask in enumerate(asks):
                await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
                tasks.append(asyncio.create_task(one(ask)))
            await asyncio.gather(*tasks)
        return time.perf_counter() - began, waits

    return asyncio.run(main())


def by_threads(bench: Bench, asks: list[Ask], count: int) -> float:
    """Let so many threads submit; return the seconds in all."""
    began = time.perf_counter()
    with ThreadPoolExecutor(count) as pool:
        assert {answer.verdict.code for answer in pool.map(bench.submit, asks)} == {"accepted"}
    return time.perf_counter() - began


def throughput(folder: Path, name: str, count: int, run: Callable[[Bench, list[Ask]], float]) -> dict[str, Any]:
    """Measure one way of calling, and the bare loops over what it wrote, in turns: a disk has its moods."""
    bench, asks = Bench(folder, name, count), [approval(number) for number in range(count)]
    if name == "effects":
        by_threads(bench, asks, CALLERS)
        asks = [payment(number) for number in range(count)]
    took: list[tuple[float, float, float]] = []
    commits = records = size = 0
    with SQLiteLedger.open(folder / f"{name} same.db") as same, SQLiteLedger.open(folder / f"{name} alone.db") as alone:
        for number in range(ROUNDS):
            with captured() as written:
                seconds = run(bench, asks[number * count // ROUNDS : (number + 1) * count // ROUNDS])
            took.append((seconds, bare(same, written), bare(alone, one_by_one(written))))
            commits += len(written)
            records += sum(len(staged.rows) for staged in written)
            size += sum(len(row[3]) for staged in written for row in staged.rows)
    bench.close()
    kernel, shared, each = (sum(column) for column in zip(*took, strict=True))
    return {
        "decisions": count,
        "commits": commits,
        "records": records,
        "bytes_a_record": size // records,
        "per_second": count / kernel,
        "bare_per_second": count / shared,
        "ratio": statistics.median(one[1] / one[0] for one in took),
        "bare_commit_each_per_second": count / each,
        "ratio_commit_each": statistics.median(one[2] / one[0] for one in took),
    }


def latency(folder: Path, count: int, rate: float) -> dict[str, float]:
    """Measure how long callers wait at that rate, in milliseconds."""
    bench = Bench(folder, "latency", count)
    _, waits = by_tasks(bench, [approval(number) for number in range(count)], rate)
    bench.close()
    cuts = statistics.quantiles(waits, n=100)
    return {"rate": rate, "p50_ms": cuts[49] * 1000, "p99_ms": cuts[98] * 1000}


def growth(folder: Path, sizes: list[int], cases: int | None) -> list[dict[str, float]]:
    """Measure what a decision costs at those sizes, with a case each or with so many `cases` in all."""
    bench, number, found = Bench(folder, f"growth {cases}", sizes[-1] + 1000, durable=False), 0, []
    # A case that gets many records gets refusals: what is accepted would move it on.
    amount = "20.00" if cases is None else "90.00"
    for size in sizes:
        while bench.ledger.size < size:
            bench.submit(approval(number, None if cases is None else f"o{number % cases}", amount))
            number += 1
        costs = []
        for _ in range(5):
            began = time.process_time()
            for _ in range(100):
                bench.submit(approval(number, None if cases is None else f"o{number % cases}", amount))
                number += 1
            costs.append((time.process_time() - began) / 100 * 1e6)
        found.append({"records": size, "cases": cases or size, "us": min(costs)})
    bench.close()
    began = time.perf_counter()
    SQLiteLedger.open(bench.path, durable=False).close()
    found[-1]["open_s"] = time.perf_counter() - began
    return found


def counting(folder: Path, sizes: list[int], *, rolling: bool) -> list[dict[str, float]]:
    """Measure what a decision costs once one counter has counted so many; each moves the clock by a millisecond."""
    window = Window(WindowKind.ROLLING, sizes[-1] * 9 // 10 * MILLISECOND) if rolling else None
    name = f"counting {rolling}"
    bench = Bench(folder, name, sizes[-1] + 1000, durable=False, owner="the owner", window=window)
    found, number = [], 0

    def submit() -> None:
        nonlocal number
        bench.clock.instant += MILLISECOND
        answer = bench.submit(approval(number, amount="0.01", owner="the owner"))
        assert answer.verdict.code == "accepted", answer.verdict
        number += 1

    for size in sizes:
        while number < size:
            submit()
        costs = []
        for _ in range(5):
            began = time.process_time()
            for _ in range(100):
                submit()
            costs.append((time.process_time() - began) / 100 * 1e6)
        counted = next(use.counted for use in bench.kernel.limits() if use.code == "daily")
        found.append({"passages": size, "counted": counted or 0, "us": min(costs)})
    bench.close()
    return found


def main() -> int:
    """Measure, and print each figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="how many decisions for each way of calling")
    parser.add_argument("--records", type=int, default=100_000, help="how far the ledger grows; 1000000 takes an hour")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    options = parser.parse_args()
    sizes = [size for size in (1_000, 10_000, 100_000, 1_000_000) if size <= options.records]
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder, count = Path(name), options.count
        found: dict[str, Any] = {}
        for title, measure in _measures(folder, count, sizes, found):
            found[title] = figures = measure()
            for line in [] if options.json else figures if isinstance(figures, list) else [figures]:
                values = (f"{k} {v:,.2f}" if isinstance(v, float) else f"{k} {v:,}" for k, v in line.items())
                print(f"{title:30} {'  '.join(values)}", flush=True)
    if options.json:
        print(json.dumps(found, indent=2))
    return 0


def _measures(folder: Path, count: int, sizes: list[int], found: dict[str, Any]) -> list[tuple[str, Callable[[], Any]]]:
    return [
        ("100 asyncio callers", lambda: throughput(folder, "tasks", count, lambda b, asks: by_tasks(b, asks)[0])),
        ("100 threads", lambda: throughput(folder, "threads", count, lambda b, asks: by_threads(b, asks, CALLERS))),
        ("1 thread", lambda: throughput(folder, "thread", count // 20, lambda b, asks: by_threads(b, asks, 1))),
        (
            "effects, 100 asyncio callers",
            lambda: throughput(folder, "effects", count // 2, lambda b, asks: by_tasks(b, asks)[0]),
        ),
        ("at half load", lambda: latency(folder, count // 2, found["100 asyncio callers"]["per_second"] / 2)),
        ("growth, a case each", lambda: growth(folder, sizes, None)),
        ("growth, 100 cases", lambda: growth(folder, sizes, 100)),
        ("growth, one counter of a day", lambda: counting(folder, sizes, rolling=False)),
        ("growth, one rolling counter", lambda: counting(folder, sizes, rolling=True)),
    ]


if __name__ == "__main__":
    sys.exit(main())
