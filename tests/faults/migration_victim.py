"""A process that dies on purpose in the middle of a migration; started again, it goes on.

Four orders run under the old version, one of them with an open question, and one with a limit half used up. Points are
the ledger's commits, before or after, as in `victim`.
"""

import dataclasses
import sys
from pathlib import Path

import refund_world
from victim import admit, wired_commits

from edca.diagnostics import Source
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime import migrating
from edca.runtime.loop import Runtime
from edca.runtime.migration_orders import Ordered
from edca.runtime.recover import recover
from edca.semantic.migration import compile_map

OLD = refund_world.MACHINE
NEW = dataclasses.replace(
    OLD,
    version="2.0.0",
    transitions=tuple(
        sorted(
            (
                dataclasses.replace(one, name="count", offered="count") if one.name == "tally" else one
                for one in OLD.transitions
            ),
            key=lambda one: one.name,
        )
    ),
)
TEXT = """edca 1
migrate refund from "1.0.0" to "2.0.0" "What was tallied is counted."
state approved to approved restarting time
limit count.pace = tally.pace
"""
TOGETHER = 2  # cases a commit, so that two commits move the four of them
ORDERS = ("o1", "o2", "o3")


def begin(folder):
    """Bring the orders to where they are moved from, once."""
    with SQLiteLedger.open(folder / "ledger.db", durable=False) as ledger:
        runtime = _runtime(OLD, ledger, folder, ledger)
        for order in ORDERS:
            approve = refund_world.candidate("approve", f"a-{order}", order_id=order, amount="20.00")
            runtime.submit(approve, refund_world.SUPERVISOR)
        runtime.submit(refund_world.candidate("tally", "t", order_id="o4"), refund_world.SUPERVISOR)
        runtime.submit(refund_world.candidate("vouch", "v", order_id="o2"), refund_world.SUPERVISOR)


def _runtime(machine, store, folder, ledger):
    # Each start is a new look at a later clock.
    clock = refund_world.TickingClock(refund_world.START + ledger.size * 1_000_000_000)
    router = refund_world.OrderRouter(folder / "world.db")
    return Runtime(machine, router, store, refund_world.ROSTER, clock, admit=admit)


def main():
    """Move what can be moved; a process that was killed in it is simply started again."""
    folder = Path(sys.argv[1])
    with SQLiteLedger.open(folder / "ledger.db", durable=False) as ledger:
        runtime = _runtime(NEW, wired_commits(ledger, {}), folder, ledger)
        recover(runtime)
        migrating.TOGETHER_MAX = TOGETHER
        migration = compile_map(Source("refund.migration", TEXT), OLD, NEW).migration
        done = runtime.migrate(OLD, migration, TEXT, Ordered("sven", "supervisor", "New rules."))
        print("moved", len(done.cases), flush=True)


if __name__ == "__main__":
    main()
