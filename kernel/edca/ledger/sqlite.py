"""The embedded store: one SQLite file, one writer process, any number of readers.

A commit assigns every record its place, and writes records, chain heads and cells in one transaction: all
or nothing, durable when `commit` returns. The file's SQLite settings are chosen in `durability.py`, tables
are in `schema.py`. Opening reads every header once, so nothing is ever chained to a broken ledger.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self

from edca.ledger.durability import SCRATCH, durability_for
from edca.ledger.errors import InDoubtError, LedgerBusyError, LedgerError, LedgerFormatError, TamperedError
from edca.ledger.leaf import NO_HASH, Leaf, chain_tag
from edca.ledger.lock import WriterLock
from edca.ledger.record import CHAIN_SIZE_MAX, RECORD_SIZE_MAX, Draft, body_digest, seal
from edca.ledger.schema import READ_ERRORS, connect, prepare, primary_code, translated
from edca.ledger.store import Cell, Stored, StoredRecord
from edca.ledger.tree import CompactRange, leaf_hash

_ROWS_A_READ: Final = 64
"""Rows fetched at a time: an open cursor would hold up the writer, and a row can be a megabyte."""

_INSERT_RECORD: Final = "INSERT INTO ledger(leaf, back, header, body) VALUES(?, ?, ?, ?)"
_MOVE_HEAD: Final = (
    "INSERT INTO chains(chain, entry, leaf, head) VALUES(?, ?, ?, ?) ON CONFLICT(chain) DO UPDATE"
    " SET entry = excluded.entry, leaf = excluded.leaf, head = excluded.head"
)
_PUT_CELL: Final = (
    "INSERT INTO cells(space, key, value) VALUES(?, ?, ?) ON CONFLICT(space, key) DO UPDATE SET value = excluded.value"
)
_DROP_CELL: Final = "DELETE FROM cells WHERE space = ? AND key = ?"


class SQLiteLedger:
    """A ledger in one file. Threads may share it: one lock guards the one connection."""

    def __init__(self, connection: sqlite3.Connection, path: Path, lock: WriterLock | None) -> None:
        """Use `open`."""
        self.path: Final = path
        self._connection = connection
        self._lock = lock
        self._mutex = threading.RLock()
        self._process_id = os.getpid()
        self._range = CompactRange()
        self._tip = NO_HASH
        self._in_doubt = False

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        create: bool = True,
        readonly: bool = False,
        durable: bool = True,
    ) -> Self:
        """Open the ledger at `path`, made first if it is not there and `create` allows it.

        `durable=False` skips every sync to disk: for trials and scenarios, whose ledger nobody relies on.

        Raises `LedgerBusyError` at once if another writer has it, `LedgerFormatError` if the file is
        something else, `TamperedError` if it is damaged, `LedgerError` if it can't be opened.
        """
        # The real path, so that two names of one file share one lock.
        real = Path(os.path.realpath(path))
        if not real.exists() and (readonly or not create):
            raise LedgerError(f"there is no ledger at `{real}`")
        lock = None if readonly else WriterLock.acquire(real)
        try:
            mode = "ro" if readonly else "rwc" if create else "rw"
            connection = connect(real, mode)
            try:
                durability = durability_for(sqlite3.sqlite_version_info) if durable else SCRATCH
                prepare(connection, real, None if readonly else durability)
                ledger = cls(connection, real, lock)
                ledger._read_new_headers()
                if lock is not None:  # a reader may look while the writer is between two statements of its own
                    ledger._check_heads()
            except BaseException:
                connection.close()
                raise
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        return ledger

    def close(self) -> None:
        """Give up the file and the right to write it. Calling it again does nothing."""
        with self._mutex:
            self._connection.close()
            if self._lock is not None:
                self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Writing

    def commit(self, drafts: Sequence[Draft], cells: Sequence[Cell] = ()) -> tuple[Stored, ...]:
        """Append `drafts` in order and write `cells`, in one transaction, durable on return.

        Nothing is written if this raises: `LedgerError` or `CanonicalError` for a draft or cell that can't
        be stored, `LedgerBusyError` if readers held the file too long. Any other failure leaves it unknown
        whether the disk has the commit: it raises `InDoubtError`, and so does every later commit of this
        object. Open the ledger again to see what is there.
        """
        with self._mutex:
            self._check_writable()
            for cell in cells:
                _check_cell(cell)
            batch = self._place(drafts)
            if not (drafts or cells):
                return ()
            # Set before the first statement and cleared only when the outcome is known, so that no way out of
            # the transaction, not even a keyboard interrupt, leaves a stale tip that looks sound.
            self._in_doubt = True
            try:
                self._write(batch, cells)
            except sqlite3.Error as error:
                if self._roll_back() and primary_code(error) == sqlite3.SQLITE_BUSY:
                    self._in_doubt = False
                    raise LedgerBusyError(f"readers held `{self.path}` too long; nothing was written") from error
                raise InDoubtError(
                    f"a commit to `{self.path}` failed ({error}); it may or may not be on disk: close this "
                    "ledger and open it again to see"
                ) from error
            except BaseException:
                self._roll_back()
                raise
            self._range, self._tip = batch.range, batch.tip
            self._in_doubt = False
            return tuple(batch.stored)

    def _place(self, drafts: Sequence[Draft]) -> "_Batch":
        """Give each draft its index, entry and links; writes nothing."""
        batch = _Batch(self._range, self._tip)
        for draft in drafts:
            head = batch.heads.get(draft.chain) or self._head(draft.chain)
            entry, back, prev = (0, None, NO_HASH) if head is None else (head[0] + 1, head[1], head[2])
            batch.add(draft, entry, back, prev)
        return batch

    def _write(self, batch: "_Batch", cells: Sequence[Cell]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_INSERT_RECORD, batch.rows)
        connection.executemany(_MOVE_HEAD, [(chain, *head) for chain, head in batch.heads.items()])
        for cell in cells:
            if cell.value is None:
                connection.execute(_DROP_CELL, (cell.space, cell.key))
            else:
                connection.execute(_PUT_CELL, (cell.space, cell.key, cell.value))
        connection.execute("COMMIT")

    def _roll_back(self) -> bool:
        """End a failed transaction; say whether SQLite confirms that nothing of it was kept."""
        if not self._connection.in_transaction:
            return True
        try:
            self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            # The failure before this one is what gets reported; this object stays in doubt.
            return False
        return True

    def _check_writable(self) -> None:
        if self._lock is None:
            raise LedgerError(f"`{self.path}` was opened read-only")
        if self._process_id != os.getpid():
            raise LedgerError("a ledger can't be used across a fork; open it in the process that writes it")
        if self._in_doubt:
            raise InDoubtError(
                f"an earlier commit to `{self.path}` failed and may or may not be on disk: close this ledger "
                "and open it again"
            )

    # Reading

    @property
    def size(self) -> int:
        """How many records there are."""
        return self._current_range().size

    def root(self) -> bytes:
        """Return the Merkle root over all records."""
        return self._current_range().root()

    def head(self, chain: str) -> tuple[int, bytes] | None:
        """Return the newest entry of `chain` and the digest of its body, or None if it has no record."""
        with self._mutex:
            head = self._head(chain)
        return None if head is None else (head[0], head[2])

    def cell(self, space: str, key: str) -> bytes | None:
        """Return the value of one cell, or None."""
        rows = self._fetch("SELECT value FROM cells WHERE space = ? AND key = ?", (space, key))
        return rows[0][0] if rows else None

    def cells(self, space: str) -> Iterator[tuple[str, bytes]]:
        """Yield the keys and values of a space in the order of the keys' UTF-8 bytes."""
        query = "SELECT key, value FROM cells WHERE space = ? AND key >= ? ORDER BY key LIMIT ?"
        rows = self._fetch(query, (space, "", _ROWS_A_READ))
        query = query.replace(">=", ">")
        while rows:
            yield from rows
            rows = self._fetch(query, (space, rows[-1][0], _ROWS_A_READ))

    def read(self, index: int) -> StoredRecord:
        """Return the record at `index`.

        Raises `LedgerError` if there is none, `TamperedError` if header and body contradict each other.
        """
        rows = self._fetch("SELECT leaf, header, body FROM ledger WHERE leaf = ?", (index,))
        if not rows:
            raise LedgerError(f"there is no record {index}; the ledger has {self.size}")
        return _stored_record(*rows[0])

    def headers(self, start: int, end: int) -> list[bytes]:
        """Return the headers of the records from `start` up to `end`, without their bodies."""
        query = "SELECT header FROM ledger WHERE leaf >= ? AND leaf < ? ORDER BY leaf"
        return [header for (header,) in self._fetch(query, (start, end))]

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        """Return under which hashes those records stand in the tree."""
        return [leaf_hash(header) for header in self.headers(start, end)]

    def newest(self, chain: str) -> StoredRecord | None:
        """Return the newest record of `chain`, or null where it has none. Raises as `read` does."""
        with self._mutex:
            head = self._head(chain)
        if head is None:
            return None
        stored = self.read(head[1])
        if (stored.leaf.chain, stored.leaf.entry, stored.leaf.body_digest) != (chain_tag(chain), head[0], head[2]):
            raise TamperedError(f"record {head[1]} is not the newest of chain `{chain}`; verify the ledger")
        return stored

    def records(self, start: int = 0, chain: str | None = None) -> Iterator[StoredRecord]:
        """Yield records in order from index `start`, all or only those of `chain`. Raises as `read` does."""
        if chain is not None:
            for index in self._indexes(chain, start):
                yield self.read(index)
            return
        query = "SELECT leaf, header, body FROM ledger WHERE leaf >= ? ORDER BY leaf LIMIT ?"
        next_index = start
        while rows := self._fetch(query, (next_index, _ROWS_A_READ)):
            for row in rows:
                yield _stored_record(*row)
            next_index = rows[-1][0] + 1

    def _indexes(self, chain: str, start: int) -> list[int]:
        """Walk a chain from its newest record back to `start`, and return the indexes, oldest first."""
        with self._mutex:
            head = self._head(chain)
        tag = chain_tag(chain)
        indexes: list[int] = []
        index = None if head is None else head[1]
        while index is not None and index >= start:
            rows = self._fetch("SELECT back, header FROM ledger WHERE leaf = ?", (index,))
            if not rows or _leaf(index, rows[0][1]).chain != tag:
                raise TamperedError(f"record {index} should belong to chain `{chain}` and does not; verify the ledger")
            indexes.append(index)
            back = rows[0][0]
            if back is not None and back >= index:
                raise TamperedError(f"record {index} points forward to {back}; verify the ledger")
            index = back
        indexes.reverse()
        return indexes

    def _head(self, chain: str) -> tuple[int, int, bytes] | None:
        rows = self._fetch("SELECT entry, leaf, head FROM chains WHERE chain = ?", (chain,))
        return rows[0] if rows else None

    def _current_range(self) -> CompactRange:
        """Return the range; a reader first takes in what the writer has appended since."""
        with self._mutex:
            if self._lock is None:
                self._read_new_headers()
            return self._range

    def _check_heads(self) -> None:
        """Compare the table of newest records with the headers: a chain whose head is lost would start anew."""
        newest = {
            leaf.chain: (leaf.entry, leaf.index, leaf.body_digest)
            for index, header in self._fetch("SELECT leaf, header FROM ledger ORDER BY leaf", ())
            for leaf in (_leaf(index, header),)
        }
        heads = {
            chain_tag(chain): (entry, leaf, head)
            for chain, entry, leaf, head in self._fetch("SELECT chain, entry, leaf, head FROM chains", ())
        }
        if newest != heads:
            raise TamperedError("the newest records of the chains are not those that the ledger names; verify it")

    def _read_new_headers(self) -> None:
        """Extend tip and range by the stored headers past them, checking order and links."""
        query = "SELECT leaf, header FROM ledger WHERE leaf >= ? ORDER BY leaf LIMIT ?"
        while rows := self._fetch(query, (self._range.size, _ROWS_A_READ)):
            for row_index, header in rows:
                index = self._range.size
                leaf = _leaf(row_index, header)
                if row_index != index or leaf.previous != self._tip:
                    raise TamperedError(f"record {index} does not follow the one before it; verify the ledger")
                self._tip = leaf.leaf_hash()
                self._range = self._range.append(self._tip)

    def _fetch(self, query: str, parameters: tuple[Any, ...]) -> list[Any]:
        with self._mutex:
            try:
                return self._connection.execute(query, parameters).fetchall()
            except READ_ERRORS as error:
                raise translated(error, self.path) from error


