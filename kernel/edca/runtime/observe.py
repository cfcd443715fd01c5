"""A person looks: what they find in the world becomes the case's state, on record and under their name.

This is the way out of a quarantine and of a `state_drift`, where nothing else is decided. It gives no authority
besides: a case about which nothing is in doubt moves by its transitions alone.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.kernel.facts import table
from edca.kernel.frames import fields_of
from edca.kernel.inputs import Authenticated
from edca.kernel.machine import RoleKind
from edca.kernel.movement import arrived
from edca.kernel.properties import broken_by
from edca.kernel.values import Unknown
from edca.ledger.record import Draft
from edca.runtime.cases import Row, case_id, case_to_data, change, touched
from edca.runtime.counter_cells import Sheet
from edca.runtime.counters import observed
from edca.runtime.differences import Pair
from edca.runtime.kinds import OBSERVED
from edca.runtime.permits import Authority
from edca.runtime.ports import Request
from edca.runtime.records import standing
from edca.runtime.retention_rules import with_class
from edca.runtime.signatures import is_signed, observation
from edca.runtime.stamps import stamped
from edca.runtime.standing import trusted_row

if TYPE_CHECKING:
    from edca.kernel.canonical import Part
    from edca.kernel.facts import Instance, Key
    from edca.kernel.inputs import Case
    from edca.kernel.machine import Machine
    from edca.kernel.roster import Roster
    from edca.ledger.store import Cell
    from edca.runtime.answers import RecordReference
    from edca.runtime.context import Context, Place


class NotObserved(enum.Enum):
    """Why nothing was put on record."""

    NO_SUCH_CASE = "no_such_case"  # nothing has moved it in the ledger: it stands where its source says
    OTHER_MACHINE = "other_machine"  # it runs under another machine
    EFFECTS_UNDER_WAY = "effects_under_way"  # they have no outcome yet, and must be resumed first
    NOT_IN_DOUBT = "not_in_doubt"  # neither is it quarantined, nor does its source disagree with the ledger
    WRONG_ROLE = "wrong_role"  # whoever looked is nobody who answers for it
    UNSIGNED = "unsigned"  # the roster has a key of theirs, and what they found is not signed
    BAD_SIGNATURE = "bad_signature"  # what is signed is something else, or the roster has no such key
    UNREADABLE = "unreadable"  # the source's state can't be read now
    UNNAMED = "unnamed"  # the source tells no state, and none was named
    CONTRADICTED = "contradicted"  # the source says something else than was named
    NO_SUCH_STATE = "no_such_state"  # the machine has no such state
    PROPERTY_VIOLATED = "property_violated"  # by their word alone, a property of the machine would break


class ObservationError(ValueError):
    """What was to be observed can't be put on record: `code` says why, and the message says it to people."""

    def __init__(self, code: NotObserved, message: str) -> None:
        """Take both."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Looked:
    """A case that is in doubt, what its source says now, and the state that this shows."""

    row: Row
    transition: str | None  # whose effects nobody can tell about; null where ledger and source disagree
    instance: Instance
    state: str
    at: int


def observe(
    context: Context, entity: str, key: Key, by: str, state: str | None, signature: bytes | None = None
) -> RecordReference:
    """Read the instance again and record its state as the case's; a quarantine ends with it, memory stays.

    `by` is the person who looked: somebody who answers for the transition whose effects are in doubt, or, where the
    source disagrees with the ledger, for any transition of such cases. `state` is needed where the routes map none, and
    for a state that has no code in the source; it may not contradict the source. `signature` is theirs over
    `signing_message`, wherever the roster has a key of theirs.

    Raises `ObservationError`; then nothing is recorded.
    """
    looked = _look(context, entity, key, state)
    machine, before = context.machine, looked.row.case
    role = _role(machine, context.roster, before, looked.transition, by, looked.at)
    if role is None:
        roles = ", ".join(answering(machine, before, looked.transition))
        raise ObservationError(NotObserved.WRONG_ROLE, f"`{by}` is no person on the roster in role {roles}")
    how = _authenticated(context.roster, before, by, looked, signature)
    at = looked.at
    after = arrived(before, looked.state, at)
    violated = _violated(machine, after, looked.transition, looked.instance, at)
    broken = [code for code, reason in violated.items() if reason is None]
    # What the source itself says can't be refused: it is on record, with what it breaks. A person's word can.
    if broken and looked.instance.state != looked.state:
        message = f"in {looked.state} the case would break {', '.join(broken)}; name the state that holds what is amiss"
        raise ObservationError(NotObserved.PROPERTY_VIOLATED, message)
    content: dict[str, Part] = {
        "at": at,
        "clock": context.clock.source,
        "tenant": context.tenant,
        "machine": machine.digest,
        "routes": context.router.digest,
        "roster": context.roster.digest,
        "by": by,
        "role": role,
        "authenticated": how.value,
        "signature": signature,
        "named": state,
        "resolves": before.pending,
        "case": case_to_data(before),
        "instance": looked.instance.to_raw(machine.index.entities),
        "properties": dict(violated),
        "after": standing(after),
        "change": change(machine, before, after),
    }

    def cells(place: Place) -> list[Cell]:
        return [Row(touched(after, place.entry, at)).cell(), *_counted(context, looked.row, looked.state)]

    content = with_class(stamped(machine, content), context.retention, machine, after.state)
    return context.append(Draft(before.id, OBSERVED, content), cells)


def request(machine: Machine, entity: str, key: Key) -> Request:
    """Return what is read of the instance: its state, and all that a property may want to know of it."""
    return Request(entity, key, fields_of(machine.transitions, entity))


def signing_message(context: Context, entity: str, key: Key, state: str | None) -> bytes:
    """Return what somebody signs who observes the case now: see `observe`, also for what is raised."""
    looked = _look(context, entity, key, state)
    return observation(looked.row.case.id, looked.row.case.entry, looked.state)


def _look(context: Context, entity: str, key: Key, named: str | None) -> _Looked:
    machine, as_of = context.machine, context.clock.now()
    (instance,) = context.router.read([request(machine, entity, key)], as_of)
    row = trusted_row(context.store, machine, case_id(machine, context.tenant, entity, key))
    if row is None or not row.holds_state:
        raise ObservationError(
            NotObserved.NO_SUCH_CASE, "the ledger holds no such case: it stands where its source says"
        )
    if row.case.machine != machine.digest:
        raise ObservationError(NotObserved.OTHER_MACHINE, "the case runs under another machine")
    transition = None
    if row.case.pending is not None and row.record is not None:
        if not row.quarantined:
            message = "the case has effects under way; they must be resumed first"
            raise ObservationError(NotObserved.EFFECTS_UNDER_WAY, message)
        transition = Authority.of(context.store.read(row.record)).verdict.transition
    elif not has_drifted(row.case, instance):
        message = "the case is not quarantined, and its source does not disagree: it moves by its transitions alone"
        raise ObservationError(NotObserved.NOT_IN_DOUBT, message)
    state = observed_state(machine, instance, named)
    return _Looked(row, transition, instance, state, max(row.case.touched, context.clock.now()))


def has_drifted(case: Case, instance: Instance) -> bool:
    """Tell whether the source disagrees with the ledger about the case's state, so that every decision is refused."""
    return case.state in instance.mapped and instance.state != case.state


