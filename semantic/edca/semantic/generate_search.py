"""The search for a world in which a goal is shown: small steps from worlds that are known, led by what decides it.

It is bounded, and deterministic: the same spec and scenarios give the same worlds. It need not find what there is.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeGuard, get_args

from edca.kernel import expression as ir
from edca.kernel.evaluate import Frame, closure_of, known
from edca.kernel.expression import History, Input
from edca.kernel.inquiry import Returned
from edca.kernel.machine import ClauseKind, Query
from edca.kernel.values import Unknown
from edca.kernel.verdict import PROPERTY_VIOLATED, Accepted, Refused, Result
from edca.semantic.checked import CheckedQuery
from edca.semantic.coverage_goals import Goal, Part, outcome_of
from edca.semantic.coverage_seen import seen
from edca.semantic.generate_distance import distance
from edca.semantic.generate_steps import Steps
from edca.semantic.generate_subject import GUARD, subject_name, subjects_of
from edca.semantic.generate_values import Pool
from edca.semantic.scenario_play import Decision, Looked, look_up
from edca.semantic.scenario_world import answer_of, question_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.evaluate import Closure
    from edca.kernel.inquiry import QueryVerdict
    from edca.kernel.machine import Machine
    from edca.kernel.verdict import Verdict
    from edca.semantic.checked import CheckedSpec, CheckedTransition
    from edca.semantic.generate_subject import Subject
    from edca.semantic.scenario_world import World

_STEPS_MAX = 12
_SINGLES_MAX = 2_000
_NEAREST_MAX = 6_000
_WAYS_MAX = 6
_NODES_MAX = 400
_ITEMS_MAX = 60
_ELEMENTS_MAX = 2  # of a list, for how many elements a quantifier's body is looked at


@dataclass(frozen=True, slots=True)
class Trial:
    """What comes of a world, as a scenario would have it, and every outcome that came up."""

    made: Decision | Looked
    seen: frozenset[Goal]

    @property
    def world(self) -> World:
        """The world that was tried."""
        return self.made.world

    @property
    def verdict(self) -> Verdict | QueryVerdict:
        """The verdict in it."""
        return self.made.verdict

    @property
    def passed(self) -> bool:
        """Whether what was asked for is accepted, or returned."""
        return isinstance(self.verdict, (Accepted, Returned))

    @property
    def failed(self) -> tuple[str, ...]:
        """The codes of the clauses that did not pass."""
        return tuple(one.code for one in self.verdict.clauses if one.result in (Result.FAILED, Result.UNKNOWN))

    def others(self, goal: Goal) -> tuple[str, ...]:
        """The codes of the failed clauses besides the goal's own; of a violated property too."""
        codes = list(self.failed)
        if isinstance(self.verdict, Refused) and self.verdict.code == PROPERTY_VIOLATED:
            codes.append(self.verdict.detail)
        return tuple(code for code in codes if code != goal.code)


