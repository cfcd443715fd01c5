"""Expressions, evaluated by walking the typed tree.

Written to be compared with the language reference line by line. Nothing is prepared, cached or shared with the kernel's
own evaluation. A value is what `edca.kernel.values` says; an `Unknown` is the reason why there is none.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

from edca.kernel.expression import Comparison, Fold, History, Operation, Selection
from edca.kernel.types import DecimalType, OptionalType
from edca.kernel.values import Unknown
from edca.semantic import typed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edca.kernel.expression import Input
    from edca.kernel.types import Type


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that an expression may read.

    `facts` maps (entity, key) to the fields known of that instance; `earlier` is the same as the decision read it, for
    `before(…)` inside an `ensure`. `lets` are expressions, evaluated where they are read.
    """

    definitions: Mapping[str, typed.Definition]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    lets: Mapping[str, typed.Expression] = field(default_factory=dict)
    locals: Mapping[str, Any] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)
    claims: Mapping[str, Any] = field(default_factory=dict)
    proposers: Mapping[str, str] = field(default_factory=dict)
    signers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inputs: Mapping[Input, Any] = field(default_factory=dict)
    facts: Mapping[tuple[str, Any], Mapping[str, Any]] = field(default_factory=dict)
    earlier: Mapping[tuple[str, Any], Mapping[str, Any]] | None = None

    def within(self, **names: Any) -> Surroundings:
        """Return the surroundings inside a fold that binds these names."""
        return dataclasses.replace(self, locals={**self.locals, **names})


def value_of(node: typed.Expression, around: Surroundings) -> Any:
    """Return the value of the expression, `None` where it is absent, or an `Unknown`."""
    match node:
        case typed.Literal(value):
            return value
        case typed.InputRead(input_):
            return around.inputs[input_]
        case typed.ArgumentRead(name):
            return around.arguments[name]
        case typed.LetRead(name):
            return value_of(around.lets[name], dataclasses.replace(around, locals={}))
        case typed.LocalRead(name):
            return around.locals[name]
        case typed.MemoryRead(name):
            return around.memory[name]
        case typed.ClaimRead(name):
            return around.claims.get(name, Unknown.UNATTESTED)
        case typed.HistoryRead(history, name):
            remembered: Mapping[str, Any] = around.proposers if history is History.PROPOSER else around.signers
            return remembered.get(name, Unknown.MISSING)
        case typed.FactRead():
            return _fact(node, around)
        case typed.PartRead(base, _, index):
            record = needed(base, around)
            return record if isinstance(record, Unknown) else record[index]
        case typed.Not(operand):
            truth = needed(operand, around)
            return truth if isinstance(truth, Unknown) else not truth
        case typed.Connective(every, operands):
            truths = [needed(operand, around) for operand in operands]
            return all_of(truths) if every else any_of(truths)
        case typed.Comparing(comparison, left, right):
            pair = _both(left, right, around)
            return pair if isinstance(pair, Unknown) else _compare(comparison, *pair)
        case typed.Membership(element, domain):
            pair = _both(element, domain, around)
            return pair if isinstance(pair, Unknown) else any(pair[0] == item for item in pair[1])
        case typed.Presence(operand):
            value = value_of(operand, around)
            return value if isinstance(value, Unknown) else value is not None
        case typed.Arithmetic(operation, left, right):
            pair = _both(left, right, around)
            return pair if isinstance(pair, Unknown) else _calculate(operation, *pair)
        case typed.Conditional(condition, then, otherwise):
            truth = needed(condition, around)
            if isinstance(truth, Unknown):
                return truth
            return value_of(then if truth else otherwise, around)
        case typed.Folded():
            return _fold(node, around)
        case typed.Selected(selection, domain):
            items = needed(domain, around)
            return items if isinstance(items, Unknown) else _select(selection, items)
        case typed.Zipped(left, right):
            pair = _both(left, right, around)
            if isinstance(pair, Unknown):
                return pair
            return tuple((pair[0][i], pair[1][i]) for i in range(min(len(pair[0]), len(pair[1]))))
        case typed.Listed(parts):
            values = tuple(value_of(part, around) for part in parts)
            return first_unknown(values) or values
        case typed.Applied(name, arguments):
            definition = around.definitions[name]
            given = {
                parameter: value_of(argument, around)
                for (parameter, _), argument in zip(definition.parameters, arguments, strict=True)
            }
            return value_of(definition.body, dataclasses.replace(around, locals=given))
        case typed.Earlier(operand):
            then_ = around if around.earlier is None else dataclasses.replace(around, facts=around.earlier)
            return value_of(operand, then_)
        case typed.Converted(operand, type_):
            value = value_of(operand, around)
            if value is None or isinstance(value, Unknown):
                return value
            return value * 10 ** (_places(type_) - _places(operand.type))
        case _:
            assert_never(node)