class _Batch:
    """The rows of one commit, each draft placed after the one before it."""

    def __init__(self, start: CompactRange, tip: bytes) -> None:
        self.range = start
        self.tip = tip
        self.rows: list[tuple[int, int | None, bytes, bytes]] = []
        self.heads: dict[str, tuple[int, int, bytes]] = {}
        self.stored: list[Stored] = []

    def add(self, draft: Draft, entry: int, back: int | None, prev: bytes) -> None:
        body = seal(draft, entry, prev)
        digest = body_digest(body)
        index = self.range.size
        leaf = Leaf(index, self.tip, chain_tag(draft.chain), entry, digest)
        self.tip = leaf.leaf_hash()
        self.range = self.range.append(self.tip)
        self.rows.append((index, back, leaf.to_bytes(), body))
        self.heads[draft.chain] = (entry, index, digest)
        self.stored.append(Stored(index, draft.chain, entry, digest, self.tip))


def _leaf(index: int, header: bytes) -> Leaf:
    try:
        leaf = Leaf.from_bytes(header)
    except LedgerFormatError as error:
        raise TamperedError(f"record {index}: {error}") from error
    if leaf.index != index:
        raise TamperedError(f"record {index} carries the header of record {leaf.index}")
    return leaf


def _stored_record(index: int, header: bytes, body: bytes) -> StoredRecord:
    leaf = _leaf(index, header)
    if body_digest(body) != leaf.body_digest:
        raise TamperedError(f"the body of record {index} is not the one its header was made for")
    return StoredRecord(leaf, body)


def _check_cell(cell: Cell) -> None:
    """Refuse, before a transaction begins, what would fail inside it."""
    try:
        size = max(len(cell.space.encode()), len(cell.key.encode()))
    except UnicodeEncodeError as error:
        raise LedgerError("a cell's space and key are text without lone surrogates") from error
    if size > CHAIN_SIZE_MAX:
        raise LedgerError(f"a cell's space and key have at most {CHAIN_SIZE_MAX} bytes each")
    if cell.value is not None and len(cell.value) > RECORD_SIZE_MAX:
        raise LedgerError(f"a cell has {len(cell.value)} bytes, over the limit of {RECORD_SIZE_MAX}")
