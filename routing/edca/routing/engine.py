"""Engines for the routes' sources: credentials come from the environment or the host, and stay in the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import StaticPool

from edca.routing.errors import RouteError
from edca.routing.performing import WRITES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edca.routing.model import Routes

BUSY_TIMEOUT_MS = 5_000


def open_engine(url: str, creator: Callable[[], Any] | None = None) -> sa.Engine:
    """Return an engine for a source. Raises `RouteError` for a URL that can't be understood; connects to nothing.

    `creator`, for SQLite, returns the one DB-API connection to use: an in-memory database filled by somebody else.
    Such a connection, and that of `sqlite://`, is shared by all uses.
    """
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() != "sqlite":
            return sa.create_engine(parsed, pool_pre_ping=True)
        shared = creator is not None or parsed.database in (None, "", ":memory:")
        options: dict[str, Any] = {"connect_args": {"check_same_thread": False}}
        if shared:
            options["poolclass"] = StaticPool
        if creator is not None:
            options["creator"] = creator
        engine = sa.create_engine(parsed, **options)
    except (ArgumentError, ImportError) as error:
        # The URL itself may hold a password, so it isn't repeated.
        raise RouteError(f"the source's URL can't be used: {type(error).__name__}") from None
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def open_engines(routes: Routes, environment: Mapping[str, str]) -> dict[str, sa.Engine]:
    """Return an engine for each source of the routes. Raises `RouteError` for a variable that is missing or wrong."""
    engines: dict[str, sa.Engine] = {}
    for source in routes.sources:
        url = environment.get(source.env)
        if not url:
            raise RouteError(f"the source `{source.name}` needs its URL in the environment variable {source.env}")
        engines[source.name] = open_engine(url)
    return engines


def _prepare(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # Python's driver begins only before the first change: reads of several tables would see several moments, and a
    # change that follows a read could find the lock taken. So the transaction begins where SQLAlchemy says it does.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
