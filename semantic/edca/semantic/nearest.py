"""The nearest legal change: which other value of one argument the kernel would have let through, and how far.

Nothing here is worked out that the kernel doesn't say: the same question is asked again with one argument changed, and
only what it then decides is told. It is for operators. What a model may know of it is another matter: nothing (see
`docs/explanation/what-a-model-sees.md`).

Answers that people have given to a clause are left out of what is asked again, since they were given to the candidate
as it was. Arguments that name the case are left alone: with another one the question is about another case.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import Candidate
from edca.kernel.decide import decide, wanted
from edca.kernel.expression import Constant
from edca.kernel.gate import bind_arguments
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    IntType,
    OptionalType,
    TimeType,
    Type,
)
from edca.kernel.values import DATE_MAX, DATE_MIN, TIME_MAX, TIME_MIN, ValueProblem, to_raw
from edca.kernel.verdict import Accepted, Escalated, Refused, Stage, failed
from edca.semantic.lowered import nodes
from edca.semantic.nearest_shape import is_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from edca.kernel.inputs import Case, Inputs
    from edca.kernel.machine import Machine, Parameter, Transition
    from edca.kernel.values import Value
    from edca.kernel.verdict import ClauseResult, Verdict
    from edca.runtime.question import Question

# How good a verdict is. Whoever wants the next better one has to get fewer things done.
_REFUSED, _WAIVERS, _ANSWERS, _ACCEPTED = range(4)

_ROUNDS_MAX = 8  # clauses that are passed one after another on the way to a value
_HINTS_MAX = 256
_SCAN_MAX = 64  # numbers that are tried one by one; among more, distances are doubled
# What only the choice of another branch could mend among the early stages.
_BRANCHING = (Stage.NO_BRANCH, Stage.WRONG_ROLE, Stage.TOO_EARLY, Stage.NO_ANCHOR)


@dataclass(frozen=True, slots=True)
class Change:
    """Values of one argument, all else as it was, with which the verdict would be `accepted` or `escalated`.

    Of a range `values` are the first and the last; otherwise each of them was tried. `nearest` is the one closest to
    what was proposed, and `needs` are the codes that people would have to answer with it: none where it is accepted.
    """

    argument: str
    type: Type
    outcome: str
    values: tuple[Value, ...]
    is_range: bool
    nearest: Value
    needs: tuple[str, ...]


def nearest_changes(question: Question) -> tuple[Change, ...]:
    """Return, argument by argument, the values nearest to the proposed one that fare better, the least better first.

    Empty where it was accepted, and where no change of one argument alone is known to help. Every value that is
    returned, and of a range also those beside its ends, has been decided.
    """
    machine, case, candidate = question.machine, question.case, question.candidate
    if case is None or not isinstance(candidate, Candidate):
        return ()
    verdict = decide(machine, case, candidate, question.inputs)
    branches = machine.index.offered.get(candidate.transition, ())
    if isinstance(verdict, Accepted) or not branches:
        return ()
    if isinstance(verdict, Refused) and verdict.stage is not None:
        if verdict.stage not in _BRANCHING or len(branches) == 1:
            return ()
    try:
        arguments = bind_arguments(machine, branches[0], candidate)
    except ValueProblem:
        return ()
    free = [parameter for parameter in branches[0].parameters if _is_free(branches[0], parameter, arguments)]
    if not free:
        return ()
    asked = _Asked.of(machine, case, candidate, question.inputs, verdict)
    return tuple(change for parameter in free for change in _changes(asked, parameter, arguments[parameter.name]))


def _is_free(transition: Transition, parameter: Parameter, arguments: Mapping[str, Value]) -> bool:
    """Tell whether an argument can be changed: it was given and doesn't name the case, and one value is near another.

    That is not so of ids, texts, records and lists.
    """
    type_ = _plain(parameter.type)
    if not isinstance(type_, (BoolType, EnumType)) and bounds_of(type_) is None:
        return False
    return parameter.name not in transition.key and arguments[parameter.name] is not None


def _plain(type_: Type) -> Type:
    return type_.of if isinstance(type_, OptionalType) else type_


def _changes(asked: _Asked, parameter: Parameter, proposed: Value) -> Iterator[Change]:
    type_ = _plain(parameter.type)
    tried = _Tried(asked, parameter.name, type_)
    match type_:
        case BoolType():
            yield from _chosen(tried, proposed, (False, True))
        case EnumType(_, values):
            yield from _chosen(tried, proposed, tuple(name for name, _ in values))
        case _:
            bounds = bounds_of(type_)
            if bounds is not None:
                yield from _numbers(tried, proposed, *bounds)


def bounds_of(type_: Type) -> tuple[int, int] | None:
    """Return the least and the greatest value of a type whose values are whole numbers; null for other types."""
    match type_:
        case IntType(low, high) | DecimalType(_, low, high):
            return low, high
        case DateType():
            return DATE_MIN, DATE_MAX
        case TimeType():
            return TIME_MIN, TIME_MAX
        case DurationType():
            return -TIME_MAX, TIME_MAX
        case _:
            return None


# --- asking again ---


@dataclass(frozen=True, slots=True)
class _Asked:
    """The question without answers, and what a better verdict must be better than.

    `bare` is the machine with no clause on the transition: what it doesn't accept would be refused even if people said
    yes to everything, and is no change worth telling. `read` are the instances that are asked for in vain anyway,
    `hints` numbers that were read or that stand in the transition.
    """

    machine: Machine
    case: Case
    candidate: Candidate
    inputs: Inputs
    level: int
    bare: Machine
    read: frozenset[object]
    hints: tuple[int, ...]

    @staticmethod
    def of(machine: Machine, case: Case, candidate: Candidate, inputs: Inputs, verdict: Verdict) -> _Asked:
        claims = tuple(one for one in inputs.attestations if one.name in machine.index.claims)
        unanswered = dataclasses.replace(inputs, attestations=claims)
        without = tuple(
            dataclasses.replace(item, clauses=()) if item.offered == candidate.transition else item
            for item in machine.transitions
        )
        return _Asked(
            machine=machine,
            case=case,
            candidate=candidate,
            inputs=unanswered,
            level=max(_level(verdict), _level(decide(machine, case, candidate, unanswered))),
            bare=dataclasses.replace(machine, transitions=without),
            read=frozenset(handle for handle, _ in wanted(machine, case, candidate, unanswered)),
            hints=_hints(machine, case, candidate, inputs),
        )


def _hints(machine: Machine, case: Case, candidate: Candidate, inputs: Inputs) -> tuple[int, ...]:
    written = {
        node.value
        for branch in machine.index.offered[candidate.transition]
        for expression in (*(clause.condition for clause in branch.clauses), *(let.value for let in branch.lets))
        for node in nodes(expression)
        if isinstance(node, Constant)
    }
    read = {value for instance in inputs.facts.values() for value in instance.fields.values()}
    numbers = {value for value in (*written, *read, *case.memory.values()) if type(value) is int}
    return tuple(sorted(numbers)[:_HINTS_MAX])


@dataclass(frozen=True, slots=True)
class _Trial:
    """What was decided with another value; `is_dead` where it would be refused whatever people said."""

    verdict: Verdict
    is_dead: bool

    @property
    def level(self) -> int:
        """How good it is."""
        return _REFUSED if self.is_dead else _level(self.verdict)


@dataclass(frozen=True, slots=True)
class _Tried:
    """The question with one argument changed, each value decided once."""

    asked: _Asked
    name: str
    type: Type
    trials: dict[Value, _Trial] = field(default_factory=dict)

    def trial(self, value: Value) -> _Trial:
        """Return what the kernel decides with the value."""
        if value not in self.trials:
            asked, candidate = self.asked, self._with(value)
            case = dataclasses.replace(asked.case, machine=asked.bare.digest)
            self.trials[value] = _Trial(
                verdict=decide(asked.machine, asked.case, candidate, asked.inputs),
                is_dead=not isinstance(decide(asked.bare, case, candidate, asked.inputs), Accepted),
            )
        return self.trials[value]

    def is_read(self, value: Value) -> bool:
        """Tell whether all that the decision rests on was read: it asks for nothing that wasn't asked for before."""
        asked = self.asked
        found = wanted(asked.machine, asked.case, self._with(value), asked.inputs)
        return all(handle in asked.read for handle, _ in found)

    def blocked(self, value: Value, level: int) -> frozenset[str]:
        """Return what keeps the value from that level: codes of clauses, or one word for all else."""
        trial = self.trial(value)
        if trial.level >= level:
            return frozenset()
        codes = frozenset(one.code for one in failed(trial.verdict) if _blocks(one, level))
        return codes | {"no clause"} if trial.is_dead or not codes else codes

    def _with(self, value: Value) -> Candidate:
        candidate = self.asked.candidate
        raw = to_raw(self.type, value, self.asked.machine.index.entities)
        arguments: Mapping[str, Any] = {**candidate.arguments, self.name: raw}
        return dataclasses.replace(candidate, arguments=arguments)


