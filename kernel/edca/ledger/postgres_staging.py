"""What a group of commits has read and will write: decided on one moment, and written only if that still holds.

Everything that a group reads is noted with the value it had. At its end it takes the locks of all that it has read or
will write, looks once more, and writes only where nothing has changed (`postgres_commit.py`).
"""

from collections.abc import Sequence

from edca.ledger.erasures import Erasure
from edca.ledger.leaf import NO_HASH
from edca.ledger.record import Draft, body_digest, seal
from edca.ledger.store import Cell, Stored, StoredRecord
from edca.ledger.vault_staging import VaultWrites, covered

Head = tuple[int, bytes]
"""A chain's newest record: its entry and the digest of its body."""
Row = tuple[int, str, int, bytes, bytes]
"""A record as it will be written: number, chain, entry, digest, body."""


class Group(VaultWrites):
    """What one group has read and staged. Its steps can be taken back one by one, newest first."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.rows: list[Row] = []
        self.heads: dict[str, Head] = {}
        self.cells: dict[tuple[str, str], bytes | None] = {}
        self.holds: dict[str, bool] = {}  # leases to take (true) or to let go of
        self.seen_cells: dict[tuple[str, str], bytes | None] = {}
        self.seen_heads: dict[str, Head | None] = {}
        self.seen_spaces: dict[str, dict[str, bytes]] = {}
        self.scanned: dict[tuple[str, str], bytes] = {}  # looked at in passing: what is written of it must be as it was
        self.numbers: list[int] = []  # drawn and not used yet, the next one last
        self.seen_keys: dict[str, bytes] = {}  # names of the keys that are sealed with or destroyed
        self.seen_values: dict[str, list[int]] = {}  # whose values a scope's key keeps
        self.listed: dict[str, Erasure] = {}  # to be put on the list of erasures before anything is written

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.rows or self.cells or self.holds or self.writes_vault)

    @property
    def writes_vault(self) -> bool:
        """Whether anything is kept or destroyed in the vault."""
        return bool(self.keys or self.vault or self.destroyed or self.dropped)

    def add(self, draft: Draft, head: Head | None, number: int) -> Stored:
        """Place one record after `head`, its chain's newest. Raises as `seal` does; then nothing is placed."""
        entry, prev = (0, NO_HASH) if head is None else (head[0] + 1, head[1])
        draft, values = covered(draft, entry)
        body = seal(draft, entry, prev)
        digest = body_digest(body)
        self.rows.append((number, draft.chain, entry, digest, body))
        self._set(self.heads, draft.chain, (entry, digest))
        self._keep(draft, number, entry, digest, values)
        return Stored(number, draft.chain, entry, digest, None)

    def put(self, cell: Cell) -> None:
        """Write or remove one cell."""
        place = cell.space, cell.key
        if place in self.scanned:
            self.seen_cells.setdefault(place, self.scanned[place])
        self._set(self.cells, place, cell.value)

    def hold(self, name: str, taken: bool) -> None:
        """Take a lease, or let go of it."""
        self._set(self.holds, name, taken)

    def list(self, erasure: Erasure) -> None:
        """Have an erasure put on the list before anything is written."""
        self._set(self.listed, erasure.id, erasure)

    def record(self, number: int) -> StoredRecord | None:
        """Return a record placed here, or null."""
        return next((stored_row(row) for row in self.rows if row[0] == number), None)

    def of_chain(self, chain: str, start: int) -> Sequence[StoredRecord]:
        """Return the records of a chain placed here, from that number on."""
        return [stored_row(row) for row in self.rows if row[1] == chain and row[0] >= start]

    def mark(self) -> tuple[int, int]:
        """Return where things stand now, for `back_to`."""
        return len(self.rows), len(self._undo)

    def back_to(self, mark: tuple[int, int]) -> None:
        """Take back everything that was staged since `mark`; what was read since stays read."""
        row_count, undo_count = mark
        del self.rows[row_count:]
        self._take_back(undo_count)


def stored_row(row: Row) -> StoredRecord:
    """Return a record that has no leaf yet."""
    number, _, entry, digest, body = row
    return StoredRecord(number, entry, digest, body, None)
