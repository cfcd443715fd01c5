"""How many acceptances rest on each mandate: a count beside the ledger, moved in each acceptance's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edca.kernel import canonical
from edca.kernel.verdict import Accepted
from edca.ledger.errors import TamperedError
from edca.ledger.store import Cell

if TYPE_CHECKING:
    from edca.kernel.canonical import Data
    from edca.kernel.machine import Machine
    from edca.kernel.roster import Roster
    from edca.kernel.verdict import Verdict
    from edca.runtime.context import Context
    from edca.runtime.ports import Store

SPACE: Final = "mandate"


def uses(context: Context) -> dict[str, int]:
    """Return by id how many acceptances rest on each mandate whose uses are bounded."""
    return {
        id_: counted(context.store, context.tenant, context.machine.name, id_)
        for id_ in bounded(context.roster, context.machine)
    }


def bounded(roster: Roster, machine: Machine) -> tuple[str, ...]:
    """Return the ids of the machine's mandates that can be used up, sorted."""
    own = (mandate for mandate in roster.mandates if mandate.machine == machine.name)
    return tuple(mandate.id for mandate in own if mandate.uses_max is not None)


def after_verdict(context: Context, machine: Machine, verdict: Verdict) -> list[Cell]:
    """Return the writes that a verdict makes: an acceptance uses the mandate that it rests on, whatever comes of it."""
    if not isinstance(verdict, Accepted) or verdict.anchor.mandate is None:
        return []
    id_ = verdict.anchor.mandate
    used: Data = counted(context.store, context.tenant, machine.name, id_) + 1
    return [Cell(SPACE, _key(context.tenant, machine.name, id_), canonical.encode(used))]


class Followed:
    """Counts the uses anew, record by record, for a replay."""

    def __init__(self) -> None:
        """Begin with none."""
        self._counts: dict[tuple[str, str, str], int] = {}

    def uses(self, tenant: str, machine: Machine, roster: Roster) -> dict[str, Data]:
        """Return what a decision must have found."""
        return {id_: self._counts.get((tenant, machine.name, id_), 0) for id_ in bounded(roster, machine)}

    def take(self, tenant: str, machine: Machine, verdict: Verdict) -> None:
        """Count a verdict."""
        if isinstance(verdict, Accepted) and verdict.anchor.mandate is not None:
            key = (tenant, machine.name, verdict.anchor.mandate)
            self._counts[key] = self._counts.get(key, 0) + 1


def counted(store: Store, tenant: str, machine: str, id_: str) -> int:
    """Return how many acceptances rest on one mandate. Raises `TamperedError` where that can't be read."""
    found = store.cell(SPACE, _key(tenant, machine, id_))
    count = 0 if found is None else canonical.decode(found)
    if not isinstance(count, int) or isinstance(count, bool):
        raise TamperedError("how often a mandate was used can't be read; verify the ledger")
    return count


def _key(tenant: str, machine: str, id_: str) -> str:
    return canonical.digest("mandate", canonical.encode([tenant, machine, id_])).hex()
