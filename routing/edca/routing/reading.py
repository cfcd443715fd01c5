"""Reading the instances of one entity: one SELECT for its own row, one for each other table, none for an instance.

Statements are SQLAlchemy Core expressions over the routes' names; nothing of a source's schema is looked up, and no
text of a routes file becomes SQL except as a quoted identifier or a bound value.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import DataError

from edca.kernel.types import describe
from edca.kernel.values import Unknown, Value
from edca.routing.bounds import TOO_LARGE, bounded, has_length, is_guarded, is_too_large
from edca.routing.codec import columns, read, read_shape, same_code, scalars, worst, write
from edca.routing.drift import Drift, Notice, kind_of, unnoticed
from edca.routing.model import (
    ColumnRoute,
    EntityRoute,
    FieldRoute,
    ListField,
    Matching,
    OwnField,
    RowField,
    Stored,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edca.kernel.facts import Key

KEY_COUNT_MAX = 200
"""Keys in one statement: well inside every driver's limit of bound values, key parts included."""

_DRIFTS_MAX = 20  # of one field, for operators: enough to see what happened
_ROWS_A_KEY = 16  # rows of another table that a statement for many keys takes for each, on average

Row: TypeAlias = "Mapping[ColumnRoute, object]"


@dataclass(frozen=True, slots=True)
class Found:
    """What the source holds of one instance, and for how long it has held it at least, in microseconds."""

    state: str | Unknown | None
    fields: Mapping[str, Value | Unknown]
    age_us: int = 0


