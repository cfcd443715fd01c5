"""How a spec puts what it says, as one digest: a part of the machine's identity.

A machine has its rules written out and its numbers in smallest units; what people sign names the rules, their
parameters, the types and the variables, and shows numbers as they were written. Two specs with one digest read alike.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Final

from edca.diagnostics.source import Source
from edca.dsl import tree
from edca.dsl.scan import scan
from edca.kernel import canonical
from edca.kernel.machine import DEPTH_MAX
from edca.semantic import typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.canonical import Data
    from edca.semantic.checked import CheckedClause, CheckedQuery, CheckedSpec, CheckedTransition

_INT_MAX: Final = 2**63 - 1
# Their types say how a number was written; those of all others follow from their parts.
_TYPED = (typed.Literal, typed.Converted)


def wording(spec: CheckedSpec) -> bytes:
    """Return the digest of all names and texts that a page shows and that the rest of the machine doesn't hold."""
    encoder = _Encoder()
    rules: dict[str, Data] = {
        name: [
            [[parameter, encoder.of(type_)] for parameter, type_ in rule.parameters],
            encoder.of(rule.body),
            encoder.of(rule.body.type),
            [[_cell(cell) for cell in row] for row in spec.tables.get(name, ())],
        ]
        for name, rule in spec.definitions.items()
    }
    data: dict[str, Data] = {
        "types": {name: encoder.of(type_) for name, type_ in spec.words.types.items()},
        "rules": rules,
        "memory": {name: encoder.of(value) for name, value in spec.memory.items()},
        "forbids": [_clause(forbid.clause, encoder) for forbid in spec.forbids],
        "properties": {never.code: encoder.of(never.condition) for never in spec.nevers},
        "transitions": {item.name: list(_transition(item, encoder)) for item in spec.transitions},
    }
    if spec.queries:
        data["queries"] = {item.name: list(_query(item, encoder)) for item in spec.queries}
    return canonical.digest("wording", canonical.encode(data, depth_max=DEPTH_MAX))


def _transition(item: CheckedTransition, encoder: _Encoder) -> Iterator[Data]:
    yield encoder.of(item.guard)
    yield [[name, encoder.of(value)] for name, value in item.lets]
    yield [_clause(clause, encoder) for clause in item.clauses]
    yield {name: encoder.of(value) for name, value in item.assignments}
    for act in item.acts:
        yield [
            encoder.of(act.call.arguments),
            encoder.of(act.ensure),
            None if act.undo is None else encoder.of(act.undo.arguments),
        ]


def _query(item: CheckedQuery, encoder: _Encoder) -> Iterator[Data]:
    yield [[name, encoder.of(value)] for name, value in item.lets]
    yield [_clause(clause, encoder) for clause in item.clauses]
    yield [[one.name, encoder.of(one.value)] for one in item.returns]


def _clause(clause: CheckedClause, encoder: _Encoder) -> Data:
    limit = clause.limit
    counted = None if limit is None else (limit.measure, limit.bound, limit.keys)
    return [encoder.of(clause.condition), encoder.of(clause.distinct_from), encoder.of(counted)]


class _Encoder:
    """Typed expressions and types as canonical data: a list of a node's name and its fields, in their order."""

    def __init__(self) -> None:
        self._fields: dict[type, tuple[str, ...]] = {}
        self._types: dict[int, Data] = {}  # by identity: the spec keeps every type that it has

    def of(self, value: object) -> Data:
        """Return the data of an expression, a type, or a tuple of them."""
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, int):
            # What an expression may come to on the way has more digits than canonical integers can hold.
            return value if abs(value) <= _INT_MAX else ["integer", str(value)]
        if isinstance(value, tuple):
            return [self.of(item) for item in value]
        if isinstance(value, enum.Enum):
            return str(value.value)
        if type(value).__module__ == typed.__name__:
            return self._node(value)
        if id(value) not in self._types:
            self._types[id(value)] = self._node(value)
        return self._types[id(value)]

    def _node(self, value: object) -> Data:
        kind = type(value)
        if kind not in self._fields:
            if not dataclasses.is_dataclass(kind):
                raise TypeError(f"a {kind.__name__} is no part of a spec")
            left_out = kind.__module__ == typed.__name__ and kind not in _TYPED
            names = (field.name for field in dataclasses.fields(kind))
            self._fields[kind] = tuple(name for name in names if not (left_out and name == "type"))
        return [kind.__name__, *(self.of(getattr(value, name)) for name in self._fields[kind])]


def _cell(node: tree.TableCell | None) -> Data:
    """Return a cell of a table as it is written, without its spaces."""
    match node:
        case None:
            return None
        case tree.RangeCell(low, high):
            return [_cell(low), _cell(high)]
        case _:
            return cell_text(node)


def cell_text(node: tree.Expression) -> str:
    """Return a constant of a table's cell as it is written, without its spaces."""
    match node:
        case tree.Variable(name):
            return name.text
        case tree.String(text):
            return f'"{text}"'
        case tree.Number(digits):
            return digits
        case tree.Truth(truth):
            return "true" if truth else "false"
        case tree.DateLiteral(text) | tree.TimeLiteral(text):
            return text
        case tree.DurationLiteral(count, unit):
            return f"{count} {unit}{'' if count == 1 else 's'}"
        case tree.Unary(_, operand):
            return f"-{cell_text(operand)}"
        case _:
            return " ".join(lexeme.text for lexeme in scan(Source("", node.span.text)).lexemes)
