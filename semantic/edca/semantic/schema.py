"""Types as JSON Schema (draft 2020-12): what a model is told about the arguments of a transition.

Every object is closed and names all its members as required: what may be left out is `null` instead, so that leaving
something out is said and never overlooked. Decimals are text with a pattern, because many programs read a JSON number
as a binary fraction and give back another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    HandleType,
    IdType,
    IntType,
    ListType,
    OptionalType,
    PrincipalType,
    RecordType,
    ReferenceType,
    TextType,
    TimeType,
    Type,
    decimal_text,
)
from edca.kernel.values import ID_LENGTH_MAX
from edca.semantic.handles import PATTERN
from edca.semantic.unpublished import is_named, is_published

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.kernel.canonical import Data
    from edca.kernel.machine import Machine, Parameter


_HANDLE: dict[str, Data] = {"type": "string", "pattern": PATTERN, "description": "a handle that you were shown"}


def parameters_schema(machine: Machine, parameters: Sequence[Parameter], *, by_handle: bool = False) -> dict[str, Data]:
    """Return the schema of one object with exactly these arguments.

    `by_handle`: it is for a session, in which what isn't published is named by handles.
    """
    return _object(machine, [(parameter.name, parameter.type) for parameter in parameters], by_handle)


def _object(machine: Machine, parts: Sequence[tuple[str, Type]], by_handle: bool) -> dict[str, Data]:
    properties: dict[str, Data] = {name: type_schema(machine, type_, by_handle=by_handle) for name, type_ in parts}
    required: list[Data] = [name for name, _ in parts]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def type_schema(machine: Machine, type_: Type, *, by_handle: bool = False) -> dict[str, Data]:
    """Return the schema of one value in its raw form; `by_handle`: see `parameters_schema`."""
    match type_:
        case BoolType():
            return {"type": "boolean"}
        case IntType(low, high, unit):
            bounded: dict[str, Data] = {"type": "integer", "minimum": low, "maximum": high}
            return bounded | {"description": f"in {unit}"} if unit else bounded
        case DecimalType(scale, low, high, unit):
            described = f"from {decimal_text(low, scale)} to {decimal_text(high, scale)}"
            return {
                "type": "string",
                "pattern": _decimal_pattern(scale, low, high),
                "description": f"{described}, in {unit}" if unit else described,
            }
        case TextType(length_max):
            return {"type": "string", "maxLength": length_max}
        case HandleType() if by_handle:
            return dict(_HANDLE)
        case PrincipalType() if by_handle:
            return {"anyOf": [type_schema(machine, type_), dict(_HANDLE)]}
        case IdType() | PrincipalType():
            return {"type": "string", "minLength": 1, "maxLength": ID_LENGTH_MAX}
        case DateType():
            return {"type": "string", "format": "date"}
        case TimeType():
            return {"type": "string", "format": "date-time"}
        case DurationType():
            return {"type": "integer", "description": "microseconds"}
        case EnumType(_, values):
            wires: list[Data] = [wire for _, wire in values]
            return {"type": "string", "enum": wires}
        case ReferenceType(entity) if by_handle and is_named(machine.index.entities, entity):
            if not is_published(machine.index.entities, entity):
                return dict(_HANDLE)
            return {"anyOf": [type_schema(machine, type_), dict(_HANDLE)]}
        case ReferenceType(entity):
            key: list[Data] = [type_schema(machine, part.type) for part in machine.index.entities[entity].key]
            return {"type": "array", "prefixItems": key, "minItems": len(key), "maxItems": len(key)}
        case RecordType(_, parts):
            return _object(machine, parts, by_handle)
        case ListType(low, high, of):
            return {
                "type": "array",
                "items": type_schema(machine, of, by_handle=by_handle),
                "minItems": low,
                "maxItems": high,
            }
        case OptionalType(of):
            return {"anyOf": [type_schema(machine, of, by_handle=by_handle), {"type": "null"}]}
        case _:
            assert_never(type_)


def _decimal_pattern(scale: int, low: int, high: int) -> str:
    """Return the regular expression (ECMA-262 and Python alike) of decimals with at most so many digits and places.

    It can't say the bounds themselves: the description does, and admission tests them.
    """
    whole = len(str(max(abs(low), abs(high)) // int(10**scale)))
    fraction = f"(\\.[0-9]{{1,{scale}}})?" if scale else ""
    return f"^{'-?' if low < 0 else ''}[0-9]{{1,{whole}}}{fraction}$"
