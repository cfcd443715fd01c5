"""How states hang together: where cases can get, and from where they can never end.

A case is about one entity for life, so a place is a pair of entity and state. Every transition counts, whatever its
clauses say: what is unreachable here is unreachable for certain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.diagnostics.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edca.semantic.checked import CheckedSpec
    from edca.semantic.problems import Problems

Place = tuple[str, str]  # entity, state


@dataclass(frozen=True, slots=True)
class Graph:
    """The places of a machine's cases: where they begin and end, and where each place leads, all in declared order."""

    begins: tuple[Place, ...]
    ends: frozenset[Place]
    leads: Mapping[Place, tuple[Place, ...]]


def graph_of(spec: CheckedSpec) -> Graph:
    """Return the graph of a checked spec."""
    states = spec.words.states
    leads: dict[Place, dict[Place, None]] = {}
    for item in spec.transitions:
        for source in item.sources:
            targets = [target for target in (item.target, item.on_failed) if target is not None]
            leads.setdefault((item.about, source), {}).update(((item.about, target), None) for target in targets)
    entities = dict.fromkeys(item.about for item in spec.transitions)
    return Graph(
        begins=tuple((s.initial_about, s.name) for s in states.values() if s.initial_about is not None),
        ends=frozenset((entity, state.name) for state in states.values() if state.final for entity in entities),
        leads={place: tuple(targets) for place, targets in leads.items()},
    )


def reached(graph: Graph) -> dict[Place, None]:
    """Return every place a case can get to, in the order of finding."""
    return _spread(graph.begins, graph.leads)


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
    free = _spread(ends, back)
    return {place: None for place in found if place not in free}


def traps(graph: Graph) -> list[tuple[Place, ...]]:
    """Return the smallest groups of places that a case can get into and never leave, without an end in them."""
    inside = trapped(graph)
    leads = {place: [t for t in graph.leads.get(place, ()) if t in inside] for place in inside}
    found = []
    for group in _components(leads):
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
            f"a case in {_alternatives(names)} can never end",
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
            f"no case about `{item.about}` is ever in {_alternatives(list(item.sources))}",
            label="can never be proposed",
            help="say which entity it is about, or from which state it starts",
            severity=Severity.WARNING,
        )


def _spread(starts: Iterable[Place], leads: Mapping[Place, Iterable[Place]]) -> dict[Place, None]:
    found = dict.fromkeys(starts)
    pending = list(found)
    while pending:
        for target in leads.get(pending.pop(), ()):
            if target not in found:
                found[target] = None
                pending.append(target)
    return found


def _components(leads: Mapping[Place, list[Place]]) -> list[list[Place]]:
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


def _alternatives(names: list[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
