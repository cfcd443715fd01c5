"""Following holds and erasures through a ledger, for its replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edca.runtime import holds
from edca.runtime.differences import Pair
from edca.runtime.kinds import HOLD

if TYPE_CHECKING:
    from edca.ledger.record import Record


class Erasures:
    """What is on hold in each tenant, as the records so far say."""

    def __init__(self) -> None:
        """Begin with nothing on hold."""
        self._holds: dict[str, set[tuple[str, str]]] = {}

    def take(self, record: Record) -> list[Pair]:
        """Return what a record of kind `hold` or `erased` must say, and move what is on hold."""
        content: Any = record.content
        expected = holds.chain_of_erasures(content["tenant"])
        pairs = [Pair("chain", record.chain, expected)]
        on_hold = self._holds.setdefault(record.chain, set())
        if record.kind == HOLD:
            pairs.append(Pair("holds", content["holds"], (content["of"], content["about"]) not in on_hold))
            holds.take(on_hold, content)
            return pairs
        for scope, _ in content["keys"]:
            pairs.append(Pair(f"legal hold on `{scope}`", (holds.CASE, scope) in on_hold, False))
        return pairs
