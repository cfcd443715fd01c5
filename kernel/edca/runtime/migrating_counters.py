"""What limits have counted, moved to other names by a map: the same when a ledger is written and when it is recounted.

Counters belong to a limit's name, so most go on by themselves. What a new limit takes over is added to what it has
counted itself, each passage once, by its record; so doing it again, with every run, only adds what has come since. That
holds also for reservations, and for cases that stay: a limit may count too much for a while, but never too little.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from edca.kernel.counting import Passage, Standing, limit_of
from edca.kernel.migration import LimitName
from edca.runtime.counter_cells import Sheet, counter_from_bytes
from edca.runtime.counters import also_hold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edca.kernel.machine import Machine
    from edca.kernel.migration import LimitMove, Migration
    from edca.ledger.store import Cell
    from edca.runtime.counter_cells import Name


@dataclass(frozen=True, slots=True)
class Carrying:
    """What one run of a map does to the counters of a tenant and of the machine `new`.

    `first`: no run before it was by this map. Only then is let go of what the map forgets: those who stay under the old
    version would else have new room whenever somebody runs it again.
    """

    tenant: str
    new: Machine
    migration: Migration
    first: bool


def carried(
    read: Callable[[str, str], bytes | None],
    cells: Iterable[tuple[str, bytes]],
    carrying: Carrying,
    is_new: Callable[[int], bool],
) -> list[Cell]:
    """Return the writes by which the limits of a map have also counted what their sources have, by key.

    `cells` are those of all counters, `read` gives any cell, and `is_new` tells of the number of a verdict's record
    whether it was decided under the new version: what is forgotten is only what was counted before. Raises
    `TamperedError` for a cell that is no counter.
    """
    tenant, new = carrying.tenant, carrying.new
    own = [
        (name, counter)
        for name, counter in (counter_from_bytes(value) for _, value in cells)
        if (name.tenant, name.machine) == (tenant, new.name)
    ]
    sheet = Sheet(read)
    for move in carrying.migration.limits:
        if move.source is None:
            if carrying.first:
                for name in (name for name, _ in own if limit_name(name) == move.limit):
                    counter, pages = sheet.counter(name), sheet.pages(name)
                    kept = [one for one in counter.passages(pages) if is_new(one.record)]
                    sheet.put(name, counter.anew(pages, kept, counter.latest))
            continue
        # Where both versions have the source, what the new one counts there is that limit's alone.
        both = limit_of(new, move.source.transition, move.source.code) is not None
        for name, source in own:
            if limit_name(name) == move.source:
                passages = source.passages(Sheet(read).pages(name))
                taken = [one for one in passages if not (both and is_new(one.record))]
                _add(sheet, _named(name, move.limit), source.latest, taken)
    return sheet.cells


def names_of(name: Name, runs: Iterable[Sequence[LimitMove]]) -> list[Name]:
    """Return the counters that hold a passage counted under `name`: that one, and where later runs have copied it."""
    names = [name]
    for moves in runs:
        for one in tuple(names):
            copies = [_named(one, move.limit) for move in moves if move.source == limit_name(one)]
            names += [copy for copy in copies if copy not in names]
    return names


def limit_name(name: Name) -> LimitName:
    """Return which limit a counter is of."""
    return LimitName(name.transition, name.code)


def _named(name: Name, limit: LimitName) -> Name:
    return dataclasses.replace(name, transition=limit.transition, code=limit.code)


def _add(sheet: Sheet, name: Name, latest: int, passages: Sequence[Passage]) -> None:
    """Add passages to a counter, each once; of two of one record the one that weighs more counts."""
    counter, pages = sheet.counter(name), sheet.pages(name)
    found = {one.record: one for one in counter.passages(pages)}
    for one in passages:
        found[one.record] = max(found.get(one.record, one), one, key=_weight)
        if one.candidate is not None:
            also_hold(sheet, name, one.candidate)
    sheet.put(name, counter.anew(pages, [found[record] for record in sorted(found)], max(counter.latest, latest)))


def _weight(passage: Passage) -> tuple[bool, Fraction]:
    return passage.standing is Standing.USED, Fraction(passage.amount, 10**passage.scale)
