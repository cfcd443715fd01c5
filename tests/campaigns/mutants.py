"""Damages specs many times over, and counts how the compiler takes it: `make campaign-mutants`.

Half of the specs are those of the repository and its corpus, the small ones more often; half are written by chance, so
that every form of the language is among them. Equal seeds try equal mutants, however many processes work. Exits with 1
if anything crashed, hung, or was neither compiled nor explained.
"""

from __future__ import annotations

import argparse
import resource
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("property", "laws")]

from judgement import Judgement, judge, reduced, shows  # noqa: E402
from mutation import bases, lightly, mutate  # noqa: E402
from scenario_writer import scenario  # noqa: E402
from spec_writer import generated  # noqa: E402

if TYPE_CHECKING:
    from types import FrameType

CHUNK = 100
MEMORY_MAX = 3 * 2**30
TRIAL_COUNT = 200  # mutants that are timed beforehand
GENERATED_SHARE = 0.5  # of the mutants, those made from specs written by chance


@dataclass
class Tally:
    """What became of some mutants; `wrong` maps each kind of failure to its shortest text."""

    tried: int = 0
    compiled: int = 0
    explained: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)
    slowest: float = 0.0

    def add(self, other: Tally) -> None:
        """Count the other's as well."""
        self.tried += other.tried
        self.compiled += other.compiled
        self.explained += other.explained
        self.codes += other.codes
        self.failures += other.failures
        self.slowest = max(self.slowest, other.slowest)
        for name, text in other.wrong.items():
            if name not in self.wrong or len(text) < len(self.wrong[name]):
                self.wrong[name] = text


def _alarm(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError


def _prepare() -> None:
    """Bound the memory of a process, and let its alarm end what takes too long."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    signal.signal(signal.SIGPROF, _alarm)


def judged(text: str, seconds: float) -> Judgement:
    """Judge one text within so many seconds of processor time: what else the machine does is no hang."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return judge(text)
    except TimeoutError:
        return Judgement(f"not done after {seconds:g} seconds")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def run_chunk(seed: int, number: int, count: int, seconds: float) -> Tally:
    """Try `count` mutants, which the seed and the chunk's number determine."""
    random = Random(f"{seed}:{number}")  # noqa: S311  # equal seeds try equal mutants
    found = bases()
    weights = lightly(found)
    writer = generated(random.getrandbits(32), size=1)
    writer.written.scenarios = [scenario(writer) for _ in range(2)]
    tally = Tally()
    for _ in range(count):
        text = writer.written.text if random.random() < GENERATED_SHARE else random.choices(found, weights)[0][1]
        mutant = mutate(text, random)
        start = time.process_time()
        judgement = judged(mutant, seconds)
        tally.slowest = max(tally.slowest, time.process_time() - start)
        tally.tried += 1
        tally.codes.update(judgement.codes)
        wrong = judgement.wrong
        if wrong is not None:
            tally.failures[wrong] += 1
            tally.wrong[wrong] = min(tally.wrong.get(wrong, mutant), mutant, key=len)
        elif judgement.compiled:
            tally.compiled += 1
        else:
            tally.explained += 1
    return tally


def run(count: int, seed: int, jobs: int, seconds: float) -> Tally:
    """Try them all, on so many processes, telling from time to time how far it is."""
    total = Tally()
    start = told = time.monotonic()
    sizes = [min(CHUNK, count - first) for first in range(0, count, CHUNK)]
    with ProcessPoolExecutor(jobs, initializer=_prepare) as pool:
        work = [pool.submit(run_chunk, seed, number, size, seconds) for number, size in enumerate(sizes)]
        for done in as_completed(work):
            try:
                total.add(done.result())
            except BrokenProcessPool:
                total.failures["a worker process died"] += 1
                return total
            if time.monotonic() - told > 30:
                told = time.monotonic()
                print(f"  {total.tried} tried, {sum(total.failures.values())} wrong, {told - start:.0f} s", flush=True)
    return total


def main() -> int:
    """Tell how long it will take, run, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many mutants (default: 100000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed tries other mutants (default: 1)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--seconds", type=float, default=10.0, help="the most that one mutant may take (default: 10)")
    asked = parser.parse_args()
    _prepare()
    start = time.monotonic()
    # The trial is of chunks that the run doesn't have, so that nothing is counted twice.
    for number in range(TRIAL_COUNT // 20):
        run_chunk(asked.seed, -1 - number, 20, asked.seconds)
    each = (time.monotonic() - start) / TRIAL_COUNT
    expected = each * asked.count / asked.jobs
    print(
        f"{asked.count} mutants, seed {asked.seed}, {asked.jobs} processes: about {expected / 60:.0f} minutes",
        flush=True,
    )
    start = time.monotonic()
    total = run(asked.count, asked.seed, asked.jobs, asked.seconds)
    minutes = (time.monotonic() - start) / 60
    wrong = sum(total.failures.values())
    print(f"{total.tried} tried in {minutes:.1f} minutes: {total.compiled} compile, {total.explained} are explained")
    print(f"{len(total.codes)} codes: {' '.join(f'{code} {n}' for code, n in sorted(total.codes.items()))}")
    print(f"the slowest took {total.slowest:.2f} seconds; {wrong} went wrong, in {len(total.failures)} ways")
    for name, count in total.failures.most_common():
        print(f"\n--- {name}: {count} times")
        if name in total.wrong:
            print(reduced(total.wrong[name], shows(name, partial(judged, seconds=asked.seconds)), tries=3_000))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
