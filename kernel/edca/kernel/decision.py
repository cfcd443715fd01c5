"""The function that a transition's decision runs: all that its expressions yield, or at once the acceptance.

Most candidates that a machine accepts pass every clause as plainly as can be: each condition known, each limit kept,
nothing to waive. For these the function itself makes the verdict. For all others it returns what it computed, and the
modules beside this one look into that clause by clause. Its acceptance must be the one that they would come to.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

from edca.kernel.approvals import answers_to, unbound
from edca.kernel.expression import History, ReadHistory
from edca.kernel.generate import PARAMETERS, SPACE, Writer
from edca.kernel.machine import ClauseKind
from edca.kernel.quick import maker
from edca.kernel.types import (
    BoolType,
    DecimalType,
    DurationType,
    IdType,
    IntType,
    PrincipalType,
    TextType,
    TimeType,
    Type,
    decimal_text,
)
from edca.kernel.values import in_bounds, to_raw
from edca.kernel.verdict import Accepted, ClauseResult, Intent, Move, Result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.expression import Expression
    from edca.kernel.facts import Handle
    from edca.kernel.gate import Passed
    from edca.kernel.inputs import Inputs
    from edca.kernel.machine import Clause, Limit, Machine, Transition
    from edca.kernel.numbering import Node
    from edca.kernel.text import Term
    from edca.kernel.values import Raw


@dataclass(frozen=True, slots=True)
class Computed:
    """What a decision rests on. A value is what the checker proved it to be, or unknown: its static type is `Any`.

    `places` are the places of the clauses that the truth of their condition alone does not let pass. By clause: the
    `truths`; of a limit, what is `counted`: amount, bound and key; the `others`, whose answers don't count. Then the
    value of each assignment and the arguments of each call. `kept`: what an acceptance would leave is known to break no
    property, but for those that are late.
    """

    places: Sequence[int]
    truths: tuple[Any, ...]
    counted: tuple[tuple[Any, Any, Any] | None, ...]
    others: tuple[tuple[Any, ...], ...]
    after: tuple[Any, ...]
    calls: tuple[tuple[Any, ...], ...]
    kept: bool


Want: TypeAlias = "Callable[[Handle], None]"  # is told of each instance that is read and isn't among the facts
Run: TypeAlias = "Callable[[Passed, Inputs, Want, bool], Computed | Accepted]"
_SPACE: Mapping[str, object] = {
    **SPACE,
    "computed": maker(Computed),
    "accepted": maker(Accepted),
    "reported": maker(ClauseResult),
    "move": maker(Move),
    "intent": maker(Intent),
    "answers_to": answers_to,
    "unbound": unbound,
    "PASSED": Result.PASSED,
    "decimal": decimal_text,
    "in_bounds": in_bounds,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """The function of a transition, and what its caller must know of it.

    `run` takes `generate.PARAMETERS`; it returns an acceptance only where it is asked to. `late`: some property depends
    on who will have signed, and is not looked at. `spare`: some let is named by nothing that is computed.
    """

    run: Run
    late: bool
    spare: bool


def decision(
    machine: Machine,
    transition: Transition,
    properties: Sequence[tuple[Expression, str]],
    passed: Sequence[ClauseResult],
) -> Decision:
    """Generate the function.

    `properties` are conditions that may not be true, each with the moment it is about; `passed` is what is reported of
    each clause that simply passes.
    """
    early = [(condition, moment) for condition, moment in properties if not _reads_signers(condition)]
    late = len(early) < len(properties)
    writer = _DecisionWriter(machine, transition)
    run = writer.run(early, None if late else passed)
    return Decision(run, late, writer.lets_read < len(transition.lets))


@dataclass(frozen=True, slots=True)
class _Share:
    """A clause's share in an acceptance, as text: the test that it passes, what is reported of it, what it counts."""

    test: str
    result: str
    move: str | None = None


