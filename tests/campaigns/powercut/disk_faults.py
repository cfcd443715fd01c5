"""Lets a disk fail under the ledger, at every call: `make campaign-disk-faults`.

A workload runs under the shim, which lets its n-th call on the ledger's files fail (write, sync, truncate, create,
unlink, read): once, from then on, with an I/O error, with a full disk, or after half a write. So for every n. Then a
tmpfs is filled (where mounting is allowed), and a writer is killed with SIGKILL, many times. Whatever happens: what is
raised is a `LedgerError` with its code, the object that met it takes no further commit, every acknowledged record is
there once the disk is well again, the ledger verifies, and commits go on. Exits with 1 if anything of that fails.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from campaign import build_shim  # noqa: E402

from edca.ledger.errors import LedgerError  # noqa: E402
from edca.ledger.record import Draft  # noqa: E402
from edca.ledger.sqlite import SQLiteLedger  # noqa: E402
from edca.ledger.verify import verify  # noqa: E402

COMMITS = 6  # of one workload
SEED = "disk"
TOLD_MAX = 10


@dataclass(frozen=True)
class Fault:
    """How calls fail: the error (below 0: the first write does half), and how many in a row (0: all from then on)."""

    name: str
    error: int
    times: int


FAULTS = (
    Fault("one I/O error", errno.EIO, 1),
    Fault("I/O errors from then on", errno.EIO, 0),
    Fault("the disk is full once", errno.ENOSPC, 1),
    Fault("the disk is full from then on", errno.ENOSPC, 0),
    Fault("the disk fills up in the middle of a write", -errno.ENOSPC, 0),
)


@dataclass
class Tally:
    """What became of some runs; `problems` tells the first few that went wrong."""

    runs: int = 0
    raised: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count the other's as well."""
        self.runs += other.runs
        self.raised += other.raised
        self.problems += other.problems


def records_of(path: Path) -> tuple[tuple[bytes, bytes], ...]:
    """Return each record's header and body."""
    with SQLiteLedger.open(path, readonly=True) as ledger:
        return tuple((stored.leaf.to_bytes(), stored.body) for stored in ledger.records())


def sound_run(shim: Path, place: Path) -> tuple[int, tuple[tuple[bytes, bytes], ...]]:
    """Run the workload on a disk that does not fail; return how many calls it makes, and what it writes."""
    folder = place / "sound"
    folder.mkdir()
    calls = place / "calls"
    _run(shim, folder, {"POWERCUT_CALLS": str(calls)})
    return int(calls.read_text()), records_of(folder / "ledger.db")


