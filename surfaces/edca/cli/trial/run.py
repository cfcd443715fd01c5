"""One run of a trial: its calls, in recorded order, as candidates on a fresh internal database.

`--follow kernel`: the world changes only by what the kernel accepted.

`--follow recording`: every call is judged in the world that the recorded agent saw, so after each call the world must
be as the recording left it. The verdict comes first and is the same either way; then

- accepted, and the recorded call changed the world: the kernel's own effects have changed it alike;
- accepted, and the recorded call changed nothing: `_RecordedRouter` reports the effect as failed, which is what
  happened to the recorded call; nothing need be taken back, and the ledger tells it as it was;
- not accepted, and the recorded call changed the world: `world.follow` changes it, and `Runtime.observe` puts on record
  that the case was moved from outside.

Whether the kernel's effects really did what the recorded tool did is checked at the end: `RunResult.as_recorded`.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from edca.api import FixedClock
from edca.cli.errors import CLIError
from edca.cli.trial.settings import TRIAL_SOURCE, Settings
from edca.cli.trial.trace import Call, Run
from edca.cli.trial.world import Data, World
from edca.kernel.candidate import Caller, Candidate
from edca.kernel.inputs import Address, Attestation, address
from edca.kernel.machine import Machine
from edca.kernel.values import Value, ValueProblem, from_raw
from edca.kernel.verdict import Accepted, Refused, failed
from edca.ledger.sqlite import SQLiteLedger
from edca.routing import Routes, SourceRouter, open_engine
from edca.runtime.answers import Answer, Outcome
from edca.runtime.cases import case_id, load_row
from edca.runtime.loop import Runtime
from edca.runtime.observe import ObservationError, has_drifted
from edca.runtime.ports import Performed, Permit, Report, Request
from edca.semantic.candidate import admit
from edca.semantic.inquiry import admit_inquiry

if TYPE_CHECKING:
    from edca.kernel.facts import Instance, Key

_Told = TypeVar("_Told")


class Follow(StrEnum):
    """By what the world of a run changes."""

    KERNEL = "kernel"
    RECORDING = "recording"


class Label(StrEnum):
    """What the recording says of a call; `C` is a part of B."""

    A = "A"  # changed the world, in a run that ended as the task asks
    B = "B"  # changed the world, in a run that did not
    C = "C"  # as B, and touches nothing that the task asks for
    D = "D"  # turned down by the recorded tool itself
    G = "G"  # an action of the ground truth
    R = "R"  # a read that is a query of the spec
    NONE = "-"  # changed nothing, and was not turned down


@dataclass(frozen=True, slots=True)
class Bench:
    """What all runs of a trial share. `base` is the data at the start, `template` the internal database of it."""

    machine: Machine
    routes: Routes
    world: World
    settings: Settings
    base: Data
    template: sqlite3.Connection
    ledger: SQLiteLedger
    follow: Follow
    assume_confirmed: bool


@dataclass(frozen=True, slots=True)
class FailedClause:
    """A clause that did not pass: its code, the spec's own message, and why it is unknown where it is."""

    code: str
    text: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one call. `outcome` is null where there were no effects to perform."""

    run: str
    place: int
    name: str
    label: Label
    mutated: bool
    verdict: str
    code: str
    detail: str
    clauses: tuple[FailedClause, ...]
    outcome: str | None
    record_index: int

    @property
    def was_performed(self) -> bool:
        """Whether the kernel accepted the call, and all its effects were confirmed."""
        return self.verdict == "accepted" and self.outcome in (None, Outcome.CONFIRMED.value)


@dataclass(frozen=True, slots=True)
class RunResult:
    """What became of one run.

    `equal`: the final database is what the ground truth leaves. `as_recorded`: it is what the recording left (only
    where that is followed). `matched` is the recording's own word on whether it ended as the ground truth.
    """

    id: str
    rows: tuple[Row, ...]
    outside_count: int
    matched: bool
    equal: bool
    as_recorded: bool | None
    problems: tuple[str, ...]

    @property
    def none_held_up(self) -> bool:
        """Whether every call that changed the recorded world was accepted and performed."""
        return all(row.was_performed for row in self.rows if row.mutated)


def run_one(bench: Bench, run: Run) -> RunResult:
    """Run one run of the trace. Raises `CLIError` where world module, settings and spec don't fit together."""
    with closing(bench.world.fresh(bench.template)) as connection:
        return _Runner(bench, run, connection).result()


