"""Frozen values, built as quickly as mutable ones.

A frozen dataclass is built through `object.__setattr__`, once a field, which takes six times as long as to assign. A
decision makes a dozen such values, so it builds each in a twin class, which has the same slots and isn't frozen, and
hands the complete value over to its own class. From then on it is what that class's constructor makes: frozen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def maker(cls: Callable[P, T]) -> Callable[P, T]:
    """Return a function that builds values of a frozen, slotted dataclass, called as the class is.

    Generated code may give it the fields in their order even where the class wants them by name. Raises `TypeError` for
    a class that does more than keep what it is given.
    """
    given: Any = cls
    fields = dataclasses.fields(given)
    if hasattr(given, "__post_init__") or any(
        field.default_factory is not dataclasses.MISSING or (not field.init and field.default is dataclasses.MISSING)
        for field in fields
    ):
        raise TypeError(f"{given.__name__} is not built from its fields alone")
    defaults = {f"d{place}": field.default for place, field in enumerate(fields)}
    parameters = [
        field.name if field.default is dataclasses.MISSING else f"{field.name}=d{place}"
        for place, field in enumerate(fields)
        if field.init
    ]
    lines = [
        f"def make({', '.join(parameters)}):",
        " value = Twin()",
        *(f" value.{field.name} = {field.name if field.init else f'd{place}'}" for place, field in enumerate(fields)),
        " value.__class__ = Final",
        " return value",
    ]
    twin = type(f"{given.__name__}Twin", (), {"__slots__": given.__slots__})
    space: dict[str, Any] = {**defaults, "Twin": twin, "Final": given}
    exec(compile("\n".join(lines), f"<{given.__name__}>", "exec"), space)  # noqa: S102  names of our own classes only
    make: Callable[P, T] = space["make"]
    return make
