"""Reading a scenario: its steps, checked against the machine, with every value computed.

What is wrong in a scenario is reported like any other mistake; the rest of it is read all the same.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, assert_never

from edca.dsl import tree
from edca.kernel.approvals import is_waivable
from edca.kernel.candidate import CONFIDENCE_SCALE
from edca.kernel.machine import Clause, ClauseKind, Machine, Never
from edca.kernel.types import ListType, RecordType
from edca.kernel.values import Unknown, Value, parse_decimal
from edca.kernel.verdict import PROPERTY_VIOLATED, Stage
from edca.semantic.problems import Problems, did_you_mean
from edca.semantic.scenario_givens import ANSWERED, GivenReader, Givens, keep
from edca.semantic.scenario_world import branches, holder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.diagnostics.source import Span
    from edca.kernel.machine import Parameter
    from edca.semantic.checked import CheckedSpec

# Codes of refusals that are no clause's: of early stages, of properties, and of values that can't be kept or handed on.
_OTHER_CODES = (
    "out_of_range",
    PROPERTY_VIOLATED,
    *(stage.value for stage in Stage),
    *(unknown.value for unknown in Unknown),
)


class Happened(enum.Enum):
    """What becomes of an effect."""

    SUCCEEDED = "succeeds"
    FAILED = "fails"
    TIMED_OUT = "times out"


@dataclass(frozen=True, slots=True)
class Proposes:
    """Somebody proposes; `transition` is the offered name."""

    role: str
    principal: str
    transition: str
    arguments: Mapping[str, Value]
    confidence: int | None


@dataclass(frozen=True, slots=True)
class Asks:
    """Somebody asks a query."""

    role: str
    principal: str
    query: str
    arguments: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Answers:
    """Somebody answers the candidate that the step before left open; `transition` is the one it asks for."""

    role: str
    principal: str
    code: str
    yes: bool
    transition: str


@dataclass(frozen=True, slots=True)
class Happens:
    """Something becomes of an effect of the step before."""

    effect: str
    happened: Happened


Event: TypeAlias = Proposes | Asks | Answers | Happens


@dataclass(frozen=True, slots=True)
class ReadStep:
    """A step that names nothing wrong.

    `memory` is what it expects of the case's memory afterwards, or of what a query returns; `span` is where it says
    what happens.
    """

    givens: tuple[Givens, ...]
    event: Event
    then: tree.Then
    memory: Mapping[str, Value]
    span: Span


def read_scenario(
    checked: CheckedSpec, machine: Machine, problems: Problems, scenario: tree.ScenarioDeclaration
) -> tuple[ReadStep, ...] | None:
    """Return the scenario's steps, or null with findings where something in it is wrong."""
    before = len(problems.found)
    reader = _Reader(checked, machine, problems)
    steps = [reader.read(step) for step in scenario.steps]
    if len(problems.found) > before:
        return None
    return tuple(step for step in steps if step is not None)