def answering(machine: Machine, case: Case, transition: str | None) -> tuple[str, ...]:
    """Return the human roles that answer for that transition, or for any of such cases where it is null; sorted."""
    asked = [item for item in machine.transitions if transition in (None, item.name) and item.about == case.entity]
    roles = {item.answers for item in asked}
    return tuple(sorted(name for name in roles if machine.index.roles[name].kind is RoleKind.HUMAN))


def _role(machine: Machine, roster: Roster, case: Case, transition: str | None, by: str, now: int) -> str | None:
    """Return the role in which the person may say what they found, or null."""
    principal = roster.find(by)
    if principal is None or principal.model is not None or not principal.is_valid(now):
        return None
    return next((role for role in answering(machine, case, transition) if role in principal.roles), None)


def _authenticated(roster: Roster, case: Case, by: str, looked: _Looked, signature: bytes | None) -> Authenticated:
    keys = roster.keys(by, looked.at)
    if keys and signature is None:
        raise ObservationError(NotObserved.UNSIGNED, f"the roster has a key of `{by}`, so what they found is signed")
    if signature is None:
        return Authenticated.ASSERTED
    if not is_signed(keys, signature, observation(case.id, case.entry, looked.state)):
        raise ObservationError(NotObserved.BAD_SIGNATURE, f"the signature is none of `{by}` over what was found")
    return Authenticated.SIGNED


