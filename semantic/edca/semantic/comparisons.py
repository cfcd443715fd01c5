"""Comparisons in the checker: which values can be equal, in order, in a list, or present."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.expression import Comparison
from edca.kernel.types import BoolType, ListType, OptionalType, describe
from edca.semantic import numbers, typed, units
from edca.semantic.numbers import NUMERIC
from edca.semantic.relations import ORDERED, convert, join, plain, scale_of
from edca.semantic.terms import Checked, report

if TYPE_CHECKING:
    from edca.dsl import tree
    from edca.semantic.scope import Scope

BOOL = BoolType()
EQUALITIES = (Comparison.EQUAL, Comparison.UNEQUAL)


def compare(
    scope: Scope, node: tree.Binary, comparison: Comparison, left: typed.Expression, right: typed.Expression
) -> Checked:
    """Return the comparison of two values, or null with a finding."""
    common = join(plain(left.type), plain(right.type))
    if common is None:
        message = f"{describe(left.type)} and {describe(right.type)} can't be compared"
        if units.differ(left.type, right.type):
            units.report(scope, node.span, message)
        else:
            report(scope, "T005", node.span, message, help=numbers.comparison_help(left.type, right.type))
        return None
    if isinstance(common, NUMERIC) and not units.agree(scope, node.span, left, right):
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


def contains(scope: Scope, node: tree.Binary, left: typed.Expression, right: typed.Expression) -> Checked:
    """Return `x in xs`, or `x not in xs`, or null with a finding."""
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
    if isinstance(common, NUMERIC) and not units.suits(scope, left, domain.of):
        units.expected(scope, node.left.span, left.type, domain.of)
        return None
    found = typed.Membership(convert(left, common), right, BOOL)
    return found if node.operator == "in" else typed.Not(found, BOOL)


def presence(scope: Scope, node: tree.Presence, operand: typed.Expression) -> Checked:
    """Return `x is present` or `x is absent`, or null with a finding."""
    if not isinstance(operand.type, OptionalType):
        message = f"{describe(operand.type)} can't be absent"
        report(scope, "T013", node.span, message, help="unknown can't be tested; only an `optional` may be absent")
        return None
    found = typed.Presence(operand, BOOL)
    return found if node.present else typed.Not(found, BOOL)