@dataclass(frozen=True, slots=True)
class EntityReader:
    """Reads one entity by its route; `notice` is told of what isn't as the route says."""

    route: EntityRoute
    notice: Notice = unnoticed

    def read(self, connection: sa.Connection, keys: Sequence[Key], fields: Sequence[str]) -> dict[Key, Found]:
        """Return what is found, by key; a key that isn't in the answer isn't in the source.

        Raises whatever the driver raises.
        """
        found: dict[Key, Found] = {}
        distinct = list(dict.fromkeys(keys))
        for start in range(0, len(distinct), KEY_COUNT_MAX):
            found |= self._bounded(connection, distinct[start : start + KEY_COUNT_MAX], fields)
        return found

    def _bounded(self, connection: sa.Connection, keys: Sequence[Key], fields: Sequence[str]) -> dict[Key, Found]:
        """Read keys together; where a value is too large to be looked at, one by one, so that only its own is lost."""
        try:
            with bounded(connection):
                return self._chunk(connection, keys, fields)
        except DataError as error:
            if not has_length(error):
                raise
        if len(keys) > 1:
            return {key: one for each in keys for key, one in self._bounded(connection, [each], fields).items()}
        self._drifted(None, self.route.table, "values of a bounded size", "a value that is too large")
        unknown = dict.fromkeys(fields, Unknown.DRIFT)
        return {keys[0]: Found(None if self.route.state is None else Unknown.DRIFT, unknown)}

    def allot(self, connection: sa.Connection) -> Key | None:
        """Return the first key on offer that no instance has, or null."""
        allot, route = self.route.allot, self.route
        if allot is None:
            return None
        offered = sa.table(allot.table, *_columns((allot.column, *allot.by))).alias("offered")
        taken = sa.table(route.table, *_columns((route.key[0].at.column,)))
        column = offered.c[allot.column]
        statement = (
            sa.select(column)
            .where(~sa.exists().where(taken.c[route.key[0].at.column] == column))
            .order_by(*(offered.c[name] for name in allot.by))
            .limit(1)
        )
        row = connection.execute(statement).first()
        value = read(route.key[0].codec, row[0]) if row is not None else Unknown.MISSING
        return None if isinstance(value, Unknown) else (value,)

    def _chunk(self, connection: sa.Connection, keys: Sequence[Key], fields: Sequence[str]) -> dict[Key, Found]:
        routes = [self.route.field(name) for name in fields]
        own = [route for route in routes if isinstance(route, OwnField)]
        wanted = [at for route in own for at in columns(route.shape)]
        if self.route.state is not None:
            wanted.append(self.route.state.at)
        rows = self._select(connection, keys, wanted, None, None)
        found: dict[Key, dict[str, Value | Unknown]] = {key: {} for key in keys if rows[key]}
        for matching, others in _by_matching(routes).items():
            # Also where nothing is found: what isn't there must take as long to ask for as what is.
            of_others = self._others(connection, list(found or keys), matching, others)
            for key, values in found.items():
                for other in others:
                    values[other.name] = _other_value(other, of_others[key])
                    self._look(other, values[other.name], of_others[key])
        for key, values in found.items():
            for route in own:
                values[route.name] = _own_value(route, rows[key])
                self._look(route, values[route.name], rows[key])
        return {key: Found(self._state(rows[key]), values) for key, values in found.items()}

    def _state(self, rows: Sequence[Row]) -> str | Unknown | None:
        state = self.route.state
        if state is None:
            return None
        if len(rows) > 1:
            return Unknown.DRIFT
        stored = rows[0][state.at]
        if stored is None:
            return Unknown.MISSING
        found = next((name for name, code in state.codes if same_code(code, stored)), None)
        if found is None:
            self._drifted(None, f"{state.at.table}.{state.at.column}", "the code of a state", kind_of(stored))
        return Unknown.DRIFT if found is None else found

    def _look(self, route: FieldRoute, value: Value | Unknown, rows: Sequence[Row]) -> None:
        """Tell of the columns by which a value has drifted, or that there are too many rows or too few."""
        if value is not Unknown.DRIFT:
            return
        wrong = [
            (at, codec, row[at])
            for row in rows
            for at, codec in scalars(route.shape)
            if read(codec, row[at]) is Unknown.DRIFT
        ]
        for at, codec, stored in wrong[:_DRIFTS_MAX]:
            self._drifted(route.name, f"{at.table}.{at.column}", describe(codec.type), kind_of(stored))
        if not wrong:
            table = self.route.table if isinstance(route, OwnField) else route.rows.table
            self._drifted(route.name, table, "as many rows as the route says", f"{len(rows)} or more")

    def _drifted(self, name: str | None, place: str, expected: str, found: str) -> None:
        self.notice(Drift(self.route.name, name, self.route.source, place, expected, found))

    def _others(
        self,
        connection: sa.Connection,
        keys: Sequence[Key],
        matching: Matching,
        routes: Sequence[RowField | ListField],
    ) -> Mapping[Key, Sequence[Row]]:
        """Return the matching rows of another table, by our key.

        One statement serves all keys. Its size is bounded by a limit; where rows reach it, some key has too many, and
        each key is read by itself, so that the rows of one can't crowd out another's.
        """
        if not keys:
            return {}
        wanted = list(dict.fromkeys(at for route in routes for at in columns(route.shape)))
        each = max(_row_count_max(route) for route in routes)
        limit = each if len(keys) == 1 else len(keys) * max(each, _ROWS_A_KEY)
        rows = self._select(connection, keys, wanted, matching, limit)
        if len(keys) > 1 and sum(len(of_key) for of_key in rows.values()) >= limit:
            rows = {key: self._select(connection, [key], wanted, matching, each)[key] for key in keys}
        return rows

    def _select(
        self,
        connection: sa.Connection,
        keys: Sequence[Key],
        wanted: Sequence[ColumnRoute],
        matching: Matching | None,
        limit: int | None,
    ) -> Mapping[Key, Sequence[Row]]:
        """Return rows by key: of the entity's own tables, or (`matching`) of another table tied to them."""
        key_columns = [cell.at for cell in self.route.key]
        own = [*key_columns, *(at for _, at in matching.same)] if matching else [*key_columns, *wanted]
        tables = self._own_tables(own)
        source = self._joined(tables)
        guarded = is_guarded(connection)
        chosen: list[sa.ColumnElement[Any]] = [tables[at.table].c[at.column] for at in key_columns]
        if matching is None:
            chosen += _guarded([tables[at.table].c[at.column] for at in wanted], guarded)
            statement = sa.select(*_labelled(chosen)).select_from(source)
        else:
            other = _other_table(matching, wanted)
            tied = [other.c[theirs] == tables[ours.table].c[ours.column] for theirs, ours in matching.same]
            chosen += _guarded([other.c[at.column] for at in wanted], guarded)
            order = [other.c[name] for name in matching.by]
            statement = (
                sa.select(*_labelled(chosen))
                .select_from(source.join(other, sa.and_(*tied)))
                .where(*(_equals(other.c[name], value) for name, value in matching.fixed))
                .order_by(*(column.desc() if matching.descending else column for column in order))
            )
        statement = statement.where(self._has_key(chosen[: len(key_columns)], keys))
        if limit is not None:
            statement = statement.limit(limit)
        # A key that drifted holds an unknown part; nobody asked for it, so nobody finds it.
        rows: defaultdict[tuple[object, ...], list[Row]] = defaultdict(list)
        for row in connection.execute(statement):
            key = tuple(read(cell.codec, row[index]) for index, cell in enumerate(self.route.key))
            values: Sequence[object] = row[len(key) :]
            if guarded:
                pairs = zip(values[: len(wanted)], values[len(wanted) :], strict=True)
                values = [TOO_LARGE if too_large else value for value, too_large in pairs]
            rows[key].append(dict(zip(wanted, values, strict=True)))
        return {key: rows[key] for key in keys}

    def _has_key(self, key: Sequence[sa.ColumnElement[Any]], keys: Sequence[Key]) -> sa.ColumnElement[bool]:
        cells = self.route.key
        stored = [tuple(write(cell.codec, part) for cell, part in zip(cells, each, strict=True)) for each in keys]
        if len(stored) == 1:
            return sa.and_(*(_equals(column, part) for column, part in zip(key, stored[0], strict=True)))
        if len(key) == 1:
            parts = [part for (part,) in stored]
            return key[0].in_(sa.bindparam("keys", parts, type_=sa.types.NullType(), expanding=True))
        return sa.tuple_(*key).in_(stored)

    def _own_tables(self, used: Sequence[ColumnRoute]) -> dict[str, sa.TableClause]:
        """Return the entity's own table and those joined tables that are used."""
        names: dict[str, list[str]] = {self.route.table: []}
        for at in used:
            names.setdefault(at.table, []).append(at.column)
        for join in self.route.joins:
            if join.table in names:
                names[join.table] += [theirs for theirs, _ in join.on]
                names[self.route.table] += [ours for _, ours in join.on]
        return {table: sa.table(table, *_columns(found)) for table, found in names.items()}

    def _joined(self, tables: Mapping[str, sa.TableClause]) -> sa.FromClause:
        main = tables[self.route.table]
        source: sa.FromClause = main
        for join in self.route.joins:
            if join.table in tables:
                theirs = tables[join.table]
                on = [theirs.c[their] == main.c[our] for their, our in join.on]
                source = source.outerjoin(theirs, sa.and_(*on))
        return source


