"""Permits: single-use authority for one effect. Only a stored record that accepts something mints them.

A permit's key follows from its record and the effect's place in it, so a permit made again after a crash is the same
one, and its route performs the effect under one key, once or not at all. That it was spent is a record of its case.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from edca.kernel import canonical
from edca.kernel.verdict import Accepted
from edca.ledger.errors import LedgerFormatError, TamperedError
from edca.ledger.record import Draft, parse
from edca.runtime.cases import Row, case_to_data, load_row, touched
from edca.runtime.kinds import SPENT, VERDICT
from edca.runtime.modes import is_halted
from edca.runtime.ports import Permit
from edca.runtime.verdicts import verdict_from_raw

if TYPE_CHECKING:
    from edca.kernel.canonical import Data
    from edca.kernel.verdict import Intent
    from edca.ledger.store import StoredRecord
    from edca.runtime.context import Context
    from edca.runtime.ports import Store


class PermitError(RuntimeError):
    """A permit can't be spent; the message says why. Nothing was called."""


class OvertakenError(PermitError):
    """Somebody else has carried the effect out, or is at it."""


class HaltedError(PermitError):
    """The machine was halted between the verdict and the effect; the case stays pending until it is resumed."""


@dataclass(frozen=True, slots=True)
class Authority:
    """What one accepted verdict's record entitles to: its effects, in order, each once.

    `number` is how the store finds the record.
    """

    number: int
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
        verdict = verdict_from_raw(content["verdict"]) if body.kind == VERDICT else None
        if not isinstance(verdict, Accepted):
            raise LedgerFormatError(f"entry {record.entry} of `{body.chain}` accepts nothing, so it permits nothing")
        return Authority(
            number=record.number,
            record=record.digest,
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
        return permit_key(self.record, place, undoing)

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


def permit_key(record: bytes, place: int, undoing: bool) -> str:
    """Return the idempotency key of a permit, by the digest of the record that it is minted from."""
    return canonical.digest("permit", canonical.encode([record, place, undoing])).hex()


@dataclass(frozen=True, slots=True)
class Spent:
    """When a permit was spent and, where there is a deadline, when it expires: microseconds UTC."""

    at: int
    expires: int | None


Place: TypeAlias = "tuple[int, bool]"
"""Which permit of a record: the effect's place, and whether it is the one that takes that effect back."""


def spent_under(store: Store, authority: Authority) -> dict[Place, Spent]:
    """Return which permits of an accepted verdict were spent: their effects may have happened.

    It is read from the case's own records since the verdict and from nothing else, so that nobody can make an effect
    look done, or undone, without breaking the chain. Raises `TamperedError` for a record that can't be read.
    """
    found: dict[Place, Spent] = {}
    for stored in store.records(authority.number + 1, authority.case):
        record = parse(stored.body)
        content: Any = record.content
        if record.kind != SPENT or content.get("record") != authority.record:
            continue
        try:
            place = content["place"], content["undoing"]
            if place in found:
                raise TamperedError(f"entry {stored.entry} of the case spends a permit once more; verify the ledger")
            found[place] = Spent(content["at"], content["expires"])
        except (KeyError, TypeError) as error:
            raise TamperedError(f"entry {stored.entry} of the case spends a permit, and can't be read") from error
    return found


def spend(
    context: Context, authority: Authority, permit: Permit, *, undoes: Intent | None, within_us: int | None
) -> Permit:
    """Put on record that the permit is used up, and return it with its expiry. It comes before the call.

    Nobody's word is taken for the permit: it must be the one that its record, read anew, entitles to, for the case that
    waits for this very record. `undoes` is the intent of an effect that takes another one back: no halt stops that.

    Raises `PermitError` for a permit that is tampered with, `OvertakenError` for one that its case does not wait for or
    that is spent already, and `HaltedError`.
    """
    return context.turn(lambda: _spend(context, authority, permit, undoes, within_us))


def _spend(
    context: Context, authority: Authority, permit: Permit, undoes: Intent | None, within_us: int | None
) -> Permit:
    store, undoing = context.store, undoes is not None
    stored = Authority.of(store.read(authority.number))
    try:
        minted = stored.permit(permit.place) if undoes is None else stored.undoing(permit.place, undoes)
    except IndexError:
        raise PermitError("its record entitles to no such effect") from None
    if permit != minted:
        raise PermitError("it is not the permit that its record entitles to")
    row = load_row(store, permit.case)
    if row is None or not row.awaits(permit.record):
        raise OvertakenError("its case does not wait for this effect")
    if (permit.place, undoing) in spent_under(store, stored):
        raise OvertakenError("it has been spent already")
    if not undoing and is_halted(context):
        raise HaltedError("the machine is halted")
    case, record = row.case, row.record
    at = max(case.touched, context.clock.now())
    expires = None if within_us is None else at + within_us
    content: dict[str, Data] = {
        "at": at,
        "clock": context.clock.source,
        "tenant": context.tenant,
        "machine": permit.machine,
        "routes": context.router.digest,
        "record": permit.record,
        "place": permit.place,
        "effect": permit.effect,
        "undoing": undoing,
        "key": permit.key,
        "expires": expires,
        "case": case_to_data(case),
    }
    context.append(Draft(case.id, SPENT, content), lambda place: [Row(touched(case, place.entry, at), record).cell()])
    return dataclasses.replace(permit, expires=expires)


def is_awaited(store: Store, authority: Authority) -> bool:
    """Tell whether the case still waits for the outcome of that verdict."""
    row = load_row(store, authority.case)
    return row is not None and row.awaits(authority.record)


def has_expired(permit: Permit, now: int) -> bool:
    """Tell whether no call may be made under a spent permit any more."""
    return permit.expires is not None and now >= permit.expires
