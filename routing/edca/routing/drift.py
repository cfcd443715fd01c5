"""What an operator is told when a source holds something else than its route says; no model ever is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Drift:
    """One place where a source and its route disagree.

    `entity` and `field` are public names, `field` null where it concerns a whole instance. `source` and `place` are
    internal ones. `found` says of what kind the content is, never the content itself, which may be personal.
    """

    entity: str
    field: str | None
    source: str
    place: str
    expected: str
    found: str


Notice: TypeAlias = Callable[[Drift], None]
"""Who wants to know of drifts; called by the reading thread, with each one met."""


def careful(notice: Notice) -> Notice:
    """Return what tells of a drift and never raises: what an operator is told changes no fact."""

    def tell(drift: Drift) -> None:
        # Whoever is told may fail in any way; the drift itself stands in the record.
        with suppress(Exception):
            notice(drift)

    return tell


def unnoticed(_: Drift) -> None:
    """Tell nobody."""


def kind_of(content: object) -> str:
    """Say of what kind a source's content is, without the content."""
    match content:
        case None:
            return "nothing"
        case bool():
            return "a truth value"
        case int():
            return "a whole number"
        case float():
            return "a floating-point number"
        case Decimal():
            return "a decimal number"
        case str():
            return f"a text of {len(content)} characters"
        case bytes():
            return f"{len(content)} bytes"
        case dict():
            return f"an object of {len(content)} members"
        case list() | tuple():
            return f"an array of {len(content)} elements"
        case _:
            return f"a {type(content).__name__}"
