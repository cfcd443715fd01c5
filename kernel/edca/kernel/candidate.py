"""A candidate: a request for one transition of one case. It has no authority of its own."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edca.kernel import canonical
from edca.kernel.blinding import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.blinding import Blinding
    from edca.kernel.canonical import Data
    from edca.kernel.values import Raw

DIGEST_SIZE = 32  # bytes
DELEGATION_MAX = 16
PRINCIPAL_LENGTH_MAX = 200  # characters
_TRACEPARENT = re.compile("00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
CONFIDENCE_SCALE = 4  # confidence is held in units of 10^-4, from 0 to 10_000
NOT_LOOKED_AT = "not looked at: this principal has been refused too often of late"
"""The problem of a `Malformed` that nobody has read, because its proposer was probing (`edca.runtime.probing`)."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a candidate came from, as the host tells it: kept on record, and no verdict depends on it.

    `trace` is the caller's W3C Trace Context `traceparent`, so that a record is found from a trace and back.
    `parameters` and `prompt` are SHA-256 digests of what the model was run with and of what it was shown: whoever keeps
    those texts can show later that they are the ones. `delegation` names who handed authority on, the first one first;
    the proposer follows the last.
    """

    trace: str | None = None
    parameters: bytes | None = None
    prompt: bytes | None = None
    delegation: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise `ValueError` for a trace that is none, a digest of another size, or names without end."""
        if self.trace is not None and not _is_traceparent(self.trace):
            raise ValueError("`trace` is a `traceparent` of W3C Trace Context: 00-TRACE-PARENT-FLAGS, in lower case")
        for name, digest_ in (("parameters", self.parameters), ("prompt", self.prompt)):
            if digest_ is not None and (type(digest_) is not bytes or len(digest_) != DIGEST_SIZE):
                raise ValueError(f"`{name}` is a digest of {DIGEST_SIZE} bytes (SHA-256), and never the text itself")
        if len(self.delegation) > DELEGATION_MAX:
            raise ValueError(f"`delegation` names at most {DELEGATION_MAX} principals")
        if not all(0 < len(name) <= PRINCIPAL_LENGTH_MAX for name in self.delegation):
            raise ValueError(f"each name in `delegation` is text of 1 to {PRINCIPAL_LENGTH_MAX} characters")

    def to_raw(self) -> dict[str, Data]:
        """Return what is known of it, as it stands in records; what is not known does not stand there."""
        raw: dict[str, Data] = {"trace": self.trace, "parameters": self.parameters, "prompt": self.prompt}
        raw |= {"delegation": list(self.delegation) or None}
        return {name: value for name, value in raw.items() if value is not None}

    @staticmethod
    def from_raw(raw: Mapping[str, Any]) -> Provenance:
        """Read what `to_raw` gives. Raises `TypeError` or `ValueError` for anything else."""
        return Provenance(**{**raw, "delegation": tuple(raw.get("delegation", ()))})


def _is_traceparent(text: str) -> bool:
    # https://www.w3.org/TR/trace-context/#traceparent-header, version 00; ids of zeros alone are invalid there.
    found = _TRACEPARENT.fullmatch(text)
    return found is not None and not any(set(part) == {"0"} for part in found.groups())


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
    provenance: Provenance | None = field(default=None, compare=False)
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
    `parameters`, `prompt`, `trace` and `delegation` are those of `Provenance`: on record, and nothing rests on them.
    Raises `ValueError` as that does.
    """

    proposer: str
    role: str
    subject: str | None = None
    model: str | None = None
    parameters: bytes | None = None
    prompt: bytes | None = None
    trace: str | None = None
    delegation: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check what is kept of where candidates come from, before there is one."""
        self.provenance()

    def provenance(self) -> Provenance | None:
        """Return where the caller's candidates come from, as far as the host has told; null where it has not."""
        if self.parameters is None and self.prompt is None and self.trace is None and not self.delegation:
            return None
        return Provenance(self.trace, self.parameters, self.prompt, self.delegation)


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
    provenance: Provenance | None = field(default=None, compare=False)

    def to_raw(self) -> dict[str, Data]:
        """Return what stands in the record, but for where it came from."""
        return {
            "problem": self.problem,
            "size": self.size,
            "digest": self.digest,
            "proposer": self.proposer,
            "role": self.role,
            "subject": self.subject,
            "model": self.model,
        }
