"""The search for a world in which a goal is shown: small steps from worlds that are known, led by what a clause reads.

It is bounded, and deterministic: the same spec and scenarios give the same worlds. It need not find what there is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeGuard, get_args

from edca.kernel import expression as ir
from edca.kernel.candidate import CONFIDENCE_SCALE
from edca.kernel.decide import frame_of, wanted
from edca.kernel.evaluate import closure_of
from edca.kernel.expression import Input
from edca.kernel.gate import Stopped, pass_gate
from edca.kernel.machine import ClauseKind
from edca.kernel.types import DecimalType, PrincipalType, TimeType
from edca.kernel.values import Unknown, Value
from edca.kernel.verdict import failed
from edca.semantic import typed, walk
from edca.semantic.coverage import Goal, Part, clauses_of, seen
from edca.semantic.generate_distance import FAR, distance
from edca.semantic.generate_values import Pool, changes, first_of
from edca.semantic.scenario import judge
from edca.semantic.scenario_world import candidate_of, case_of, inputs_of

if TYPE_CHECKING:
    from edca.kernel.evaluate import Closure, Frame
    from edca.kernel.facts import Handle
    from edca.kernel.machine import Machine
    from edca.kernel.verdict import Verdict
    from edca.semantic.checked import CheckedSpec, CheckedTransition
    from edca.semantic.scenario_world import World

_STEPS_MAX = 12
_SINGLES_MAX = 2_000
_NEAREST_MAX = 6_000
_WAYS_MAX = 6
_NODES_MAX = 400
_ROUNDS_MAX = 20
_ITEMS_MAX = 60
_ELEMENTS_MAX = 2  # of a list, for how many elements a quantifier's body is looked at
_CONFIDENCE = DecimalType(CONFIDENCE_SCALE, 0, 10**CONFIDENCE_SCALE)


@dataclass(frozen=True, slots=True)
class Trial:
    """A world, the verdict in it, and every outcome that came up."""

    world: World
    verdict: Verdict
    seen: frozenset[Goal]

    def others(self, goal: Goal) -> tuple[str, ...]:
        """The codes of the failed clauses besides the goal's own."""
        return tuple(clause.code for clause in failed(self.verdict) if clause.code != goal.code)


