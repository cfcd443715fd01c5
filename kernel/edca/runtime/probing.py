"""Probing is bounded: who has been refused too often of late is not looked at for a while.

Refusals tell little, but many of them can tell more than one. So there are only so many refusals within a window for
each principal and each person they act for. Beyond that, whatever they send is put on record as not looked at, by its
size and digest, and refused without a source being asked: every such answer is the same, whatever was sent.

What has been counted is kept in memory, for one process: after a restart everybody begins anew.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, assert_never

from edca.kernel import canonical
from edca.kernel.candidate import NOT_LOOKED_AT, Candidate, Malformed
from edca.kernel.inquiry import Inquiry
from edca.kernel.machine import RoleKind
from edca.kernel.verdict import Refused

if TYPE_CHECKING:
    from edca.kernel.candidate import Caller
    from edca.kernel.inquiry import QueryVerdict
    from edca.kernel.machine import Machine
    from edca.kernel.verdict import Verdict
    from edca.runtime.ports import Clock

_KEPT_MAX = 10_000  # principals; beyond that, whose newest refusal is the oldest is forgotten
_MINUTE_US = 60_000_000
Sent = TypeVar("Sent", bound=bytes | Candidate | Inquiry | Malformed)


@dataclass(frozen=True, slots=True)
class Probing:
    """How often one principal may be refused on behalf of one subject: so many times within so many microseconds."""

    refused_max: int = 200
    within_us: int = 10 * _MINUTE_US

    def __post_init__(self) -> None:
        """Raise `ValueError` for a bound that refuses everybody, or a window that holds nothing."""
        if self.refused_max < 1 or self.within_us < 1:
            raise ValueError("at least one refusal is let pass, within a window of at least a microsecond")


class Probes:
    """Who has been refused, and when. Threads share it."""

    def __init__(self, bound: Probing | None) -> None:
        """Begin with nobody; null bounds nothing."""
        self._bound = bound
        self._lock = threading.Lock()
        self._refused: OrderedDict[tuple[str, str | None], deque[int]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are kept in mind."""
        return len(self._refused)

    def looked_at(self, machine: Machine, payload: Sent, caller: Caller, clock: Clock) -> Sent | Malformed:
        """Return what is to be admitted: the payload, or that it is not looked at. The clock is never held up."""
        if self._bound is None or _is_clock(machine, caller):
            return payload
        with self._lock:
            times = self._recent(caller, clock.now())
            is_over = times is not None and len(times) >= self._bound.refused_max
        return _unseen(payload, caller) if is_over else payload

    def note(self, machine: Machine, caller: Caller, verdict: Verdict | QueryVerdict, clock: Clock) -> None:
        """Count a refusal. One of what was not looked at isn't counted, so that waiting helps."""
        if self._bound is None or not isinstance(verdict, Refused) or _is_clock(machine, caller):
            return
        if is_not_looked_at(verdict):
            return
        with self._lock:
            now, who = clock.now(), (caller.proposer, caller.subject)
            times = self._refused.setdefault(who, deque(maxlen=self._bound.refused_max))
            times.append(now)
            self._refused.move_to_end(who)
            self._forget(now - self._bound.within_us)

    def _forget(self, until: int) -> None:
        """Drop from the front, where those stand who were not refused for longest: each is dropped once."""
        while len(self._refused) > _KEPT_MAX or next(iter(self._refused.values()))[-1] <= until:
            self._refused.popitem(last=False)

    def _recent(self, caller: Caller, now: int) -> deque[int] | None:
        times = self._refused.get((caller.proposer, caller.subject))
        if times is None or self._bound is None:
            return None
        while times and times[0] <= now - self._bound.within_us:
            times.popleft()
        if not times:
            del self._refused[caller.proposer, caller.subject]
        return times


def is_not_looked_at(verdict: Verdict | QueryVerdict) -> bool:
    """Tell whether a verdict refuses because its proposer was refused too often of late."""
    return isinstance(verdict, Refused) and verdict.detail == NOT_LOOKED_AT


def _is_clock(machine: Machine, caller: Caller) -> bool:
    role = machine.index.roles.get(caller.role)
    return role is not None and role.kind is RoleKind.CLOCK


def _unseen(payload: bytes | Candidate | Inquiry | Malformed, caller: Caller) -> Malformed:
    match payload:
        case bytes():
            size, digest = len(payload), canonical.digest("payload", payload)
        case Candidate():
            size, digest = len(canonical.encode([payload.to_raw(), payload.rationale])), payload.digest
        case Inquiry():
            size, digest = len(canonical.encode(payload.to_raw())), payload.digest
        case Malformed():
            size, digest = payload.size, payload.digest
        case _:
            assert_never(payload)
    return Malformed(NOT_LOOKED_AT, size, digest, caller.proposer, caller.role, caller.subject, caller.model)
