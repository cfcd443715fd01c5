"""The expression checker: syntax in, typed tree out, findings on the side.

A sub-expression that is wrong yields null, and whatever contains it yields null without a finding of its own, so that
one mistake gives one message. An expression that checks can't fail at run time: it yields a value or is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.kernel.calendar import parse_date, parse_time
from edca.kernel.expression import Comparison, Fold, Operation, Selection
from edca.kernel.types import (
    BoolType,
    DateType,
    DurationType,
    ListType,
    OptionalType,
    RecordType,
    ReferenceType,
    TimeType,
    Type,
    describe,
)
from edca.semantic import comparisons, history, numbers, terms, typed, units
from edca.semantic.durations import micros
from edca.semantic.numbers import NUMERIC
from edca.semantic.problems import did_you_mean
from edca.semantic.relations import convert, fits, join, plain
from edca.semantic.terms import Checked, report
from edca.semantic.vocabulary import UNRESOLVED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.diagnostics.source import Span
    from edca.semantic.scope import Scope

BOOL = BoolType()
NESTING_MAX = 3
FOLDS = {"count": Fold.COUNT, "sum": Fold.SUM, "min": Fold.MIN, "max": Fold.MAX, "collect": Fold.COLLECT}
SELECTIONS = {
    "first": Selection.FIRST,
    "last": Selection.LAST,
    "distinct": Selection.DISTINCT,
    "pairs": Selection.PAIRS,
}
COMPARISONS = {comparison.value: comparison for comparison in Comparison}


def check(scope: Scope, node: tree.Expression, expected: Type) -> Checked:
    """Return the typed expression, in the units of `expected`, or null with a finding where it does not fit."""
    found = infer(scope, node, expected)
    if found is None or _unresolved(expected):
        return None
    if fits(found.type, expected):
        if units.suits(scope, found, expected):
            return convert(found, expected)
        units.expected(scope, node.span, found.type, expected)
        return None
    if isinstance(plain(found.type), NUMERIC) and isinstance(plain(expected), NUMERIC):
        help_ = "a value with more decimal places is never rounded silently"
        report(scope, "T014", node.span, f"expected {describe(expected)}, found more decimal places", help=help_)
    elif isinstance(found.type, OptionalType) and fits(found.type.of, expected):
        message = f"expected {describe(expected)}, found a value that may be absent"
        report(scope, "T001", node.span, message, help="test it with `is present`, or give the other case with `if`")
    elif units.differ(found.type, expected):
        units.report(scope, node.span, f"expected {describe(expected)}, found {describe(found.type)}")
    else:
        report(
            scope,
            "T001" if expected != BOOL else "T002",
            node.span,
            f"expected {describe(expected)}, found {describe(found.type)}",
            label=describe(found.type),
            help=_instead(node, expected),
        )
    return None


def _unresolved(type_: Type) -> bool:
    """Tell whether the type stands, somewhere inside, for one that isn't there; that has been reported."""
    match type_:
        case ListType(of=of) | OptionalType(of=of):
            return _unresolved(of)
        case _:
            return type_ is UNRESOLVED


def _instead(node: tree.Expression, expected: Type) -> str | None:
    """Return what to write instead, for the mix-ups that have an answer."""
    match plain(expected), node:
        case TimeType(), tree.DateLiteral(text, _):
            return f"a time has an hour and a zone: write `{text}T00:00:00Z`"
        case TimeType(), tree.String(text, _):
            return "a time is written without quotes: `2026-01-31T12:00:00Z`"
        case DateType(), tree.String(text, _):
            return "a date is written without quotes: `2026-01-31`"
        case _:
            return None


def condition(scope: Scope, node: tree.Expression) -> Checked:
    """Return a typed truth value, or null with a finding."""
    return check(scope, node, BOOL)


def infer(scope: Scope, node: tree.Expression, expected: Type | None = None) -> Checked:
    """Return the typed expression; `expected` only helps to read enum values, texts and empty lists."""
    found = _infer(scope, node, expected)
    return None if found is None or _unresolved(found.type) else found


