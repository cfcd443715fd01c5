"""Erasure: the keys and values of a person, or of one case, are destroyed, and that is put on record.

Nothing that was hashed, signed or counted changes: records hold commitments, and stay. What can't be told any more is
what the commitments stood for; replay says so. The list of erasures (`edca.ledger.erasures`) is written first, so that
an erasure that is cut short is finished when the ledger is opened next (`finish`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.kernel import canonical
from edca.ledger.erasures import Erasure
from edca.ledger.errors import LedgerError
from edca.ledger.record import Draft, parse
from edca.ledger.sealing import commitments
from edca.ledger.vault import asker_scope
from edca.runtime import cases, holds, inbox
from edca.runtime.config import CHAIN, Configuration
from edca.runtime.holds import chain_of_erasures
from edca.runtime.kinds import ERASED
from edca.runtime.mode_changes import ModeError, check_operator
from edca.runtime.modes import REASON_LENGTH_MAX
from edca.runtime.opened import Destroyer, OpenedStore
from edca.runtime.vault_check import check_vault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.kernel.canonical import Data
    from edca.ledger.verification import Progress
    from edca.runtime.answers import RecordReference
    from edca.runtime.context import Context


class ErasureError(ValueError):
    """It can't be erased (now); the message says why, and what to do. Nothing was destroyed."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: the cases and other scopes, how many records and values of theirs, and the record of it.

    `record` is null where there was nothing (any more).
    """

    scopes: tuple[str, ...]
    records: int
    values: int
    record: RecordReference | None


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be erased, and by whose order. `even_open`: also cases that have not come to their end.

    `of` is `subject` or `case`, or `retention`: then `about` is the class, `cases` are the scopes whose time is over,
    and `rules` is the digest of the rules that say so.
    """

    of: str
    about: str
    by: str
    reason: str
    even_open: bool = False
    cases: tuple[str, ...] = ()
    rules: bytes = b""


def subject_tag(subject: str, keys: Sequence[bytes]) -> bytes:
    """Return the commitment to whose erasure it is: who knows the account can check it, against the keys' names."""
    return canonical.digest("erased-subject", canonical.encode([subject, list(keys)]))


def erase(context: Context, request: Request, progress: Progress | None = None) -> Erased:
    """Destroy what is personal of a person or of a case. Doing it again does nothing.

    What it finds, it finds by columns that no digest covers. So they are compared with the records first, which takes a
    pass over all of them: `progress` is called with (done, total).

    Raises `ErasureError` for somebody who can't be an operator, without a reason, under a legal hold, where a case
    waits for an effect or for people, or has not come to its end (unless `even_open`), and where the vault contradicts
    the records on whose anything is; and what the ledger raises.
    """
    store = context.store
    if not isinstance(store, OpenedStore):
        return Erased((), 0, 0, None)
    _check_order(context, request)
    ledger = _ledger(store)
    _check_whose(ledger, progress)
    traces: list[bytes] = []

    def destroy() -> tuple[Erasure, RecordReference] | None:
        plan, numbers = _plan(context, store, request)
        if plan is None:
            return None
        scopes = [scope for scope, _ in plan.keys]
        traces.extend(ledger.vault.traces(scopes, numbers))
        ledger.list_erasure(plan)
        ledger.destroy(scopes, numbers)
        return plan, _append(context, plan, again=False)

    done = context.turn(destroy)
    if done is None:
        return Erased((), 0, 0, None)
    ledger.clean(traces)
    plan, reference = done
    return Erased(tuple(scope for scope, _ in plan.keys), plan.records, plan.values, reference)


def finish(context: Context) -> tuple[RecordReference, ...]:
    """Put on record what was destroyed when the ledger was opened: erasures cut short, or that an old copy had not."""
    store = context.store
    if not isinstance(store, OpenedStore):
        return ()
    mine = [one for one in store.vault.erasures.listed if one.tenant == context.tenant]
    if not mine:
        return ()
    ledger = _ledger(store)

    def note() -> tuple[RecordReference, ...]:
        records = store.records(chain=chain_of_erasures(context.tenant))
        known = {parse(stored.body).content.get("erasure") for stored in records}
        noted: list[RecordReference] = []
        for one in mine:
            if one.id not in known:
                numbers = [number for place in one.outside if (number := _number(store, *place)) is not None]
                ledger.destroy([], numbers)
                noted.append(_append(context, one, again=True))
        return tuple(noted)

    return context.turn(note)


def _ledger(store: OpenedStore) -> Destroyer:
    return store.store  # type: ignore[return-value]  # what has a vault can destroy: see `edca.runtime.opened`


def _check_order(context: Context, request: Request) -> None:
    """Raise `ErasureError` where it isn't for this person to order, or there is no reason."""
    try:
        check_operator(context.roster, request.by)
    except ModeError as error:
        raise ErasureError(str(error)) from None
    if not request.reason.strip():
        raise ErasureError("whatever is erased is erased for a reason: a request, a judgment, or its time")


def _check_whose(ledger: Destroyer, progress: Progress | None) -> None:
    """Raise `ErasureError` where the vault contradicts the records on whose something is.

    To believe it would destroy somebody else's values for good, or leave some of the right person's without a word.
    """
    with ledger.whole():
        found = check_vault(ledger, values=False, progress=progress)
    if found.unread is not None:
        raise ErasureError(f"nobody can tell whose everything in the vault is: {found.unread}; nothing was erased")
    wrong = [one for one in found.findings if one.misleads]
    if wrong:
        first = wrong[0]
        which = f"key of `{first.scope}`" if first.scope else f"row of record {first.index}" if first.index else "a row"
        raise ErasureError(
            f"{len(wrong)} rows of the vault contradict the records, first the {which}: {first.detail}; nothing was "
            "erased. `edca verify` names each; put back what the records say, or restore a copy, and erase again"
        )


