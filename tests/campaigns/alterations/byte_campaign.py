"""Alters every byte of a ledger of 1,000 records in turn, and of what is handed out of it: `make campaign-bytes`.

Every byte of every row (index, hint, header, body), of the chains' heads, of the cells, of checkpoints, receipts, a
witness's request and all files of a bundle gets another value, one at a time. Then records are dropped, repeated,
swapped and spliced at every place, and the newest cut off in every length. Each must be found, and the right record,
head, cell or file named. How that is done in minutes says `sweep.py`; a sample is done again on whole files. Exits with
1 if anything was taken for sound or named wrongly.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from random import Random

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import structure  # noqa: E402
from busy_ledger import fill  # noqa: E402
from proofs import Bundle, alter_proofs, bundle, handed_out  # noqa: E402
from sweep import COLUMNS, Sweep, Tally, altered_values, whole  # noqa: E402

RECORDS_A_CHUNK = 50
RECEIPTS = 20
WHOLE = 500
_TABLE_COLUMNS = dict(zip(COLUMNS, ("leaf", "back", "header", "body"), strict=True))


def records(path: Path, _: Path, seed: str, every: int, first: int) -> Tally:
    """Alter the bytes of some records."""
    sweep, tally, random = Sweep(path), Tally(), Random(seed)  # noqa: S311  equal seeds alter equally
    for index in range(first, min(first + RECORDS_A_CHUNK, len(sweep.rows))):
        sweep.alter_record(index, random, tally, every=every)
    return tally


def beside(path: Path, _: Path, seed: str, every: int) -> Tally:
    """Alter the bytes beside the records: heads and cells."""
    sweep, tally, random = Sweep(path), Tally(), Random(seed)  # noqa: S311
    sweep.alter_heads(random, tally, every=every)
    sweep.alter_cells(random, tally, every=every)
    return tally


def proofs(path: Path, _: Path, seed: str, receipts: int) -> Tally:
    """Alter the bytes of checkpoints, receipts and a witness's request."""
    tally = Tally()
    alter_proofs(handed_out(path, receipts), Random(seed), tally)  # noqa: S311
    return tally


def bundled(path: Path, folder: Path, seed: str, every: int, name: str) -> Tally:
    """Alter the bytes of one file of a bundle."""
    tally = Tally()
    Bundle(Sweep(path, has_hints=False), folder).alter_file(name, Random(seed), tally, every=every)  # noqa: S311
    return tally


def bundled_checkpoint(path: Path, folder: Path, seed: str) -> Tally:
    """Alter the bytes of a bundle's checkpoint."""
    tally = Tally()
    Bundle(Sweep(path, has_hints=False), folder).alter_checkpoint(Random(seed), tally)  # noqa: S311
    return tally


def structural(path: Path, folder: Path, _: str, every: int) -> Tally:
    """Alter which records there are."""
    sweep, tally = Sweep(path), Tally()
    half = len(sweep.rows) // 2
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        for name, start in (("other", 0), ("forked", half)):
            Path(place, name).mkdir()
            fill(Path(place, name), len(sweep.rows), otherwise_from=start)
        structure.alter(sweep, Sweep(Path(place, "other", "ledger.db")).rows, tally)
        structure.cut(sweep, tally, every=every)
        structure.fork(sweep, Sweep(Path(place, "forked", "ledger.db")), tally)
    return tally


def on_whole_files(path: Path, folder: Path, seed: str, count: int) -> Tally:
    """Alter bytes of rows picked by chance, and verify the whole file each time: the cross-check of the others."""
    sweep, tally, random = Sweep(path), Tally(), Random(seed)  # noqa: S311
    copy = folder.parent / f"whole-{seed.replace(':', '-')}.db"
    for _ in range(count):
        index, column = random.randrange(len(sweep.rows)), random.choice(COLUMNS[1:])
        place, value = random.choice(list(altered_values(sweep.rows[index][COLUMNS.index(column)], random)))
        found = whole(path, copy, _TABLE_COLUMNS[column], index, value).findings
        named = {finding.index for finding in found} == {index}
        tally.count("whole files", bool(found), named, f"record {index}, {column}, byte {place}")
    return tally


def work(path: Path, folder: Path, seed: int, every: int) -> list[tuple[Callable[..., Tally], tuple[object, ...]]]:
    """Return all there is to do, in parts for several processes: a function, and what it is called with."""
    parts: list[tuple[Callable[..., Tally], tuple[object, ...]]] = []
    sweep = Sweep(path, has_hints=False)

    def add(function: Callable[..., Tally], *more: object) -> None:
        parts.append((function, (path, folder, f"{seed}:{len(parts)}", *more)))

    for name in Bundle(sweep, folder).names:
        add(bundled, every, name)
    add(bundled_checkpoint)
    add(structural, every)
    add(beside, every)
    add(proofs, max(RECEIPTS // every, 1))
    for first in range(0, len(sweep.rows), RECORDS_A_CHUNK):
        add(records, every, first)
    add(on_whole_files, max(WHOLE // every, 20))
    return parts


def main() -> int:
    """Run the campaign, and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1000, help="records of the ledger (default: 1000)")
    parser.add_argument("--every", type=int, default=1, help="alter every so many bytes only (default: 1, all)")
    parser.add_argument("--seed", type=int, default=1, help="another seed puts other values there (default: 1)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    asked = parser.parse_args()
    start = told = time.monotonic()
    with tempfile.TemporaryDirectory() as place, ProcessPoolExecutor(asked.jobs) as pool:
        path, folder = fill(Path(place), asked.records), Path(place, "bundle")
        bundle(path, folder)
        rows = Sweep(path).rows
        size = sum(len(row[2]) + len(row[3]) for row in rows)
        print(
            f"{len(rows)} records, {size} bytes of headers and bodies, seed {asked.seed}, about 15 minutes", flush=True
        )
        total = Tally()
        waiting = [pool.submit(function, *given) for function, given in work(path, folder, asked.seed, asked.every)]
        for number, done in enumerate(as_completed(waiting), start=1):
            total.add(done.result())
            if time.monotonic() - told > 30:
                told = time.monotonic()
                print(f"  {number} of {len(waiting)} parts, {sum(total.tried.values())} alterations", flush=True)
    for part, count in sorted(total.tried.items()):
        print(f"{part}: {count}")
    for problem in (*total.silent[:20], *total.misnamed[:20]):
        print(f"  {problem}")
    found = sum(total.tried.values())
    print(
        f"{found} alterations, {len(total.silent)} taken for sound, {len(total.misnamed)} named wrongly,"
        f" {time.monotonic() - start:.0f} s"
    )
    return 0 if total.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
