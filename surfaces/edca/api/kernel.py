"""`Kernel`: one machine, its routes and its ledger, opened together and used from one object."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from edca.api.answering import Answering
from edca.api.clocks import SystemClock
from edca.api.erasing import Erasing
from edca.api.errors import RosterError
from edca.api.keeping import check_first, read_kept
from edca.api.migrating import Migrating
from edca.api.operating import Operating
from edca.api.payloads import payload_of
from edca.api.questions import question_at
from edca.api.roster import fitting
from edca.api.routers import open_router
from edca.api.session import Session
from edca.api.showing import Showing
from edca.api.specs import compiled_machine
from edca.diagnostics import Source
from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.counting import scale_of
from edca.kernel.inputs import Attestation
from edca.kernel.machine import Machine
from edca.kernel.roster import Roster
from edca.kernel.values import ValueProblem, from_raw
from edca.ledger.commitment import DELAY_US, Commitment
from edca.ledger.ed25519 import sign
from edca.ledger.errors import LedgerFormatError
from edca.ledger.note import KeyKind, SigningKey
from edca.ledger.opening import open_ledger
from edca.routing.connections import Connection
from edca.routing.drift import Drift, unnoticed
from edca.runtime.entrance import WAITING_MAX
from edca.runtime.inbox import OPEN_MAX
from edca.runtime.limit_use import limit_uses
from edca.runtime.loop import Runtime
from edca.runtime.observe import NotObserved, ObservationError
from edca.runtime.probing import Probing
from edca.runtime.recover import recover
from edca.runtime.replay import replay
from edca.runtime.rosters import AdoptionError
from edca.runtime.scheduler import EVERY_S, Scheduler, TimerThread
from edca.runtime.settlement import SettlementError, measured_in
from edca.runtime.waiting import SOURCE as INBOX
from edca.semantic.candidate import admit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from edca.kernel.candidate import Caller
    from edca.kernel.facts import Key
    from edca.ledger.opening import AnyLedger
    from edca.runtime.answers import Answer, RecordReference
    from edca.runtime.limit_use import LimitUse
    from edca.runtime.ports import Clock, Router
    from edca.runtime.question import Question
    from edca.runtime.replayed import Replayed
    from edca.runtime.retention_rules import RetentionRules
    from edca.runtime.retries import Schedule
    from edca.runtime.scheduler import Fired

    File: TypeAlias = "str | os.PathLike[str]"


READ_WITHIN_S = 30.0
PROBING = Probing()


class Kernel(Operating, Answering, Migrating, Showing, Erasing):
    """Takes candidates and answers for them. Threads may share it; use it as a context manager or call `close`."""

    def __init__(
        self, runtime: Runtime, ledger: AnyLedger, recovered: tuple[Answer, ...], resources: ExitStack
    ) -> None:
        """Use `open`."""
        self.ledger = ledger
        self.recovered = recovered
        self._runtime = runtime
        self._resources = resources
        self._scheduler: Scheduler | None = None
        self._timers: TimerThread | None = None
        self._starting = threading.Lock()

    @classmethod
    def open(
        cls,
        spec: File | Source | Machine,
        *,
        routes: File | Source | Router,
        roster: File | Roster,
        ledger: File | AnyLedger,
        clock: Clock | None = None,
        engines: Mapping[str, Connection] | None = None,
        tenant: str = "",
        check_sources: bool = True,
        schedule: Schedule | None = None,
        inbox_max: int = OPEN_MAX,
        waiting_max: int = WAITING_MAX,
        read_within_s: float | None = READ_WITHIN_S,
        on_drift: Callable[[Drift], None] | None = None,
        probing: Probing | None = PROBING,
        kept: Sequence[File] = (),
        trust: Sequence[str] = (),
        verify_first: bool = False,
        retention: RetentionRules | None = None,
    ) -> Self:
        """Compile, load, check and open everything, and finish what an earlier process left (see `recovered`).

        `ledger` is a file, the URL of a PostgreSQL database (`postgresql://…`, with `edca[postgres]`), or one that is
        open. `engines` are the routes' sources by name: an engine (`open_engine`), a service (`open_service`) or Python
        `Functions`; without them each source's URL and credential are taken from the environment variables that the
        routes name. `on_drift` is called with what a source holds otherwise than its route says, for operators; it may
        come from any thread. `check_sources` compares the routes with the sources' real schemas. A ledger or
        engine that is handed in stays the caller's to close. `schedule` says how often and after which pauses an effect
        is tried again whose route calls a fault transient; without it three times in all, after 0.2 and 1 seconds.
        `inbox_max` is how many questions may wait for people: beyond it, what would be escalated is refused.
        `waiting_max` is how many candidates may be under way or wait at one time: beyond it, `OverloadedError` is
        raised. `read_within_s` is how many seconds the sources have to tell what one decision reads: what comes later
        is unknown (null: they may take as long as they like). `probing` is how often one principal may be refused on
        behalf of one subject before nothing of theirs is looked at for a while; without it 200 times in 10 minutes
        (null: as often as they like).

        `retention` are the rules (`load_retention`) of which verdicts and outcomes name the class that their case is
        in from then on; without it they name none. What is erased when, `purge` says.

        `kept` are files of checkpoints and receipts that were kept elsewhere, by the keys of `trust` (`NAME+ID+KEY`):
        a ledger that lacks what one of them counts is not opened (`RolledBackError`). `verify_first` reads every record
        and cell before anything is added; without it, opening looks at pages, headers and chains' newest records only.

        Raises `PolicyError`, `RosterError`, `RouteError` (`RoutesError`), `LedgerError`, `OSError`, and `ValueError`
        for an unusable tenant or bound; nothing stays open then.
        """
        machine, syntax = compiled_machine(spec)
        people = fitting(roster, machine)
        with ExitStack() as resources:
            router = open_router(routes, machine, syntax, engines, check_sources, on_drift or unnoticed, resources)
            if isinstance(ledger, (str, os.PathLike)):
                store = open_ledger(ledger)
                resources.callback(store.close)
            else:
                store = ledger
            check_first(store, read_kept(store, kept, trust), whole=verify_first)
            try:
                runtime = Runtime(
                    machine,
                    router,
                    store,
                    people,
                    clock or SystemClock(),
                    admit=admit,
                    tenant=tenant,
                    schedule=schedule,
                    inbox_max=inbox_max,
                    waiting_max=waiting_max,
                    read_within_us=None if read_within_s is None else round(read_within_s * 1_000_000),
                    probing=probing,
                    retention=retention,
                )
            except AdoptionError as error:
                raise RosterError(str(error)) from error
            recovered = recover(runtime)
            return cls(runtime, store, recovered, resources.pop_all())

    @property
    def machine(self) -> Machine:
        """The machine in force."""
        return self._runtime.context.machine

    def submit(
        self,
        candidate: Mapping[str, Any] | str | bytes | Candidate | Malformed,
        *,
        caller: Caller,
        attestations: Sequence[Attestation] = (),
    ) -> Answer:
        """Take one candidate all the way: see `Runtime.submit`.

        A mapping or text is admitted as strictly as bytes are; what is no candidate is refused as `malformed`. Write
        decimals as text (`"20.00"`) or `Decimal`. What `edca.api.candidates` has read is taken as it is, too.
        """
        return self._runtime.submit(payload_of(candidate), caller, attestations)

    def session(self, caller: Caller, *, secret: bytes | None = None, until: str | None = None) -> Session:
        """Return a session of `caller`, in which a model is shown handles for what isn't published.

        Whoever keeps its `secret` (32 bytes, made here where none is given) can go on with it elsewhere: the same
        caller then has the same handles. From `until` on, an RFC 3339 time, none of them stands for anything. Raises
        `ValueError` for a secret or time that is none.
        """
        context = self._runtime.context
        return Session(self, caller, tenant=context.tenant, clock=context.clock, secret=secret, until=until)

    def attest(self, name: str, value: object, *, by: str, role: str, source: str = "host") -> Attestation:
        """Return an attestation made now: a claim's value in raw form, or the yes or no to a confirmation.

        `source` says how the host knows; those that begin with `trial-` are for trials alone. Raises `ValueError` for
        such a source, and for a value that is not of the claim's type.
        """
        if source.startswith("trial-"):
            raise ValueError(f"`{source}` is a source for trials: nothing a host relies on may be guessed")
        if source == INBOX:
            raise ValueError("answers to open questions go through `approve` and `decline`")
        claim = self.machine.index.claims.get(name)
        at = self._runtime.context.clock.now()
        if claim is None:
            if not isinstance(value, bool):
                raise ValueError(f"`{name}` is no claim, so what is attested must be true or false")
            return Attestation(name, value, by, role, source, at)
        try:
            return Attestation(name, from_raw(claim.type, value, self.machine.index.entities), by, role, source, at)
        except ValueProblem as problem:
            raise ValueError(f"`{name}`{problem.path}: {problem.problem}") from None

    def observe(
        self,
        entity: str,
        key: Sequence[object],
        *,
        by: str,
        state: str | None = None,
        signature: bytes | None = None,
        private_key: bytes | None = None,
    ) -> RecordReference:
        """Put on record that a person has looked: see `edca.runtime.observe.observe`, also for what it raises.

        Who has a key signs `observation_message`; `private_key` makes the signature here.
        """
        found = self._observed_key(entity, key)
        if private_key is not None:
            signature = sign(private_key, self._runtime.observation_message(entity, found, state))
        return self._runtime.observe(entity, found, by, state, signature)

    def observation_message(self, entity: str, key: Sequence[object], *, state: str | None = None) -> bytes:
        """Return what somebody signs who observes that case now. Raises as `observe`."""
        return self._runtime.observation_message(entity, self._observed_key(entity, key), state)

    def commitment(self, record: RecordReference, key: str, *, within_s: float = DELAY_US / 1_000_000) -> bytes:
        """Return the ledger's signed promise that a record has its place in it within so many seconds from now.

        It is for whom a receipt can't be made yet: see `edca.ledger.commitment`. `key` is the ledger's own, as
        `edca keygen` wrote it. Raises `LedgerFormatError` for another one.
        """
        signer = SigningKey.parse(key.strip())
        if signer.kind is not KeyKind.LOG:
            raise LedgerFormatError("a commitment is signed by the ledger's own key, and this is a witness's")
        now, delay_us = self._runtime.context.clock.now(), round(within_s * 1_000_000)
        made = Commitment.to(signer.name, record.chain, record.entry, record.digest, now, delay_us)
        return made.signed(signer).to_bytes()

    def settle(self, record: RecordReference | int, code: str, amount: object) -> RecordReference:
        """Put the actual amount of what limit `code` counted for the verdict in `record` in its estimate's place.

        A record is named by its reference, or by its index in the ledger.

        `amount` is in raw form: a number, or a decimal as text or `Decimal`. See `edca.runtime.settlement.settle`, also
        for what it raises.
        """
        scale = scale_of(measured_in(self._runtime.context, record, code))
        return self._runtime.settle(record, code, _units(amount, scale))

    def limits(self) -> tuple[LimitUse, ...]:
        """Return what each limit has counted so far: see `edca.runtime.limit_use.limit_uses`."""
        context = self._runtime.context
        return limit_uses(context.store, context.clock.now(), context.tenant)

    def tick(self) -> tuple[Fired, ...]:
        """Propose what is due in the clock's name, once, and return what was decided: see `Scheduler.run_due`.

        Raises `NoClockError` where nobody on the roster holds the role in which the clock proposes.
        """
        with self._starting:
            if self._scheduler is None:
                self._scheduler = Scheduler(self._runtime)
        return self._scheduler.run_due()

    def start_timers(self, every_s: float = EVERY_S) -> TimerThread:
        """Do what `tick` does every so many seconds, in a thread of its own that `close` stops; return that thread.

        What goes wrong in it is its `failure`, and is tried again the next time. Raises as `tick` does, `ValueError`
        for no time at all, and `RuntimeError` where it runs already.
        """
        if self._timers is not None and self._timers.is_running:
            raise RuntimeError("the timers are running; stop them first")
        self._timers = TimerThread(Scheduler(self._runtime), every_s)
        return self._timers

    def stop_timers(self) -> None:
        """Stop what `start_timers` began, after what is being decided. Does nothing where none run."""
        if self._timers is not None:
            self._timers.stop()

    def question(self, record: int) -> Question:
        """Return what was decided in this tenant's verdict at index `record`.

        It is for `for_operator`, `missing` and `nearest_changes`. Raises as `edca.api.questions.question_at`.
        """
        return question_at(self.ledger, record, self._runtime.context.tenant)

    def replay(self, progress: Callable[[int, int], None] | None = None) -> Replayed:
        """Decide everything in the ledger again, from the ledger alone: see `edca.runtime.replay.replay`."""
        return replay(self.ledger, progress)

    def close(self) -> None:
        """Stop the timers, and close what `open` opened. Calling it again does nothing."""
        self.stop_timers()
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _observed_key(self, entity: str, key: Sequence[object]) -> Key:
        found = self._key(entity, key)
        if found is None:
            raise ObservationError(NotObserved.NO_SUCH_CASE, "the ledger holds no such case")
        return found


def _units(amount: object, scale: int) -> int:
    """Return a raw amount in units of 10^-`scale`, exactly. Raises `SettlementError` for anything that has none."""
    try:
        exact = amount if isinstance(amount, Decimal) else Decimal(_plain_number(amount))
        units = exact.scaleb(scale)
        if not exact.is_finite() or units != units.to_integral_value():
            raise ValueError("not exact")
        return int(units)
    except (ValueError, ArithmeticError):
        message = f"`{amount}` is no amount with at most {scale} decimal places"
        raise SettlementError(message) from None


def _plain_number(amount: object) -> int | str:
    if isinstance(amount, bool) or not isinstance(amount, (int, str)):
        raise ValueError("an amount is a whole number, or a decimal as text")
    return amount
