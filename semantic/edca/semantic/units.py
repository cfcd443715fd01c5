"""What numbers are counted in: sums and comparisons keep to one unit, and nothing changes its unit silently.

A number that is only written (a literal, or arithmetic on literals) fits any unit; every other number has the unit of
its type, or none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.expression import Fold
from edca.kernel.types import DecimalType, IntType, ListType, OptionalType, RecordType, Type
from edca.semantic import typed
from edca.semantic.relations import plain

if TYPE_CHECKING:
    from edca.diagnostics.source import Span
    from edca.semantic.scope import Scope


def unit_of(type_: Type) -> str:
    """Return the unit of a number's type, empty for a bare number and for what is no number."""
    of = plain(type_)
    return of.unit if isinstance(of, (IntType, DecimalType)) else ""


def is_written(node: typed.Expression, scope: Scope) -> bool:
    """Tell whether the number is only written, in the end: then it is in whatever unit its place has."""
    match node:
        case typed.Literal():
            return True
        case typed.Converted(operand):
            return is_written(operand, scope)
        case typed.Arithmetic(_, left, right):
            return is_written(left, scope) and is_written(right, scope)
        case typed.Conditional(_, then, otherwise):
            return is_written(then, scope) and is_written(otherwise, scope)
        case typed.Folded(Fold.MIN | Fold.MAX, _, typed.Listed(parts)):
            return all(is_written(part, scope) for part in parts)
        case typed.LetRead(name):
            return name in scope.written
        case typed.Applied(name):
            return is_written(scope.definitions[name].body, scope)
        case _:
            return False


def agree(scope: Scope, span: Span, left: typed.Expression, right: typed.Expression) -> bool:
    """Tell whether two numbers can be added, compared or chosen between; report it where their units differ."""
    a, b = unit_of(left.type), unit_of(right.type)
    if a == b or (not a and is_written(left, scope)) or (not b and is_written(right, scope)):
        return True
    report(scope, span, f"{_named(a)} and {_named(b)} don't go together")
    return False


def suits(scope: Scope, found: typed.Expression, expected: Type) -> bool:
    """Tell whether a number is in the unit that its place has."""
    have, want = unit_of(found.type), unit_of(expected)
    return have == want or (not have and is_written(found, scope))


def report(scope: Scope, span: Span, message: str) -> None:
    """Report numbers in different units."""
    help_ = "give both the same unit where their types are declared: nothing converts units silently"
    scope.words.problems.add("T021", span, message, help=help_)


def expected(scope: Scope, span: Span, found: Type, wanted: Type) -> None:
    """Report a number that stands where another unit, or none, is wanted."""
    report(scope, span, f"expected {_named(unit_of(wanted))}, found {_named(unit_of(found))}")


def _named(unit: str) -> str:
    return f"a number in `{unit}`" if unit else "a number without a unit"


def differ(a: Type, b: Type) -> bool:
    """Tell whether two types are alike but for their units, somewhere inside."""
    match a, b:
        case (OptionalType(one), _):
            return differ(one, b)
        case (_, OptionalType(other)):
            return differ(a, other)
        case ((IntType() | DecimalType()), (IntType() | DecimalType())):
            return a.unit != b.unit
        case ListType(_, _, one), ListType(_, _, other):
            return differ(one, other)
        case RecordType(_, ones), RecordType(_, others):
            names = [name for name, _ in ones] == [name for name, _ in others]
            return names and any(differ(x, y) for (_, x), (_, y) in zip(ones, others, strict=False))
        case _:
            return False
