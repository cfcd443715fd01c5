"""Scenarios: a spec's own examples, run through the very machine it compiles to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.kernel.decide import decide
from edca.kernel.values import Value, to_raw
from edca.kernel.verdict import Accepted, Escalated, Refused, failed
from edca.semantic.explain import for_operator
from edca.semantic.problems import Problems
from edca.semantic.scenario_read import read_scenario
from edca.semantic.scenario_world import candidate_of, case_of, inputs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edca.diagnostics.diagnostic import Diagnostic
    from edca.diagnostics.source import Span
    from edca.kernel.machine import Machine
    from edca.kernel.verdict import Verdict
    from edca.semantic.checked import CheckedSpec
    from edca.semantic.scenario_world import World

OUTCOMES = {Accepted: "accepted", Refused: "refused", Escalated: "escalated"}


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """How a scenario came out, and where it stands.

    `detail` says what came out instead where it did not pass. `named` are the codes that the scenario itself expects
    among the failed clauses.
    """

    title: str
    passed: bool
    detail: tuple[str, ...]
    span: Span
    world: World
    verdict: Verdict
    named: frozenset[str]


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
        read = read_scenario(checked, machine, problems, scenario)
        if read is None:
            continue
        verdict = judge(machine, read.world)
        missed = _missed(machine, scenario.then, verdict, read.expected)
        results.append(
            ScenarioResult(
                title=scenario.title.value,
                passed=missed is None,
                detail=() if missed is None else (missed, *for_operator(machine, verdict)),
                span=scenario.span,
                world=read.world,
                verdict=verdict,
                named=frozenset(code.text for code in scenario.then.codes),
            )
        )
    return tuple(results), tuple(problems.found)


def judge(machine: Machine, world: World) -> Verdict:
    """Return the verdict on what is proposed in the world."""
    candidate = candidate_of(machine, world)
    return decide(machine, case_of(machine, world, candidate), candidate, inputs_of(machine, world))


def _missed(machine: Machine, then: tree.Then, verdict: Verdict, expected: Mapping[str, Value]) -> str | None:
    """Return what is not as the scenario says, or null."""
    outcome = OUTCOMES[type(verdict)]
    codes = {clause.code for clause in failed(verdict)} | {verdict.code}
    if outcome != then.outcome:
        why = "" if isinstance(verdict, Accepted) else f": {', '.join(sorted(codes))}"
        return f"expected {then.outcome}, got {outcome}{why}"
    missing = sorted(code.text for code in then.codes if code.text not in codes)
    if missing:
        return f"expected {', '.join(missing)} among the failed clauses"
    if isinstance(verdict, Accepted):
        if then.target is not None and then.target.text != verdict.target:
            return f"expected to reach {then.target.text}, got {verdict.target}"
        for name, value in expected.items():
            raw = to_raw(machine.index.memory[name].type, value, machine.index.entities)
            if verdict.memory[name] != raw:
                return f"expected {name} = {raw!r}, got {verdict.memory[name]!r}"
    return None