class _DecisionWriter:
    """Writes the function: first everything that is computed, then the acceptance, then what it returns otherwise."""

    def __init__(self, machine: Machine, transition: Transition) -> None:
        self._machine = machine
        self._transition = transition
        self._writer = Writer(machine, transition)
        self._text = self._writer.text
        self.lets_read = 0

    def run(self, properties: Sequence[tuple[Expression, str]], passed: Sequence[ClauseResult] | None) -> Run:
        """Write and compile it; with no acceptance where what is reported of passing clauses is null."""
        writer, text, transition = self._writer, self._text, self._transition
        clauses, node = transition.clauses, self._writer.node
        conditions = [node(clause.condition) for clause in clauses]
        limits = [[] if clause.limit is None else self._numbers(clause.limit) for clause in clauses]
        people = [[node(other) for other in clause.distinct_from] for clause in clauses]
        assigned = [node(item.value) for item in transition.assignments]
        handed = [[node(argument) for argument in act.call.arguments] for act in transition.acts]
        self.lets_read = writer.lets([*conditions, *chain(*limits, *people, *handed), *assigned])

        truths = [writer.truth(condition) for condition in conditions]
        counted = [self._counted(numbers) if numbers else None for numbers in limits]
        others = [_terms(writer.truth(other) for other in each) for each in people]
        after = [writer.value(value) for value in assigned]
        calls = [[writer.value(argument) for argument in arguments] for arguments in handed]
        kept = [f"{writer.truth(node(condition), moment).text} is False" for condition, moment in properties]
        if passed is not None:
            shares = [
                self._share(clause, truth, count, other, text.constant(result).text)
                for clause, truth, count, other, result in zip(
                    transition.clauses, truths, counted, others, passed, strict=True
                )
            ]
            tests = ["accepting", *kept, *(share.test for share in shares), *self._fitting(after, calls)]
            text.line(f"if {' and '.join(tests)}:")
            text.line(f" return {self._acceptance(after, calls, shares)}")
        text.line("places = []")
        for place, (clause, truth) in enumerate(zip(transition.clauses, truths, strict=True)):
            text.line(f"if {truth.text} is not {clause.kind is ClauseKind.REQUIRE}: places.append({place})")
        computed = (
            "places",
            _terms(truths),
            _tuple("None" if count is None else _terms(count) for count in counted),
            _tuple(others),
            _terms(after),
            _tuple(_terms(call) for call in calls),
            " and ".join(kept) or "True",
        )
        space = {**_SPACE, "machine": self._machine}
        made: Run = text.function(PARAMETERS, f"computed({', '.join(computed)})", name=transition.name, space=space)
        return made

    def _numbers(self, limit: Limit) -> list[Node]:
        """Return what a limit counts: the amount, the bound, and the parts of the key."""
        return [self._writer.node(part) for part in (limit.measure, limit.bound, *limit.keys)]

    def _counted(self, numbers: Sequence[Node]) -> tuple[Term, Term, Term]:
        """Write these numbers: the key as one tuple."""
        amount, bound, *keys = [self._writer.truth(number) for number in numbers]
        return amount, bound, self._writer.together(keys)

    def _share(
        self, clause: Clause, truth: Term, counted: tuple[Term, Term, Term] | None, others: str, plain: str
    ) -> _Share:
        """Return a clause's share in the acceptance; `plain` is its result where it simply passes."""
        match clause.kind:
            case ClauseKind.REQUIRE:
                return _Share(f"{truth.text} is True", plain)
            case ClauseKind.FORBID:
                return _Share(f"{truth.text} is False", plain)
            case ClauseKind.CONFIRM | ClauseKind.SIGN:
                return self._asked(clause, truth, others, plain)
            case ClauseKind.LIMIT:
                return self._limited(clause, truth, counted, plain)
            case _:
                assert_never(clause.kind)

    def _asked(self, clause: Clause, truth: Term, others: str, plain: str) -> _Share:
        """Nobody need answer, or enough people have, and none has said no."""
        text = self._text
        answers, declared = text.new(), text.constant(clause).text
        given = f"({answers} := answers_to(machine, {declared}, {others}, {text.load('candidate')}, inputs, None))"
        enough = f"not {given}.no and {answers}.unknown is None and len({answers}.yes) >= {clause.count}"
        asked = f"{truth.text} is True and unbound(inputs.attestations) and {enough}"
        result = (
            f"reported({clause.code!r}, {text.constant(clause.kind).text}, {text.constant(clause.on_fail).text}, "
            f"{clause.role!r}, {clause.withheld}, PASSED, None, (), {answers}.yes)"
        )
        return _Share(f"({truth.text} is False or {asked})", f"({plain} if {truth.text} is False else {result})")

    def _limited(self, clause: Clause, truth: Term, counted: tuple[Term, Term, Term] | None, plain: str) -> _Share:
        """The limit does not apply, or it is kept, and this is how its counter moves."""
        limit = clause.limit
        if limit is None or counted is None:
            return _Share("False", plain)  # an artefact that no compiler makes: this is refused elsewhere
        used, (amount, bound, key) = self._text.new(), counted
        known = "".join(f"{term.text}.__class__ is not U and " for term in counted if term.unknown)
        counter = f"({self._transition.offered!r}, {clause.code!r}, {key.text})"
        found = f"({used} := inputs.used.get({counter})) is not None and {used} + {amount.text} <= {bound.text}"
        raw = _tuple(self._raw(type_, f"{key.text}[{place}]") for place, type_ in enumerate(limit.key_types))
        move = f"move({clause.code!r}, {raw}, {used}, {amount.text}, {bound.text})"
        if truth.text == "True":
            return _Share(f"{known}{found}", plain, move)
        applies = f"({truth.text} is False or {truth.text} is True and {known}{found})"
        return _Share(applies, plain, f"*(({move},) if {truth.text} else ())")

    def _fitting(self, after: Sequence[Term], calls: Sequence[Sequence[Term]]) -> Iterator[str]:
        """Yield the tests that what would be kept and handed on is known and within its types."""
        terms = [*after, *(argument for call in calls for argument in call)]
        for type_, term in zip(_types(self._machine, self._transition), terms, strict=True):
            match type_:
                case IntType(low, high) | DecimalType(_, low, high):
                    yield f"{term.text}.__class__ is int and {low} <= {term.text} <= {high}"
                case _:
                    held = self._text.constant(type_).text
                    yield f"{term.text}.__class__ is not U and in_bounds({held}, {term.text})"

    def _acceptance(self, after: Sequence[Term], calls: Sequence[Sequence[Term]], shares: Sequence[_Share]) -> str:
        """Return what makes the verdict."""
        text, transition, index = self._text, self._transition, self._machine.index
        values = {item.name: term.text for item, term in zip(transition.assignments, after, strict=True)}
        values |= {name: f"{text.load('memory')}[{name!r}]" for name in index.memory if name not in values}
        memory = [f"{name!r}: {self._raw(slot.type, values[name])}" for name, slot in index.memory.items()]
        intents = []
        for act, terms in zip(transition.acts, calls, strict=True):
            parameters = index.effects[act.call.effect].parameters
            pairs = zip(parameters, terms, strict=True)
            arguments = [f"{parameter.name!r}: {self._raw(parameter.type, term.text)}" for parameter, term in pairs]
            intents.append(f"intent({act.call.effect!r}, {{{', '.join(arguments)}}})")
        return (
            f"accepted({transition.name!r}, gate.case.state, {transition.target!r}, {{{', '.join(memory)}}}, "
            f"{_tuple(intents)}, gate.anchor, {_tuple(share.result for share in shares)}, "
            f"{_tuple(share.move for share in shares if share.move is not None)})"
        )

    def _raw(self, type_: Type, value: str) -> str:
        """Return what computes the raw form, `values.to_raw`, of a value that is known."""
        match type_:
            case BoolType() | IntType() | TextType() | IdType() | PrincipalType() | TimeType() | DurationType():
                return value
            case DecimalType(scale):
                return f"decimal({value}, {scale})"
            case _:
                write: Callable[[Any], Raw] = partial(to_raw, type_, entities=self._machine.index.entities)
                return f"{self._text.constant(write).text}({value})"


def _terms(terms: Iterable[Term]) -> str:
    return _tuple(term.text for term in terms)


def _tuple(items: Iterable[str]) -> str:
    return f"({''.join(f'{item}, ' for item in items)})"


def _types(machine: Machine, transition: Transition) -> Iterator[Type]:
    """Yield what each assignment and then each argument of each call must fit."""
    yield from (machine.index.memory[item.name].type for item in transition.assignments)
    for act in transition.acts:
        yield from (parameter.type for parameter in machine.index.effects[act.call.effect].parameters)


def _reads_signers(node: object) -> bool:
    match node:
        case ReadHistory(History.SIGNERS):
            return True
        case tuple():
            return any(_reads_signers(part) for part in node)
        case _ if dataclasses.is_dataclass(node):
            return any(_reads_signers(getattr(node, field.name)) for field in dataclasses.fields(node))
        case _:
            return False
