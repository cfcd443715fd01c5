"""Puts one question after another to both engines, and counts where they disagree: `make campaign-engines`.

Half of the questions are about specs written by chance, made up with values of the right types and much that is
unknown; half are those that the repository's scenarios ask, with a few things in each disturbed, as in some of the
others. Each is a tuple of machine, case, candidate, and facts with all else that is read. Along with them go inquiries
about the queries of the same specs, made up and from scenarios, one for every four questions, which are counted apart.
Equal seeds ask equal questions, however many processes work. Exits with 1 if the compiled kernel and the reference
interpreter differ anywhere, or either raises.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("property", "laws")]

import worlds  # noqa: E402
from two_engines import (  # noqa: E402
    Asked,
    disturbed,
    disturbed_inquiry,
    engines_of,
    inquiries,
    made_up,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from setups import Setup
    from two_engines import Engines

CHUNK = 100
TRIAL_COUNT = 1000  # questions that are timed beforehand, at most
SIZES = (1, 2, 3)  # of specs written by chance
DISTURBED = 0.4  # share of the made-up questions in which things are changed too, so that early stages stop some
QUESTIONS_PER_INQUIRY = 4
EACH = 5  # inquiries of each query of a spec in a row
TOLD_MAX = 5  # differences that are printed


@dataclass
class Tally:
    """What became of some questions and inquiries; `differences` tells each disagreement, with what it was about."""

    asked: int = 0
    inquired: int = 0
    specs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    differing: int = 0
    inquiries_differing: int = 0
    differences: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count the other's as well."""
        self.asked += other.asked
        self.inquired += other.inquired
        self.specs += other.specs
        self.outcomes += other.outcomes
        self.codes += other.codes
        self.answered += other.answered
        self.differing += other.differing
        self.inquiries_differing += other.inquiries_differing
        self.differences = [*self.differences, *other.differences][:TOLD_MAX]


def questions(random: Random, by_chance: bool) -> Iterator[tuple[str, Engines, Setup]]:
    """Yield questions without end, each with its engines and a name by which it can be asked again."""
    if by_chance:
        seed, size = random.getrandbits(32), random.choice(SIZES)
        _, engines = written(seed, size)
        while True:
            for setup in made_up(engines, random, 1):
                other = disturbed(setup, random) if random.random() < DISTURBED else setup
                yield f"the spec `written({seed}, {size})`", engines, other
    while True:
        path = random.choice(worlds.SPECS)
        title, setup = random.choice(list(worlds.setups(path).items()))
        yield f"{path.stem}: {title}", engines_of(path), disturbed(setup, random)


def looked_up(random: Random, by_chance: bool) -> Iterator[tuple[str, Engines, Asked]]:
    """Yield inquiries likewise; about the repository's specs, half are those that their scenarios ask."""
    written_size = random.choice(SIZES)
    with_queries = [path for path in worlds.SPECS if worlds.spec(path.stem).queries]
    while True:
        path = random.choice(with_queries)
        seed = random.getrandbits(32)
        name = f"the spec `written({seed}, {written_size})`" if by_chance else path.stem
        engines = written(seed, written_size)[1] if by_chance else engines_of(path)
        asking = list(inquiries(engines, random, EACH))
        if not by_chance:
            asking += [Asked(*random.choice(worlds.looks(path))) for _ in asking]
        for asked in asking:
            is_left = random.random() >= DISTURBED
            yield name, engines, asked if is_left else disturbed_inquiry(engines.machine, asked, random)


