"""What a store takes and gives: plain values, the same for every store."""

from dataclasses import dataclass

from edca.ledger.errors import UnsequencedError
from edca.ledger.leaf import Leaf


@dataclass(frozen=True, slots=True)
class Cell:
    """A write to the runtime's own state, in the same transaction as the records: `None` removes the cell.

    Cells are beside the ledger, not in it: nothing chains them, and a replay of the records rebuilds them.
    """

    space: str
    key: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Stored:
    """The acknowledgement of one record: it is durable as `entry` of `chain`, and its store finds it by `number`.

    A number means something to its own store only: numbers of one chain rise, and may have gaps. `index` is its place
    in the ledger, null where the store sequences its records after the commit: then its leaf says it.
    """

    number: int
    chain: str
    entry: int
    digest: bytes
    index: int | None


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as it was read: its number in the store, its place in its chain, its digest and its body.

    `header` is its header in the ledger, null as long as it has none.
    """

    number: int
    entry: int
    digest: bytes
    body: bytes
    header: Leaf | None

    @staticmethod
    def of(leaf: Leaf, body: bytes, number: int | None = None) -> "StoredRecord":
        """Return a record with its header; without a number, that is its index, as wherever a commit gives it."""
        return StoredRecord(leaf.index if number is None else number, leaf.entry, leaf.body_digest, body, leaf)

    @property
    def leaf(self) -> Leaf:
        """The header. Raises `UnsequencedError` where the record has none yet."""
        if self.header is None:
            raise UnsequencedError(
                f"entry {self.entry} of its chain is committed, and has no place yet; try again shortly"
            )
        return self.header
