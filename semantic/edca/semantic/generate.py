"""The scenarios that are missing: for every goal that none shows, one that does, derived from those there are.

Each is run as it is written, and only those that come out as they say are handed on. The others are reported, so that
their author can write them, or find that the rule can't fail.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from edca.diagnostics.source import Source
from edca.dsl.parse import parse
from edca.kernel.machine import ClauseKind
from edca.kernel.verdict import Accepted, Escalated, failed
from edca.semantic.coverage import Goal, Part, shows, sorted_goals
from edca.semantic.generate_search import Search, Trial
from edca.semantic.generate_values import first_of
from edca.semantic.scenario import run, scenarios_of
from edca.semantic.scenario_world import DEFAULT_NOW, World
from edca.semantic.scenario_write import WIDTH, UnwritableError, flat, quoted, scenario_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edca.kernel.machine import Machine
    from edca.semantic.checked import CheckedSpec, CheckedTransition
    from edca.semantic.coverage import Coverage
    from edca.semantic.scenario import ScenarioResult

_Place: TypeAlias = "tuple[str, Any, str | None]"  # a part of a world, a key in it, a field of an instance

_BASES_MAX = 3
_DIFFERENCES_MAX = 2
_CONFIDENCE = 9_500  # of 10^4


@dataclass(frozen=True, slots=True)
class GeneratedScenario:
    """A scenario that was written and passed: its title, its text, and which missing goals it shows."""

    title: str
    text: str
    goals: tuple[Goal, ...]


@dataclass(frozen=True, slots=True)
class Generated:
    """The scenarios that were found, in the order of transitions and clauses, and the goals for which none was."""

    scenarios: tuple[GeneratedScenario, ...]
    unreached: tuple[Goal, ...]


def file_header(machine: Machine) -> str:
    """Return how a file begins that holds nothing but scenarios of the machine."""
    return f"edca {machine.language}\n\nmachine {machine.name} version {quoted(machine.version)}\n"


def generate(
    checked: CheckedSpec, machine: Machine, results: Sequence[ScenarioResult], coverage: Coverage
) -> Generated:
    """Return scenarios for what `coverage` finds missing. Equal specs and scenarios give equal bytes."""
    writer = _Writer(checked, machine, coverage, {result.title for result in results})
    for transition in checked.transitions:
        passing = [result for result in results if result.passed and result.world.transition == transition.name]
        accepted = [result.world for result in passing if isinstance(result.verdict, Accepted)]
        writer.write(transition, accepted[:_BASES_MAX])
    return Generated(tuple(writer.found), tuple(goal for goal in coverage.missing if goal not in writer.shown))


class _Writer:
    """Writes scenarios, transition by transition, and keeps what they show."""

    def __init__(self, checked: CheckedSpec, machine: Machine, coverage: Coverage, titles: set[str]) -> None:
        self._checked = checked
        self._machine = machine
        self._missing = coverage.missing
        self._titles = titles
        self.shown: set[Goal] = set()
        self._settled: set[Goal] = set()  # shown where no other clause fails, or looked for in vain
        self.found: list[GeneratedScenario] = []

    def _open(self, transition: CheckedTransition) -> Iterator[Goal]:
        """Yield the transition's goals as long as nothing shows them on their own."""
        for goal in self._missing:
            if goal.transition == transition.name and goal not in self._settled:
                yield goal

    def write(self, transition: CheckedTransition, accepted: list[World]) -> None:
        """Write what is missing of one transition, starting from worlds in which it is accepted."""
        if next(self._open(transition), None) is None:
            return
        search = Search(self._checked, self._machine, transition)
        goal = Goal(transition.name, "", Part.VERDICT, "accepted")
        made = search.settle(search.try_out(search.complete(self._first_world(transition))), goal)
        if not accepted:
            accepted = [made.world]
            if isinstance(made.verdict, Accepted):
                self._keep(search, made, goal, made.world)
        self._keep(search, search.try_out(_knowing_nothing(accepted[0])), None, accepted[0])
        for goal in self._open(transition):
            found = search.reach(goal, tuple(accepted)) if goal.code else self._refused(search, goal, accepted[0])
            if found is None and goal.code and made.world not in accepted:
                # The made-up world reads worse, but its names fit together as those given need not.
                found = search.reach(goal, (made.world,))
            if found is not None:
                self._keep(search, found, goal, accepted[0])
            self._settled.add(goal)

    def _first_world(self, transition: CheckedTransition) -> World:
        """Return a world of ordinary values, in which everything is known that is not a fact."""
        machine, entities = self._machine, self._machine.index.entities
        # Not who answers, where there is a choice: then the mandate is tried as well.
        roles = [role for role in transition.by if role != transition.answers] or transition.by
        return World(
            role=roles[0],
            transition=transition.name,
            arguments={p.name: first_of(p.type, p.name, entities) for p in transition.parameters},
            confidence=_CONFIDENCE,
            state=transition.sources[0],
            now=DEFAULT_NOW,
            subject="somebody",
            memory={},
            facts={},
            claims={claim.name: first_of(claim.type, claim.name, entities) for claim in machine.claims},
            answers={clause.code: True for clause in transition.clauses if clause.kind is ClauseKind.CONFIRM},
        )

    def _refused(self, search: Search, goal: Goal, base: World) -> Trial | None:
        """Return a world that is refused though no clause fails: a role proposes that may not."""
        transition = self._machine.index.transitions[base.transition]
        for role in self._machine.roles:
            if goal.outcome == "refused" and role.name not in transition.by:
                return search.try_out(dataclasses.replace(base, role=role.name))
        return None

    def _keep(self, search: Search, trial: Trial, goal: Goal | None, base: World) -> None:
        """Write a scenario of the trial, run what was written, and keep it if it shows something that is missing."""
        told, trial = trial.world, _pruned(search, trial)
        title = self._title(trial, goal)
        try:
            comment = _differences(self._machine, base, told)
            text = scenario_text(self._machine, title, comment, trial.world, trial.verdict)
        except UnwritableError:
            return
        parsed = parse(Source("generated", f"{file_header(self._machine)}\n{text}"))
        if parsed.spec is None or parsed.diagnostics:
            return
        results, wrong = run(scenarios_of(parsed.spec), self._checked, self._machine)
        if wrong or not all(result.passed for result in results):
            return
        showing = {
            shown
            for result in results
            for shown in shows(self._machine, result.world, result.verdict, result.named)
            if shown in self._missing
        }
        alone = goal is None or len(failed(trial.verdict)) <= 1
        new = showing - (self._settled if alone else self.shown)
        if new:
            self._titles.add(title)
            self.shown |= new
            self._settled |= new if alone else set()
            self.found.append(GeneratedScenario(title, text, tuple(sorted_goals(new))))

    def _title(self, trial: Trial, goal: Goal | None) -> str:
        codes = [clause.code for clause in failed(trial.verdict)] or [trial.verdict.code]
        match trial.verdict:
            case Accepted():
                title = f"{trial.world.transition} is accepted"
            case _ if goal is None:
                title = f"{trial.world.transition}: nothing is known"
            case Escalated():
                title = f"{trial.world.transition} waits for a person: {', '.join(codes)}"
            case _:
                title = f"{trial.world.transition} is refused: {', '.join(codes)}"
        title = title if goal is None or goal.outcome != "unknown" else f"{title} (unknown)"
        number, unique = 1, title
        while unique in self._titles:
            number += 1
            unique = f"{title}, {number}"
        return unique


