"""The graph of states, kept by the `transitions` library: which transition a candidate's name means from a state.

One graph for each entity that cases are about. The library tries the transitions of an event in the order in which they
were added, which is that of falling priority, and takes the first whose condition holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from transitions import Machine as StateMachine

if TYPE_CHECKING:
    from edca.semantic.checked import CheckedSpec, CheckedTransition

Ask: TypeAlias = "Callable[[CheckedTransition], bool]"


@dataclass(slots=True)
class _Token:
    """What the library moves through a graph: it stands for the case."""

    state: str


class StateGraph:
    """The transitions of one spec, by the entity that their cases are about."""

    def __init__(self, spec: CheckedSpec) -> None:
        """Build a graph for every such entity."""
        self._graphs: dict[str, StateMachine] = {}
        for item in sorted(spec.transitions, key=lambda item: (-(item.priority or 0), item.name)):
            if item.about not in self._graphs:
                states = list(spec.words.states)
                self._graphs[item.about] = StateMachine(
                    model=None, states=states, initial=states[0], auto_transitions=False
                )
            _add(self._graphs[item.about], item)

    def knows(self, entity: str, state: str, offered: str) -> bool:
        """Tell whether any transition of that name leaves the state."""
        graph = self._graphs.get(entity)
        return graph is not None and offered in graph.events and state in graph.events[offered].transitions

    def take(self, entity: str, state: str, offered: str, ask: Ask) -> CheckedTransition | None:
        """Return the first transition of that name from the state for which `ask` is true, or null where none is.

        Raises what `ask` raises.
        """
        taken: list[CheckedTransition] = []

        def asking(item: CheckedTransition) -> bool:
            if ask(item):
                taken.append(item)
            return bool(taken)

        moved = self._graphs[entity].events[offered].trigger(_Token(state), asking)
        return taken[0] if moved else None


def _add(graph: StateMachine, item: CheckedTransition) -> None:
    def holds(asking: Ask) -> bool:
        return asking(item)

    graph.add_transition(item.offered, list(item.sources), item.target, conditions=[holds])
