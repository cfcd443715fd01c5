"""Which values an expression can have: an interpreter over sets of values (P. and R. Cousot, "Abstract interpretation",
POPL 1977, with intervals for numbers and plain sets for the rest).

Whatever the expression yields for some input lies in what is returned, an unknown included. So a condition that can't
be true here is never true; one that can be true here may still never be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from edca.kernel.expression import Comparison, Fold, History, Input, Operation, Selection
from edca.kernel.types import DecimalType, RecordType, ReferenceType
from edca.kernel.values import TIME_MAX, TIME_MIN
from edca.semantic import typed
from edca.semantic.analysis import arithmetic
from edca.semantic.analysis.constraints import Constraints, Terms
from edca.semantic.analysis.ranges import (
    ANYTHING,
    NOTHING,
    Among,
    Between,
    Doubt,
    Items,
    Parts,
    Possible,
    given,
    items,
    join,
    part,
    scaled,
    truths,
)
from edca.semantic.relations import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edca.kernel.types import Type
    from edca.semantic.checked import CheckedSpec

FACT, CLAIM, INPUT, HISTORY, GAP = (frozenset((doubt,)) for doubt in Doubt)
CONFIDENCE = Between(0, 10_000)


@dataclass(slots=True)
class Scope:
    """The variables in force, and what has been found with them, by the identity of the node."""

    locals: Mapping[str, Possible] = field(default_factory=dict)
    found: dict[int, Possible] = field(default_factory=dict)


class Reach:
    """What expressions of one spec can yield, each worked out once in each scope."""

    def __init__(
        self, spec: CheckedSpec, *, begun: bool = True, gone: frozenset[tuple[History, str]] = frozenset()
    ) -> None:
        """Take the spec; nothing is worked out before it is asked for.

        A case that has not `begun` is a new one. What is `gone` can't have happened in the case.
        """
        self.terms = Terms()
        self.gone = gone
        self._spec = spec
        self._begun = begun
        self._applied: dict[tuple[str, tuple[Possible, ...]], Possible] = {}
        self._given: dict[int, Possible] = {}

    def transition(self, lets: Iterable[tuple[str, typed.Expression]]) -> Within:
        """Return the same for the clauses of a transition with these lets."""
        within = Within(self, dict(lets))
        for value in within.lets.values():
            within.of(value)  # in order, so that no let is followed down a long chain of others
        return within

    def given(self, type_: Type) -> Possible:
        """Return what a value of the type can be; the same type gives the very same."""
        key = id(type_)  # the spec holds every type it has, so none is freed and its identity given to another
        if key not in self._given:
            self._given[key] = given(type_)
        return self._given[key]

    def memory(self, name: str) -> Possible:
        """Return what a memory field can hold: what it begins with and, in time, what its type allows."""
        held, initial = self.given(self._spec.words.memory[name]), self._spec.memory.get(name)
        if initial is None:
            return held
        first = Within(self, {}).of(initial)
        return join((held, first)) if self._begun else first

    def applied(self, name: str, arguments: tuple[Possible, ...]) -> Possible:
        """Return what a define can yield for arguments."""
        key = (name, arguments)
        if key not in self._applied:
            definition = self._spec.definitions[name]
            names = (parameter for parameter, _ in definition.parameters)
            scope = Scope(dict(zip(names, arguments, strict=True)))
            self._applied[key] = Within(self, {}).of(definition.body, scope)
        return self._applied[key]

    def body_of(self, name: str) -> typed.Expression:
        """Return the body of a define."""
        return self._spec.definitions[name].body


class Within:
    """What expressions can yield where certain lets can be read."""

    def __init__(self, reach: Reach, lets: Mapping[str, typed.Expression]) -> None:
        """Take the whole spec's reach, and the lets by name."""
        self.reach = reach
        self.lets = lets
        self._outside = Scope()

    def of(self, node: typed.Expression, scope: Scope | None = None) -> Possible:
        """Return what the expression can yield."""
        here = self._outside if scope is None else scope
        key = id(node)
        if key not in here.found:
            here.found[key] = self._of(node, here)
        return here.found[key]

    def constraints(self, scope: Scope | None = None) -> Constraints:
        """Return an empty set of conditions that are all to hold."""
        return Constraints(self.reach.terms, lambda node: self.of(node, scope), self._named)

    def _named(self, node: typed.Expression) -> typed.Expression | None:
        match node:
            case typed.LetRead(name):
                return self.lets[name]
            case typed.Applied(name, ()):
                return self.reach.body_of(name)
            case _:
                return None

    def _of(self, node: typed.Expression, scope: Scope) -> Possible:
        match node:
            case typed.Literal(value):
                return _literal(value)
            case typed.InputRead(input_):
                return _input(input_)
            case typed.ArgumentRead(_, type_):
                return self.reach.given(type_)
            case typed.LetRead(name):
                return self.of(self.lets[name])
            case typed.LocalRead(name):
                return scope.locals[name]
            case typed.MemoryRead(name):
                return self.reach.memory(name)
            case typed.ClaimRead(_, type_):
                return self.reach.given(type_).doubted(CLAIM)
            case typed.HistoryRead(history, name) if (history, name) in self.reach.gone:
                return Possible(NOTHING, HISTORY)
            case typed.HistoryRead(_, _, type_):
                return self.reach.given(type_).doubted(HISTORY)
            case typed.FactRead():
                return self._fact(node, scope)
            case typed.PartRead(base, _, index, type_):
                whole = self.of(base, scope).known()
                return part(whole.values, index, type_).doubted(whole.doubts)
            case typed.Not(operand):
                inner = self.of(operand, scope).known()
                return Possible(Among(frozenset(not truth for truth in truths(inner.values))), inner.doubts)
            case typed.Connective():
                return self._connective(node, scope)
            case typed.Comparing(comparison, left, right):
                return self._comparing(comparison, left, right, scope)
            case typed.Membership(element, domain):
                return self._membership(element, domain, scope)
            case typed.Presence(operand):
                return _presence(self.of(operand, scope))
            case typed.Arithmetic(operation, left, right):
                return self._arithmetic(operation, left, right, scope)
            case typed.Conditional(condition, then, otherwise):
                test = self.of(condition, scope).known()
                branches = [(True, then), (False, otherwise)]
                taken = [self.of(branch, scope) for truth, branch in branches if truth in truths(test.values)]
                return join(taken).doubted(test.doubts)
            case typed.Folded():
                return self._folded(node, scope)
            case typed.Selected(selection, domain):
                return self._selected(selection, domain, scope)
            case typed.Zipped(left, right):
                return self._zipped(left, right, scope)
            case typed.Listed(parts, type_):
                return self._listed(parts, type_, scope)
            case typed.Applied(name, arguments):
                return self.reach.applied(name, tuple(self.of(argument, scope) for argument in arguments))
            case typed.Earlier(operand):
                return self.of(operand, scope)
            case typed.Converted(operand, type_):
                inner = self.of(operand, scope)
                return Possible(scaled(inner.values, factor(operand.type, type_)), inner.doubts, inner.absent)
            case _:
                assert_never(node)

    def _fact(self, node: typed.FactRead, scope: Scope) -> Possible:
        base = self.of(node.base, scope).known()
        if node.key_part is None:
            return self.reach.given(node.type).doubted(base.doubts, FACT)
        return part(base.values, node.key_part, node.type).doubted(base.doubts)

    def _connective(self, node: typed.Connective, scope: Scope) -> Possible:
        """Kleene: one decisive operand decides; else one unknown makes it unknown; else the other truth value."""
        decisive = not node.every
        operands = [self.of(operand, scope).known() for operand in node.operands]
        found: set[bool | str] = set()
        if any(decisive in truths(operand.values) for operand in operands):
            found.add(decisive)
        undecided = [operand for operand in operands if (not decisive) in truths(operand.values)]
        if len(undecided) == len(operands):
            together = self.constraints(scope)
            for operand in node.operands:
                together.add(operand, not decisive)
            if together.settled() is not None:
                found.add(not decisive)
        # Unknown only if no operand decides: each must be able to be unknown or of the other truth value.
        doubtful = all(operand.doubts or (not decisive) in truths(operand.values) for operand in operands)
        doubts = [operand.doubts for operand in operands] if doubtful else []
        return Possible(Among(frozenset(found))).doubted(*doubts)

    def _comparing(
        self, comparison: Comparison, left: typed.Expression, right: typed.Expression, scope: Scope
    ) -> Possible:
        a, b = self.of(left, scope).known(), self.of(right, scope).known()
        found = [truth for truth in (True, False) if self._can_be(comparison, left, right, truth, scope)]
        return Possible(Among(frozenset(found))).doubted(a.doubts, b.doubts)

    def _can_be(
        self, comparison: Comparison, left: typed.Expression, right: typed.Expression, truth: bool, scope: Scope
    ) -> bool:
        alone = self.constraints(scope)
        alone.compare(comparison, left, right, truth)
        return not alone.contradictory

    def _membership(self, element: typed.Expression, domain: typed.Expression, scope: Scope) -> Possible:
        one, many = self.of(element, scope).known(), self.of(domain, scope).known()
        if NOTHING in (one.values, many.values):
            return Possible(NOTHING).doubted(one.doubts, many.doubts)
        found: list[bool] = []
        for truth in (True, False):
            alone = self.constraints(scope)
            alone.member(element, domain, truth)
            found += [] if alone.contradictory else [truth]
        return Possible(Among(frozenset(found))).doubted(one.doubts, many.doubts)

    def _arithmetic(
        self, operation: Operation, left: typed.Expression, right: typed.Expression, scope: Scope
    ) -> Possible:
        a, b = self.of(left, scope).known(), self.of(right, scope).known()
        return Possible(arithmetic.apply(operation, a.values, b.values)).doubted(a.doubts, b.doubts)

    def _folded(self, node: typed.Folded, scope: Scope) -> Possible:
        domain = self.of(node.domain, scope).known()
        over = items(domain.values, plain(node.domain.type))
        if node.fold in (Fold.MIN, Fold.MAX) and over.parts and _is_written_out(node):
            # Better than what is known of the elements as a whole.
            parts = [one.known() for one in over.parts]
            values = arithmetic.extreme(node.fold, [one.values for one in parts])
            return Possible(values).doubted(domain.doubts, *(one.doubts for one in parts))
        inner = Scope({**scope.locals, node.variable: over.of})
        kept = Possible(Among(frozenset((True,)))) if node.condition is None else self.of(node.condition, inner).known()
        body = kept if node.body is None else self.of(node.body, inner)
        doubts = domain.doubts
        if over.high != 0:
            doubts |= kept.doubts
        low = over.low if truths(kept.values) == {True} else 0
        high = over.high if True in truths(kept.values) else 0
        return arithmetic.fold(node.fold, low, high, body.known()).doubted(doubts)

    def _selected(self, selection: Selection, domain: typed.Expression, scope: Scope) -> Possible:
        whole = self.of(domain, scope).known()
        over = items(whole.values, plain(domain.type))
        match selection:
            case Selection.FIRST | Selection.LAST:
                values = over.of if over.high != 0 else Possible(NOTHING)
                return values.doubted(whole.doubts, GAP if over.low == 0 else frozenset())
            case Selection.DISTINCT:
                return Possible(Items(min(1, over.low), over.high, over.of), whole.doubts)
            case Selection.PAIRS:
                high = None if over.high is None else max(0, over.high - 1)
                pair = Possible(Parts((over.of, over.of)))
                return Possible(Items(max(0, over.low - 1), high, pair), whole.doubts)
            case _:
                assert_never(selection)

    def _zipped(self, left: typed.Expression, right: typed.Expression, scope: Scope) -> Possible:
        a, b = self.of(left, scope).known(), self.of(right, scope).known()
        one, other = items(a.values, plain(left.type)), items(b.values, plain(right.type))
        bounds = [high for high in (one.high, other.high) if high is not None]
        pair = Possible(Parts((one.of, other.of)))
        whole = Items(min(one.low, other.low), min(bounds) if bounds else None, pair)
        return Possible(whole).doubted(a.doubts, b.doubts)

    def _listed(self, parts: tuple[typed.Expression, ...], type_: Type, scope: Scope) -> Possible:
        found = [self.of(one, scope) for one in parts]
        doubts = [one.doubts for one in found]  # one unknown part makes the whole unknown
        sure = tuple(Possible(one.values, absent=one.absent) for one in found)
        if isinstance(plain(type_), (RecordType, ReferenceType)):
            return Possible(Parts(sure)).doubted(*doubts)
        return Possible(Items(len(sure), len(sure), join(sure), sure)).doubted(*doubts)


