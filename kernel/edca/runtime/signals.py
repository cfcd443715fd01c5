"""Signals: what modes are triggered by, counted from recorded events, by the instants that their records name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from edca.kernel import canonical
from edca.kernel.machine import Signal
from edca.kernel.values import Unknown
from edca.kernel.verdict import Escalated, Refused, Stage, Verdict
from edca.kernel.windows import in_window
from edca.ledger.errors import TamperedError
from edca.ledger.store import Cell
from edca.runtime.answers import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.kernel.canonical import Data
    from edca.kernel.facts import Facts
    from edca.kernel.machine import Machine, Trigger
    from edca.runtime.ports import Cells

SPACE = "signal"

Events: TypeAlias = "Mapping[Signal, tuple[int, ...]]"
"""The instants at which each signal was recorded, in the order of the records: no more than triggers ask about."""


def of_verdict(verdict: Verdict, facts: Facts) -> tuple[Signal, ...]:
    """Return what a verdict's record counts as; a drift counts once, however much of it was met."""
    found: list[Signal] = []
    drifted = any(
        instance.state is Unknown.DRIFT or any(value is Unknown.DRIFT for value in instance.fields.values())
        for instance in facts.values()
    )
    if drifted or (isinstance(verdict, Refused) and verdict.stage is Stage.STATE_DRIFT):
        found.append(Signal.DRIFTS)
    if isinstance(verdict, Refused):
        found.append(Signal.REFUSALS)
    if isinstance(verdict, Escalated):
        found.append(Signal.ESCALATIONS)
    return tuple(found)


def of_outcome(outcome: Outcome, in_time: Sequence[bool]) -> tuple[Signal, ...]:
    """Return what an outcome's record counts as; `in_time` tells of each step whether its route answered in time."""
    failed = () if outcome is Outcome.CONFIRMED else (Signal.FAILURES,)
    return failed if all(in_time) else (*failed, Signal.TIMEOUTS)


def _triggers(machine: Machine) -> tuple[Trigger, ...]:
    return tuple(trigger for mode in machine.modes for trigger in (*mode.enter, *mode.leave))


def counted(machine: Machine) -> frozenset[Signal]:
    """Return the signals that any trigger asks about; no other is counted."""
    return frozenset(trigger.signal for trigger in _triggers(machine))


def after(machine: Machine, events: Events, happened: Sequence[Signal], at: int) -> Events:
    """Return the events with those of `at`, without what no trigger can ask about any more."""
    triggers = _triggers(machine)
    kept: dict[Signal, tuple[int, ...]] = {}
    for signal in Signal:
        asking = [trigger for trigger in triggers if trigger.signal is signal]
        if not asking:
            continue
        instants = events.get(signal, ()) + ((at,) if signal in happened else ())
        # One more than the largest count tells "more than that"; older ones can't change any answer.
        newest = max(trigger.count for trigger in asking) + 1
        kept[signal] = instants[-newest:]
    return kept


def count(trigger: Trigger, events: Events, now: int) -> int:
    """Return how many of the trigger's signal its window holds, as far as they are kept."""
    return sum(in_window(trigger.window, at, now) for at in events.get(trigger.signal, ()))


def is_met(trigger: Trigger, events: Events, now: int) -> bool:
    """Tell whether the window holds more than the trigger's count, or (`exceeds` false) no more than that."""
    return (count(trigger, events, now) > trigger.count) is trigger.exceeds


def load(cells: Cells, chain: str) -> Events:
    """Return the events kept for a chain of modes. Raises `TamperedError` for a cell that holds none."""
    found = cells.cell(SPACE, chain)
    if found is None:
        return {}
    try:
        data: Any = canonical.decode(found)
        return {Signal(name): tuple(instants) for name, instants in data.items()}
    except (TypeError, ValueError, AttributeError) as error:
        raise TamperedError("the signals' counts can't be read; verify the ledger") from error


def cell(chain: str, events: Events) -> Cell:
    """Return the write that keeps the events."""
    data: Data = {signal.value: list(instants) for signal, instants in events.items()}
    return Cell(SPACE, chain, canonical.encode(data))
