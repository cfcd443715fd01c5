"""Expressions numbered: equal ones share a number, so that code generation computes each once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.expression import (
    Bind,
    Constant,
    ReadClaim,
    ReadFact,
    ReadHistory,
    ReadLet,
    ReadLocal,
    ReadMemory,
    Reduce,
)

if TYPE_CHECKING:
    from edca.kernel.expression import Expression

NO_NAMES: frozenset[str] = frozenset()
_REMEMBERED = (ReadMemory, ReadClaim, ReadHistory, ReadLocal)  # a variable may stand for something remembered


@dataclass(frozen=True, slots=True)
class Node:
    """An expression, its number, and its direct parts in written order.

    `free` are the variables that it reads and does not bind, `lets` the lets that it names; `reads` tells whether
    anything in it, or in those lets, is a fact; `lasting`, whether nothing in it, but for those lets, is something that
    the case remembers, which a decision may change.
    """

    expression: Expression
    number: int
    parts: tuple[Node, ...]
    free: frozenset[str]
    lets: frozenset[str]
    reads: bool
    lasting: bool


class Numbering:
    """Numbers the expressions of one transition. `lets` are its lets, in the order of their declaration."""

    def __init__(self, lets: Mapping[str, Expression]) -> None:
        """Number the lets; each may name those before it."""
        self._numbers: dict[tuple[object, ...], int] = {}
        self.lets: dict[str, Node] = {}
        for name, value in lets.items():
            self.lets[name] = self.node(value)

    def node(self, expression: Expression) -> Node:
        """Return the expression's node."""
        key: list[object] = [type(expression)]
        parts: list[Node] = []
        for field in dataclasses.fields(expression):
            value = getattr(expression, field.name)
            if isinstance(expression, Constant):
                key.append(repr(value))  # 1 and true are equal, and not the same constant
            elif dataclasses.is_dataclass(value):
                parts.append(self.node(value))  # type: ignore[arg-type]  # every dataclass in one is an expression
                key.append(parts[-1].number)
            elif isinstance(value, tuple):
                inner = [self.node(part) for part in value]
                parts += inner
                key.append(tuple(part.number for part in inner))
            else:
                key.append(value)
        number = self._numbers.setdefault(tuple(key), len(self._numbers))
        lets = _union(part.lets for part in parts)
        reads = any(part.reads for part in parts) or isinstance(expression, ReadFact)
        if isinstance(expression, ReadLet):
            lets, reads = frozenset((expression.name,)), self.lets[expression.name].reads
        lasting = all(part.lasting for part in parts) and not isinstance(expression, _REMEMBERED)
        return Node(expression, number, tuple(parts), _free(expression, parts), lets, reads, lasting)

    def used(self, nodes: Iterable[Node]) -> tuple[str, ...]:
        """Return the lets that the nodes name, directly or through others, in the order of their declaration."""
        used = set(_union(node.lets for node in nodes))
        for name in reversed(self.lets):
            if name in used:
                used |= self.lets[name].lets
        return tuple(name for name in self.lets if name in used)


def _free(expression: Expression, parts: list[Node]) -> frozenset[str]:
    match expression:
        case ReadLocal(name):
            return frozenset((name,))
        case Bind(name):
            value, body = parts
            return value.free | (body.free - {name})
        case Reduce(_, name):
            domain, condition, body = parts
            return domain.free | ((condition.free | body.free) - {name})
        case _:
            return _union(part.free for part in parts)


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return NO_NAMES.union(*sets)