class Search:
    """Looks for worlds of one transition."""

    def __init__(self, checked: CheckedSpec, machine: Machine, transition: CheckedTransition) -> None:
        self._checked = checked
        self._machine = machine
        self._clauses = clauses_of(checked, transition)
        self._lets = dict(transition.lets)
        lowered = machine.index.transitions[transition.name]
        self._let_values = {let.name: let.value for let in lowered.lets}
        self._conditions = {clause.code: clause.condition for clause in lowered.clauses}
        self._closures: dict[int, Closure] = {}
        self._enum_names = frozenset(checked.words.enum_values)

    def try_out(self, world: World) -> Trial:
        """Return what comes of a world."""
        verdict = judge(self._machine, world)
        return Trial(world, verdict, seen(self._machine, world, verdict))

    def reach(self, goal: Goal, bases: tuple[World, ...]) -> Trial | None:
        """Return a world that shows the goal, best one in which no other clause fails, or null."""
        best: Trial | None = None
        for base in bases:
            for world in islice(self.steps(base, goal.code), _SINGLES_MAX):
                best = self._better(best, self.try_out(world), goal)
                if best is not None and not best.others(goal):
                    return best
        if best is None:
            best = self._approach(goal, bases)
        return None if best is None else self.settle(best, goal)

    def _approach(self, goal: Goal, bases: tuple[World, ...]) -> Trial | None:
        """Return a world that shows the goal, found by steps each of which brings its condition nearer to it."""
        if goal.part is Part.VERDICT or (goal.part is Part.CONDITION and goal.outcome == "unknown"):
            return None
        # Whether there is an answer counts only where one is asked for.
        target = goal.part is Part.ANSWER or goal.outcome == "true"
        for base in bases:
            near = self._nearest(base, goal.code, target)
            for world in (near, *(self._answers(near, goal.code) if goal.part is Part.ANSWER else ())):
                trial = self.try_out(world)
                if goal in trial.seen:
                    return trial
        return None

    def _nearest(self, world: World, code: str, target: bool) -> World:
        """Return the world after as many steps as bring the clause's condition nearer to a truth value.

        A few equally good ways are followed side by side, since one of them may lead no further.
        """
        left = _NEAREST_MAX
        best = [(self._distance(world, code, target), world)]
        while best[0][0] > 0 and left > 0:
            nearer: list[tuple[int, World]] = []
            for away, start in best:
                for other in islice(self.steps(start, code), left):
                    left -= 1
                    found = self._distance(other, code, target)
                    if found == 0:
                        return other
                    if found < away:
                        nearer.append((found, other))
            if not nearer:
                break
            best = sorted(nearer, key=lambda pair: pair[0])[:_WAYS_MAX]
        return best[0][1]

    def _distance(self, world: World, code: str, target: bool) -> int:
        frame = self._frame(world)
        if frame is None:
            return FAR
        return distance(self._conditions[code], target, frame, self._let_values, self._closure)

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
            best, rank = trial, self._rank(trial, goal)
            for world in islice(self.steps(trial.world, code), _SINGLES_MAX):
                other = self.try_out(world)
                kept = goal in other.seen or goal not in trial.seen
                if other.verdict.clauses and kept and len(other.others(goal)) <= rank[0]:
                    found = self._rank(other, goal)
                    if found < rank:
                        best, rank = other, found
                        if not rank[0]:
                            break
            if best is not trial:
                return best
        return None

    def _rank(self, trial: Trial, goal: Goal) -> tuple[int, int]:
        """Return how many other clauses fail, and how far they are from passing."""
        others = trial.others(goal)
        away = [
            self._distance(trial.world, code, self._clauses[code].kind is ClauseKind.REQUIRE)
            for code in others
            if self._clauses[code].kind is not ClauseKind.CONFIRM
        ]
        return len(others), sum(away)

    def _better(self, best: Trial | None, other: Trial, goal: Goal) -> Trial | None:
        if goal not in other.seen:
            return best
        return other if best is None or len(other.others(goal)) < len(best.others(goal)) else best

    # --- steps -------------------------------------------------------------------------------------------------------

    def steps(self, world: World, code: str) -> Iterator[World]:
        """Yield worlds that differ in one thing that the clause reads."""
        clause = self._clauses[code]
        pool = self._pool(world, code)
        if clause.kind is ClauseKind.CONFIRM:
            yield from self._answers(world, code)
        for node in self._reads(clause.condition):
            match node:
                case typed.ArgumentRead(name, type_) if name in world.arguments:
                    for value in changes(type_, world.arguments[name], pool, self._machine.index.entities):
                        yield self.complete(_with(world, arguments={**world.arguments, name: value}))
                case typed.MemoryRead(name, type_):
                    now = world.memory.get(name, self._machine.index.memory[name].initial)
                    for value in changes(type_, now, pool, self._machine.index.entities):
                        yield self.complete(_with(world, memory={**world.memory, name: value}))
                case typed.ClaimRead(name, type_):
                    start = first_of(type_, name, self._machine.index.entities)
                    if name not in world.claims:
                        yield _with(world, claims={**world.claims, name: start})
                    for value in changes(type_, world.claims.get(name, start), pool, self._machine.index.entities):
                        yield self.complete(_with(world, claims={**world.claims, name: value}))
                    yield _with(world, claims={k: v for k, v in world.claims.items() if k != name})
                case typed.InputRead(input_):
                    yield from self._input_steps(world, input_, pool)
                case typed.FactRead(_, entity, field, None):
                    yield from self._fact_steps(world, entity, field, pool)
                case _:
                    pass

    def _reads(self, condition: typed.Expression) -> list[typed.Expression]:
        """Return what the condition reads, each once; facts first, since they are what a rule is about."""
        found: dict[object, typed.Expression] = {}
        for node in walk.nodes(condition, self._checked.definitions, self._lets):
            match node:
                case typed.ArgumentRead(name) | typed.MemoryRead(name) | typed.ClaimRead(name):
                    found.setdefault((1, type(node).__name__, name), node)
                case typed.InputRead(input_):
                    found.setdefault((2, input_.value, ""), node)
                case typed.FactRead(_, entity, field, None):
                    found.setdefault((0, entity, field), node)
                case _:
                    pass
        return [found[key] for key in sorted(found, key=repr)]

    def _answers(self, world: World, code: str) -> Iterator[World]:
        for answer in (True, False):
            yield _with(world, answers={**world.answers, code: answer})
        yield _with(world, answers={k: v for k, v in world.answers.items() if k != code})

    def _input_steps(self, world: World, input_: Input, pool: Pool) -> Iterator[World]:
        entities = self._machine.index.entities
        match input_:
            case Input.NOW:
                for now in changes(TimeType(), world.now, pool, entities):
                    if isinstance(now, int) and now >= 0:  # mandates begin with 1970
                        yield _with(world, now=now)
            case Input.SUBJECT:
                for subject in changes(PrincipalType(""), world.subject, pool, entities):
                    yield _with(world, subject=subject)
                yield _with(world, subject=None)
            case Input.CONFIDENCE:
                for confidence in changes(_CONFIDENCE, world.confidence or 0, pool, entities):
                    yield _with(world, confidence=confidence)
                yield _with(world, confidence=None)
            case Input.PROPOSER | Input.CASE:
                return  # who holds a role is made up, and the case follows from the arguments

    def _fact_steps(self, world: World, entity: str, field: str, pool: Pool) -> Iterator[World]:
        type_ = self._machine.index.entities[entity].field(field).type
        for handle in [handle for handle in world.facts if handle[0] == entity]:
            fields = world.facts[handle]
            value = fields.get(field, Unknown.MISSING)
            if isinstance(value, Unknown):
                start = first_of(type_, field, self._machine.index.entities)
                for first in (start, *changes(type_, start, pool, self._machine.index.entities)):
                    yield self.complete(with_fact(world, handle, field, first))
                continue
            for other in changes(type_, value, pool, self._machine.index.entities):
                yield self.complete(with_fact(world, handle, field, other))
            yield without_fact(world, handle, field)

    def complete(self, world: World) -> World:
        """Return the world with every instance in it that the transition now reads: copies of those there are."""
        for _ in range(_ROUNDS_MAX):
            candidate = candidate_of(self._machine, world)
            case = case_of(self._machine, world, candidate)
            lacking = wanted(self._machine, case, candidate, inputs_of(self._machine, world))
            if not lacking:
                return world
            facts = dict(world.facts)
            for handle, names in lacking:
                facts[handle] = self._instance(world, handle, names)
            world = _with(world, facts=facts)
        return world

    def _instance(self, world: World, handle: Handle, names: tuple[str, ...]) -> Mapping[str, Value | Unknown]:
        entity = self._machine.index.entities[handle[0]]
        like = next((fields for other, fields in world.facts.items() if other[0] == handle[0]), None)
        if like is not None:
            return like
        return {name: first_of(entity.field(name).type, name, self._machine.index.entities) for name in names}

    # --- what a clause computes with ---------------------------------------------------------------------------------

    def _frame(self, world: World) -> Frame | None:
        """Return what the clauses may read in the world, or null where an early stage stops the candidate."""
        candidate = candidate_of(self._machine, world)
        inputs = inputs_of(self._machine, world)
        gate = pass_gate(self._machine, case_of(self._machine, world, candidate), candidate, inputs)
        if isinstance(gate, Stopped):
            return None
        frame = frame_of(self._machine, gate, inputs)
        gate.program.bind_lets(frame)
        return frame

    def _pool(self, world: World, code: str) -> Pool:
        frame = self._frame(world)
        if frame is None:
            return Pool((), (), ())
        numbers: dict[int, None] = {}
        gaps: dict[int, None] = {}
        texts: dict[str, None] = {}
        for node, value in islice(self._values(self._conditions[code], frame, {}), _NODES_MAX):
            for scalar in _scalars(value):
                if isinstance(scalar, str):
                    texts.setdefault(scalar)
                else:
                    numbers.setdefault(scalar)
            if isinstance(node, ir.Compare):
                left, right = self._closure(node.left)(frame), self._closure(node.right)(frame)
                if _is_number(left) and _is_number(right):
                    gaps.setdefault(right - left)
        return Pool(tuple(numbers), tuple(gaps), tuple(text for text in texts if text not in self._enum_names))

    def _values(
        self, node: ir.Expression, frame: Frame, entered: dict[str, None]
    ) -> Iterator[tuple[ir.Expression, Any]]:
        """Yield every expression in the condition with its value; lets once, and each body for a few elements."""
        yield node, self._closure(node)(frame)
        match node:
            case ir.ReadLet(name):
                if name not in entered:
                    entered[name] = None
                    yield from self._values(self._let_values[name], frame, entered)
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


def _is_expression(item: object) -> TypeGuard[ir.Expression]:
    return isinstance(item, get_args(ir.Expression))


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _scalars(value: Any) -> Iterator[int | str]:
    if isinstance(value, tuple):
        for item in value[:_ITEMS_MAX]:
            yield from _scalars(item)
    elif isinstance(value, str) or _is_number(value):
        yield value


def _with(world: World, **changed: Any) -> World:
    return dataclasses.replace(world, **changed)


def with_fact(world: World, handle: Handle, field: str, value: Value | Unknown) -> World:
    """Return the world with one field of an instance changed."""
    return _with(world, facts={**world.facts, handle: {**world.facts[handle], field: value}})


def without_fact(world: World, handle: Handle, field: str) -> World:
    """Return the world without one field of an instance."""
    fields = {name: value for name, value in world.facts[handle].items() if name != field}
    return _with(world, facts={**world.facts, handle: fields})
