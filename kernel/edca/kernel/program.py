"""Programs: all that is prepared once for the decisions on one transition, on first use, and kept with the machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.decision import Decision, decision
from edca.kernel.evaluate import Closure, Frame, closure_of
from edca.kernel.generate import DONE, FAILED
from edca.kernel.machine import Never
from edca.kernel.reader import Reader, reader
from edca.kernel.verdict import ClauseResult, Result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.machine import Limit, Machine, Transition
    from edca.kernel.readings import Plan


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
    """What one transition computes and reports; what belongs to a clause stands at the clause's place.

    `read` reads the arguments, `decision` computes what every decision needs. `passed` is what is reported of clauses
    that simply pass. `plans` fills up, by place, with how to tell what a clause read that did not. `limits` are the
    limits, with their places and codes.
    """

    read: Reader
    decision: Decision
    passed: tuple[ClauseResult, ...]
    guard: Closure | None
    lets: tuple[tuple[str, Closure], ...]
    ensures: tuple[Closure, ...]
    undos: tuple[tuple[Closure, ...] | None, ...]
    nevers: tuple[NeverProgram, ...]
    plans: dict[int, Plan]
    limits: tuple[tuple[int, str, Limit], ...]

    def bind_lets(self, frame: Frame) -> None:
        """Evaluate the transition's lets into the frame."""
        for name, closure in self.lets:
            frame.lets[name] = closure(frame)


def program(machine: Machine, name: str) -> Program:
    """Return the transition's program, made on first use."""
    found = machine.programs.get(name)
    if found is None:
        found = machine.programs[name] = _program(machine, machine.index.transitions[name])
    return found


def _program(machine: Machine, transition: Transition) -> Program:
    nevers = list(_nevers(machine, transition))
    passed = tuple(
        ClauseResult(
            code=clause.code,
            kind=clause.kind,
            on_fail=clause.on_fail,
            role=clause.role,
            withheld=clause.withheld,
            result=Result.PASSED,
        )
        for clause in transition.clauses
    )
    properties = [(never.condition, DONE if moved else FAILED) for never, moved in nevers]
    return Program(
        read=reader(transition.parameters, machine.index.entities),
        decision=decision(machine, transition, properties, passed),
        passed=passed,
        guard=None if transition.guard is None else closure_of(transition.guard),
        lets=tuple((let.name, closure_of(let.value)) for let in transition.lets),
        ensures=tuple(closure_of(act.ensure) for act in transition.acts),
        undos=tuple(
            None if act.undo is None else tuple(map(closure_of, act.undo.arguments)) for act in transition.acts
        ),
        nevers=tuple(NeverProgram(never.code, closure_of(never.condition), moved) for never, moved in nevers),
        plans={},
        limits=tuple(
            (place, clause.code, clause.limit)
            for place, clause in enumerate(transition.clauses)
            if clause.limit is not None
        ),
    )


def _nevers(machine: Machine, transition: Transition) -> Iterator[tuple[Never, bool]]:
    """Yield the properties of the states that the transition may end in: its target, and then its failure edges'."""
    edges = [edge.target for edge in (transition.on_failed, transition.on_timeout) if edge is not None]
    failing = set(edges if transition.acts else ())
    own = [item for item in machine.properties if isinstance(item, Never) and item.about == transition.about]
    yield from ((never, True) for never in own if transition.target in never.states)
    yield from ((never, False) for never in own if not failing.isdisjoint(never.states))
