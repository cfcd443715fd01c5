"""Ways out of a state that are sure to be taken: what the clock proposes after a time, and nothing can refuse.

The clock proposes what is due, again and again, so a case leaves a state with such a way out, by it or by another one;
unless it is held there, because an effect that can't be undone was begun and never seen to be done. What is left to
trust is the host: that it runs the timers, that somebody answers for the transition, that an operator's `halt` ends one
day, and that nothing is changed in spec or routes while an effect is under way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.machine import RoleKind
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    IdType,
    IntType,
    OptionalType,
    PrincipalType,
    ReferenceType,
    TimeType,
    Type,
)
from edca.kernel.values import DATE_MAX, DATE_MIN, TIME_MAX, TIME_MIN
from edca.semantic import typed
from edca.semantic.analysis.ranges import Between

if TYPE_CHECKING:
    from edca.semantic.analysis.graph import Place
    from edca.semantic.analysis.possible import Reach, Within
    from edca.semantic.analysis.ranges import Values
    from edca.semantic.checked import CheckedSpec, CheckedTransition


class Exits:
    """The forced exits of a spec's places."""

    def __init__(self, spec: CheckedSpec, reach: Reach) -> None:
        """Take the spec, and what its expressions can yield."""
        self._spec = spec
        self._reach = reach

    def forced(self, place: Place) -> bool:
        """Tell whether a case can't stay in the place for ever."""
        return any(self._obstacle(item, place) is None for item in self._timed(place))

    def holding(self, place: Place) -> tuple[str, str] | None:
        """Return a transition and its effect that can leave a case quarantined in the place, or null.

        An effect that was done, and whose `ensure` then isn't true or behind which another one fails, has to be undone.
        Where it can't be, nobody proposes anything for the case until a person has looked.
        """
        entity, state = place
        return next(
            (
                (item.name, act.call.effect)
                for item in self._spec.transitions
                if item.about == entity and state in item.sources
                for act in item.acts
                if act.undo is None
            ),
            None,
        )

    def advice(self, place: Place) -> str:
        """Return what would force a case out of a place that has no forced exit."""
        timed = self._timed(place)
        if timed:
            return f"`{timed[0].name}` doesn't force it: {self._obstacle(timed[0], place)}"
        return (
            f"add a transition from `{place[1]}` that is `by` a clock role, `after` a time and `unblockable`, "
            'without clauses and effects, or say what you count on: `assuming "…"`'
        )

    def _timed(self, place: Place) -> list[CheckedTransition]:
        """Return the transitions out of the place that the clock may propose."""
        entity, state = place
        return [
            item
            for item in self._spec.transitions
            if item.about == entity
            and state in item.sources
            and item.target != state
            and any(self._spec.words.roles[role].kind is RoleKind.CLOCK for role in item.by)
        ]

    def _obstacle(self, item: CheckedTransition, place: Place) -> str | None:
        """Return what can keep the clock from taking the case out of the place, or null."""
        spec = self._spec
        within = self._reach.transition(item.lets)
        if item.creates:
            return "it begins a case"
        if item.after_us is None:
            return "it has no `after`, so nobody knows when it is due"
        if not item.unblockable:
            return "it is not `unblockable`, so a `forbid` can hold it up"
        if item.clauses:
            return f"`{item.clauses[0].code}` can refuse it"
        if item.guard is not None:
            return "its `when` can be false"
        if item.acts:
            return f"its effect `{item.acts[0].call.effect}` can fail"
        surplus = [parameter.name for parameter in item.parameters if parameter.name not in item.key]
        if surplus:
            return f"the clock can't supply `{surplus[0]}`"
        unsure = next((name for name, value in item.assignments if not self._surely_kept(name, value, within)), None)
        if unsure is not None:
            return f"what it sets `{unsure}` to can be unknown or out of range"
        earlier = self._tried_before(item, place)
        if earlier is not None:
            return f"`{earlier.name}` is tried before it"
        closed = next((mode.name for mode in spec.modes if item.offered not in mode.allow), None)
        if closed is not None:
            return f"mode `{closed}` does not allow it"
        stated = next((n.code for n in spec.nevers if n.about == item.about and item.target in n.states), None)
        return None if stated is None else f"`{stated}` can keep the case out of `{item.target}`"

    def _tried_before(self, item: CheckedTransition, place: Place) -> CheckedTransition | None:
        """Return another branch that is tried before this one in the place."""
        order = (-(item.priority or 0), item.name)
        return next(
            (
                other
                for other in self._spec.transitions
                if other.offered == item.offered
                and place[1] in other.sources
                and (-(other.priority or 0), other.name) < order
            ),
            None,
        )

    def _surely_kept(self, name: str, value: typed.Expression, within: Within) -> bool:
        found = within.of(value)
        type_ = self._spec.words.memory[name]
        if found.doubts or (found.absent and not isinstance(type_, OptionalType)):
            return False
        return isinstance(value, typed.Literal) or _held(type_, found.values)


def _held(type_: Type, values: Values) -> bool:
    """Tell whether all these values are surely within the bounds of a type."""
    match type_:
        case OptionalType(of):
            return _held(of, values)
        case BoolType() | EnumType() | IdType() | PrincipalType() | ReferenceType():
            return True
        case IntType(low, high) | DecimalType(_, low, high):
            return _between(values, low, high)
        case DateType():
            return _between(values, DATE_MIN, DATE_MAX)
        case TimeType():
            return _between(values, TIME_MIN, TIME_MAX)
        case DurationType():
            return _between(values, -TIME_MAX, TIME_MAX)
        case _:
            return False  # a text or a list can be too long, and lengths aren't followed here


def _between(values: Values, low: int, high: int) -> bool:
    return (
        isinstance(values, Between)
        and values.low is not None
        and values.high is not None
        and low <= values.low
        and values.high <= high
    )
