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
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

from edca.ledger.checks import BESIDE, HEADS, PAST_CHECKPOINT, TAIL, Flaw
from edca.ledger.errors import LedgerError, LedgerFormatError
from edca.ledger.kept import Comparison, Kept, counted
from edca.ledger.leaf import ChainKind, chain_tag
from edca.ledger.note import VerifierKey
from edca.ledger.parallel import Workers, tolerate, workers
from edca.ledger.rotation import KeyLine, followed
from edca.ledger.scan import Finding, Scan, key_of
from edca.ledger.schema import APPLICATION_ID, READ_ERRORS, SCHEMA_VERSION, connect, strange, translated
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verification import Progress, Verification, verification

_LARGE: Final = 20_000
"""Records from which on it pays to start other processes."""
_ROWS_A_READ: Final = 64

_IS_TABLE: Final = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name = 'ledger'"
_NEWEST: Final = "the table of the chains' newest records does not agree"


def verify(
    ledger: str | os.PathLike[str] | SQLiteLedger,
    *,
    expect_size: int | None = None,
    expect_root: bytes | None = None,
    checkpoints: Sequence[Kept] = (),
    fast: bool = False,
    line: KeyLine | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Verification:
    """Check every record of a ledger, and compare it with all that was kept of it elsewhere.

    `expect_size` and `expect_root` are a size and the root the ledger had at that size; a root alone is
    that of the whole ledger, a size alone only demands that many records. `checkpoints` are signed ones. With `fast`,
    no body is decoded where nothing else is wrong: its digest is compared with its header's. `line` are the keys that
    `line_of` has followed: records that announce a key without the right to are findings. Where `jobs` is more than 1,
    so many processes look at the records of a large ledger. Memory grows with the number of chains, and holds some
    thousand records for each process.

    Raises `LedgerError` only if there is no file at the path.
    """
    path = ledger.path if isinstance(ledger, SQLiteLedger) else Path(os.path.realpath(ledger))
    if not path.exists():
        raise LedgerError(f"there is no ledger at `{path}`")
    is_told = expect_size is not None or expect_root is not None
    told = (Kept(expect_size, expect_root),) if is_told else ()
    scan = Scan(Comparison((*told, *checkpoints)), decoding=not fast)
    try:
        # Read-only, so that checking evidence never changes it.
        with closing(connect(path, "ro")) as connection:
            _read(scan, path, connection, jobs, progress)
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
    scan.findings += wrong_announcements(line)
    return verification(scan, (HEADS,), PAST_CHECKPOINT if scan.kept.believed else TAIL, (BESIDE,))


def line_of(ledger: str | os.PathLike[str], trusted: Iterable[VerifierKey]) -> KeyLine:
    """Follow the changes of its key through a ledger, from keys that are trusted. A file that is none changes nothing.

    Nothing is said about whether the records are sound: that is for `verify`.
    """
    path, query = Path(os.path.realpath(ledger)), "SELECT leaf, header, body FROM ledger WHERE substr(header, 7, 2) = ?"
    keys, found = tuple(trusted), list[Any]()
    if not path.exists():
        return KeyLine.of(keys)
    try:
        with closing(connect(path, "ro")) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            if connection.execute(_IS_TABLE).fetchone() == (1,) and not strange(connection):
                found = connection.execute(f"{query} ORDER BY leaf", (ChainKind.CONFIG.to_bytes(2, "big"),)).fetchall()
    except (LedgerError, *READ_ERRORS):
        return KeyLine.of(keys)  # whoever verifies it meets the same, and says so
    sound = (row for row in found if type(row[0]) is int and type(row[1]) is bytes and type(row[2]) is bytes)
    return followed(keys, sound)


def wrong_announcements(line: KeyLine | None) -> tuple[Finding, ...]:
    """Return the records that announce a key of a trusted ledger without being signed by the one in force."""
    detail = "it announces another key of the ledger, and the key in force has not signed this"
    return tuple(Finding(index, Flaw.SIGNATURE, detail) for index in (() if line is None else line.broken))


def _read(scan: Scan, path: Path, connection: sqlite3.Connection, jobs: int, progress: Progress | None) -> None:
    """Go through all rows that were there when this began; a writer may go on appending."""
    tolerate(connection)
    if not _has_tables(scan, path, connection):
        return
    connection.execute("BEGIN")
    last = connection.execute("SELECT max(leaf) FROM ledger").fetchone()[0]
    heads = connection.execute("SELECT chain, entry, leaf, head FROM chains ORDER BY chain").fetchall()
    connection.execute("COMMIT")
    scan.compare_signatures()
    scan.compare_kept()
    if last is not None:
        with ExitStack() as stack:
            helped = None
            if jobs > 1 and last >= _LARGE:
                made = workers(path, last + 1, jobs, scan.kept.sizes, decoding=scan.decoding)
                helped = stack.enter_context(made)
            _pass(scan, connection, last, helped, progress)
    compare_heads(scan, heads)
    scan.compare_end()


def _has_tables(scan: Scan, path: Path, connection: sqlite3.Connection) -> bool:
    """Check what kind of database it is; only tables that are absent, or not made as a ledger's, end the pass."""
    is_marked = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    # A view or virtual table of this name has no root page; it could compute rows without end.
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0"
    names = {name for (name,) in connection.execute(tables)}
    absent = [name for name in ("ledger", "chains") if name not in names]
    if not is_marked and len(absent) == 2:
        scan.is_ledger = False
        scan.find(None, Flaw.NOT_A_LEDGER, f"`{path}` is {'not a ledger' if names else 'empty'}")
        return False
    if not is_marked:
        scan.find(None, Flaw.NOT_A_LEDGER, "the file does not carry a ledger's application id")
    if version != SCHEMA_VERSION:
        scan.find(None, Flaw.NOT_A_LEDGER, f"schema version {version} is not known, only {SCHEMA_VERSION}")
    for name in absent:
        scan.find(None, Flaw.NOT_A_LEDGER, f"the table `{name}` is not there")
    others = strange(connection)
    for name in others:
        scan.find(None, Flaw.NOT_A_LEDGER, f"no ledger has `{name}`, or has made it so")
    return not absent and not others


def compare_heads(scan: Scan, heads: list[Any]) -> None:
    """Compare the table of newest records with the records: cutting off the tail leaves a trace there."""
    unnamed = dict(scan.newest)
    for chain, entry, index, head in heads:
        newest = unnamed.pop(key_of(chain_tag(str(chain))), None)
        if newest is None:
            detail = f"it has chain `{chain}` up to entry {entry}, and no record is there"
        elif (newest[1], newest[0]) != (entry, index):
            detail = (
                f"it has chain `{chain}` up to entry {entry}, record {index}; the records end at entry "
                f"{newest[1]}, record {newest[0]}"
            )
        elif newest[2] not in (None, head):
            detail = f"its digest of chain `{chain}` is not that of record {newest[0]}"
        else:
            continue
        scan.find(None, Flaw.HEADS, f"{_NEWEST}: {detail}")
    for newest in unnamed.values():
        scan.find(None, Flaw.HEADS, f"{_NEWEST}: it lacks the chain of record {newest[0]}")


def _pass(
    scan: Scan, connection: sqlite3.Connection, last: int, helped: Workers | None, progress: Progress | None
) -> None:
    """Take all records up to `last`: by what workers say of them, else a few at a time, so that a writer can commit."""
    query = "SELECT leaf, back, header, body FROM ledger WHERE leaf >= ? AND leaf <= ? ORDER BY leaf LIMIT ?"
    start = min(connection.execute("SELECT min(leaf) FROM ledger").fetchone()[0], 0)
    while start <= last:
        checked = None if helped is None else helped.at(start)
        if checked is not None and scan.take_checked(checked):
            start += checked.part.size
        else:
            # As many as lead to where the next part begins, which is a multiple of that.
            rows = connection.execute(query, (start, last, _ROWS_A_READ)).fetchall()
            if not rows:
                return
            scan.take(rows)
            start = rows[-1][0] + 1
        if progress is not None:
            progress(scan.range.size, last + 1)
