"""How many acceptances rest on each mandate: a count beside the ledger, moved in each acceptance's transaction.

Its cell holds the count and the number of the newest acceptance that rests on the mandate. Before one more may, that
record is read, and must have found one use less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from edca.kernel import canonical
from edca.kernel.verdict import Accepted
from edca.ledger.errors import LedgerError, TamperedError
from edca.ledger.record import parse
from edca.ledger.store import Cell

if TYPE_CHECKING:
    from edca.kernel.machine import Machine
    from edca.kernel.roster import Roster
    from edca.kernel.verdict import Verdict
    from edca.runtime.context import Context
    from edca.runtime.ports import Cells, Store

SPACE: Final = "mandate"


def uses(cells: Cells, tenant: str, machine: Machine, roster: Roster) -> dict[str, int]:
    """Return by id how many acceptances rest on each of the machine's mandates whose uses are bounded."""
    return {id_: counted(cells, tenant, machine.name, id_) for id_ in bounded(roster, machine)}


def bounded(roster: Roster, machine: Machine) -> tuple[str, ...]:
    """Return the ids of the machine's mandates that can be used up, sorted."""
    own = (mandate for mandate in roster.mandates if mandate.machine == machine.name)
    return tuple(mandate.id for mandate in own if mandate.uses_max is not None)


def after_verdict(cells: Cells, tenant: str, machine: Machine, verdict: Verdict, number: int) -> list[Cell]:
    """Return the writes of the verdict in the record of that number: an acceptance uses the mandate it rests on."""
    if not isinstance(verdict, Accepted) or verdict.anchor.mandate is None:
        return []
    id_ = verdict.anchor.mandate
    used = counted(cells, tenant, machine.name, id_) + 1
    return [Cell(SPACE, _key(tenant, machine.name, id_), canonical.encode([used, number]))]


def check(context: Context, machine: Machine, verdict: Verdict) -> None:
    """Raise `TamperedError` where an acceptance rests on a mandate whose count its newest use contradicts.

    Where the uses are not bounded nothing hangs on the count, and a replay compares it.
    """
    id_ = verdict.anchor.mandate if isinstance(verdict, Accepted) else None
    if id_ is None or id_ not in bounded(context.roster, machine):
        return
    held = _held(context.store, context.tenant, machine.name, id_)
    if held is not None and not _is_on_record(context.store, context.tenant, id_, *held):
        raise TamperedError(f"how often mandate `{id_}` was used is not what its newest use says; verify the ledger")


def _is_on_record(store: Store, tenant: str, id_: str, used: int, number: int) -> bool:
    try:
        content: Any = parse(store.read(number).body).content
        before = content["mandate_uses"].get(id_, used - 1)  # not counted there while its uses were not bounded
        return (content["tenant"], content["verdict"]["anchor"]["mandate"], before) == (tenant, id_, used - 1)
    except (LedgerError, KeyError, TypeError, AttributeError):
        return False


def counted(cells: Cells, tenant: str, machine: str, id_: str) -> int:
    """Return how many acceptances rest on one mandate. Raises `TamperedError` where that can't be read."""
    held = _held(cells, tenant, machine, id_)
    return 0 if held is None else held[0]


def _held(cells: Cells, tenant: str, machine: str, id_: str) -> tuple[int, int] | None:
    found = cells.cell(SPACE, _key(tenant, machine, id_))
    if found is None:
        return None
    try:
        data: Any = canonical.decode(found)
        used, number = data
    except (TypeError, ValueError) as error:
        raise TamperedError("how often a mandate was used can't be read; verify the ledger") from error
    if type(used) is not int or type(number) is not int:
        raise TamperedError("how often a mandate was used can't be read; verify the ledger")
    return used, number


def _key(tenant: str, machine: str, id_: str) -> str:
    return canonical.digest("mandate", canonical.encode([tenant, machine, id_])).hex()
