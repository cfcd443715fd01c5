"""Where two pieces of canonical data first differ, in words for a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel import canonical

if TYPE_CHECKING:
    from edca.kernel.canonical import Data

_TEXT_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Pair:
    """One part of a record: as it was recorded, and as it comes out now."""

    path: str
    recorded: Data
    recomputed: Data


def first_difference(pairs: Iterable[Pair]) -> tuple[str, str, str] | None:
    """Return (path, recorded, recomputed) of the first part whose canonical bytes differ, or null where none does."""
    for pair in pairs:
        recorded, recomputed = canonical.encode(pair.recorded), canonical.encode(pair.recomputed)
        if recorded != recomputed:
            # Decoded again, so that tuples and lists look alike.
            return _descend(pair.path, canonical.decode(recorded), canonical.decode(recomputed))
    return None


def _descend(path: str, a: Data, b: Data) -> tuple[str, str, str]:
    left, right = _parts(a), _parts(b)
    if left is None or right is None or isinstance(a, dict) is not isinstance(b, dict):
        return path, _text(a), _text(b)
    # The union in order: a map's names sorted, a list's positions as they come.
    for step in sorted(left.keys() | right.keys()):
        deeper = path + step[1]
        if step not in left:
            return deeper, "nothing", _text(right[step])
        if step not in right:
            return deeper, _text(left[step]), "nothing"
        if canonical.encode(left[step]) != canonical.encode(right[step]):  # to Python `True` equals 1
            return _descend(deeper, left[step], right[step])
    return path, _text(a), _text(b)


def _parts(data: Data) -> dict[tuple[int, str], Data] | None:
    if isinstance(data, dict):
        return {(0, f".{name}"): part for name, part in data.items()}
    if isinstance(data, list):
        return {(place, f"[{place}]"): part for place, part in enumerate(data)}
    return None


def _text(data: Data) -> str:
    text = data.hex() if isinstance(data, bytes) else repr(data)
    return text if len(text) <= _TEXT_LENGTH_MAX else f"{text[:_TEXT_LENGTH_MAX]}…"
