"""What a store takes and gives: plain values, the same for every store."""

from dataclasses import dataclass

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
    """The acknowledgement of one record: it is durable at `index`, as `entry` of `chain`."""

    index: int
    chain: str
    entry: int
    digest: bytes
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as it was read: the parsed header, and the body whose digest the header carries."""

    leaf: Leaf
    body: bytes
