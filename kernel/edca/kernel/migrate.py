"""Moving a case by a map: pure, total, and the same when it is replayed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from edca.kernel.evaluate import Frame, closure_of, known
from edca.kernel.expression import History, Input
from edca.kernel.frames import history_of
from edca.kernel.machine import Never
from edca.kernel.movement import ASKING
from edca.kernel.readings import value_text
from edca.kernel.types import OptionalType, describe
from edca.kernel.values import Unknown, in_bounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.inputs import Case
    from edca.kernel.machine import Machine
    from edca.kernel.migration import Migration
    from edca.kernel.values import Value

_Who = TypeVar("_Who")


@dataclass(frozen=True, slots=True)
class Moved:
    """The case as the new version has it, since `at`.

    `untested` are the codes of properties of its new state that read facts: they could not be told from the case alone,
    and the next decision tests them.
    """

    case: Case
    at: int
    untested: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NeedsPerson:
    """The case stays as it is: the map, or what comes of it, doesn't let it move; `why` is one line."""

    why: str


class Mover:
    """A map made ready to move cases."""

    def __init__(self, old: Machine, new: Machine, migration: Migration) -> None:
        """Take the map and its machines. Raises `ValueError` where it is bound to others."""
        if (migration.source, migration.target) != (old.digest, new.digest):
            raise ValueError("the map is made for other machines")
        self._old = old
        self._new = new
        self._states = {move.source: move for move in migration.states}
        self._memory = [(item.name, closure_of(item.value)) for item in migration.memory]
        self._sources = {(move.history, move.name): move.source for move in migration.history}
        self._nevers = [(never, closure_of(never.condition)) for never in new.properties if isinstance(never, Never)]
        clauses = (clause for transition in new.transitions for clause in transition.clauses)
        self._asking = sorted({clause.code for clause in clauses if clause.kind in ASKING})

    def move(self, case: Case, at: int) -> Moved | NeedsPerson:
        """Return the case as it is at `at` under the new version.

        Raises `ValueError` for a case of another machine, and for one with an effect under way.
        """
        if case.machine != self._old.digest or case.pending is not None:
            raise ValueError("only a case of the old version with nothing under way can move")
        state = self._states[case.state]
        if state.target is None:
            return NeedsPerson(f"state `{case.state}`: {state.text}")
        memory = self._memory_of(case, at)
        if isinstance(memory, NeedsPerson):
            return memory
        moved = dataclasses.replace(
            case,
            machine=self._new.digest,
            state=state.target,
            memory=memory,
            revision=case.revision + 1,
            entered=case.entered if state.keeps_time else at,
            proposers=self._history(History.PROPOSER, case.proposers, sorted(self._new.index.offered)),
            signers=self._history(History.SIGNERS, case.signers, self._asking),
        )
        return self._tested(moved, at)

    def _memory_of(self, case: Case, at: int) -> dict[str, Value] | NeedsPerson:
        frame = _frame(case, at)
        memory: dict[str, Value] = {}
        for name, closure in self._memory:
            type_, value = self._new.index.memory[name].type, closure(frame)
            if isinstance(value, Unknown):
                return NeedsPerson(f"memory `{name}`: nobody can tell what it holds ({value.value})")
            if value is None and not isinstance(type_, OptionalType):
                return NeedsPerson(f"memory `{name}`: nothing is there that it could hold")
            if not in_bounds(type_, value):
                return NeedsPerson(f"memory `{name}`: {value_text(self._new, type_, value)} is no {describe(type_)}")
            memory[name] = value
        return memory

    def _history(self, history: History, before: Mapping[str, _Who], names: list[str]) -> dict[str, _Who]:
        """Return who acted by the new version's names; what it has no name for is let go of."""
        found = ((name, self._sources.get((history, name), name)) for name in names)
        return {name: before[source] for name, source in found if source in before}

    def _tested(self, moved: Case, at: int) -> Moved | NeedsPerson:
        """Return the case where no property is known to be violated by it."""
        untested: list[str] = []
        for never, condition in self._nevers:
            if never.about != moved.entity or moved.state not in never.states:
                continue
            frame = _frame(moved, at)
            truth = known(condition(frame))
            if truth is False:
                continue
            # What reads no fact can be told here and now, so that not being able to is a violation, as in a decision.
            if truth is True or not frame.wanted:
                return NeedsPerson(f"property `{never.code}`: {never.text}")
            untested.append(never.code)
        return Moved(moved, at, tuple(untested))


def _frame(case: Case, at: int) -> Frame:
    return Frame(
        arguments={},
        memory=case.memory,
        claims={},
        inputs={Input.NOW: at, Input.CASE: case.key},
        facts={},
        history=history_of(case),
    )
