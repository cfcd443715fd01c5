"""Which roster is in force: the one that the host opened with, until somebody has another one adopted, on record.

It follows from the newest record of the machine's own chain of rosters, as the mode does: there is nothing beside that
record to edit, and what is taken from somebody stays taken, whichever file the next process is started with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edca.kernel import canonical
from edca.kernel.roster import Roster
from edca.ledger.record import Draft, parse
from edca.runtime import config
from edca.runtime.differences import Pair
from edca.runtime.kinds import ROSTER
from edca.runtime.mode_changes import ModeError, check_operator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.canonical import Data
    from edca.runtime.answers import RecordReference
    from edca.runtime.context import Context
    from edca.runtime.ports import Store

REASON_LENGTH_MAX = 500  # characters


class AdoptionError(ValueError):
    """The roster can't be adopted, or is not the one that was; the message says why. Nothing is recorded."""


def chain_of_rosters(tenant: str, machine: str) -> str:
    """Return the chain of a machine's rosters, by the machine's name: its versions share it. No case has such an id."""
    return f"{tenant}/#roster:{machine}"


def in_force(store: Store, chain: str, opened_with: Roster, known: dict[bytes, Roster]) -> Roster:
    """Return the roster in force: read in the turn of each decision, so that what was adopted holds at once.

    `known` keeps rosters by the digest of the record that adopted them. Raises what reading the ledger raises.
    """
    head = store.head(chain)
    if head is None:
        return opened_with
    if head[1] not in known:
        adopted = _adopted(store, chain)
        found = config.Configuration.of(store.records(chain=config.CHAIN))
        known[head[1]] = opened_with if adopted == opened_with.digest else found.roster(adopted)
    return known[head[1]]


def check_opened(store: Store, chain: str, roster: Roster) -> None:
    """Raise `AdoptionError` where another roster was adopted: a file from before would bring back what was taken."""
    if store.head(chain) is None:
        return
    adopted = _adopted(store, chain)
    if adopted != roster.digest:
        raise AdoptionError(
            f"the ledger has adopted another roster ({adopted.hex()[:16]}…): open with that, or have this one adopted"
        )


def adopt(context: Context, roster: Roster, by: str, reason: str) -> RecordReference:
    """Put a roster in force, from the next decision on, and return the record that says who had it so.

    `by` is an operator, whom the host vouches for, as for a halt. What was taken from somebody counts no more: a
    mandate, a role, or a key with all answers to open questions that are signed with it.

    Raises `AdoptionError` for somebody who can't be an operator, without a reason, and for one that was adopted last.
    """
    chain = chain_of_rosters(context.tenant, context.machine.name)
    before, kept = context.roster, reason[:REASON_LENGTH_MAX]
    _check(before, roster, by, kept, is_first=context.store.head(chain) is None)
    config.keep(context.store, [("roster", roster.digest, canonical.encode(roster.to_raw()))])
    content: dict[str, Data] = {
        "at": context.clock.now(),
        "clock": context.clock.source,
        "tenant": context.tenant,
        "machine": context.machine.digest,
        "roster": before.digest,
        "adopts": roster.digest,
        "by": by,
        "authenticated": "asserted",
        "reason": kept,
    }
    return context.append(Draft(chain, ROSTER, content), lambda _: ())


def _check(before: Roster, after: Roster, by: str, reason: str, *, is_first: bool) -> None:
    """Raise `AdoptionError` where it can't be adopted so. The first one may be that which the host opened with."""
    try:
        check_operator(before, by)
        check_operator(after, by)
    except ModeError as error:
        raise AdoptionError(str(error)) from None
    if not reason.strip():
        raise AdoptionError("a roster is adopted for a reason")
    if before.digest == after.digest and not is_first:
        raise AdoptionError("that roster is in force already")


def _adopted(store: Store, chain: str) -> bytes:
    newest = store.newest(chain)
    if newest is None:
        raise LookupError(chain)
    content: Any = parse(newest.body).content
    return bytes(content["adopts"])


class Followed:
    """The rosters that the records so far have put in force, for a replay."""

    def __init__(self) -> None:
        """Begin with none adopted: then each record says which one it was made under."""
        self._adopted: dict[str, bytes] = {}

    def pairs(self, content: Mapping[str, Any], configuration: config.Configuration) -> list[Pair]:
        """Return that a record was made under the roster in force then, as far as it names one."""
        if "roster" not in content or "machine" not in content or "tenant" not in content:
            return []
        machine = configuration.machine(content["machine"])
        adopted = self._adopted.get(chain_of_rosters(content["tenant"], machine.name))
        return [] if adopted is None else [Pair("roster", content["roster"], adopted)]

    def take(self, chain: str, content: Mapping[str, Any], configuration: config.Configuration) -> list[Pair]:
        """Take in the record of an adoption. Raises `AdoptionError` where nobody could have it so."""
        machine = configuration.machine(content["machine"])
        before, after = configuration.roster(content["roster"]), configuration.roster(content["adopts"])
        expected = chain_of_rosters(content["tenant"], machine.name)
        _check(before, after, content["by"], content["reason"], is_first=expected not in self._adopted)
        self._adopted[expected] = content["adopts"]
        return [Pair("chain", chain, expected)]
