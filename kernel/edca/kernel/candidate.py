"""A candidate: a request for one transition of one case. It has no authority of its own."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edca.kernel import canonical
from edca.kernel.blinding import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.blinding import Blinding
    from edca.kernel.canonical import Data
    from edca.kernel.values import Raw

CONFIDENCE_SCALE = 4  # confidence is held in units of 10^-4, from 0 to 10_000
NOT_LOOKED_AT = "not looked at: this principal has been refused too often of late"
"""The problem of a `Malformed` that nobody has read, because its proposer was probing (`edca.runtime.probing`)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What was proposed, and by whom.

    `proposer`, `role`, `subject` and `model` come from the host, which authenticated them; everything else is the
    proposer's word. `arguments` are raw (see `kernel.values`). `confidence` is in 10^-4, null when none was given.
    `rationale` is kept as data and is no part of the digest: no verdict can depend on it. `blinding` keys the digests
    of the candidate and of what it would bring about, where a machine knows personal values; null where it doesn't.
    """

    transition: str
    arguments: Mapping[str, Raw]
    proposer: str
    role: str
    subject: str | None
    model: str | None
    revision: int | None
    key: str
    confidence: int | None
    evidence: tuple[str, ...]
    rationale: str = field(compare=False)
    blinding: Blinding | None = field(default=None, repr=False, compare=False)
    _digest: bytes | None = field(default=None, init=False, repr=False, compare=False)

    def to_raw(self) -> dict[str, Data]:
        """Return everything but the rationale, as it stands in records."""
        return {
            "transition": self.transition,
            "arguments": dict(self.arguments),
            "proposer": self.proposer,
            "role": self.role,
            "subject": self.subject,
            "model": self.model,
            "revision": self.revision,
            "key": self.key,
            "confidence": self.confidence,
            "evidence": list(self.evidence),
        }

    def known_as(self, digest: bytes) -> Candidate:
        """Return the candidate with the digest it is on record with: what that was made of was erased in part."""
        known = dataclasses.replace(self)
        object.__setattr__(known, "_digest", digest)
        return known

    @property
    def digest(self) -> bytes:
        """32 bytes that stand for this very candidate, whatever its rationale says."""
        if self._digest is None:  # asked for many times over on the way of one candidate
            object.__setattr__(self, "_digest", digest(self.blinding, "candidate", canonical.encode(self.to_raw())))
        return self._digest  # type: ignore[return-value]  # it is there now


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as the host authenticated them: never read from anything a model wrote.

    `subject` is the person on whose behalf the proposer acts; `model` the exact id of the model behind it, if any.
    """

    proposer: str
    role: str
    subject: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Malformed:
    """Bytes that are no candidate: what was wrong, how many there were, and their digest. The bytes are not kept."""

    problem: str
    size: int
    digest: bytes
    proposer: str
    role: str
    subject: str | None
    model: str | None

    def to_raw(self) -> dict[str, Data]:
        """Return what stands in the record."""
        return {
            "problem": self.problem,
            "size": self.size,
            "digest": self.digest,
            "proposer": self.proposer,
            "role": self.role,
            "subject": self.subject,
            "model": self.model,
        }
