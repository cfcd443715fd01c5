"""Engines for the routes' sources: credentials come from the environment or the host, and stay in the engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from edca.routing.errors import RouteError
from edca.routing.performing import WRITES

if TYPE_CHECKING:
    from collections.abc import Callable

BUSY_TIMEOUT_MS = 5_000


_FORMS = "it looks like `sqlite:///shop.db` or `postgresql+psycopg://user:password@host/shop`"


def open_engine(url: str, creator: Callable[[], Any] | None = None) -> sa.Engine:
    """Return an engine for a source; connects to nothing.

    `creator`, for SQLite, returns the one DB-API connection to use: an in-memory database filled by somebody else.
    Such a connection, and that of `sqlite://`, is shared by all uses, in any thread (`check_same_thread=False`). A file
    of SQLite is opened and never made, so that a slip in its name is found out at once.

    Raises `RouteError` for a URL that can't be understood, a driver that isn't installed, and a SQLite file that isn't
    there. The URL itself may hold a password, so no message repeats it.
    """
    try:
        parsed = sa.make_url(url)
    except ArgumentError:
        raise RouteError(f"the source's URL can't be read; {_FORMS}") from None
    dialect = parsed.get_backend_name()
    try:
        if dialect != "sqlite":
            return sa.create_engine(parsed, pool_pre_ping=True)
        shared = creator is not None or parsed.database in (None, "", ":memory:")
        options: dict[str, Any] = {"connect_args": {"check_same_thread": False}}
        if shared:
            options["poolclass"] = StaticPool
        else:
            parsed = _existing(parsed)
        if creator is not None:
            options["creator"] = creator
        engine = sa.create_engine(parsed, **options)
    except NoSuchModuleError:
        raise RouteError(f"no kind of database is called `{parsed.drivername}`; a source's URL: {_FORMS}") from None
    except ImportError as error:
        driver = f" (the Python package `{error.name}`)" if error.name else ""
        extra = "; run `pip install 'edca[postgres]'`" if dialect == "postgresql" else ""
        raise RouteError(f"no driver for {dialect} is installed{driver}{extra}") from None
    except ArgumentError:
        raise RouteError(f"the source's URL can't be used for {dialect}; {_FORMS}") from None
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _existing(url: sa.URL) -> sa.URL:
    """Return a SQLite file's URL so that connecting opens the file and never makes it. Raises `RouteError` for none."""
    name = url.database or ""
    if name.startswith("file:"):
        return url  # whoever writes SQLite's own URI says in it what may happen
    path = Path(name)
    if not path.is_file():
        raise RouteError(f"there is no database at `{name}`")
    # SQLAlchemy passes on what isn't its own; `mode=rw` is SQLite's word for "there already".
    return url.set(database=path.resolve().as_uri()).update_query_dict({"uri": "true", "mode": "rw"})


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
