"""Counters between decisions: what verdicts, outcomes and observations make of them.

The same functions move the cells of a store and those that are built anew (`edca.runtime.rebuild`) from the
records alone. A cell is believed as far as the two agree.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from edca.kernel import canonical
from edca.kernel.candidate import Malformed
from edca.kernel.counting import Passage, Standing, counts, ends_at, limit_of, offered_of, scale_of, scaled
from edca.kernel.decide import counters_wanted
from edca.kernel.values import to_raw
from edca.kernel.verdict import Accepted, Escalated
from edca.runtime.answers import Outcome
from edca.runtime.counter_cells import Held, Name
from edca.runtime.waiting import is_passing

if TYPE_CHECKING:
    from collections.abc import Callable

    from edca.kernel.candidate import Candidate
    from edca.kernel.inputs import Case, CounterKey, Inputs
    from edca.kernel.machine import Machine
    from edca.kernel.verdict import Move, Verdict
    from edca.runtime.counter_cells import Sheet


def used(
    sheet: Sheet, tenant: str, machine: Machine, case: Case | None, candidate: Candidate | Malformed, inputs: Inputs
) -> dict[CounterKey, int]:
    """Return what each counter that the decision reads holds; one that can't be told is left out, so its limit refuses.

    What the candidate itself holds reserved from an earlier escalation is not in it.
    """
    if isinstance(candidate, Malformed) or not is_limited(machine, candidate.transition):
        return {}
    found: dict[CounterKey, int] = {}
    for counter_key, _ in counters_wanted(machine, case, candidate, inputs):
        held = held_now(sheet, tenant, machine, counter_key, inputs.now, candidate)
        if held is not None:
            found[counter_key] = held
    return found


def held_now(
    sheet: Sheet, tenant: str, machine: Machine, key: CounterKey, now: int, candidate: Candidate | Malformed
) -> int | None:
    """Return what one counter holds now, without what the candidate itself has reserved; null where nobody can tell."""
    transition, code, values = key
    limit = limit_of(machine, transition, code)
    if limit is None:
        return None
    entities = machine.index.entities
    raw = tuple(to_raw(type_, part, entities) for type_, part in zip(limit.key_types, values, strict=True))
    name = Name(tenant, machine.name, transition, code, raw)
    counter = sheet.counter(name)
    total = counter.sum(sheet.pages(name), limit.window, scale_of(limit.type), now)
    if total is None or not counter.holds_escalated:
        return total
    own = _own(sheet, name, candidate.digest)
    return total if own is None or not counts(own, limit.window, now) else total - scaled(own, scale_of(limit.type))


def _own(sheet: Sheet, name: Name, candidate: bytes) -> Passage | None:
    """Return what an escalated candidate, by its digest, has reserved in a counter, or null."""
    held = sheet.held(holder(name.tenant, name.machine, candidate))
    if held is None or name.cell_key not in held.counters:
        return None
    found = sheet.counter(name).find(sheet.pages(name), held.record)
    return found if found is not None and found.candidate == candidate else None


def reserved_until(machine: Machine, verdict: Verdict, now: int) -> int | None:
    """Return until when an escalation holds what it counts, null for any other verdict and where it counts nothing."""
    return ends_at(machine, verdict, now) if isinstance(verdict, Escalated) and verdict.moves else None


def decided(
    sheet: Sheet,
    tenant: str,
    machine: Machine,
    candidate: Candidate | Malformed,
    verdict: Verdict,
    now: int,
    record: int,
    expires: int | None,
) -> None:
    """Move the counters by a verdict in the record of that number; `expires` is what `reserved_until` gave."""
    if isinstance(candidate, Malformed) or is_passing(verdict):
        return  # what only can't be decided now keeps what it holds
    digest = candidate.digest
    let_go(sheet, tenant, machine.name, digest)
    moves = verdict.moves if isinstance(verdict, (Accepted, Escalated)) else ()
    escalated = isinstance(verdict, Escalated)
    pending = escalated or (isinstance(verdict, Accepted) and bool(verdict.intents))
    names: list[str] = []
    for move in moves:
        limit = limit_of(machine, verdict.transition, move.code)
        if limit is None:
            raise ValueError(f"the verdict moves a counter of no limit: {move.code}")
        name = _name(tenant, machine.name, verdict.transition, move)
        passage = Passage(
            at=now,
            amount=move.amount,
            scale=scale_of(limit.type),
            record=record,
            standing=Standing.RESERVED if pending else Standing.USED,
            expires=expires if escalated else None,
            candidate=digest if escalated else None,
        )
        sheet.put(name, sheet.counter(name).with_passage(sheet.pages(name), passage, limit.window))
        names.append(name.cell_key)
    if escalated and names:
        sheet.hold(holder(tenant, machine.name, digest), Held(record, tuple(names)))


def let_go(sheet: Sheet, tenant: str, machine: str, candidate: bytes) -> None:
    """Release what an escalated candidate, by its digest, holds reserved; nothing where it holds nothing."""
    key = holder(tenant, machine, candidate)
    held = sheet.held(key)
    if held is None:
        return
    for name, _ in filter(None, map(sheet.named, held.counters)):
        _change(sheet, name, held.record, lambda passage: None if passage.candidate == candidate else passage)
    sheet.hold(key, None)


def also_hold(sheet: Sheet, name: Name, candidate: bytes) -> None:
    """Note that this counter, too, holds what an escalated candidate, by its digest, has reserved."""
    key = holder(name.tenant, name.machine, candidate)
    held = sheet.held(key)
    if held is not None and name.cell_key not in held.counters:
        sheet.hold(key, Held(held.record, (*held.counters, name.cell_key)))


def holder(tenant: str, machine: str, candidate: bytes) -> str:
    """Return the key of the cell that says what an escalated candidate, by its digest, holds reserved."""
    return canonical.digest("reservation", canonical.encode([tenant, machine, candidate])).hex()


def come_out(sheet: Sheet, tenant: str, machine: str, verdict: Accepted, record: int, outcome: Outcome) -> None:
    """Move the counters by the outcome of the effects that the verdict in the record of that number accepted.

    While nobody can tell, what was reserved stays so. Whatever is not known to have come to nothing has been used.
    """
    if outcome is Outcome.QUARANTINED:
        return
    nothing = outcome in (Outcome.FAILED, Outcome.UNDONE)
    resolve(sheet, tenant, machine, verdict, record, happened=not nothing)


def observed(sheet: Sheet, tenant: str, machine: str, verdict: Accepted, record: int, state: str) -> None:
    """Move the counters by what a person found after a quarantine: only back in its source state it came to nothing."""
    nothing = state == verdict.source != verdict.target
    resolve(sheet, tenant, machine, verdict, record, happened=not nothing)


def resolve(sheet: Sheet, tenant: str, machine: str, verdict: Accepted, record: int, *, happened: bool) -> None:
    """Turn what an accepted verdict holds reserved into used, or release it."""
    for move in verdict.moves:
        name = _name(tenant, machine, verdict.transition, move)
        _change(sheet, name, record, _used if happened else _nothing)


def settle(sheet: Sheet, name: Name, record: int, amount: int, scale: int) -> None:
    """Put the actual amount of the passage of that record in the place of its estimate.

    Nothing changes where it is long out of its window.
    """
    _change(sheet, name, record, lambda passage: dataclasses.replace(passage, amount=amount, scale=scale))


def _change(sheet: Sheet, name: Name, record: int, change: Callable[[Passage], Passage | None]) -> None:
    """Make of the passage of that record what `change` returns, null: nothing; no cell is written where it is none."""
    counter = sheet.counter(name)
    changed = counter.changed(sheet.pages(name), record, change)
    if changed is not counter:
        sheet.put(name, changed)


def _used(passage: Passage) -> Passage:
    return dataclasses.replace(passage, standing=Standing.USED)


def _nothing(_: Passage) -> None:
    return None


def name_of(tenant: str, machine: str, verdict: Accepted, code: str) -> Name | None:
    """Return the counter that an accepted verdict moved for the limit of that code, or null where it moved none."""
    found = next((move for move in verdict.moves if move.code == code), None)
    return None if found is None else _name(tenant, machine, verdict.transition, found)


def _name(tenant: str, machine: str, transition: str, move: Move) -> Name:
    return Name(tenant, machine, offered_of(transition), move.code, move.key)


def is_limited(machine: Machine, offered: str) -> bool:
    """Tell whether any of the transitions that candidates call so has a limit."""
    return any(name == offered for name, _ in machine.index.limits)