def _level(verdict: Verdict) -> int:
    match verdict:
        case Accepted():
            return _ACCEPTED
        case Escalated(needs=needs):
            return _WAIVERS if any(need.kind is ClauseKind.REQUIRE for need in needs) else _ANSWERS
        case Refused():
            return _REFUSED


def _blocks(clause: ClauseResult, level: int) -> bool:
    """Tell whether a clause that did not pass keeps a verdict from that level."""
    if level == _ACCEPTED or clause.on_fail is OnFail.REFUSE:
        return True
    return level == _ANSWERS and clause.kind is ClauseKind.REQUIRE


def _change(tried: _Tried, values: tuple[Value, ...], nearest: Value, *, is_range: bool = False) -> Change:
    verdict = tried.trial(nearest).verdict
    needs = tuple(need.code for need in verdict.needs) if isinstance(verdict, Escalated) else ()
    outcome = "escalated" if needs else "accepted"
    return Change(tried.name, tried.type, outcome, values, is_range, nearest, needs)


# --- choices ---


def _chosen(tried: _Tried, proposed: Value, values: tuple[Value, ...]) -> Iterator[Change]:
    """Yield the other values that fare better, those together that fare alike."""
    alike: dict[tuple[int, tuple[str, ...]], list[Value]] = {}
    for value in values:
        level = tried.trial(value).level if value != proposed else _REFUSED
        if level > tried.asked.level and tried.is_read(value):
            alike.setdefault((level, _change(tried, (value,), value).needs), []).append(value)
    for _, together in sorted(alike.items()):
        yield _change(tried, tuple(together), together[0])


