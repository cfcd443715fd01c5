"""The cells of counters: read, changed in memory while one record moves them, and written as cells again.

A counter's cell has the key `digest("counter", [tenant, machine, transition, limit, key])` in hex; its value names the
same five and holds what was counted (`edca.runtime.counted`). What it has put away stands in cells of another space,
under its key, `/` and a number. A third kind of cell, for each escalated candidate, says which counters hold its
reservations, so that they end however the candidate is decided next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edca.kernel import canonical
from edca.kernel.canonical import Encoded
from edca.kernel.counting import Passage, Standing
from edca.ledger.errors import SchemaError, TamperedError
from edca.ledger.record import RECORD_SIZE_MAX
from edca.ledger.store import Cell
from edca.runtime.counted import Counted, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edca.kernel.canonical import Data
    from edca.kernel.values import Raw
    from edca.runtime.counted import Item

SPACE = "counter"
PARTS = "part"
HELD = "reservation"
SPACES = (SPACE, PARTS, HELD)


@dataclass(frozen=True, slots=True)
class Name:
    """Which counter: of which limit (its transition's id and its code), and for which values of its keys."""

    tenant: str
    machine: str
    transition: str
    code: str
    key: tuple[Raw, ...]
    _encoded: Encoded | None = field(default=None, init=False, repr=False, compare=False)
    _cell_key: str | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def encoded(self) -> Encoded:
        """The name as canonical bytes."""
        if self._encoded is None:
            parts: Data = [self.tenant, self.machine, self.transition, self.code, list(self.key)]
            object.__setattr__(self, "_encoded", Encoded(canonical.encode(parts)))
        return self._encoded  # type: ignore[return-value]  # it is there now

    @property
    def cell_key(self) -> str:
        """The key of the counter's cell."""
        if self._cell_key is None:  # asked for whenever the counter is read or written
            found = canonical.digest("counter", self.encoded.canonical).hex()
            object.__setattr__(self, "_cell_key", found)
        return self._cell_key  # type: ignore[return-value]  # it is there now


@dataclass(frozen=True, slots=True)
class Held:
    """What one escalated candidate holds reserved: in which counters, by their cells' keys, and since which record."""

    record: int
    counters: tuple[str, ...]


class _Known:
    """Counters by their cells, as they were written: what one decision writes, the next one of the counter reads."""

    SIZE_MAX = RECORD_SIZE_MAX  # bytes of all cells

    def __init__(self) -> None:
        self._found: dict[bytes, tuple[Name, Counted]] = {}
        self._size = 0

    def get(self, encoded: bytes) -> tuple[Name, Counted] | None:
        return self._found.get(encoded)

    def put(self, encoded: bytes, name: Name, counted: Counted) -> None:
        self._size += len(encoded)
        if self._size > self.SIZE_MAX:
            self._found, self._size = {}, len(encoded)
        self._found[encoded] = name, counted


_known = _Known()


class Sheet:
    """The counters while one record moves them: read from cells, changed in memory, written as cells again."""

    def __init__(self, read: Callable[[str, str], bytes | None]) -> None:
        """Begin with what `read` gives for (space, key)."""
        self._read = read
        self._written: dict[tuple[str, str], bytes | None] = {}

    @property
    def cells(self) -> list[Cell]:
        """The writes that keep the changes."""
        return [Cell(space, key, value) for (space, key), value in sorted(self._written.items())]

    def counter(self, name: Name) -> Counted:
        """Return a counter, an empty one where nothing was counted yet."""
        found = self.value(SPACE, name.cell_key)
        return Counted() if found is None else counter_from_bytes(found)[1]

    def named(self, key: str) -> tuple[Name, Counted] | None:
        """Return the counter whose cell has that key, or null where there is none."""
        found = self.value(SPACE, key)
        return None if found is None else counter_from_bytes(found)

    def put(self, name: Name, counted: Counted) -> None:
        """Change a counter."""
        self.write(SPACE, name.cell_key, _counter_bytes(name, counted))

    def pages(self, name: Name) -> CellPages:
        """Return the cells of what a counter has put away."""
        return CellPages(self, name.cell_key)

    def held(self, key: str) -> Held | None:
        """Return what an escalated candidate holds reserved, by its cell's key; null where that is nothing."""
        found = self.value(HELD, key)
        return None if found is None else _held_from_bytes(found)

    def hold(self, key: str, held: Held | None) -> None:
        """Note what an escalated candidate holds reserved."""
        if held is not None:
            self.write(HELD, key, canonical.encode({"record": held.record, "counters": list(held.counters)}))
        elif self.value(HELD, key) is not None:
            self.write(HELD, key, None)

    def value(self, space: str, key: str) -> bytes | None:
        """Return the value of a cell as it is by now, or null."""
        return self._written[space, key] if (space, key) in self._written else self._read(space, key)

    def write(self, space: str, key: str, value: bytes | None) -> None:
        """Write a cell, or with null remove it."""
        self._written[space, key] = value


class CellPages:
    """What one counter has put away, in cells: see `edca.runtime.counted.Pages`."""

    def __init__(self, sheet: Sheet, counter: str) -> None:
        """Use `Sheet.pages`."""
        self._sheet = sheet
        self._counter = counter

    def read(self, number: int) -> tuple[Item, ...]:
        """Return what the cell of a part holds. Raises `TamperedError` where there is none, or nothing of the kind."""
        found = self._sheet.value(PARTS, self._key(number))
        if found is None:
            raise TamperedError("part of what a limit has counted is gone; replay the ledger")
        return items_from_bytes(found)

    def write(self, number: int, items: Sequence[Item]) -> None:
        """Write the cell of a part."""
        encoded = canonical.encode_list([item.encoded for item in items])
        self._sheet.write(PARTS, self._key(number), encoded.canonical)

    def drop(self, number: int) -> None:
        """Remove the cell of a part."""
        self._sheet.write(PARTS, self._key(number), None)

    def _key(self, number: int) -> str:
        return f"{self._counter}/{number}"


def counters(cells: Iterator[tuple[str, bytes]]) -> Iterator[tuple[Name, Counted]]:
    """Yield the counters of a store's cells. Raises `TamperedError` for a cell that is none."""
    for _, value in cells:
        yield counter_from_bytes(value)


def counter_from_bytes(encoded: bytes) -> tuple[Name, Counted]:
    """Return a counter of its cell.

    Raises `TamperedError` for anything that no counter is, and `SchemaError` for what an earlier version wrote.
    """
    found = _known.get(encoded)
    return _counter_from_bytes(encoded) if found is None else found


def _counter_from_bytes(encoded: bytes) -> tuple[Name, Counted]:
    if is_of_older_form(encoded):
        raise SchemaError("what limits have counted is kept as an earlier version did; `Kernel.open` writes it anew")
    try:
        data: Any = canonical.decode(encoded)
        tenant, machine, transition, code, key = data["name"]
        counted = Counted(
            data["latest"],
            tuple(_item(item) for item in data["counted"]),
            data["parts"],
            tuple((level, number) for level, number in data["gone"]),
        )
        return Name(tenant, machine, transition, code, tuple(key)), counted
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TamperedError("what a limit has counted can't be read; replay the ledger") from error


def is_of_older_form(encoded: bytes) -> bool:
    """Tell whether a counter's cell is of the form in which it held all its passages itself."""
    try:
        data: Any = canonical.decode(encoded)
    except ValueError:
        return False
    return isinstance(data, dict) and data.keys() == {"latest", "name", "passages"}


def items_from_bytes(encoded: bytes) -> tuple[Item, ...]:
    """Return what the cell of a part holds. Raises `TamperedError` for anything that none is."""
    try:
        data: Any = canonical.decode(encoded)
        return tuple(_item(item) for item in data)
    except (TypeError, ValueError, AttributeError) as error:
        raise TamperedError("part of what a limit has counted can't be read; replay the ledger") from error


def _item(data: Any) -> Item:
    """Return a passage or a part: they are told apart by how many values they have."""
    if len(data) == _PASSAGE_LENGTH:
        at, amount, scale, record, standing, expires, candidate = data
        return Passage(at, amount, scale, record, Standing(standing), expires, candidate)
    level, number, first, last, lowest, highest, expires, totals, reserved = data
    sums = (tuple(map(int, totals)), tuple(map(int, reserved)))
    return Part(level, number, first, last, lowest, highest, expires, *sums)


_PASSAGE_LENGTH = 7


def _counter_bytes(name: Name, counted: Counted) -> bytes:
    encoded = canonical.encode_map(
        {
            "counted": canonical.encode_list([item.encoded for item in counted.items]),
            "gone": [[level, number] for level, number in counted.gone],
            "latest": counted.latest,
            "name": name.encoded,
            "parts": counted.made,
        }
    )
    _known.put(encoded, name, counted)
    return encoded


def _held_from_bytes(encoded: bytes) -> Held:
    try:
        data: Any = canonical.decode(encoded)
        return Held(data["record"], tuple(str(key) for key in data["counters"]))
    except (KeyError, TypeError, ValueError) as error:
        raise TamperedError("what an escalation holds reserved can't be read; replay the ledger") from error
