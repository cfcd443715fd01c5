"""Stage 5: permits. The only place that makes one, and it makes it from a durable record or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel import canonical
from edca.kernel.verdict import Accepted
from edca.ledger.errors import LedgerFormatError
from edca.ledger.record import parse
from edca.ledger.store import Cell
from edca.runtime.ports import Permit
from edca.runtime.verdicts import verdict_from_raw

if TYPE_CHECKING:
    from typing import Any

    from edca.kernel.verdict import Intent
    from edca.ledger.store import StoredRecord
    from edca.runtime.ports import Store

SPACE = "permit"


@dataclass(frozen=True, slots=True)
class Authority:
    """What one accepted verdict's record entitles to: its effects, in order, each once."""

    record: bytes
    case: str
    revision: int
    machine: bytes
    verdict: Accepted

    @staticmethod
    def of(record: StoredRecord) -> Authority:
        """Read the authority out of a stored record. Raises `LedgerFormatError` for one that accepts nothing."""
        body = parse(record.body)
        content: Any = body.content
        verdict = verdict_from_raw(content["verdict"]) if body.kind == "verdict" else None
        if not isinstance(verdict, Accepted):
            raise LedgerFormatError(f"record {record.leaf.index} accepts nothing, so it permits nothing")
        return Authority(
            record=record.leaf.body_digest,
            case=body.chain,
            revision=content["case"]["revision"],
            machine=content["machine"],
            verdict=verdict,
        )

    def permit(self, place: int) -> Permit:
        """Return the permit for the effect at `place`."""
        return self._mint(place, self.verdict.intents[place], undoing=False)

    def undoing(self, place: int, intent: Intent) -> Permit:
        """Return the permit for `intent`, which undoes the effect at `place`."""
        return self._mint(place, intent, undoing=True)

    def key(self, place: int, *, undoing: bool) -> str:
        """Return the idempotency key that a permit hands to its route: it follows from the record alone."""
        return canonical.digest("permit", canonical.encode([self.record, place, undoing])).hex()

    def _mint(self, place: int, intent: Intent, *, undoing: bool) -> Permit:
        return Permit(
            record=self.record,
            case=self.case,
            revision=self.revision,
            machine=self.machine,
            place=place,
            effect=intent.effect,
            arguments=intent.arguments,
            key=self.key(place, undoing=undoing),
        )


def is_spent(store: Store, key: str) -> bool:
    """Tell whether the permit of that key has been spent: its effect may have happened."""
    return store.cell(SPACE, key) is not None


def spend(store: Store, permit: Permit) -> None:
    """Note durably that the permit is used up. It comes before the call, so that no call goes unnoticed."""
    note = canonical.encode({"record": permit.record, "place": permit.place, "effect": permit.effect})
    store.commit((), [Cell(SPACE, permit.key, note)])
