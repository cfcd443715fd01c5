"""The roster: who exists, which roles they hold, and which mandates people have given.

It is configuration with a digest, kept in the ledger, so that a replay has what was in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.canonical import Data


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody or something that can propose. `model` pins the exact model id where a model stands behind it."""

    id: str
    roles: tuple[str, ...]
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Mandate:
    """A standing authority that a person has given: they answer for these transitions until it ends.

    `transitions` empty means every transition of the machine that `role` answers for.
    `starts` and `ends` are microseconds since the epoch, UTC; the end is not included.
    """

    id: str
    principal: str
    role: str
    machine: str
    transitions: tuple[str, ...]
    starts: int
    ends: int


@dataclass(frozen=True, slots=True)
class Roster:
    """Principals and mandates, each sorted by id and unique."""

    principals: tuple[Principal, ...]
    mandates: tuple[Mandate, ...]

    def __post_init__(self) -> None:
        """Put both in order of id. Raises `ValueError` when an id occurs twice."""
        for name in ("principals", "mandates"):
            rows: tuple[Principal | Mandate, ...] = getattr(self, name)
            ids = [row.id for row in rows]
            if len(set(ids)) != len(ids):
                raise ValueError(f"the roster's {name} name one id twice")
            object.__setattr__(self, name, tuple(sorted(rows, key=lambda row: row.id)))

    def find(self, principal: str) -> Principal | None:
        """Return the principal of that id."""
        return next((row for row in self.principals if row.id == principal), None)

    def mandate_for(self, machine: str, transition: str, role: str, now: int) -> Mandate | None:
        """Return the first mandate, by id, in force now: by somebody who still holds the role that answers."""
        for mandate in self.mandates:
            holder = self.find(mandate.principal)
            if (
                mandate.machine == machine
                and mandate.role == role
                and (not mandate.transitions or transition in mandate.transitions)
                and mandate.starts <= now < mandate.ends
                and holder is not None
                and role in holder.roles
                and holder.model is None
            ):
                return mandate
        return None

    def to_raw(self) -> dict[str, Data]:
        """Return the roster as it stands in its configuration record."""
        return {
            "principals": [{"id": p.id, "roles": list(p.roles), "model": p.model} for p in self.principals],
            "mandates": [
                {
                    "id": m.id,
                    "principal": m.principal,
                    "role": m.role,
                    "machine": m.machine,
                    "transitions": list(m.transitions),
                    "starts": m.starts,
                    "ends": m.ends,
                }
                for m in self.mandates
            ],
        }

    @staticmethod
    def from_raw(raw: Mapping[str, Data]) -> Roster:
        """Return the roster of a record. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        principals, mandates = raw["principals"], raw["mandates"]
        if not isinstance(principals, list) or not isinstance(mandates, list):
            raise TypeError("a roster has principals and mandates")
        return Roster(tuple(_principal(row) for row in principals), tuple(_mandate(row) for row in mandates))

    @property
    def digest(self) -> bytes:
        """The roster's identity: 32 bytes."""
        return canonical.digest("roster", canonical.encode(self.to_raw()))


def _strings(raw: Data) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
        raise TypeError("expected a list of texts")
    return tuple(str(item) for item in raw)


def _principal(raw: Data) -> Principal:
    if not isinstance(raw, dict):
        raise TypeError("a principal is a map")
    model = raw["model"]
    return Principal(str(raw["id"]), _strings(raw["roles"]), None if model is None else str(model))


def _mandate(raw: Data) -> Mandate:
    if not isinstance(raw, dict):
        raise TypeError("a mandate is a map")
    starts, ends = raw["starts"], raw["ends"]
    if not (isinstance(starts, int) and isinstance(ends, int)):
        raise TypeError("a mandate starts and ends at a time")
    return Mandate(
        id=str(raw["id"]),
        principal=str(raw["principal"]),
        role=str(raw["role"]),
        machine=str(raw["machine"]),
        transitions=_strings(raw["transitions"]),
        starts=starts,
        ends=ends,
    )
