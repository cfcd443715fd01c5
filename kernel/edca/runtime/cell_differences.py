"""Where the cells of a ledger are not what its records add up to, in words for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel import canonical
from edca.ledger.errors import LedgerError, SchemaError, TamperedError
from edca.runtime import answers, cases, config, counter_cells, mandates, signals, waiting
from edca.runtime.counted import Part
from edca.runtime.differences import Pair, first_difference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.runtime.counted import Item

_KEY_LENGTH = 16  # hexadecimal digits of a key that is a digest, enough to find it by
_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class CellDifference:
    """A cell that is not what the records add up to: by space and key, and in words.

    `cell` is what it holds where the two first differ, `records` what the records say; `nothing` where there is none.
    """

    space: str
    key: str
    what: str
    cell: str
    records: str


def differences(
    found: Mapping[tuple[str, str], bytes], rebuilt: Mapping[tuple[str, str], bytes]
) -> tuple[CellDifference, ...]:
    """Return where the cells found differ from those that the records add up to, in order of space and key."""
    return tuple(
        _difference(space, key, found.get((space, key)), rebuilt.get((space, key)))
        for space, key in sorted(found.keys() | rebuilt.keys())
        if found.get((space, key)) != rebuilt.get((space, key))
    )


def _difference(space: str, key: str, found: bytes | None, rebuilt: bytes | None) -> CellDifference:
    what = _title(space, key, found or rebuilt or b"")
    if space == counter_cells.SPACE:
        return CellDifference(space, key, what, _counter(found), _counter(rebuilt))
    if found is None or rebuilt is None:
        nothing_found = (_NOTHING, "there is one") if found is None else ("something", _NOTHING)
        return CellDifference(space, key, what, *nothing_found)
    try:
        difference = first_difference([Pair("", canonical.decode(found), canonical.decode(rebuilt))])
    except ValueError:
        difference = None
    if difference is None:  # one of the two is no canonical data
        return CellDifference(space, key, what, found.hex(), rebuilt.hex())
    path, cell, records = difference
    return CellDifference(space, key, f"{what}{f', {path[1:]}' if path else ''}", cell, records)


def _title(space: str, key: str, value: bytes) -> str:
    short = f"{key[:_KEY_LENGTH]}…" if len(key) > _KEY_LENGTH else key
    match space:
        case cases.SPACE:
            return f"case {key}"
        case answers.SPACE:
            return f"the answer remembered under an idempotency key ({short})"
        case waiting.SPACE:
            return f"an open question ({short})"
        case mandates.SPACE:
            return f"the uses of a mandate ({short})"
        case signals.SPACE:
            return f"the signals counted for {key}"
        case config.SPACE:
            return f"the note that a document is on record ({key})"
        case counter_cells.PARTS:
            counter, _, number = key.partition("/")
            return f"part {number} of what a limit has counted (counter {counter[:_KEY_LENGTH]}…)"
        case counter_cells.HELD:
            return f"reservations of an escalated candidate ({short})"
        case counter_cells.SPACE:
            return _counter_title(value, short)
        case _:
            return f"a cell that no record writes, `{space}` ({short})"


def _counter_title(value: bytes, short: str) -> str:
    try:
        name, _ = counter_cells.counter_from_bytes(value)
    except LedgerError:
        return f"counter {short}"
    per = f" per {list(name.key)!r}" if name.key else ""
    return f"limit {name.code} of {name.transition}, machine {name.machine}{per}"


def _counter(value: bytes | None) -> str:
    if value is None:
        return _NOTHING
    try:
        _, counter = counter_cells.counter_from_bytes(value)
    except SchemaError:
        return "passages as an earlier version kept them"
    except TamperedError:
        return "unreadable"
    return ", ".join(_counted(item) for item in counter.items) or "no passages"


def _counted(item: Item) -> str:
    if isinstance(item, Part):
        return f"{item.totals[-1]} in part {item.number}, by records {item.lowest} to {item.highest}"
    return f"{item.amount} by record {item.record} ({item.standing.value})"
