"""What a submission comes back with, and what is remembered of it under its idempotency key."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.kernel import canonical
from edca.ledger.errors import TamperedError
from edca.ledger.store import Cell
from edca.runtime.verdicts import verdict_from_raw

if TYPE_CHECKING:
    from edca.kernel.candidate import Candidate
    from edca.kernel.canonical import Data
    from edca.kernel.inputs import Address
    from edca.kernel.machine import Machine
    from edca.kernel.verdict import Verdict
    from edca.runtime.ports import Store

SPACE = "key"


class Outcome(enum.Enum):
    """What became of an accepted transition's effects."""

    CONFIRMED = "confirmed"  # all happened, and each postcondition was read back as true
    FAILED = "failed"  # nothing happened
    UNDONE = "undone"  # something happened and was taken back
    TIMED_OUT = "timed_out"  # nobody can tell in time, or it can't be taken back: the case goes where the spec says
    QUARANTINED = "quarantined"  # nobody can tell, or it can't be taken back: a person must look


@dataclass(frozen=True, slots=True)
class RecordReference:
    """Where a record stands in the ledger, and the digest of its body."""

    index: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict, its record, and where the case stands now.

    `outcome` is null for a verdict without effects; `state` and `revision` are null where there is no case.
    """

    verdict: Verdict
    record: RecordReference
    outcome: Outcome | None
    state: str | None
    revision: int | None

    def to_data(self) -> dict[str, Data]:
        """Return the answer as its cell holds it."""
        return {
            "verdict": self.verdict.to_raw(),
            "index": self.record.index,
            "digest": self.record.digest,
            "outcome": None if self.outcome is None else self.outcome.value,
            "state": self.state,
            "revision": self.revision,
        }


@dataclass(frozen=True, slots=True)
class Remembered:
    """The newest answer under an idempotency key: to which candidate, and attested by what, as digests."""

    candidate: bytes
    attestations: bytes
    answer: Answer

    def cell(self, key: str) -> Cell:
        """Return the write that keeps it."""
        data: Data = {
            "candidate": self.candidate,
            "attestations": self.attestations,
            "answer": self.answer.to_data(),
        }
        return Cell(SPACE, key, canonical.encode(data))


def idempotency_key(tenant: str, machine: Machine, candidate: Candidate, about: Address, id_: str | None) -> str:
    """Return the cell's key: the candidate's own, scoped by proposer and case (or by what it creates, and for whom)."""
    creates: Data = ["creates", tenant, machine.name, about.entity, candidate.subject]
    scope: Data = creates if id_ is None else ["case", id_]
    return canonical.digest("idempotency", canonical.encode([candidate.proposer, scope, candidate.key])).hex()


def recall(store: Store, key: str) -> Remembered | None:
    """Return what is remembered under a cell's key."""
    found = store.cell(SPACE, key)
    if found is None:
        return None
    try:
        return _remembered(canonical.decode(found))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TamperedError("what is remembered under an idempotency key can't be read; verify the ledger") from error


def _remembered(data: Any) -> Remembered:
    answer = data["answer"]
    return Remembered(
        candidate=data["candidate"],
        attestations=data["attestations"],
        answer=Answer(
            verdict=verdict_from_raw(answer["verdict"]),
            record=RecordReference(answer["index"], answer["digest"]),
            outcome=None if answer["outcome"] is None else Outcome(answer["outcome"]),
            state=answer["state"],
            revision=answer["revision"],
        ),
    )
