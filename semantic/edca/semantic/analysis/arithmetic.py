"""Arithmetic and folds on sets of values."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from edca.kernel.expression import Fold, Operation
from edca.semantic.analysis.ranges import (
    ANY_NUMBER,
    NOTHING,
    Among,
    Between,
    Doubt,
    Items,
    Possible,
    Values,
    truths,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = frozenset((Doubt.GAP,))


def apply(operation: Operation, a: Values, b: Values) -> Values:
    """Return what `a` and `b` can add up, or come, to."""
    if NOTHING in (a, b):
        return NOTHING
    if not (isinstance(a, Between) and isinstance(b, Between)):
        return ANY_NUMBER
    match operation:
        case Operation.ADD:
            return Between(_sum(a.low, b.low), _sum(a.high, b.high))
        case Operation.SUBTRACT:
            return Between(_sum(a.low, _negated(b.high)), _sum(a.high, _negated(b.low)))
        case Operation.MULTIPLY:
            if a.low is None or a.high is None or b.low is None or b.high is None:
                return ANY_NUMBER
            corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
            return Between(min(corners), max(corners))
        case _:
            assert_never(operation)


def _sum(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a + b


def _negated(a: int | None) -> int | None:
    return None if a is None else -a


def extreme(fold: Fold, parts: Sequence[Values]) -> Values:
    """Return what the least (or the greatest) of values from each of these sets can be."""
    if NOTHING in parts:
        return NOTHING
    ranges = [one for one in parts if isinstance(one, Between)]
    if len(ranges) != len(parts):
        return ANY_NUMBER
    lows, highs = [one.low for one in ranges], [one.high for one in ranges]
    if fold is Fold.MIN:
        return Between(None if None in lows else min(_stated(lows)), min(_stated(highs), default=None))
    return Between(max(_stated(lows), default=None), None if None in highs else max(_stated(highs)))


def _stated(bounds: Sequence[int | None]) -> list[int]:
    return [bound for bound in bounds if bound is not None]


def fold(kind: Fold, low: int, high: int | None, body: Possible) -> Possible:
    """Return what a fold over `low` to `high` bodies can yield (null: any number of them)."""
    if high == 0:
        body = Possible(NOTHING)
    match kind:
        case Fold.COUNT:
            return Possible(Between(low, high))
        case Fold.EVERY | Fold.SOME:
            decisive = kind is Fold.SOME
            found = {decisive} & truths(body.values)
            if low == 0 or (not decisive) in truths(body.values):
                found = found | {not decisive}
            return Possible(Among(frozenset(found)), body.doubts)
        case Fold.SUM:
            return Possible(_total(low, high, body.values), body.doubts)
        case Fold.MIN | Fold.MAX:
            return Possible(body.values, body.doubts | (GAP if low == 0 else frozenset()))
        case Fold.COLLECT:
            return Possible(Items(low, high, Possible(body.values)), body.doubts)
        case _:
            assert_never(kind)


def _total(low: int, high: int | None, values: Values) -> Values:
    """Return the sums of `low` to `high` numbers of a set."""
    if values == NOTHING:
        return Between(0, 0) if low == 0 else NOTHING
    if not isinstance(values, Between):
        return ANY_NUMBER
    least = most = None
    if values.low is not None and values.low >= 0:
        least = values.low * low
    elif values.low is not None and high is not None:
        least = values.low * high
    if values.high is not None and values.high <= 0:
        most = values.high * low
    elif values.high is not None and high is not None:
        most = values.high * high
    return Between(least, most)
