"""What can still be read of a ledger that contradicts itself: the records that are sound in themselves.

A store refuses such a ledger as a whole, so that nothing is ever chained to it. Who investigates needs the rest all the
same. Nothing here says that a record stands where it was written: that is the verifier's to say.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol, Self

from edca.ledger.errors import LedgerError, LedgerFormatError, TamperedError
from edca.ledger.leaf import Leaf, chain_tag
from edca.ledger.record import body_digest, parse
from edca.ledger.schema import READ_ERRORS, connect, translated
from edca.ledger.store import StoredRecord

_ROWS_A_READ: Final = 64
_FIRST_ROWID: Final = -(2**63)
_IS_TABLE: Final = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'ledger' AND rootpage > 0"
_ROWS: Final = "SELECT leaf, header, body FROM ledger WHERE leaf >= ? ORDER BY leaf LIMIT ?"


class Rows(Protocol):
    """Where the records lie: index, header and body of each, as they are there."""

    def last(self) -> int | None:
        """Return the last index, null where there is none."""

    def at(self, start: int) -> list[tuple[int, Any, Any]]:
        """Return some rows from that index on, in order; none where there are none."""

    def close(self) -> None:
        """Give up what was opened. Calling it again does nothing."""


class Remains:
    """The sound records of a ledger, read-only; use it as a context manager or call `close`."""

    def __init__(self, rows: Rows) -> None:
        """Read from there."""
        self._rows_at = rows

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open the file. Raises `LedgerFormatError` where it has no records' table, `LedgerError` where it is none."""
        return cls(_File(Path(os.path.realpath(path))))

    def close(self) -> None:
        """Give up the ledger. Calling it again does nothing."""
        self._rows_at.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """One more than the index of the last record, gaps or not."""
        last = self._rows_at.last()
        return 0 if last is None else max(last + 1, 0)

    def read(self, index: int) -> StoredRecord:
        """Return the record at `index`. Raises `TamperedError` where it is not there, or not sound in itself."""
        rows = self._rows_at.at(index)
        if not rows or rows[0][0] != index:
            raise TamperedError(f"record {index} is not there")
        return _sound(*rows[0])

    def number_at(self, index: int) -> int:
        """Return how `read` is asked for the record at `index`: by just that."""
        return index

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
        while rows := self._rows_at.at(start):
            yield from rows
            start = rows[-1][0] + 1


class _File:
    """The rows of a file."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise LedgerError(f"there is no ledger at `{path}`")
        self._path = path
        self._connection = connect(path, "ro")
        try:
            # A view in the table's place could compute rows without end.
            if not self._fetch(_IS_TABLE, ())[0][0]:
                raise LedgerFormatError(f"`{path}` is not a ledger")
        except BaseException:  # after an interrupt, too, nobody else has the connection, to close it
            self.close()
            raise

    def last(self) -> int | None:
        last: int | None = self._fetch("SELECT max(leaf) FROM ledger", ())[0][0]
        return last

    def at(self, start: int) -> list[tuple[int, Any, Any]]:
        return self._fetch(_ROWS, (start, _ROWS_A_READ))

    def close(self) -> None:
        self._connection.close()

    def _fetch(self, query: str, parameters: tuple[Any, ...]) -> list[Any]:
        try:
            return self._connection.execute(query, parameters).fetchall()
        except READ_ERRORS as error:
            raise translated(error, self._path) from error


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