def _knowing_nothing(world: World) -> World:
    """Return the world without facts, claims, answers, subject and confidence."""
    return dataclasses.replace(world, facts={}, claims={}, answers={}, subject=None, confidence=None)


def _differences(machine: Machine, base: World, world: World) -> str:
    """Return in words what sets the world apart from the accepted one, empty if that is much or nothing."""
    was, is_ = flat(machine, base), flat(machine, world)
    words = [f"{name} = {text}" for name, text in is_.items() if was.get(name) != text]
    words += [f"without {name}" for name in was if name not in is_]
    told = f"As accepted, but {', '.join(words)}."
    return told if 0 < len(words) <= _DIFFERENCES_MAX and len(told) < WIDTH else ""


def _pruned(search: Search, trial: Trial) -> Trial:
    """Return the trial without the givens that make no difference to it."""
    for place in _given(trial.world):
        other = search.try_out(_without(trial.world, place))
        if _same(other, trial):
            trial = other
    return trial


def _same(one: Trial, other: Trial) -> bool:
    """Tell whether two trials show the same, and a scenario would say the same of them."""
    told = [
        (type(trial.verdict), trial.verdict.code, trial.verdict.memory if isinstance(trial.verdict, Accepted) else {})
        for trial in (one, other)
    ]
    return one.seen == other.seen and told[0] == told[1]


def _given(world: World) -> list[_Place]:
    """Return what need not be given, by its place: whole instances before their fields, so that few steps drop much."""
    places: list[_Place] = [(name, None, None) for name in ("subject", "confidence")]
    places += [("memory", name, None) for name in world.memory]
    places += [("claims", name, None) for name in world.claims]
    places += [("answers", code, None) for code in world.answers]
    places += [("facts", handle, None) for handle in world.facts]
    return places + [("facts", handle, field) for handle, fields in world.facts.items() for field in fields]


def _without(world: World, place: _Place) -> World:
    part, key, field = place
    changed: dict[str, Any] = {part: None}
    if key is not None:
        given: Mapping[Any, Any] = getattr(world, part)
        changed[part] = {name: value for name, value in given.items() if name != key}
        if field is not None and key in given:
            left = {name: value for name, value in given[key].items() if name != field}
            changed[part] = {**given, key: left}
    return dataclasses.replace(world, **changed)
