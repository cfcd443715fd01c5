"""A story of limits and timers, killed at every point where it writes, and told to its end again.

Run as a program it prints one JSON line for each point: `[point, state]`, where the state is what cells, world and
checks come to in the end. The first is the uninterrupted story, whose calls are counted to enumerate the points.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import desk_world as world

from edca.kernel.inputs import Attestation
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.loop import Runtime
from edca.runtime.rebuild import compare_cells
from edca.runtime.recover import recover
from edca.runtime.replay import replay
from edca.runtime.scheduler import Scheduler

MINUTE = world.HOUR // 60
CALLS = ("commit", "perform")


class KeptDesk(world.Desk):
    """A desk whose jobs outlive the process: what happened and its key are put in one file at once."""

    def __init__(self, path):
        super().__init__("j1", "j2")
        self._path = path
        if path.exists():
            self.jobs, self.done = json.loads(path.read_text())

    def perform(self, permit):
        report = super().perform(permit)
        aside = self._path.with_suffix(".new")
        aside.write_text(json.dumps([self.jobs, self.done]))
        aside.rename(self._path)
        return report


class Wired:
    """Counts what writes, and kills the process at the point: the desk's effects and the ledger's transactions."""

    def __init__(self, counts, point):
        self._counts, self._point = counts, point

    def wire(self, target, method, name):
        """Count calls of the method under that name; an empty transaction is none."""
        found = getattr(target, method)

        def call(what):
            if name == "commit" and not (what.rows or what.cells):
                return None
            self._counts[name] = self._counts.get(name, 0) + 1
            here = f"{name} {self._counts[name]}"
            self._die_at(f"before {here}")
            result = found(what)
            self._die_at(f"after {here}")
            return result

        setattr(target, method, call)
        return target

    def _die_at(self, point):
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


def admit(payload, caller):
    """Take no bytes: the story is told in candidates."""
    raise AssertionError((payload, caller))


def tell(folder, point=""):
    """Tell the story from wherever it stands; return how often each writing call was made."""
    counts, clock = {}, world.StillClock()
    with SQLiteLedger.open(folder / "ledger.db", durable=False) as ledger:
        wired = Wired(counts, point)
        router = wired.wire(KeptDesk(folder / "desk.json"), "perform", "perform")
        store = wired.wire(ledger, "_write", "commit")
        runtime = Runtime(world.MACHINE, router, store, world.ROSTER, clock, admit=admit)
        recover(runtime)

        def say(minute, transition, attestations=(), **arguments):
            clock.instant = world.NOON + minute * MINUTE
            found = world.candidate(transition, f"{transition}-{arguments}", job_id="j1", **arguments)
            return runtime.submit(found, world.BOT, attestations)

        say(1, "look")
        spent = say(2, "spend", amount="60.00")
        say(3, "spend", amount="50.00")  # refused: no room beside the first
        say(4, "ask", amount="40.00")
        say(5, "ask", amount="70.00")  # refused: the first still waits, and holds its room
        yes = Attestation("agreed", True, "bea", "boss", "desk", world.NOON + 6 * MINUTE)
        say(6, "ask", (yes,), amount="40.00")
        runtime.settle(spent.record.index, "daily", 45_00)
        clock.instant = world.NOON + 3 * world.HOUR
        Scheduler(runtime).run_due()
    return counts


def ended(folder):
    """Return what the story came to, as text that can be compared."""
    with SQLiteLedger.open(folder / "ledger.db", readonly=True) as ledger:
        cells = {space: [(key, value.hex()) for key, value in ledger.cells(space)] for space in ("counter", "case")}
        held = [key for key, _ in ledger.cells("reservation")]
        found = replay(ledger)
        sound = [found.mismatches, found.not_replayed, found.unfinished, compare_cells(ledger)]
    return json.dumps([cells, held, (folder / "desk.json").read_text(), [len(part) for part in sound]])


def in_child(folder, point=""):
    """Tell the story in a process of its own; return whether it came to its end."""
    child = os.fork()
    if child == 0:
        tell(folder, point)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main():
    """Kill it at every point, once, and say what it comes to when it is told again."""
    folder = Path(sys.argv[1])
    whole = folder / "whole"
    whole.mkdir()
    counts = tell(whole)
    print(json.dumps(["whole", ended(whole)]), flush=True)
    for name in CALLS:
        for number in range(1, counts[name] + 1):
            for side in ("before", "after"):
                point, here = f"{side} {name} {number}", folder / f"{side}-{name}-{number}"
                here.mkdir()
                killed = in_child(here, point)
                again = in_child(here)
                assert (killed, again) == (-signal.SIGKILL, 0), (point, killed, again)
                print(json.dumps([point, ended(here)]), flush=True)
                shutil.rmtree(here)


if __name__ == "__main__":
    main()
