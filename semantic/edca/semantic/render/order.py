"""The order in which a page says things: that of the machine, whatever order an author declared them in.

One digest, one page. States and transitions come in the order in which cases get to them; the rest by name.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeVar

from edca.semantic.analysis.graph import graph_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.semantic.checked import CheckedSpec

T = TypeVar("T")


def in_order(checked: CheckedSpec) -> CheckedSpec:
    """Return the same spec with everything in order that has none of its own; clauses and parameters keep theirs."""
    sorted_ = dataclasses.replace(
        checked,
        words=dataclasses.replace(
            checked.words,
            types=_by_name(checked.words.types),
            roles=_by_name(checked.words.roles),
            entities=_by_name(checked.words.entities),
            claims=_by_name(checked.words.claims),
            effects=_by_name(checked.words.effects),
            states=_by_name(checked.words.states),
        ),
        definitions=_by_name(checked.definitions),
        memory=_by_name(checked.memory),
        transitions=tuple(
            dataclasses.replace(
                item,
                sources=tuple(sorted(item.sources)),
                by=tuple(sorted(item.by)),
                assignments=tuple(sorted(item.assignments, key=lambda pair: pair[0])),
            )
            for item in sorted(checked.transitions, key=lambda item: item.name)
        ),
        queries=tuple(
            dataclasses.replace(item, by=tuple(sorted(item.by)))
            for item in sorted(checked.queries, key=lambda item: item.name)
        ),
        nevers=tuple(sorted(checked.nevers, key=lambda never: never.code)),
        paths=tuple(sorted(checked.paths, key=lambda path: path.property.code)),
    )
    rank = _ranks(sorted_)
    states = sorted(sorted_.words.states, key=lambda name: (rank.get(name, len(rank)), name))
    first = {item.name: min(rank.get(source, len(rank)) for source in item.sources) for item in sorted_.transitions}
    return dataclasses.replace(
        sorted_,
        words=dataclasses.replace(sorted_.words, states={name: sorted_.words.states[name] for name in states}),
        transitions=tuple(sorted(sorted_.transitions, key=lambda item: (first[item.name], item.name))),
    )


def _ranks(spec: CheckedSpec) -> dict[str, int]:
    """Return when cases get to each state, those first that need the fewest transitions."""
    graph = graph_of(spec)
    queue = sorted(graph.begins)
    for place in queue:  # grows while it is gone through
        queue += [target for target in graph.leads.get(place, ()) if target not in queue]
    return {state: place for place, state in enumerate(dict.fromkeys(state for _, state in queue))}


def _by_name(declared: Mapping[str, T]) -> dict[str, T]:
    return {name: declared[name] for name in sorted(declared)}
