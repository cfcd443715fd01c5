"""The embedded store: one SQLite file, one writer process, any number of readers.

A commit assigns every record its place, and writes records, chain heads and cells in one transaction: all
or nothing, durable when `commit` returns, or when the `group` ends that it is part of. What a group has not
written yet is staged (`staging.py`): its own later commits read it, and nobody else does. The file's SQLite
settings are chosen in `durability.py`, tables are in `schema.py`. Opening reads every header once, so nothing
is ever chained to a broken ledger.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Self

from edca.ledger.alone import Alone
from edca.ledger.destroying import Destroying
from edca.ledger.durability import SCRATCH, durability_for
from edca.ledger.erasures import Erasures
from edca.ledger.errors import InDoubtError, LedgerBusyError, LedgerError, TamperedError
from edca.ledger.leaf import NO_HASH, chain_tag
from edca.ledger.lock import WriterLock
from edca.ledger.record import Draft
from edca.ledger.rows import FORGETFUL, Link, check_cell, check_heads, leaf_of, stored_record, walked_back, write
from edca.ledger.schema import READ_ERRORS, begin, connect, has_vault, prepare, primary_code, translated
from edca.ledger.seen import Seen, cells_with, stored_cells
from edca.ledger.staging import Head, Staged
from edca.ledger.store import Cell, Stored, StoredRecord
from edca.ledger.tree import CompactRange, leaf_hash
from edca.ledger.vault import Vault

_INDEX_MAX: Final = 2**63 - 1  # SQLite's greatest: a greater index, which a forged cell may name, is that of no record
_ROWS_A_READ: Final = 64  # at a time: an open cursor would hold up the writer, and a row can be a megabyte


class SQLiteLedger(Destroying, Alone):
    """A ledger in one file. Threads may share it: one lock guards the one connection."""

    def __init__(self, connection: sqlite3.Connection, path: Path, lock: WriterLock | None) -> None:
        """Use `open`."""
        self.path = path
        self._connection = connection
        self._lock = lock
        self._mutex = threading.RLock()
        self._process_id = os.getpid()
        self._range = CompactRange()
        self._tip = NO_HASH
        self._in_doubt = False
        self._staged: Staged | None = None
        self._seen: Seen | None = None
        self._vault = Vault(self._fetch, lambda: self._staged, Erasures.beside(path), has_vault(connection, path))

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, create: bool = True, readonly: bool = False, durable: bool = True
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
                if lock is not None and not ledger.vault.is_empty:
                    connection.execute(FORGETFUL)
                ledger._read_new_headers()
                if lock is not None:  # a reader may look while the writer is between two statements of its own
                    ledger._check_heads()
                    ledger.erase_again()
            except BaseException:  # after an interrupt, too, nobody else has the connection, to close it
                connection.close()
                raise
        except BaseException:  # nor the lock, and no other writer could come until the process has ended
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

    def commit(
        self, drafts: Sequence[Draft], cells: Sequence[Cell] | Callable[[tuple[Stored, ...]], Sequence[Cell]] = ()
    ) -> tuple[Stored, ...]:
        """Append `drafts` in order and write `cells`, in one transaction, durable on return.

        `cells` may follow from the places that the records get. Within a `group` it is durable when that ends.

        Nothing is written if this raises: `LedgerError` or `CanonicalError` for a draft or cell that can't
        be stored, `LedgerBusyError` if readers held the file too long. Any other failure leaves it unknown
        whether the disk has the commit: it raises `InDoubtError`, and so does every later commit of this
        object. Open the ledger again to see what is there.
        """
        with self._mutex:
            if self._staged is None:
                with self.group():
                    return self.commit(drafts, cells)
            with self.step():
                stored = tuple(self._place(self._staged, draft) for draft in drafts)
                for cell in cells(stored) if callable(cells) else cells:
                    check_cell(cell)
                    self._staged.put(cell)
            return stored

    def _place(self, staged: Staged, draft: Draft) -> Stored:
        if draft.key is not None:
            key = self.vault.needs_key_row(draft.key, draft.subject)
            if key is not None:
                staged.put_key(draft.key.scope, key)
        return staged.add(draft, self._head(draft.chain))

    @contextmanager
    def group(self) -> Iterator[None]:
        """Let all commits of the block share one transaction, durable when the block ends: all of them or none.

        Other threads wait, also with reading: nobody else learns of a commit before it is durable. Raises as `commit`
        does, and what the block raises; then nothing of it is written.
        """
        with self._mutex:
            self._check_writable()
            if self._staged is not None:
                raise LedgerError("this thread has begun a group of commits already")
            staged = self._staged = Staged(self._range, self._tip)
            try:
                with self.reading():
                    yield
                    self._write(staged)
            finally:
                self._staged = None

    @contextmanager
    def step(self) -> Iterator[None]:
        """Within a group: take back what is committed in the block, and nothing else, if the block raises."""
        staged = self._staged
        if staged is None:
            raise LedgerError("a step is part of a group of commits")
        mark = staged.mark()
        try:
            yield
        except BaseException:  # whoever catches an interrupt goes on with the group, and without the step
            staged.back_to(mark)
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let all reads of the block see one moment: no commit comes between them. Keep it short."""
        with self._mutex:
            begins = self._lock is not None and begin(self._connection, self.path)
            if begins:
                self._seen = Seen()
            try:
                yield
            finally:
                if begins:
                    self._seen = None
                    self._roll_back()  # what a group has written is committed by now

    def _write(self, staged: Staged) -> None:
        """Write what is staged in one transaction, and take over its tip. Raises as `commit` does."""
        if not (staged.rows or staged.cells or staged.keys or staged.dropped):
            return
        # Set before the first statement and cleared only when the outcome is known, so that no way out of
        # the transaction, not even a keyboard interrupt, leaves a stale tip that looks sound.
        self._in_doubt = True
        try:
            self._transact(staged)
        except sqlite3.Error as error:
            if self._roll_back() and primary_code(error) == sqlite3.SQLITE_BUSY:
                self._in_doubt = False
                raise LedgerBusyError(f"readers held `{self.path}` too long; nothing was written") from error
            raise InDoubtError(
                f"a commit to `{self.path}` failed ({error}); it may or may not be on disk: close this "
                "ledger and open it again to see"
            ) from error
        except BaseException:  # an interrupt: the outcome is as unknown, and stays in doubt
            self._roll_back()
            raise
        self._range, self._tip = staged.range, staged.tip
        self._in_doubt = False

    def _transact(self, staged: Staged) -> None:
        write(self._connection, staged)

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
            what = "an earlier commit to it, which may or may not be on disk, or a read of it"
            raise InDoubtError(f"`{self.path}` takes no commit: {what}, failed; close this ledger and open it again")

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
        head = self._head(chain)
        return None if head is None else (head[0], head[2])

    def cell(self, space: str, key: str) -> bytes | None:
        """Return the value of one cell, or None."""
        place = (space, key)
        with self._mutex:
            staged, seen = self._staged, self._seen
            if staged is not None and place in staged.cells:
                return staged.cells[place]
            if seen is not None and place in seen.cells:
                return seen.cells[place]
            rows = self._fetch("SELECT value FROM cells WHERE space = ? AND key = ?", place)
            value: bytes | None = rows[0][0] if rows else None
            if seen is not None:
                seen.cells[place] = value
        return value

    def fetch(self, cells: Iterable[tuple[str, str]], chains: Iterable[str]) -> None:
        """Look up cells, by space and key, and heads of chains, for the rest of a `group` or `reading`."""
        with self._mutex:
            if self._seen is not None:
                self._seen.look_up(self._fetch, cells, chains)

    def spaces(self) -> tuple[str, ...]:
        """Return the spaces that hold any cell, sorted."""
        return tuple(space for (space,) in self._fetch("SELECT DISTINCT space FROM cells ORDER BY space", ()))

    def cells(self, space: str, *, exact: bool = True) -> Iterator[tuple[str, bytes]]:
        """Yield the keys and values of a space in the order of the keys' UTF-8 bytes; here they are always exact."""
        with self._mutex:
            staged = {} if self._staged is None else self._staged.cells_in(space)
        yield from cells_with(staged, stored_cells(self._fetch, space))

    def any_cell(self, space: str) -> bytes | None:
        """Return the value of one of the cells of a space, whichever is found first; None where it holds none."""
        return next((value for _, value in self.cells(space)), None)

    def read(self, index: int) -> StoredRecord:
        """Return the record at `index`.

        Raises `LedgerError` if there is none, `TamperedError` if header and body contradict each other.
        """
        if not 0 <= index <= _INDEX_MAX:
            raise LedgerError(f"there is no record {index}")
        with self._mutex:
            staged = None if self._staged is None else self._staged.row(index)
            if staged is not None:
                return stored_record(index, staged[2], staged[3])
            rows = self._fetch("SELECT leaf, header, body FROM ledger WHERE leaf = ?", (index,))
        if not rows:
            raise LedgerError(f"there is no record {index}; the ledger has {self.size}")
        return stored_record(*rows[0])

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
                yield stored_record(*row)
            next_index = rows[-1][0] + 1
        staged = self._staged_rows(next_index)
        yield from (stored_record(index, header, body) for index, _, header, body in staged)

    def _indexes(self, chain: str, start: int) -> list[int]:
        """Walk a chain from its newest record back to `start`, and return the indexes, oldest first."""

        def link(index: int) -> Link | None:
            query = "SELECT leaf, back, header FROM ledger WHERE leaf = ?"
            rows = self._staged_rows(index)[:1] or self._fetch(query, (index,))
            return (rows[0][1], rows[0][2]) if rows else None

        with self._mutex:
            head = self._head(chain)
        return walked_back(chain, None if head is None else head[1], start, link)

    def _staged_rows(self, start: int) -> list[tuple[int, int | None, bytes, bytes]]:
        """Return the rows from index `start` on that a group of this thread has placed and not written yet."""
        with self._mutex:
            if self._staged is None or start < self._staged.start:
                return []
            return self._staged.rows[start - self._staged.start :]

    def _head(self, chain: str) -> Head | None:
        with self._mutex:
            staged, seen = self._staged, self._seen
            if staged is not None and chain in staged.heads:
                return staged.heads[chain]
            if seen is not None and chain in seen.heads:
                return seen.heads[chain]
            rows = self._fetch("SELECT entry, leaf, head FROM chains WHERE chain = ?", (chain,))
            head: Head | None = rows[0] if rows else None
            if seen is not None:
                seen.heads[chain] = head
        return head

    def _current_range(self) -> CompactRange:
        """Return the range; a reader first takes in what the writer has appended since."""
        with self._mutex:
            if self._lock is None:
                self._read_new_headers()
            return self._range if self._staged is None else self._staged.range

    def _check_heads(self) -> None:
        """Compare the table of newest records with the headers: a chain whose head is lost would start anew."""
        headers = self._fetch("SELECT leaf, header FROM ledger ORDER BY leaf", ())
        check_heads(headers, self._fetch("SELECT chain, entry, leaf, head FROM chains", ()))

    def _read_new_headers(self) -> None:
        """Extend tip and range by the stored headers past them, checking order and links."""
        query = "SELECT leaf, header FROM ledger WHERE leaf >= ? ORDER BY leaf LIMIT ?"
        while rows := self._fetch(query, (self._range.size, _ROWS_A_READ)):
            for row_index, header in rows:
                index = self._range.size
                leaf = leaf_of(row_index, header)
                if row_index != index or leaf.previous != self._tip:
                    raise TamperedError(f"record {index} does not follow the one before it; verify the ledger")
                self._tip = leaf.leaf_hash()
                self._range = self._range.append(self._tip)

    def _fetch(self, query: str, parameters: tuple[Any, ...]) -> list[Any]:
        with self._mutex:
            try:
                # A cursor that a traceback keeps alive would hold the file, even after `close`: not until it is
                # collected, whenever that is.
                with closing(self._connection.execute(query, parameters)) as cursor:
                    return cursor.fetchall()
            except READ_ERRORS as error:
                meant = translated(error, self.path)
                # Nothing is added to a file that could not be read: what came next would follow from a guess.
                self._in_doubt |= not isinstance(meant, LedgerBusyError)
                raise meant from error
