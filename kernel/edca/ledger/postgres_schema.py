"""The tables of the PostgreSQL store, the settings of a connection to it, and what its errors mean.

All tables lie in one schema of the database. Rows of `records` and `leaves` are only ever inserted; `unsequenced` is
the queue of records that have no leaf yet, in the order in which their commits held their locks.
"""

import re
from typing import Any, Final, LiteralString

import psycopg
from psycopg import errors, sql

from edca.ledger.errors import LedgerBusyError, LedgerError, LedgerFormatError, StaleError

Connection = psycopg.Connection[tuple[Any, ...]]

SCHEMA_VERSION: Final = 2
LOCK_TIMEOUT_MS: Final = 10_000
"""How long a commit waits for the locks of others before it gives up, having written nothing."""

_CONNECT_TIMEOUT_S: Final = 10
_TABLES: Final[tuple[LiteralString, ...]] = (
    "CREATE TABLE meta(version int NOT NULL)",
    "CREATE SEQUENCE numbers AS bigint MINVALUE 0 START 0",
    # One record per entry of a chain: the database enforces it, whatever the nodes believe.
    'CREATE TABLE records(number bigint PRIMARY KEY, chain text COLLATE "C" NOT NULL, entry bigint NOT NULL,'
    " digest bytea NOT NULL, body bytea NOT NULL, UNIQUE(chain, entry))",
    # A place is drawn while its commit holds all its locks. So of two commits of which one has read what the other
    # has written, or has written what the other has read, the earlier one has the lower place.
    "CREATE TABLE unsequenced(place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number bigint NOT NULL)",
    "CREATE TABLE leaves(leaf bigint PRIMARY KEY, number bigint NOT NULL UNIQUE, header bytea NOT NULL)",
    "CREATE TABLE tip(one bool PRIMARY KEY DEFAULT true CHECK (one), size bigint NOT NULL, hash bytea NOT NULL,"
    " subtrees bytea NOT NULL)",
    'CREATE TABLE cells(space text COLLATE "C", key text COLLATE "C", value bytea NOT NULL, PRIMARY KEY(space, key))',
    "CREATE TABLE leases(name text PRIMARY KEY, holder text NOT NULL, until timestamptz NOT NULL)",
    # What is personal: see `edca.ledger.vault`. A number is that of a record, and its row goes when it is erased.
    'CREATE TABLE vault_keys(scope text COLLATE "C" PRIMARY KEY, subject text NOT NULL, key bytea NOT NULL,'
    " name bytea NOT NULL)",
    'CREATE TABLE vault(number bigint PRIMARY KEY, scope text COLLATE "C" NOT NULL, asker text NOT NULL,'
    " sealed bytea NOT NULL)",
    "CREATE INDEX vault_by_scope ON vault(scope)",
    # Against accidents, not against people: whoever owns the tables can drop a trigger, and the verifier then finds
    # what they changed.
    "CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$",
    "CREATE TRIGGER keeps_records BEFORE UPDATE OR DELETE OR TRUNCATE ON records EXECUTE FUNCTION append_only()",
    "CREATE TRIGGER keeps_leaves BEFORE UPDATE OR DELETE OR TRUNCATE ON leaves EXECUTE FUNCTION append_only()",
)

LOST: Final = (psycopg.OperationalError, psycopg.InterfaceError)
"""What a connection raises that is gone; statements that the server refused raise subclasses of their own."""

_CONTENDED: Final = (
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.SerializationFailure,
    errors.UniqueViolation,
)


def connect(dsn: str, schema: str, *, readonly: bool) -> Connection:
    """Open a connection on which every commit is durable on return. Raises `LedgerError` where there is none to be had.

    Transactions are begun by hand.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", schema):
        raise LedgerError(f"`{schema}` is no name of a schema: small letters, digits and underscores")
    try:
        connection: Connection = psycopg.connect(
            dsn,
            autocommit=True,
            connect_timeout=_CONNECT_TIMEOUT_S,
            application_name="edca",
            options=f"-c search_path={schema} -c client_encoding=UTF8",
        )
    except psycopg.Error as error:
        raise translated(error) from error
    try:
        connection.execute("SET synchronous_commit = on")
        if readonly:
            connection.execute("SET default_transaction_read_only = on")
    except psycopg.Error as error:
        connection.close()
        raise translated(error) from error
    return connection


def is_gone(connection: Connection, error: BaseException) -> bool:
    """Tell whether that error means that the connection is lost, and not only a statement refused."""
    return connection.closed or connection.broken or (isinstance(error, LOST) and error.sqlstate is None)


def translated(error: psycopg.Error) -> LedgerError:
    """Say what an error means that was met where nothing can have been committed."""
    said = str(error).strip().split("\n")[0]
    match error:
        case errors.UndefinedTable() | errors.InvalidSchemaName():
            return LedgerFormatError("the database holds no ledger in that schema")
        case errors.InsufficientPrivilege() | errors.ReadOnlySqlTransaction():
            return LedgerError(f"the database refuses it: {said}")
        case _ if isinstance(error, _CONTENDED):
            return StaleError(f"others are at the same: {said}")
        case errors.AdminShutdown() | errors.CrashShutdown() | errors.CannotConnectNow() | errors.TooManyConnections():
            return StaleError(f"the database is not there just now: {said}")
        case psycopg.OperationalError() | psycopg.InterfaceError() if error.sqlstate is None:
            return StaleError(f"the database can't be reached: {said}")
        case errors.OutOfMemory():  # its table of locks is full, too
            return LedgerBusyError(f"the database has no room for it now: {said}")
        case _:
            return LedgerError(f"the database can't do that: {said}")


def prepare(connection: Connection, schema: str, *, create: bool, durable: bool) -> None:
    """Check the ledger that is there, or make its tables where there is none and `create` allows it.

    Raises `LedgerFormatError` where there is none, or one of another version, and `LedgerError` for a server that loses
    what it has acknowledged.
    """
    try:
        if durable:
            for setting in ("fsync", "full_page_writes"):
                if _one(connection, "SELECT current_setting(%s)", (setting,)) != "on":
                    raise LedgerError(f"the server runs with `{setting} = off`, and would lose acknowledged records")
        if _one(connection, "SELECT current_setting('server_encoding')") != "UTF8":
            raise LedgerError("a ledger's database has the encoding UTF8")
        if create:
            _create(connection, schema)
        version = _one(connection, "SELECT version FROM meta")
    except psycopg.Error as error:
        raise translated(error) from error
    if version != SCHEMA_VERSION:
        raise LedgerFormatError(f"the ledger has schema version {version}; this program reads {SCHEMA_VERSION}")


def _create(connection: Connection, schema: str) -> None:
    """Make what isn't there yet; nodes that start at the same time do it one after the other."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"edca:create:{schema}",))
        if _one(connection, "SELECT to_regclass('meta') IS NOT NULL"):
            return
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES(%s)", (SCHEMA_VERSION,))
        connection.execute("INSERT INTO tip(size, hash, subtrees) VALUES(0, %s, '')", (bytes(32),))


def _one(connection: Connection, query: LiteralString, parameters: tuple[Any, ...] = ()) -> Any:
    row = connection.execute(query, parameters).fetchone()
    return None if row is None else row[0]
