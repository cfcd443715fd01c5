"""The check of a whole ledger by somebody who does not trust it.

Reads the rows in order straight from the file, without the store's code, and reports everything that
contradicts something else. It never raises for what is in the file: garbage is a finding. What can't be
known from the file alone is listed as loudly as what was found: see `Verification.not_checked`.

Each check compares a record with its own header, with the record before it, and with its chain's record
before it. Where one altered record breaks its neighbours' links, only the altered one is named, as far as
the bytes tell. So a finding also keeps other checks from being whole: what stands under `checked` held for
every record, without exception.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from edca.ledger.checks import (
    BESIDE,
    CHECKS,
    NO_ROOT,
    NOT_READ,
    NOTHING_READ,
    PAST_CHECKPOINT,
    TAIL,
    WHO_WROTE,
    Check,
    Flaw,
)
from edca.ledger.errors import LedgerError, LedgerFormatError
from edca.ledger.leaf import NO_HASH, ChainTag, Leaf, chain_tag
from edca.ledger.record import Record, body_digest, parse
from edca.ledger.remains import absent
from edca.ledger.schema import APPLICATION_ID, READ_ERRORS, SCHEMA_VERSION, connect, translated
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.tree import CompactRange, leaf_hash

Progress: TypeAlias = Callable[[int, int], None]
"""Called with how many records are done, and how many there are."""

_ROWS_A_READ: Final = 64
_FIRST_ROWID: Final = -(2**63)

_NEWEST: Final = "the table of the chains' newest records does not agree"


@dataclass(frozen=True, slots=True)
class Finding:
    """One contradiction. `index` is the record it is about, or None if it is about the whole ledger."""

    index: int | None
    what: Flaw
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of a whole ledger found, which questions it could answer, and which not.

    `checked` holds without exception, `failed` does not hold: `findings` say where. `not_checked` is open.
    `size` and `root` are of the records as they are in the file: worth keeping elsewhere if nothing was
    found. `is_ledger` is false for a file that nothing marks as a ledger, such as another one named by mistake.
    """

    size: int
    root: bytes
    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    failed: tuple[str, ...]
    not_checked: tuple[str, ...]
    is_ledger: bool

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found. It says nothing about `not_checked`."""
        return not self.findings


def verify(
    ledger: str | os.PathLike[str] | SQLiteLedger,
    *,
    expect_size: int | None = None,
    expect_root: bytes | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Check every record of a ledger, and the tail against a kept checkpoint if one is given.

    `expect_size` and `expect_root` are a size and the root the ledger had at that size; a root alone is
    that of the whole ledger, a size alone only demands that many records. Memory grows with the number of
    chains.

    Raises `LedgerError` only if there is no file at the path.
    """
    path = ledger.path if isinstance(ledger, SQLiteLedger) else Path(os.path.realpath(ledger))
    if not path.exists():
        raise LedgerError(f"there is no ledger at `{path}`")
    scan = _Scan(path, expect_size, expect_root)
    try:
        # Read-only, so that checking evidence never changes it.
        with closing(connect(path, "ro")) as connection:
            scan.read(connection, progress)
    except LedgerError as error:
        scan.find(None, Flaw.UNREADABLE, str(error))
    except READ_ERRORS as error:
        meant = translated(error, path)
        if isinstance(meant, LedgerFormatError):
            scan.is_ledger = False
            scan.find(None, Flaw.NOT_A_LEDGER, str(meant))
        else:
            place = f"after {counted(scan.range.size)}: " if scan.range.size else ""
            scan.find(None, Flaw.UNREADABLE, f"{place}{meant}")
    return scan.result()


def counted(count: int) -> str:
    """Return a number of records in words."""
    return f"{count} record{'' if count == 1 else 's'}"


@dataclass(slots=True)
class _Newest:
    """The newest record of one chain so far; its digest is None if header and body disagree about it."""

    index: int
    entry: int
    digest: bytes | None