def needed(node: typed.Expression, around: Surroundings) -> Any:
    """Return the value where one is needed: then an absent one is unknown."""
    return present(value_of(node, around))


def present(value: Any) -> Any:
    """Return the value, or that it is absent as an unknown."""
    return Unknown.ABSENT if value is None else value


def first_unknown(values: Sequence[Any]) -> Unknown | None:
    """Return the first unknown among the values, or null."""
    for value in values:
        if isinstance(value, Unknown):
            return value
    return None


def all_of(truths: Sequence[Any]) -> Any:
    """Return Kleene's conjunction: false if any is false, else unknown if any is unknown, else true."""
    for truth in truths:
        if truth is False:
            return False
    return first_unknown(truths) or True


def any_of(truths: Sequence[Any]) -> Any:
    """Return Kleene's disjunction: true if any is true, else unknown if any is unknown, else false."""
    for truth in truths:
        if truth is True:
            return True
    return first_unknown(truths) or False


def _both(left: typed.Expression, right: typed.Expression, around: Surroundings) -> tuple[Any, Any] | Unknown:
    pair = needed(left, around), needed(right, around)
    return first_unknown(pair) or pair


def _fact(node: typed.FactRead, around: Surroundings) -> Any:
    key = needed(node.base, around)
    if isinstance(key, Unknown):
        return key
    if node.key_part is not None:
        return key[node.key_part]
    fields = around.facts.get((node.entity, key))
    return Unknown.MISSING if fields is None else fields.get(node.field, Unknown.MISSING)


def _compare(comparison: Comparison, left: Any, right: Any) -> bool:
    match comparison:
        case Comparison.EQUAL:
            return bool(left == right)
        case Comparison.UNEQUAL:
            return bool(left != right)
        case Comparison.LESS:
            return bool(left < right)
        case Comparison.AT_MOST:
            return bool(left <= right)
        case Comparison.GREATER:
            return bool(left > right)
        case Comparison.AT_LEAST:
            return bool(left >= right)
        case _:
            assert_never(comparison)


def _calculate(operation: Operation, left: int, right: int) -> int:
    match operation:
        case Operation.ADD:
            return left + right
        case Operation.SUBTRACT:
            return left - right
        case Operation.MULTIPLY:
            return left * right
        case _:
            assert_never(operation)


def _select(selection: Selection, items: tuple[Any, ...]) -> Any:
    match selection:
        case Selection.FIRST:
            return items[0] if items else Unknown.EMPTY
        case Selection.LAST:
            return items[-1] if items else Unknown.EMPTY
        case Selection.DISTINCT:
            return tuple(item for place, item in enumerate(items) if item not in items[:place])
        case Selection.PAIRS:
            return tuple((items[place], items[place + 1]) for place in range(len(items) - 1))
        case _:
            assert_never(selection)


def _fold(node: typed.Folded, around: Surroundings) -> Any:
    """Return the fold: over the elements that satisfy its condition; one unknown condition leaves it unknown."""
    items = needed(node.domain, around)
    if isinstance(items, Unknown):
        return items
    bodies: list[Any] = []
    conditions: list[Any] = []
    for item in items:
        inside = around.within(**{node.variable: item})
        keep = True if node.condition is None else needed(node.condition, inside)
        conditions.append(keep)
        if keep is True:
            bodies.append(True if node.body is None else needed(node.body, inside))
    return first_unknown(conditions) or _folded(node.fold, bodies)


def _folded(fold: Fold, bodies: list[Any]) -> Any:
    match fold:
        case Fold.COUNT:
            return len(bodies)
        case Fold.EVERY:
            return all_of(bodies)
        case Fold.SOME:
            return any_of(bodies)
        case Fold.SUM | Fold.MIN | Fold.MAX | Fold.COLLECT:
            unknown = first_unknown(bodies)
            if unknown is not None:
                return unknown
            return _gathered(fold, bodies)
        case _:
            assert_never(fold)


def _gathered(fold: Fold, bodies: list[Any]) -> Any:
    if fold is Fold.COLLECT:
        return tuple(bodies)
    if fold is Fold.SUM:
        total = 0
        for body in bodies:
            total += body
        return total
    best: Any = Unknown.EMPTY
    for body in bodies:
        better = best is Unknown.EMPTY or (body < best if fold is Fold.MIN else body > best)
        best = body if better else best
    return best


def _places(type_: Type) -> int:
    of = type_.of if isinstance(type_, OptionalType) else type_
    return of.scale if isinstance(of, DecimalType) else 0
