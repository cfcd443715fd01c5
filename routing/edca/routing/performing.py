"""Performing effects: all statements of one, and the memory of having performed it, in one transaction.

Nothing raised by a database leaves this module; what it means for the effect does.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from edca.kernel import canonical
from edca.kernel.expression import Comparison
from edca.kernel.values import Value, ValueProblem, from_raw
from edca.routing.codec import UnwritableError, write
from edca.routing.model import (
    AppliedRoute,
    Changed,
    CheckRows,
    Condition,
    DeleteRows,
    EffectRoute,
    Fixed,
    ForEach,
    Given,
    InsertRow,
    Numbered,
    Operand,
    Setting,
    StatementRoute,
    Stored,
    UpdateRows,
)
from edca.runtime.ports import Performed, Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edca.kernel.machine import Entity
    from edca.runtime.ports import Permit

WRITES = "edca_writes"
"""The execution option that tells `engine.open_engine`'s listener to take the write lock at once."""

NUMBER_COUNT_MAX = 10_000
"""How many numbers a `numbered` value tries."""

_DETAIL_LENGTH_MAX = 200

# What somebody else's transaction can do to ours, and what is gone when it is over: SQLite's primary codes for a locked
# database, and the SQLSTATEs of a serialisation failure, a deadlock and a lock that was not to be had.
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_OVERTAKEN = ("40001", "40P01", "55P03")

Scope = dict[str, Value]


class _PreconditionLostError(Exception):
    """The world is no longer as the decision read it."""


@dataclass(frozen=True, slots=True)
class Performer:
    """Performs one effect by its route. `entities` are the machine's, by name."""

    route: EffectRoute
    applied: AppliedRoute
    entities: Mapping[str, Entity]

    def perform(self, engine: sa.Engine, permit: Permit) -> Report:
        """Perform the effect once for the permit's key; never raises for what a database does."""
        try:
            scope = self._scope(permit)
        except (ValueProblem, KeyError) as problem:
            return Report(Performed.FAILED, f"the arguments aren't those of the effect: {problem}")
        body = _body(permit)
        try:
            connection = engine.connect()
        except Exception as error:  # drivers raise what they like; nothing has been sent yet
            return Report(Performed.TRANSIENT, _detail(error))
        with connection:
            connection.execution_options(**_options(engine))
            try:
                connection.begin()
                earlier = self._earlier(connection, permit.key)
                if earlier is not None:
                    _roll_back(connection)
                    return _done_before(earlier, body)
                connection.execute(self._remember(permit.key, body))
                _run(connection, self.route.statements, scope)
            except _PreconditionLostError as lost:
                _roll_back(connection)
                return Report(Performed.PRECONDITION_LOST, str(lost))
            except IntegrityError as error:
                _roll_back(connection)
                return self._collided(connection, permit.key, body, error)
            except Exception as error:  # as above
                _roll_back(connection)
                return Report(_after_roll_back(error), _detail(error))
            return _commit(connection)

    def performed(self, engine: sa.Engine, permit: Permit) -> Performed:
        """Tell whether the effect of the permit has happened."""
        try:
            with engine.connect() as connection:
                earlier = self._earlier(connection, permit.key)
        except Exception:  # whatever went wrong, nobody can tell now
            return Performed.UNKNOWN
        return Performed.FAILED if earlier is None else _done_before(earlier, _body(permit)).performed

    def _scope(self, permit: Permit) -> Scope:
        """Return the arguments as values. Raises `KeyError` or `ValueProblem` for others than declared."""
        surplus = sorted(set(permit.arguments) - {part.name for part in self.route.parameters})
        if surplus:
            raise ValueProblem("unexpected argument", surplus[0])
        return {
            part.name: from_raw(part.type, permit.arguments[part.name], self.entities) for part in self.route.parameters
        }

    def _table(self) -> sa.TableClause:
        return sa.table(self.applied.table, sa.column(self.applied.key), sa.column(self.applied.body))

    def _earlier(self, connection: sa.Connection, key: str) -> object | None:
        """Return what was remembered under the key."""
        table = self._table()
        statement = sa.select(table.c[self.applied.body]).where(table.c[self.applied.key] == _bound(key))
        row = connection.execute(statement).first()
        return None if row is None else row[0]

    def _remember(self, key: str, body: str) -> sa.Insert:
        return self._table().insert().values({self.applied.key: key, self.applied.body: body})

    def _collided(self, connection: sa.Connection, key: str, body: str, error: IntegrityError) -> Report:
        """Tell a second delivery of one permit, just performed beside us, from a constraint of the source."""
        try:
            earlier = self._earlier(connection, key)
        except Exception as again:  # whatever went wrong, nobody can tell now
            return Report(Performed.UNKNOWN, _detail(again))
        if earlier is not None:
            return _done_before(earlier, body)
        return Report(Performed.PRECONDITION_LOST, _detail(error))


