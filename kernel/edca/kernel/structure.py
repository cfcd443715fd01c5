"""Frozen dataclasses ⇄ canonical data: how a machine stands in its artefact.

A dataclass is a map of its fields plus the tag `""` with its class name, an enum member a map of the tag and `is`;
tuples are lists; everything else stands for itself. Only the classes of `types`, `expression` and `machine` are known,
so decoding can build nothing else.
"""

from __future__ import annotations

import dataclasses
import enum
from functools import cache
from typing import Any

from edca.kernel.canonical import CanonicalError, Data

TAG = ""


@cache
def _classes() -> dict[str, type[Any]]:
    from edca.kernel import expression, machine, types  # noqa: PLC0415  these modules use this one

    known: dict[str, type[Any]] = {}
    for module in (types, expression, machine):
        for name, item in vars(module).items():
            if isinstance(item, type) and item.__module__ == module.__name__:
                if name in known:
                    raise AssertionError(f"two classes are called {name}")
                known[name] = item
    return known


@cache
def _fields(class_: type[Any]) -> tuple[str, ...]:
    return tuple(item.name for item in dataclasses.fields(class_) if item.init)


def to_data(value: Any) -> Data:
    """Return the canonical data of a machine or a part of one."""
    if isinstance(value, enum.Enum):
        return {TAG: type(value).__name__, "is": value.value}
    if dataclasses.is_dataclass(value):
        data: dict[str, Data] = {name: to_data(getattr(value, name)) for name in _fields(value.__class__)}
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
    class_: Any = _classes().get(tag)
    rest = {name: from_data(item) for name, item in data.items() if name != TAG}
    if class_ is None:
        raise CanonicalError(f"the artefact names an unknown part: {tag!r}")
    try:
        if issubclass(class_, enum.Enum):
            return class_(rest["is"])
        if set(rest) != set(_fields(class_)):
            raise CanonicalError(f"the artefact's {tag} has other fields than expected")
        return class_(**rest)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise CanonicalError(f"the artefact's {tag} is malformed: {error}") from None
