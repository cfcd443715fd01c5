"""The states of a map: where the cases in each of them go, and whether their time there counts on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl.tree.migration import StateNeedsPerson, StateTo
from edca.kernel.migration import StateMove
from edca.semantic.migration_changes import is_state_kept, timers
from edca.semantic.problems import did_you_mean, listing

if TYPE_CHECKING:
    from edca.dsl.tree import Name
    from edca.dsl.tree.migration import Map
    from edca.kernel.machine import Machine
    from edca.semantic.problems import Problems


def states(written: Map, old: Machine, new: Machine, problems: Problems) -> tuple[StateMove, ...]:
    """Return where every state of the old version goes, by name; what has no place is a finding."""
    moves: dict[str, StateMove] = {}
    places: dict[str, Name] = {}
    wide: dict[str, StateMove] = {}  # by composite state: for the states within that have no line of their own
    for line in written.lines:
        if not isinstance(line, StateTo | StateNeedsPerson):
            continue
        for name in line.sources:
            if name.text in places:
                _twice(name, places[name.text], problems)
                continue
            places[name.text] = name
            inside = _states_of(old, name.text)
            if not inside:
                known = [*old.index.states, *(composite.name for composite in old.composites)]
                help_ = did_you_mean(name.text, known, f"its states are {listing(old.index.states)}")
                problems.add("N006", name.span, f"the old version has no state `{name.text}`", help=help_)
                continue
            move = _move(line, name, inside, old, new, problems)
            (moves if name.text in old.index.states else wide)[name.text] = move
    for state in sorted(old.index.states):
        if state in moves:
            continue
        found = next((wide[outer] for outer in _around(old, state) if outer in wide), None)
        if found is not None:
            moves[state] = StateMove(state, found.target, found.keeps_time, found.text)
        elif is_state_kept(old, new, state):
            moves[state] = StateMove(state, state, keeps_time=True, text="")
        else:
            _unmapped(state, written, old, new, problems)
    return tuple(moves[name] for name in sorted(moves))


def _move(
    line: StateTo | StateNeedsPerson,
    name: Name,
    inside: tuple[str, ...],
    old: Machine,
    new: Machine,
    problems: Problems,
) -> StateMove:
    if isinstance(line, StateNeedsPerson):
        if not line.text.value.strip():
            message = f"the map doesn't say what a person should do about `{name.text}`"
            problems.add("C024", line.text.span, message, help="write what to look at, and which ways there are")
        return StateMove(name.text, None, keeps_time=True, text=line.text.value)
    target = line.target
    if target.text in (composite.name for composite in new.composites):
        within = listing(_states_of(new, target.text))
        message = f"`{target.text}` stands for several states, and a case is in one"
        problems.add("C035", target.span, message, help=f"name one of {within}")
    elif target.text not in new.index.states:
        help_ = did_you_mean(target.text, new.index.states, f"its states are {listing(new.index.states)}")
        problems.add("N006", target.span, f"the new version has no state `{target.text}`", help=help_)
    elif line.keeps_time is None and (timers(new, target.text) or any(timers(old, each) for each in inside)):
        due = timers(new, target.text) or next(found for each in inside if (found := timers(old, each)))
        message = f"`{due[0][0]}` depends on how long a case has been there, and the map says nothing of that"
        help_ = "end the line with `keeping time` or `restarting time`"
        problems.add("M006", target.span, message, help=help_)
    return StateMove(name.text, target.text, keeps_time=line.keeps_time is not False, text="")


def _unmapped(name: str, written: Map, old: Machine, new: Machine, problems: Problems) -> None:
    if name not in new.index.states:
        why, target = f"the new version has no state `{name}`", "NEW"
    elif old.index.states[name] != new.index.states[name]:
        why, target = f"`{name}` is not declared alike in both versions", name
    else:
        why, target = f"time in `{name}` does not bring about the same in both versions", name
    help_ = f'write `state {name} to {target} keeping time`, or `state {name} needs person "WHY"`'
    problems.add("M002", written.header.span, f"{why}, and no line says where its cases go", help=help_)


def _states_of(machine: Machine, name: str) -> tuple[str, ...]:
    """Return the state of that name, or those within the composite state of that name."""
    if name in machine.index.states:
        return (name,)
    return tuple(state for state in sorted(machine.index.states) if name in _around(machine, state))


def _around(machine: Machine, state: str) -> list[str]:
    """Return the composite states around a state, the closest first."""
    outer = {composite.name: composite.within for composite in machine.composites}
    found: list[str] = []
    within = machine.index.states[state].within
    while within is not None:
        found.append(within)
        within = outer.get(within)
    return found


def _twice(name: Name, first: Name, problems: Problems) -> None:
    message = f"`{name.text}` stands in two lines"
    problems.add("M005", name.span, message, help="leave one", declared=first.span, declared_label="first here")