def _violated(
    machine: Machine, after: Case, transition: str | None, instance: Instance, at: int
) -> dict[str, str | None]:
    """Return the properties that the case is not known to keep where it was found: why unknown, or null if broken."""
    edges: set[str | None] = set()
    if transition is not None:
        item = machine.index.transitions[transition]
        edges = {*item.sources, item.target, *(edge.target for edge in (item.on_failed, item.on_timeout) if edge)}
    found = broken_by(machine, after, table([instance]), at, by_edge=after.state in edges)
    return {item.code: None if item.reason is None else item.reason.value for item in found}


def expected(
    machine: Machine, roster: Roster, before: Case, transition: str | None, instance: Instance, content: Any
) -> list[Pair]:
    """Return the pairs of an observation's record for a replay: who may look, at what, and what it breaks.

    `transition` is the one whose effects nobody could tell about, null where no quarantine was in force.
    """
    state, at, by, signature = content["after"]["state"], content["at"], content["by"], content["signature"]
    keys = roster.keys(by, at)
    signed = is_signed(keys, signature, observation(before.id, before.entry, state))
    doubt = transition is not None or has_drifted(before, instance)
    violated = _violated(machine, arrived(before, state, at), transition, instance, at)
    return [
        Pair("role", content["role"], _role(machine, roster, before, transition, by, at)),
        Pair("authenticated", content["authenticated"], "signed" if keys else "asserted"),
        Pair("signature", "holds" if signed or not keys else "does not hold", "holds"),
        Pair("in doubt", "yes", "yes" if doubt else "no"),
        Pair("properties", content["properties"], dict(violated)),
    ]


def _counted(context: Context, row: Row, state: str) -> list[Cell]:
    """Return the writes that settle what the case's quarantined effects hold reserved of limits."""
    if row.record is None:
        return []
    authority, sheet = Authority.of(context.store.read(row.record)), Sheet(context.store.cell)
    observed(sheet, context.tenant, context.machine.name, authority.verdict, row.record, state)
    return sheet.cells


def observed_state(machine: Machine, instance: Instance, named: str | None) -> str:
    """Return the state that an observation shows. Raises `ObservationError` where it can't be told."""
    mapped = instance.state
    if isinstance(mapped, Unknown):
        raise ObservationError(NotObserved.UNREADABLE, "the source's state can't be read now")
    if named in instance.mapped and mapped != named:
        raise ObservationError(NotObserved.CONTRADICTED, f"the source says {mapped}, not {named}")
    state = mapped if named is None else named
    if state is None:
        message = "the routes map no state to this instance; name the one you found"
        raise ObservationError(NotObserved.UNNAMED, message)
    if state not in machine.index.states:
        raise ObservationError(NotObserved.NO_SUCH_STATE, f"the machine has no state `{state}`")
    return state


def is_in_charge(context: Context, by: str) -> bool:
    """Tell whether `by` is a person who holds a role now that answers for something, signs or waives."""
    principal = context.roster.find(by)
    if principal is None or principal.model is not None or not principal.is_valid(context.clock.now()):
        return False
    index = context.machine.index
    return any(name in index.staff and index.roles[name].kind is RoleKind.HUMAN for name in principal.roles)
