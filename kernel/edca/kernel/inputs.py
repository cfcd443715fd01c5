"""What a decision is made from besides machine and candidate: the case, the inputs, and whose case it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.values import Value, ValueProblem, from_raw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.candidate import Candidate
    from edca.kernel.facts import Facts, Key
    from edca.kernel.machine import Machine
    from edca.kernel.roster import Roster


@dataclass(frozen=True, slots=True)
class Case:
    """One running instance of a machine, as the ledger's records have left it.

    `pending` is the digest of the record whose effects are under way; `touched` the time of the case's last record.
    """

    id: str
    entity: str
    key: Key
    state: str
    memory: Mapping[str, Value]
    revision: int
    entry: int
    machine: bytes
    pending: bytes | None
    touched: int


@dataclass(frozen=True, slots=True)
class Attestation:
    """A value that somebody vouched for: a claim's, or the yes (`true`) or no (`false`) that a `confirm` asks for."""

    name: str
    value: Value
    by: str
    role: str
    source: str
    at: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a decision reads besides machine, case and candidate. `now` is in microseconds UTC.

    `key_used_by` is the digest of another candidate that already used this idempotency key.
    """

    now: int
    clock: str
    facts: Facts
    attestations: tuple[Attestation, ...]
    roster: Roster
    key_used_by: bytes | None


@dataclass(frozen=True, slots=True)
class Address:
    """Which case a candidate is about: `key` is null when the transition creates it and a route must allot the key."""

    entity: str
    key: Key | None
    creates: bool


def address(machine: Machine, candidate: Candidate) -> Address | None:
    """Return which case the candidate is about, or null where it names none."""
    transition = machine.index.transitions.get(candidate.transition)
    if transition is None:
        entity, key_names = machine.index.entities[machine.case_about], machine.case_key
    elif transition.creates:
        return Address(transition.about, None, True)
    else:
        entity, key_names = machine.index.entities[transition.about], transition.key
    try:
        key = tuple(
            from_raw(part.type, candidate.arguments.get(name), machine.index.entities)
            for part, name in zip(entity.key, key_names, strict=True)
        )
    except ValueProblem:
        return None
    return Address(entity.name, key, False)
