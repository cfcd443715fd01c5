"""How far a condition is from a truth value: how many of its comparisons would have to come out differently.

A search that makes this smaller step by step finds its way through `a or b or c`, of which no single change shows
anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from edca.kernel import expression as ir
from edca.kernel.evaluate import Closure, Frame, known
from edca.kernel.values import Unknown

Compiled: TypeAlias = Callable[[ir.Expression], Closure]
Distance: TypeAlias = Callable[[ir.Expression, bool], int]

_ABSENT = 5  # an element that is not there yet is further than one that needs a change or two
_NEAR = 30  # numbers further apart than this are all alike
FAR = 1_000  # further than any condition of a few comparisons


def distance(
    node: ir.Expression, target: bool, frame: Frame, lets: Mapping[str, ir.Expression], compiled: Compiled
) -> int:
    """Return 0 where the expression has the truth value `target`, else how many parts of it must change at least."""

    def of(part: ir.Expression, wanted: bool = target) -> int:
        return distance(part, wanted, frame, lets, compiled)

    if known(compiled(node)(frame)) is target:
        return 0
    match node:
        case ir.Negation(operand):
            return of(operand, not target)
        case ir.Conjunction(operands):
            return _of_all(map(of, operands)) if target else min(map(of, operands))
        case ir.Disjunction(operands):
            return min(map(of, operands)) if target else _of_all(map(of, operands))
        case ir.Choice(condition, then, otherwise):
            return min(of(condition, True) + of(then), of(condition, False) + of(otherwise))
        case ir.ReadLet(name):
            return of(lets[name])
        case ir.Bind(name, value, body):
            frame.locals[name] = compiled(value)(frame)
            return of(body)
        case ir.Reduce(ir.Fold.EVERY | ir.Fold.SOME as fold, name, domain, _, body):
            each = list(_elements(name, compiled(domain)(frame), body, frame, of))
            if not each:
                return 1
            return _of_all(each) if (fold is ir.Fold.EVERY) is target else min(each)
        case ir.Compare(comparison, left, right):
            one, other = compiled(left)(frame), compiled(right)(frame)
            if one is None or other is None or isinstance(one, Unknown) or isinstance(other, Unknown):
                return _NEAR  # to lose a value is no way to reach another
            if not (isinstance(one, int) and isinstance(other, int)):
                return 1
            ways = [(left, change - one) for change in _targets(comparison, other, target)]
            ways += [(right, change - other) for change in _targets(_MIRRORED[comparison], one, target)]
            return min(_moved(part, change, frame, compiled, of) for part, change in ways)
        case _:
            return 1


_MIRRORED = {
    ir.Comparison.EQUAL: ir.Comparison.EQUAL,
    ir.Comparison.UNEQUAL: ir.Comparison.UNEQUAL,
    ir.Comparison.LESS: ir.Comparison.GREATER,
    ir.Comparison.AT_MOST: ir.Comparison.AT_LEAST,
    ir.Comparison.GREATER: ir.Comparison.LESS,
    ir.Comparison.AT_LEAST: ir.Comparison.AT_MOST,
}


def _targets(comparison: ir.Comparison, other: int, target: bool) -> tuple[int, ...]:
    """Return the nearest values of the left side for which the comparison with `other` has the truth value."""
    same, off, below, above = (other,), (other + 1, other - 1), (other - 1,), (other + 1,)
    when_true, when_false = {
        ir.Comparison.EQUAL: (same, off),
        ir.Comparison.UNEQUAL: (off, same),
        ir.Comparison.LESS: (below, same),
        ir.Comparison.AT_MOST: (same, above),
        ir.Comparison.GREATER: (above, same),
        ir.Comparison.AT_LEAST: (same, below),
    }[comparison]
    return when_true if target else when_false


def _moved(part: ir.Expression, change: int, frame: Frame, compiled: Compiled, of: Distance) -> int:
    """Return what it takes to change a number by so much: of a count, its nearest elements have to turn.

    Of other numbers only small changes are told apart.
    """
    match part:
        case ir.Constant():
            return FAR
        case ir.Reduce(ir.Fold.COUNT, name, domain, condition, _):
            items = compiled(domain)(frame)
            turned: list[int] = []
            for item in items if isinstance(items, tuple) else ():
                frame.locals[name] = item
                if (known(compiled(condition)(frame)) is True) is (change < 0):
                    frame.locals[name] = item
                    turned.append(of(condition, change > 0))
            nearest = sorted(turned)[: abs(change)]
            return max(1, min(FAR, sum(nearest) + _ABSENT * (abs(change) - len(nearest))))
        case _:
            return max(1, min(_NEAR, abs(change)))


def _of_all(parts: Iterator[int] | list[int]) -> int:
    return max(1, min(FAR, sum(parts)))


def _elements(
    name: str, items: Any, body: ir.Expression, frame: Frame, of: Callable[[ir.Expression], int]
) -> Iterator[int]:
    for item in items if isinstance(items, tuple) else ():
        frame.locals[name] = item
        yield of(body)