def run_chunk(seed: int, number: int, count: int, only_written: bool) -> Tally:
    """Ask `count` questions, which the seed and the chunk's number determine."""
    random = Random(f"{seed}:{number}")  # noqa: S311  # equal seeds ask equal questions
    by_chance = only_written or number % 2 == 1
    tally = Tally(specs=int(by_chance))
    for name, engines, setup in islice(questions(random, by_chance), count):
        tally.asked += 1
        try:
            decided = engines.decided(setup)
            difference = None if decided == engines.judged(setup) else engines.differ(setup)
        except Exception:  # whatever either raises is a failure, and is told with its question
            decided, difference = {"outcome": "raised", "code": ""}, traceback.format_exc()
        assert isinstance(decided, dict)
        tally.outcomes[str(decided["outcome"])] += 1
        if decided.get("stage") is not None:
            tally.codes[str(decided["code"])] += 1
        if difference is not None:
            tally.differing += 1
            if len(tally.differences) < TOLD_MAX:
                tally.differences.append(f"{name}, chunk {number}\n{difference}\n{setup.candidate}")
    # By another source of chance, so that questions stay what they were whatever is looked up.
    asking = Random(f"{seed}:{number}:queries")  # noqa: S311
    for name, engines, asked in islice(looked_up(asking, by_chance), count // QUESTIONS_PER_INQUIRY):
        tally.inquired += 1
        try:
            compiled, reference = engines.answers(asked)
            difference = None if compiled == reference else f"compiled {compiled!r}, reference {reference!r}"
        except Exception:  # as above
            compiled, difference = {"outcome": "raised", "code": ""}, traceback.format_exc()
        assert isinstance(compiled, dict)
        stage = compiled.get("stage")
        tally.answered[str(compiled["outcome"] if stage is None else compiled["code"])] += 1
        if difference is not None:
            tally.inquiries_differing += 1
            if len(tally.differences) < TOLD_MAX:
                tally.differences.append(f"{name}, chunk {number}, looked up\n{difference}\n{asked.inquiry}")
    return tally


def run(count: int, seed: int, jobs: int, only_written: bool) -> Tally:
    """Ask them all, on so many processes, telling from time to time how far it is."""
    total = Tally()
    start = told = time.monotonic()
    sizes = [min(CHUNK, count - first) for first in range(0, count, CHUNK)]
    with ProcessPoolExecutor(jobs) as pool:
        work = [pool.submit(run_chunk, seed, number, size, only_written) for number, size in enumerate(sizes)]
        for done in as_completed(work):
            try:
                total.add(done.result())
            except BrokenProcessPool:
                total.differing += 1
                total.differences.insert(0, "a worker process died")
                return total
            if time.monotonic() - told > 30:
                told = time.monotonic()
                differing = total.differing + total.inquiries_differing
                print(f"  {total.asked} asked, {differing} differ, {told - start:.0f} s", flush=True)
    return total


def main() -> int:
    """Tell how long it will take, run, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="how many questions (default: 1000000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed asks other questions (default: 1)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--written", action="store_true", help="ask only about specs written by chance")
    asked = parser.parse_args()
    for path in () if asked.written else worlds.SPECS:
        worlds.setups(path)  # read and played once, whatever is timed
        worlds.looks(path)
    start = time.monotonic()
    # The trial is of chunks that the run doesn't have, so that nothing is counted twice.
    trials = max(min(TRIAL_COUNT, asked.count // 10) // 100, 1)
    for number in range(trials):
        run_chunk(asked.seed, -1 - number, 100, asked.written)
    expected = (time.monotonic() - start) / (trials * 100) * asked.count / asked.jobs
    print(
        f"{asked.count} questions, seed {asked.seed}, {asked.jobs} processes: about {expected / 60:.0f} minutes",
        flush=True,
    )
    start = time.monotonic()
    total = run(asked.count, asked.seed, asked.jobs, asked.written)
    minutes = (time.monotonic() - start) / 60
    outcomes = ", ".join(f"{count} {name}" for name, count in sorted(total.outcomes.items()))
    share = "all" if asked.written else "half"
    print(f"{total.asked} asked in {minutes:.1f} minutes, {share} about {total.specs} specs written by chance")
    print(f"decided: {outcomes}")
    print(f"stopped early: {' '.join(f'{code} {n}' for code, n in sorted(total.codes.items()))}")
    print(f"compiled = reference: {total.asked - total.differing} of {total.asked}")
    answered = ", ".join(f"{count} {name}" for name, count in sorted(total.answered.items()))
    print(f"looked up: {total.inquired}, {answered}")
    print(f"compiled = reference: {total.inquired - total.inquiries_differing} of {total.inquired} looked up")
    for difference in total.differences:
        print(f"\n--- {difference}")
    return 1 if total.differing or total.inquiries_differing else 0


if __name__ == "__main__":
    sys.exit(main())
