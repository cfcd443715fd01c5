"""Modes: which one is in force follows from the newest record of the machine's own chain of modes.

There is nothing beside that record to edit, so nobody gets out of a halt without being on record. Signals are counted
from recorded events, in the events' own transactions; a mode that begins or ends by them does so in a record too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.ledger.record import Draft, parse
from edca.runtime import signals
from edca.runtime.kinds import MODE
from edca.runtime.mode_changes import Act, ModeChange, Standing, commanded, entered, left

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.kernel.canonical import Data
    from edca.kernel.machine import Machine, Signal
    from edca.ledger.store import Cell
    from edca.runtime.answers import RecordReference
    from edca.runtime.context import Context
    from edca.runtime.ports import Store

REASON_LENGTH_MAX = 500  # characters


@dataclass(frozen=True, slots=True)
class Noted:
    """What goes into an event's transaction besides its own record: changes of the mode, and the counts."""

    drafts: tuple[Draft, ...] = ()
    cells: tuple[Cell, ...] = ()


def chain_of_modes(tenant: str, machine: str) -> str:
    """Return the chain of a machine's modes, by the machine's name: its versions share it. No case has such an id."""
    return f"{tenant}/#mode:{machine}"


def standing(store: Store, chain: str) -> Standing:
    """Return how the newest record of the chain has left the mode. Raises what reading the ledger raises."""
    newest = store.newest(chain)
    if newest is None:
        return Standing()
    content: Any = parse(newest.body).content
    return Standing.from_data(content["after"])


def in_force(context: Context) -> str:
    """Return the mode in force now, for looking: a trigger that ends it counts, and nothing is recorded."""
    change = _ending(context)
    return recorded_mode(context) if change is None else change[1].after.in_force


def settle(context: Context) -> None:
    """Where a trigger ends the mode by now, put that on record: before every decision."""
    change = _ending(context)
    if change is not None:
        context.append(_draft(context, context.machine, *change), lambda _: ())


def recorded_mode(context: Context) -> str:
    """Return the mode that the records have left in force, whatever the time is."""
    return _standing(context).in_force


def is_halted(context: Context) -> bool:
    """Tell whether nothing more may be spent: the machine is halted, or somebody is about to record that."""
    return context.stop.is_set() or _standing(context).halted


def note(context: Context, machine: Machine, happened: Sequence[Signal], at: int) -> Noted:
    """Count the signals of one event at `at`, and return what goes into its transaction."""
    if not happened or not signals.counted(machine):
        return Noted()
    chain = chain_of_modes(context.tenant, machine.name)
    events = signals.after(machine, signals.load(context.store, chain), happened, at)
    changes = entered(machine, standing(context.store, chain), events, happened, at)
    drafts = tuple(_draft(context, machine, at, change) for change in changes)
    return Noted(drafts, (signals.cell(chain, events),))


def enter(context: Context, name: str, by: str, role: str, reason: str = "") -> RecordReference:
    """Let a person begin a mode.

    Raises `ModeError` where the machine has no such mode, another one is in force, or the person may not.
    """
    return _command(context, Act.ENTER, name, by, role, reason)


def leave(context: Context, by: str, role: str, reason: str = "") -> RecordReference:
    """Let a person end the mode in force. Raises `ModeError` where there is none, or the person may not."""
    return _command(context, Act.LEAVE, "", by, role, reason)


def check_halt(context: Context, by: str, reason: str) -> None:
    """Raise `ModeError` as `halt` would for this operator and this reason, without looking at the ledger."""
    kept, at = reason[:REASON_LENGTH_MAX], context.clock.now()
    commanded(context.machine, context.roster_last_read, Standing(), Act.HALT, "", by, None, kept, at)


def halt(context: Context, by: str, reason: str) -> RecordReference:
    """Refuse everything from now on. Halting again is recorded again, and changes nothing.

    `by` is an operator, whom the host vouches for: no role of the spec is asked, and none can lift the halt. Raises
    `ModeError` for somebody who can't be one, and without a reason.
    """
    return _command(context, Act.HALT, "", by, None, reason)


def resume(context: Context, by: str, reason: str = "") -> RecordReference:
    """End a halt: the mode that was in force before is again, unless the machine no longer declares it.

    Raises `ModeError` as `halt` does, and where the machine is not halted.
    """
    return _command(context, Act.RESUME, "", by, None, reason)


def _command(context: Context, act: Act, name: str, by: str, role: str | None, reason: str) -> RecordReference:
    kept, at = reason[:REASON_LENGTH_MAX], context.clock.now()
    change = commanded(context.machine, context.roster, _standing(context), act, name, by, role, kept, at)
    draft = _draft(context, context.machine, at, change)
    return context.append(draft, lambda _: ())


def _standing(context: Context) -> Standing:
    return standing(context.store, chain_of_modes(context.tenant, context.machine.name))


def _ending(context: Context) -> tuple[int, ModeChange] | None:
    """Return how a trigger ends the mode in force now, and when that is; null where none does."""
    now = _standing(context)
    if not now.triggered or now.halted:
        return None
    chain, at = chain_of_modes(context.tenant, context.machine.name), context.clock.now()
    change = left(context.machine, now, signals.load(context.store, chain), at)
    return None if change is None else (at, change)


def _draft(context: Context, machine: Machine, at: int, change: ModeChange) -> Draft:
    content: dict[str, Data] = {
        "at": at,
        "clock": context.clock.source,
        "tenant": context.tenant,
        "machine": machine.digest,
        "roster": context.roster.digest,
    }
    return Draft(chain_of_modes(context.tenant, machine.name), MODE, content | change.to_data())
