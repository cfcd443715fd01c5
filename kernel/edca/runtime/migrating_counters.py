"""What limits have counted, moved to other names by a map: the same when a ledger is written and when it is recounted.

Counters belong to a limit's name, so most go on by themselves. What a new limit takes over it takes over whole, also
reservations of cases that stay under the old version: a limit may count too much for a while, but never too little.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from edca.kernel.migration import LimitName
from edca.ledger.store import Cell
from edca.runtime.counters import SPACE, Sheet, counter_from_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edca.kernel.migration import LimitMove


def carried(cells: Iterable[tuple[str, bytes]], tenant: str, machine: str, moves: Iterable[LimitMove]) -> list[Cell]:
    """Return the writes by which each limit of `moves` has counted what its source has, by key, and nothing else.

    `cells` are those of all counters. The source keeps its own counts, for the cases that stay with it. Raises
    `TamperedError` for a cell that is no counter.
    """
    own = [
        (name, counter)
        for name, counter in (counter_from_bytes(value) for _, value in cells)
        if (name.tenant, name.machine) == (tenant, machine)
    ]
    sources = {move.limit: move.source for move in moves}
    gone = {name.cell_key for name, _ in own if LimitName(name.transition, name.code) in sources}
    sheet = Sheet(lambda space, key: None)
    for limit, source in sources.items():
        for name, counter in own:
            if source is not None and LimitName(name.transition, name.code) == source:
                sheet.put(dataclasses.replace(name, transition=limit.transition, code=limit.code), counter)
    written = {cell.key for cell in sheet.cells}
    return [*(Cell(SPACE, key, None) for key in sorted(gone - written)), *sheet.cells]
