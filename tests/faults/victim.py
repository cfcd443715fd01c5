"""A process that dies on purpose: it opens a runtime, recovers, submits, and kills itself at the named point.

Points are counted calls of the ledger's and the router's methods, before or after (`before commit 2`): the loop itself
knows nothing of them. What was acknowledged goes to standard output, one line each, before anything else happens.
"""

import os
import signal
import sys
from pathlib import Path

import refund_world

from edca.kernel.candidate import Malformed
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.loop import Runtime
from edca.runtime.recover import recover

POINT = "EDCA_TEST_DIE"
KEYS = ("approve", "pay")


class Wired:
    """Passes every call on, and kills the process at the point."""

    def __init__(self, target, names, counts):
        self._target = target
        self._names = names
        self._counts = counts

    def __getattr__(self, name):
        found = getattr(self._target, name)
        if name not in self._names:
            return found

        def call(*arguments):
            self._counts[name] = self._counts.get(name, 0) + 1
            point = f"{name} {self._counts[name]}"
            _die_at(f"before {point}")
            result = found(*arguments)
            _die_at(f"after {point}")
            return result

        return call


def _die_at(point):
    if os.environ.get(POINT) == point:
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def admit(payload, caller):
    """Take no bytes: the victim submits candidates."""
    raise AssertionError((payload, caller, Malformed))


def main():
    """Run the whole story once; a process that was killed in it is simply started again."""
    folder, transition = Path(sys.argv[1]), sys.argv[2]
    counts = {}
    with SQLiteLedger.open(folder / "ledger.db", durable=False) as ledger:
        store = Wired(ledger, {"commit"}, counts)
        router = Wired(refund_world.OrderRouter(folder / "world.db"), {"perform", "performed"}, counts)
        # Each start is a new look at a later clock.
        clock = refund_world.TickingClock(refund_world.START + ledger.size * 1_000_000_000)
        runtime = Runtime(refund_world.MACHINE, router, store, refund_world.ROSTER, clock, admit=admit)
        for answer in recover(runtime):
            print("recovered", answer.record.index, answer.outcome.value, flush=True)
        approve = refund_world.candidate("approve", "approve", order_id="o1", amount="20.00")
        pay = refund_world.candidate(transition, "pay", order_id="o1")
        for candidate in (approve, pay):
            answer = runtime.submit(candidate, refund_world.SUPERVISOR)
            outcome = "-" if answer.outcome is None else answer.outcome.value
            print("answered", answer.record.index, answer.record.digest.hex(), outcome, answer.state, flush=True)


if __name__ == "__main__":
    main()