def _plan(context: Context, store: OpenedStore, request: Request) -> tuple[Erasure | None, list[int]]:
    """Return what is to be destroyed, null where nothing is left, and the numbers of records outside of its scopes."""
    _check_order(context, request)
    vault, prefix = store.vault, f"{context.tenant}/"
    if request.of == holds.SUBJECT:
        held = {scope for scope, subject, there in vault.scopes() if there and subject == request.about}
        asked = asker_scope(context.tenant, request.about)
        held |= {asked} if vault.name_of(asked) is not None else set()
        asked_by = vault.records_asked_by(request.about)
    else:
        held = {one for one in request.cases or (request.about,) if vault.name_of(one) is not None}
        asked_by = []
    scopes = sorted(scope for scope in held if scope.startswith(prefix))
    _check(context, store, request, scopes)
    within = [number for scope in scopes for number in vault.records_of(scope)]
    outside = [number for number, scope in asked_by if scope not in held and scope.startswith(prefix)]
    if not scopes and not outside:
        return None, []
    names = [name for scope in scopes if (name := vault.name_of(scope)) is not None]
    places: list[tuple[str, int]] = []
    values = 0
    for number in (*within, *outside):
        record = parse(store.store.read(number).body)
        values += sum(1 for _ in commitments(record.content))
        if number in outside or record.chain not in held:
            places.append((record.chain, record.entry))
    plan = Erasure(
        tenant=context.tenant,
        machine=context.machine.name,
        kind=request.of,
        subject=subject_tag(request.about, names) if request.of == holds.SUBJECT else b"",
        keys=tuple(zip(scopes, names, strict=True)),
        outside=tuple(places),
        records=len(within) + len(outside),
        values=values,
        by=request.by,
        reason=request.reason[:REASON_LENGTH_MAX],
        at=context.clock.now(),
        forced=request.even_open,
        rules=request.rules,
    )
    return plan, outside


def _check(context: Context, store: OpenedStore, request: Request, scopes: Sequence[str]) -> None:
    """Raise `ErasureError` for what may not be destroyed now."""
    obstacles = Obstacles(context, store)
    if request.of == holds.SUBJECT and (holds.SUBJECT, request.about) in obstacles.on_hold:
        raise ErasureError(f"`{request.about}` is on legal hold; lift that first, with `edca hold --release`")
    for scope in scopes:
        found = obstacles.of(scope, even_open=request.even_open)
        if found is not None:
            raise ErasureError(found)


class Obstacles:
    """What keeps scopes from being erased now."""

    def __init__(self, context: Context, store: OpenedStore) -> None:
        """Look at holds and open questions once."""
        self.on_hold = holds.in_force(context)
        self.configuration = Configuration.of(store.records(chain=CHAIN))
        self._store = store
        self._owners = {scope: subject for scope, subject, _ in store.vault.scopes()}
        self._waiting = {parse(store.read(item.newest).body).chain for item in inbox.waiting(store)}

    def of(self, scope: str, *, even_open: bool) -> str | None:
        """Return why a scope may not be erased now, and what to do; null where it may."""
        if (holds.CASE, scope) in self.on_hold or (holds.SUBJECT, self._owners.get(scope, "")) in self.on_hold:
            return f"case `{scope}` is on legal hold; lift that first, with `edca hold --release`"
        if scope in self._waiting:
            return f"case `{scope}` waits for people; answer its question, or let its time run out"
        row = cases.load_row(self._store, scope)
        if row is None or not row.holds_state:
            return None
        if row.case.pending is not None:
            return (
                f"case `{scope}` waits for an effect, and what becomes of that needs what would be erased; let it come "
                "out, or look at it, and erase then"
            )
        if not self.configuration.machine(row.case.machine).index.states[row.case.state].final and not even_open:
            return (
                f"case `{scope}` has not come to its end: it is `{row.case.state}`; nothing more could be done in it. "
                "Bring it to an end, or erase it even so with `--even-open`"
            )
        return None


def _append(context: Context, plan: Erasure, *, again: bool) -> RecordReference:
    content: dict[str, Data] = {
        "at": context.clock.now() if again else plan.at,
        "clock": context.clock.source,
        "tenant": plan.tenant,
        "machine": context.machine.digest,
        "roster": context.roster.digest,
        "erasure": plan.id,
        "again": again,
        "of": plan.kind,
        "subject": plan.subject,
        "by": plan.by,
        "authenticated": "asserted",
        "reason": plan.reason,
        "forced": plan.forced,
        "rules": plan.rules,
        "keys": [[scope, name] for scope, name in plan.keys],
        "outside": [[chain, entry] for chain, entry in plan.outside],
        "records": plan.records,
        "values": plan.values,
    }
    return context.append(Draft(chain_of_erasures(plan.tenant), ERASED, content), lambda _: ())


def _number(store: OpenedStore, chain: str, entry: int) -> int | None:
    """Return the number of a chain's entry, null where the ledger (an old copy) has none such."""
    try:
        found: Any = next((one for one in store.records(chain=chain) if one.entry == entry), None)
    except LedgerError:
        return None
    return None if found is None else int(found.number)
