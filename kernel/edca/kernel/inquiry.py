"""An inquiry: what somebody asks a query, and what comes of it. It changes nothing, whatever it asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from edca.kernel import canonical
from edca.kernel.verdict import ClauseResult, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.canonical import Data
    from edca.kernel.values import Raw


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What was asked, and by whom.

    `proposer`, `role`, `subject` and `model` are those of who asks, and come from the host, which authenticated them;
    everything else is their word. `arguments` are raw (see `kernel.values`).
    """

    query: str
    arguments: Mapping[str, Raw]
    proposer: str
    role: str
    subject: str | None
    model: str | None
    _digest: bytes | None = field(default=None, init=False, repr=False, compare=False)

    def to_raw(self) -> dict[str, Data]:
        """Return it as it stands in records."""
        return {
            "query": self.query,
            "arguments": dict(self.arguments),
            "proposer": self.proposer,
            "role": self.role,
            "subject": self.subject,
            "model": self.model,
        }

    @property
    def digest(self) -> bytes:
        """32 bytes that stand for this very inquiry."""
        if self._digest is None:
            object.__setattr__(self, "_digest", canonical.digest("inquiry", canonical.encode(self.to_raw())))
        return self._digest  # type: ignore[return-value]  # it is there now


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What the query gives: the raw values of what it returns, by name, and nothing else."""

    query: str
    values: Mapping[str, Raw]
    clauses: tuple[ClauseResult, ...]
    code: str = "returned"

    def to_raw(self) -> dict[str, Data]:
        """Return the verdict as it stands in records."""
        return {
            "outcome": "returned",
            "code": self.code,
            "query": self.query,
            "values": dict(self.values),
            "clauses": [clause.to_raw() for clause in self.clauses],
        }


QueryVerdict: TypeAlias = Returned | Refused
"""Of a `Refused`, `transition` is what was asked for: the query's name."""
