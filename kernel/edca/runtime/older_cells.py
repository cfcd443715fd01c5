"""What limits have counted, as an earlier version kept it: written anew, from the records, when a ledger is opened.

Cells follow from the records, so nothing that an older cell says is taken over.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from edca.ledger.errors import LedgerBusyError, SchemaError
from edca.ledger.store import Cell
from edca.runtime.config import Configuration
from edca.runtime.counter_cells import SPACE, SPACES, is_of_older_form
from edca.runtime.rebuild import Rebuilt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.runtime.context import Context
    from edca.runtime.ports import Store

_TRIES_MAX = 5


def write_anew(context: Context) -> None:
    """Write the cells of all counters anew where they are of the older form; else this costs one look at one of them.

    Raises `SchemaError` for records that this version doesn't write, `LedgerBusyError` where others go on counting
    meanwhile, and what the ledger raises.
    """
    store = context.store
    for _ in range(_TRIES_MAX):
        found = store.any_cell(SPACE)  # all are of one form, since all are written anew in one transaction
        if found is None or not is_of_older_form(found):
            return
        with store.whole():
            before, after = _counted(store), _rebuilt(store)
        if context.turn(partial(_write, store, before, after)):
            return
    raise LedgerBusyError("what limits have counted is kept as an earlier version did; stop the nodes of that version")


def _rebuilt(store: Store) -> dict[tuple[str, str], bytes]:
    rebuilt = Rebuilt(Configuration())
    try:
        for stored in store.records():
            rebuilt.take_next(stored)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SchemaError("the ledger holds records that this version doesn't write; verify it first") from error
    return {place: value for place, value in rebuilt.cells.items() if place[0] in SPACES}


def _counted(store: Store) -> dict[tuple[str, str], bytes]:
    return {(space, key): value for space in SPACES for key, value in store.cells(space)}


def _write(store: Store, before: Mapping[tuple[str, str], bytes], after: Mapping[tuple[str, str], bytes]) -> bool:
    """Write the cells, unless somebody has counted since they were reckoned; tell whether they are written."""
    if _counted(store) != before:
        return False
    store.commit((), [Cell(*place, after.get(place)) for place in sorted(before.keys() | after.keys())])
    return True
