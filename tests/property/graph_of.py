"""The graph of a written spec's states, so that properties of paths can be written that hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vocabulary_writer import Plan


class Graph:
    """States and the transitions between them, by offered name."""

    def __init__(
        self,
        states: Sequence[str],
        finals: Sequence[str],
        composites: Mapping[str, tuple[str, ...]],
        plans: Sequence[Plan],
    ) -> None:
        """Take what was planned; the first state is the initial one."""
        self.states, self.finals = list(states), list(finals)
        self.edges = [
            (source, name, target)
            for plan in plans
            for named in plan.sources
            for source in composites.get(named, (named,))
            # Who gets somewhere because a transition failed has not passed it.
            for name, target in [(plan.name, plan.target), *(("", edge) for edge in plan.edges)]
        ]

    def reached(self, start: str, without: str | None = None) -> set[str]:
        """All states that cases get to from `start`, itself included, if nobody proposes `without`."""
        found = {start}
        while True:
            more = {t for s, name, t in self.edges if s in found and name != without} - found
            if not more:
                return found
            found |= more

    def passages(self) -> list[tuple[str, str]]:
        """Every (state, transition) such that no path gets to the state without the transition."""
        first = self.states[0]
        names = list(dict.fromkeys(name for _, name, _ in self.edges if name))
        return [
            (state, name)
            for state in [*self.states[1:], *self.finals]
            for name in names
            if state in self.reached(first) and state not in self.reached(first, name)
        ]

    def ends_from(self, start: str) -> bool:
        """Tell whether an end can be reached from every state that cases get to from `start`."""
        return all(self.reached(state) & set(self.finals) for state in self.reached(start))