def _infer(scope: Scope, node: tree.Expression, expected: Type | None) -> Checked:
    match node:
        case tree.Number(digits, _):
            return terms.number(scope, node, digits)
        case tree.Truth(value, _):
            return typed.Literal(value, BOOL)
        case tree.String(value, _):
            return terms.string(scope, node, value, expected)
        case tree.DateLiteral(text, _):
            return terms.written(parse_date(text), DateType())
        case tree.TimeLiteral(text, _):
            return terms.written(parse_time(text), TimeType())
        case tree.DurationLiteral():
            return typed.Literal(micros(node, scope.words.problems), DurationType())
        case tree.Variable():
            return terms.variable(scope, node, expected)
        case tree.Field():
            base = infer(scope, node.base)
            return None if base is None else terms.field(scope, node, base)
        case tree.Call():
            return _call(scope, node)
        case tree.Unary("not", operand, _):
            inner = condition(scope, operand)
            return None if inner is None else typed.Not(inner, BOOL)
        case tree.Unary(_, operand, _):
            return numbers.negate(scope, operand, infer(scope, operand))
        case tree.Binary():
            return _binary(scope, node)
        case tree.Presence():
            tested = infer(scope, node.operand)
            return None if tested is None else comparisons.presence(scope, node, tested)
        case tree.Conditional():
            return _conditional(scope, node, expected)
        case tree.Quantified(every, variable, domain, body, _):
            return _folded(scope, Fold.EVERY if every else Fold.SOME, variable, domain, body, None)
        case tree.Aggregate(function, variable, domain, body, where, _):
            return _folded(scope, FOLDS[function], variable, domain, body, where)
        case tree.Builtin():
            return _builtin(scope, node)
        case tree.History():
            return history.read(scope, node)
        case tree.Lookup(entity, keys, _):
            return lookup(scope, entity, keys, node.span)
        case tree.ListLiteral():
            return _list(scope, node, expected)


def _call(scope: Scope, node: tree.Call) -> Checked:
    name = node.name.text
    definition = scope.definitions.get(name)
    if definition is not None:
        arguments = _arguments(scope, node, name, definition.parameters)
        if arguments is None or not numbers.in_range(scope, node, arguments, definition.parameters):
            return None
        return typed.Applied(name, arguments, definition.body.type)
    record = scope.words.types.get(name)
    if isinstance(record, RecordType):
        parts = _arguments(scope, node, name, record.parts)
        return None if parts is None else typed.Listed(parts, record)
    if name in scope.words.entities and scope.references:
        return lookup(scope, node.name, node.arguments, node.span)
    if name in scope.words.entities:
        report(scope, "N001", node.span, f"`{name}` is an entity", help=f"find one by its key: `lookup {name}(…)`")
        return None
    records = [n for n, t in scope.words.types.items() if isinstance(t, RecordType)]
    help_ = did_you_mean(name, [*scope.definitions, *records], "declare it with `define` or `table`")
    report(
        scope, "N001", node.name.span, f"there is no rule, table or record `{name}`", label="not declared", help=help_
    )
    return None


def _arguments(
    scope: Scope, node: tree.Call, name: str, parameters: Sequence[tuple[str, Type]]
) -> tuple[typed.Expression, ...] | None:
    if len(node.arguments) != len(parameters):
        wanted = ", ".join(f"{parameter}: {describe(type_)}" for parameter, type_ in parameters)
        message = f"`{name}` takes {len(parameters)} arguments, found {len(node.arguments)}"
        report(scope, "T004", node.span, message, help=f"it is `{name}({wanted})`")
        return None
    checked = [check(scope, a, type_) for a, (_, type_) in zip(node.arguments, parameters, strict=True)]
    return _all(checked)


def _all(checked: Sequence[Checked]) -> tuple[typed.Expression, ...] | None:
    whole = tuple(item for item in checked if item is not None)
    return whole if len(whole) == len(checked) else None


