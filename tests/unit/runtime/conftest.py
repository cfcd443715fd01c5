"""Makes `refund_world` importable, and opens runtimes over a ledger and a world in a temporary folder."""

import dataclasses
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "faults"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import refund_world

from edca.kernel.candidate import Malformed
from edca.kernel.canonical import digest
from edca.kernel.verdict import Accepted
from edca.ledger.record import parse
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.approving import Said
from edca.runtime.cases import load_row
from edca.runtime.loop import Runtime
from edca.runtime.recover import recover
from edca.runtime.replay import replay


def admit(payload, caller):
    """Take nothing: the tests pass candidates, and bytes stand for what is malformed."""
    return Malformed(
        "not a candidate",
        len(payload),
        digest("payload", payload),
        caller.proposer,
        caller.role,
        caller.subject,
        caller.model,
    )


class Bench:
    """One ledger, one world, and runtimes over them that can be closed and opened again."""

    def __init__(self, folder):
        self.world = folder / "world.db"
        self.path = folder / "ledger.db"
        refund_world.create_world(self.world, "o1", "o2")
        self.router = refund_world.OrderRouter(self.world)
        self.clock = refund_world.TickingClock()
        self.ledger = None
        self.reopen()

    def reopen(self, machine=refund_world.MACHINE, **parts):
        self.close()
        self.ledger = SQLiteLedger.open(self.path, durable=False)
        self.runtime = Runtime(machine, self.router, self.ledger, refund_world.ROSTER, self.clock, admit=admit, **parts)
        return recover(self.runtime)

    def close(self):
        if self.ledger is not None:
            self.ledger.close()

    def submit(self, transition, key, caller=refund_world.SUPERVISOR, attestations=(), **arguments):
        return self.runtime.submit(refund_world.candidate(transition, key, **arguments), caller, attestations)

    def say(self, by, code, /, *, yes=True, **changes):
        """Answer the one open question as somebody who was shown it."""
        (found,) = self.runtime.open_questions()
        said = Said(found.id, by, "supervisor", code, yes, found.preview.digest)
        return self.runtime.answer(dataclasses.replace(said, **changes))

    def records(self, kind):
        """Return the records of that kind, in order."""
        return [record for stored in self.ledger.records() if (record := parse(stored.body)).kind == kind]

    def row(self, order="o1"):
        """Return the case about the order as its cell holds it."""
        return load_row(self.ledger, f'/order:["{order}"]')

    def approved(self, order="o1", amount="20.00"):
        """Bring an order's case to `approved`."""
        answer = self.submit("approve", f"approve-{order}", order_id=order, amount=amount)
        assert isinstance(answer.verdict, Accepted), answer.verdict
        return answer

    def assert_replays(self):
        """Everything so far decides itself again."""
        found = replay(self.ledger)
        assert (found.mismatches, found.not_replayed, found.cells) == ((), (), ())
        assert found.equal == found.total == self.ledger.size


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    yield bench
    bench.close()
