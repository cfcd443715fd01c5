"""How far each limit is used: what its counters hold now, for operators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.kernel.counting import limit_of, scale_of
from edca.ledger.record import parse
from edca.runtime.config import CHAIN, Configuration
from edca.runtime.counter_cells import SPACE, Sheet, counters
from edca.runtime.verdicts import verdict_from_raw

if TYPE_CHECKING:
    from edca.kernel.machine import Machine, Window
    from edca.kernel.types import Type
    from edca.kernel.values import Raw
    from edca.kernel.verdict import Accepted, Escalated
    from edca.runtime.counted import Counted
    from edca.runtime.counter_cells import Name
    from edca.runtime.ports import Store


@dataclass(frozen=True, slots=True)
class LimitUse:
    """One counter of a limit: what its window holds now, in units of `type`.

    `counted` is all of it, `reserved` the part that may still come to nothing. `bound` is the one that the newest
    passage was decided with; the next may have another where it depends on facts or memory. `counted` is null where the
    clock stands before the newest passage.
    """

    tenant: str
    machine: str
    transition: str
    code: str
    key: tuple[Raw, ...]
    counted: int | None
    reserved: int
    bound: int
    window: Window
    type: Type


def limit_uses(store: Store, now: int, tenant: str | None = None) -> tuple[LimitUse, ...]:
    """Return every counter that a limit has begun, by machine, transition, limit and key; null means all tenants.

    What is listed is what the cells say; `edca.runtime.rebuild` tells whether the records agree. Raises what reading
    the store raises, and `TamperedError` for a cell that is no counter.
    """
    found = [(name, counter) for name, counter in counters(store.cells(SPACE)) if tenant in (None, name.tenant)]
    configuration = Configuration.of(store.records(chain=CHAIN))
    uses = [_use(store, configuration, name, counter, now) for name, counter in found if counter.items]
    return tuple(sorted(uses, key=lambda use: (use.tenant, use.machine, use.transition, use.code, repr(use.key))))


def _use(store: Store, configuration: Configuration, name: Name, counter: Counted, now: int) -> LimitUse:
    pages = Sheet(store.cell).pages(name)
    newest = counter.newest(pages).record
    machine, verdict = _last(store, configuration, newest)
    limit = limit_of(machine, name.transition, name.code)
    move = next((move for move in verdict.moves if move.code == name.code), None)
    if limit is None or move is None:
        raise ValueError(f"record {newest} moved no limit `{name.code}`; replay the ledger")
    scale = scale_of(limit.type)
    return LimitUse(
        tenant=name.tenant,
        machine=name.machine,
        transition=name.transition,
        code=name.code,
        key=name.key,
        counted=counter.sum(pages, limit.window, scale, now),
        reserved=counter.reserved(pages, limit.window, scale, now),
        bound=move.bound,
        window=limit.window,
        type=limit.type,
    )


def _last(store: Store, configuration: Configuration, record: int) -> tuple[Machine, Accepted | Escalated]:
    content: Any = parse(store.read(record).body).content
    verdict: Any = verdict_from_raw(content["verdict"])
    return configuration.machine(content["machine"]), verdict
