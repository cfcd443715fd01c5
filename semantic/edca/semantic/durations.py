"""Written lengths of time, in microseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.calendar import DAY, SECOND

if TYPE_CHECKING:
    from edca.dsl import tree
    from edca.semantic.problems import Problems

UNITS = {"second": SECOND, "minute": 60 * SECOND, "hour": 3600 * SECOND, "day": DAY, "week": 7 * DAY}
LENGTH_MAX = 2**63 - 1  # microseconds: 292,000 years


def micros(node: tree.DurationLiteral, problems: Problems) -> int:
    """Return a written duration, reporting one that no clock can measure."""
    length = node.count * UNITS[node.unit]
    if length > LENGTH_MAX:
        help_ = "a duration is at most 292,000 years"
        problems.add("T008", node.span, f"`{node.span.text}` is too long", help=help_)
        return LENGTH_MAX
    return length


def lasting(node: tree.DurationLiteral, problems: Problems) -> int:
    """Return a written duration, reporting also one that lasts for nothing."""
    if node.count == 0:
        problems.add("T008", node.span, "this lasts for nothing", help="write at least `1 second`")
    return micros(node, problems)