class _Reader:
    """One scenario, step by step."""

    def __init__(self, checked: CheckedSpec, machine: Machine, problems: Problems) -> None:
        self._machine = machine
        self._problems = problems
        self._givens = GivenReader(checked, machine, problems)
        self._last: tree.Step | None = None
        self._offered = ""  # what the last candidate asked for

    def read(self, step: tree.Step) -> ReadStep | None:
        """Return the step, null where who or what it is about is none."""
        if isinstance(step.when, tree.Proposal):
            self._offered = step.when.transition.text
        givens = self._givens.read(step.givens, self._offered)
        event = self._event(step.when)
        memory = self._returned(step.then, event) if isinstance(event, Asks) else self._memory(step.then)
        if isinstance(event, Asks):
            self._check_no_case(step.givens, givens)
        if step.then.target is not None:
            self._givens.check_state(step.then.target)
        if event is not None:
            self._check_then(step.then, event)
        self._last = step
        return None if event is None else ReadStep(givens, event, step.then, memory, step.when.span)

    def _event(self, when: tree.When) -> Event | None:
        match when:
            case tree.Proposal():
                return self._proposal(when)
            case tree.Asking():
                return self._asking(when)
            case tree.Answer():
                return self._answer(when)
            case tree.Happening():
                return self._happening(when)
            case _:
                assert_never(when)

    def _role(self, role: tree.Name) -> bool:
        if role.text in self._machine.index.roles:
            return True
        help_ = did_you_mean(role.text, self._machine.index.roles)
        self._problems.add("N007", role.span, f"there is no role `{role.text}`", help=help_)
        return False

    def _proposal(self, when: tree.Proposal) -> Proposes | None:
        offered = self._machine.index.offered
        if not self._role(when.role):
            return None
        if when.transition.text not in offered:
            help_ = did_you_mean(when.transition.text, offered)
            message = f"there is no transition `{when.transition.text}`"
            if when.transition.text in self._machine.index.queries:
                message = f"`{when.transition.text}` is a query, and nobody proposes one"
                help_ = f"write `when {when.role.text} asks {when.transition.text}(…)`"
            self._problems.add("N015", when.transition.span, message, help=help_)
            return None
        parameters = offered[when.transition.text][0].parameters
        return Proposes(
            role=when.role.text,
            principal=_principal(when.role, when.principal),
            transition=when.transition.text,
            arguments=self._arguments(when.transition, parameters, when.arguments),
            confidence=self._confidence(when),
        )

    def _arguments(
        self,
        of: tree.Name,
        parameters: Sequence[Parameter],
        written: Sequence[tuple[tree.Name, tree.Expression]],
    ) -> dict[str, Value]:
        types = {parameter.name: parameter.type for parameter in parameters}
        arguments: dict[str, Value] = {}
        for name, node in written:
            if name.text not in types:
                message = f"`{of.text}` has no parameter `{name.text}`"
                self._problems.add("N001", name.span, message, help=did_you_mean(name.text, types))
                continue
            keep(arguments, name.text, self._givens.value(node, types[name.text]))
        return arguments

    def _asking(self, when: tree.Asking) -> Asks | None:
        if not self._role(when.role):
            return None
        query = self._machine.index.queries.get(when.query.text)
        if query is None:
            help_ = did_you_mean(when.query.text, self._machine.index.queries)
            message = f"there is no query `{when.query.text}`"
            if when.query.text in self._machine.index.offered:
                message = f"`{when.query.text}` is a transition, and nobody asks one"
                help_ = f"write `when {when.role.text} proposes {when.query.text}(…)`"
            self._problems.add("N015", when.query.span, message, help=help_)
            return None
        arguments = self._arguments(when.query, query.parameters, when.arguments)
        return Asks(when.role.text, _principal(when.role, when.principal), query.name, arguments)

    def _check_no_case(self, written: Sequence[tree.Given], read: Sequence[Givens]) -> None:
        """Report givens of a case in a step that has none."""
        if any(part.state or part.entered or part.memory or part.proposers or part.signers for part in read) or any(
            part.claims or part.answers or part.counts for part in read
        ):
            message = "a query has no case: nothing of one can be given for it"
            help_ = "give `now`, `subject`, `mode` and entities here, and the rest in a step that proposes something"
            self._problems.add("P001", written[0].span, message, help=help_)

    def _returned(self, then: tree.Then, event: Asks) -> dict[str, Value]:
        """Return what the step expects the query to give; a row is written by the name of its list."""
        types = {one.name: one.type for one in self._machine.index.queries[event.query].returns}
        rows = {name: type_.of for name, type_ in types.items() if isinstance(type_, ListType)}
        records = {name: row for name, row in rows.items() if isinstance(row, RecordType) and row.name == name}
        expected: dict[str, Value] = {}
        for name, node in then.memory:
            if name.text not in types:
                message = f"`{event.query}` returns no `{name.text}`"
                self._problems.add("N001", name.span, message, help=did_you_mean(name.text, types))
            else:
                keep(expected, name.text, self._givens.value(node, types[name.text], records))
        return expected

    def _confidence(self, when: tree.Proposal) -> int | None:
        if when.confidence is None:
            return None
        units = parse_decimal(when.confidence.digits, CONFIDENCE_SCALE)
        if units is None or not 0 <= units <= 10**CONFIDENCE_SCALE:
            help_ = f"write a number from 0 to 1 with at most {CONFIDENCE_SCALE} places"
            message = f"`{when.confidence.digits}` is no confidence"
            self._problems.add("T010", when.confidence.span, message, help=help_)
            return None
        return units

    def _answer(self, when: tree.Answer) -> Answers | None:
        if not self._role(when.role):
            return None
        if self._last is None or self._last.then.outcome != "escalated":
            help_ = "put a step in front of it whose `then` says `escalated`"
            message = f"nothing waits for an answer: no step before leaves a candidate open for `{when.code.text}`"
            self._problems.add("P001", when.span, message, label="an answer to nothing", help=help_)
            return None
        clauses = [c for branch in branches(self._machine, self._offered) for c in branch.clauses]
        found = [clause for clause in clauses if clause.code == when.code.text]
        if not any(_takes(clause, when.word) for clause in found):
            self._wrong_answer(when, [clause.code for clause in clauses if _takes(clause, when.word)], found)
            return None
        yes = when.word != "declines"
        return Answers(when.role.text, _principal(when.role, when.principal), when.code.text, yes, self._offered)

    def _wrong_answer(self, when: tree.Answer, known: list[str], found: list[Clause]) -> None:
        words = {ClauseKind.CONFIRM: "confirms", ClauseKind.SIGN: "signs"}
        known_words = (words.get(clause.kind, "waives" if is_waivable(clause) else None) for clause in found)
        other = next((word for word in known_words if word is not None), None)
        help_ = did_you_mean(when.code.text, known) if other is None else f"write `{other} {when.code.text}`"
        kinds = {"confirms": "`confirm`", "signs": "`sign`", "declines": "answerable", "waives": "escalating"}
        message = f"`{self._offered}` has no {kinds[when.word]} clause `{when.code.text}`"
        self._problems.add("N001", when.code.span, message, label="no such code", help=help_)

    def _happening(self, when: tree.Happening) -> Happens | None:
        effects = self._machine.index.effects
        if when.effect.text not in effects:
            help_ = did_you_mean(when.effect.text, effects)
            self._problems.add("N008", when.effect.span, f"there is no effect `{when.effect.text}`", help=help_)
            return None
        acts = [act.call.effect for branch in branches(self._machine, self._offered) for act in branch.acts]
        under_way = self._last is not None and self._last.then.outcome in ("accepted", "in")
        if not under_way or when.effect.text not in acts:
            help_ = f"put a step in front of it that accepts a transition with `do {when.effect.text}(…)`"
            message = f"`{when.effect.text}` is not under way: no step before entitles to it"
            self._problems.add("P001", when.span, message, label="an effect of nothing", help=help_)
            return None
        word = "times out" if when.word == "times" else when.word
        return Happens(when.effect.text, Happened(word))

    def _check_then(self, then: tree.Then, event: Event) -> None:
        """Report a `then` that nothing like this can come to: a verdict on no candidate, or a code that is none."""
        if isinstance(event, Asks) != (then.outcome == "returned") and then.outcome != "refused":
            allowed = "returned` or `refused" if isinstance(event, Asks) else "accepted`, `refused` or `escalated"
            message = "a query moves nothing" if isinstance(event, Asks) else "only a query returns something"
            if not isinstance(event, Happens):
                self._problems.add("P001", then.span, message, help=f"write `then {allowed}`")
                return
        if isinstance(event, Asks):
            codes = [clause.code for clause in self._machine.index.queries[event.query].clauses]
            for code in then.codes:
                if code.text not in (*codes, *_OTHER_CODES):
                    near = did_you_mean(code.text, (*codes, *_OTHER_CODES))
                    message = f"`{event.query}` has no clause `{code.text}`"
                    self._problems.add("N001", code.span, message, label="no such code", help=near)
            return
        if isinstance(event, Happens):
            if then.outcome != "in":
                message = f"nobody proposes anything in this step, so nothing is {then.outcome}"
                self._problems.add("P001", then.span, message, help="write `then in STATE`")
            return
        clauses = [clause for branch in branches(self._machine, event.transition) for clause in branch.clauses]
        known = [clause.code for clause in clauses]
        waiting = {clause.code for clause in clauses if clause.kind in ANSWERED or is_waivable(clause)}
        nevers = [found.code for found in self._machine.properties if isinstance(found, Never)]
        others = (*known, *nevers, *self._machine.index.modes, *_OTHER_CODES)
        for code in then.codes:
            if then.outcome == "escalated" and code.text in others and code.text not in waiting:
                message = f"nothing is escalated for `{code.text}`: it refuses"
                help_ = f"write `then refused {code.text}`"
                self._problems.add("N001", code.span, message, label="refuses", help=help_)
            elif code.text not in (known if then.outcome == "escalated" else others):
                near = did_you_mean(code.text, known if then.outcome == "escalated" else others)
                message = f"`{event.transition}` has no clause `{code.text}`"
                self._problems.add("N001", code.span, message, label="no such code", help=near)

    def _memory(self, then: tree.Then) -> dict[str, Value]:
        """Return the memory that the step expects."""
        expected: dict[str, Value] = {}
        for name, node in then.memory:
            slot = self._machine.index.memory.get(name.text)
            if slot is None:
                help_ = did_you_mean(name.text, self._machine.index.memory)
                self._problems.add("N001", name.span, f"there is no memory field `{name.text}`", help=help_)
            else:
                keep(expected, name.text, self._givens.value(node, slot.type))
        return expected


def _takes(clause: Clause, word: str) -> bool:
    """Tell whether a person can say that word to the clause."""
    match word:
        case "confirms":
            return clause.kind is ClauseKind.CONFIRM
        case "signs":
            return clause.kind is ClauseKind.SIGN
        case "waives":
            return is_waivable(clause)
        case _:
            return clause.kind in ANSWERED or is_waivable(clause)


def _principal(role: tree.Name, principal: tree.Text | None) -> str:
    return holder(role.text) if principal is None else principal.value
