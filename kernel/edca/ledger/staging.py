"""What one transaction will write: placed and readable by whoever comes later in it, and not yet on disk."""

from typing import Final

from edca.ledger.leaf import NO_HASH, Leaf, chain_tag
from edca.ledger.record import Draft, body_digest, seal
from edca.ledger.store import Cell, Stored
from edca.ledger.tree import CompactRange
from edca.ledger.vault_staging import VaultWrites, covered

Head = tuple[int, int, bytes]
"""A chain's newest record: its entry, its index and the digest of its body."""


class Staged(VaultWrites):
    """The records, chain heads and cells of one transaction. Its steps can be taken back one by one, newest first."""

    def __init__(self, start: CompactRange, tip: bytes) -> None:
        """Begin after `start`, whose newest leaf is `tip`."""
        super().__init__()
        self.start: Final = start.size
        self.range = start
        self.tip = tip
        self.rows: list[tuple[int, int | None, bytes, bytes]] = []
        self.heads: dict[str, Head] = {}
        self.cells: dict[tuple[str, str], bytes | None] = {}

    def add(self, draft: Draft, head: Head | None) -> Stored:
        """Place one record after `head`, its chain's newest. Raises as `seal` does; then nothing is placed."""
        entry, back, prev = (0, None, NO_HASH) if head is None else (head[0] + 1, head[1], head[2])
        draft, values = covered(draft, entry)
        body = seal(draft, entry, prev)
        digest = body_digest(body)
        index = self.range.size
        self._keep(draft, index, entry, digest, values)
        leaf = Leaf(index, self.tip, chain_tag(draft.chain), entry, digest)
        self.tip = leaf.leaf_hash()
        self.range = self.range.append(self.tip)
        self.rows.append((index, back, leaf.to_bytes(), body))
        self._set(self.heads, draft.chain, (entry, index, digest))
        return Stored(index, draft.chain, entry, digest, index)

    def put(self, cell: Cell) -> None:
        """Write or remove one cell."""
        self._set(self.cells, (cell.space, cell.key), cell.value)

    def cells_in(self, space: str) -> dict[str, bytes | None]:
        """Return what was written or removed in a space, by key."""
        return {key: value for (where, key), value in self.cells.items() if where == space}

    def row(self, index: int) -> tuple[int, int | None, bytes, bytes] | None:
        """Return the row of a record placed here, or null where the file has it, or nobody."""
        place = index - self.start
        return self.rows[place] if 0 <= place < len(self.rows) else None

    def mark(self) -> tuple[int, CompactRange, bytes, int]:
        """Return where things stand now, for `back_to`."""
        return len(self.rows), self.range, self.tip, len(self._undo)

    def back_to(self, mark: tuple[int, CompactRange, bytes, int]) -> None:
        """Take back everything since `mark`."""
        row_count, self.range, self.tip, undo_count = mark
        del self.rows[row_count:]
        self._take_back(undo_count)
