"""Pydantic models of documents, generated from entity types: which members there are, of which kinds, within bounds.

Strict: nothing is converted, and a member that nobody mapped or told to ignore is a mistake. What a member's content
means is left to the codecs; here it is only made sure that it is small and of the right kind before anything else
looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, TypeAdapter, create_model

from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    IntType,
    TextType,
    TimeType,
)
from edca.kernel.values import ID_LENGTH_MAX
from edca.routing.codec import scalars
from edca.routing.model import Codec, ColumnRoute, Encoding, Scalar
from edca.routing.model_documents import DocumentRoute, ElementsField, MemberField
from edca.routing.templates import pointer_names

CODE_LENGTH_MAX = 200
_NUMBER_LENGTH_MAX = 64  # digits, sign and point of a decimal, or a time as text
_WHOLE_MAX = 2**63 - 1  # as in `codec`: what every source's integers hold

_Whole: TypeAlias = Annotated[StrictInt, Field(ge=-_WHOLE_MAX, le=_WHOLE_MAX)]
_Code: TypeAlias = StrictBool | _Whole | Annotated[StrictStr, Field(max_length=CODE_LENGTH_MAX)]
_Written: TypeAlias = Annotated[StrictStr, Field(max_length=_NUMBER_LENGTH_MAX)]


@dataclass(slots=True)
class _Object:
    """An object of the document: a nested one, a list, or a codec for each of its members."""

    members: dict[str, _Object | _List | list[Codec]] = field(default_factory=dict)

    def at(self, names: tuple[str, ...]) -> _Object:
        """Return the nested object that the names lead to."""
        here = self
        for name in names:
            below = here.members.setdefault(name, _Object())
            if not isinstance(below, _Object):
                raise DocumentError(name)
            here = below
        return here

    def add(self, at: ColumnRoute, codec: Codec) -> None:
        """Put a scalar member where it is."""
        here = self.at(pointer_names(at.table)).members.setdefault(at.column, [])
        if not isinstance(here, list):
            raise DocumentError(at.column)
        here.append(codec)


@dataclass(frozen=True, slots=True)
class _List:
    field: ElementsField


class DocumentError(Exception):
    """One member is used both as a value and as an object or array."""


def model_of(route: DocumentRoute) -> type[BaseModel]:
    """Return the model of an entity's documents. Raises `DocumentError` for a route that contradicts itself."""
    whole = _Object()
    for cell in route.key:
        whole.add(cell.at, cell.codec)
    if route.state is not None:
        whole.add(route.state.at, Codec(EnumType("", ()), False, Encoding.CODES, route.state.codes))
    for one in route.fields:
        match one:
            case MemberField(_, shape):
                for at, codec in scalars(shape):
                    whole.add(at, codec)
            case ElementsField(_, at=at, fetch=None):
                *names, last = pointer_names(at)
                if last in (members := whole.at(tuple(names)).members):
                    raise DocumentError(last)
                members[last] = _List(one)
            case ElementsField():
                pass  # it has an answer of its own: `elements_of`
    return _model(route.name, whole, route.ignoring)


def elements_of(route: DocumentRoute, one: ElementsField) -> TypeAdapter[Any]:
    """Return what validates the array that a list field is made of."""
    return TypeAdapter(_list_type(one, route.ignoring), config=_config(route.ignoring))


def _config(ignoring: tuple[str, ...] | None) -> ConfigDict:
    extra: Literal["ignore", "forbid"] = "ignore" if ignoring is None else "forbid"
    return ConfigDict(strict=True, frozen=True, extra=extra, hide_input_in_errors=True, arbitrary_types_allowed=True)


def _model(name: str, whole: _Object, ignoring: tuple[str, ...] | None) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for member, content in whole.members.items():
        type_, omissible = _member(f"{name}_{member}", content, ignoring)
        # Names of members are the source's, and may be anything; fields of a model may not.
        told = Field(alias=member, default=None) if omissible else Field(alias=member)
        fields[f"f{len(fields)}"] = (type_ | None, told)
    for member in ignoring or ():
        if member not in whole.members:
            fields[f"f{len(fields)}"] = (Any, Field(alias=member, default=None))
    return create_model(name, __config__=_config(ignoring), **fields)


def _member(name: str, content: _Object | _List | list[Codec], ignoring: tuple[str, ...] | None) -> tuple[Any, bool]:
    """Return the type of a member, and whether it may be left out.

    Leaving out means absence only where any other name would be noticed: else it might have been renamed.
    """
    match content:
        case _Object():
            return _model(name, content, ignoring), ignoring is not None and _is_optional(content)
        case _List(one):
            return _list_type(one, ignoring), False
        case codecs:
            types = {_scalar(codec) for codec in codecs}
            optional = all(codec.optional for codec in codecs)
            return types.pop() if len(types) == 1 else _Code | Decimal, ignoring is not None and optional


def _is_optional(content: _Object) -> bool:
    return all(
        _is_optional(below)
        if isinstance(below, _Object)
        else isinstance(below, list) and all(codec.optional for codec in below)
        for below in content.members.values()
    )


def _list_type(one: ElementsField, ignoring: tuple[str, ...] | None) -> Any:
    element: Any
    if isinstance(one.shape, Scalar) and not one.shape.at.column:
        element = _scalar(one.shape.codec)
    else:
        whole = _Object()
        for at, codec in scalars(one.shape):
            whole.add(at, codec)
        element = _model(one.name, whole, ignoring)
    return Annotated[list[element], Field(min_length=one.low, max_length=one.high)]


def _scalar(codec: Codec) -> Any:
    """Return the kind of content that a codec reads, in bounds."""
    match codec.encoding, codec.type:
        case Encoding.CODES, _:
            return _Code
        case Encoding.UNITS, DecimalType(_, low, high):
            return Annotated[StrictInt, Field(ge=low, le=high)]
        case Encoding.MICROS | Encoding.SECONDS | Encoding.DAYS, _:
            return _Whole
        case _, BoolType():
            return StrictBool
        case _, IntType(low, high):
            return Annotated[StrictInt, Field(ge=low, le=high)]
        case _, DecimalType():
            return _Written | Decimal | _Whole
        case _, DurationType():
            return _Whole
        case _, DateType() | TimeType():
            return _Written
        case _, TextType(length_max):
            return Annotated[StrictStr, Field(max_length=length_max)]
        case _, EnumType():
            return Annotated[StrictStr, Field(max_length=CODE_LENGTH_MAX)]
        case _:
            return Annotated[StrictStr, Field(min_length=1, max_length=ID_LENGTH_MAX)]
