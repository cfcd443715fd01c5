"""Nodes over one ledger in PostgreSQL: each a kernel of its own, as a process of its own would have it."""

import threading
from collections import Counter
from types import SimpleNamespace

import desk_world as world

from edca.ledger.opening import verify_open
from edca.ledger.postgres import PostgresLedger
from edca.ledger.record import parse
from edca.runtime.loop import Runtime
from edca.runtime.ports import Performed, Report
from edca.runtime.recover import recover
from edca.runtime.replay import replay


def admit(payload, caller):
    """Take no bytes: the tests pass candidates."""
    raise AssertionError((payload, caller))


class WatchedDesk(world.Desk):
    """A desk that several nodes use at once, and that notices when one effect is under way twice."""

    def __init__(self, *jobs):
        super().__init__(*jobs)
        self.calls = Counter()  # by the permit's key
        self.overlaps = 0
        self.during = None  # called while an effect is under way
        self._lock = threading.Lock()
        self._under_way = set()

    def perform(self, permit):
        with self._lock:
            self.calls[permit.key] += 1
            self.overlaps += permit.key in self._under_way
            self._under_way.add(permit.key)
        try:
            if self.during is not None:
                self.during(permit)
            with self._lock:
                return super().perform(permit)
        finally:
            with self._lock:
                self._under_way.discard(permit.key)

    def performed(self, permit):
        with self._lock:
            return super().performed(permit)


class Node:
    """One kernel with its own connections."""

    @classmethod
    def over(cls, dsn, schema, desk, clock):
        """Open one over a server that another process has started."""
        return cls(SimpleNamespace(dsn=dsn), schema, desk, clock)

    def __init__(self, server, schema, desk, clock, **parts):
        self.ledger = PostgresLedger.open(server.dsn, schema=schema, **parts)
        self.runtime = Runtime(world.MACHINE, desk, self.ledger, world.ROSTER, clock, admit=admit)
        self.recovered = recover(self.runtime)

    def submit(self, transition, key="", caller=world.BOT, **arguments):
        arguments = {"job_id": "j1"} | arguments
        return self.runtime.submit(world.candidate(transition, key, **arguments), caller)

    def close(self):
        self.ledger.close()


def assert_sound(ledger):
    """The ledger verifies, every decision in it decides itself again, and each cell is what the records add up to."""
    assert ledger.wait_sequenced(30)
    found = verify_open(ledger)
    assert found.findings == ()
    assert not any("not sequenced" in open_ for open_ in found.not_checked)
    with ledger.whole():
        replayed = replay(ledger)
    assert (replayed.mismatches, replayed.not_replayed, replayed.cells) == ((), (), ())
    assert replayed.total == ledger.size


def contents(ledger, kind):
    """Return the contents of all records of a kind that have their places, in order."""
    assert ledger.wait_sequenced(30)
    records = (parse(stored.body) for stored in ledger.records())
    return [record.content for record in records if record.kind == kind]


__all__ = ["Node", "Performed", "Report", "WatchedDesk", "admit", "assert_sound", "contents", "world"]
