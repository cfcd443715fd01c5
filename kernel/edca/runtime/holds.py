"""Legal holds: while one stands, nothing personal of its case, or of its person's cases, is destroyed.

Holds and erasures have one chain of a tenant's own, whatever the machine. What is on hold follows from that chain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edca.ledger.record import Draft, parse
from edca.runtime.kinds import HOLD
from edca.runtime.mode_changes import ModeError, check_operator
from edca.runtime.modes import REASON_LENGTH_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edca.kernel.canonical import Data
    from edca.ledger.store import StoredRecord
    from edca.runtime.answers import RecordReference
    from edca.runtime.context import Context

CASE, SUBJECT = "case", "subject"


class HoldError(ValueError):
    """The hold can't be put on or lifted; the message says why. Nothing is recorded."""


def chain_of_erasures(tenant: str) -> str:
    """Return the chain of a tenant's holds and erasures. No case has such an id: no entity's name begins with `#`."""
    return f"{tenant}/#erasure"


def holds(records: Iterable[StoredRecord]) -> frozenset[tuple[str, str]]:
    """Return what is on hold after the records of such a chain: pairs of `case` or `subject`, and which."""
    found: set[tuple[str, str]] = set()
    for stored in records:
        record = parse(stored.body)
        if record.kind == HOLD:
            take(found, record.content)
    return frozenset(found)


def take(found: set[tuple[str, str]], content: Mapping[str, Any]) -> None:
    """Move what is on hold by one record."""
    pair = (content["of"], content["about"])
    if content["holds"]:
        found.add(pair)
    else:
        found.discard(pair)


def in_force(context: Context) -> frozenset[tuple[str, str]]:
    """Return what is on hold now."""
    return holds(context.store.records(chain=chain_of_erasures(context.tenant)))


def hold(context: Context, of: str, about: str, by: str, reason: str, *, on: bool) -> RecordReference:
    """Put a case or a person (`of`) on hold, or lift that. `by` is an operator, whom the host vouches for.

    Raises `HoldError` for somebody who can't be an operator, without a reason, and where it is so already.
    """
    try:
        check_operator(context.roster, by)
    except ModeError as error:
        raise HoldError(str(error)) from None
    if not reason.strip():
        raise HoldError("a hold is put on, and lifted, for a reason")
    if not about.strip():
        raise HoldError("name the person, or the case")
    if ((of, about) in in_force(context)) == on:
        raise HoldError(f"`{about}` is on hold already" if on else f"`{about}` is not on hold")
    content: dict[str, Data] = {
        "at": context.clock.now(),
        "clock": context.clock.source,
        "tenant": context.tenant,
        "machine": context.machine.digest,
        "roster": context.roster.digest,
        "by": by,
        "authenticated": "asserted",
        "reason": reason[:REASON_LENGTH_MAX],
        "of": of,
        "about": about,
        "holds": on,
    }
    return context.append(Draft(chain_of_erasures(context.tenant), HOLD, content), lambda _: ())
