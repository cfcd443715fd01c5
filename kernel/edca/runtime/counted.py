"""What a counter has counted, so kept that a decision costs the same however much that is.

The newest passages stand in the counter's own cell. Older ones are put away, `SHARE` at a time, in *parts*: cells of
their own, of which the counter's cell holds no more than what each adds up to. `SHARE` parts make a part of the next
level. At the other end, the part that lies across the beginning of the window is taken apart again. So both ends are
at hand, what lies between is known by its sums, and whatever moves one passage reads and writes few cells. The form is
a finger tree's: R. Hinze, R. Paterson, "Finger trees: a simple general-purpose data structure", JFP 16:2 (2006).

What is counted, and when it counts no more, is exactly what `edca.kernel.counting.Counter` says; tests compare the two.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from edca.kernel.canonical import Encoded, encode
from edca.kernel.counting import Passage, Standing, scaled
from edca.kernel.windows import window_start
from edca.ledger.errors import TamperedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from edca.kernel.canonical import Data
    from edca.kernel.machine import Window

SHARE = 16  # passages, or parts of the level below, that make a part
SWEPT = 2  # parts out of their window whose cells go with each passage: more than a passage adds to them
_INT_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Part:
    """Passages in a cell of their own, in the order in which they were counted.

    `level` is 1 where the cell holds the passages themselves, else it holds parts of the level below. `number` finds
    the cell: it is that of no other part of the counter. They lie from `first` to `last`, their records from `lowest`
    to `highest`; `expires` is when the first of them that is an escalation's reservation ends. `totals` are their sums
    in units of 10^-0, 10^-1, … to the finest scale of any; `reserved` those of what is only reserved.
    """

    level: int
    number: int
    first: int
    last: int
    lowest: int
    highest: int
    expires: int | None
    totals: tuple[int, ...]
    reserved: tuple[int, ...]
    _encoded: Encoded | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def encoded(self) -> Encoded:
        """The part as the cell holds it that it is part of."""
        if self._encoded is None:
            parts: Data = [
                self.level,
                self.number,
                self.first,
                self.last,
                self.lowest,
                self.highest,
                self.expires,
                [_whole(total) for total in self.totals],
                [_whole(total) for total in self.reserved],
            ]
            object.__setattr__(self, "_encoded", Encoded(encode(parts)))
        return self._encoded  # type: ignore[return-value]  # it is there now


Item: TypeAlias = Passage | Part


class Pages(Protocol):
    """The cells of one counter's parts."""

    def read(self, number: int) -> tuple[Item, ...]:
        """Return what the cell of a part holds. Raises `TamperedError` where there is none, or nothing of the kind."""
        ...

    def write(self, number: int, items: Sequence[Item]) -> None:
        """Write the cell of a part."""
        ...

    def drop(self, number: int) -> None:
        """Remove the cell of a part."""
        ...


