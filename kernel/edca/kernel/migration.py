"""The map of a migration: how the cases of one version of a machine become cases of another.

A `Migration` is a checked map, bound to both machines by their digests. It is total: every state, every field of memory
and every limit of the old version has its place or is let go of by name, so nothing is left to be guessed when
`migrate` applies it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edca.kernel import canonical, structure
from edca.kernel.machine import ARTEFACT_SIZE_MAX, DEPTH_MAX

if TYPE_CHECKING:
    from edca.kernel.expression import History
    from edca.kernel.machine import Assignment


@dataclass(frozen=True, slots=True)
class StateMove:
    """Where cases in the old state `source` go. `target` is null where a person must look, and `text` says why.

    `keeps_time`: how long they have been in `source` counts in `target`; otherwise their time there begins anew.
    """

    source: str
    target: str | None
    keeps_time: bool
    text: str


@dataclass(frozen=True, slots=True)
class HistoryMove:
    """Who the new version takes for the proposers, or signers, of `name`: those of the old version's `source`."""

    history: History
    name: str
    source: str


@dataclass(frozen=True, slots=True)
class LimitName:
    """A limit: what candidates call its transition, and its code."""

    transition: str
    code: str


@dataclass(frozen=True, slots=True)
class LimitMove:
    """What the new version's `limit` has counted already: what the old one's `source` has, or nothing (null).

    A limit that is in no move counts on under its name.
    """

    limit: LimitName
    source: LimitName | None


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What the new version has no place for, as the map names it, and why that may be."""

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Migration:
    """A checked map. `source` and `target` are the machines' digests; `digest` (32 bytes) is the map's identity.

    `states` names every state of the old version and `memory` every field of the new one, each sorted by name. The
    expressions of `memory` read memory, history and the time as the old version has left them, and nothing else.
    """

    machine: str
    source: bytes
    target: bytes
    text: str
    states: tuple[StateMove, ...]
    memory: tuple[Assignment, ...]
    history: tuple[HistoryMove, ...]
    limits: tuple[LimitMove, ...]
    forgotten: tuple[Forgotten, ...]
    digest: bytes = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Derive the digest."""
        object.__setattr__(self, "digest", canonical.digest("migration", self.to_bytes()))

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return canonical.encode(structure.to_data(self), depth_max=DEPTH_MAX)

    @staticmethod
    def from_bytes(encoded: bytes) -> Migration:
        """Return the map of canonical bytes. Raises `canonical.CanonicalError` for anything else."""
        found = structure.from_data(canonical.decode(encoded, size_max=ARTEFACT_SIZE_MAX, depth_max=DEPTH_MAX))
        if not isinstance(found, Migration):
            raise canonical.CanonicalError("these bytes do not hold a map")
        return found
