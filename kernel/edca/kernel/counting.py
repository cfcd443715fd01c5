"""Counters as values: what a limit has counted, and how verdicts, outcomes and settlements move it.

A passage is counted from the verdict on: *used* at once where nothing can come of it any more, else *reserved* until
its effects have an outcome, or until an escalated candidate is decided again or its reservation ends. What a passage
counts in is the window its verdict lies in, whenever its effects come out.

Everything here is pure, and says what counting means; scenarios are played with it. In a store the same passages are so
kept that a decision doesn't cost the more, the more they are: see `edca.runtime.counted`.
"""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edca.kernel.calendar import DAY
from edca.kernel.canonical import Encoded, encode
from edca.kernel.types import DecimalType
from edca.kernel.windows import in_window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.kernel.canonical import Data
    from edca.kernel.machine import Limit, Machine, Window
    from edca.kernel.types import Type
    from edca.kernel.verdict import Escalated

UNANSWERED_US = 7 * DAY  # how long an escalation holds its reservations where no clause says how long an answer counts


class Standing(enum.Enum):
    """How a passage counts."""

    RESERVED = "reserved"  # it may still come to nothing
    USED = "used"


@dataclass(frozen=True, slots=True)
class Passage:
    """One candidate that a limit has counted.

    `at` is the time of the verdict, and `record` the number of its record in the store. `amount` is in units of
    10^-`scale`. `expires` is set for an escalation's reservation, which counts up to and with that instant; `candidate`
    is that candidate's digest, since its own reservation doesn't count against it.
    """

    at: int
    amount: int
    scale: int
    record: int
    standing: Standing
    expires: int | None = None
    candidate: bytes | None = None
    _encoded: Encoded | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def encoded(self) -> Encoded:
        """The passage as a counter's cell holds it: encoded once, though the cell is written for each one after it."""
        if self._encoded is None:
            parts: Data = [
                self.at,
                self.amount,
                self.scale,
                self.record,
                self.standing.value,
                self.expires,
                self.candidate,
            ]
            object.__setattr__(self, "_encoded", Encoded(encode(parts)))
        return self._encoded  # type: ignore[return-value]  # it is there now


@dataclass(frozen=True, slots=True)
class Counter:
    """What one limit has counted for one key: passages in the order of their records.

    `latest` is the newest time at which a passage was added. Before it nothing can be told, as passages that were out
    of the window by then are gone.
    """

    latest: int = 0
    passages: tuple[Passage, ...] = ()

    def sum(self, window: Window, scale: int, now: int, candidate: bytes | None) -> int | None:
        """Return what counts now in units of 10^-`scale`, without what `candidate` itself holds reserved.

        Null where the clock stands before `latest`: nobody can tell.
        """
        if now < self.latest:
            return None
        counting = (passage for passage in self.passages if counts(passage, window, now))
        return sum(scaled(passage, scale) for passage in counting if not _is_own(passage, candidate))

    def reserved(self, window: Window, scale: int, now: int) -> int:
        """Return how much of what counts now is only reserved."""
        counting = (passage for passage in self.passages if counts(passage, window, now))
        return sum(scaled(passage, scale) for passage in counting if passage.standing is Standing.RESERVED)

    def with_passage(self, passage: Passage, window: Window) -> Counter:
        """Return the counter with one more passage; those that can't count any more are dropped."""
        kept = tuple(earlier for earlier in self.passages if counts(earlier, window, passage.at))
        return Counter(max(self.latest, passage.at), (*kept, passage))

    def without(self, candidate: bytes) -> Counter:
        """Return the counter without what an escalated candidate holds reserved."""
        return self._keeping([passage for passage in self.passages if not _is_own(passage, candidate)])

    def used(self, record: int) -> Counter:
        """Return the counter once the passage of that record has happened for good."""
        return self._keeping(
            [
                dataclasses.replace(passage, standing=Standing.USED) if passage.record == record else passage
                for passage in self.passages
            ]
        )

    def released(self, record: int) -> Counter:
        """Return the counter once it is known that the passage of that record came to nothing."""
        return self._keeping([passage for passage in self.passages if passage.record != record])

    def settled(self, record: int, amount: int, scale: int) -> Counter:
        """Return the counter with the actual amount of the passage of that record instead of its estimate."""
        return self._keeping(
            [
                dataclasses.replace(passage, amount=amount, scale=scale) if passage.record == record else passage
                for passage in self.passages
            ]
        )

    def _keeping(self, passages: Sequence[Passage]) -> Counter:
        return dataclasses.replace(self, passages=tuple(passages))


def offered_of(transition: str) -> str:
    """Return what candidates call the transition of an id: branches of one name count together."""
    return transition.partition(".")[0]


def limit_of(machine: Machine, transition: str, code: str) -> Limit | None:
    """Return the limit of that code in a transition (an id or an offered name), or null where there is none.

    In branches of one name it has one window, one type and one kind of keys; its bound and its measure are each one's.
    """
    return machine.index.limits.get((offered_of(transition), code))


def scale_of(type_: Type) -> int:
    """Return the decimal places of a limit's numbers."""
    return type_.scale if isinstance(type_, DecimalType) else 0


def ends_at(machine: Machine, verdict: Escalated, now: int) -> int:
    """Return until when an escalation holds its reservations: as long as an answer to what it waits for may count.

    That is the shortest `within` of the clauses it needs answers to, `UNANSWERED_US` where none has one.
    """
    declared, needed = machine.index.transitions[verdict.transition], {need.code for need in verdict.needs}
    within = [clause.within_us for clause in declared.clauses if clause.code in needed and clause.within_us is not None]
    return now + min(within, default=UNANSWERED_US)


def counts(passage: Passage, window: Window, now: int) -> bool:
    """Tell whether a passage counts now."""
    return in_window(window, passage.at, now) and (passage.expires is None or now <= passage.expires)


def _is_own(passage: Passage, candidate: bytes | None) -> bool:
    return candidate is not None and passage.candidate == candidate


def scaled(passage: Passage, scale: int) -> int:
    """Return the amount in units of 10^-`scale`, rounded up: a machine's newer version may count more coarsely."""
    if passage.scale <= scale:
        return passage.amount * int(10 ** (scale - passage.scale))
    return -(-passage.amount // int(10 ** (passage.scale - scale)))
