"""Takeover: people take a case into their own hands, and give it back just as they found it.

While it lasts, only candidates of human roles are decided (stage `mode` refuses the others). Neither state nor memory
nor revision moves.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from edca.ledger.record import Draft
from edca.runtime.cases import Row, case_to_data, is_of_tenant, touched
from edca.runtime.kinds import TAKEOVER
from edca.runtime.modes import REASON_LENGTH_MAX
from edca.runtime.observe import is_in_charge
from edca.runtime.standing import trusted_row

if TYPE_CHECKING:
    from edca.kernel.canonical import Data
    from edca.ledger.store import Cell
    from edca.runtime.answers import RecordReference
    from edca.runtime.context import Context, Place


class TakeoverError(ValueError):
    """The case can't be taken over or handed back; the message says why. Nothing is recorded."""


def take_over(context: Context, case: str, by: str, reason: str) -> RecordReference:
    """Let only people's candidates be decided about the case of that id.

    Raises `TakeoverError` where the ledger holds no such case, people have it already, or `by` is nobody on
    the roster who answers for anything, signs or waives.
    """
    return _turn(context, case, by, reason, human_only=True)


def hand_back(context: Context, case: str, by: str, reason: str) -> RecordReference:
    """Let everybody's candidates be decided again. Raises as `take_over`, and where nobody has taken the case over."""
    return _turn(context, case, by, reason, human_only=False)


def _turn(context: Context, id_: str, by: str, reason: str, *, human_only: bool) -> RecordReference:
    if not is_in_charge(context, by):
        raise TakeoverError(f"`{by}` is no person on the roster who answers for anything, signs or waives")
    row = trusted_row(context.store, context.machine, id_) if is_of_tenant(context.tenant, id_) else None
    if row is None:
        raise TakeoverError(f"the ledger holds no case `{id_}`")
    if row.case.human_only == human_only:
        raise TakeoverError("people have taken the case over already" if human_only else "nobody has taken it over")
    at = max(row.case.touched, context.clock.now())
    content: dict[str, Data] = {
        "at": at,
        "clock": context.clock.source,
        "tenant": context.tenant,
        "machine": context.machine.digest,
        "roster": context.roster.digest,
        "by": by,
        "authenticated": "asserted",
        "reason": reason[:REASON_LENGTH_MAX],
        "case": case_to_data(row.case),
        "human_only": human_only,
    }

    def cells(place: Place) -> list[Cell]:
        turned = dataclasses.replace(touched(row.case, place.entry, at), human_only=human_only)
        return [Row(turned, row.record, row.quarantined).cell()]

    return context.append(Draft(id_, TAKEOVER, content), cells)
