"""Frozen dataclasses ⇄ canonical data: how a machine stands in its artefact.

A dataclass is a map of its fields plus the tag `""` with its class name, an enum member a map of the tag and `is`;
tuples are lists; everything else stands for itself. A field marked `LATER` is left out where it is empty. Only the
classes of `types`, `expression`, `machine` and `migration` are known, and every field must hold what its annotation
says, so decoding can build nothing that a compiler couldn't.
"""

from __future__ import annotations

import dataclasses
import enum
import types as builtin_types
from functools import cache
from types import MappingProxyType
from typing import Any, Union, get_args, get_origin, get_type_hints

from edca.kernel.canonical import CanonicalError, Data

TAG = ""

LATER = MappingProxyType({"later": True})
"""Marks a field that machines did not always have, by its metadata: an artefact in which it is empty leaves it out.

So a machine without such declarations keeps the artefact, and the digest, that it has always had.
"""


@cache
def _namespace() -> dict[str, Any]:
    """Return every name that an annotation of these classes may use."""
    from edca.kernel import expression, machine, migration, types  # noqa: PLC0415  these modules use this one

    names: dict[str, Any] = {
        "Type": types.Type,
        "Expression": expression.Expression,
        "Property": machine.Property,
        "Value": _AnyValue,
    }
    for module in (types, expression, machine, migration):
        for name, item in vars(module).items():
            if isinstance(item, type) and item.__module__ == module.__name__:
                if name in names:
                    raise AssertionError(f"two classes are called {name}")
                names[name] = item
    return names


class _AnyValue:
    """Stands for `values.Value` in annotations: a scalar, or a tuple of values."""


@cache
def _fields(class_: Any) -> tuple[str, ...]:
    """Return the fields that a class is made from; derived ones are none."""
    return tuple(item.name for item in dataclasses.fields(class_) if item.init)


@cache
def _later(class_: Any) -> tuple[str, ...]:
    """Return the fields that an artefact leaves out where they are empty."""
    return tuple(item.name for item in dataclasses.fields(class_) if item.metadata == LATER)


@cache
def _hints(class_: Any) -> dict[str, Any]:
    """Return the type of each field that a class is made from."""
    annotations = {name: class_.__annotations__[name] for name in _fields(class_)}
    bare = type(class_.__name__, (), {"__annotations__": annotations})  # without the derived fields
    return get_type_hints(bare, _namespace())


def to_data(value: Any) -> Data:
    """Return the canonical data of a machine or a part of one."""
    if isinstance(value, enum.Enum):
        return {TAG: type(value).__name__, "is": value.value}
    if dataclasses.is_dataclass(value):
        class_: Any = value.__class__
        left_out = [name for name in _later(class_) if getattr(value, name) == ()]
        data: dict[str, Data] = {
            name: to_data(getattr(value, name)) for name in _fields(class_) if name not in left_out
        }
        return data | {TAG: type(value).__name__}
    if isinstance(value, tuple):
        return [to_data(item) for item in value]
    if value is None or isinstance(value, (bool, int, str, bytes)):
        return value
    raise TypeError(f"a machine can't hold a {type(value).__name__}")


def from_data(data: Data) -> Any:
    """Return what `to_data` was given. Raises `CanonicalError` for data that no machine has."""
    if isinstance(data, (list, tuple)):
        return tuple(from_data(item) for item in data)
    if not isinstance(data, dict):
        return data
    tag = data.get(TAG)
    if not isinstance(tag, str):
        raise CanonicalError("the artefact holds a part without a name")
    class_: Any = _namespace().get(tag)
    if not isinstance(class_, type) or class_ is _AnyValue:
        raise CanonicalError("the artefact names an unknown part")
    rest = {name: from_data(item) for name, item in data.items() if name != TAG}
    if issubclass(class_, enum.Enum):
        return _member(class_, rest)
    known: Any = class_
    hints = _hints(known)
    if any(rest.get(name) == () for name in _later(known)):
        raise CanonicalError(f"the artefact's {tag} holds an empty part that is left out")
    rest = dict.fromkeys(_later(known), ()) | rest
    if set(rest) != set(hints):
        raise CanonicalError(f"the artefact's {tag} has other fields than expected")
    for name, hint in hints.items():
        if not _holds(hint, rest[name]):
            raise CanonicalError(f"the artefact's {tag} has a `{name}` of another kind")
    return known(**rest)


def _member(class_: type[enum.Enum], rest: dict[str, Any]) -> enum.Enum:
    try:
        return class_(rest["is"])
    except (KeyError, ValueError):
        raise CanonicalError(f"the artefact has a {class_.__name__} that doesn't exist") from None


def _holds(hint: Any, value: Any) -> bool:
    """Tell whether a decoded value is of the annotated type."""
    if hint is _AnyValue:
        if isinstance(value, tuple):
            return all(_holds(_AnyValue, item) for item in value)
        return value is None or isinstance(value, (bool, int, str))
    origin = get_origin(hint)
    if origin in (Union, builtin_types.UnionType):
        return any(_holds(option, value) for option in get_args(hint))
    if origin is tuple:
        options = get_args(hint)
        if not isinstance(value, tuple):
            return False
        if len(options) == 2 and options[1] is Ellipsis:
            return all(_holds(options[0], item) for item in value)
        return len(options) == len(value) and all(map(_holds, options, value))
    return type(value) is hint
