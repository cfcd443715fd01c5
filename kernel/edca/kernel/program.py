"""Programs: the closures of one transition, compiled on first use and kept with the machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.evaluate import Closure, Frame, closure_of
from edca.kernel.generate import Function, Writer
from edca.kernel.machine import Never

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.machine import Limit, Machine, Transition


@dataclass(frozen=True, slots=True)
class LimitProgram:
    """The closures of what a limit counts."""

    measure: Closure
    bound: Closure
    keys: tuple[Closure, ...]


@dataclass(frozen=True, slots=True)
class NeverProgram:
    """A property that a transition's decision must keep: on what its acceptance, or its failure, would leave.

    `moved` tells which: memory as the transition sets it, or, where an effect fails, memory as it was.
    """

    code: str
    condition: Closure
    moved: bool


@dataclass(frozen=True, slots=True)
class Program:
    """What one transition computes, in the order of its declarations; what belongs to a clause stands at its place.

    `decide` is the generated function for all that every decision needs at once: the truth of each clause's condition,
    then the value of each assignment, then each argument of each call. The closures compute the same one by one.
    """

    decide: Function
    guard: Closure | None
    lets: tuple[tuple[str, Closure], ...]
    clauses: tuple[Closure, ...]
    distinct_from: tuple[tuple[Closure, ...], ...]
    limits: tuple[LimitProgram | None, ...]
    assignments: tuple[tuple[str, Closure], ...]
    calls: tuple[tuple[Closure, ...], ...]
    ensures: tuple[Closure, ...]
    undos: tuple[tuple[Closure, ...] | None, ...]
    nevers: tuple[NeverProgram, ...]

    def bind_lets(self, frame: Frame) -> None:
        """Evaluate the transition's lets into the frame."""
        for name, closure in self.lets:
            frame.lets[name] = closure(frame)


def program(machine: Machine, name: str) -> Program:
    """Return the transition's program, compiled on first use."""
    found = machine.programs.get(name)
    if found is None:
        transition = machine.index.transitions[name]
        clauses = transition.clauses
        values = [item.value for item in transition.assignments]
        arguments = [argument for act in transition.acts for argument in act.call.arguments]
        found = machine.programs[name] = Program(
            decide=Writer(machine, transition).function(
                name, [clause.condition for clause in clauses], [*values, *arguments]
            ),
            guard=None if transition.guard is None else closure_of(transition.guard),
            lets=tuple((let.name, closure_of(let.value)) for let in transition.lets),
            clauses=tuple(closure_of(clause.condition) for clause in clauses),
            distinct_from=tuple(tuple(map(closure_of, clause.distinct_from)) for clause in clauses),
            limits=tuple(None if clause.limit is None else _limit(clause.limit) for clause in clauses),
            assignments=tuple((item.name, closure_of(item.value)) for item in transition.assignments),
            calls=tuple(tuple(map(closure_of, act.call.arguments)) for act in transition.acts),
            ensures=tuple(closure_of(act.ensure) for act in transition.acts),
            undos=tuple(
                None if act.undo is None else tuple(map(closure_of, act.undo.arguments)) for act in transition.acts
            ),
            nevers=tuple(_nevers(machine, transition)),
        )
    return found


def _limit(limit: Limit) -> LimitProgram:
    return LimitProgram(closure_of(limit.measure), closure_of(limit.bound), tuple(map(closure_of, limit.keys)))


def _nevers(machine: Machine, transition: Transition) -> Iterator[NeverProgram]:
    """Yield the properties of the states that the transition may end in, the failure edges' last."""
    edges = [edge.target for edge in (transition.on_failed, transition.on_timeout) if edge is not None]
    failing = set(edges if transition.acts else ())
    own = [item for item in machine.properties if isinstance(item, Never) and item.about == transition.about]
    for never in own:
        if transition.target in never.states:
            yield NeverProgram(never.code, closure_of(never.condition), moved=True)
    for never in own:
        if not failing.isdisjoint(never.states):
            yield NeverProgram(never.code, closure_of(never.condition), moved=False)
