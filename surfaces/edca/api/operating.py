"""What operators and people in charge do: halt and resume, modes, taking a case over, asking the routes again."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from edca.api.clocks import SystemClock
from edca.api.roster import fitting
from edca.kernel.values import ValueProblem
from edca.ledger.errors import LedgerError
from edca.ledger.opening import AnyLedger, open_ledger
from edca.ledger.record import parse
from edca.runtime import erasing, holds, modes, retention, rosters, takeover
from edca.runtime.cases import case_id, key_from_raw
from edca.runtime.config import CHAIN, Configuration
from edca.runtime.context import Context
from edca.runtime.opened import opened
from edca.runtime.ports import Performed, Report

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from edca.kernel.facts import Instance, Key
    from edca.kernel.machine import Machine
    from edca.kernel.roster import Roster
    from edca.ledger.verification import Progress
    from edca.runtime.answers import Answer, RecordReference
    from edca.runtime.loop import Runtime
    from edca.runtime.operating import Adopted
    from edca.runtime.ports import Clock, Permit, Request
    from edca.runtime.reconcile import Reconciled
    from edca.runtime.retention_rules import RetentionRules


class Operating:
    """The operators' part of a kernel. Everything here is recorded, and each method says whose it is."""

    _runtime: Runtime

    @property
    def mode(self) -> str:
        """The mode in force now: `normal`, `halted`, or one that the machine declares."""
        return self._runtime.mode()

    def enter_mode(self, name: str, *, by: str, role: str, reason: str = "") -> RecordReference:
        """Let a person in one of the mode's `enter by` roles begin it. Raises `ModeError`."""
        return self._runtime.enter_mode(name, by, role, reason)

    def leave_mode(self, *, by: str, role: str, reason: str = "") -> RecordReference:
        """Let a person in one of the mode's `leave by` roles end it. Raises `ModeError`."""
        return self._runtime.leave_mode(by, role, reason)

    def halt(self, *, by: str, reason: str) -> RecordReference:
        """Refuse everything, and begin no effect, from the moment of the call on. Raises `ModeError`.

        `by` is an operator, on your word: no role of the spec can halt or resume. Any thread may call it at any time.
        """
        return self._runtime.halt(by, reason)

    def resume(self, *, by: str, reason: str = "") -> tuple[Answer, ...]:
        """End a halt, and carry on with the effects that it held up: how each came out is returned.

        Where the machine is not halted, what still dangles is carried on with. Raises `ModeError`.
        """
        return self._runtime.resume(by, reason)

    def recover(self) -> tuple[Answer, ...]:
        """Carry on with accepted verdicts whose effects have no outcome yet, and return how each came out.

        `open` does it, `resume` does it, and `tick` does it where a thread was torn away. Call it where one of them, or
        a `submit`, raised because the ledger was busy. It raises as they do, after having gone on with all the others.
        """
        return self._runtime.recover()

    def adopt_roster(self, roster: str | os.PathLike[str] | Roster, *, by: str, reason: str) -> Adopted:
        """Put another roster in force, from the next decision on, and decide the open questions anew under it.

        `by` is an operator, on your word, as for `halt`. From then on the ledger opens with this roster only. Raises
        `RosterError` for one that is none or does not fit the machine, and `AdoptionError`.
        """
        people = fitting(roster, self._runtime.context.machine)
        return self._runtime.adopt_roster(people, by, reason)

    def take_over(self, entity: str, key: Sequence[object], *, by: str, reason: str = "") -> RecordReference:
        """Let only people's candidates be decided about a case. Raises `TakeoverError`."""
        return self._runtime.take_over(self._case_id(entity, key), by, reason)

    def hand_back(self, entity: str, key: Sequence[object], *, by: str, reason: str = "") -> RecordReference:
        """End a takeover; the case is as it was. Raises `TakeoverError`."""
        return self._runtime.hand_back(self._case_id(entity, key), by, reason)

    def reconcile(self, entity: str, key: Sequence[object], *, by: str) -> Reconciled:
        """Ask the routes again what nobody could tell in time. Raises `ReconciliationError`."""
        return self._runtime.reconcile(self._case_id(entity, key), by)

    def reconcile_case(self, case: str, *, by: str) -> Reconciled:
        """Do what `reconcile` does, for the case of that id."""
        return self._runtime.reconcile(case, by)

    def _case_id(self, entity: str, key: Sequence[object]) -> str:
        context = self._runtime.context
        if entity not in context.machine.index.entities:
            raise ValueError(f"the machine has no entity `{entity}`")
        try:
            found: Key = key_from_raw(context.machine, entity, list(key))
        except ValueProblem as problem:
            raise ValueError(f"`{entity}` has no such key: {problem.path}: {problem.problem}") from None
        return case_id(context.machine, context.tenant, entity, found)


