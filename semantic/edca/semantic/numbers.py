"""Arithmetic in the checker: what it may combine, and the exact type of what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.kernel.calendar import DAY
from edca.kernel.expression import Fold, Operation
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    HandleType,
    IdType,
    IntType,
    ListType,
    PrincipalType,
    RecordType,
    TextType,
    TimeType,
    Type,
    describe,
)
from edca.semantic import typed, units
from edca.semantic.relations import (
    ORDERED,
    added,
    bounds_at,
    convert,
    join,
    multiplied,
    numeric,
    plain,
    scale_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.diagnostics.source import Span
    from edca.semantic.scope import Scope

NUMERIC = (IntType, DecimalType)


def negate(scope: Scope, operand: tree.Expression, found: typed.Expression | None) -> typed.Expression | None:
    """Return `- e`."""
    if found is None:
        return None
    type_ = plain(found.type)
    if isinstance(found, typed.Literal) and isinstance(found.value, int) and isinstance(type_, NUMERIC):
        return typed.Literal(-found.value, numeric(scale_of(type_), -found.value, -found.value, ""))
    if isinstance(type_, NUMERIC):
        zero = typed.Literal(0, numeric(scale_of(type_), 0, 0, ""))
        return typed.Arithmetic(Operation.SUBTRACT, zero, found, added(IntType(0, 0), type_, negate=True))
    scope.words.problems.add("T007", operand.span, f"expected a number, found {describe(found.type)}")
    return None


def arithmetic(
    scope: Scope, node: tree.Binary, operation: Operation, left: typed.Expression, right: typed.Expression
) -> typed.Expression | None:
    """Return `left + right`, `left - right` or `left * right`, exactly, or null with a finding."""
    a, b = plain(left.type), plain(right.type)
    if isinstance(a, NUMERIC) and isinstance(b, NUMERIC):
        if operation is Operation.MULTIPLY:
            if a.unit and b.unit:
                units.report(scope, node.span, f"`{a.unit}` times `{b.unit}` has no unit")
                return None
            return typed.Arithmetic(operation, left, right, multiplied(a, b))
        if not units.agree(scope, node.span, left, right):
            return None
        result = added(a, b, negate=operation is Operation.SUBTRACT)
        return typed.Arithmetic(operation, convert(left, result), convert(right, result), result)
    match operation, a, b:
        case (Operation.SUBTRACT, TimeType(), TimeType()):
            return typed.Arithmetic(operation, left, right, DurationType())
        case ((Operation.ADD | Operation.SUBTRACT), (TimeType() | DurationType()), DurationType()):
            return typed.Arithmetic(operation, left, right, a)
        case (Operation.ADD, DurationType(), TimeType()):
            return typed.Arithmetic(operation, left, right, b)
        case (Operation.MULTIPLY, DurationType(), IntType(unit="")) | (
            Operation.MULTIPLY,
            IntType(unit=""),
            DurationType(),
        ):
            return typed.Arithmetic(operation, left, right, DurationType())
        case (Operation.SUBTRACT, DateType(), DateType()):
            days = typed.Arithmetic(operation, left, right, IntType(-4_000_000, 4_000_000))
            return typed.Arithmetic(Operation.MULTIPLY, days, typed.Literal(DAY, DurationType()), DurationType())
        case ((Operation.ADD | Operation.SUBTRACT), DateType(), DurationType()):
            return _shift_date(scope, node, operation, left, right)
        case _:
            scope.words.problems.add(
                "T007",
                node.span,
                f"`{operation.value}` is not defined between {describe(a)} and {describe(b)}",
                help=_arithmetic_help(a, b),
            )
            return None


def _arithmetic_help(a: Type, b: Type) -> str:
    if {type(a), type(b)} == {DateType, TimeType}:
        return "a date and a time don't mix: declare both as `time`, or both as `date`"
    return "arithmetic is defined on numbers, on times and durations, and on dates and whole days"


def _shift_date(
    scope: Scope, node: tree.Binary, operation: Operation, left: typed.Expression, right: typed.Expression
) -> typed.Expression | None:
    """Return a date some whole days off: the duration must be written, since a part of a day has no date."""
    if isinstance(right, typed.Literal) and isinstance(right.value, int) and right.value % DAY == 0:
        return typed.Arithmetic(operation, left, typed.Literal(right.value // DAY, IntType(0, 0)), DateType())
    scope.words.problems.add(
        "T012", node.right.span, "a date moves by a written number of whole days", help="write `+ 3 days`"
    )
    return None


def comparison_help(left: Type, right: Type) -> str | None:
    """Return what to write instead, for the mix-ups that have an answer."""
    kinds = {type(plain(left)), type(plain(right))}
    if kinds == {DateType, TimeType}:
        return "a date has no time of day: compare dates with dates, times with times"
    if DurationType in kinds and kinds & set(NUMERIC):
        return "give the number a unit: `30 days`"
    if kinds <= {IdType, HandleType, PrincipalType, TextType}:
        return "identities, ids and texts are different kinds: declare both sides with one type"
    if BoolType in kinds:
        return "a truth value stands alone: write `x` or `not x`"
    return None


def extreme(scope: Scope, node: tree.Builtin, found: Sequence[typed.Expression | None]) -> typed.Expression | None:
    """Return `min(a, b, …)` or `max(a, b, …)` as a fold over the list of its arguments."""
    whole = [item for item in found if item is not None]
    if len(whole) != len(found):
        return None
    common: Type = plain(whole[0].type)
    anchor = next((item for item in whole if not units.is_written(item, scope)), whole[0])
    for item, argument in zip(whole, node.arguments, strict=True):
        joined = join(common, plain(item.type))
        if joined is None or not isinstance(joined, ORDERED):
            message = f"`{node.function}` needs values of one ordered type, found {describe(item.type)}"
            scope.words.problems.add("T006", argument.span, message)
            return None
        if isinstance(joined, NUMERIC) and not units.agree(scope, argument.span, anchor, item):
            return None
        common = joined
    if isinstance(common, NUMERIC):
        scale, pick = scale_of(common), min if node.function == "min" else max
        types = (plain(item.type) for item in whole)
        intervals = [bounds_at(type_, scale) for type_ in types if isinstance(type_, NUMERIC)]
        common = numeric(scale, pick(low for low, _ in intervals), pick(high for _, high in intervals), common.unit)
    parts = tuple(convert(item, common) for item in whole)
    over = typed.Listed(parts, ListType(len(parts), len(parts), common))
    fold = Fold.MIN if node.function == "min" else Fold.MAX
    return typed.Folded(fold, "element", over, None, typed.LocalRead("element", common), common)


def fold_type(scope: Scope, fold: Fold, over: ListType, body: typed.Expression | None, span: Span) -> Type | None:
    """Return the type of a fold over a list of `over`, or null with a finding where the body does not suit it."""
    match fold:
        case Fold.COUNT:
            return IntType(0, over.high)
        case Fold.EVERY | Fold.SOME:
            return BoolType()
        case Fold.COLLECT if body is not None:
            return ListType(0, over.high, body.type)
        case Fold.SUM if body is not None:
            type_ = plain(body.type)
            if isinstance(type_, NUMERIC):
                low, high = min(0, type_.low * over.high), max(0, type_.high * over.high)
                return numeric(scale_of(type_), low, high, type_.unit)
            if isinstance(type_, DurationType):
                return type_
        case Fold.MIN | Fold.MAX if body is not None:
            type_ = plain(body.type)
            if isinstance(type_, ORDERED):
                return type_
        case _:
            return None
    scope.words.problems.add("T007", span, f"`{fold.value}` needs numbers, found {describe(body.type)}")
    return None


def in_range(
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
            scope.words.problems.add(
                "T010",
                written.span,
                message,
                help=f"widen the parameter `{name}`, or bound the value with min and max",
            )
            sound = False
    return sound


def selected_type(function: str, over: ListType) -> Type:
    """Return the type of `first`, `last`, `pairs` or `distinct` of a list."""
    match function:
        case "first" | "last":
            return over.of
        case "pairs":
            pair = RecordType("pair", (("first", over.of), ("second", over.of)))
            return ListType(max(0, over.low - 1), max(1, over.high - 1), pair)
        case _:
            return ListType(min(1, over.low), over.high, over.of)
