"""Reading a candidate's arguments in one pass, where they stand in their plainest form.

A reader answers nothing to arguments in any other form, right or wrong: `values.from_raw`, which says what is right and
what is wrong with them, then reads them again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from edca.kernel.text import Text
from edca.kernel.types import (
    BoolType,
    DecimalType,
    EnumType,
    IdType,
    IntType,
    ListType,
    PrincipalType,
    RecordType,
    TextType,
    Type,
)
from edca.kernel.values import DIGITS_MAX, ID_LENGTH_MAX, Value, ValueProblem, from_raw

if TYPE_CHECKING:
    from edca.kernel.machine import Entity, Parameter
    from edca.kernel.values import Raw

LOOPS_MAX = 8
Reader: TypeAlias = "Callable[[Mapping[str, Raw]], dict[str, Value] | None]"


def reader(parameters: tuple[Parameter, ...], entities: Mapping[str, Entity]) -> Reader:
    """Return the function that reads raw arguments into values, by name, or returns null."""
    writer = _Writer(entities)
    writer.text.line("try:")
    writer.text.indent += " "
    writer.demand(f"given.__class__ is dict and len(given) == {len(parameters)}")
    values = [(p.name, writer.read(p.type, writer.text.assign(f"given[{p.name!r}]").text)) for p in parameters]
    writer.text.indent = " "
    writer.text.line("except (KeyError, ValueProblem): return None")
    result = f"{{{', '.join(f'{name!r}: {value}' for name, value in values)}}}"
    made: Reader = writer.text.function("given", result, name="arguments", space={"ValueProblem": ValueProblem})
    return made


class _Writer:
    """Writes what reads one value after the other, and gives up at the first that isn't plain."""

    def __init__(self, entities: Mapping[str, Entity]) -> None:
        self._entities = entities
        self.text = Text({})

    def demand(self, test: str) -> None:
        """Give up unless the test is true."""
        self.text.line(f"if not ({test}): return None")

    def read(self, type_: Type, raw: str) -> str:
        """Write what reads the raw value of that name; return where its value stands."""
        match type_:
            case BoolType():
                self.demand(f"{raw}.__class__ is bool")
                return raw
            case IntType(low, high):
                self.demand(f"{raw}.__class__ is int and {low} <= {raw} <= {high}")
                return raw
            case DecimalType():
                return self._decimal(type_, raw)
            case TextType(length_max):
                self.demand(f"{raw}.__class__ is str and len({raw}) <= {length_max} and {raw}.isascii()")
                return raw
            case IdType() | PrincipalType():
                self.demand(f"{raw}.__class__ is str and 0 < len({raw}) <= {ID_LENGTH_MAX} and {raw}.isprintable()")
                return raw
            case EnumType(_, values):
                self.demand(f"{raw}.__class__ is str")
                names = self.text.constant({wire: name for name, wire in reversed(values)})
                found = self.text.assign(f"{names.text}.get({raw})").text
                self.demand(f"{found} is not None")
                return found
            case RecordType(_, parts) if not self._is_deep:
                self.demand(f"{raw}.__class__ is dict and len({raw}) == {len(parts)}")
                read = [self.read(part, self.text.assign(f"{raw}[{name!r}]").text) for name, part in parts]
                return f"({''.join(f'{value}, ' for value in read)})"
            case ListType(low, high, of) if not self._is_deep:
                return self._list(low, high, of, raw)
            case _:
                general: Callable[[Any], Value] = partial(from_raw, type_, entities=self._entities)
                return self.text.assign(f"{self.text.constant(general).text}({raw})").text

    @property
    def _is_deep(self) -> bool:
        """Whether more loops inside each other than anybody needs would be more than Python can hold."""
        return len(self.text.indent) > LOOPS_MAX

    def _decimal(self, type_: DecimalType, raw: str) -> str:
        """Read digits with exactly as many places as the type has, as this program itself writes them."""
        self.demand(f"{raw}.__class__ is str and len({raw}) <= {DIGITS_MAX} and {raw}.isascii()")
        whole, point, fraction, digits = (self.text.new() for _ in range(4))
        self.text.line(f"{whole}, {point}, {fraction} = {raw}.partition('.')")
        self.text.line(f"{digits} = {whole} + {fraction}")
        places = f"{whole} and len({fraction}) == {type_.scale}" if type_.scale else f"not {point}"
        self.demand(f"{digits}.isdigit() and {places}")
        units = self.text.assign(f"int({digits})").text
        self.demand(f"{type_.low} <= {units} <= {type_.high}")
        return units

    def _list(self, low: int, high: int, of: Type, raw: str) -> str:
        self.demand(f"{raw}.__class__ is list and {low} <= len({raw}) <= {high}")
        items, item, indent = self.text.assign("[]").text, self.text.new(), self.text.indent
        self.text.line(f"for {item} in {raw}:")
        self.text.indent += " "
        self.text.line(f"{items}.append({self.read(of, item)})")
        self.text.indent = indent
        return self.text.assign(f"tuple({items})").text