def _columns(names: Sequence[str]) -> list[sa.ColumnClause[Any]]:
    # Without a type a column's content comes as the driver gives it, and a value goes as it is: the codecs are exact
    # and need no conversion of anybody else's.
    return [sa.column(name) for name in dict.fromkeys(names)]


def _other_table(matching: Matching, wanted: Sequence[ColumnRoute]) -> sa.FromClause:
    names = [theirs for theirs, _ in matching.same]
    names += [name for name, _ in matching.fixed]
    names += matching.by
    names += [at.column for at in wanted]
    # Under another name, so that a table can also be tied to itself.
    return sa.table(matching.table, *_columns(names)).alias("other")


def _guarded(columns_: list[sa.ColumnElement[Any]], guarded: bool) -> list[sa.ColumnElement[Any]]:
    """Return the columns; where the database has to be told not to send large values, also which ones are."""
    if not guarded:
        return columns_
    large = [is_too_large(column) for column in columns_]
    sent: list[sa.ColumnElement[Any]] = [
        sa.case((too_large, sa.null()), else_=column) for column, too_large in zip(columns_, large, strict=True)
    ]
    return sent + large


def _labelled(chosen: Sequence[sa.ColumnElement[Any]]) -> list[sa.Label[Any]]:
    """Give each column a name of its own, since two tables may share one."""
    return [column.label(f"c{index}") for index, column in enumerate(chosen)]


def _equals(column: sa.ColumnElement[Any], value: Stored) -> sa.ColumnElement[bool]:
    return column.is_(None) if value is None else column == sa.literal(value, sa.types.NullType())


def _by_matching(routes: Sequence[FieldRoute]) -> dict[Matching, list[RowField | ListField]]:
    groups: dict[Matching, list[RowField | ListField]] = {}
    for route in routes:
        if not isinstance(route, OwnField):
            groups.setdefault(route.rows, []).append(route)
    return groups


def _row_count_max(route: RowField | ListField) -> int:
    """Return how many rows decide the value: one more than allowed shows that there are too many."""
    match route:
        case ListField():
            return route.high + 1
        case RowField():
            return 2 if route.only else 1


def _own_value(route: OwnField, rows: Sequence[Row]) -> Value | Unknown:
    if len(rows) > 1:
        # The key isn't unique in the source, or a join multiplies rows: none of them is the instance.
        return Unknown.DRIFT
    return read_shape(route.shape, rows[0].__getitem__)


def _other_value(route: RowField | ListField, rows: Sequence[Row]) -> Value | Unknown:
    match route:
        case ListField():
            if not route.low <= len(rows) <= route.high:
                return Unknown.DRIFT
            values = [read_shape(route.shape, row.__getitem__) for row in rows]
            reasons = [value for value in values if isinstance(value, Unknown)]
            return worst(reasons) if reasons else tuple(_known(values))
        case RowField():
            if not rows:
                return None if route.optional else Unknown.MISSING
            if route.only and len(rows) > 1:
                return Unknown.DRIFT
            return read_shape(route.shape, rows[0].__getitem__)


def _known(values: Sequence[Value | Unknown]) -> Iterator[Value]:
    return (value for value in values if not isinstance(value, Unknown))
