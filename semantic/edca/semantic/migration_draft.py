"""Drafting a map: the lines that two versions call for, each with the most careful answer that can be had.

What is drafted compiles, so that an author changes what it says and need not find out what it has to say. Above each
line stands why it is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl.parse import LANGUAGE_VERSION
from edca.kernel.calendar import duration_text
from edca.semantic import migration_changes as changes
from edca.semantic.relations import fits
from edca.semantic.scenario_write import UnwritableError, quoted, value_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.machine import Machine, MemoryField

_WHY = '"Say why."'


def draft_map(old: Machine, new: Machine) -> str:
    """Return a map between two versions of a machine, to be looked at line by line."""
    header = f"migrate {new.name} from {quoted(old.version)} to {quoted(new.version)}"
    blocks = [
        "\n".join([f"edca {LANGUAGE_VERSION}", "", header, '  "Say what changes, for whoever reads this later."']),
        *("\n".join(f"{above}\n{line}" for above, line in part) for part in _parts(old, new)),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _parts(old: Machine, new: Machine) -> Iterator[list[tuple[str, str]]]:
    """Yield the lines of each kind, each with the comment above it."""
    yield list(_states(old, new))
    yield list(_memory(old, new))
    yield list(_history(old, new))
    yield list(_limits(old, new))


def _states(old: Machine, new: Machine) -> Iterator[tuple[str, str]]:
    for name, state in sorted(old.index.states.items()):
        if changes.is_state_kept(old, new, name):
            continue
        if name not in new.index.states:
            yield "# There is no such state any more.", f'state {name} needs person "Say where these cases go."'
        elif state != new.index.states[name]:
            yield "# It is declared otherwise: does it still mean the same?", f"state {name} to {name} keeping time"
        else:
            yield (
                f"# What time brings about was {_timers(old, name)}, and is {_timers(new, name)}.",
                f"state {name} to {name} keeping time",
            )


def _timers(machine: Machine, state: str) -> str:
    due = changes.timers(machine, state)
    return ", ".join(f"`{name}` after {duration_text(after)}" for name, after in due) or "nothing"


def _memory(old: Machine, new: Machine) -> Iterator[tuple[str, str]]:
    unfilled = [slot for slot in new.memory if not changes.is_field_kept(old, new, slot.name)]
    kept = {slot.name for slot in new.memory if changes.is_field_kept(old, new, slot.name)}
    dropped = [slot for slot in old.memory if slot.name not in kept]
    taken: set[str] = set()
    for slot in unfilled:
        source = _source(slot, dropped)
        if source is None:
            yield (
                "# The old version has nothing that it could take over.",
                f"memory {slot.name} = {_initial(slot, new)}",
            )
            continue
        taken.add(source.name)
        why = "Its type has changed." if source.name == slot.name else "Nothing else is of its type: is it the same?"
        yield f"# {why}", f"memory {slot.name} = {source.name}"
    for slot in dropped:
        if slot.name not in taken:
            yield "# The new version has nothing for it.", f"forget {slot.name} {_WHY}"


def _source(slot: MemoryField, dropped: list[MemoryField]) -> MemoryField | None:
    """Return which old field a new one most likely takes over: its namesake, or the only one of its type."""
    able = [one for one in dropped if fits(one.type, slot.type) and set(one.labels) <= set(slot.labels)]
    named = [one for one in able if one.name == slot.name]
    alike = [one for one in able if one.type == slot.type]
    return named[0] if named else alike[0] if len(alike) == 1 else None


def _initial(slot: MemoryField, new: Machine) -> str:
    try:
        return value_text(slot.type, slot.initial, new.index.entities)
    except UnwritableError:
        return "0  # there are no words for what a new case has here"


def _history(old: Machine, new: Machine) -> Iterator[tuple[str, str]]:
    for history, name in sorted(changes.read_history(old), key=lambda one: (one[0].value, one[1])):
        if name not in changes.known_history(new, history):
            yield "# The new version has no such name.", f"forget {history.value} of {name} {_WHY}"


def _limits(old: Machine, new: Machine) -> Iterator[tuple[str, str]]:
    before, after = changes.limits(old), changes.limits(new)
    for name in sorted(before, key=lambda one: (one.transition, one.code)):
        text = f"{name.transition}.{name.code}"
        if changes.is_limit_kept(old, new, name):
            continue
        if name not in after:
            yield "# There is no such limit any more.", f"forget limit {text} {_WHY}"
        elif changes.can_count_for(before[name], after[name]):
            yield "# It counts otherwise: does what it has counted still count?", f"limit {text} = {text}"
        else:
            yield "# It counts something else, or per something else.", f"forget limit {text} {_WHY}"
