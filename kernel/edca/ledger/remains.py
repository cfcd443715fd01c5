"""What can still be read of a ledger that contradicts itself: the records that are sound in themselves.

`SQLiteLedger` refuses such a file as a whole, so that nothing is ever chained to it. Who investigates needs the rest
all the same. Nothing here says that a record stands where it was written: that is the verifier's to say.
"""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self

from edca.ledger.errors import LedgerError, LedgerFormatError, TamperedError
from edca.ledger.leaf import Leaf, chain_tag
from edca.ledger.record import body_digest, parse
from edca.ledger.schema import READ_ERRORS, connect, translated
from edca.ledger.store import StoredRecord

_ROWS_A_READ: Final = 64
_FIRST_ROWID: Final = -(2**63)
_IS_TABLE: Final = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'ledger' AND rootpage > 0"
_ROWS: Final = "SELECT leaf, header, body FROM ledger WHERE leaf >= ? ORDER BY leaf LIMIT ?"


class Remains:
    """The sound records of a file, read-only; use it as a context manager or call `close`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Use `open`."""
        self.path: Final = path
        self._connection = connection

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open the file. Raises `LedgerFormatError` where it has no records' table, `LedgerError` where it is none."""
        real = Path(os.path.realpath(path))
        if not real.exists():
            raise LedgerError(f"there is no ledger at `{real}`")
        remains = cls(connect(real, "ro"), real)
        try:
            # A view in the table's place could compute rows without end.
            if not remains._fetch(_IS_TABLE, ())[0][0]:
                raise LedgerFormatError(f"`{real}` is not a ledger")
        except BaseException:
            remains.close()
            raise
        return remains

    def close(self) -> None:
        """Give up the file. Calling it again does nothing."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """One more than the index of the last record, gaps or not."""
        last = self._fetch("SELECT max(leaf) FROM ledger", ())[0][0]
        return 0 if last is None else max(last + 1, 0)

    def read(self, index: int) -> StoredRecord:
        """Return the record at `index`. Raises `TamperedError` where it is not there, or not sound in itself."""
        rows = self._fetch("SELECT leaf, header, body FROM ledger WHERE leaf = ?", (index,))
        if not rows:
            raise TamperedError(f"record {index} is not there")
        return _sound(*rows[0])

    def records(self, start: int = 0, chain: str | None = None) -> Iterator[StoredRecord]:
        """Yield the sound records in order from index `start`, all or only those of `chain`."""
        tag = None if chain is None else chain_tag(chain)
        for row in self._rows(start):
            try:
                record = _sound(*row)
            except TamperedError:
                continue  # `losses` tells
            if tag is None or record.leaf.chain == tag:
                yield record

    def losses(self) -> Iterator[str]:
        """Yield a line for each record that is not there, or not sound in itself; a gap is one line."""
        due = 0
        for index, header, body in self._rows(_FIRST_ROWID):
            if index > due:
                yield absent(due, index - 1)
            try:
                _sound(index, header, body)
            except TamperedError as error:
                yield str(error)
            due = max(due, index + 1)

    def _rows(self, start: int) -> Iterator[Any]:
        while rows := self._fetch(_ROWS, (start, _ROWS_A_READ)):
            yield from rows
            start = rows[-1][0] + 1

    def _fetch(self, query: str, parameters: tuple[Any, ...]) -> list[Any]:
        try:
            return self._connection.execute(query, parameters).fetchall()
        except READ_ERRORS as error:
            raise translated(error, self.path) from error


def absent(first: int, last: int) -> str:
    """Return in words which records are not there."""
    return f"{f'record {first} is' if first == last else f'records {first} to {last} are'} not there"


def _sound(index: int, header: Any, body: Any) -> StoredRecord:
    raw = body if isinstance(body, bytes) else b""
    try:
        leaf = Leaf.from_bytes(header if isinstance(header, bytes) else b"")
        if leaf.index != index:
            raise LedgerFormatError(f"it carries the header of record {leaf.index}")
        if leaf.body_digest != body_digest(raw):
            raise LedgerFormatError("its body is not the one its header was made for")
        parse(raw)
    except LedgerFormatError as error:
        raise TamperedError(f"record {index}: {error}") from error
    return StoredRecord.of(leaf, raw)
