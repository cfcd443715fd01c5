"""Scenarios: a spec's own examples, run through the very machine it compiles to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.semantic.problems import Problems
from edca.semantic.scenario_play import Play
from edca.semantic.scenario_read import read_scenario
from edca.semantic.scenario_tell import missed, told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edca.diagnostics.diagnostic import Diagnostic
    from edca.diagnostics.source import Span
    from edca.kernel.machine import Machine
    from edca.semantic.checked import CheckedSpec
    from edca.semantic.scenario_play import Decision, Looked, Outcome
    from edca.semantic.scenario_read import ReadStep


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step came to: a decision, what became of an effect, or what a query gave.

    `named` are the codes that the step itself expects among the failed clauses.
    """

    decision: Decision | None
    outcome: Outcome | None
    named: frozenset[str]
    looked: Looked | None = None


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """How a scenario came out, and where it stands.

    `steps` are those that were taken: all, or those up to the one that did not come out as it says. Then `detail` says
    what came out instead, and `place` is where that step stands.
    """

    title: str
    passed: bool
    detail: tuple[str, ...]
    span: Span
    place: Span
    steps: tuple[StepResult, ...]

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The decisions of the steps taken, in order."""
        return tuple(step.decision for step in self.steps if step.decision is not None)

    @property
    def made(self) -> tuple[Decision | Looked, ...]:
        """What was decided and what was looked up in the steps taken, in order."""
        return tuple(made for step in self.steps if (made := step.decision or step.looked) is not None)


def scenarios_of(spec: tree.Spec, containing: str = "") -> tuple[tree.ScenarioDeclaration, ...]:
    """Return a spec's scenarios in written order: those whose title has `containing` in it, whatever the case."""
    return tuple(
        declaration
        for declaration in spec.declarations
        if isinstance(declaration, tree.ScenarioDeclaration)
        and containing.casefold() in declaration.title.value.casefold()
    )


def run_scenarios(
    spec: tree.Spec, checked: CheckedSpec, machine: Machine
) -> tuple[tuple[ScenarioResult, ...], tuple[Diagnostic, ...]]:
    """Run every scenario of a spec that compiled. What is wrong in a scenario itself comes back as diagnostics."""
    return run(scenarios_of(spec), checked, machine)


def run(
    scenarios: Iterable[tree.ScenarioDeclaration], checked: CheckedSpec, machine: Machine
) -> tuple[tuple[ScenarioResult, ...], tuple[Diagnostic, ...]]:
    """Run these scenarios; those that are wrong in themselves have diagnostics instead of a result."""
    problems = Problems()
    results: list[ScenarioResult] = []
    for scenario in scenarios:
        steps = read_scenario(checked, machine, problems, scenario)
        if steps is not None:
            results.append(_result(machine, scenario, steps))
    return tuple(results), tuple(problems.found)


def _result(machine: Machine, scenario: tree.ScenarioDeclaration, steps: tuple[ReadStep, ...]) -> ScenarioResult:
    """Play the scenario up to the first step that does not come out as it says: what follows rests on it."""
    play = Play(machine)
    taken: list[StepResult] = []
    for number, step in enumerate(steps, start=1):
        played = play.step(step)
        named = frozenset(code.text for code in step.then.codes)
        taken.append(StepResult(played.decision, played.outcome, named, played.looked))
        wrong = missed(machine, step, played)
        if wrong is not None:
            where = f"step {number} of {len(steps)}: " if len(steps) > 1 else ""
            detail = (f"{where}{wrong}", *told(machine, step, played))
            place = scenario.span if len(steps) == 1 else step.span
            return ScenarioResult(scenario.title.value, False, detail, scenario.span, place, tuple(taken))
    return ScenarioResult(scenario.title.value, True, (), scenario.span, scenario.span, tuple(taken))
