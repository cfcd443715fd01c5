"""Coverage: which outcomes of which parts of a machine the scenarios of a spec have shown.

Every step of a scenario counts. Scenarios that don't come out as they say show nothing. What is asked for stands in
`coverage_goals`, what a step shows in `coverage_seen`, and what is still needed in `coverage_needs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.semantic.coverage_goals import Goal, Part, goals_of, sorted_goals
from edca.semantic.coverage_seen import shows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edca.kernel.machine import Machine
    from edca.semantic.checked import CheckedSpec
    from edca.semantic.scenario import ScenarioResult

__all__ = ["Coverage", "Goal", "Part", "measure", "shows", "sorted_goals"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Every goal, in the order of `goals_of`, with the title of the first scenario that shows it, or null.

    `excluded` are the outcomes that can't happen.
    """

    shown: Mapping[Goal, str | None]
    excluded: tuple[Goal, ...]

    @property
    def missing(self) -> tuple[Goal, ...]:
        """The goals that no scenario shows."""
        return tuple(goal for goal, title in self.shown.items() if title is None)

    @property
    def shown_count(self) -> int:
        """How many goals some scenario shows."""
        return len(self.shown) - len(self.missing)

    def reaches(self, percent: int) -> bool:
        """Tell whether at least so many of a hundred goals are shown; of no goals, all are."""
        return self.shown_count * 100 >= percent * len(self.shown)

    @property
    def percent(self) -> str:
        """The share with one decimal place, never rounded up: `100.0` means all."""
        tenths = self.shown_count * 1000 // len(self.shown) if self.shown else 1000
        return f"{tenths // 10}.{tenths % 10}"


def measure(checked: CheckedSpec, machine: Machine, results: Iterable[ScenarioResult]) -> Coverage:
    """Return what the scenarios show of the machine."""
    every = goals_of(checked, machine)
    shown: dict[Goal, str | None] = {goal: None for goal, can_be in every.items() if can_be}
    for result in results:
        for step in result.steps if result.passed else ():
            for goal in shows(machine, step):
                if shown.get(goal, "") is None:
                    shown[goal] = result.title
    return Coverage(shown, tuple(goal for goal, can_be in every.items() if not can_be))
