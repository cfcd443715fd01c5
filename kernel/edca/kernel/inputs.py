"""What a decision is made from besides machine and candidate: the case, the inputs, and whose case it is."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

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

    `pending` is the digest of the record whose effects are under way; `touched` the time of the case's last record,
    `entered` when it came into its state (a transition from a state to itself doesn't count). `proposers` are those of
    the last acceptance of each transition, by offered name; `signers` those whose answers each `confirm` and `sign`
    took at its last acceptance, by code, sorted. `human_only`: people have taken it over, and only their candidates are
    decided.
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
    entered: int
    proposers: Mapping[str, str]
    signers: Mapping[str, tuple[str, ...]]
    human_only: bool = False


class Authenticated(enum.Enum):
    """How it is known who attested something."""

    ASSERTED = "asserted"  # by the host's word
    SIGNED = "signed"  # by the attestor's own key


@dataclass(frozen=True, slots=True)
class Attestation:
    """A value that somebody vouched for: a claim's, or the yes (`true`) or no (`false`) that a clause asks for.

    `binds` is the digest of the preview that an answer was given to, null where none was shown: the host then hands the
    answer over together with the candidate it belongs to.
    """

    name: str
    value: Value
    by: str
    role: str
    source: str
    at: int
    binds: bytes | None = None
    authenticated: Authenticated = Authenticated.ASSERTED


NORMAL, HALTED = "normal", "halted"  # modes that no spec declares

CounterKey: TypeAlias = "tuple[str, str, tuple[Value, ...]]"
"""A counter: the offered name (branches count together), the limit's code, and the values of its keys."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a decision reads besides machine, case and candidate. `now` is in microseconds UTC.

    `key_used_by` is the digest of another candidate that already used this idempotency key. `mode` is `NORMAL`,
    `HALTED` or one that the machine declares. `used` holds what each counter's window sums up to, in units of the
    limit's type; a counter that is not in it is unknown. `mandate_uses` tells by id how many acceptances rest on each
    mandate whose uses are bounded. `overloaded`: no further question can wait for people.
    """

    now: int
    clock: str
    facts: Facts
    attestations: tuple[Attestation, ...]
    roster: Roster
    key_used_by: bytes | None
    mode: str = NORMAL
    used: Mapping[CounterKey, int] = field(default_factory=dict)
    mandate_uses: Mapping[str, int] = field(default_factory=dict)
    overloaded: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """Which case a candidate is about: `key` is null when the transition creates it and a route must allot the key."""

    entity: str
    key: Key | None
    creates: bool


def address(machine: Machine, candidate: Candidate) -> Address | None:
    """Return which case the candidate is about, or null where it names none."""
    branches = machine.index.offered.get(candidate.transition, ())
    transition = branches[0] if branches else None  # all branches are alike in what they are about
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
