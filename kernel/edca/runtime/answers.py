"""What a submission comes back with, and what is remembered of it under its idempotency key."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from edca.kernel import canonical
from edca.kernel.blinding import digest
from edca.kernel.canonical import Encoded
from edca.kernel.verdict import encoded
from edca.ledger.errors import LedgerError, TamperedError
from edca.ledger.record import parse
from edca.ledger.store import Cell
from edca.runtime.kinds import OUTCOME, VERDICT
from edca.runtime.verdicts import verdict_from_raw

if TYPE_CHECKING:
    from edca.kernel.candidate import Candidate
    from edca.kernel.canonical import Data, Part
    from edca.kernel.inputs import Address
    from edca.kernel.machine import Machine
    from edca.kernel.verdict import Verdict
    from edca.ledger.store import Stored, StoredRecord
    from edca.runtime.ports import Cells, Store

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
    """Which record: the entry of a chain, and the digest of its body. All of it is fixed by the commit.

    `index` is its place in the ledger where the commit fixes that too; where the store sequences records later it is
    null, and the receipt says it. `number` finds the record in its own store, and means nothing outside of it.
    """

    chain: str
    entry: int
    digest: bytes
    number: int
    index: int | None = field(compare=False)

    @staticmethod
    def to(stored: Stored) -> RecordReference:
        """Return the reference to a record just placed."""
        return RecordReference(stored.chain, stored.entry, stored.digest, stored.number, stored.index)

    @staticmethod
    def of(stored: StoredRecord, chain: str) -> RecordReference:
        """Return the reference to a record of that chain."""
        index = None if stored.header is None else stored.header.index
        return RecordReference(chain, stored.entry, stored.digest, stored.number, index)


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

    def encoded(self, verdict: Encoded) -> Encoded:
        """Return the answer as its cell holds it; `verdict` is its own, encoded."""
        data: dict[str, Part] = {
            "verdict": verdict,
            "number": self.record.number,
            "chain": self.record.chain,
            "entry": self.record.entry,
            "digest": self.record.digest,
            "outcome": None if self.outcome is None else self.outcome.value,
            "state": self.state,
            "revision": self.revision,
        }
        return Encoded(canonical.encode_map(data))


@dataclass(frozen=True, slots=True)
class Remembered:
    """The newest answer under an idempotency key: to which candidate, and attested by what, as digests."""

    candidate: bytes
    attestations: bytes
    answer: Answer

    def cell(self, key: str, verdict: Encoded | None = None) -> Cell:
        """Return the write that keeps it; `verdict` is the answer's own, where somebody has encoded it already."""
        data: dict[str, Part] = {
            "candidate": self.candidate,
            "attestations": self.attestations,
            "answer": self.answer.encoded(encoded(self.answer.verdict) if verdict is None else verdict),
        }
        return Cell(SPACE, key, canonical.encode_map(data))


def idempotency_key(tenant: str, machine: Machine, candidate: Candidate, about: Address, id_: str | None) -> str:
    """Return the cell's key: the candidate's own, scoped by proposer, subject and case (or by what it creates).

    Without the subject, who acts for one person could tell by a used key that another person's case is there, and could
    use up that person's keys.
    """
    scope: Data = ["creates", tenant, machine.name, about.entity] if id_ is None else ["case", id_]
    told: list[Data] = [candidate.proposer, candidate.subject, scope, candidate.key]
    return canonical.digest("idempotency", canonical.encode(told)).hex()


def recall(store: Store, key: str, tenant: str, candidate: Candidate) -> Remembered | None:
    """Return what is remembered under a cell's key, which `candidate` names.

    A cell is believed only together with its records: raises `TamperedError` where they say something else.
    """
    found = remembered(store, key)
    if found is None:
        return None
    reference = _on_record(store, found, tenant, candidate)
    if reference is None:
        raise TamperedError(
            f"what is remembered under the idempotency key `{candidate.key}` is not what its record says; nothing was "
            "decided: verify the ledger"
        )
    return replace(found, answer=replace(found.answer, record=reference))


def remembered(cells: Cells, key: str) -> Remembered | None:
    """Return what the cell of that key says, without a look at its records."""
    found = cells.cell(SPACE, key)
    if found is None:
        return None
    try:
        return _remembered(canonical.decode(found))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TamperedError("what is remembered under an idempotency key can't be read; verify the ledger") from error


def _on_record(store: Store, found: Remembered, tenant: str, candidate: Candidate) -> RecordReference | None:
    """Return the record of what is remembered, null where it says something else."""
    answer = found.answer
    try:
        stored = store.read(answer.record.number)
        record = parse(stored.body)
        content: Any = record.content
        given = [raw for raw in content["attestations"] if raw["source"] != "inbox"]
        reference = RecordReference.of(stored, record.chain)
        is_so = (
            record.kind == VERDICT
            and reference == answer.record
            and content["candidate_digest"] == found.candidate
            and digest(candidate.blinding, "attestations", canonical.encode(given)) == found.attestations
            and (content["tenant"], content["candidate"]["proposer"]) == (tenant, candidate.proposer)
            and content["candidate"]["key"] == candidate.key
            and canonical.encode(content["verdict"]) == canonical.encode(answer.verdict.to_raw())
            and (answer.outcome, answer.state, answer.revision) == _came_to(store, stored, record.chain, content)
        )
    except (LedgerError, KeyError, TypeError, ValueError):
        return None
    return reference if is_so else None


def as_recorded(store: Store, verdict: StoredRecord) -> Answer:
    """Return the answer that a recorded verdict has come to so far."""
    record = parse(verdict.body)
    content: Any = record.content
    outcome, state, revision = _came_to(store, verdict, record.chain, content)
    reference = RecordReference.of(verdict, record.chain)
    return Answer(verdict_from_raw(content["verdict"]), reference, outcome, state, revision)


def _came_to(
    store: Store, verdict: StoredRecord, chain: str, content: Any
) -> tuple[Outcome | None, str | None, int | None]:
    """Return the outcome of a recorded verdict so far, and the state and revision that it left its case in."""
    case, accepted = content["case"], content["verdict"]["outcome"] == "accepted"
    if case is None or case["id"] != chain:
        return None, None, None
    if accepted and not content["pending"]:
        return None, content["verdict"]["target"], content["change"]["revision"][1]
    for stored in store.records(verdict.number + 1, chain) if accepted else ():
        later = parse(stored.body)
        found: Any = later.content
        if later.kind == OUTCOME and found["record"] == verdict.digest:
            after = found["after"]
            state, revision = (None, None) if after is None else (after["state"], after["revision"])
            return Outcome(found["outcome"]), state, revision
    return None, case["state"], case["revision"]


def _remembered(data: Any) -> Remembered:
    answer = data["answer"]
    return Remembered(
        candidate=data["candidate"],
        attestations=data["attestations"],
        answer=Answer(
            verdict=verdict_from_raw(answer["verdict"]),
            record=RecordReference(answer["chain"], answer["entry"], answer["digest"], answer["number"], None),
            outcome=None if answer["outcome"] is None else Outcome(answer["outcome"]),
            state=answer["state"],
            revision=answer["revision"],
        ),
    )
