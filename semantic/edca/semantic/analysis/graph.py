"""How states hang together: where cases can get, and from where they can never end.

A case is about one entity for life, so a place is a pair of entity and state. Every transition counts, whatever its
guard and clauses say, and so does every way that it can end: done, failed, timed out. So what is unreachable here is
unreachable for certain.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.diagnostics.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edca.semantic.checked import CheckedSpec, CheckedTransition
    from edca.semantic.problems import Problems

Place = tuple[str, str]  # entity, state


class Ending(enum.Enum):
    """How a transition that was accepted ended."""

    DONE = "done"
    FAILED = "failed"  # an effect did not happen
    TIMED_OUT = "timed out"  # nobody can tell


@dataclass(frozen=True, slots=True)
class Passage:
    """One way from a place to another."""

    target: Place
    by: CheckedTransition
    ending: Ending


@dataclass(frozen=True, slots=True)
class Graph:
    """The places of a machine's cases: where they begin and end, and the ways out of each, all in declared order."""

    begins: tuple[Place, ...]
    ends: frozenset[Place]
    ways: Mapping[Place, tuple[Passage, ...]]
    leads: Mapping[Place, tuple[Place, ...]]  # the targets of `ways`, each once


def graph_of(spec: CheckedSpec) -> Graph:
    """Return the graph of a checked spec."""
    states = spec.words.states
    ways: dict[Place, list[Passage]] = {}
    for item in spec.transitions:
        for source in item.sources:
            ways.setdefault((item.about, source), []).extend(_passages(item))
    entities = dict.fromkeys(item.about for item in spec.transitions)
    return Graph(
        begins=tuple((s.initial_about, s.name) for s in states.values() if s.initial_about is not None),
        ends=frozenset((entity, state.name) for state in states.values() if state.final for entity in entities),
        ways={place: tuple(found) for place, found in ways.items()},
        leads={place: tuple(dict.fromkeys(one.target for one in found)) for place, found in ways.items()},
    )


def _passages(item: CheckedTransition) -> list[Passage]:
    """Return the ways that a transition can end. An effect that is undone leaves the case where it was."""
    found = [Passage((item.about, item.target), item, Ending.DONE)]
    if item.acts and item.on_failed is not None:
        found.append(Passage((item.about, item.on_failed.target), item, Ending.FAILED))
    if item.acts and item.on_timeout is not None:
        found.append(Passage((item.about, item.on_timeout.target), item, Ending.TIMED_OUT))
    return found


def reached(graph: Graph) -> dict[Place, None]:
    """Return every place a case can get to, in the order of finding."""
    return spread(graph.begins, graph.leads)


def trapped(graph: Graph) -> dict[Place, None]:
    """Return the places a case can get to and never end from.

    A place without a way out counts as an end: that it isn't final is a finding of its own (C016).
    """
    back: dict[Place, list[Place]] = {}
    found = reached(graph)
    for place in found:
        for target in graph.leads.get(place, ()):
            back.setdefault(target, []).append(place)
    ends = [place for place in found if place in graph.ends or not graph.leads.get(place)]
    free = spread(ends, back)
    return {place: None for place in found if place not in free}


def traps(graph: Graph) -> list[tuple[Place, ...]]:
    """Return the smallest groups of places that a case can get into and never leave, without an end in them."""
    inside = trapped(graph)
    leads = {place: [t for t in graph.leads.get(place, ()) if t in inside] for place in inside}
    found = []
    for group in components(leads):
        members = set(group)
        if all(target in members for place in group for target in leads[place]):
            found.append(tuple(place for place in inside if place in members))
    return found


def check(spec: CheckedSpec, problems: Problems) -> None:
    """Report states from which a case can never end, and transitions that no case can ever take."""
    graph = graph_of(spec)
    for group in traps(graph):
        if len(group) == 1 and group[0] in graph.begins:
            continue  # a case that stays where it began is a standing service, and not meant to end
        names = [state for _, state in group]
        problems.add(
            "C018",
            spec.words.spans[names[0]],
            f"a case in {alternatives(names)} can never end",
            help="add a way from there to a `final` state",
            severity=Severity.WARNING,
        )
    found = reached(graph)
    somewhere = {state for _, state in found}
    for item in spec.transitions:
        # Where its states can't be reached at all, that is a finding already (C002).
        if any((item.about, source) in found or source not in somewhere for source in item.sources):
            continue
        problems.add(
            "C023",
            item.span,
            f"no case about `{item.about}` is ever in {alternatives(list(item.sources))}",
            label="can never be proposed",
            help="say which entity it is about, or from which state it starts",
            severity=Severity.WARNING,
        )


def spread(starts: Iterable[Place], leads: Mapping[Place, Iterable[Place]]) -> dict[Place, None]:
    """Return every place that can be got to from the starts, them included, in the order of finding."""
    found = dict.fromkeys(starts)
    pending = list(found)
    while pending:
        for target in leads.get(pending.pop(), ()):
            if target not in found:
                found[target] = None
                pending.append(target)
    return found


def components(leads: Mapping[Place, list[Place]]) -> list[list[Place]]:
    """Return the strongly connected components (S. R. Kosaraju's two passes, without recursion)."""
    order: list[Place] = []
    seen: set[Place] = set()
    for start in leads:
        pending = [(start, False)]
        while pending:
            place, left = pending.pop()
            if left:
                order.append(place)
            elif place not in seen:
                seen.add(place)
                pending.append((place, True))
                pending += [(target, False) for target in leads[place]]
    back: dict[Place, list[Place]] = {place: [] for place in leads}
    for place, targets in leads.items():
        for target in targets:
            back[target].append(place)
    components: list[list[Place]] = []
    placed: set[Place] = set()
    for place in reversed(order):
        if place in placed:
            continue
        placed.add(place)
        component = [place]
        for member in component:  # grows while it is gone through
            more = [source for source in back[member] if source not in placed]
            placed.update(more)
            component += dict.fromkeys(more)
        components.append(component)
    return components


def alternatives(names: Iterable[str], word: str = "or") -> str:
    """Return names in backticks, joined for a sentence: `a`, `b` or `c`."""
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {word} {quoted[-1]}"