class Search:
    """Looks for worlds of one transition or query."""

    def __init__(self, checked: CheckedSpec, machine: Machine, item: CheckedTransition | CheckedQuery) -> None:
        """Take the transition or query whose outcomes are looked for."""
        self._machine = machine
        self._item = item
        index = machine.index
        is_query = isinstance(item, CheckedQuery)
        self.lowered = index.queries[item.name] if is_query else index.transitions[item.name]
        self._assignments = () if isinstance(self.lowered, Query) else self.lowered.assignments
        self.subjects = subjects_of(checked, machine, item)
        self.steps = Steps(machine, asked_for(item))
        self._lets = {let.name: let.value for let in self.lowered.lets}
        self._initial = {slot.name: slot.initial for slot in machine.memory}
        self._key = item.key
        if not item.key and item.about is not None:  # of what a transition creates the key is allotted, part by part
            self._key = tuple(part.name for part in index.entities[item.about].key)
        self._closures: dict[int, Closure] = {}
        self._enum_names = frozenset(checked.words.enum_values)

    def try_out(self, world: World) -> Trial:
        """Return what comes of a world."""
        if isinstance(self._item, CheckedQuery):
            made: Decision | Looked = look_up(self._machine, world)
        else:
            question = question_of(self._machine, world)
            made = Decision(world, question, answer_of(self._machine, question))
        return Trial(made, seen(self._machine, made))

    def around(self, world: World, subject: Subject) -> Iterator[World]:
        """Yield worlds that differ in one thing that bears on the subject."""
        return self.steps.around(world, subject, self._pool(world, subject))

    def first(self, world: World, goal: Goal) -> Trial:
        """Return a world near this one in which a transition is chosen, and as few clauses fail as steps lead to."""
        world = self.steps.complete(world)
        for name, subject in self.subjects.items():  # branches that are tried before must not be the one
            if name == GUARD + self._item.name:
                world = self._nearest(world, subject, target=True)
                break
            if name.startswith(GUARD):
                world = self._nearest(world, subject, target=False)
        return self.settle(self.try_out(self.steps.complete(world)), goal)

    def reach(self, goal: Goal, bases: tuple[World, ...]) -> Trial | None:
        """Return a world that shows the goal, best one in which no other clause fails, or null."""
        subject = self.subjects.get(subject_name(goal))
        if subject is None:
            return None
        best: Trial | None = None
        # Whether the condition is as it should be is quicker told than a verdict.
        tested = goal.part in (Part.CONDITION, Part.GUARD, Part.PROPERTY)
        for base in bases:
            for world in islice(self.around(base, subject), _SINGLES_MAX):
                if tested and self._outcome(world, subject) != goal.outcome:
                    continue
                best = self._better(best, self.try_out(world), goal)
                if best is not None and not best.others(goal):
                    return best
        if best is None:
            best = self._approach(goal, subject, bases)
        return None if best is None else self.settle(best, goal)

    def _outcome(self, world: World, subject: Subject) -> str:
        return outcome_of(known(self._closure(subject.condition)(self._frame(world, subject))))

    def _approach(self, goal: Goal, subject: Subject, bases: tuple[World, ...]) -> Trial | None:
        """Return a world that shows the goal, found by steps each of which brings its condition nearer to it."""
        counted = goal.part in (Part.ANSWER, Part.COUNT)
        if goal.part is Part.VERDICT or (goal.outcome == "unknown" and not counted):
            return None
        # How people answer, and what was counted, counts only where the clause applies.
        target = counted or goal.outcome == "true"
        for base in bases:
            near = self._nearest(base, subject, target=target)
            for world in (near, *(self.around(near, subject) if counted else ())):
                trial = self.try_out(world)
                if goal in trial.seen:
                    return trial
        return None

    def _nearest(self, world: World, subject: Subject, *, target: bool) -> World:
        """Return the world after as many steps as bring the subject's condition nearer to a truth value.

        A few equally good ways are followed side by side, since one of them may lead no further.
        """
        left = _NEAREST_MAX
        best = [(self._distance(world, subject, target), world)]
        while best[0][0] > 0 and left > 0:
            nearer: list[tuple[int, World]] = []
            for away, start in best:
                for other in islice(self.around(start, subject), left):
                    left -= 1
                    found = self._distance(other, subject, target)
                    if found == 0:
                        return other
                    if found < away:
                        nearer.append((found, other))
            if not nearer:
                break
            best = sorted(nearer, key=lambda pair: pair[0])[:_WAYS_MAX]
        return best[0][1]

    def _distance(self, world: World, subject: Subject, target: bool) -> int:
        frame = self._frame(world, subject)
        return distance(subject.condition, target, frame, self._lets, self._closure)

    def settle(self, trial: Trial, goal: Goal) -> Trial:
        """Return a world like the trial's in which fewer other clauses fail, as far as small steps lead.

        A goal that the trial shows stays shown.
        """
        for _ in range(_STEPS_MAX):
            better = self._step_down(trial, goal)
            if better is None:
                return trial
            trial = better
        return trial

    def _step_down(self, trial: Trial, goal: Goal) -> Trial | None:
        for code in trial.others(goal):
            subject = self.subjects.get(code) or self.subjects.get(subject_name(Goal("", code, Part.PROPERTY, "")))
            if subject is None:
                continue
            best, rank = trial, self._rank(trial, goal)
            tested = subject.kind in (ClauseKind.REQUIRE, ClauseKind.FORBID)
            wanted = subject.kind is ClauseKind.REQUIRE
            away = self._distance(trial.world, subject, wanted) if tested else 0
            for world in islice(self.around(trial.world, subject), _SINGLES_MAX):
                # A verdict takes much longer to reach than to see that the clause came no nearer to passing.
                if tested and self._distance(world, subject, wanted) >= away:
                    continue
                other = self.try_out(world)
                kept = goal in other.seen or goal not in trial.seen
                settled = other.verdict.clauses or other.passed
                if settled and kept and len(other.others(goal)) <= rank[0]:
                    found = self._rank(other, goal)
                    if found < rank:
                        best, rank = other, found
                        if not rank[0]:
                            break
            if best is not trial:
                return best
        return None

    def _rank(self, trial: Trial, goal: Goal) -> tuple[int, int]:
        """Return how many other clauses fail, and how far those that test something are from passing."""
        others = trial.others(goal)
        tested = [self.subjects[code] for code in others if code in self.subjects]
        away = [
            self._distance(trial.world, subject, subject.kind is ClauseKind.REQUIRE)
            for subject in tested
            if subject.kind in (ClauseKind.REQUIRE, ClauseKind.FORBID)
        ]
        return len(others), sum(away)

    def _better(self, best: Trial | None, other: Trial, goal: Goal) -> Trial | None:
        if goal not in other.seen:
            return best
        return other if best is None or len(other.others(goal)) < len(best.others(goal)) else best

    # --- what a subject computes with --------------------------------------------------------------------------------

    def _frame(self, world: World, subject: Subject) -> Frame:
        """Return what the subject reads in the world; no stage of a decision stops here."""
        frame = Frame(
            arguments=world.arguments,
            memory={**self._initial, **world.memory},
            claims=world.claims,
            inputs={
                Input.NOW: world.now,
                Input.PROPOSER: world.principal,
                Input.SUBJECT: Unknown.UNSTATED if world.subject is None else world.subject,
                Input.CONFIDENCE: Unknown.UNSTATED if world.confidence is None else world.confidence,
                Input.CASE: tuple(world.arguments.get(name, world.allotted) for name in self._key),
            },
            facts=world.facts,
            history={History.PROPOSER: world.proposers, History.SIGNERS: world.signers},
        )
        for name, value in self._lets.items():
            frame.lets[name] = self._closure(value)(frame)
        if subject.property_:
            assigned = {item.name: self._closure(item.value)(frame) for item in self._assignments}
            frame.memory = {**frame.memory, **assigned}
        return frame

    def _pool(self, world: World, subject: Subject) -> Pool:
        frame = self._frame(world, subject)
        numbers: dict[int, None] = {}
        gaps: dict[int, None] = {}
        texts: dict[str, None] = {}
        for part in subject.lowered:
            for node, value in islice(self._values(part, frame, {}), _NODES_MAX):
                for scalar in _scalars(value):
                    if isinstance(scalar, str):
                        texts.setdefault(scalar)
                    else:
                        numbers.setdefault(scalar)
                if isinstance(node, ir.Compare):
                    left, right = self._closure(node.left)(frame), self._closure(node.right)(frame)
                    if _is_number(left) and _is_number(right):
                        gaps.setdefault(right - left)
        if subject.kind is ClauseKind.LIMIT:
            gaps |= dict.fromkeys(self._room(frame, subject))
        return Pool(tuple(numbers), tuple(gaps), tuple(text for text in texts if text not in self._enum_names))

    def _room(self, frame: Frame, subject: Subject) -> Iterator[int]:
        """Yield how much a limit's counter may hold for the candidate to fit in."""
        clause = next(clause for clause in self.lowered.clauses if clause.code == subject.name)
        if clause.limit is not None:
            bound, amount = (self._closure(part)(frame) for part in (clause.limit.bound, clause.limit.measure))
            if _is_number(bound) and _is_number(amount):
                yield bound - amount

    def _values(
        self, node: ir.Expression, frame: Frame, entered: dict[str, None]
    ) -> Iterator[tuple[ir.Expression, Any]]:
        """Yield every expression in the condition with its value; lets once, and each body for a few elements."""
        yield node, self._closure(node)(frame)
        match node:
            case ir.ReadLet(name):
                if name not in entered:
                    entered[name] = None
                    yield from self._values(self._lets[name], frame, entered)
            case ir.Bind(name, value, body):
                yield from self._values(value, frame, entered)
                frame.locals[name] = self._closure(value)(frame)
                yield from self._values(body, frame, entered)
            case ir.Reduce(_, name, domain, condition, body):
                yield from self._values(domain, frame, entered)
                items = self._closure(domain)(frame)
                for item in items[:_ELEMENTS_MAX] if isinstance(items, tuple) else ():
                    for inner in (condition, body):
                        frame.locals[name] = item
                        yield from self._values(inner, frame, entered)
            case _:
                for field in dataclasses.fields(node):
                    part = getattr(node, field.name)
                    for item in part if isinstance(part, tuple) else (part,):
                        if _is_expression(item):
                            yield from self._values(item, frame, entered)

    def _closure(self, node: ir.Expression) -> Closure:
        # By identity: an expression is a deep value, and the machine keeps every node alive.
        found = self._closures.get(id(node))
        if found is None:
            found = self._closures[id(node)] = closure_of(node)
        return found


def asked_for(item: CheckedTransition | CheckedQuery) -> str:
    """Return what candidates or inquiries call it."""
    return item.name if isinstance(item, CheckedQuery) else item.offered


def _is_expression(item: object) -> TypeGuard[ir.Expression]:
    return isinstance(item, _EXPRESSIONS)


_EXPRESSIONS = get_args(ir.Expression)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _scalars(value: Any) -> Iterator[int | str]:
    if isinstance(value, tuple):
        for item in value[:_ITEMS_MAX]:
            yield from _scalars(item)
    elif isinstance(value, str) or _is_number(value):
        yield value
