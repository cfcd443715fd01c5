"""An example for "both can be true": values for what conditions read, tried out with the kernel's own evaluation."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from edca.kernel.calendar import date_text, duration_text, time_text
from edca.kernel.evaluate import Frame, closure_of, known
from edca.kernel.expression import Input
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    IntType,
    TimeType,
    Type,
    decimal_text,
)
from edca.semantic import typed, walk
from edca.semantic.analysis.ranges import Among, Between
from edca.semantic.lower import lower_expression
from edca.semantic.relations import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edca.kernel.values import Value
    from edca.semantic.analysis.constraints import Constraints
    from edca.semantic.analysis.ranges import Values
    from edca.semantic.checked import CheckedSpec

_TRIES_MAX = 256  # combinations of values tried
_SHOWN_MAX = 3  # values named: more can't be taken in at a glance
_KEY = ("",)  # of the one instance that an example knows of each entity

Leaf = typed.ArgumentRead | typed.MemoryRead | typed.ClaimRead | typed.FactRead | typed.InputRead


def witness(conditions: Sequence[typed.Expression], settled: Constraints, spec: CheckedSpec) -> str | None:
    """Return values for which all conditions are true, as a text; empty where they read nothing, null if none is found.

    `settled` is what is known of the values once all conditions hold.
    """
    leaves = _leaves(conditions, spec)
    if leaves is None:
        return None
    choices = [_candidates(leaf.type, settled.values(leaf)) for leaf in leaves.values()]
    closures = [closure_of(lower_expression(condition, spec.definitions)) for condition in conditions]
    for values in itertools.islice(itertools.product(*choices), _TRIES_MAX):
        frame = _frame(dict(zip(leaves, values, strict=True)), leaves)
        if all(known(closure(frame)) is True for closure in closures):
            shown = [
                f"`{_called(leaf)}` is {_written(plain(leaf.type), value)}"
                for leaf, value in zip(leaves.values(), values, strict=True)
            ]
            more = len(shown) - _SHOWN_MAX
            named = " and ".join(shown[:_SHOWN_MAX])
            return named if more <= 0 else f"{named} (and {more} more values are as they may be)"
    return None


def _leaves(conditions: Iterable[typed.Expression], spec: CheckedSpec) -> dict[str, Leaf] | None:
    """Return what the conditions read, by how a spec calls it; null where an example can't give it a value."""
    found: dict[str, Leaf] = {}
    for condition in conditions:
        for node in reversed(list(walk.nodes(condition, spec.definitions))):
            match node:
                case typed.InputRead(Input.CASE):
                    pass  # it is only read through
                case (
                    typed.InputRead(Input.NOW | Input.CONFIDENCE)
                    | typed.ArgumentRead()
                    | typed.MemoryRead()
                    | typed.ClaimRead()
                    | typed.FactRead(typed.InputRead(), _, _, None)
                ) if isinstance(plain(node.type), _SHOWN):
                    found.setdefault(_called(node), node)
                case (
                    typed.InputRead()
                    | typed.ArgumentRead()
                    | typed.MemoryRead()
                    | typed.ClaimRead()
                    | typed.FactRead()
                    | typed.HistoryRead()
                ):
                    return None
                case _:
                    continue  # it is computed from what is read
    return found


_SHOWN = (BoolType, EnumType, IntType, DecimalType, DateType, TimeType, DurationType)


def _called(leaf: Leaf) -> str:
    match leaf:
        case typed.FactRead(_, entity, field):
            return f"{entity}.{field}"
        case typed.InputRead(input_):
            return input_.value
        case typed.ArgumentRead(name) | typed.MemoryRead(name) | typed.ClaimRead(name):
            return name


def _candidates(type_: Type, values: Values) -> list[Value]:
    """Return a few values out of a set, the plainest first."""
    match values:
        case Among(some):
            order = (
                [name for name, _ in plain_.values] if isinstance(plain_ := plain(type_), EnumType) else [True, False]
            )
            return [value for value in order if value in some]
        case Between(low, high):
            bounds = [bound for bound in (low, high) if bound is not None]
            return list(dict.fromkeys(bounds)) or [0]
        case _:
            return []


def _frame(values: Mapping[str, Value], leaves: Mapping[str, Leaf]) -> Frame:
    arguments: dict[str, Value] = {}
    memory: dict[str, Value] = {}
    claims: dict[str, Value] = {}
    inputs: dict[Input, Value] = {Input.CASE: _KEY}
    facts: dict[tuple[str, tuple[Value, ...]], dict[str, Value]] = {}
    for called, leaf in leaves.items():
        match leaf:
            case typed.ArgumentRead(name):
                arguments[name] = values[called]
            case typed.MemoryRead(name):
                memory[name] = values[called]
            case typed.ClaimRead(name):
                claims[name] = values[called]
            case typed.InputRead(input_):
                inputs[input_] = values[called]
            case typed.FactRead(_, entity, field):
                facts.setdefault((entity, _KEY), {})[field] = values[called]
    return Frame(arguments=arguments, memory=memory, claims=claims, inputs=inputs, facts=facts)


def _written(type_: Type, value: Value) -> str:
    """Return a value as it stands in a spec."""
    match type_, value:
        case (_, bool()):
            return "true" if value else "false"
        case (DecimalType(scale), int()):
            return decimal_text(value, scale)
        case (DateType(), int()):
            return date_text(value)
        case (TimeType(), int()):
            return time_text(value)
        case (DurationType(), int()):
            return duration_text(value)
        case _:
            return str(value)
