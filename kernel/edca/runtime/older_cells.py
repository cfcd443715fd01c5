"""What limits have counted, as an earlier version kept it: written anew, from the records, when a ledger is opened.

Cells follow from the records, so nothing that an older cell says is taken over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.ledger.errors import SchemaError
from edca.ledger.store import Cell
from edca.runtime.config import Configuration
from edca.runtime.counter_cells import SPACE, SPACES, is_of_older_form
from edca.runtime.rebuild import Rebuilt

if TYPE_CHECKING:
    from edca.runtime.context import Context
    from edca.runtime.ports import Store


def write_anew(context: Context) -> None:
    """Write the cells of all counters anew where they are of the older form; else this costs one look at one of them.

    Raises `SchemaError` for records that this version doesn't write, and what the ledger raises.
    """
    if _are_older(context.store):
        context.turn(lambda: _write_anew(context.store))


def _are_older(store: Store) -> bool:
    found = store.any_cell(SPACE)  # all are of one form, since all are written anew in one transaction
    return found is not None and is_of_older_form(found)


def _write_anew(store: Store) -> None:
    if not _are_older(store):
        return  # another node has done it meanwhile
    rebuilt = Rebuilt(Configuration())
    try:
        for stored in store.records():
            rebuilt.take_next(stored)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SchemaError("the ledger holds records that this version doesn't write; verify it first") from error
    kept = {place: value for place, value in rebuilt.cells.items() if place[0] in SPACES}
    found = {(space, key) for space in SPACES for key, _ in store.cells(space)}
    store.commit((), [Cell(*place, kept.get(place)) for place in sorted(found | kept.keys())])
