"""One column, one encoding: what is read as cents must not be written as whole units of money.

An entity's route says how a column holds its values. An effect that writes or compares the same column otherwise would
be off by a power of ten, or by a unit of time, and only the postcondition would notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.routing.codec import bare
from edca.routing.model import (
    Changed,
    Codec,
    Condition,
    Encoding,
    ForEach,
    Given,
    InsertRow,
    Numbered,
    Record,
    Reference,
    Scalar,
    UpdateRows,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edca.routing.model import EffectRoute, EntityRoute, Operand, Shape, StatementRoute

Column = tuple[str, str, str]  # source, table, column


def disagreements(entity_routes: Iterable[EntityRoute], effect: EffectRoute) -> Iterator[str]:
    """Yield a message for each column that `effect` writes or compares in another encoding than it is read in."""
    read = dict(_read(entity_routes))
    told: set[str] = set()
    for table, column, codec in _written(effect.statements):
        known = read.get((effect.source, table, column))
        if known is None or not _differs(known[1], codec):
            continue
        message = (
            f"`{table}.{column}` is read {_how(known[1])} by `{known[0]}`, and `{effect.name}` writes or compares it "
            f"{_how(codec)}"
        )
        if message not in told:
            told.add(message)
            yield message


def _differs(read: Codec, written: Codec) -> bool:
    same_kind = type(bare(read.type)[0]) is type(bare(written.type)[0])
    scales = (getattr(bare(read.type)[0], "scale", 0), getattr(bare(written.type)[0], "scale", 0))
    in_units = read.encoding is written.encoding is Encoding.UNITS
    return same_kind and (read.encoding is not written.encoding or (in_units and scales[0] != scales[1]))


def _how(codec: Codec) -> str:
    return "plainly" if codec.encoding is Encoding.PLAIN else f"as `{codec.encoding.value}`"


def _read(entity_routes: Iterable[EntityRoute]) -> Iterator[tuple[Column, tuple[str, Codec]]]:
    for entity in entity_routes:
        shapes: list[tuple[str, Shape]] = [(entity.name, scalar) for scalar in entity.key]
        for field in entity.fields:
            shapes.append((f"{entity.name}.{field.name}", field.shape))
        for name, shape in shapes:
            for scalar in _scalars(shape):
                yield (entity.source, scalar.at.table, scalar.at.column), (name, scalar.codec)


def _scalars(shape: Shape) -> Iterator[Scalar]:
    match shape:
        case Scalar():
            yield shape
        case Reference(_, _, cells):
            yield from cells
        case Record(_, parts):
            for part in parts:
                yield from _scalars(part)


def _written(statements: Iterable[StatementRoute]) -> Iterator[tuple[str, str, Codec]]:
    for statement in statements:
        if isinstance(statement, ForEach):
            yield from _written(statement.statements)
            continue
        table = statement.table
        if isinstance(statement, (InsertRow, UpdateRows)):
            for setting in statement.settings:
                match setting.value:
                    case Changed(column, _, operand):
                        yield from _operand(table, column, operand)
                        yield from _operand(table, setting.column, operand)
                    case Numbered(_, _, where):
                        yield from _tested(table, where)
                    case operand:
                        yield from _operand(table, setting.column, operand)
        if not isinstance(statement, InsertRow):
            yield from _tested(table, statement.where)


def _tested(table: str, where: Iterable[Condition]) -> Iterator[tuple[str, str, Codec]]:
    for condition in where:
        yield from _operand(table, condition.column, condition.operand)


def _operand(table: str, column: str, operand: Operand) -> Iterator[tuple[str, str, Codec]]:
    if isinstance(operand, Given):
        yield table, column, operand.codec