def lookup(scope: Scope, name: tree.Name, keys: Sequence[tree.Expression], span: Span) -> Checked:
    """Return the reference to the entity instance with that key."""
    entity = scope.words.entity(name)
    if entity is None:
        return None
    if len(keys) != len(entity.key):
        wanted = ", ".join(f"{part.name}: {describe(part.type)}" for part in entity.key)
        message = f"the key of `{entity.name}` has {len(entity.key)} parts, found {len(keys)}"
        report(scope, "T004", span, message, help=f"it is `{entity.name}({wanted})`")
        return None
    parts = _all([check(scope, key, part.type) for key, part in zip(keys, entity.key, strict=True)])
    return None if parts is None else typed.Listed(parts, ReferenceType(entity.name))


def _binary(scope: Scope, node: tree.Binary) -> Checked:
    match node.operator:
        case "and" | "or":
            parts = _all([condition(scope, node.left), condition(scope, node.right)])
            return None if parts is None else _connective(node.operator == "and", parts)
        case "in" | "not in":
            return _membership(scope, node)
        case "+" | "-" | "*":
            left, right = infer(scope, node.left), infer(scope, node.right)
            if left is None or right is None:
                return None
            return numbers.arithmetic(scope, node, Operation(node.operator), left, right)
        case _:
            sides = _both(scope, node.left, node.right)
            return None if sides is None else comparisons.compare(scope, node, COMPARISONS[node.operator], *sides)


def _connective(every: bool, parts: tuple[typed.Expression, ...]) -> typed.Expression:
    """Return one flat connective: `a and b and c` is one conjunction of three."""
    operands: list[typed.Expression] = []
    for part in parts:
        flat = isinstance(part, typed.Connective) and part.every is every
        operands += part.operands if flat and isinstance(part, typed.Connective) else (part,)
    return typed.Connective(every, tuple(operands), BOOL)


def _both(
    scope: Scope, left: tree.Expression, right: tree.Expression
) -> tuple[typed.Expression, typed.Expression] | None:
    """Infer two sides, each of which may need the other to know which enum or kind of text it is."""
    needs_help = (tree.Variable, tree.String, tree.ListLiteral)
    if isinstance(left, needs_help) and not (isinstance(left, tree.Variable) and scope.read(left.name.text)):
        second = infer(scope, right)
        first = None if second is None else infer(scope, left, second.type)
    else:
        first = infer(scope, left)
        second = None if first is None else infer(scope, right, first.type)
    return None if first is None or second is None else (first, second)


def _membership(scope: Scope, node: tree.Binary) -> Checked:
    if isinstance(node.left, tree.String) or (
        isinstance(node.left, tree.Variable) and scope.read(node.left.name.text) is None
    ):
        # A text, or an enum value on its own: the list says what kind of text, or which enum, it is of.
        right = infer(scope, node.right)
        of = plain(right.type) if right is not None else None
        left = infer(scope, node.left, of.of if isinstance(of, ListType) else None) if right is not None else None
    else:
        left = infer(scope, node.left)
        right = None if left is None else infer(scope, node.right, ListType(0, 1, plain(left.type)))
    return None if left is None or right is None else comparisons.contains(scope, node, left, right)


def _conditional(scope: Scope, node: tree.Conditional, expected: Type | None) -> Checked:
    test = condition(scope, node.condition)
    if expected is not None:
        then, otherwise = infer(scope, node.then, expected), infer(scope, node.otherwise, expected)
    else:
        then, otherwise = _both(scope, node.then, node.otherwise) or (None, None)
    if test is None or then is None or otherwise is None:
        return None
    common = join(then.type, otherwise.type)
    if common is None:
        message = f"one branch is {describe(then.type)}, the other {describe(otherwise.type)}"
        report(scope, "T001", node.span, message, help="both branches need one type")
        return None
    if isinstance(plain(common), NUMERIC) and not units.agree(scope, node.span, then, otherwise):
        return None
    return typed.Conditional(test, convert(then, common), convert(otherwise, common), common)


