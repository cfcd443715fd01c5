"""What the file holds beside the records, looked up: for a transaction many at once, for a space all, in pages."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeAlias

from edca.ledger.staging import Head

Fetch: TypeAlias = Callable[[str, tuple[Any, ...]], list[Any]]
"""Runs a query with its parameters, and returns all rows."""

_AT_ONCE: Final = 64
_PLACES: Final = ", ".join("?" * _AT_ONCE)  # always as many, so that each statement is prepared once
_SOME_CELLS: Final = f"SELECT key, value FROM cells WHERE space = ? AND key IN ({_PLACES})"  # noqa: S608
_SOME_HEADS: Final = f"SELECT chain, entry, leaf, head FROM chains WHERE chain IN ({_PLACES})"  # noqa: S608


class Seen:
    """Cells and heads of chains as far as a transaction has looked: in the file they can't change before it ends."""

    def __init__(self) -> None:
        """Begin with nothing looked at."""
        self.cells: dict[tuple[str, str], bytes | None] = {}
        self.heads: dict[str, Head | None] = {}

    def look_up(self, fetch: Fetch, cells: Iterable[tuple[str, str]], chains: Iterable[str]) -> None:
        """Look up those that nobody has looked at, in few statements."""
        by_space: dict[str, set[str]] = {}
        for space, key in cells:
            if (space, key) not in self.cells:
                by_space.setdefault(space, set()).add(key)
        for space, keys in by_space.items():
            for part in _parts(keys):
                values: dict[str, bytes] = dict(fetch(_SOME_CELLS, (space, *part)))
                self.cells.update(((space, key), values.get(key)) for key in part if key is not None)
        for part in _parts(set(chains).difference(self.heads)):
            heads: dict[str, Head] = {row[0]: row[1:] for row in fetch(_SOME_HEADS, part)}
            self.heads.update((chain, heads.get(chain)) for chain in part if chain is not None)


def _parts(keys: Iterable[str]) -> Iterator[tuple[str | None, ...]]:
    """Yield the keys in parts of one length; null, which no row has, fills the last one up."""
    left = iter(keys)
    while part := tuple(islice(left, _AT_ONCE)):
        yield part + (None,) * (_AT_ONCE - len(part))


def stored_cells(fetch: Fetch, space: str) -> Iterator[tuple[str, bytes]]:
    """Yield keys and values of a space in the order of the keys' UTF-8 bytes, page by page."""
    query = "SELECT key, value FROM cells WHERE space = ? AND key >= ? ORDER BY key LIMIT ?"
    rows = fetch(query, (space, "", _AT_ONCE))
    query = query.replace(">=", ">")
    while rows:
        yield from rows
        rows = fetch(query, (space, rows[-1][0], _AT_ONCE))


def cells_with(staged: Mapping[str, bytes | None], stored: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Yield the stored cells of a space as they are with those that are staged, in order."""
    if not staged:
        yield from stored
        return
    found: dict[str, bytes | None] = {**dict(stored), **staged}
    # Python orders text by code point, which is the order of its UTF-8 bytes.
    yield from ((key, value) for key in sorted(found) if (value := found[key]) is not None)
