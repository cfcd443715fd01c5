"""Timers: which transitions the clock may propose for which cases, and from when on.

They follow from the cases' cells, so nothing is kept of them but in memory: built at the start, and then kept current
by reading the records that were appended since. That needs no word from the loop, and can't miss one.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.machine import RoleKind
from edca.kernel.types import OptionalType
from edca.ledger.record import parse
from edca.runtime.cases import SPACE, load_row, row_from_bytes

if TYPE_CHECKING:
    from edca.kernel.inputs import Case
    from edca.kernel.machine import Machine, Transition
    from edca.runtime.ports import Store


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A transition (as candidates call it) that the clock may propose for a case from `at` on, in microseconds UTC."""

    at: int
    case: str
    transition: str


@dataclass(frozen=True, slots=True)
class Timed:
    """What the clock may propose in a state: the offered name, the role it needs, and how long after entering."""

    transition: str
    role: str
    after_us: int


class Timers:
    """The timers of one machine's cases in one store. Not for several threads at once."""

    def __init__(self, machine: Machine, store: Store, tenant: str) -> None:
        """Read the cases there are. Raises what reading the store raises."""
        self._machine = machine
        self._store = store
        self._timed = timed(machine)
        self._due: dict[str, tuple[Due, ...]] = {}  # by case
        self._heap: list[Due] = []  # may hold what no longer stands in `_due`
        self._prefix = f"{tenant}/"
        self._seen = store.size  # before the cells are read: what is appended meanwhile is read once more
        if self._timed:
            for id_, value in store.cells(SPACE):
                if id_.startswith(self._prefix):
                    self._put(id_, row_from_bytes(value).case)

    def due(self, now: int) -> tuple[Due, ...]:
        """Return what is due, oldest first. It stays due until its case moves. Raises what reading the store raises."""
        self._catch_up()
        found: list[Due] = []
        while self._heap and self._heap[0].at <= now:
            first = heapq.heappop(self._heap)
            if first in self._due.get(first.case, ()) and first not in found[-1:]:
                found.append(first)
        for still in found:
            heapq.heappush(self._heap, still)
        return tuple(found)

    def next_at(self) -> int | None:
        """Return when the first timer is or was due, null where there is none. Raises what reading the store raises."""
        self._catch_up()
        while self._heap and self._heap[0] not in self._due.get(self._heap[0].case, ()):
            heapq.heappop(self._heap)
        return self._heap[0].at if self._heap else None

    def _catch_up(self) -> None:
        if not self._timed:
            return
        moved: set[str] = set()
        for stored in self._store.records(self._seen):
            moved.add(parse(stored.body).chain)
            self._seen = stored.leaf.index + 1
        for id_ in sorted(moved):
            if id_.startswith(self._prefix):
                row = load_row(self._store, id_)
                self._put(id_, None if row is None else row.case)

    def _put(self, id_: str, case: Case | None) -> None:
        before = self._due.pop(id_, ())
        if case is None or case.machine != self._machine.digest:
            return
        rows = self._timed.get((case.entity, case.state), ())
        after = tuple(sorted(Due(case.entered + row.after_us, id_, row.transition) for row in rows))
        if after:
            self._due[id_] = after
        for due in after:
            if due not in before:
                heapq.heappush(self._heap, due)


def timed(machine: Machine) -> dict[tuple[str, str], tuple[Timed, ...]]:
    """Return by (entity, state) what the clock may propose there, by name.

    Where several branches of one name may, the earliest `after` counts: until then none of them is legal.
    """
    clocks = {role.name for role in machine.roles if role.kind is RoleKind.CLOCK}
    found: dict[tuple[str, str], dict[str, Timed]] = {}
    for transition in machine.transitions:
        role = next((name for name in transition.by if name in clocks), None)
        if role is None or not _can_be_proposed(transition):
            continue
        for state in transition.sources:
            rows = found.setdefault((transition.about, state), {})
            row = Timed(transition.offered, role, transition.after_us or 0)
            earlier = rows.get(row.transition, row)
            rows[row.transition] = min(earlier, row, key=lambda one: one.after_us)
    return {place: tuple(rows[name] for name in sorted(rows)) for place, rows in found.items()}


def _can_be_proposed(transition: Transition) -> bool:
    """Tell whether the clock can name every argument: it knows the case's key, and nothing else."""
    others = (parameter for parameter in transition.parameters if parameter.name not in transition.key)
    return not transition.creates and all(isinstance(parameter.type, OptionalType) for parameter in others)