@dataclass(slots=True)
class _Scan:
    """The state of one pass over the rows, in order."""

    path: Path
    expect_size: int | None
    expect_root: bytes | None
    range: CompactRange = field(default_factory=CompactRange)
    next_index: int = 0
    tip: bytes | None = NO_HASH
    """Leaf hash of the record read last; None if one is missing after it, or its header is in doubt."""
    newest: dict[ChainTag, _Newest] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    is_complete: bool = False
    is_ledger: bool = True

    def find(self, index: int | None, what: Flaw, detail: str) -> None:
        self.findings.append(Finding(index, what, detail))

    def read(self, connection: sqlite3.Connection, progress: Progress | None) -> None:
        """Go through all rows that were there when this began; a writer may go on appending."""
        # Garbage in a text column must reach the comparison that finds it, not end the reading.
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        connection.execute("PRAGMA trusted_schema = OFF")
        if not self._has_tables(connection):
            return
        connection.execute("BEGIN")
        last = connection.execute("SELECT max(leaf) FROM ledger").fetchone()[0]
        heads = connection.execute("SELECT chain, entry, leaf, head FROM chains ORDER BY chain").fetchall()
        connection.execute("COMMIT")
        self._compare_checkpoint()
        for rows in _batches(connection, last):
            for row in rows:
                self._row(*row)
            if progress is not None:
                progress(self.range.size, last + 1)
        self.is_complete = True
        self._compare_heads(heads)
        self._compare_end()

    def _has_tables(self, connection: sqlite3.Connection) -> bool:
        """Check what kind of database it is; only absent tables end the pass."""
        is_marked = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        # A view or virtual table of this name has no root page; it could compute rows without end.
        tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0"
        names = {name for (name,) in connection.execute(tables)}
        absent = [name for name in ("ledger", "chains") if name not in names]
        if not is_marked and len(absent) == 2:
            self.is_ledger = False
            self.find(None, Flaw.NOT_A_LEDGER, f"`{self.path}` is {'not a ledger' if names else 'empty'}")
            return False
        if not is_marked:
            self.find(None, Flaw.NOT_A_LEDGER, "the file does not carry a ledger's application id")
        if version != SCHEMA_VERSION:
            self.find(None, Flaw.NOT_A_LEDGER, f"schema version {version} is not known, only {SCHEMA_VERSION}")
        for name in absent:
            self.find(None, Flaw.NOT_A_LEDGER, f"the table `{name}` is not there")
        return not absent

    def _row(self, index: int, back: Any, header: Any, body: Any) -> None:
        if index > self.next_index:
            self.find(self.next_index, Flaw.MISSING, absent(self.next_index, index - 1))
            self.tip = None
        elif index < self.next_index:
            self.find(index, Flaw.ORDER, "a record stands before the first")
        self.next_index = max(self.next_index, index + 1)
        found_before = len(self.findings)
        leaf = self._check_header(index, header)
        record, digest = self._check_body(index, leaf, body)
        if len(self.findings) > found_before:
            # An altered header changes its leaf hash: the flaw would be reported once more at the successor.
            self.tip = None
        self._check_chain(index, back, leaf, record, digest)
        self._compare_checkpoint()

    def _check_header(self, index: int, header: Any) -> Leaf | None:
        """Check a header and its link, and move tip and range past it."""
        raw = header if isinstance(header, bytes) else b""
        previous, self.tip = self.tip, leaf_hash(raw)
        self.range = self.range.append(self.tip)
        try:
            leaf = Leaf.from_bytes(raw)
        except LedgerFormatError as error:
            self.find(index, Flaw.HEADER, str(error))
            return None
        if leaf.index != index:
            self.find(index, Flaw.HEADER, f"the header is that of record {leaf.index}")
        elif previous is not None and leaf.previous != previous:
            detail = "it does not follow the record before it: one of the two was altered, or one between is gone"
            self.find(index, Flaw.ORDER, detail)
        return leaf

    def _check_body(self, index: int, leaf: Leaf | None, body: Any) -> tuple[Record | None, bytes | None]:
        """Return the record and its digest as far as they can be relied on, None where they can't."""
        raw = body if isinstance(body, bytes) else b""
        digest = body_digest(raw)
        if leaf is not None and leaf.body_digest != digest:
            self.find(index, Flaw.BODY, "the body is not the one its header was made for")
            return None, None
        try:
            record = parse(raw)
        except LedgerFormatError as error:
            self.find(index, Flaw.BODY, str(error))
            return None, digest
        if leaf is not None and leaf.chain != chain_tag(record.chain):
            self.find(index, Flaw.HEADER, f"the header names another chain than the body's `{record.chain}`")
        if leaf is not None and leaf.entry != record.entry:
            self.find(index, Flaw.HEADER, f"the header says entry {leaf.entry}, the body {record.entry}")
        return record, digest

    def _check_chain(
        self, index: int, back: Any, leaf: Leaf | None, record: Record | None, digest: bytes | None
    ) -> None:
        """Check a record against its chain's record before it; whichever part is sound names the chain."""
        if record is not None:
            tag, entry = chain_tag(record.chain), record.entry
        elif leaf is not None:
            tag, entry = leaf.chain, leaf.entry
        else:
            return
        before = self.newest.get(tag)
        self.newest[tag] = _Newest(index, entry, digest)
        due = 0 if before is None else before.entry + 1
        if entry != due:
            self.find(index, Flaw.CHAIN, f"it is entry {entry} of its chain, where entry {due} is due")
            return
        prev = NO_HASH if before is None else before.digest
        if record is not None and prev is not None and record.prev != prev:
            self.find(index, Flaw.CHAIN, "it names another body than its chain's record before it")
        if back != (None if before is None else before.index):
            self.find(index, Flaw.CHAIN, f"the table's hint at its chain's record before it is wrong: {back}")

    def _compare_heads(self, heads: list[Any]) -> None:
        """Compare the table of newest records with the records: cutting off the tail leaves a trace there."""
        unnamed = dict(self.newest)
        for chain, entry, index, head in heads:
            newest = unnamed.pop(chain_tag(str(chain)), None)
            if newest is None:
                detail = f"it has chain `{chain}` up to entry {entry}, and no record is there"
            elif (newest.entry, newest.index) != (entry, index):
                detail = (
                    f"it has chain `{chain}` up to entry {entry}, record {index}; the records end at entry "
                    f"{newest.entry}, record {newest.index}"
                )
            elif newest.digest not in (None, head):
                detail = f"its digest of chain `{chain}` is not that of record {newest.index}"
            else:
                continue
            self.find(None, Flaw.HEADS, f"{_NEWEST}: {detail}")
        for newest in unnamed.values():
            self.find(None, Flaw.HEADS, f"{_NEWEST}: it lacks the chain of record {newest.index}")

    def _compare_checkpoint(self) -> None:
        """Compare the root when as many records are read as the kept checkpoint was over."""
        if self.expect_root is None or self.range.size != self.expect_size:
            return
        if self.range.root() != self.expect_root:
            detail = f"the first {counted(self.range.size)} have another root than the kept checkpoint"
            self.find(None, Flaw.CHECKPOINT, detail)

    def _compare_end(self) -> None:
        if self.expect_size is None and self.expect_root not in (None, self.range.root()):
            self.find(None, Flaw.CHECKPOINT, "the ledger has another root than the kept checkpoint")
        if self.expect_size is not None and self.expect_size > self.range.size:
            detail = f"the kept checkpoint was over {counted(self.expect_size)}, and {self.range.size} are there"
            if self.next_index < self.expect_size:
                detail += ": the newest were deleted"
            self.find(None, Flaw.CHECKPOINT, detail)

    def result(self) -> Verification:
        found = {finding.what for finding in self.findings}
        checks = (*CHECKS, *self._checkpoint_check())
        not_checked = [self._open_tail(), WHO_WROTE, NOT_READ, BESIDE]
        if not self.is_complete:
            not_checked[0] = f"anything past the first {counted(self.range.size)}: it can't be read"
        elif self.expect_root is None and self.expect_size is not None:
            not_checked.insert(1, NO_ROOT)
        if not self.is_complete and not self.range.size:
            not_checked = [NOTHING_READ]
        cut_short = [check for check in checks if not found & check.broken_by and found & check.cut_short_by]
        if self.is_complete:
            not_checked += [f"around what was found, whether {check.what}" for check in cut_short]
        held = [check for check in checks if self.is_complete and not found & (check.broken_by | check.cut_short_by)]
        return Verification(
            size=self.range.size,
            root=self.range.root(),
            findings=tuple(self.findings),
            checked=tuple(check.what for check in held),
            failed=tuple(check.what for check in checks if found & check.broken_by),
            not_checked=tuple(not_checked),
            is_ledger=self.is_ledger,
        )

    def _open_tail(self) -> str:
        return TAIL if self.expect_size is None and self.expect_root is None else PAST_CHECKPOINT

    def _checkpoint_check(self) -> tuple[Check, ...]:
        """Return the question that a kept checkpoint puts, in the words of what was given of it."""
        size, root = self.expect_size, self.expect_root
        if size is None and root is None:
            return ()
        if size is None:
            what = "the ledger has the root of the kept checkpoint"
        elif root is None:
            what = f"as many records are there as the kept checkpoint was over, {size}"
        else:
            what = f"the first {counted(size)} have the root of the kept checkpoint"
        # The root is over headers: a body that isn't its header's is not vouched for by it.
        return (Check(what, frozenset({Flaw.CHECKPOINT}), frozenset({Flaw.BODY})),)


def _batches(connection: sqlite3.Connection, last: int | None) -> Iterator[list[Any]]:
    """Yield rows up to `last` a few at a time, so that a writer can commit in between."""
    query = "SELECT leaf, back, header, body FROM ledger WHERE leaf >= ? AND leaf <= ? ORDER BY leaf LIMIT ?"
    start = _FIRST_ROWID
    while last is not None and start <= last:
        rows = connection.execute(query, (start, last, _ROWS_A_READ)).fetchall()
        if not rows:
            return
        yield rows
        start = rows[-1][0] + 1