class LedgerOperator:
    """Operates a machine from its ledger alone, while no kernel has that ledger open: no spec and no route is needed.

    The machine is the newest that the ledger holds, and the roster the one in force for the tenant: that of its newest
    record about this machine, or the newest of all while there is none. Use it as a context manager or call `close`.
    """

    def __init__(self, context: Context, resources: ExitStack) -> None:
        """Use `open`."""
        self.context = context
        self._resources = resources

    @classmethod
    def open(
        cls,
        ledger: str | os.PathLike[str],
        *,
        machine: str | None = None,
        tenant: str = "",
        clock: Clock | None = None,
    ) -> Self:
        """Open a ledger that is there; `machine` names one where it holds several.

        Raises `LedgerError`, also where it holds no such machine or several and none is named.
        """
        with ExitStack() as resources:
            store = open_ledger(ledger, create=False)
            resources.callback(store.close)
            found, roster = _newest(store, machine, tenant)
            context = Context(found, _NoRoutes(), opened(store, found), roster, clock or SystemClock(), tenant)
            erasing.finish(context)
            return cls(context, resources.pop_all())

    @property
    def mode(self) -> str:
        """The mode in force now."""
        return modes.in_force(self.context)

    def enter_mode(self, name: str, *, by: str, role: str, reason: str = "") -> RecordReference:
        """Let a person begin a mode. Raises `ModeError`."""
        return self.context.turn(lambda: modes.enter(self.context, name, by, role, reason))

    def leave_mode(self, *, by: str, role: str, reason: str = "") -> RecordReference:
        """Let a person end the mode in force. Raises `ModeError`."""
        return self.context.turn(lambda: modes.leave(self.context, by, role, reason))

    def halt(self, *, by: str, reason: str) -> RecordReference:
        """Refuse everything from now on. Raises `ModeError`."""
        return self.context.turn(lambda: modes.halt(self.context, by, reason))

    def resume(self, *, by: str, reason: str = "") -> RecordReference:
        """End a halt; what it held up is carried out once a kernel opens the ledger. Raises `ModeError`."""
        return self.context.turn(lambda: modes.resume(self.context, by, reason))

    def adopt_roster(self, roster: str | os.PathLike[str] | Roster, *, by: str, reason: str) -> RecordReference:
        """Put another roster in force; open questions are decided under it once a kernel opens the ledger with it.

        Raises `RosterError` for one that is none or does not fit the machine, and `AdoptionError`.
        """
        return rosters.adopt(self.context, fitting(roster, self.context.machine), by, reason)

    def take_over(self, case: str, *, by: str, reason: str = "") -> RecordReference:
        """Let only people's candidates be decided about the case of that id. Raises `TakeoverError`."""
        return self.context.turn(lambda: takeover.take_over(self.context, case, by, reason))

    def hand_back(self, case: str, *, by: str, reason: str = "") -> RecordReference:
        """End a takeover. Raises `TakeoverError`."""
        return self.context.turn(lambda: takeover.hand_back(self.context, case, by, reason))

    def erase(self, request: erasing.Request, progress: Progress | None = None) -> erasing.Erased:
        """Destroy what is personal of a person or a case. `progress` gets (done, total). Raises `ErasureError`."""
        return erasing.erase(self.context, request, progress)

    def kept(self, rules: RetentionRules) -> tuple[retention.Kept, ...]:
        """Return what has a class and still its personal values, in order of when its time is over."""
        return retention.kept(self.context, rules)

    def purge(self, rules: RetentionRules, *, by: str, progress: Progress | None = None) -> tuple[erasing.Erased, ...]:
        """Erase everything whose time is over and that nothing stands against. Raises `ErasureError`."""
        return retention.purge(self.context, rules, by, progress)

    def hold(self, of: str, about: str, *, by: str, reason: str, on: bool = True) -> RecordReference:
        """Put a `case` or a `subject` on legal hold, or lift that. Raises `HoldError`."""
        return self.context.turn(lambda: holds.hold(self.context, of, about, by, reason, on=on))

    def close(self) -> None:
        """Close the ledger. Calling it again does nothing."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _NoRoutes:
    """Stands where a context wants routes, for acts that ask none: nothing is read, and nothing is done."""

    digest = bytes(32)
    document = b""

    def read(self, requests: Sequence[Request], as_of: int) -> tuple[Instance, ...]:
        raise RuntimeError(f"no route was opened: {len(requests)} instances can't be read as of {as_of}")

    def allot(self, entity: str) -> Key | None:
        raise RuntimeError(f"no route was opened: no key can be had for {entity}")

    def perform(self, permit: Permit) -> Report:
        return Report(Performed.FAILED, f"no route was opened for {permit.effect}")

    def performed(self, permit: Permit) -> Performed:
        raise RuntimeError(f"no route was opened for {permit.effect}")


def _newest(store: AnyLedger, name: str | None, tenant: str) -> tuple[Machine, Roster]:
    configuration, digests = Configuration(), dict[tuple[str, bytes], None]()
    for stored in store.records(chain=CHAIN):
        content: Any = parse(stored.body).content
        configuration.take(content)
        digests[content["what"], content["digest"]] = None
    machines = {}
    for what, digest in digests:
        if what == "machine":
            found = configuration.machine(digest)
            machines[found.name] = found
    if not machines:
        raise LedgerError(f"`{store.path}` holds no machine yet")
    if name is None and len(machines) > 1:
        raise LedgerError(f"`{store.path}` holds several machines: {', '.join(sorted(machines))}; name one")
    if name is not None and name not in machines:
        raise LedgerError(f"`{store.path}` holds no machine `{name}`, but {', '.join(sorted(machines))}")
    machine = next(iter(machines.values())) if name is None else machines[name]
    rosters_held = [digest for what, digest in digests if what == "roster"]
    return machine, configuration.roster(_roster_of(store, machine.name, configuration, tenant, rosters_held))


def _roster_of(
    store: AnyLedger, machine: str, configuration: Configuration, tenant: str, held: Sequence[bytes]
) -> bytes:
    """Return the digest of the roster that the tenant last used the machine with, by its name: whichever its version.

    That of another tenant gives nobody a say here. Only while the tenant has no case is there none of its own: then it
    is the newest one, since somebody has to have the first one adopted.
    """
    for index in range(store.size - 1, -1, -1):
        content: Any = parse(store.read(store.number_at(index)).body).content
        if content.get("tenant") != tenant or "machine" not in content or "roster" not in content:
            continue
        if configuration.machine(content["machine"]).name == machine:
            return bytes(content["roster"])  # once one was adopted, the context takes that one
    return held[-1]
