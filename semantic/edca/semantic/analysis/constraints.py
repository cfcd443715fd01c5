"""Whether several conditions can all hold at once.

Each condition narrows what is known of the terms it speaks of: a term is any expression, and two are the same where
they are written the same. Where nothing is left of a term, the conditions contradict each other. Where a condition can
be met in several ways (an `or`), each is tried, up to a bound. Nothing else is claimed: no contradiction found does not
mean that there is none.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeAlias

from edca.kernel.expression import Comparison
from edca.kernel.types import DecimalType, OptionalType, Type
from edca.semantic import typed
from edca.semantic.analysis.ranges import (
    NOTHING,
    Among,
    Between,
    Items,
    Possible,
    Values,
    meet,
    scaled,
    union,
    unscaled,
    without,
)
from edca.semantic.relations import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# Which signs of (left - right) each comparison allows; for values without an order, 1 and -1 both mean "not equal".
_SIGNS: Mapping[Comparison, frozenset[int]] = {
    Comparison.EQUAL: frozenset((0,)),
    Comparison.UNEQUAL: frozenset((-1, 1)),
    Comparison.LESS: frozenset((-1,)),
    Comparison.AT_MOST: frozenset((-1, 0)),
    Comparison.GREATER: frozenset((1,)),
    Comparison.AT_LEAST: frozenset((0, 1)),
}
_OPPOSITE: Mapping[Comparison, Comparison] = {
    Comparison.EQUAL: Comparison.UNEQUAL,
    Comparison.UNEQUAL: Comparison.EQUAL,
    Comparison.LESS: Comparison.AT_LEAST,
    Comparison.AT_LEAST: Comparison.LESS,
    Comparison.GREATER: Comparison.AT_MOST,
    Comparison.AT_MOST: Comparison.GREATER,
}
_TRUE, _FALSE = Among(frozenset((True,))), Among(frozenset((False,)))

# A way of meeting a condition: these, each with its truth value. Of a choice, at least one way is taken.
Way: TypeAlias = tuple[tuple[typed.Expression, bool], ...]
Choice: TypeAlias = tuple[Way, ...]

WAYS_MAX = 64  # ways tried before nothing is claimed: what is met in more of them is more than authors can follow
ROUNDS_MAX = 8  # rounds of narrowing, each over all comparisons: a chain `a < b`, `b < c`, … may need one for each link


class Terms:
    """Numbers for expressions: two have one number where they are written the same, so that they have one value."""

    def __init__(self) -> None:
        """Begin with no term."""
        self._numbers: dict[tuple[object, ...], int] = {}
        self._seen: dict[int, int] = {}  # by the identity of the node, which its spec keeps

    def number(self, node: typed.Expression) -> int:
        """Return the number of the expression."""
        key = id(node)
        if key not in self._seen:
            self._seen[key] = self._numbered(type(node), tuple(self._parts(node)))
        return self._seen[key]

    def presence(self, node: typed.Expression) -> int:
        """Return the number of `node is present`."""
        return self._numbered(typed.Presence, (self.number(node),))

    def _numbered(self, kind: type, parts: tuple[object, ...]) -> int:
        return self._numbers.setdefault((kind, *parts), len(self._numbers))

    def _parts(self, node: typed.Expression) -> Iterator[object]:
        for field in dataclasses.fields(node):
            value = getattr(node, field.name)
            if field.name == "type":
                # Units matter where a number is written or converted; elsewhere they follow from the parts.
                if isinstance(node, (typed.Literal, typed.Converted)):
                    yield _scale(value)
            elif type(value).__module__ == typed.__name__:
                yield self.number(value)
            elif isinstance(value, tuple):
                yield tuple(self.number(item) for item in value)
            else:
                yield type(value), value  # 1 and true are equal, and not the same


class Constraints:
    """Conditions that are all to be *known* true, or known false; `contradictory` once they can't be."""

    def __init__(
        self,
        terms: Terms,
        bounds: Callable[[typed.Expression], Possible],
        named: Callable[[typed.Expression], typed.Expression | None],
    ) -> None:
        """Take what any term can be by itself, and what stands behind a let or a define (null: nothing to look at)."""
        self.contradictory = False
        self._terms = terms
        self._bounds = bounds
        self._named = named
        self._narrowed: dict[int, Values] = {}
        self._signs: dict[tuple[int, int], frozenset[int]] = {}
        self._entered: set[tuple[int, bool]] = set()
        self._choices: list[Choice] = []
        self._compared: list[tuple[typed.Expression, typed.Expression, frozenset[int]]] = []

    def add(self, node: typed.Expression, truth: bool) -> None:
        """Demand that a condition is known to have this truth value."""
        pending = [(node, truth)]
        while pending:
            condition, wanted = pending.pop()
            match condition:
                case typed.Not(operand):
                    pending.append((operand, not wanted))
                case typed.Connective(every, operands) if every is wanted:
                    pending += [(operand, wanted) for operand in operands]
                case typed.Comparing(comparison, left, right):
                    self.compare(comparison, left, right, wanted)
                case typed.Membership(element, domain):
                    self.member(element, domain, wanted)
                case typed.Connective(_, operands):
                    self._choose(condition, wanted, tuple(((operand, wanted),) for operand in operands))
                case typed.Conditional(test, then, otherwise):
                    ways = (((test, True), (then, wanted)), ((test, False), (otherwise, wanted)))
                    self._choose(condition, wanted, ways)
                case _:
                    behind = self._named(condition)
                    entry = (self._terms.number(condition), wanted)
                    if behind is not None and entry not in self._entered:
                        self._entered.add(entry)
                        pending.append((behind, wanted))
                    self._narrow(condition, _TRUE if wanted else _FALSE)

    def compare(self, comparison: Comparison, left: typed.Expression, right: typed.Expression, truth: bool) -> None:
        """Demand that a comparison is known to have this truth value."""
        signs = _SIGNS[comparison if truth else _OPPOSITE[comparison]]
        self._order(self._terms.number(left), self._terms.number(right), signs)
        self._compared.append((left, right, signs))
        self._squeeze(left, right, signs)
        self._present(left)
        self._present(right)

    def _squeeze(self, left: typed.Expression, right: typed.Expression, signs: frozenset[int]) -> None:
        """Narrow both sides by what is known of the other."""
        a, b = self.values(left), self.values(right)
        self._narrow(left, _allowed(a, b, signs))
        self._narrow(right, _allowed(b, a, frozenset(-sign for sign in signs)))

    def member(self, element: typed.Expression, domain: typed.Expression, truth: bool) -> None:
        """Demand that `element in domain` is known to have this truth value."""
        listed = self._bounds(domain).values
        if isinstance(listed, Items) and listed.parts is not None:
            remaining = self.values(element)
            whole: Values = NOTHING
            for one in listed.parts:
                # What may be absent excludes nothing: where it is, the list doesn't hold its value.
                remaining = remaining if one.absent else without(remaining, one.values)
                whole = union(whole, one.values)
            self._narrow(element, whole if truth else remaining)
        elif truth and isinstance(listed, Items):
            self._narrow(element, listed.of.values)
        self._present(element)

    def settled(self) -> Constraints | None:
        """Return these conditions with a way chosen wherever there is a choice; null where every way is contradictory.

        What is returned may still be contradictory in a way that isn't seen.
        """
        if self.contradictory:
            return None
        pending, tried = [self._copy()], 0
        while pending:
            here = pending.pop()
            here._propagate()
            if here.contradictory:
                continue
            if not here._choices or tried > WAYS_MAX:
                return here
            ways = here._choices.pop()
            tried += len(ways)
            for way in reversed(ways):
                branch = here._copy()
                for condition, truth in way:
                    branch.add(condition, truth)
                pending.append(branch)
        return None

    def _choose(self, condition: typed.Expression, wanted: bool, ways: Choice) -> None:
        """Demand a condition that can be met in several ways."""
        entry = (self._terms.number(condition), wanted)
        if entry not in self._entered:
            self._entered.add(entry)
            self._choices.append(ways)
        self._narrow(condition, _TRUE if wanted else _FALSE)

    def _propagate(self) -> None:
        """Let each comparison narrow again by what the others have narrowed."""
        for _ in range(ROUNDS_MAX):
            before = dict(self._narrowed)
            for left, right, signs in self._compared:
                self._squeeze(left, right, signs)
            if self.contradictory or self._narrowed == before:
                return

    def _copy(self) -> Constraints:
        same = Constraints(self._terms, self._bounds, self._named)
        same.contradictory = self.contradictory
        same._narrowed = dict(self._narrowed)
        same._signs = dict(self._signs)
        same._entered = set(self._entered)
        same._choices = list(self._choices)
        same._compared = list(self._compared)
        return same

    def _present(self, node: typed.Expression) -> None:
        if isinstance(node.type, OptionalType):
            number = self._terms.presence(node)
            self._keep(number, meet(self._narrowed.get(number, _TRUE), _TRUE))

    def _order(self, left: int, right: int, signs: frozenset[int]) -> None:
        if left == right:
            # The same term twice: whatever it is, it equals itself.
            self.contradictory = self.contradictory or 0 not in signs
            return
        if left > right:
            left, right, signs = right, left, frozenset(-sign for sign in signs)
        signs &= self._signs.get((left, right), signs)
        self._signs[left, right] = signs
        self.contradictory = self.contradictory or not signs

    def values(self, node: typed.Expression) -> Values:
        """Return what the term can still be."""
        if isinstance(node, typed.Converted):
            return scaled(self.values(node.operand), _factor(node))
        found = self._narrowed.get(self._terms.number(node))
        return self._bounds(node).values if found is None else found

    def _narrow(self, node: typed.Expression, values: Values) -> None:
        if isinstance(node, typed.Converted):
            self._narrow(node.operand, unscaled(values, _factor(node)))
        else:
            self._keep(self._terms.number(node), meet(self.values(node), values))

    def _keep(self, number: int, values: Values) -> None:
        self._narrowed[number] = values
        self.contradictory = self.contradictory or values == NOTHING


def _allowed(values: Values, others: Values, signs: frozenset[int]) -> Values:
    """Return what is left of `values` where the sign of (value - other) is one of these, for some other."""
    if signs == {0}:
        return meet(values, others)
    if signs == {-1, 1}:
        return without(values, others)
    if not (isinstance(values, Between) and isinstance(others, Between)):
        return values
    strict = 0 if 0 in signs else 1
    if -1 in signs:
        return meet(values, Between(None, None if others.high is None else others.high - strict))
    return meet(values, Between(None if others.low is None else others.low + strict, None))


def _scale(type_: Type) -> int:
    of = plain(type_)
    return of.scale if isinstance(of, DecimalType) else 0


def _factor(node: typed.Converted) -> int:
    return int(10 ** (_scale(node.type) - _scale(node.operand.type)))
