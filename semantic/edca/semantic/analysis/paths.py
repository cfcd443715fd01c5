"""Properties that the graph of states decides: `never … reaching … without`, and `always … leads to`.

Both are proved for every run of every case, whatever is proposed and whatever the facts are, or they are errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, assert_never

from edca.kernel.machine import LeadsTo, NeverReached
from edca.semantic.analysis.forced import Exits
from edca.semantic.analysis.graph import Ending, alternatives, components, graph_of, reached, spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edca.diagnostics.source import Span
    from edca.semantic.analysis.graph import Graph, Passage, Place
    from edca.semantic.analysis.possible import Reach
    from edca.semantic.checked import CheckedSpec
    from edca.semantic.problems import Problems

# Of each place that was got to, the place before it and the way from there; null for a start.
Arrivals: TypeAlias = "dict[Place, tuple[Place, Passage] | None]"
_ENDINGS = {Ending.DONE: "", Ending.FAILED: " failing", Ending.TIMED_OUT: " timing out"}


def check(spec: CheckedSpec, reach: Reach, problems: Problems) -> None:
    """Report the properties that some run of a case breaks, and how it does."""
    if not spec.paths:
        return
    graph = graph_of(spec)
    exits = Exits(spec, reach)
    for path in spec.paths:
        match path.property:
            case NeverReached():
                _never_reached(graph, path.property, path.span, problems)
            case LeadsTo():
                _leads_to(spec, graph, exits, path.property, path.span, problems)
            case _:
                assert_never(path.property)


# --- never … reaching … without ---


def _never_reached(graph: Graph, stated: NeverReached, span: Span, problems: Problems) -> None:
    # A transition that failed or timed out did not come about: its ways out don't count as passing it.
    without = {
        place: [way for way in ways if way.ending is not Ending.DONE or way.by.offered not in stated.without]
        for place, ways in graph.ways.items()
    }
    arrived = arrivals(graph.begins, without)
    for target in stated.targets:
        found = next((place for place in arrived if place[1] == target), None)
        if found is None:
            continue
        start, steps = path_to(found, arrived)
        missing = alternatives(stated.without)
        if not steps:
            message = f"cases begin in `{target}`, before any {missing}"
            help_ = "a property of paths can't hold where they begin: name another state"
        else:
            message = f"`{target}` can be reached without {missing}: `{_drawn(start, steps)}`"
            ways = ", then ".join(f"`{step.by.name}`{_ENDINGS[step.ending]}" for step in steps)
            help_ = f"the way is {ways}: close it, or name what else may lead to `{target}`"
        problems.add("C040", span, message, help=help_)


def arrivals(starts: Iterable[Place], ways: Mapping[Place, Iterable[Passage]]) -> Arrivals:
    """Return every place that can be got to, nearest first, with the last step of a shortest path to it."""
    arrived: Arrivals = dict.fromkeys(starts)
    queue = list(arrived)
    for place in queue:  # grows while it is gone through
        for way in ways.get(place, ()):
            if way.target not in arrived:
                arrived[way.target] = (place, way)
                queue.append(way.target)
    return arrived


def path_to(place: Place, arrived: Arrivals) -> tuple[Place, tuple[Passage, ...]]:
    """Return the start and the steps of the path by which the place was found."""
    steps: list[Passage] = []
    while (last := arrived[place]) is not None:
        place, way = last
        steps.append(way)
    return place, tuple(reversed(steps))


def _drawn(start: Place, steps: Iterable[Passage]) -> str:
    return " → ".join((start[1], *(step.target[1] for step in steps)))


# --- always … leads to ---


def _leads_to(spec: CheckedSpec, graph: Graph, exits: Exits, stated: LeadsTo, span: Span, problems: Problems) -> None:
    inside = {place: ways for place, ways in graph.ways.items() if place[1] not in stated.targets}
    leads = {place: [way.target for way in ways] for place, ways in inside.items()}
    starts = [place for place in reached(graph) if place[1] in stated.sources]
    region = [place for place in spread(starts, leads) if place[1] not in stated.targets]
    targets = alternatives(stated.targets)
    if stated.assuming is not None:
        _can_get_there(region, leads, stated, span, problems)
        return
    for place in region:
        state = place[1]
        if spec.words.states[state].final:
            message = f"a case can end in `{state}`, and not in {targets}"
            help_ = f"add `{state}` to the states it leads to, or close the way there"
        elif (holding := exits.holding(place)) is not None:
            name, effect = holding
            message = f"a case can be held in `{state}` until a person looks: `{name}` can't undo `{effect}`"
            help_ = f'give `{effect}` an `undo`, or say what you count on: `assuming "A person looks at what is held."`'
        elif exits.forced(place):
            continue
        else:
            message = f"a case can stay in `{state}` for ever: nothing forces it on to {targets}"
            help_ = exits.advice(place)
        problems.add("C041", span, message, help=help_)
        return
    round_ = _round(region, inside)
    if round_:
        drawn = " → ".join((round_[0][1], *(place[1] for place in round_[1:]), round_[0][1]))
        help_ = 'break the round, or say what keeps cases from going on for ever: `assuming "…"`'
        problems.add("C041", span, f"a case can go round for ever and never get to {targets}: `{drawn}`", help=help_)


def _can_get_there(
    region: list[Place], leads: Mapping[Place, list[Place]], stated: LeadsTo, span: Span, problems: Problems
) -> None:
    """Report the first place from which no path leads to a target, whatever is assumed."""
    back: dict[Place, list[Place]] = {}
    for place in region:
        for target in leads.get(place, ()):
            back.setdefault(target, []).append(place)
    hopeful = spread([place for place in back if place[1] in stated.targets], back)
    for place in region:
        if place not in hopeful:
            message = f"a case in `{place[1]}` can never get to {alternatives(stated.targets)}"
            help_ = "no assumption mends that: add a way there, or add the state to those it leads to"
            problems.add("C041", span, message, help=help_)
            return


def _round(region: list[Place], ways: Mapping[Place, Iterable[Passage]]) -> list[Place]:
    """Return the places of a shortest round through several of these places, or none."""
    among = set(region)
    leads = {place: [w.target for w in ways.get(place, ()) if w.target in among] for place in region}
    groups = [set(group) for group in components(leads) if len(group) > 1]
    for first in region:
        group = next((group for group in groups if first in group), None)
        if group is None:
            continue
        inner = {p: [w for w in ways.get(p, ()) if w.target in group and w.target != p] for p in group}
        start, steps = path_to(first, arrivals([way.target for way in inner[first]], inner))
        return [first, start, *(step.target for step in steps[:-1])]
    return []
