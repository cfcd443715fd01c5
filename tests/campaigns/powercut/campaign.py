"""Cuts the power of a disk under the ledger, over and over: `make campaign-powercuts`.

A workload runs once on the SQLite that Python really uses, and every write, sync and unlink of its files is noted
(shim.c). Then the power is cut at every place between two of them, many times over, each time with another choice of
what had reached the disk (disk.py), and the ledger is opened on what is left. It must open, hold every record that was
acknowledged before the cut, and nothing that was never written. Two controls run the same on weaker settings and on a
disk whose syncs lie: there, losses must be found. Exits with 1 if a record is lost, or a control finds nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from disk import Disk, Event, events  # noqa: E402

from edca.ledger.errors import LedgerError  # noqa: E402
from edca.ledger.sqlite import SQLiteLedger  # noqa: E402
from edca.ledger.verify import verify  # noqa: E402

COMMITS = 40  # of one workload
CUTS_A_CHUNK = 2000
TOLD_MAX = 5


@dataclass(frozen=True)
class Setting:
    """What a workload runs on: the store's own settings where `weaker` is empty."""

    name: str
    weaker: tuple[str, ...] = ()
    lies: bool = False
    loses: bool = False


SETTINGS = (
    Setting("the store's own settings"),
    Setting("control: journal_mode=delete synchronous=FULL", ("delete", "FULL"), loses=True),
    Setting("control: journal_mode=wal synchronous=NORMAL", ("wal", "NORMAL"), loses=True),
    Setting("control: synchronous=OFF", ("delete", "OFF"), loses=True),
    Setting("control: a disk whose syncs lie", lies=True, loses=True),
)


@dataclass(frozen=True)
class Run:
    """A workload that was run: its events, and each record's header and body as the whole run left them."""

    events: tuple[Event, ...]
    records: tuple[tuple[bytes, bytes], ...]


@dataclass
class Tally:
    """What became of some cuts; `losses` tells the first few."""

    cuts: int = 0
    states: set[bytes] = field(default_factory=set)
    lost: Counter[str] = field(default_factory=Counter)
    losses: list[str] = field(default_factory=list)
    unopened: int = 0  # before anything was acknowledged

    def add(self, other: Tally) -> None:
        """Count the other's as well."""
        self.cuts += other.cuts
        self.states |= other.states
        self.lost += other.lost
        self.losses = [*self.losses, *other.losses][:TOLD_MAX]
        self.unopened += other.unopened


