"""A bound on every value that a database sends: nothing larger is ever held in memory, whatever stands in a column.

SQLite is told not to build longer ones. PostgreSQL and MySQL have no such bound, so that each column's size is asked
for beside it, and a larger one isn't sent. Of other databases, drivers' own bounds hold.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.exc import DataError

VALUE_BYTES_MAX: Final = 1_000_000
_GUARDED: Final = ("postgresql", "mysql", "mariadb")


class _TooLarge:
    """Stands for a value that wasn't sent. No type accepts it."""


TOO_LARGE: Final = _TooLarge()


@contextmanager
def bounded(connection: sa.Connection) -> Iterator[None]:
    """Keep SQLite within the bound during the block: it raises `DataError` for a longer value (`has_length`)."""
    raw: Any = connection.connection.dbapi_connection
    if not isinstance(raw, sqlite3.Connection):
        yield
        return
    before = raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)
    try:
        yield
    finally:
        raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)


def has_length(error: DataError) -> bool:
    """Tell whether a value was longer than the bound."""
    return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_TOOBIG


def is_guarded(connection: sa.Connection) -> bool:
    """Tell whether the database has to be asked for sizes."""
    return connection.dialect.name in _GUARDED


def is_too_large(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Return the test whether a column's value is beyond the bound."""
    return sa.func.octet_length(sa.cast(column, sa.Text)) > sa.literal(VALUE_BYTES_MAX)
