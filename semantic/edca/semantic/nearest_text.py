"""Nearest legal changes as operators read them (`would be accepted with amount ≤ 420.00`), and as JSON-ready data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.calendar import duration_text
from edca.kernel.readings import value_text
from edca.kernel.types import DecimalType, DurationType, IntType
from edca.kernel.values import to_raw
from edca.semantic.nearest import bounds_of

if TYPE_CHECKING:
    from edca.kernel.canonical import Data
    from edca.kernel.machine import Machine
    from edca.kernel.values import Value
    from edca.semantic.nearest import Change


def change_line(machine: Machine, change: Change) -> str:
    """Return a change on one line, numbers with the scale and the unit of their type."""
    line = f"would be {change.outcome} with {change.argument} {_values(machine, change)}"
    if not change.needs:
        return line
    where = "with it" if len(change.values) == 1 else f"with {_text(machine, change, change.nearest)}"
    return f"{line}; {where} it needs {', '.join(change.needs)}"


def change_data(machine: Machine, change: Change) -> dict[str, Data]:
    """Return a change as JSON-ready data: `values` in raw form, of a range `from` and `to` instead, both included."""
    raw = [to_raw(change.type, value, machine.index.entities) for value in change.values]
    values: dict[str, Data] = {"from": raw[0], "to": raw[1]} if change.is_range else {"values": list(raw)}
    return {
        "argument": change.argument,
        "nearest": to_raw(change.type, change.nearest, machine.index.entities),
        "needs": list(change.needs),
        "outcome": change.outcome,
        **values,
    }


def _values(machine: Machine, change: Change) -> str:
    texts = [_text(machine, change, value) for value in change.values]
    if not change.is_range:
        return f"= {' or '.join(texts)}"
    least, most = bounds_of(change.type) or (None, None)
    if change.values[0] == least:
        return f"≤ {texts[1]}"
    return f"≥ {texts[0]}" if change.values[1] == most else f"from {texts[0]} to {texts[1]}"


def _text(machine: Machine, change: Change, value: Value) -> str:
    if isinstance(change.type, DurationType) and isinstance(value, int):
        return duration_text(value)
    unit = change.type.unit if isinstance(change.type, (IntType, DecimalType)) else ""
    text = value_text(machine, change.type, value)
    return f"{text} {unit}" if unit else text