def _run(shim: Path, folder: Path, more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    log = folder.parent / f"{folder.name}.log"
    watched = {"LD_PRELOAD": str(shim), "POWERCUT_FOLDER": str(folder), "POWERCUT_LOG": str(log), **more}
    command = [sys.executable, str(HERE / "faulty_workload.py"), str(folder), SEED, str(COMMITS)]
    return subprocess.run(command, env={**os.environ, **watched}, capture_output=True, text=True, check=False)


def fail_at(shim: Path, place: Path, fault: Fault, call: int, written: tuple[tuple[bytes, bytes], ...]) -> Tally:
    """Let one call fail, and look at what is left."""
    folder = place / f"{fault.error}-{fault.times}-{call}"
    folder.mkdir()
    ran = _run(shim, folder, {"POWERCUT_FAIL": f"{call} {fault.error} {fault.times}"})
    tally = Tally(1)
    where = f"{fault.name}, call {call}"
    try:
        told = json.loads(ran.stdout)
    except json.JSONDecodeError:
        tally.problems.append(f"{where}: no clear error: {ran.stderr.strip()[-200:]}")
        return tally
    tally.raised[f"{told['code'] or 'nothing'} during {told['during']}"] += 1
    if told["code"] is not None and not told["message"]:
        tally.problems.append(f"{where}: an error without words")
    if told["during"] == "commit" and told["refused"] is False:
        tally.problems.append(f"{where}: a commit was taken after one had failed: {told['message']}")
    problem = examine(folder, written)
    if problem is not None:
        tally.problems.append(f"{where}: {problem}")
    shutil.rmtree(folder)
    return tally


def examine(folder: Path, written: tuple[tuple[bytes, bytes], ...] | None) -> str | None:
    """Open the ledger on a disk that is well again, and say what is wrong with it; null where nothing is."""
    mark = folder / "mark"
    lines = mark.read_text().split() if mark.exists() else []
    acknowledged = int(lines[-1]) if lines else 0
    try:
        with SQLiteLedger.open(folder / "ledger.db") as ledger:
            found = tuple((stored.leaf.to_bytes(), stored.body) for stored in ledger.records())
            counted = ledger.cell("counter", "records")
            if len(found) < acknowledged:
                return f"acknowledged were {acknowledged} records, and {len(found)} are there"
            if written is not None and found != written[: len(found)]:
                return "a record is there that was not written so"
            if counted != (str(len(found)).encode() if found else None):
                return "a cell is not of the same commit as the records"
            ledger.commit([Draft("/case:0", "note", {"after": "the disk is well again"})])
    except LedgerError as error:
        return f"it does not open or go on: {error}"
    return None if verify(folder / "ledger.db", expect_size=acknowledged).is_sound else "it does not verify"


def every_call(faults: tuple[Fault, ...], *, every: int, jobs: int) -> Tally:
    """Let every call (or every so many) fail, in each of those ways."""
    total = Tally()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        shim = build_shim(place)
        calls, written = sound_run(shim, place)
        work = [(fault, call) for fault in faults for call in range(1, calls + 1, every)]
        with ThreadPoolExecutor(jobs) as pool:
            for tally in pool.map(lambda one: fail_at(shim, place, one[0], one[1], written), work):
                total.add(tally)
    return total


# A disk that is really full

_FILL = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from disk_faults import fill_disk
print(json.dumps(fill_disk(Path(sys.argv[2]))))
"""


def fill_disk(folder: Path) -> dict[str, object]:
    """Commit until the disk is full; make room, open again, and go on."""
    spare = folder / "spare"
    spare.write_bytes(bytes(64 << 10))
    path, acknowledged, code = folder / "ledger.db", 0, None
    ledger, refused = SQLiteLedger.open(path), False
    try:
        for number in range(10_000):
            ledger.commit([Draft(f"/case:{number % 5}", "note", {"pad": bytes(3000)})])
            acknowledged = ledger.size
    except LedgerError as error:
        code, message = error.code, str(error)
        try:
            ledger.commit([Draft("/case:0", "note", {})])
        except LedgerError:
            refused = True
    ledger.close()
    spare.unlink()
    with SQLiteLedger.open(path) as again:
        size = again.size
        again.commit([Draft("/case:0", "note", {"after": "room was made"})])
    found = verify(path, expect_size=acknowledged)
    return {
        "acknowledged": acknowledged,
        "code": code,
        "message": message if code else None,
        "refused": refused,
        "size": size,
        "sound": found.is_sound,
    }


def full_disk() -> dict[str, object] | None:
    """Fill a tmpfs of 1 MiB that nobody else sees; null where this account may not mount one."""
    with tempfile.TemporaryDirectory() as place:
        mount = 'mount -t tmpfs -o size=1m none "$1" && exec "$2" -c "$3" "$4" "$1"'
        inside = ["sh", "-c", mount, "sh", place, sys.executable, _FILL, str(HERE)]
        if shutil.which("unshare") is None:
            return None
        ran = subprocess.run(["unshare", "--mount", *inside], capture_output=True, text=True, check=False)
        if ran.returncode != 0 and "acknowledged" not in ran.stdout and "mount" in ran.stderr + "unshare":
            return None if "Traceback" not in ran.stderr else {"sound": False, "message": ran.stderr}
        told: dict[str, object] = json.loads(ran.stdout)
        return told


# A writer that is killed


def kill_loop(rounds: int, seed: int) -> Tally:
    """Kill a writer again and again, each time somewhere else, always on the same ledger."""
    tally, random = Tally(), Random(seed)  # noqa: S311  equal seeds wait equally long
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(rounds):
            command = [sys.executable, str(HERE / "workload.py"), str(folder), f"{seed}:{number}", "1000000"]
            writer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            before = _marks(folder)
            while _marks(folder) == before and writer.poll() is None:
                time.sleep(0.005)
            time.sleep(random.random() * 0.05)
            writer.send_signal(signal.SIGKILL)
            writer.wait()
            tally.runs += 1
            problem = examine(folder, None)
            if problem is not None:
                tally.problems.append(f"kill {number}: {problem}")
                return tally
    return tally


def _marks(folder: Path) -> int:
    mark = folder / "mark"
    return mark.stat().st_size if mark.exists() else 0


def main() -> int:
    """Run the campaign, and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="fail every so many calls only (default: 1, all)")
    parser.add_argument("--kills", type=int, default=200, help="how many times a writer is killed (default: 200)")
    parser.add_argument("--seed", type=int, default=1, help="another seed kills elsewhere (default: 1)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    asked = parser.parse_args()
    problems: list[str] = []
    for fault in FAULTS:
        start = time.monotonic()
        tally = every_call((fault,), every=asked.every, jobs=asked.jobs)
        problems += tally.problems
        print(f"{fault.name}: {tally.runs} runs, {len(tally.problems)} problems, {time.monotonic() - start:.0f} s")
        for what, count in tally.raised.most_common():
            print(f"    {count} raised {what}", flush=True)
    filled = full_disk()
    print(f"a full tmpfs: {'this account may not mount one' if filled is None else filled}", flush=True)
    if filled is not None and not (filled["sound"] and filled.get("refused")):
        problems.append(f"a full tmpfs: {filled}")
    killed = kill_loop(asked.kills, asked.seed)
    problems += killed.problems
    print(f"kill -9: {killed.runs} kills, {len(killed.problems)} problems")
    for problem in problems[:TOLD_MAX]:
        print(f"  {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
