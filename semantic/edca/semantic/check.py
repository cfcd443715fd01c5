"""The expression checker: syntax in, typed tree out, findings on the side.

A sub-expression that is wrong yields null, and whatever contains it yields null without a finding of its own, so that
one mistake gives one message. An expression that checks can't fail at run time: it yields a value or is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.kernel.calendar import DAY, SECOND, parse_date, parse_time
from edca.kernel.expression import Comparison, Fold, Operation, Selection
from edca.kernel.types import (
    BoolType,
    DateType,
    DurationType,
    EnumType,
    IdType,
    ListType,
    OptionalType,
    PrincipalType,
    RecordType,
    ReferenceType,
    TextType,
    TimeType,
    Type,
    describe,
)
from edca.kernel.values import ID_LENGTH_MAX, parse_decimal
from edca.semantic import numbers, typed
from edca.semantic.numbers import NUMERIC
from edca.semantic.problems import did_you_mean, listing
from edca.semantic.relations import ORDERED, convert, fits, join, numeric, plain, scale_of
from edca.semantic.vocabulary import UNRESOLVED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.diagnostics.source import Span
    from edca.semantic.scope import Scope

BOOL = BoolType()
UNITS = {"second": SECOND, "minute": 60 * SECOND, "hour": 3600 * SECOND, "day": DAY, "week": 7 * DAY}
NESTING_MAX = 3
FOLDS = {"count": Fold.COUNT, "sum": Fold.SUM, "min": Fold.MIN, "max": Fold.MAX, "collect": Fold.COLLECT}
SELECTIONS = {
    "first": Selection.FIRST,
    "last": Selection.LAST,
    "distinct": Selection.DISTINCT,
    "pairs": Selection.PAIRS,
}
EQUALITIES = (Comparison.EQUAL, Comparison.UNEQUAL)
COMPARISONS = {comparison.value: comparison for comparison in Comparison}

Checked = typed.Expression | None


def report(scope: Scope, code: str, span: Span, message: str, **more: str | None) -> None:
    """Add one finding."""
    label = more.get("label") or ""
    scope.words.problems.add(code, span, message, label=label, help=more.get("help"))


def check(scope: Scope, node: tree.Expression, expected: Type) -> Checked:
    """Return the typed expression, in the units of `expected`, or null with a finding where it does not fit."""
    found = infer(scope, node, expected)
    if found is None:
        return None
    if fits(found.type, expected):
        return convert(found, expected)
    if isinstance(plain(found.type), NUMERIC) and isinstance(plain(expected), NUMERIC):
        help_ = "a value with more decimal places is never rounded silently"
        report(scope, "T014", node.span, f"expected {describe(expected)}, found more decimal places", help=help_)
    elif isinstance(found.type, OptionalType) and fits(found.type.of, expected):
        message = f"expected {describe(expected)}, found a value that may be absent"
        report(scope, "T001", node.span, message, help="test it with `is present`, or give the other case with `if`")
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
    return None if found is None or plain(found.type) is UNRESOLVED else found


def _infer(scope: Scope, node: tree.Expression, expected: Type | None) -> Checked:
    match node:
        case tree.Number(digits, _):
            return _number(scope, node, digits)
        case tree.Truth(value, _):
            return typed.Literal(value, BOOL)
        case tree.String(value, _):
            return _string(scope, node, value, expected)
        case tree.DateLiteral(text, _):
            return _written(parse_date(text), DateType())
        case tree.TimeLiteral(text, _):
            return _written(parse_time(text), TimeType())
        case tree.DurationLiteral(count, unit, _):
            return typed.Literal(count * UNITS[unit], DurationType())
        case tree.Variable():
            return _variable(scope, node, expected)
        case tree.Field():
            return _field(scope, node)
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
            return _presence(scope, node)
        case tree.Conditional():
            return _conditional(scope, node, expected)
        case tree.Quantified(every, variable, domain, body, _):
            return _folded(scope, Fold.EVERY if every else Fold.SOME, variable, domain, body, None)
        case tree.Aggregate(function, variable, domain, body, where, _):
            return _folded(scope, FOLDS[function], variable, domain, body, where)
        case tree.Builtin():
            return _builtin(scope, node)
        case tree.Lookup(entity, keys, _):
            return lookup(scope, entity, keys, node.span)
        case tree.ListLiteral():
            return _list(scope, node, expected)


def _number(scope: Scope, node: tree.Number, digits: str) -> Checked:
    scale = len(digits.partition(".")[2])
    units = parse_decimal(digits, scale)
    if units is None:
        report(scope, "P003", node.span, f"`{digits}` has too many digits")
        return None
    return typed.Literal(units, numeric(scale, units, units))


def _string(scope: Scope, node: tree.String, value: str, expected: Type | None) -> Checked:
    wanted = plain(expected) if expected is not None else None
    if isinstance(wanted, (IdType, PrincipalType)):
        if 1 <= len(value) <= ID_LENGTH_MAX and value.isprintable():
            return typed.Literal(value, wanted)
        report(scope, "P003", node.span, f"an id is 1 to {ID_LENGTH_MAX} printable characters")
        return None
    if isinstance(wanted, EnumType):
        message = f"expected {describe(wanted)}, found text"
        help_ = did_you_mean(value, dict(wanted.values), "name the value without quotes")
        report(scope, "N010", node.span, message, help=help_)
        return None
    return typed.Literal(value, TextType(max(1, len(value))))


def _written(value: int | None, type_: Type) -> Checked:
    return None if value is None else typed.Literal(value, type_)  # the parser has reported a day that doesn't exist


def _variable(scope: Scope, node: tree.Variable, expected: Type | None) -> Checked:
    name = node.name.text
    found = scope.read(name)
    wanted = plain(expected) if expected is not None else None
    if found is not None:
        if isinstance(wanted, EnumType) and name in dict(wanted.values) and not fits(found.type, wanted):
            rename = "rename one of them: two meanings for one name don't compile"
            report(
                scope, "N003", node.span, f"`{name}` is both a value of {describe(wanted)} and a name here", help=rename
            )
            return None
        return found
    if isinstance(wanted, EnumType):
        if name in dict(wanted.values):
            return typed.Literal(name, wanted)
        help_ = did_you_mean(name, dict(wanted.values), f"its values are {listing(dict(wanted.values))}")
        report(scope, "N010", node.span, f"{describe(wanted)} has no value `{name}`", label="no such value", help=help_)
        return None
    enums = scope.enum_of(name)
    if len(enums) == 1:
        return typed.Literal(name, enums[0])
    if enums:
        names = listing(enum.name for enum in enums)
        report(scope, "N003", node.span, f"`{name}` is a value of several enums: {names}")
        return None
    if name in scope.definitions:
        report(scope, "T004", node.span, f"`{name}` needs its arguments", help=f"write `{name}(…)`")
        return None
    if name in scope.words.entities:
        help_ = f"say which one: `lookup {name}(…)`"
        report(scope, "N001", node.span, f"`{name}` is an entity, but this case is not about one", help=help_)
        return None
    suggestion = did_you_mean(name, [*scope.visible(), *scope.words.enum_values])
    if name in ("null", "none", "nil"):
        suggestion = "a value that isn't there is tested with `is present` or `is absent`"
    elif isinstance(scope.words.types.get(name), EnumType):
        suggestion = f"`{name}` is an enum: write one of its values alone"
    report(scope, "N001", node.span, f"`{name}` means nothing here", label="not declared", help=suggestion)
    return None


def _field(scope: Scope, node: tree.Field) -> Checked:
    base = infer(scope, node.base)
    if base is None:
        return None
    name, type_ = node.name.text, plain(base.type)
    if isinstance(type_, ReferenceType):
        return _fact(scope, node, base, type_.entity)
    if isinstance(type_, RecordType):
        for index, (part, part_type) in enumerate(type_.parts):
            if part == name:
                return typed.PartRead(base, name, index, _through(base.type, part_type))
        help_ = did_you_mean(name, dict(type_.parts), f"its parts are {listing(dict(type_.parts))}")
        report(
            scope, "T003", node.name.span, f"{describe(type_)} has no part `{name}`", label="not declared", help=help_
        )
        return None
    help_ = f"use a quantifier: `some x in … satisfies x.{name} …`" if isinstance(type_, ListType) else ""
    report(scope, "T003", node.name.span, f"{describe(base.type)} has no part `{name}`", help=help_)
    return None


def _fact(scope: Scope, node: tree.Field, base: typed.Expression, entity_name: str) -> Checked:
    name, entity = node.name.text, scope.words.entities[entity_name]
    for index, part in enumerate(entity.key):
        if part.name == name:
            return typed.FactRead(base, entity_name, name, index, False, _through(base.type, part.type))
    for field in entity.fields:
        if field.name == name:
            if scope.factless and not scope.ensure and isinstance(base, typed.InputRead):
                help_ = f"only its key is known before; test `{entity_name}.{name}` in `ensure`"
                report(
                    scope,
                    "N005",
                    node.span,
                    f"this transition creates the {entity_name}: it has no fields yet",
                    help=help_,
                )
                return None
            return typed.FactRead(base, entity_name, name, None, bool(field.labels), _through(base.type, field.type))
    known = [*(part.name for part in entity.key), *(field.name for field in entity.fields)]
    scope.words.problems.add(
        "N005",
        node.name.span,
        f"`{entity_name}` has no field `{name}`",
        label="not declared",
        help=did_you_mean(name, known, f"its fields are {listing(known)}"),
        declared=scope.words.spans.get(entity_name),
    )
    return None


def _through(base: Type, part: Type) -> Type:
    """Return the type of a part of a base: what may be absent has parts that may be absent."""
    return OptionalType(plain(part)) if isinstance(base, OptionalType) else part


def _call(scope: Scope, node: tree.Call) -> Checked:
    name = node.name.text
    definition = scope.definitions.get(name)
    if definition is not None:
        arguments = _arguments(scope, node, name, definition.parameters)
        if arguments is None or not _in_range(scope, node, arguments, definition.parameters):
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


def _in_range(
    scope: Scope, node: tree.Call, arguments: Sequence[typed.Expression], parameters: Sequence[tuple[str, Type]]
) -> bool:
    """Tell whether each number can only lie where its parameter says: a rule is proved complete for just that range."""
    sound = True
    for written, argument, (name, type_) in zip(node.arguments, arguments, parameters, strict=True):
        have, want = plain(argument.type), plain(type_)
        if (
            isinstance(have, NUMERIC)
            and isinstance(want, NUMERIC)
            and not (want.low <= have.low and have.high <= want.high)
        ):
            message = f"this can lie outside of `{name}`: {describe(have)} against {describe(want)}"
            report(
                scope,
                "T010",
                written.span,
                message,
                help=f"widen the parameter `{name}`, or bound the value with min and max",
            )
            sound = False
    return sound


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
            return _comparison(scope, node, COMPARISONS[node.operator])


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


def _comparison(scope: Scope, node: tree.Binary, comparison: Comparison) -> Checked:
    sides = _both(scope, node.left, node.right)
    if sides is None:
        return None
    left, right = sides
    common = join(plain(left.type), plain(right.type))
    if common is None:
        message = f"{describe(left.type)} and {describe(right.type)} can't be compared"
        report(scope, "T005", node.span, message, help=numbers.comparison_help(left.type, right.type))
        return None
    if comparison not in EQUALITIES and not isinstance(common, ORDERED):
        report(
            scope, "T006", node.operator_span, f"{describe(common)} has no order", help="only `==` and `!=` are defined"
        )
        return None
    if comparison in EQUALITIES and isinstance(common, ListType):
        report(scope, "T005", node.span, "lists can't be compared", help="compare their elements with `every`")
        return None
    return typed.Comparing(comparison, convert(left, common), convert(right, common), BOOL)


def _membership(scope: Scope, node: tree.Binary) -> Checked:
    if isinstance(node.left, tree.Variable) and scope.read(node.left.name.text) is None:
        # An enum value on its own: the list says which enum it is of.
        right = infer(scope, node.right)
        of = plain(right.type) if right is not None else None
        left = infer(scope, node.left, of.of if isinstance(of, ListType) else None) if right is not None else None
    else:
        left = infer(scope, node.left)
        right = None if left is None else infer(scope, node.right, ListType(0, 1, plain(left.type)))
    if left is None or right is None:
        return None
    domain = plain(right.type)
    if not isinstance(domain, ListType):
        message = f"expected a list, found {describe(right.type)}"
        report(scope, "T009", node.right.span, message, help="write `x in [a, b]`")
        return None
    common = join(plain(left.type), domain.of)
    scales = {scale_of(type_) for type_ in (common, domain.of) if isinstance(type_, NUMERIC)}
    if common is None or len(scales) > 1:
        report(scope, "T005", node.span, f"a list of {describe(domain.of)} can't hold {describe(left.type)}")
        return None
    found = typed.Membership(convert(left, common), right, BOOL)
    return found if node.operator == "in" else typed.Not(found, BOOL)


def _presence(scope: Scope, node: tree.Presence) -> Checked:
    operand = infer(scope, node.operand)
    if operand is None:
        return None
    if not isinstance(operand.type, OptionalType):
        message = f"{describe(operand.type)} can't be absent"
        report(scope, "T013", node.span, message, help="unknown can't be tested; only an `optional` may be absent")
        return None
    found = typed.Presence(operand, BOOL)
    return found if node.present else typed.Not(found, BOOL)


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


def _builtin(scope: Scope, node: tree.Builtin) -> Checked:
    if node.function == "before":
        return _before(scope, node)
    if node.function in ("min", "max") and len(node.arguments) > 1:
        return numbers.extreme(scope, node, [infer(scope, argument) for argument in node.arguments])
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
    first = types[0] if types else None
    if not isinstance(first, ListType):
        report(scope, "T004", node.span, f"`{node.function}` needs a list")
        return None
    if node.function == "zip":
        second = types[1] if len(types) == 2 else None
        if not isinstance(second, ListType):
            report(scope, "T004", node.span, "`zip` takes two lists")
            return None
        pair = RecordType("pair", (("first", first.of), ("second", second.of)))
        return typed.Zipped(lists[0], lists[1], ListType(0, min(first.high, second.high), pair))
    if node.function in SELECTIONS:
        return typed.Selected(SELECTIONS[node.function], lists[0], _selected_type(node.function, first))
    fold = FOLDS[node.function]
    element = typed.LocalRead("element", first.of)
    type_ = numbers.fold_type(scope, fold, first, None if fold is Fold.COUNT else element, node.span)
    body = None if fold is Fold.COUNT else element
    return None if type_ is None else typed.Folded(fold, "element", lists[0], None, body, type_)


def _selected_type(function: str, over: ListType) -> Type:
    match function:
        case "first" | "last":
            return over.of
        case "pairs":
            pair = RecordType("pair", (("first", over.of), ("second", over.of)))
            return ListType(max(0, over.low - 1), max(1, over.high - 1), pair)
        case _:
            return ListType(min(1, over.low), over.high, over.of)


def _before(scope: Scope, node: tree.Builtin) -> Checked:
    if not scope.ensure:
        report(scope, "T017", node.span, "`before` only means something inside `ensure`")
        return None
    operand = infer(scope, node.arguments[0]) if len(node.arguments) == 1 else None
    return None if operand is None else typed.Earlier(operand, operand.type)