def _is_written_out(node: typed.Folded) -> bool:
    """Tell whether the fold is that of `min(a, b)`: over all elements, each as it is."""
    return node.condition is None and isinstance(node.body, typed.LocalRead) and node.body.name == node.variable


def factor(have: Type, want: Type) -> int:
    """Return how many units of `want` are one of `have`."""
    a, b = plain(have), plain(want)
    scale = (b.scale if isinstance(b, DecimalType) else 0) - (a.scale if isinstance(a, DecimalType) else 0)
    return int(10**scale)


def _literal(value: object) -> Possible:
    match value:
        case bool() | str():
            return Possible(Among(frozenset((value,))))
        case int():
            return Possible(Between(value, value))
        case _:
            return Possible(ANYTHING)


def _input(input_: Input) -> Possible:
    match input_:
        case Input.NOW:
            return Possible(Between(TIME_MIN, TIME_MAX))
        case Input.CONFIDENCE:
            return Possible(CONFIDENCE, INPUT)
        case Input.SUBJECT:
            return Possible(ANYTHING, INPUT)
        case Input.PROPOSER | Input.CASE:
            return Possible(ANYTHING)
        case _:
            assert_never(input_)


def _presence(operand: Possible) -> Possible:
    found = [truth for truth, can in ((True, operand.values != NOTHING), (False, operand.absent)) if can]
    return Possible(Among(frozenset(found)), operand.doubts)