class _RecordedRouter:
    """A router whose effects fail while `happens` is false, as the recorded call did."""

    def __init__(self, router: SourceRouter) -> None:
        self._router = router
        self.happens = True

    @property
    def digest(self) -> bytes:
        return self._router.digest

    @property
    def document(self) -> bytes:
        return self._router.document

    def read(self, requests: Sequence[Request], as_of: int) -> "tuple[Instance, ...]":
        return self._router.read(requests, as_of)

    def allot(self, entity: str) -> "Key | None":
        return self._router.allot(entity)

    def perform(self, permit: Permit) -> Report:
        if not self.happens:
            return Report(Performed.FAILED, "the recorded call changed nothing")
        return self._router.perform(permit)

    def performed(self, permit: Permit) -> Performed:
        return self._router.performed(permit)


class _Runner:
    """The state of one run: the internal database, and the data as the recording has it."""

    def __init__(self, bench: Bench, run: Run, connection: sqlite3.Connection) -> None:
        self.bench = bench
        self.run = run
        self.connection = connection
        self.recorded = bench.world.branch(bench.base)
        self.problems: list[str] = []
        model = bench.settings.model if run.model is None else run.model
        self.caller = Caller(bench.settings.proposer, bench.settings.role, run.subject, model)
        self.router = _RecordedRouter(router_on(bench, connection))
        self.runtime = Runtime(
            bench.machine,
            self.router,
            bench.ledger,
            bench.settings.roster(model),
            FixedClock(bench.settings.now_us),
            admit=admit,
            tenant=run.id,
        )

    def result(self) -> RunResult:
        rows = tuple(self._row(call) for call in self.run.calls)
        world, base = self.bench.world, self.bench.base
        truth = world.branch(base)
        for name, arguments in self.run.truth:
            self._ask("ground truth", "", world.apply_call, truth, name, arguments)
        nothing: Data = {}
        final = self._ask("final database", nothing, world.project, self.connection, base)
        return RunResult(
            id=self.run.id,
            rows=rows,
            outside_count=self.run.outside_count,
            matched=self.run.matched,
            equal=final == truth,
            as_recorded=final == self.recorded if self.bench.follow is Follow.RECORDING else None,
            problems=tuple(self.problems),
        )

    def _asked_row(self, call: Call) -> Row:
        """Ask what the recorded agent looked up: nothing of the world changes by it."""
        payload = json.dumps({"query": call.name, "arguments": call.arguments}).encode("ascii")
        answer = self.runtime.query(admit_inquiry(payload, self.caller), self.caller)
        verdict = answer.verdict
        texts = {clause.code: clause.text for clause in self.bench.machine.index.queries[call.name].clauses}
        return Row(
            run=self.run.id,
            place=call.place,
            name=call.name,
            label=Label.R,
            mutated=False,
            verdict=str(verdict.to_raw()["outcome"]),
            code=verdict.code,
            detail=verdict.detail if isinstance(verdict, Refused) else "",
            clauses=tuple(
                FailedClause(clause.code, texts[clause.code], None if clause.reason is None else clause.reason.value)
                for clause in (failed(verdict) if isinstance(verdict, Refused) else ())
            ),
            outcome=None,
            record_index=answer.record.number,
        )

    def _row(self, call: Call) -> Row:
        if call.asks:
            return self._asked_row(call)
        candidate = {"transition": call.name, "arguments": call.arguments, "key": f"{self.run.id}/{call.place}"}
        payload = json.dumps(candidate).encode("ascii")
        about = self._about(payload)
        follows = self.bench.follow is Follow.RECORDING
        self.router.happens = call.mutated or not follows
        answer = self.runtime.submit(payload, self.caller, tuple(self._attestations(call)))
        if follows:
            self._follow(call, about, answer)
        verdict = answer.verdict
        texts = self._texts(call.name)
        raw = verdict.to_raw()
        return Row(
            run=self.run.id,
            place=call.place,
            name=call.name,
            label=_label(self.run, call),
            mutated=call.mutated,
            verdict=str(raw["outcome"]),
            code=verdict.code,
            detail=str(raw.get("detail", "")),
            clauses=tuple(
                FailedClause(clause.code, texts[clause.code], None if clause.reason is None else clause.reason.value)
                for clause in failed(verdict)
            ),
            outcome=None if answer.outcome is None else answer.outcome.value,
            record_index=answer.record.number,
        )

    def _about(self, payload: bytes) -> Address | None:
        """Return which case the call is about, the key that its creation would get included."""
        candidate = admit(payload, self.caller)
        about = address(self.bench.machine, candidate) if isinstance(candidate, Candidate) else None
        if about is not None and about.creates:
            return Address(about.entity, self.router.allot(about.entity), True)
        return about

    def _texts(self, name: str) -> Mapping[str, str]:
        transition = self.bench.machine.index.transitions.get(name)
        return {} if transition is None else {clause.code: clause.text for clause in transition.clauses}

    def _attestations(self, call: Call) -> Iterator[Attestation]:
        """Yield what the dialogue before the call seems to claim, attested by the roles that the settings name."""
        bench, settings = self.bench, self.bench.settings
        dialogue = self.run.dialogue[: call.said]
        nothing: dict[str, object] = {}
        said = dict(self._ask(f"call {call.place}", nothing, bench.world.claims, dialogue, call.name))
        if bench.assume_confirmed and settings.confirmation is not None:
            said[settings.confirmation] = True
        for name in sorted(said):
            role = settings.attestors.get(name)
            if role is None:
                raise CLIError(f"the world module claims `{name}`, and trial.toml names no attestor for it")
            try:
                value = _attested(bench.machine, name, said[name])
            except ValueProblem as problem:
                self.problems.append(f"call {call.place}: the claim `{name}` is not of its type: {problem.problem}")
                continue
            yield Attestation(
                name=name,
                value=value,
                by=self.run.subject,
                role=role,
                source=TRIAL_SOURCE,
                at=settings.now_us,
            )

    def _follow(self, call: Call, about: Address | None, answer: Answer) -> None:
        """Make the world as the recording left it after this call."""
        world, where = self.bench.world, f"call {call.place}"
        recorded = (call.name, call.arguments)
        accepted = isinstance(answer.verdict, Accepted)
        by_kernel = accepted and answer.outcome in (None, Outcome.CONFIRMED)
        told = ""
        if call.mutated and by_kernel:
            told = self._ask(where, "", world.apply_call, self.recorded, *recorded)
        elif call.mutated:
            unchanged = ("", self.recorded)
            told, self.recorded = self._ask(where, unchanged, world.follow, self.connection, self.recorded, *recorded)
        if told.startswith("Error"):
            self.problems.append(f"{where} changed the recorded world, and the world module says: {told}")
        try:
            self._observe(about)
        except ObservationError as error:
            self.problems.append(f"{where}: what the world says now can't be put on record: {error}")

    def _ask(self, where: str, otherwise: _Told, ask: Callable[..., _Told], *arguments: object) -> _Told:
        """Ask the world module. Where it fails, that is a problem of the run, and `otherwise` stands."""
        try:
            return ask(*arguments)
        except Exception as error:
            # Not its message, which may differ between processes.
            self.problems.append(f"{where}: the world module raised {type(error).__name__}")
            return otherwise

    def _observe(self, about: Address | None) -> None:
        """Put on record what the world now says of the case, if the ledger says something else.

        A case whose state the ledger does not hold is read from the world when it is next met, and one whose routes map
        no state can't have been moved.
        """
        if about is None or about.key is None:
            return
        bench = self.bench
        held = load_row(bench.ledger, case_id(bench.machine, self.run.id, about.entity, about.key))
        (instance,) = self.router.read([Request(about.entity, about.key, ())], bench.settings.now_us)
        if held is None or not held.holds_state or instance.state is None:
            return
        if held.quarantined or has_drifted(held.case, instance):
            self.runtime.observe(about.entity, about.key, bench.settings.observer)


def router_on(bench: Bench, connection: sqlite3.Connection) -> SourceRouter:
    """Return the routes' router over one internal database, whatever its sources are called."""
    engine = open_engine("sqlite://", creator=lambda: connection)
    return SourceRouter(bench.routes, bench.machine, {source.name: engine for source in bench.routes.sources})


def _attested(machine: Machine, name: str, raw: object) -> Value:
    """Return what is attested. Raises `ValueProblem` for a value of another type, `CLIError` for what no spec asks."""
    claim = machine.index.claims.get(name)
    if claim is None:
        if isinstance(raw, bool):
            return raw
        raise CLIError(f"the world module claims `{name}`, and the spec declares no such claim")
    return from_raw(claim.type, raw, machine.index.entities)


def _label(run: Run, call: Call) -> Label:
    if run.is_ground_truth:
        return Label.G
    if call.failed:
        return Label.D
    if not call.mutated:
        return Label.NONE
    if run.matched:
        return Label.A
    return Label.B if call.on_target else Label.C
