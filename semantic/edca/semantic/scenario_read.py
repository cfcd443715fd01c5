"""Reading a scenario: its givens and its proposal, checked against the machine, become a `World`.

What is wrong in a scenario is reported like any other mistake; the rest of it is read all the same.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.kernel.candidate import CONFIDENCE_SCALE
from edca.kernel.evaluate import Frame, closure_of
from edca.kernel.machine import ClauseKind, Machine
from edca.kernel.types import BoolType, PrincipalType, TimeType, Type
from edca.kernel.values import Unknown, Value, parse_decimal
from edca.kernel.verdict import Stage
from edca.semantic.check import check
from edca.semantic.lower import lower_expression
from edca.semantic.problems import Problems, did_you_mean
from edca.semantic.scenario_world import DEFAULT_NOW, World
from edca.semantic.scope import Scope

if TYPE_CHECKING:
    from edca.diagnostics.source import Span
    from edca.kernel.facts import Handle
    from edca.semantic.checked import CheckedSpec


# Codes of refusals that are no clause's: of early stages, and of values that can't be kept or handed on.
_OTHER_CODES = ("out_of_range", *(stage.value for stage in Stage), *(unknown.value for unknown in Unknown))


@dataclass(frozen=True, slots=True)
class ReadScenario:
    """A scenario that names nothing wrong: its world, and the memory it expects afterwards."""

    world: World
    expected: dict[str, Value]


def read_scenario(
    checked: CheckedSpec, machine: Machine, problems: Problems, scenario: tree.ScenarioDeclaration
) -> ReadScenario | None:
    """Return what the scenario says, or null with findings where something in it is wrong."""
    before = len(problems.found)
    reader = _Reader(checked, machine, problems)
    for given in scenario.givens:
        reader.read_given(given)
    world = reader.world_of(scenario.when)
    expected = reader.memory_of(scenario.then)
    if world is not None:
        reader.check_codes(scenario.then, world.transition)
    if world is None or len(problems.found) > before:
        return None
    return ReadScenario(world, expected)


@dataclass(slots=True)
class _Givens:
    """What the givens read so far add up to."""

    state: str | None = None
    now: int = DEFAULT_NOW
    subject: str | None = None
    memory: dict[str, Value] = field(default_factory=dict)
    facts: dict[Handle, dict[str, Value | Unknown]] = field(default_factory=dict)
    claims: dict[str, Value] = field(default_factory=dict)
    answers: dict[str, bool] = field(default_factory=dict)


class _Reader:
    """One scenario, given by given."""

    def __init__(self, checked: CheckedSpec, machine: Machine, problems: Problems) -> None:
        words = dataclasses.replace(checked.words, problems=problems)
        self._machine = machine
        self._problems = problems
        self._scope = Scope(words=words, definitions={}, constant=True, references=True)
        self._givens = _Givens()
        self._given: dict[object, Span] = {}
        self._confirms = {
            clause.code
            for transition in machine.transitions
            for clause in transition.clauses
            if clause.kind is ClauseKind.CONFIRM
        }

    def _value(self, node: tree.Expression, type_: Type) -> Value | Unknown:
        """Return a written value, or an unknown where it is wrong (and reported)."""
        found = check(self._scope, node, type_)
        if found is None:
            return Unknown.MISSING
        frame = Frame(arguments={}, memory={}, claims={}, inputs={}, facts={})
        value: Value | Unknown = closure_of(lower_expression(found, self._scope.definitions))(frame)
        return value

    def _once(self, what: object, name: str, span: Span) -> None:
        """Report what is given a second time: a scenario has one world."""
        if what in self._given:
            self._problems.add(
                "N002",
                span,
                f"`{name}` is given twice",
                help="keep one of them",
                declared=self._given[what],
                declared_label="first given here",
            )
        self._given.setdefault(what, span)

    def read_given(self, given: tree.Given) -> None:
        """Add one given."""
        match given:
            case tree.GivenState(state, _):
                self._once("state", state.text, state.span)
                found = self._machine.index.states.get(state.text)
                if found is None:
                    help_ = did_you_mean(state.text, self._machine.index.states)
                    self._problems.add("N006", state.span, f"there is no state `{state.text}`", help=help_)
                self._givens.state = state.text
            case tree.GivenValue(name, value, _):
                self._once(("value", name.text), name.text, name.span)
                self._given_value(name, value)
            case tree.GivenEntity():
                self._given_entity(given)

    def _given_value(self, name: tree.Name, node: tree.Expression) -> None:
        index, givens = self._machine.index, self._givens
        if name.text == "now":
            now = self._value(node, TimeType())
            givens.now = now if isinstance(now, int) else DEFAULT_NOW
        elif name.text == "subject":
            subject = self._value(node, PrincipalType(""))
            givens.subject = subject if isinstance(subject, str) else None
        elif name.text in index.memory:
            _keep(givens.memory, name.text, self._value(node, index.memory[name.text].type))
        elif name.text in index.claims:
            _keep(givens.claims, name.text, self._value(node, index.claims[name.text].type))
        elif name.text in self._confirms:
            givens.answers[name.text] = self._value(node, BoolType()) is True
        else:
            known = ("now", "subject", *index.memory, *index.claims, *sorted(self._confirms))
            help_ = did_you_mean(name.text, known, "give a memory field, a claim, a confirmation, `now` or `subject`")
            self._problems.add("N001", name.span, f"`{name.text}` can't be given", help=help_)

    def _given_entity(self, given: tree.GivenEntity) -> None:
        entity = self._machine.index.entities.get(given.entity.text)
        if entity is None:
            help_ = did_you_mean(given.entity.text, self._machine.index.entities)
            self._problems.add("N009", given.entity.span, f"there is no entity `{given.entity.text}`", help=help_)
            return
        if len(given.keys) != len(entity.key):
            message = f"the key of `{entity.name}` has {len(entity.key)} parts, found {len(given.keys)}"
            self._problems.add("T004", given.span, message)
            return
        key = [self._value(node, part.type) for node, part in zip(given.keys, entity.key, strict=True)]
        fields: dict[str, Value | Unknown] = {}
        types = {declared.name: declared.type for declared in entity.fields}
        for name, node in given.fields:
            if name.text not in types:
                help_ = did_you_mean(name.text, types)
                self._problems.add("N005", name.span, f"`{entity.name}` has no field `{name.text}`", help=help_)
            elif name.text in fields:
                self._problems.add("N002", name.span, f"`{name.text}` is given twice")
            else:
                fields[name.text] = self._value(node, types[name.text])
        known = tuple(part for part in key if not isinstance(part, Unknown))
        if len(known) == len(key):
            self._once((entity.name, known), f"this {entity.name}", given.entity.span)
            self._givens.facts[entity.name, known] = fields

    def world_of(self, when: tree.When) -> World | None:
        """Return the world with its proposal, or null where the role or the transition is none."""
        transition = self._machine.index.transitions.get(when.transition.text)
        role = self._machine.index.roles.get(when.role.text)
        if role is None:
            help_ = did_you_mean(when.role.text, self._machine.index.roles)
            self._problems.add("N007", when.role.span, f"there is no role `{when.role.text}`", help=help_)
            return None
        if transition is None:
            help_ = did_you_mean(when.transition.text, self._machine.index.transitions)
            message = f"there is no transition `{when.transition.text}`"
            self._problems.add("N015", when.transition.span, message, help=help_)
            return None
        types = {parameter.name: parameter.type for parameter in transition.parameters}
        arguments: dict[str, Value] = {}
        for name, node in when.arguments:
            if name.text not in types:
                message = f"`{transition.name}` has no parameter `{name.text}`"
                self._problems.add("N001", name.span, message, help=did_you_mean(name.text, types))
                continue
            _keep(arguments, name.text, self._value(node, types[name.text]))
        givens = self._givens
        return World(
            role=role.name,
            transition=transition.name,
            arguments=arguments,
            confidence=self._confidence(when),
            state=givens.state,
            now=givens.now,
            subject=givens.subject,
            memory=givens.memory,
            facts=givens.facts,
            claims=givens.claims,
            answers=givens.answers,
        )

    def _confidence(self, when: tree.When) -> int | None:
        if when.confidence is None:
            return None
        units = parse_decimal(when.confidence.digits, CONFIDENCE_SCALE)
        if units is None or not 0 <= units <= 10**CONFIDENCE_SCALE:
            help_ = f"write a number from 0 to 1 with at most {CONFIDENCE_SCALE} places"
            message = f"`{when.confidence.digits}` is no confidence"
            self._problems.add("T010", when.confidence.span, message, help=help_)
            return None
        return units

    def check_codes(self, then: tree.Then, transition: str) -> None:
        """Report a code that no verdict on this transition can have."""
        clauses = [clause.code for clause in self._machine.index.transitions[transition].clauses]
        for code in then.codes:
            if code.text not in clauses and (then.outcome == "escalated" or code.text not in _OTHER_CODES):
                help_ = did_you_mean(code.text, clauses if then.outcome == "escalated" else (*clauses, *_OTHER_CODES))
                message = f"`{transition}` has no clause `{code.text}`"
                self._problems.add("N001", code.span, message, label="no such code", help=help_)

    def memory_of(self, then: tree.Then) -> dict[str, Value]:
        """Return the memory that the scenario expects."""
        expected: dict[str, Value] = {}
        for name, node in then.memory:
            slot = self._machine.index.memory.get(name.text)
            if slot is None:
                help_ = did_you_mean(name.text, self._machine.index.memory)
                self._problems.add("N001", name.span, f"there is no memory field `{name.text}`", help=help_)
            else:
                _keep(expected, name.text, self._value(node, slot.type))
        return expected


def _keep(into: dict[str, Value], name: str, value: Value | Unknown) -> None:
    if not isinstance(value, Unknown):
        into[name] = value