@dataclass(frozen=True, slots=True)
class Counted:
    """What one limit has counted for one key.

    `latest` is the newest time at which a passage was added. Before it nothing can be told, as passages that were out
    of the window by then are gone. `made` parts were ever made; `gone` are those, by level and number, that are out of
    the window and whose cells are still there.
    """

    latest: int = 0
    items: tuple[Item, ...] = ()
    made: int = 0
    gone: tuple[tuple[int, int], ...] = ()

    @property
    def holds_escalated(self) -> bool:
        """Whether there are reservations of escalated candidates."""
        return any(item.expires is not None for item in self.items)

    def sum(self, pages: Pages, window: Window, scale: int, now: int) -> int | None:
        """Return what counts now in units of 10^-`scale`; null where the clock stands before `latest`."""
        if now < self.latest:
            return None
        return _sum(self.items, pages, window_start(window, now), now, scale, reserved=False)

    def reserved(self, pages: Pages, window: Window, scale: int, now: int) -> int:
        """Return how much of what counts now is only reserved."""
        return _sum(self.items, pages, window_start(window, now), now, scale, reserved=True)

    def passages(self, pages: Pages) -> Iterator[Passage]:
        """Yield all passages, in the order in which they were counted."""
        return _passages(self.items, pages)

    def newest(self, pages: Pages) -> Passage:
        """Return the passage that was counted last. There must be one."""
        item = self.items[-1]
        while isinstance(item, Part):
            item = _inside(item, pages)[-1]
        return item

    def find(self, pages: Pages, record: int) -> Passage | None:
        """Return the passage of that record, or null where there is none."""
        return _find(self.items, pages, record)

    def with_passage(self, pages: Pages, passage: Passage, window: Window) -> Counted:
        """Return what is counted with one more passage; those that can't count any more are dropped."""
        now, gone = passage.at, list(self.gone)
        items = _kept(self.items, pages, window_start(window, now), now, gone)
        items.append(passage)
        made = _put_away(items, pages, self.made)
        for _ in range(SWEPT):
            _sweep(gone, pages)
        return Counted(max(self.latest, now), tuple(items), made, tuple(gone))

    def changed(self, pages: Pages, record: int, change: Callable[[Passage], Passage | None]) -> Counted:
        """Return what is counted once `change` has made of the passage of that record what it returns: null, nothing.

        It is the same object where there is no such passage.
        """
        items = _changed(self.items, pages, record, change)
        return self if items is None else dataclasses.replace(self, items=items)

    def anew(self, pages: Pages, passages: Iterable[Passage], latest: int) -> Counted:
        """Return what is counted where it is these passages, in this order, and nothing else."""
        gone = [*self.gone, *((item.level, item.number) for item in self.items if isinstance(item, Part))]
        items: list[Item] = []
        made = self.made
        for passage in passages:
            items.append(passage)
            made = _put_away(items, pages, made)
        return Counted(latest, tuple(items), made, tuple(gone))


def _sum(items: Sequence[Item], pages: Pages, start: int, now: int, scale: int, *, reserved: bool) -> int:
    """Return what those count that lie from `start` to `now` and have not ended by now."""
    total = 0
    for item in items:
        is_over = item.expires is not None and item.expires < now
        if isinstance(item, Passage):
            if start <= item.at <= now and not is_over and (item.standing is Standing.RESERVED or not reserved):
                total += scaled(item, scale)
        elif item.last < start or now < item.first:
            continue
        elif start <= item.first and item.last <= now and not is_over:
            total += _at_scale(item.reserved if reserved else item.totals, scale)
        else:
            total += _sum(_inside(item, pages), pages, start, now, scale, reserved=reserved)
    return total


def _passages(items: Sequence[Item], pages: Pages) -> Iterator[Passage]:
    for item in items:
        if isinstance(item, Passage):
            yield item
        else:
            yield from _passages(_inside(item, pages), pages)


def _find(items: Sequence[Item], pages: Pages, record: int) -> Passage | None:
    for item in reversed(items):
        if isinstance(item, Passage):
            if item.record == record:
                return item
        elif item.lowest <= record <= item.highest:
            found = _find(_inside(item, pages), pages, record)
            if found is not None:
                return found
    return None


def _kept(items: Sequence[Item], pages: Pages, start: int, now: int, gone: list[tuple[int, int]]) -> list[Item]:
    """Return those that still count: parts that no longer do go to `gone`, and what lies across is taken apart."""
    kept: list[Item] = []
    for item in items:
        is_over = item.expires is not None and item.expires < now
        if isinstance(item, Passage):
            if start <= item.at <= now and not is_over:
                kept.append(item)
        elif item.last < start or now < item.first:
            gone.append((item.level, item.number))
        elif item.first < start or now < item.last:
            kept += _kept(_inside(item, pages), pages, start, now, gone)
            pages.drop(item.number)
        elif is_over:
            kept += _rewritten(item, pages, _kept(_inside(item, pages), pages, start, now, gone))
        else:
            kept.append(item)
    return kept


def _changed(
    items: Sequence[Item], pages: Pages, record: int, change: Callable[[Passage], Passage | None]
) -> tuple[Item, ...] | None:
    """Return the items with one passage changed, or null where it isn't among them."""
    for place in reversed(range(len(items))):
        item = items[place]
        instead: tuple[Item, ...]
        if isinstance(item, Passage):
            if item.record != record:
                continue
            changed = change(item)
            instead = () if changed is None else (changed,)
        elif item.lowest <= record <= item.highest:
            inside = _changed(_inside(item, pages), pages, record, change)
            if inside is None:
                continue
            instead = _rewritten(item, pages, inside)
        else:
            continue
        return (*items[:place], *instead, *items[place + 1 :])
    return None


