"""A person looks: what they find in the world becomes the case's state, on record and under their name.

This is the way out of a quarantine, and how the ledger learns of a change that was made outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.machine import RoleKind
from edca.kernel.movement import arrived
from edca.kernel.values import Unknown
from edca.ledger.record import Draft
from edca.runtime.cases import Row, case_id, case_to_data, change, touched
from edca.runtime.counters import Sheet, observed
from edca.runtime.gather import opened_case
from edca.runtime.kinds import OBSERVED
from edca.runtime.permits import Authority
from edca.runtime.ports import Request
from edca.runtime.records import standing
from edca.runtime.standing import trusted_row

if TYPE_CHECKING:
    from edca.kernel.canonical import Data
    from edca.kernel.facts import Instance, Key
    from edca.kernel.machine import Machine
    from edca.ledger.store import Cell
    from edca.runtime.answers import RecordReference
    from edca.runtime.context import Context, Place


class ObservationError(ValueError):
    """What was to be observed can't be put on record; the message says why."""


def observe(context: Context, entity: str, key: Key, by: str, state: str | None) -> RecordReference:
    """Read the instance again and record its state as the case's; a quarantine ends with it, memory stays.

    `by` is the person who looked. `state` is needed where the routes map none, and for a state that has no code in the
    source; it may not contradict the source. A case that the ledger has not met is opened by it.

    Raises `ObservationError` where there is no such case, its effects are still under way, `by` is no person on the
    roster, or the state can't be told.
    """
    machine = context.machine
    if not is_person(context, by):
        raise ObservationError(f"`{by}` is no person on the roster")
    as_of = context.clock.now()
    (instance,) = context.router.read([Request(entity, key, ())], as_of)
    id_ = case_id(machine, context.tenant, entity, key)
    row = trusted_row(context.store, context.machine, id_)
    before = opened_case(machine, id_, instance, context.next_entry(id_), as_of) if row is None else row.case
    if before is None:
        raise ObservationError("there is no such case")
    if before.machine != machine.digest:
        raise ObservationError("the case runs under another machine")
    if before.pending is not None and row is not None and not row.quarantined:
        raise ObservationError("the case has effects under way; they must be resumed first")
    found = observed_state(machine, instance, state)
    at = max(before.touched, as_of)
    after = arrived(before, found, at)
    content: dict[str, Data] = {
        "at": at,
        "clock": context.clock.source,
        "tenant": context.tenant,
        "machine": machine.digest,
        "routes": context.router.digest,
        "roster": context.roster.digest,
        "by": by,
        "named": state,
        "resolves": before.pending,
        "case": case_to_data(before),
        "instance": instance.to_raw(machine.index.entities),
        "after": standing(after),
        "change": change(machine, before, after),
    }

    def cells(place: Place) -> list[Cell]:
        return [Row(touched(after, place.entry, at)).cell(), *_counted(context, row, found)]

    return context.append(Draft(before.id, OBSERVED, content), cells)


def _counted(context: Context, row: Row | None, state: str) -> list[Cell]:
    """Return the writes that settle what the case's quarantined effects hold reserved of limits."""
    if row is None or row.record is None:
        return []
    authority, sheet = Authority.of(context.store.read(row.record)), Sheet(context.store.cell)
    observed(sheet, context.tenant, context.machine.name, authority.verdict, row.record, state)
    return sheet.cells


def observed_state(machine: Machine, instance: Instance, named: str | None) -> str:
    """Return the state that an observation shows. Raises `ObservationError` where it can't be told."""
    mapped = instance.state
    if isinstance(mapped, Unknown):
        raise ObservationError("the source's state can't be read now")
    if named in instance.mapped and mapped != named:
        raise ObservationError(f"the source says {mapped}, not {named}")
    state = mapped if named is None else named
    if state is None:
        raise ObservationError("the routes map no state to this instance; name the one you found")
    if state not in machine.index.states:
        raise ObservationError(f"the machine has no state `{state}`")
    return state


def is_person(context: Context, by: str) -> bool:
    """Tell whether `by` is somebody on the roster who holds a human role, and no model."""
    principal = context.roster.find(by)
    roles = () if principal is None or principal.model is not None else principal.roles
    declared = context.machine.index.roles
    return any(name in declared and declared[name].kind is RoleKind.HUMAN for name in roles)
