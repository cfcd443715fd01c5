"""The comparison of routes with live schemas: every table and column that the routes name has to exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchTableError, SQLAlchemyError

from edca.diagnostics import CODES, Diagnostic, Label, closest, ordered
from edca.routing.errors import RouteError
from edca.routing.model import SourceRoute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.routing.connections import Connection
    from edca.routing.model import Routes


def check_against(routes: Routes, engines: Mapping[str, Connection]) -> tuple[Diagnostic, ...]:
    """Return what the routes name and the sources don't have (R005, R006), and keys that aren't unique (R011).

    Raises `RouteError` where a source can't be looked at.
    """
    found: list[Diagnostic] = []
    for source in routes.sources:
        if not isinstance(source, SourceRoute):
            continue
        engine = engines.get(source.name)
        if not isinstance(engine, sa.Engine):
            raise RouteError(f"no engine for the source `{source.name}`")
        try:
            found += _check_source(routes, source, sa.inspect(engine))
        except SQLAlchemyError as error:
            raise RouteError(f"the source `{source.name}` can't be looked at: {type(error).__name__}") from error
    return ordered(found, cap=None).diagnostics


def _check_source(routes: Routes, source: SourceRoute, inspector: sa.Inspector) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    tables = sorted({*inspector.get_table_names(), *inspector.get_view_names()})
    columns: dict[str, list[str]] = {}
    for identifier in routes.identifiers:
        if identifier.source != source.name:
            continue
        table = identifier.table
        if table not in columns:
            columns[table] = _columns(inspector, table) if table in tables else []
        if table not in tables:
            if identifier.column is None:
                message, repair = f"`{source.name}` has no table `{table}`", _likely(table, tables)
                found.append(Diagnostic(CODES["R005"], message, Label(identifier.span), help=repair))
        elif identifier.column is not None and identifier.column not in columns[table]:
            message = f"`{table}` has no column `{identifier.column}`"
            repair = _likely(identifier.column, columns[table])
            found.append(Diagnostic(CODES["R006"], message, Label(identifier.span), help=repair))
    return found + _check_applied(routes, source, inspector, tables)


def _check_applied(routes: Routes, source: SourceRoute, inspector: sa.Inspector, tables: list[str]) -> list[Diagnostic]:
    """Report a memory of performed effects that would take one key twice: it could not stop a second effect."""
    applied = source.applied
    if applied is None or applied.table not in tables:
        return []
    unique = [[*inspector.get_pk_constraint(applied.table)["constrained_columns"]]]
    unique += [[*found["column_names"]] for found in inspector.get_unique_constraints(applied.table)]
    unique += [
        [name for name in found["column_names"] if name is not None]
        for found in inspector.get_indexes(applied.table)
        # An index over an expression has a column without a name: it makes no column unique.
        if found["unique"] and None not in found["column_names"]
    ]
    if [applied.key] in unique:
        return []
    span = next(
        identifier.span
        for identifier in routes.identifiers
        if (identifier.source, identifier.table, identifier.column) == (source.name, applied.table, applied.key)
    )
    message = f"`{applied.key}` isn't unique in `{applied.table}`, so one effect could be performed twice"
    return [Diagnostic(CODES["R011"], message, Label(span), help="make it the primary key")]


def _columns(inspector: sa.Inspector, table: str) -> list[str]:
    try:
        return [column["name"] for column in inspector.get_columns(table)]
    except NoSuchTableError:
        return []


def _likely(name: str, known: list[str]) -> str | None:
    likely = closest(name, known)
    return f"did you mean `{likely}`?" if likely else None
