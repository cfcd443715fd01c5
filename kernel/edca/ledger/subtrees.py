"""Hashes of complete subtrees, reckoned from the leaf hashes of a store and kept for the next proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.ledger.tiles import HEIGHT, WIDTH
from edca.ledger.tree import node_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class StoredSubtrees:
    """The subtrees of a ledger that only grows.

    The roots of full tiles are kept, 32 bytes for each 256 records, so that a second proof reads some hundred leaves.
    """

    def __init__(self, leaf_hashes: Callable[[int, int], Sequence[bytes]]) -> None:
        """Take the function that returns the leaf hashes from one index up to another."""
        self._leaf_hashes = leaf_hashes
        self._tiles: dict[tuple[int, int], bytes] = {}

    def complete(self, level: int, place: int) -> bytes:
        """Return the hash over the 2^`level` leaves from `place` x 2^`level`. All of them are there."""
        tile_level, rest = divmod(level, HEIGHT)
        return _folded(self._row(tile_level, place << rest, (place + 1) << rest))

    def hashes(self, level: int, place: int, width: int) -> list[bytes]:
        """Return the hashes of a tile: `width` of them from number `place` x 256, at so many levels of tiles."""
        first = place * WIDTH
        return self._row(level, first, first + width)

    def _row(self, tile_level: int, first: int, last: int) -> list[bytes]:
        if tile_level == 0:
            return list(self._leaf_hashes(first, last))
        return [self._tile_root(tile_level, number) for number in range(first, last)]

    def _tile_root(self, tile_level: int, number: int) -> bytes:
        """Return the root of the full tile `number` below this level of tiles."""
        kept = self._tiles.get((tile_level, number))
        if kept is None:
            kept = _folded(self._row(tile_level - 1, number * WIDTH, (number + 1) * WIDTH))
            self._tiles[tile_level, number] = kept
        return kept


def _folded(row: list[bytes]) -> bytes:
    """Return the root over as many hashes as a power of two."""
    while len(row) > 1:
        row = [node_hash(row[place], row[place + 1]) for place in range(0, len(row), 2)]
    return row[0]
