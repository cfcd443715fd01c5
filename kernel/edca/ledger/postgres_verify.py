"""The check of a whole ledger in a PostgreSQL database by somebody who does not trust it: see `edca.ledger.verify`.

All of it is of one moment, whatever the nodes commit meanwhile. What is committed and not sequenced yet is told apart:
nothing but the database vouches for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, LiteralString

import psycopg

from edca.ledger.checks import BESIDE, PAST_CHECKPOINT, TAIL, Check, Flaw
from edca.ledger.errors import LedgerError, LedgerFormatError, TamperedError
from edca.ledger.kept import Comparison, Kept, counted
from edca.ledger.leaf import ChainKind, Leaf, chain_tag
from edca.ledger.postgres_sequencing import sequenced_range
from edca.ledger.record import body_digest, parse
from edca.ledger.scan import Scan
from edca.ledger.verification import Progress, Verification, verification

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from edca.ledger.postgres import PostgresLedger
    from edca.ledger.postgres_schema import Connection

_ROWS_A_READ: Final = 256
_ROWS: Final = (
    "SELECT l.leaf, l.header, r.body, r.chain, r.entry, r.digest FROM leaves l LEFT JOIN records r USING (number)"
    " WHERE l.leaf >= %s ORDER BY l.leaf LIMIT %s"
)
_UNSEQUENCED: Final = (
    "SELECT r.number, r.chain, r.entry, r.digest, r.body, u.number IS NOT NULL,"
    " (SELECT p.digest FROM records p WHERE p.chain = r.chain AND p.entry = r.entry - 1)"
    " FROM records r LEFT JOIN unsequenced u USING (number)"
    " WHERE NOT EXISTS (SELECT 1 FROM leaves l WHERE l.number = r.number) ORDER BY r.number"
)
_COLUMNS: Final = Check(
    "every sequenced record stands under the chain, entry and digest that its header names, and the tip is that of all",
    frozenset({Flaw.HEADS}),
    frozenset({Flaw.HEADER, Flaw.BODY, Flaw.MISSING}),
)


def verify_postgres(
    ledger: PostgresLedger,
    *,
    checkpoints: Sequence[Kept] = (),
    fast: bool = False,
    progress: Progress | None = None,
) -> Verification:
    """Check every record, and compare it with what was kept elsewhere: see `edca.ledger.verify.verify`.

    Raises `LedgerError` where the database can't be read.
    """
    scan = Scan(Comparison(tuple(checkpoints)), decoding=not fast, has_hints=False)
    try:
        with ledger.snapshot() as connection:
            waiting = _read(scan, connection, progress)
    except psycopg.Error as error:
        raise LedgerError(f"the database can't be read: {error}") from error
    tail = PAST_CHECKPOINT if scan.kept.believed else TAIL
    others = [BESIDE]
    if waiting:
        others.append(f"{counted(waiting)} committed and not sequenced yet: nothing but the database vouches for them")
    return verification(scan, (_COLUMNS,), tail, others)


def config_rows(ledger: PostgresLedger) -> list[tuple[int, bytes, bytes]]:
    """Return index, header and body of the node's config records, by the headers; whether they are sound isn't asked.

    Raises `LedgerError` where the database can't be read.
    """
    query: LiteralString = (
        "SELECT l.leaf, l.header, r.body FROM leaves l JOIN records r USING (number)"
        " WHERE substring(l.header FROM 7 FOR 2) = %s ORDER BY l.leaf"
    )
    try:
        with ledger.snapshot() as connection:
            return connection.execute(query, (ChainKind.CONFIG.to_bytes(2, "big"),)).fetchall()
    except psycopg.Error as error:
        raise LedgerError(f"the database can't be read: {error}") from error


def _read(scan: Scan, connection: Connection, progress: Progress | None) -> int:
    """Go through all that there is; return how many records are not sequenced yet."""
    row = connection.execute("SELECT count(*) FROM leaves").fetchone()
    total = 0 if row is None else int(row[0])
    scan.compare_signatures()
    scan.compare_kept()
    start = 0
    while rows := connection.execute(_ROWS, (start, _ROWS_A_READ)).fetchall():
        # A body that is gone is no body that was left out: it stands for nothing.
        scan.take([(leaf, None, header, b"" if body is None else body) for leaf, header, body, *_ in rows])
        for leaf, header, _, chain, entry, digest in rows:
            _compare_columns(scan, leaf, header, chain, entry, digest)
        start = rows[-1][0] + 1
        if progress is not None:
            progress(scan.range.size, total)
    try:
        tree, _ = sequenced_range(connection)
        if (tree.size, tree.root()) != (scan.range.size, scan.range.root()):
            scan.find(None, Flaw.HEADS, f"its tip is that of {counted(tree.size)}, and not that of those there are")
    except TamperedError as error:
        scan.find(None, Flaw.HEADS, str(error))
    scan.compare_end()
    return _unsequenced(scan, connection)


def _compare_columns(scan: Scan, index: int, header: bytes, chain: Any, entry: Any, digest: Any) -> None:
    try:
        leaf = Leaf.from_bytes(header)
    except LedgerFormatError:
        return  # the scan has told
    if chain is None:
        scan.find(index, Flaw.MISSING, "its header is there, and the record is not")
    elif (chain_tag(chain), entry, digest) != (leaf.chain, leaf.entry, leaf.body_digest):
        scan.find(index, Flaw.HEADS, f"it stands as entry {entry} of `{chain}`, which its header doesn't name")


def _unsequenced(scan: Scan, connection: Connection) -> int:
    """Check what has no place in the ledger yet, each record with the one before it in its chain."""
    rows = connection.execute(_UNSEQUENCED).fetchall()
    for _, chain, entry, digest, body, is_queued, before in rows:
        where = f"entry {entry} of `{chain}`, which is not sequenced"
        try:
            record = parse(body)
        except LedgerFormatError as error:
            scan.find(None, Flaw.BODY, f"{where}: {error}")
            continue
        if (record.chain, record.entry, body_digest(body)) != (chain, entry, digest):
            scan.find(None, Flaw.BODY, f"{where}: its body is that of another record")
        elif record.prev != (bytes(32) if entry == 0 else before):
            scan.find(None, Flaw.CHAIN, f"{where}, does not follow the entry before it")
        elif not is_queued:
            scan.find(None, Flaw.MISSING, f"{where}, will never be: it was taken out of the queue")
    return len(rows)