def build_shim(folder: Path) -> Path:
    """Compile the shim. Raises `SystemExit` where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("the campaign needs a C compiler, `cc`")
    built = folder / "shim.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-w", "-o", str(built), str(HERE / "shim.c"), "-ldl"]
    subprocess.run(command, check=True)
    return built


def run_workload(shim: Path, seed: str, setting: Setting, commits: int = COMMITS) -> Run:
    """Run a workload under the shim."""
    with tempfile.TemporaryDirectory() as place:
        folder, log = Path(place, "disk"), Path(place, "log")
        folder.mkdir()
        watched = {"LD_PRELOAD": str(shim), "POWERCUT_FOLDER": str(folder), "POWERCUT_LOG": str(log)}
        command = [sys.executable, str(HERE / "workload.py"), str(folder), seed, str(commits), *setting.weaker]
        subprocess.run(command, env={**os.environ, **watched}, check=True)
        with SQLiteLedger.open(folder / "ledger.db") as ledger:
            records = tuple((stored.leaf.to_bytes(), stored.body) for stored in ledger.records())
        return Run(tuple(events(log.read_bytes())), records)


def cut(run: Run, setting: Setting, seed: str, cuts: int) -> Tally:
    """Cut the power so many times, each place between two events in turn."""
    random, tally = Random(seed), Tally()  # noqa: S311  equal seeds cut equally
    known: dict[tuple[bytes, int], str | None] = {}
    memory = Path("/dev/shm")  # noqa: S108  no disk is worn out, and nothing there is relied on
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        disk, acknowledged = Disk(setting.lies), 0
        for number, event in enumerate(run.events):
            disk.take(event)
            if event.what == "M":
                acknowledged = int(event.data)
            while tally.cuts < cuts * (number + 1) // len(run.events):
                files = disk.after_cut(random)
                state = _digest(files)
                if (state, acknowledged) not in known:
                    known[state, acknowledged] = examine(Path(place), files, run, acknowledged)
                problem = known[state, acknowledged]
                tally.cuts += 1
                tally.states.add(state)
                if problem == "unopened":
                    tally.unopened += 1
                elif problem is not None:
                    tally.lost[problem] += 1
                    if len(tally.losses) < TOLD_MAX:
                        tally.losses.append(f"after event {number} ({event.what} {event.name}): {problem}")
    return tally


def examine(folder: Path, files: dict[str, bytes], run: Run, acknowledged: int) -> str | None:
    """Open what a cut left, and say what is wrong with it; null where everything acknowledged is there."""
    for path in folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    if "ledger.db" not in files:
        return "the ledger is gone" if acknowledged else None
    try:
        with SQLiteLedger.open(folder / "ledger.db") as ledger:
            found = [(stored.leaf.to_bytes(), stored.body) for stored in ledger.records()]
            counted = ledger.cell("counter", "records")
    except LedgerError as error:
        return f"it does not open: {type(error).__name__}" if acknowledged else "unopened"
    if len(found) < acknowledged:
        return "an acknowledged record is lost"
    if tuple(found) != run.records[: len(found)]:
        return "a record is there that was not written so"
    if counted != (str(len(found)).encode() if found else None):
        return "a cell is not of the same commit as the records"
    return None if verify(folder / "ledger.db").is_sound else "it does not verify"


def _digest(files: dict[str, bytes]) -> bytes:
    whole = hashlib.sha256()
    for name, content in files.items():
        whole.update(f"{name}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.digest()[:8]


def chunk(shim: str, seed: str, setting: Setting, cuts: int) -> Tally:
    """Run one workload, and cut its power."""
    return cut(run_workload(Path(shim), seed, setting), setting, seed, cuts)


def campaign(setting: Setting, cuts: int, seed: int, jobs: int) -> Tally:
    """Cut the power so many times, on so many processes, telling from time to time how far it is."""
    total, start = Tally(), time.monotonic()
    told = start
    with tempfile.TemporaryDirectory() as place, ProcessPoolExecutor(jobs) as pool:
        shim = str(build_shim(Path(place)))
        sizes = [min(CUTS_A_CHUNK, cuts - first) for first in range(0, cuts, CUTS_A_CHUNK)]
        work = [pool.submit(chunk, shim, f"{seed}:{n}", setting, size) for n, size in enumerate(sizes)]
        for done in as_completed(work):
            total.add(done.result())
            if time.monotonic() - told > 30:
                told = time.monotonic()
                print(f"  {total.cuts} cuts, {total.lost.total()} losses, {told - start:.0f} s", flush=True)
    return total


def main() -> int:
    """Run the campaign and its controls, and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="how many cuts (default: 1000000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed cuts others (default: 1)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    asked = parser.parse_args()
    failed = False
    for setting in SETTINGS:
        cuts = min(asked.count, 10_000) if setting.loses else asked.count
        start = time.monotonic()
        total = campaign(setting, cuts, asked.seed, asked.jobs)
        spent = time.monotonic() - start
        print(
            f"{setting.name}: {total.cuts} cuts, {len(total.states)} different states of the disk, "
            f"{total.lost.total()} with a loss, {total.unopened} unopened before any acknowledgement, {spent:.0f} s"
        )
        for what, count in total.lost.most_common():
            print(f"    {count} {what}")
        failed |= bool(total.lost) is not setting.loses
        if not setting.loses:
            print(*(f"    {told}" for told in total.losses), sep="\n", end="\n" if total.losses else "")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
