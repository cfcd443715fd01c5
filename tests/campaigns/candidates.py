"""Sends one answer after another through the readers of providers' shapes: `make campaign-candidates`.

Each answer is made by chance from its seed: whole ones of each shape, and damaged ones. Every reader is given every
answer. Exits with 1 if a reader raises, reads one answer in two ways, reads something other than a lenient reader of
JSON would find in it, or says of a malformed one more than it may.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "property"))

from fuzz_candidates import READERS, answers, faults

from edca.kernel.candidate import Candidate

CHUNK = 5_000
TOLD_MAX = 5


def run_chunk(first: int, count: int) -> tuple[Counter[str], list[str]]:
    """Return what became of these answers, and the faults that were found."""
    became: Counter[str] = Counter()
    found: list[str] = []
    for seed in range(first, first + count):
        raw = answers(seed)
        for shape in READERS:
            read, wrong = faults(shape, raw)
            became["candidate" if isinstance(read, Candidate) else "malformed"] += 1
            found += [f"seed {seed}, {shape}: {fault}\n{raw[:2000]!r}" for fault in wrong]
    return became, found


def main() -> int:
    """Run, telling how far it is, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many answers (default: 100000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other answers (default: 1)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    asked = parser.parse_args()
    begin = asked.seed << 40
    became: Counter[str] = Counter()
    found: list[str] = []
    done = 0
    start = told = time.monotonic()
    with ProcessPoolExecutor(asked.jobs) as pool:
        work = {
            pool.submit(run_chunk, begin + first, min(CHUNK, asked.count - first)): min(CHUNK, asked.count - first)
            for first in range(0, asked.count, CHUNK)
        }
        for chunk in as_completed(work):
            counted, wrong = chunk.result()
            became += counted
            found += wrong
            done += work[chunk]
            if time.monotonic() - told > 30:
                told = time.monotonic()
                print(f"  {done} of {asked.count}, {len(found)} faults, {told - start:.0f} s", flush=True)
    print(f"{done} answers, {sum(became.values())} readings in {time.monotonic() - start:.0f} s")
    print(", ".join(f"{number} {what}" for what, number in sorted(became.items())))
    print(f"faults: {len(found)}")
    for fault in found[:TOLD_MAX]:
        print(f"\n--- {fault}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
