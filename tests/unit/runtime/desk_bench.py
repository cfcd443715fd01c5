"""One ledger over a desk, and runtimes over it that can be closed and opened again."""

import desk_world as world

from edca.kernel.inputs import Attestation
from edca.kernel.verdict import Refused
from edca.ledger.record import parse
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.loop import Runtime
from edca.runtime.rebuild import compare_cells
from edca.runtime.recover import recover
from edca.runtime.replay import replay


def admit(payload, caller):
    """Take no bytes: the tests pass candidates."""
    raise AssertionError((payload, caller))


class DeskBench:
    """One ledger, one desk, and runtimes over them."""

    def __init__(self, folder, *jobs, machine=world.MACHINE):
        self.path = folder / "ledger.db"
        self.router = world.Desk(*jobs)
        self.clock = world.StillClock()
        self.ledger = None
        self.reopen(machine)

    def reopen(self, machine=world.MACHINE, roster=world.ROSTER):
        self.close()
        self.ledger = SQLiteLedger.open(self.path, durable=False)
        self.runtime = Runtime(machine, self.router, self.ledger, roster, self.clock, admit=admit)
        return recover(self.runtime)

    def close(self):
        if self.ledger is not None:
            self.ledger.close()

    def submit(self, transition, caller=world.BOT, attestations=(), key="", revision=None, **arguments):
        arguments = {"job_id": "j1"} | arguments
        found = world.candidate(transition, key, revision, **arguments)
        return self.runtime.submit(found, caller, attestations)

    def look(self, caller=world.BOT, job="j1"):
        return code(self.submit("look", caller, job_id=job))

    def spend(self, amount, job="j1"):
        return self.submit("spend", amount=amount, job_id=job)

    def ask(self, amount, attestations=(), job="j1"):
        return self.submit("ask", amount=amount, attestations=attestations, job_id=job)

    def yes(self):
        return [Attestation("agreed", True, "bea", "boss", "desk", self.clock.instant)]

    def counted(self, transition, limit, amount="0.01", **arguments):
        """Return what the decision on one more candidate reads of that limit's counter."""
        found = world.candidate(transition, job_id="j1", **({"amount": amount} if amount else {}), **arguments)
        verdict = self.runtime.foresee(found, world.BOT)
        if isinstance(verdict, Refused):
            return next(r.value for c in verdict.clauses if c.code == limit for r in c.readings if "so far" in r.name)
        return next(move.used for move in verdict.moves if move.code == limit)

    def kinds(self):
        return [parse(stored.body).kind for stored in self.ledger.records()]

    def assert_sound(self):
        """Everything so far decides itself again, and the counters hold what the records add up to."""
        found = replay(self.ledger)
        assert (found.mismatches, found.not_replayed, found.cells) == ((), (), ())
        assert compare_cells(self.ledger) == ()


def code(answer):
    """Return the verdict's code, with the failing clauses of a refusal."""
    return answer.verdict.code
