"""A desk with limits and timers, and a world in memory: for tests of counters, settlements and the scheduler."""

from __future__ import annotations

import dataclasses

from edca.diagnostics import Source
from edca.kernel import canonical
from edca.kernel.candidate import Caller, Candidate
from edca.kernel.facts import Instance
from edca.kernel.roster import Mandate, Principal, Roster
from edca.runtime.ports import Performed, Report
from edca.semantic.compile import compile_spec

SPEC = """edca 1

machine desk version "1.0.0"
  "Jobs that cost money."
  tier consequential

role bot   model
role boss  human
role timer clock

type money = decimal(2, 0.00 to 1000.00)

entity job key (job_id: id) { owner: id fixed, spent: money, ready: bool }

effect charge(job: job, amount: money)
effect give_back(job: job, amount: money)

case about job by job_id fresh 5 minutes

memory { asked: money = 0.00 }

state waiting initial "Nothing is decided."
state lapsed  final   "Nobody went on with it." failure
state closed  final   "It is done." success
state stuck           "A person must look."

transition look(job_id: id)
  from waiting to waiting
{
  means   "Look at it."
  by      bot, boss
  answers boss
  limit pace count to 3 per rolling 1 hour per proposer "Three looks an hour are enough."
}

transition spend(job_id: id, amount: money)
  from waiting to waiting
{
  means   "Spend money on it."
  by      bot, boss
  answers boss
  require job.spent >= 0.00 else refuse odd "Nothing can be less than nothing."
  limit daily sum(amount) to 100.00 per utc day per job.owner "No more today."
  do charge(job, amount)
    ensure job.spent == before(job.spent) + amount
    undo   give_back(job, amount)
  on failed             go waiting "It was not charged."
  on timeout 30 seconds go stuck   "Nobody knows whether it was charged."
}

transition ask(job_id: id, amount: money)
  from waiting to waiting
{
  means   "Ask the boss for money."
  by      bot, boss
  answers boss
  confirm agreed by boss within 30 minutes "The boss must say yes."
  limit asked_for sum(amount) to 100.00 per rolling 1 day "No more is asked for in a day."
  set asked = amount
}

transition close(job_id: id)
  from waiting to closed
{
  means   "Close it, once it is ready."
  by      timer, boss
  answers boss
  require job.ready else refuse not_ready "It is not ready."
}

transition lapse(job_id: id)
  from waiting to lapsed
{
  means   "Nobody went on with it for two hours."
  by      timer
  answers boss
  after   2 hours
  unblockable
}
"""

_COMPILED = compile_spec(Source("desk.edca", SPEC), lambda _path: None)
MACHINE = _COMPILED.machine
assert MACHINE is not None, _COMPILED.diagnostics

HOUR = 3_600_000_000
NOON = 1_774_008_000_000_000  # 2026-03-20T12:00:00Z, a Friday
BOT = Caller("bot", "bot", model="model-1")
BOSS = Caller("bea", "boss")
ROSTER = Roster(
    (
        Principal("bot", ("bot",), "model-1"),
        Principal("bea", ("boss",)),
        Principal("bob", ("boss",)),
        Principal("bert", ("boss",)),
        Principal("ticker", ("timer",)),
    ),
    (Mandate("m1", "bea", "boss", "desk", (), 0, NOON * 2),),
)


class StillClock:
    """A clock that stands where it is put."""

    source = "still"

    def __init__(self, instant=NOON):
        self.instant = instant

    def now(self):
        return self.instant


class Desk:
    """Jobs in memory: `reports` are what the next effects come to instead of happening."""

    document = b"jobs of the tests"
    digest = canonical.digest("routes", document)

    def __init__(self, *jobs):
        self.jobs = {job: {"owner": "ona", "spent": 0, "ready": False} for job in jobs or ("j1", "j2", "j3")}
        self.done = {}
        self.reports = []
        self.asked = None  # what `performed` says instead of what it knows
        self.reads = 0

    def read(self, requests, as_of):
        self.reads += 1
        return tuple(
            Instance(
                request.entity,
                request.key,
                "jobs",
                as_of,
                request.key[0] in self.jobs,
                None,
                {n: self.jobs[request.key[0]][n] for n in request.fields} if request.key[0] in self.jobs else {},
            )
            for request in requests
        )

    def allot(self, entity):
        return None

    def perform(self, permit):
        if self.reports:
            return self.reports.pop(0)
        if permit.key not in self.done:
            sign = 1 if permit.effect == "charge" else -1
            amount = round(float(permit.arguments["amount"]) * 100)
            self.jobs[permit.arguments["job"][0]]["spent"] += sign * amount
            self.done[permit.key] = amount
        return Report(Performed.DONE)

    def performed(self, permit):
        if self.asked is not None:
            return self.asked
        return Performed.DONE if permit.key in self.done else Performed.FAILED


def candidate(transition, key="", revision=None, **arguments):
    """Return a candidate; who proposes it is filled in from the caller."""
    return Candidate(
        transition=transition,
        arguments=arguments,
        proposer="",
        role="",
        subject=None,
        model=None,
        revision=revision,
        key=key,
        confidence=None,
        evidence=(),
        rationale="",
    )


def without_timeouts():
    """Return the machine without declared timeouts, as an artefact may be: what nobody can tell is held."""
    transitions = tuple(dataclasses.replace(transition, on_timeout=None) for transition in MACHINE.transitions)
    return dataclasses.replace(MACHINE, transitions=transitions)
