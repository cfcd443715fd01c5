"""Rows of the embedded store: written from what is staged, and checked when they are read."""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from edca.ledger.errors import LedgerError, LedgerFormatError, TamperedError
from edca.ledger.leaf import Leaf, chain_tag
from edca.ledger.record import CHAIN_SIZE_MAX, RECORD_SIZE_MAX, body_digest
from edca.ledger.staging import Staged
from edca.ledger.store import Cell, StoredRecord

_INSERT_RECORD: Final = "INSERT INTO ledger(leaf, back, header, body) VALUES(?, ?, ?, ?)"
_MOVE_HEAD: Final = (
    "INSERT INTO chains(chain, entry, leaf, head) VALUES(?, ?, ?, ?) ON CONFLICT(chain) DO UPDATE"
    " SET entry = excluded.entry, leaf = excluded.leaf, head = excluded.head"
)
_PUT_CELL: Final = (
    "INSERT INTO cells(space, key, value) VALUES(?, ?, ?) ON CONFLICT(space, key) DO UPDATE SET value = excluded.value"
)
FORGETFUL: Final = "PRAGMA secure_delete = ON"
"""From then on the connection overwrites what it deletes with zeros, so that no page keeps a key that was destroyed."""
_PUT_KEY: Final = (
    "INSERT INTO vault_keys(scope, subject, key, name) VALUES(?, ?, ?, ?) ON CONFLICT(scope) DO UPDATE"
    " SET subject = excluded.subject, key = excluded.key, name = excluded.name"
)
_DROP_KEY: Final = "DELETE FROM vault_keys WHERE scope = ?"
_DROP_SCOPE: Final = "DELETE FROM vault WHERE scope = ?"
_DROP_VALUES: Final = "DELETE FROM vault WHERE number = ?"
_PUT_VALUES: Final = "INSERT INTO vault(number, scope, asker, sealed) VALUES(?, ?, ?, ?)"
_DROP_CELL: Final = "DELETE FROM cells WHERE space = ? AND key = ?"


def write(connection: sqlite3.Connection, staged: Staged) -> None:
    """Write what is staged in one transaction, durable on return. Raises what SQLite raises, with it still open.

    Where reading has begun a transaction, that is the one.
    """
    kept = [(space, key, value) for (space, key), value in staged.cells.items() if value is not None]
    dropped = [place for place, value in staged.cells.items() if value is None]
    if staged.keys or staged.dropped:
        connection.execute(FORGETFUL)
    if not connection.in_transaction:
        connection.execute("BEGIN IMMEDIATE")
    connection.executemany(_INSERT_RECORD, staged.rows)
    connection.executemany(_MOVE_HEAD, [(chain, *head) for chain, head in staged.heads.items()])
    connection.executemany(_PUT_CELL, kept)
    connection.executemany(_DROP_CELL, dropped)
    if staged.vault or staged.keys or staged.dropped:
        connection.executemany(_DROP_KEY, [(scope,) for scope, key in staged.keys.items() if key is None])
        connection.executemany(_PUT_KEY, [(scope, *key) for scope, key in staged.keys.items() if key is not None])
        connection.executemany(_DROP_SCOPE, [(scope,) for scope in staged.destroyed])
        connection.executemany(_DROP_VALUES, [(number,) for number in staged.dropped])
        connection.executemany(_PUT_VALUES, [(index, *row) for index, row in staged.vault.items()])
    connection.execute("COMMIT")


def leaf_of(index: int, header: bytes) -> Leaf:
    """Return the header of the record at `index`. Raises `TamperedError` for one that is none, or of another record."""
    try:
        leaf = Leaf.from_bytes(header)
    except LedgerFormatError as error:
        raise TamperedError(f"record {index}: {error}") from error
    if leaf.index != index:
        raise TamperedError(f"record {index} carries the header of record {leaf.index}")
    return leaf


def stored_record(index: int, header: bytes, body: bytes) -> StoredRecord:
    """Return the record of a row. Raises `TamperedError` where header and body contradict each other."""
    leaf = leaf_of(index, header)
    if body_digest(body) != leaf.body_digest:
        raise TamperedError(f"the body of record {index} is not the one its header was made for")
    return StoredRecord.of(leaf, body)


Link: TypeAlias = tuple[int | None, bytes]
"""What a row says of its place in its chain: the index of the chain's record before it, and its header."""


def walked_back(chain: str, index: int | None, start: int, link: Callable[[int], Link | None]) -> list[int]:
    """Return the indexes of a chain's records from `start` to `index`, oldest first, by each row's hint.

    Raises `TamperedError` where a hint leads to a record of another chain, to none, or forward.
    """
    tag, indexes = chain_tag(chain), list[int]()
    while index is not None and index >= start:
        row = link(index)
        if row is None or leaf_of(index, row[1]).chain != tag:
            raise TamperedError(f"record {index} should belong to chain `{chain}` and does not; verify the ledger")
        indexes.append(index)
        if row[0] is not None and row[0] >= index:
            raise TamperedError(f"record {index} points forward to {row[0]}; verify the ledger")
        index = row[0]
    indexes.reverse()
    return indexes


def check_heads(headers: Iterable[tuple[int, bytes]], heads: Iterable[tuple[str, int, int, bytes]]) -> None:
    """Raise `TamperedError` where the table of newest records is not what the headers say.

    Headers come in order. A chain whose head was lost would start anew.
    """
    leaves = (leaf_of(index, header) for index, header in headers)
    newest = {leaf.chain: (leaf.entry, leaf.index, leaf.body_digest) for leaf in leaves}
    if newest != {chain_tag(chain): (entry, leaf, head) for chain, entry, leaf, head in heads}:
        raise TamperedError("the newest records of the chains are not those that the ledger names; verify it")


def check_cell(cell: Cell) -> None:
    """Raise `LedgerError`, before a transaction begins, for what would fail inside it."""
    try:
        size = max(len(cell.space.encode()), len(cell.key.encode()))
    except UnicodeEncodeError as error:
        raise LedgerError("a cell's space and key are text without lone surrogates") from error
    if size > CHAIN_SIZE_MAX:
        raise LedgerError(f"a cell's space and key have at most {CHAIN_SIZE_MAX} bytes each")
    if cell.value is not None and len(cell.value) > RECORD_SIZE_MAX:
        raise LedgerError(f"a cell has {len(cell.value)} bytes, over the limit of {RECORD_SIZE_MAX}")
