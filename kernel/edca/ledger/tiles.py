"""Tiles: a ledger's tree and headers as files that never change, as c2sp.org/tlog-tiles defines them.

A tile is up to 256 hashes side by side; level 0 holds leaf hashes, and each hash of a level above is the root of a full
tile of the level below. The entries are the records' headers, not their bodies: what is published shows that and where
something was recorded, and not what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
ENTRIES: Final = -1
BODIES: Final = -2


@dataclass(frozen=True, slots=True)
class Tile:
    """The place of a tile: `width` hashes of `level`, the first of them number `place` x 256.

    Two levels below 0 hold no hashes: `ENTRIES` the headers, `BODIES` what was recorded.
    """

    level: int
    place: int
    width: int

    @property
    def path(self) -> str:
        """Where it is found, below the place that a ledger is published at."""
        level = {ENTRIES: "entries", BODIES: "bodies"}.get(self.level, str(self.level))
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{_digits(self.place)}{partial}"


def tiles(size: int, *, since: int = 0) -> Iterator[Tile]:
    """Yield the tiles of a ledger of `size` records, the levels upwards, without those that one of `since` had."""
    level = 0
    while (hashes := size >> (HEIGHT * level)) > 0:
        had = since >> (HEIGHT * level)
        for place in range(had // WIDTH, -(-hashes // WIDTH)):
            width = min(WIDTH, hashes - place * WIDTH)
            if place * WIDTH + width > had:
                yield Tile(level, place, width)
        level += 1


def entries(items: Sequence[bytes], length_size: int) -> bytes:
    """Return a bundle of entries: each behind its length, in so many bytes."""
    return b"".join(len(item).to_bytes(length_size, "big") + item for item in items)


def _digits(place: int) -> str:
    """Return a tile's number in groups of three digits, all but the last marked with an x."""
    text = str(place)
    text = text.zfill(-(-len(text) // 3) * 3)
    groups = [text[start : start + 3] for start in range(0, len(text), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
