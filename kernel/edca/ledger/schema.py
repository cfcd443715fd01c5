"""The tables of the embedded store, and the settings of a connection to it."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from edca.ledger.copying import copied, sync_folder
from edca.ledger.durability import SQLITE_VERSION_MIN, Durability
from edca.ledger.errors import LedgerBusyError, LedgerError, LedgerFormatError, SchemaError, TamperedError
from edca.ledger.vault import NAMES as VAULT_NAMES
from edca.ledger.vault import TABLES as VAULT_TABLES

APPLICATION_ID: Final = int.from_bytes(b"EDCA", "big")
SCHEMA_VERSION: Final = 1

BUSY_TIMEOUT_S: Final = 5.0
"""How long a commit waits for readers to finish a page of rows before it gives up, having written nothing."""

READ_ERRORS: Final = (sqlite3.Error, UnicodeDecodeError)
"""What a damaged file raises: SQLite may quote the damage in its message, which Python then can't decode."""

_DAMAGED_HELP: Final = "restore a copy, and compare it with a kept checkpoint"

_CACHE_KIB: Final = 65_536
"""How much of the file a writer keeps in memory: the keys of cells are digests, so each look-up is somewhere else."""

# `back` is the index of the chain's previous record. It is a hint for reading one chain without an index on
# it, checked against the headers whenever it is followed; an index would cost every commit a second random
# write.
_TABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ledger": "CREATE TABLE ledger(leaf INTEGER PRIMARY KEY, back INTEGER, header BLOB NOT NULL,"
        " body BLOB NOT NULL) STRICT",
        "chains": "CREATE TABLE chains(chain TEXT PRIMARY KEY, entry INTEGER NOT NULL, leaf INTEGER NOT NULL,"
        " head BLOB NOT NULL) STRICT, WITHOUT ROWID",
        "cells": "CREATE TABLE cells(space TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY(space, key))"
        " STRICT, WITHOUT ROWID",
    }
)
_TRIGGERS: Final = (
    # Against accidents, not against people: whoever can write the file can drop a trigger, and the verifier
    # then finds what they changed.
    "CREATE TRIGGER ledger_keeps_records_unchanged BEFORE UPDATE ON ledger"
    " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
    "CREATE TRIGGER ledger_keeps_records BEFORE DELETE ON ledger"
    " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
)

