"""The scenarios that are missing: for every goal that none shows, one that does, derived from those there are.

Each is run as it is written, and only those that come out as they say are handed on. The goals that none shows are
reported, so that their author can write them, or find that the rule can't fail.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.diagnostics.source import Source
from edca.dsl.format import format_source
from edca.dsl.parse import parse
from edca.kernel.inquiry import Returned
from edca.kernel.verdict import Accepted, Escalated
from edca.semantic.checked import CheckedQuery
from edca.semantic.coverage import Goal, Part, shows, sorted_goals
from edca.semantic.coverage_seen import shown_by
from edca.semantic.generate_base import Pruning, base_of, first_world, knowing_nothing
from edca.semantic.generate_search import Search, Trial
from edca.semantic.scenario import run, scenarios_of
from edca.semantic.scenario_world import holder
from edca.semantic.scenario_write import WIDTH, UnwritableError, codes_of, flat, quoted, scenario_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edca.kernel.machine import Machine
    from edca.semantic.checked import CheckedSpec, CheckedTransition
    from edca.semantic.coverage import Coverage
    from edca.semantic.scenario import ScenarioResult
    from edca.semantic.scenario_play import Decision, Looked
    from edca.semantic.scenario_world import World

_BASES_MAX = 3
_DIFFERENCES_MAX = 2
_TRIED_MAX = 4  # in how many transitions a way to violate a property is looked for


@dataclass(frozen=True, slots=True)
class GeneratedScenario:
    """A scenario that was written and passed: its title, its text, and which missing goals it shows."""

    title: str
    text: str
    goals: tuple[Goal, ...]


@dataclass(frozen=True, slots=True)
class Generated:
    """The scenarios that were found, in the order of `goals_of`, and the goals for which none was."""

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
    accepted: dict[str, list[World]] = {}
    for result in results:
        for made in result.made if result.passed else ():
            known = accepted.setdefault(_name_of(made), [])
            base = base_of(machine, made) if len(known) < _BASES_MAX else None
            known += [] if base is None else [base]
    for transition in checked.transitions:
        writer.write(transition, accepted.get(transition.name, []))
    for query in checked.queries:
        writer.write(query, accepted.get(query.name, []))
    writer.write_modes()
    scenarios = _verified(checked, machine, writer.found, frozenset(coverage.missing))
    shown = {goal for scenario in scenarios for goal in scenario.goals}
    return Generated(scenarios, tuple(goal for goal in coverage.missing if goal not in shown))


def _verified(
    checked: CheckedSpec, machine: Machine, written: Sequence[str], missing: frozenset[Goal]
) -> tuple[GeneratedScenario, ...]:
    """Lay the scenarios out, run what is written, and return those that pass, each with the missing goals it shows."""
    formatted = format_source(Source("generated", "\n".join((file_header(machine), *written))))
    if formatted.text is None:
        if len(written) <= 1:
            return ()
        # One that can't be read must not cost the others.
        return tuple(one for text in written for one in _verified(checked, machine, [text], missing))
    spec = parse(Source("generated", formatted.text)).spec
    results, _ = run(() if spec is None else scenarios_of(spec), checked, machine)
    found: list[GeneratedScenario] = []
    for result in results:
        goals = {goal for step in result.steps for goal in shows(machine, step)} & missing
        if result.passed and goals:
            found.append(GeneratedScenario(result.title, f"{result.span.text}\n", tuple(sorted_goals(goals))))
    return tuple(found)


class _Writer:
    """Writes scenarios, one transition or query after the other, and keeps what they show."""

    def __init__(self, checked: CheckedSpec, machine: Machine, coverage: Coverage, titles: set[str]) -> None:
        self._checked = checked
        self._machine = machine
        self._missing = coverage.missing
        self._wanted = frozenset(coverage.missing)
        self._titles = titles
        self._shown: set[Goal] = set()
        self._alone: set[Goal] = set()  # shown where nothing else fails
        self._vain: set[Goal] = set()  # looked for on its own, without success
        self._accepted: list[tuple[Search, Trial]] = []  # one a transition, as far as there is one
        self._prunings: dict[int, Pruning] = {}  # by the identity of the search, which each of them keeps alive
        self._tried: dict[Goal, int] = {}  # of a property: in how many transitions it was looked for
        self.found: list[str] = []

    def _open(self, item: CheckedTransition | CheckedQuery, search: Search) -> Iterator[Goal]:
        """Yield the goals that the transition or query can show, as long as nothing shows them on their own."""
        for goal in self._missing:
            own = goal.of == item.name or (
                goal.part is Part.PROPERTY and any(name.endswith(f" {goal.code}") for name in search.subjects)
            )
            if own and goal not in self._alone and goal not in self._vain:
                yield goal

    def write(self, item: CheckedTransition | CheckedQuery, accepted: list[World]) -> None:
        """Write what is missing of a transition or query, starting from worlds in which it is accepted or answered."""
        is_query = isinstance(item, CheckedQuery)
        # Modes and properties show in what transitions do.
        if not any(goal.of == item.name or (goal.of == "" and not is_query) for goal in self._missing):
            return
        search = Search(self._checked, self._machine, item)
        if is_query:
            goal = Goal("", "", Part.VERDICT, "returned", item.name)
        else:
            goal = Goal(item.name, "", Part.VERDICT, "accepted")
        made = None
        if accepted:
            base = accepted[0]
        else:
            made = search.first(first_world(self._machine, item, search), goal)
            base = made.world
            if made.passed:
                self._keep(search, made, goal, base)
        first = search.try_out(base)
        if isinstance(first.verdict, Accepted):
            self._accepted.append((search, first))
        if next(self._open(item, search), None) is None:
            return
        self._keep(search, search.try_out(knowing_nothing(base)), None, base)
        for goal in self._open(item, search):
            found = self._look(search, goal, tuple(accepted) or (base,))
            if found is None and goal.code and accepted:
                # The made-up world reads worse, but its names fit together as those given need not.
                made = made or search.first(first_world(self._machine, item, search), goal)
                found = search.reach(goal, (made.world,))
            if found is not None:
                self._keep(search, found, goal, base)
            self._tried[goal] = self._tried.get(goal, 0) + 1
            if goal.part is not Part.PROPERTY or self._tried[goal] == _TRIED_MAX:
                self._vain.add(goal)

    def _look(self, search: Search, goal: Goal, bases: tuple[World, ...]) -> Trial | None:
        match goal.part:
            case Part.VERDICT:
                return self._refused(search, goal, bases[0])
            case Part.AFTER:
                return search.try_out(dataclasses.replace(bases[0], entered=None))
            case Part.EDGE:
                self._keep_edge(search, goal, bases[0])
                return None
            case Part.WAIVER:
                self._keep_waiver(search, goal, bases)
                return None
            case _:
                return search.reach(goal, bases)

    def _refused(self, search: Search, goal: Goal, base: World) -> Trial | None:
        """Return a world that is refused though no clause fails: a role proposes that may not."""
        for role in self._machine.roles:
            if goal.outcome == "refused" and role.name not in search.lowered.by:
                other = dataclasses.replace(base, role=role.name, principal=f"the {role.name}")
                trial = search.try_out(other)
                if goal in trial.seen:
                    return trial
        return None

    def write_modes(self) -> None:
        """Write what is missing of the modes: a candidate that each lets through, and one that it holds up."""
        for goal in self._missing:
            if goal.part is not Part.MODE:
                continue
            allowed = self._machine.index.modes[goal.code].allow
            for search, trial in self._accepted:
                if (trial.world.transition in allowed) is (goal.outcome == "allowed") and goal not in self._shown:
                    other = search.try_out(dataclasses.replace(trial.world, mode=goal.code))
                    if goal in other.seen:
                        self._keep(search, other, goal, trial.world)

    def _pruning(self, search: Search) -> Pruning:
        return self._prunings.setdefault(id(search), Pruning(search))

    def _keep(self, search: Search, trial: Trial, goal: Goal | None, base: World) -> None:
        """Write a scenario of the trial if it shows something that is missing."""
        named = frozenset(codes_of(trial.made))
        showing = shown_by(self._machine, trial.made, named) & self._wanted
        alone = goal is None or len(trial.failed) <= 1
        if not showing - (self._alone if alone else self._shown):
            return
        told, trial = trial.world, self._pruning(search).pruned(trial)
        title = self._title(trial, goal)
        try:
            comment = "" if goal is None else _differences(self._machine, base, told)
            text = scenario_text(self._machine, title, comment, trial.made)
        except UnwritableError:
            return
        self._titles.add(title)
        self._shown |= showing
        self._alone |= showing if alone else set()
        self.found.append(text)

    def _keep_edge(self, search: Search, goal: Goal, base: World) -> None:
        """Write a scenario of two steps: the transition is accepted, and its first effect fails or times out."""
        trial = search.try_out(base)
        transition = self._machine.index.transitions[goal.transition]
        failing = goal.outcome == "failed"
        edge = transition.on_failed if failing else transition.on_timeout
        if edge is None or not isinstance(trial.verdict, Accepted) or trial.verdict.transition != goal.transition:
            return
        trial = self._pruning(search).pruned(trial)
        effect = transition.acts[0].call.effect
        more = [f"  when {effect} {'fails' if failing else 'times out'}", f"  then in {edge.target}"]
        title = self._unique(f"{goal.transition}: {effect} {'fails' if failing else 'times out'}")
        self._keep_steps(goal, title, trial, more)

    def _keep_waiver(self, search: Search, goal: Goal, bases: tuple[World, ...]) -> None:
        """Write a scenario of two steps: the clause escalates the transition, and somebody else waives it."""
        failing = (Goal(goal.transition, goal.code, Part.CONDITION, outcome) for outcome in ("false", "unknown"))
        trial = next((found for one in failing if (found := search.reach(one, bases)) is not None), None)
        if trial is None or not isinstance(trial.verdict, Escalated):
            return
        trial = self._pruning(search).pruned(trial)
        transition = self._machine.index.transitions[goal.transition]
        role = next(clause.role for clause in transition.clauses if clause.code == goal.code) or ""
        who = f"{role} {quoted(f'another {role}')}" if trial.world.principal == holder(role) else role
        rest = [code for code in codes_of(trial.made) if code != goal.code]
        then = f"escalated needs {', '.join(rest)}" if rest else f"accepted to {transition.target}"
        more = [f"  when {who} waives {goal.code}", f"  then {then}"]
        self._keep_steps(goal, self._unique(f"{goal.transition}: {goal.code} is waived"), trial, more)

    def _keep_steps(self, goal: Goal, title: str, trial: Trial, more: Sequence[str]) -> None:
        """Write a scenario of the trial with further steps, which show the goal."""
        try:
            text = scenario_text(self._machine, title, "", trial.made, more)
        except UnwritableError:
            return
        self._titles.add(title)
        self._shown.add(goal)
        self._alone.add(goal)
        self.found.append(text)

    def _title(self, trial: Trial, goal: Goal | None) -> str:
        codes, name = codes_of(trial.made), _name_of(trial.made)
        match trial.verdict:
            case Returned():
                title = f"{name} is answered"
            case Accepted():
                title = f"{name} is accepted"
                title += f" in mode {trial.world.mode}" if goal is not None and goal.part is Part.MODE else ""
            case _ if goal is None:
                title = f"{name}: nothing is known"
            case Escalated():
                title = f"{name} waits for a person: {', '.join(codes)}"
            case _ if goal.part is Part.MODE:
                title = f"{name} is held up in mode {trial.world.mode}"
            case _:
                title = f"{name} is refused: {', '.join(codes)}"
        return self._unique(title if goal is None or goal.outcome != "unknown" else f"{title} (unknown)")

    def _unique(self, title: str) -> str:
        number, unique = 1, title
        while unique in self._titles:
            number += 1
            unique = f"{title}, {number}"
        return unique


def _name_of(made: Decision | Looked) -> str:
    """Return the id of the transition that was decided on, or the name of the query that was asked."""
    return made.verdict.query if isinstance(made.verdict, Returned) else made.verdict.transition


def _differences(machine: Machine, base: World, world: World) -> str:
    """Return in words what sets the world apart from one that passed, empty if that is much or nothing."""
    was, is_ = flat(machine, base), flat(machine, world)
    words = [f"{name} = {text}" for name, text in is_.items() if was.get(name) != text]
    words += [f"without {name}" for name in was if name not in is_]
    passed = "answered" if base.transition in machine.index.queries else "accepted"
    told = f"As {passed}, but {', '.join(words)}."
    return told if 0 < len(words) <= _DIFFERENCES_MAX and len(told) < WIDTH else ""