def _rewritten(part: Part, pages: Pages, items: Sequence[Item]) -> tuple[Part, ...]:
    """Return the part with other items inside: nothing where there are none."""
    if not items:
        pages.drop(part.number)
        return ()
    pages.write(part.number, items)
    return (_part(part.level, part.number, items),)


def _put_away(items: list[Item], pages: Pages, made: int) -> int:
    """Make parts of what has become many at the end of `items`, and return how many parts were then ever made.

    The newest passages stay, since outcomes and settlements still come for them; so do the oldest, where all stand
    there: the window's beginning would soon take apart what is made of them.
    """
    end, level = len(items), 0
    while True:
        begin = end
        while begin > 0 and _level(items[begin - 1]) == level:
            begin -= 1
        place = begin + (SHARE if level == begin == 0 else 0)
        if place + SHARE > end - (SHARE if level == 0 else 0):
            return made
        inside = items[place : place + SHARE]
        items[place : place + SHARE] = [_part(level + 1, made, inside)]
        pages.write(made, inside)
        made, end, level = made + 1, place + 1, level + 1


def _sweep(gone: list[tuple[int, int]], pages: Pages) -> None:
    """Remove the cell of one of the parts that are out of the window; those inside it are out as well."""
    if gone:
        level, number = gone.pop()
        if level > 1:
            gone += [(item.level, item.number) for item in pages.read(number) if isinstance(item, Part)]
        pages.drop(number)


def _level(item: Item) -> int:
    return 0 if isinstance(item, Passage) else item.level


def _inside(part: Part, pages: Pages) -> tuple[Item, ...]:
    """Return what a part holds. Raises `TamperedError` where that is not what it adds up to."""
    items = pages.read(part.number)
    if not items or _part(part.level, part.number, items) != part:
        raise TamperedError("what a limit has counted doesn't add up to its sum; replay the ledger")
    return items


def _part(level: int, number: int, items: Sequence[Item]) -> Part:
    """Return what items add up to. Raises `TamperedError` for those that a part of this level doesn't hold."""
    if any(_level(item) != level - 1 for item in items):
        raise TamperedError("what a limit has counted stands where it doesn't belong; replay the ledger")
    ends = [item.expires for item in items if item.expires is not None]
    return Part(
        level=level,
        number=number,
        first=min(item.at if isinstance(item, Passage) else item.first for item in items),
        last=max(item.at if isinstance(item, Passage) else item.last for item in items),
        lowest=min(item.record if isinstance(item, Passage) else item.lowest for item in items),
        highest=max(item.record if isinstance(item, Passage) else item.highest for item in items),
        expires=min(ends, default=None),
        totals=_totals(items, reserved=False),
        reserved=_totals(items, reserved=True),
    )


def _totals(items: Sequence[Item], *, reserved: bool) -> tuple[int, ...]:
    """Return the sums in units of each scale up to the finest: a passage is rounded up, and not a sum of many."""
    finest = max(item.scale if isinstance(item, Passage) else len(item.totals) - 1 for item in items)
    return tuple(
        sum(
            scaled(item, scale) if isinstance(item, Passage) else _at_scale(_of(item, reserved=reserved), scale)
            for item in items
            if not reserved or isinstance(item, Part) or item.standing is Standing.RESERVED
        )
        for scale in range(finest + 1)
    )


def _of(part: Part, *, reserved: bool) -> tuple[int, ...]:
    return part.reserved if reserved else part.totals


def _at_scale(totals: tuple[int, ...], scale: int) -> int:
    """Return the sum in units of 10^-`scale`: exact at any that is finer than all that it is made of."""
    finest = len(totals) - 1
    return totals[scale] if scale <= finest else totals[finest] * int(10 ** (scale - finest))


def _whole(total: int) -> int | str:
    """Return the sum as data: digits where it is longer than canonical integers are."""
    return total if -_INT_MAX <= total <= _INT_MAX else str(total)