MIGRATIONS: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType({})
"""The statements that lead from each older schema version to the next one. They never touch the rows of `ledger`."""


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open the file; `mode` is SQLite's `ro`, `rw` or `rwc`. Transactions are begun by hand."""
    if sqlite3.sqlite_version_info < SQLITE_VERSION_MIN:
        needed = ".".join(map(str, SQLITE_VERSION_MIN))
        raise LedgerError(f"SQLite {sqlite3.sqlite_version} is too old, {needed} or newer is needed")
    try:
        return sqlite3.connect(
            f"{path.as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
    except READ_ERRORS as error:
        raise translated(error, path) from error


def begin(connection: sqlite3.Connection, path: Path) -> bool:
    """Begin a transaction for a block of reads, and tell whether none was under way; not for who only reads the file.

    A read on its own locks and unlocks the file. Who only reads would hold up the writer's commits in one.
    """
    try:
        if connection.in_transaction:
            return False
        connection.execute("BEGIN")
    except sqlite3.Error as error:
        raise translated(error, path) from error
    return True


def primary_code(error: Exception) -> int:
    """Return SQLite's result code without the extended bits; errors of Python's own module have none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def translated(error: Exception, path: Path) -> LedgerError:
    """Say what one of `READ_ERRORS`, met outside a commit, means for the ledger at `path`."""
    code = primary_code(error)
    if code == sqlite3.SQLITE_BUSY:
        return LedgerBusyError(f"`{path}` is in use, try again")
    if code == sqlite3.SQLITE_NOTADB:
        return LedgerFormatError(f"`{path}` is not a SQLite database")
    # The second is how Python's own module says it of a text column.
    is_garbled = isinstance(error, UnicodeDecodeError) or str(error).startswith("Could not decode to UTF-8")
    if code == sqlite3.SQLITE_CORRUPT or is_garbled:
        return TamperedError(f"`{path}` is damaged ({error}); {_DAMAGED_HELP}")
    if code == sqlite3.SQLITE_READONLY:
        # A reader may not roll back what a killed writer left in the journal.
        return LedgerError(f"`{path}` holds an unfinished commit; open it once for writing to roll that back")
    return LedgerError(f"`{path}` can't be used: {error}")


def prepare(connection: sqlite3.Connection, path: Path, durability: Durability | None) -> None:
    """Check an existing file, or make the tables in a new one; `durability` is None for a reader.

    Raises `LedgerFormatError` for another kind of file, `TamperedError` for a damaged one,
    `LedgerBusyError` if a reader keeps the journal mode from being set.
    """
    try:
        application, version = _scalar(connection, "application_id"), _scalar(connection, "user_version")
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    except READ_ERRORS as error:
        raise translated(error, path) from error
    is_new = (application, version, tables) == (0, 0, 0)
    if not is_new and application != APPLICATION_ID:
        raise LedgerFormatError(f"`{path}` is a SQLite database, but not a ledger")
    if not is_new:
        _check_version(path, version, may_write=durability is not None)
    if is_new and durability is None:
        raise LedgerFormatError(f"`{path}` is empty")
    if not is_new and version == SCHEMA_VERSION:
        _check_tables(connection, path)
    try:
        _check_pages(connection, path)
        connection.execute("PRAGMA trusted_schema = OFF")
        if durability is not None:
            _make_durable(connection, path, durability)
            if is_new:
                _create(connection)
            elif version != SCHEMA_VERSION:
                _migrate(connection, path, version)
            if not has_vault(connection, path):
                _create_vault(connection)
    except READ_ERRORS as error:
        raise translated(error, path) from error


def _check_version(path: Path, version: int, *, may_write: bool) -> None:
    """Raise `SchemaError` for tables that this program neither reads nor leads on to its own."""
    if version == SCHEMA_VERSION:
        return
    told = f"`{path}` has schema version {version}, and this program reads {SCHEMA_VERSION}"
    if version > SCHEMA_VERSION:
        raise SchemaError(f"{told}: a newer version of EDCA has written it")
    if any(step not in MIGRATIONS for step in range(version, SCHEMA_VERSION)):
        raise SchemaError(f"{told}: no migration leads there")
    if not may_write:
        raise SchemaError(f"{told}: open it once for writing to bring it up to date")


def _migrate(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Bring the tables up to date in one transaction, after a copy of the file was put beside it.

    Raises `LedgerError` where the copy can't be made: then nothing is changed.
    """
    copy = path.with_name(f"{path.name}.schema-{version}")
    if not copy.exists():  # a migration that was cut short has made one already
        unfinished = path.with_name(f"{copy.name}.unfinished")
        unfinished.unlink(missing_ok=True)
        copied(connection, unfinished)
        unfinished.replace(copy)
        sync_folder(copy.parent)
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in range(version, SCHEMA_VERSION):
            for statement in MIGRATIONS[step]:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:  # an interrupt, too, leaves the older version as it was
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def strange(connection: sqlite3.Connection) -> list[str]:
    """Return what of a file's tables, indexes and triggers makes it read or behave otherwise than a ledger, by name.

    A view could compute rows without end; a table made otherwise could hold two rows of one key, of which each reader
    sees another; a trigger could write, and an index show, what no table holds. Tables that are nobody's do no harm.
    Raises `READ_ERRORS`.
    """
    found = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name").fetchall()
    return [
        name
        for kind, name, sql in found
        if (name in _TABLES and sql != _TABLES[name])
        or (kind in ("index", "trigger") and sql is not None and sql not in _TRIGGERS)
    ]


def _check_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `TamperedError` unless the tables are those that this program makes."""
    real = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name IN (?, ?, ?)"
    try:
        count, others = connection.execute(real, tuple(_TABLES)).fetchone()[0], strange(connection)
    except READ_ERRORS as error:
        raise translated(error, path) from error
    if count != len(_TABLES):
        raise TamperedError(f"`{path}` lacks a table of the ledger, or has something else in its place")
    if others:
        raise TamperedError(f"`{path}` has `{others[0]}`, which no ledger has, or has made so; {_DAMAGED_HELP}")


def has_vault(connection: sqlite3.Connection, path: Path) -> bool:
    """Tell whether the file has a vault: one that was made before there were any, and was only read since, has none."""
    real = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name IN (?, ?)"
    try:
        return bool(connection.execute(real, VAULT_NAMES).fetchone()[0] == len(VAULT_NAMES))
    except READ_ERRORS as error:
        raise translated(error, path) from error


def _create_vault(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in VAULT_TABLES:
        connection.execute(statement)
    connection.execute("COMMIT")


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    """Walk every page once: a broken page must be known before a record is chained to it."""
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise TamperedError(f"`{path}` is damaged ({found}); restore a copy, and compare it with a kept checkpoint")


def _make_durable(connection: sqlite3.Connection, path: Path, durability: Durability) -> None:
    """Set journal and syncs, and check what SQLite made of it: a refused setting is no error to SQLite."""
    mode = connection.execute(f"PRAGMA journal_mode = {durability.journal_mode}").fetchone()[0]
    if mode != durability.journal_mode:
        raise LedgerError(f"`{path}` can't use the journal mode `{durability.journal_mode}`, only `{mode}`")
    connection.execute(f"PRAGMA synchronous = {durability.synchronous}")
    # On macOS a plain fsync leaves data in the drive's cache; elsewhere these two change nothing.
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in (*_TABLES.values(), *_TRIGGERS, *VAULT_TABLES):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _scalar(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
