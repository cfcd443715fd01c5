"""Evaluation: an expression becomes a closure, a closure yields a value or an `Unknown`; it never raises.

This is for single expressions: guards, what a refusal reads, what follows an effect. What every decision computes of a
transition is one generated function (`decision.py`).

Every operand is evaluated, whatever its neighbours yield. That makes the work independent of the facts, and it lets the
same run tell which facts are still wanted: reading an instance that is not in the table notes it in `Frame.wanted`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

from edca.kernel.expression import (
    Arithmetic,
    Before,
    Bind,
    Choice,
    Compare,
    Comparison,
    Conjunction,
    Constant,
    Contains,
    Disjunction,
    Expression,
    Fold,
    History,
    Input,
    IsPresent,
    MakeTuple,
    Negation,
    Operation,
    ReadArgument,
    ReadClaim,
    ReadFact,
    ReadHistory,
    ReadInput,
    ReadLet,
    ReadLocal,
    ReadMemory,
    ReadPart,
    Reduce,
    Select,
    Selection,
    Zip,
)
from edca.kernel.values import Unknown, Value

if TYPE_CHECKING:
    from edca.kernel.facts import Handle

Outcome: TypeAlias = "Value | Unknown"
Fields: TypeAlias = Mapping[str, Outcome]


class _NothingYet(dict["Handle", Fields]):
    """A table in which every instance stands, and no field of any is known."""

    def get(self, handle: Handle, default: object = None) -> Fields:
        """Return no fields."""
        return {}


NOTHING_YET = _NothingYet()
NO_HISTORY: Mapping[History, Mapping[str, Outcome]] = {history: {} for history in History}


class Frame:
    """All that expressions may read during one decision.

    `facts` maps a handle to the fields known of it (none when the source has no such instance). `earlier` is the table
    that `before(…)` reads. `history` holds who has acted in the case so far. `wanted` collects the handles that were
    read and are in no table.
    """

    __slots__ = ("arguments", "claims", "earlier", "facts", "history", "inputs", "lets", "locals", "memory", "wanted")

    def __init__(
        self,
        *,
        arguments: Mapping[str, Value],
        memory: Mapping[str, Outcome],
        claims: Mapping[str, Outcome],
        inputs: Mapping[Input, Outcome],
        facts: Mapping[Handle, Fields],
        earlier: Mapping[Handle, Fields] | None = None,
        history: Mapping[History, Mapping[str, Outcome]] = NO_HISTORY,
    ) -> None:
        """Take the inputs; lets and locals are filled by evaluation."""
        self.arguments = arguments
        self.memory = memory
        self.claims = claims
        self.inputs = inputs
        self.facts = facts
        self.earlier = earlier
        self.history = history
        self.lets: dict[str, Outcome] = {}
        self.locals: dict[str, Outcome] = {}
        self.wanted: set[Handle] = set()


# Inside a closure a value's shape is what the checker proved, so its static type is `Any`.
Closure: TypeAlias = Callable[[Frame], Any]


def known(outcome: Any) -> Any:
    """Return the outcome, with an absent value turned into an unknown: where a value is needed, absence is none."""
    return Unknown.ABSENT if outcome is None else outcome


def closure_of(expression: Expression) -> Closure:
    """Return the closure that computes the expression."""
    match expression:
        case Constant(value):
            return lambda frame: value
        case ReadInput(input_):
            return lambda frame: frame.inputs[input_]
        case ReadArgument(name):
            return lambda frame: frame.arguments[name]
        case ReadLet(name):
            return lambda frame: frame.lets[name]
        case ReadLocal(name):
            return lambda frame: frame.locals[name]
        case ReadMemory(name):
            return lambda frame: frame.memory[name]
        case ReadClaim(name):
            return lambda frame: frame.claims.get(name, Unknown.UNATTESTED)
        case ReadHistory(history, name):
            return lambda frame: frame.history[history].get(name, Unknown.MISSING)
        case ReadFact(base, entity, field):
            return _fact(closure_of(base), entity, field)
        case ReadPart(base, index):
            return _strict(closure_of(base), lambda record: record[index])
        case MakeTuple(parts):
            return _tuple(tuple(map(closure_of, parts)))
        case Negation(operand):
            return _strict(closure_of(operand), lambda truth: not truth)
        case Conjunction(operands):
            return _connective(tuple(map(closure_of, operands)), decisive=False)
        case Disjunction(operands):
            return _connective(tuple(map(closure_of, operands)), decisive=True)
        case Compare(comparison, left, right):
            return _binary(closure_of(left), closure_of(right), _COMPARE[comparison])
        case Contains(element, domain):
            return _binary(closure_of(element), closure_of(domain), lambda item, items: item in items)
        case IsPresent(operand):
            return _presence(closure_of(operand))
        case Arithmetic(operation, left, right):
            return _binary(closure_of(left), closure_of(right), _ARITHMETIC[operation])
        case Choice(condition, then, otherwise):
            return _choice(closure_of(condition), closure_of(then), closure_of(otherwise))
        case Bind(name, value, body):
            return _bind(name, closure_of(value), closure_of(body))
        case Reduce():
            return _reduce(expression)
        case Select(selection, domain):
            return _strict(closure_of(domain), _SELECT[selection])
        case Zip(left, right):
            return _binary(closure_of(left), closure_of(right), lambda a, b: tuple(zip(a, b, strict=False)))
        case Before(operand):
            return _before(closure_of(operand))
        case _:
            assert_never(expression)


_COMPARE: Mapping[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.EQUAL: lambda a, b: a == b,
    Comparison.UNEQUAL: lambda a, b: a != b,
    Comparison.LESS: lambda a, b: a < b,
    Comparison.AT_MOST: lambda a, b: a <= b,
    Comparison.GREATER: lambda a, b: a > b,
    Comparison.AT_LEAST: lambda a, b: a >= b,
}

_ARITHMETIC: Mapping[Operation, Callable[[Any, Any], int]] = {
    Operation.ADD: lambda a, b: a + b,
    Operation.SUBTRACT: lambda a, b: a - b,
    Operation.MULTIPLY: lambda a, b: a * b,
}

_SELECT: Mapping[Selection, Callable[[Any], Any]] = {
    Selection.FIRST: lambda items: items[0] if items else Unknown.EMPTY,
    Selection.LAST: lambda items: items[-1] if items else Unknown.EMPTY,
    Selection.DISTINCT: lambda items: tuple(dict.fromkeys(items)),
    Selection.PAIRS: lambda items: tuple(pairwise(items)),
}


def _strict(operand: Closure, apply: Callable[[Any], Any]) -> Closure:
    def run(frame: Frame) -> Any:
        value = known(operand(frame))
        return value if value.__class__ is Unknown else apply(value)

    return run


def _binary(left: Closure, right: Closure, apply: Callable[[Any, Any], Any]) -> Closure:
    def run(frame: Frame) -> Any:
        a, b = known(left(frame)), known(right(frame))
        if a.__class__ is Unknown:
            return a
        return b if b.__class__ is Unknown else apply(a, b)

    return run


def _fact(base: Closure, entity: str, field: str) -> Closure:
    def run(frame: Frame) -> Any:
        key = known(base(frame))
        if key.__class__ is Unknown:
            return key
        handle = (entity, key)
        fields = frame.facts.get(handle)
        if fields is None:
            frame.wanted.add(handle)
            return Unknown.MISSING
        return fields.get(field, Unknown.MISSING)

    return run


def _tuple(parts: tuple[Closure, ...]) -> Closure:
    def run(frame: Frame) -> Any:
        values = tuple(part(frame) for part in parts)
        return next((value for value in values if value.__class__ is Unknown), values)

    return run


def _connective(operands: tuple[Closure, ...], *, decisive: bool) -> Closure:
    def run(frame: Frame) -> Any:
        return _connect([known(operand(frame)) for operand in operands], decisive=decisive)

    return run


def _connect(truths: list[Any], *, decisive: bool) -> Any:
    """Kleene: one decisive operand decides; else one unknown makes it unknown; else the other truth value."""
    if any(truth is decisive for truth in truths):
        return decisive
    return next((truth for truth in truths if truth.__class__ is Unknown), not decisive)


def _presence(operand: Closure) -> Closure:
    def run(frame: Frame) -> Any:
        value = operand(frame)
        return value if value.__class__ is Unknown else value is not None

    return run


def _choice(condition: Closure, then: Closure, otherwise: Closure) -> Closure:
    def run(frame: Frame) -> Any:
        truth, a, b = known(condition(frame)), then(frame), otherwise(frame)
        if truth.__class__ is Unknown:
            return truth
        return a if truth else b

    return run


def _bind(name: str, value: Closure, body: Closure) -> Closure:
    def run(frame: Frame) -> Any:
        frame.locals[name] = value(frame)
        return body(frame)

    return run


def _before(operand: Closure) -> Closure:
    def run(frame: Frame) -> Any:
        if frame.earlier is None:
            return operand(frame)
        later, frame.facts = frame.facts, frame.earlier
        try:
            return operand(frame)
        finally:
            frame.facts = later

    return run


def _reduce(expression: Reduce) -> Closure:
    name, fold = expression.name, expression.fold
    domain = closure_of(expression.domain)
    condition = closure_of(expression.condition)
    body = closure_of(expression.body)
    finish = _FINISH[fold]

    def run(frame: Frame) -> Any:
        items = known(domain(frame))
        if items.__class__ is Unknown:
            return items
        bodies: list[Any] = []
        unknown: Unknown | None = None
        for item in items:
            frame.locals[name] = item
            keep, value = known(condition(frame)), body(frame)
            if keep.__class__ is Unknown:
                unknown = unknown or keep
            elif keep:
                bodies.append(value)
        return finish(bodies) if unknown is None else unknown

    return run


def _strict_fold(apply: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    def run(bodies: list[Any]) -> Any:
        values = [known(body) for body in bodies]
        return next((value for value in values if value.__class__ is Unknown), None) or apply(values)

    return run


_FINISH: Mapping[Fold, Callable[[list[Any]], Any]] = {
    Fold.COUNT: len,
    Fold.SUM: _strict_fold(sum),
    Fold.MIN: _strict_fold(lambda values: min(values) if values else Unknown.EMPTY),
    Fold.MAX: _strict_fold(lambda values: max(values) if values else Unknown.EMPTY),
    Fold.EVERY: lambda bodies: _connect([known(body) for body in bodies], decisive=False),
    Fold.SOME: lambda bodies: _connect([known(body) for body in bodies], decisive=True),
    Fold.COLLECT: _strict_fold(tuple),
}