def _after_roll_back(error: Exception) -> Performed:
    """Tell what an error before the commit means for the effect, once all of it is rolled back."""
    if not isinstance(error, DBAPIError):
        return Performed.FAILED
    if error.connection_invalidated:
        return Performed.UNKNOWN
    code = getattr(error.orig, "sqlite_errorcode", None)
    is_locked = isinstance(code, int) and code & 0xFF in _LOCKED
    return Performed.TRANSIENT if is_locked or _is_overtaken(error.orig) else Performed.FAILED


def _is_overtaken(origin: object) -> bool:
    """Tell whether the database took our transaction back because of somebody else's."""
    return getattr(origin, "sqlstate", None) in _OVERTAKEN


def _options(engine: sa.Engine) -> dict[str, Any]:
    # SQLite serialises writers by itself. Elsewhere a check must not be overtaken between its read and the commit.
    return {WRITES: True} if engine.dialect.name == "sqlite" else {"isolation_level": "SERIALIZABLE"}


def _body(permit: Permit) -> str:
    """Return the digest of what is performed, so that one key can't stand for two effects."""
    encoded = canonical.encode({"effect": permit.effect, "arguments": dict(permit.arguments)})
    return canonical.digest("effect", encoded).hex()


def _done_before(earlier: object, body: str) -> Report:
    if earlier != body:
        return Report(Performed.FAILED, "the key was used for another effect; this one did not happen")
    return Report(Performed.DONE, "performed before")


def _roll_back(connection: sa.Connection) -> None:
    try:
        connection.rollback()
    except Exception:  # the connection is broken, and closing it undoes what it began
        connection.invalidate()


def _commit(connection: sa.Connection) -> Report:
    try:
        connection.commit()
    except IntegrityError as error:
        # A deferred constraint: the database looked and said no.
        _roll_back(connection)
        return Report(Performed.PRECONDITION_LOST, _detail(error))
    except Exception as error:  # the commit may have reached the database or not, unless it says why it did not
        _roll_back(connection)
        overtaken = isinstance(error, DBAPIError) and _is_overtaken(error.orig)
        return Report(Performed.TRANSIENT if overtaken else Performed.UNKNOWN, _detail(error))
    return Report(Performed.DONE)


def _detail(error: Exception) -> str:
    """Say what went wrong without the statement's values, which may be personal."""
    origin = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = str(origin).splitlines() or [""]
    return f"{type(origin).__name__}: {lines[0]}"[:_DETAIL_LENGTH_MAX]


# --- statements ----------------------------------------------------------------------------------------------------


