"""Which values aren't published, how a session shows them as handles, and how it reads them back.

Published is what people have in hand and name themselves: values of type `id`, and everything that identifies nothing.
Not published are values of type `handle`, references to other entities, and who somebody is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.calendar import date_text, time_text
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
from edca.kernel.values import to_raw
from edca.semantic.handles import is_handle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.canonical import Data
    from edca.kernel.machine import Entity, Machine, Parameter
    from edca.kernel.values import Raw, Value
    from edca.semantic.handles import Handles

HANDLE = "handle"
PRINCIPAL = "principal"


def reference(entity: str) -> str:
    """Return the kind of the handles of that entity's instances."""
    return f"reference {entity}"


def handle_of(entities: Mapping[str, Entity], entity: str, key: Raw, handles: Handles) -> str:
    """Return the handle of an instance, by its key in raw form.

    Where the key is one `handle`, that is the instance's as well: what a view, a query or a host names by it can stand
    for either.
    """
    if _is_its_handle(entities, entity) and isinstance(key, (list, tuple)):
        return handles.shown(HANDLE, key[0])
    return handles.shown(reference(entity), key)


def _is_its_handle(entities: Mapping[str, Entity], entity: str) -> bool:
    key = entities[entity].key
    return len(key) == 1 and isinstance(key[0].type, HandleType)


def identifies(type_: Type) -> bool:
    """Tell whether values of the type may say who somebody is, or what else there is."""
    match type_:
        case OptionalType(of) | ListType(_, _, of):
            return identifies(of)
        case RecordType(_, parts):
            return any(identifies(part) for _, part in parts)
        case _:
            return isinstance(type_, (HandleType, PrincipalType, ReferenceType))


def is_named(entities: Mapping[str, Entity], entity: str) -> bool:
    """Tell whether something in an entity's key can stand for nothing: then its instances can have handles."""
    return any(
        is_named(entities, part.type.entity)
        if isinstance(part.type, ReferenceType)
        else isinstance(part.type, (IdType, PrincipalType))
        for part in entities[entity].key
    )


def is_published(entities: Mapping[str, Entity], entity: str) -> bool:
    """Tell whether people can name an entity's instances by their keys."""
    return all(
        is_published(entities, part.type.entity)
        if isinstance(part.type, ReferenceType)
        else not isinstance(part.type, HandleType)
        for part in entities[entity].key
    )


def shown(machine: Machine, type_: Type, value: Value, handles: Handles | None) -> Data:
    """Return a value as a model reads it: see `told`."""
    return told(machine, type_, to_raw(type_, value, machine.index.entities), handles)


def told(machine: Machine, type_: Type, raw: Raw, handles: Handles | None) -> Data:
    """Return a value in raw form as a model reads it: times as text, what isn't published as a handle.

    Without handles a `handle`, or a reference whose key holds one, is null, whatever it is.
    """
    entities = machine.index.entities
    match type_, raw:
        case _, None:
            return None
        case OptionalType(of), _:
            return told(machine, of, raw, handles)
        case RecordType(_, parts), dict():
            return {name: told(machine, part, raw[name], handles) for name, part in parts}
        case ListType(_, _, of), (list() | tuple()):
            return [told(machine, of, item, handles) for item in raw]
        case TimeType(), int():
            return time_text(raw)
        case HandleType(), _:
            return None if handles is None else handles.shown(HANDLE, raw)
        case PrincipalType(), _ if handles is not None:
            return handles.shown(PRINCIPAL, raw)
        case ReferenceType(entity), _ if handles is not None:
            return handle_of(entities, entity, raw, handles)
        case ReferenceType(entity), _ if not is_published(entities, entity):
            return None
        case _:
            return raw


def resolved(
    machine: Machine,
    parameters: tuple[Parameter, ...],
    arguments: Mapping[str, Raw],
    handles: Handles,
    *,
    expired: bool = False,
) -> dict[str, Raw]:
    """Return the arguments with what each handle stands for in its place, and a decoy for what is none.

    What is not of its type stays as it is, for admission to name.
    """
    reading = _Reading(machine, handles, expired)
    types = {parameter.name: parameter.type for parameter in parameters}
    return {name: reading.read(types[name], raw) if name in types else raw for name, raw in arguments.items()}


def resolved_key(machine: Machine, entity: str, text: str, handles: Handles, *, expired: bool = False) -> list[Data]:
    """Return the key, in raw form, of the instance whose handle the text is, and a decoy's for what is none.

    It is empty, and no key, where that entity's instances have no handles.
    """
    if entity not in machine.index.entities or not is_named(machine.index.entities, entity):
        return []
    found = _Reading(machine, handles, expired).read(ReferenceType(entity), text)
    return list(found) if isinstance(found, (list, tuple)) else []


class _Reading:
    """Reads the arguments of one candidate back."""

    def __init__(self, machine: Machine, handles: Handles, expired: bool) -> None:
        self._entities = machine.index.entities
        self._handles = handles
        self._expired = expired

    def read(self, type_: Type, raw: Raw) -> Raw:
        match type_, raw:
            case OptionalType(of), _ if raw is not None:
                return self.read(of, raw)
            case ListType(_, _, of), list():
                return [self.read(of, item) for item in raw]
            case RecordType(_, parts), dict():
                types = dict(parts)
                return {name: self.read(types[name], item) if name in types else item for name, item in raw.items()}
            case HandleType(), str():
                return self._meant(HANDLE, raw, type_)
            case PrincipalType(), str() if is_handle(raw):
                return self._meant(PRINCIPAL, raw, type_)
            case ReferenceType(entity), str() if _is_its_handle(self._entities, entity):
                return [self._meant(HANDLE, raw, HandleType())]
            case ReferenceType(entity), str() if is_named(self._entities, entity):
                return self._meant(reference(entity), raw, type_)
            case ReferenceType(entity), list() if not is_published(self._entities, entity):
                # A key that nobody was shown: whatever it names, here it names nothing.
                return self._decoy(type_, repr(raw))
            case _:
                return raw

    def _meant(self, kind: str, text: str, type_: Type) -> Raw:
        found = self._handles.meant(kind, text, expired=self._expired)
        return self._decoy(type_, text) if found is None else found

    def _decoy(self, type_: Type, text: str) -> Raw:
        """Return a raw value of the type that stands for nothing. It follows from the text, so it is the same again."""
        match type_:
            case ReferenceType(entity):
                return [self._decoy(part.type, text) for part in self._entities[entity].key]
            case IdType() | PrincipalType():
                return self._handles.decoy(text)
            case OptionalType(of):
                return self._decoy(of, text)
            case _:
                return _least(type_)


def _least(type_: Type) -> Raw:
    """Return the raw form of a value of a type that can be part of a key."""
    match type_:
        case BoolType():
            return False
        case IntType(low):
            return low
        case DecimalType(scale, low):
            return decimal_text(low, scale)
        case TextType():
            return ""
        case DateType():
            return date_text(0)
        case TimeType() | DurationType():
            return 0
        case EnumType(_, values):
            return values[0][1]
        case _:
            raise TypeError(f"a {type(type_).__name__} is no part of a key")
