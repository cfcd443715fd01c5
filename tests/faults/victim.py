"""A process that dies on purpose: it opens a runtime, recovers, submits, and kills itself at the named point.

Points are counted calls of the router's methods and the ledger's transactions, before or after (`before commit 2`): the
loop itself knows nothing of them. What was acknowledged goes to standard output, one line each, before all else.
"""

import dataclasses
import os
import signal
import sys
from pathlib import Path

import refund_world

from edca.kernel.candidate import Malformed
from edca.kernel.machine import Mode
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.approving import Said
from edca.runtime.cases import load_row
from edca.runtime.loop import Runtime
from edca.runtime.recover import recover

POINT = "EDCA_TEST_DIE"
STORY = "EDCA_TEST_STORY"  # `timed`: with a deadline; `operated`: people take over, restrict and halt in between
KEYS = ("approve", "pay")
SIGNERS = ("sam", "sia")


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


def wired_commits(ledger, counts):
    """Kill the process before or after one of the ledger's transactions, however many commits share it."""
    write = ledger._write

    def counted(staged):
        if staged.rows or staged.cells:
            counts["commit"] = counts.get("commit", 0) + 1
            point = f"commit {counts['commit']}"
            _die_at(f"before {point}")
            write(staged)
            _die_at(f"after {point}")

    ledger._write = counted
    return ledger


def _die_at(point):
    if os.environ.get(POINT) == point:
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def admit(payload, caller):
    """Take no bytes: the victim submits candidates."""
    raise AssertionError((payload, caller, Malformed))


def _machine():
    match os.environ.get(STORY):
        case "timed":
            return refund_world.timed(24 * 3600 * 1_000_000)
        case "operated":
            mode = Mode("calm", "Calm.", ("pay",), (), ("supervisor",), (), ("supervisor",))
            return dataclasses.replace(refund_world.MACHINE, modes=(mode,))
        case _:
            return refund_world.MACHINE


def operate(runtime, is_approved):
    """Begin and end everything once; what an earlier process left begun is ended first."""
    if runtime.mode() == "halted":
        runtime.resume("ops")
    if runtime.mode() == "calm":
        runtime.leave_mode("sven", "supervisor")
    case = '/order:["o1"]'
    row = load_row(runtime.context.store, case)
    if is_approved:
        if row.case.human_only:
            runtime.hand_back(case, "sven")
        runtime.take_over(case, "sven")
        runtime.hand_back(case, "sven")
    runtime.enter_mode("calm", "sven", "supervisor")
    runtime.leave_mode("sven", "supervisor")
    runtime.halt("ops", "to see")
    runtime.resume("ops")


def main():
    """Run the whole story once; a process that was killed in it is simply started again."""
    folder, transition = Path(sys.argv[1]), sys.argv[2]
    counts = {}
    with SQLiteLedger.open(folder / "ledger.db", durable=False) as ledger:
        store = wired_commits(ledger, counts)
        router = Wired(refund_world.OrderRouter(folder / "world.db"), {"perform", "performed"}, counts)
        # Each start is a new look at a later clock.
        clock = refund_world.TickingClock(refund_world.START + ledger.size * 1_000_000_000)
        runtime = Runtime(_machine(), router, store, refund_world.ROSTER, clock, admit=admit)
        for answer in recover(runtime):
            print("recovered", answer.record.index, answer.outcome, flush=True)
        approve = refund_world.candidate("approve", "approve", order_id="o1", amount="20.00")
        pay = refund_world.candidate(transition, "pay", order_id="o1")
        for candidate in (approve, pay):
            if os.environ.get(STORY) == "operated":
                operate(runtime, candidate is pay)
            answer = runtime.submit(candidate, refund_world.SUPERVISOR)
            outcome = "-" if answer.outcome is None else answer.outcome.value
            print("answered", answer.record.index, answer.record.digest.hex(), outcome, answer.state, flush=True)
        for person in SIGNERS:
            _sign(runtime, person)


def _sign(runtime, person):
    """Let somebody answer what is open and what they have not answered yet, as an inbox shows it."""
    for found in runtime.open_questions():
        if all(one.by != person for one in found.answers):
            answered = runtime.answer(Said(found.id, person, "supervisor", "vouched", True, found.preview.digest))
            print("signed", person, answered.void, answered.answer.state, flush=True)


if __name__ == "__main__":
    main()