def _folded(
    scope: Scope,
    fold: Fold,
    variable: tree.Name,
    domain: tree.Expression,
    body: tree.Expression | None,
    where: tree.Expression | None,
) -> Checked:
    over = infer(scope, domain)
    if over is None:
        return None
    list_type = plain(over.type)
    if not isinstance(list_type, ListType):
        report(scope, "T009", domain.span, f"expected a list, found {describe(over.type)}")
        return None
    if scope.taken(variable.text):
        help_ = "choose another name for the variable"
        report(scope, "N003", variable.span, f"`{variable.text}` has a meaning here already", help=help_)
        return None
    if scope.depth >= NESTING_MAX:
        help_ = "name the inner part with `define` or `let`, or compare lists with `zip`"
        report(scope, "T020", variable.span, f"quantifiers nest more than {NESTING_MAX} deep", help=help_)
        return None
    inner = scope.within(variable.text, list_type.of)
    kept = None if where is None else condition(inner, where)
    if fold in (Fold.EVERY, Fold.SOME):
        value = None if body is None else condition(inner, body)
    else:
        value = None if body is None else infer(inner, body)
    if (where is not None and kept is None) or (body is not None and value is None):
        return None
    type_ = numbers.fold_type(scope, fold, list_type, value, body.span if body is not None else domain.span)
    if type_ is None:
        return None
    return typed.Folded(fold, variable.text, over, kept, value, type_)


def _list(scope: Scope, node: tree.ListLiteral, expected: Type | None) -> Checked:
    wanted = plain(expected) if expected is not None else None
    of = wanted.of if isinstance(wanted, ListType) else None
    if not node.items and of is None:
        report(scope, "T001", node.span, "nothing says what this empty list holds")
        return None
    parts = _all([infer(scope, item, of) for item in node.items])
    if parts is None:
        return None
    common = of if of is not None and all(fits(part.type, of) for part in parts) else None
    anchor = next((part for part in parts if not units.is_written(part, scope)), None)
    for part, item in zip(parts, node.items, strict=True):
        if common is not None and not units.suits(scope, part, common):
            units.expected(scope, item.span, part.type, common)
            return None
        if common is None and anchor is not None and not units.agree(scope, item.span, anchor, part):
            return None
    if common is None and parts:
        common = parts[0].type
        for part, item in zip(parts, node.items, strict=True):
            joined = join(common, part.type)
            if joined is None:
                message = f"a list holds one type: found {describe(common)} and {describe(part.type)}"
                report(scope, "T001", item.span, message)
                return None
            common = joined
    if common is None:
        return None
    return typed.Listed(tuple(convert(p, common) for p in parts), ListType(len(parts), max(1, len(parts)), common))


_TAKES = {"before": "one value", "zip": "two lists"}


def _builtin(scope: Scope, node: tree.Builtin) -> Checked:
    if node.function in ("min", "max") and len(node.arguments) > 1:
        return numbers.extreme(scope, node, [infer(scope, argument) for argument in node.arguments])
    if len(node.arguments) != (2 if node.function == "zip" else 1):
        report(scope, "T004", node.span, f"`{node.function}` takes {_TAKES.get(node.function, 'one list')}")
        return None
    if node.function == "before":
        return _before(scope, node)
    lists: list[typed.Expression] = []
    for argument in node.arguments:
        found = infer(scope, argument)
        if found is None:
            return None
        if not isinstance(plain(found.type), ListType):
            report(scope, "T009", argument.span, f"expected a list, found {describe(found.type)}")
            return None
        lists.append(found)
    types = [plain(item.type) for item in lists]
    first, second = types[0], types[-1]
    if not isinstance(first, ListType) or not isinstance(second, ListType):
        return None
    if node.function == "zip":
        pair = RecordType("pair", (("first", first.of), ("second", second.of)))
        return typed.Zipped(lists[0], lists[1], ListType(0, min(first.high, second.high), pair))
    if node.function in SELECTIONS:
        return typed.Selected(SELECTIONS[node.function], lists[0], numbers.selected_type(node.function, first))
    fold = FOLDS[node.function]
    element = typed.LocalRead("element", first.of)
    type_ = numbers.fold_type(scope, fold, first, None if fold is Fold.COUNT else element, node.span)
    body = None if fold is Fold.COUNT else element
    return None if type_ is None else typed.Folded(fold, "element", lists[0], None, body, type_)


def _before(scope: Scope, node: tree.Builtin) -> Checked:
    if not scope.ensure:
        report(scope, "T017", node.span, "`before` only means something inside `ensure`")
        return None
    operand = infer(scope, node.arguments[0])
    return None if operand is None else typed.Earlier(operand, operand.type)