# --- numbers ---


def _numbers(tried: _Tried, proposed: Value, low: int, high: int) -> Iterator[Change]:
    """Yield the nearest number of each better level, with the numbers beside it where they are known to fare alike."""
    told: set[tuple[int, ...]] = set()
    found: list[Change] = []
    if not isinstance(proposed, int):
        return
    for level in range(_ACCEPTED, tried.asked.level, -1):
        ends = [(end, _first(tried, proposed, end, level)) for end in (low, high)]
        reached = [(abs(at - proposed), at, end) for end, at in ends if at is not None]
        if not reached:
            continue
        _, at, end = min(reached)
        last = _last(tried, at, end, level) if _is_run(tried, level) else at
        values = (at,) if last == at else (min(at, last), max(at, last))
        if values not in told and all(tried.is_read(value) for value in values):
            told.add(values)
            found.append(_change(tried, values, at, is_range=len(values) > 1))
    yield from reversed(found)


def _is_run(tried: _Tried, level: int) -> bool:
    asked = tried.asked
    if asked.inputs.overloaded:
        return False  # then nothing is escalated, and what lies between was not looked at
    branches = asked.machine.index.offered[asked.candidate.transition]
    return all(
        is_run(asked.machine, branch, tried.name, waivers=level == _WAIVERS, answers=level < _ACCEPTED)
        for branch in branches
    )


def _first(tried: _Tried, start: int, end: int, level: int) -> int | None:
    """Return the first number from `start` to `end` that nothing keeps from that level, as far as one is found.

    What stands against a number is left behind one by one. The number before the one returned is kept from the level.
    """
    at = start
    for _ in range(_ROUNDS_MAX):
        blocking = tried.blocked(at, level)
        if not blocking:
            return _turn(at, start, lambda number: not tried.blocked(number, level)) if at != start else None
        ways_out = [_way_out(tried, at, end, level, code) for code in sorted(blocking)]
        reached = [way_out for way_out in ways_out if way_out is not None]
        if len(reached) < len(ways_out):
            return None
        at = max(reached, key=lambda number: abs(number - start))
    return None


def _last(tried: _Tried, start: int, end: int, level: int) -> int:
    """Return the last number from `start` to `end` that nothing keeps from that level, where they lie side by side."""
    return end if not tried.blocked(end, level) else _turn(start, end, lambda n: not tried.blocked(n, level))


def _way_out(tried: _Tried, start: int, end: int, level: int, code: str) -> int | None:
    """Return the first number after `start` that the code doesn't stand against, as far as one is found."""

    def is_free(number: int) -> bool:
        return code not in tried.blocked(number, level)

    if is_free(end):
        return _turn(end, start, is_free)
    if abs(end - start) <= _SCAN_MAX:
        return next((number for number in range(start, end, 1 if end > start else -1) if is_free(number)), None)
    step, before = (1 if end > start else -1), start
    while abs(step) < abs(end - start):
        if is_free(start + step):
            return _turn(start + step, before, is_free)
        before, step = start + step, step * 2
    # What is free may be one number alone, such as one that an amount must equal: it stands somewhere, most often.
    between = (hint for hint in tried.asked.hints if min(start, end) < hint < max(start, end))
    hint = next((hint for hint in between if is_free(hint)), None)
    return None if hint is None else _turn(hint, start, is_free)


def _turn(inside: int, outside: int, holds: Callable[[int], bool]) -> int:
    """Return the number furthest from `inside` for which it holds, up to `outside`, for which it does not."""
    while abs(inside - outside) > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if holds(middle) else (inside, middle)
    return inside
