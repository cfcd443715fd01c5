"""Which of true, false and unknown a condition can be at all, by what it reads.

The answer is never too small: what is left out can't happen. So coverage may leave it out too. It may be too large,
since operands are judged one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from edca.kernel.expression import Comparison, Fold, Input, Selection
from edca.kernel.types import BoolType, EnumType, ListType, OptionalType
from edca.semantic import typed, walk
from edca.semantic.relations import Numeric, bounds_at, plain, scale_of

Truths: TypeAlias = "frozenset[bool | None]"  # null stands for unknown

_BOTH: Truths = frozenset((True, False))
_UNKNOWN: Truths = frozenset((None,))
_NONE: Truths = frozenset()
_UNSTATED = (Input.SUBJECT, Input.CONFIDENCE)


Known: TypeAlias = "frozenset[typed.Expression]"


def possible(
    condition: typed.Expression,
    definitions: Mapping[str, typed.Definition],
    lets: Mapping[str, typed.Expression],
    known: Known = frozenset(),
) -> Truths:
    """Return the truth values that the condition of a clause can have, where these reads are known to be known."""
    return _Judge(definitions, lets, known).truths(condition)


def may_be_unknown(
    node: typed.Expression,
    definitions: Mapping[str, typed.Definition],
    lets: Mapping[str, typed.Expression],
    known: Known = frozenset(),
) -> bool:
    """Tell whether an expression of any type may yield nothing to compute with: unknown, or absent."""
    return _Judge(definitions, lets, known).may_lack(node)


def known_where(condition: typed.Expression, truth: bool, definitions: Mapping[str, typed.Definition]) -> Known:
    """Return reads that are surely known where the condition has that truth value; there may be more."""
    match condition:
        case typed.Not(operand):
            return known_where(operand, not truth, definitions)
        case typed.Connective(every, operands):
            each = [known_where(operand, truth, definitions) for operand in operands]
            return frozenset().union(*each) if every is truth else each[0].intersection(*each[1:])
        case typed.Comparing(_, left, right) | typed.Membership(left, right):
            return _needed(left) | _needed(right)
        case typed.Presence(operand):
            return _needed(operand)
        case typed.Applied(name):
            found = known_where(definitions[name].body, truth, definitions)
            return frozenset(read for read in found if not _is_local(read))  # a parameter is another one elsewhere
        case _:
            return _needed(condition)


def _is_local(read: typed.Expression) -> bool:
    """Tell whether a read depends on a variable."""
    return any(isinstance(node, typed.LocalRead) for node in walk.nodes(read, {}))


def _needed(node: typed.Expression) -> Known:
    """Return the reads without which an expression is unknown."""
    match node:
        case typed.FactRead(base):
            return _needed(base) | {node}
        case typed.ClaimRead() | typed.HistoryRead() | typed.InputRead():
            return frozenset((node,))
        case typed.Arithmetic(_, left, right):
            return _needed(left) | _needed(right)
        case typed.Converted(operand) | typed.PartRead(operand):
            return _needed(operand)
        case typed.Conditional(test):
            return _needed(test)
        case _:
            return frozenset()


@dataclass(frozen=True, slots=True)
class _Judge:
    """`parameters` holds what the arguments of the define around can be; `judged` what the lets can be, once asked."""

    definitions: Mapping[str, typed.Definition]
    lets: Mapping[str, typed.Expression]
    known: Known = frozenset()
    parameters: Mapping[str, Truths] = field(default_factory=dict)
    judged: dict[str, Truths] = field(default_factory=dict)

    def outcomes(self, node: typed.Expression) -> Truths:
        """Return the possible truth values; of another type than bool only whether it may be unknown counts."""
        if isinstance(plain(node.type), BoolType):
            return self.truths(node)
        return _BOTH | (_UNKNOWN if self._may_miss(node) else _NONE)

    def _let(self, name: str) -> Truths:
        if name not in self.judged:
            self.judged[name] = _Judge(self.definitions, self.lets, self.known, {}, self.judged).outcomes(
                self.lets[name]
            )
        return self.judged[name]

    def truths(self, node: typed.Expression) -> Truths:
        """Return the possible truth values of an expression of type bool."""
        match node:
            case typed.Literal(value):
                return frozenset((value is True,))
            case typed.Not(operand):
                return frozenset(None if truth is None else not truth for truth in self.truths(operand))
            case typed.Connective(every, operands):
                return _connected([self.truths(operand) for operand in operands], decisive=not every)
            case typed.Comparing(comparison, left, right):
                unknown = self.may_lack(left) or self.may_lack(right)
                return _compared(comparison, left, right) | (_UNKNOWN if unknown else _NONE)
            case typed.Membership(element, domain):
                return self._member(element, domain)
            case typed.Presence(operand):
                return _BOTH | (_UNKNOWN if self._may_miss(operand) else _NONE)
            case typed.Conditional(test, then, otherwise):
                choice = self.truths(test)
                found = _UNKNOWN & choice
                found |= self.truths(then) if True in choice else _NONE
                return found | (self.truths(otherwise) if False in choice else _NONE)
            case typed.Folded(Fold.EVERY | Fold.SOME as fold, _, domain, _, body) if body is not None:
                return self._quantified(fold, domain, body)
            case typed.Applied(name, arguments):
                return self._inside(name, arguments).truths(self.definitions[name].body)
            case typed.LetRead(name):
                return self._let(name)
            case typed.LocalRead(name) if name in self.parameters:
                return self.parameters[name]
            case _:
                return _BOTH | (_UNKNOWN if self.may_lack(node) else _NONE)

    def may_lack(self, node: typed.Expression) -> bool:
        """Tell whether there may be no value where one is needed: unknown, or absent."""
        return isinstance(node.type, OptionalType) or self._may_miss(node)

    def _may_miss(self, node: typed.Expression) -> bool:
        """Tell whether the expression may be unknown; absence is not."""
        if self.known and node in self.known:
            return False
        match node:
            case typed.Literal() | typed.ArgumentRead() | typed.MemoryRead():
                return False
            case typed.InputRead(input_):
                return input_ in _UNSTATED
            case typed.ClaimRead() | typed.HistoryRead():
                return True
            case typed.FactRead(base, _, _, key_part):
                return key_part is None or self.may_lack(base)
            case typed.LetRead(name):
                return None in self._let(name)
            case typed.LocalRead(name):
                return None in self.parameters.get(name, _NONE)
            case typed.Applied(name, arguments):
                return self._inside(name, arguments)._may_miss(self.definitions[name].body)
            case typed.Not() | typed.Connective() | typed.Comparing() | typed.Membership() | typed.Presence():
                return None in self.truths(node)
            case typed.PartRead(base):
                return self.may_lack(base)
            case typed.Arithmetic(_, left, right) | typed.Zipped(left, right):
                return self.may_lack(left) or self.may_lack(right)
            case typed.Conditional(test, then, otherwise):
                return None in self.truths(test) or self._may_miss(then) or self._may_miss(otherwise)
            case typed.Folded():
                return self._fold_may_miss(node)
            case typed.Selected(selection, domain):
                ends = selection in (Selection.FIRST, Selection.LAST)
                return self.may_lack(domain) or (ends and _may_be_empty(domain))
            case typed.Listed(parts):
                return any(self._may_miss(part) for part in parts)
            case typed.Earlier(operand):
                return self._may_miss(operand)
            case typed.Converted(operand):
                return self.may_lack(operand)
            case _:
                assert_never(node)

    def _fold_may_miss(self, node: typed.Folded) -> bool:
        if node.fold in (Fold.EVERY, Fold.SOME):
            return None in self.truths(node)
        where = node.condition is not None and None in self.truths(node.condition)
        body = node.body is not None and self.may_lack(node.body)
        ends = node.fold in (Fold.MIN, Fold.MAX) and (node.condition is not None or _may_be_empty(node.domain))
        return where or body or ends or self.may_lack(node.domain)

    def _inside(self, name: str, arguments: tuple[typed.Expression, ...]) -> _Judge:
        parameters = [parameter for parameter, _ in self.definitions[name].parameters]
        judged = [self.outcomes(argument) for argument in arguments]
        return _Judge(self.definitions, self.lets, self.known, dict(zip(parameters, judged, strict=True)), self.judged)

    def _quantified(self, fold: Fold, domain: typed.Expression, body: typed.Expression) -> Truths:
        over_nothing = frozenset((fold is Fold.EVERY,)) if _may_be_empty(domain) else _NONE
        return self.truths(body) | over_nothing | (_UNKNOWN if self.may_lack(domain) else _NONE)

    def _member(self, element: typed.Expression, domain: typed.Expression) -> Truths:
        unknown = _UNKNOWN if self.may_lack(element) or self.may_lack(domain) else _NONE
        if isinstance(domain, typed.Listed) and all(isinstance(part, typed.Literal) for part in domain.parts):
            listed = {part.value for part in domain.parts if isinstance(part, typed.Literal)}
            type_ = plain(element.type)
            if isinstance(type_, EnumType):
                names = {name for name, _ in type_.values}
                return unknown | frozenset(name in listed for name in names)
            if not listed:
                return unknown | frozenset((False,))
        return unknown | _BOTH


def _connected(operands: list[Truths], *, decisive: bool) -> Truths:
    """Combine by Kleene's rules: one decisive operand decides, else one unknown makes it unknown."""
    found: set[bool | None] = set()
    if any(decisive in truths for truths in operands):
        found.add(decisive)
    if all((not decisive) in truths for truths in operands):
        found.add(not decisive)
    open_ = all(truths & {None, not decisive} for truths in operands)
    if open_ and any(None in truths for truths in operands):
        found.add(None)
    return frozenset(found)


def _compared(comparison: Comparison, left: typed.Expression, right: typed.Expression) -> Truths:
    """Compare the intervals of two numbers; all else can be either way."""
    one, other = plain(left.type), plain(right.type)
    if not (isinstance(one, Numeric) and isinstance(other, Numeric)):
        return _BOTH
    scale = max(scale_of(one), scale_of(other))
    (low, high), (least, most) = bounds_at(one, scale), bounds_at(other, scale)
    # The order of the ends says which of less, equal and greater can be; each comparison is made of those.
    orders = [low < most, max(low, least) <= min(high, most), high > least]
    holding = {
        Comparison.EQUAL: (False, True, False),
        Comparison.UNEQUAL: (True, False, True),
        Comparison.LESS: (True, False, False),
        Comparison.AT_MOST: (True, True, False),
        Comparison.GREATER: (False, False, True),
        Comparison.AT_LEAST: (False, True, True),
    }[comparison]
    return frozenset(truth for truth, can_be in zip(holding, orders, strict=True) if can_be)


def _may_be_empty(domain: typed.Expression) -> bool:
    type_ = plain(domain.type)
    return not isinstance(type_, ListType) or type_.low == 0
