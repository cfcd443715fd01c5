"""Permits: single-use authority for one effect. Only a stored record that accepts something mints them.

A permit's key follows from its record and the effect's place in it, so a permit made again after a crash is the same
one, and its route performs the effect under one key, once or not at all.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel import canonical
from edca.kernel.verdict import Accepted
from edca.ledger.errors import LedgerFormatError, TamperedError
from edca.ledger.record import parse
from edca.ledger.store import Cell
from edca.runtime.cases import load_row
from edca.runtime.ports import Permit
from edca.runtime.verdicts import verdict_from_raw

if TYPE_CHECKING:
    from typing import Any

    from edca.kernel.verdict import Intent
    from edca.ledger.store import StoredRecord
    from edca.runtime.ports import Store

SPACE = "permit"


class PermitError(RuntimeError):
    """A permit can't be spent; the message says why. Nothing was called."""


class HaltedError(PermitError):
    """The machine was halted between the verdict and the effect; the case stays pending until it is resumed."""


@dataclass(frozen=True, slots=True)
class Authority:
    """What one accepted verdict's record entitles to: its effects, in order, each once. `index` is the record's."""

    index: int
    record: bytes
    case: str
    revision: int
    machine: bytes
    verdict: Accepted

    @staticmethod
    def of(record: StoredRecord) -> Authority:
        """Read the authority out of a stored record. Raises `LedgerFormatError` for one that accepts nothing."""
        body = parse(record.body)
        content: Any = body.content
        verdict = verdict_from_raw(content["verdict"]) if body.kind == "verdict" else None
        if not isinstance(verdict, Accepted):
            raise LedgerFormatError(f"record {record.leaf.index} accepts nothing, so it permits nothing")
        return Authority(
            index=record.leaf.index,
            record=record.leaf.body_digest,
            case=body.chain,
            revision=content["case"]["revision"],
            machine=content["machine"],
            verdict=verdict,
        )

    def permit(self, place: int) -> Permit:
        """Return the permit for the effect at `place`."""
        return self._mint(place, self.verdict.intents[place], undoing=False)

    def undoing(self, place: int, intent: Intent) -> Permit:
        """Return the permit for `intent`, which undoes the effect at `place`."""
        return self._mint(place, intent, undoing=True)

    def key(self, place: int, *, undoing: bool) -> str:
        """Return the idempotency key that a permit hands to its route: it follows from the record alone."""
        return canonical.digest("permit", canonical.encode([self.record, place, undoing])).hex()

    def _mint(self, place: int, intent: Intent, *, undoing: bool) -> Permit:
        return Permit(
            record=self.record,
            case=self.case,
            revision=self.revision,
            machine=self.machine,
            place=place,
            effect=intent.effect,
            arguments=intent.arguments,
            key=self.key(place, undoing=undoing),
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """When a permit was spent and, where there is a deadline, when it expires: microseconds UTC."""

    at: int
    expires: int | None


def spent(store: Store, key: str) -> Spent | None:
    """Return when the permit of that key was spent: its effect may have happened; null where it was not."""
    found = store.cell(SPACE, key)
    if found is None:
        return None
    try:
        data: Any = canonical.decode(found)
        return Spent(data["at"], data["expires"])
    except (KeyError, TypeError, ValueError) as error:
        raise TamperedError("what is kept of a spent permit can't be read; verify the ledger") from error


def is_spent(store: Store, key: str) -> bool:
    """Tell whether the permit of that key has been spent: its effect may have happened."""
    return store.cell(SPACE, key) is not None


def spend(
    store: Store,
    authority: Authority,
    permit: Permit,
    *,
    undoes: Intent | None,
    now: int,
    within_us: int | None,
    halted: bool,
) -> Permit:
    """Note durably that the permit is used up, and return it with its expiry. It comes before the call.

    Nobody's word is taken for the permit: it must be the one that its record, read anew, entitles to, for the case that
    waits for this very record. `undoes` is the intent of an effect that takes another one back: no halt stops that.

    Raises `PermitError` for a permit that is tampered with, another case's, or spent already, and `HaltedError`.
    """
    stored = Authority.of(store.read(authority.index))
    try:
        minted = stored.permit(permit.place) if undoes is None else stored.undoing(permit.place, undoes)
    except IndexError:
        raise PermitError("its record entitles to no such effect") from None
    if permit != minted:
        raise PermitError("it is not the permit that its record entitles to")
    row = load_row(store, permit.case)
    if row is None or row.case.pending != permit.record or row.quarantined:
        raise PermitError("its case does not wait for this effect")
    if is_spent(store, permit.key):
        raise PermitError("it has been spent already")
    if halted and undoes is None:
        raise HaltedError("the machine is halted")
    expires = None if within_us is None else now + within_us
    note = canonical.encode(
        {"record": permit.record, "place": permit.place, "effect": permit.effect, "at": now, "expires": expires}
    )
    store.commit((), [Cell(SPACE, permit.key, note)])
    return dataclasses.replace(permit, expires=expires)


def has_expired(permit: Permit, now: int) -> bool:
    """Tell whether no call may be made under a spent permit any more."""
    return permit.expires is not None and now >= permit.expires