def _run(connection: sa.Connection, statements: Sequence[StatementRoute], scope: Scope) -> None:
    for statement in statements:
        match statement:
            case InsertRow(table, settings):
                at = _table(table, settings, ())
                row = {s.column: _assigned(connection, at, s, scope) for s in settings}
                connection.execute(at.insert().values(row))
            case UpdateRows(table, settings, where, expect):
                at = _table(table, settings, where)
                row = {s.column: _assigned(connection, at, s, scope) for s in settings}
                updated = connection.execute(at.update().values(row).where(*_tests(at, where, scope)))
                _expect(expect, updated.rowcount)
            case DeleteRows(table, where, expect):
                at = _table(table, (), where)
                deleted = connection.execute(at.delete().where(*_tests(at, where, scope)))
                _expect(expect, deleted.rowcount)
            case CheckRows(table, where, expect):
                at = _table(table, (), where)
                counting = sa.select(sa.func.count()).select_from(at).where(*_tests(at, where, scope))
                _expect(expect, connection.execute(counting).scalar_one())
            case ForEach(variable, name, steps, inner):
                elements = _led(scope, name, steps)
                for element in elements if isinstance(elements, tuple) else ():
                    _run(connection, inner, {**scope, variable: element})


def _expect(expect: int | None, count: int) -> None:
    if expect is not None and count != expect:
        raise _PreconditionLostError(f"expected {expect} rows, found {count}")


def _table(name: str, settings: Sequence[Setting], where: Sequence[Condition]) -> sa.TableClause:
    names = [setting.column for setting in settings]
    for setting in settings:
        if isinstance(setting.value, Changed):
            names.append(setting.value.column)
        elif isinstance(setting.value, Numbered):
            names += [condition.column for condition in setting.value.where]
    names += [condition.column for condition in where]
    return sa.table(name, *(sa.column(column) for column in dict.fromkeys(names)))


def _assigned(
    connection: sa.Connection, table: sa.TableClause, setting: Setting, scope: Scope
) -> Stored | sa.ColumnElement[Any]:
    match setting.value:
        case Changed(column, add, operand):
            amount = _bound(_stored(operand, scope))
            return table.c[column] + amount if add else table.c[column] - amount
        case Numbered() as numbered:
            return _first_free(connection, table, setting.column, numbered, scope)
        case operand:
            return _stored(operand, scope)


def _first_free(connection: sa.Connection, table: sa.TableClause, column: str, numbered: Numbered, scope: Scope) -> str:
    taken = connection.execute(sa.select(table.c[column]).where(*_tests(table, numbered.where, scope))).scalars()
    known = set(taken)
    for number in range(numbered.start, numbered.start + NUMBER_COUNT_MAX):
        if (text := f"{numbered.prefix}{number}") not in known:
            return text
    raise _PreconditionLostError("every number is taken")


def _tests(table: sa.TableClause, where: Sequence[Condition], scope: Scope) -> list[sa.ColumnElement[bool]]:
    return [_test(table.c[test.column], test.comparison, _stored(test.operand, scope)) for test in where]


def _test(column: sa.ColumnElement[Any], comparison: Comparison, value: Stored) -> sa.ColumnElement[bool]:
    match comparison:
        case Comparison.EQUAL:
            return column.is_(None) if value is None else column == _bound(value)
        case Comparison.UNEQUAL:
            return column.is_not(None) if value is None else column != _bound(value)
        case Comparison.LESS:
            return column < _bound(value)
        case Comparison.AT_MOST:
            return column <= _bound(value)
        case Comparison.GREATER:
            return column > _bound(value)
        case Comparison.AT_LEAST:
            return column >= _bound(value)


def _bound(value: Stored) -> sa.BindParameter[Any]:
    # Without a type, so that the database reads the value as its column's own.
    return sa.literal(value, sa.types.NullType())


def _stored(operand: Operand, scope: Scope) -> Stored:
    match operand:
        case Fixed(value):
            return value
        case Given(name, steps, codec):
            return write(codec, _led(scope, name, steps))


def _led(scope: Scope, name: str, steps: Sequence[int]) -> Value:
    """Return the part of an argument that the steps lead to; a part of nothing is nothing."""
    value = scope[name]
    for step in steps:
        if value is None:
            return None
        if not isinstance(value, tuple):
            raise UnwritableError("a part was promised")
        value = value[step]
    return value
