"""Scenarios: a spec's own examples, run through the very machine it compiles to.

A scenario's world is exactly what it says: a fact, claim or confirmation that it doesn't give is unknown. The roster is
made up: one principal for each role, and a standing mandate of each human role for the whole machine.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.kernel.candidate import CONFIDENCE_SCALE, Candidate
from edca.kernel.decide import decide
from edca.kernel.evaluate import Frame, closure_of
from edca.kernel.facts import Instance
from edca.kernel.inputs import Attestation, Case, Inputs, address
from edca.kernel.machine import ClauseKind, Machine, RoleKind
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.types import BoolType, PrincipalType, TimeType, Type
from edca.kernel.values import TIME_MAX, Unknown, Value, parse_decimal, to_raw
from edca.kernel.verdict import Accepted, Escalated, Refused, failed
from edca.semantic.check import check
from edca.semantic.explain import for_operator
from edca.semantic.lower import lower_expression
from edca.semantic.problems import Problems, did_you_mean
from edca.semantic.scope import Scope

if TYPE_CHECKING:
    from edca.diagnostics.diagnostic import Diagnostic
    from edca.diagnostics.source import Span
    from edca.kernel.facts import Handle
    from edca.kernel.values import Raw
    from edca.kernel.verdict import Verdict
    from edca.semantic.checked import CheckedSpec

DEFAULT_NOW = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
MODEL = "scenario-model"
SOURCE = "scenario"


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """Whether a scenario came out as it says, what came out instead, and where it stands."""

    title: str
    passed: bool
    detail: tuple[str, ...]
    span: Span


@dataclass(slots=True)
class _World:
    """What a scenario's givens add up to."""

    state: str | None = None
    now: int = DEFAULT_NOW
    subject: str | None = None
    memory: dict[str, Value] = field(default_factory=dict)
    facts: dict[Handle, Instance] = field(default_factory=dict)
    attestations: list[Attestation] = field(default_factory=list)
    bases: list[tuple[str, Value]] = field(default_factory=list)


def run_scenarios(
    spec: tree.Spec, checked: CheckedSpec, machine: Machine
) -> tuple[tuple[ScenarioResult, ...], tuple[Diagnostic, ...]]:
    """Run every scenario of a spec that compiled. What is wrong in a scenario itself comes back as diagnostics."""
    problems = Problems()
    results: list[ScenarioResult] = []
    for declaration in spec.declarations:
        if isinstance(declaration, tree.ScenarioDeclaration):
            runner = _Runner(checked, machine, problems, declaration)
            result = runner.run()
            if result is not None:
                results.append(result)
    return tuple(results), tuple(problems.found)


class _Runner:
    """One scenario, from its givens to its verdict."""

    def __init__(
        self, checked: CheckedSpec, machine: Machine, problems: Problems, scenario: tree.ScenarioDeclaration
    ) -> None:
        words = dataclasses.replace(checked.words, problems=problems)
        self._machine = machine
        self._problems = problems
        self._scenario = scenario
        self._scope = Scope(words=words, definitions={}, constant=True, references=True)
        self._world = _World()

    def run(self) -> ScenarioResult | None:
        """Return how it came out, or null where the scenario itself is wrong."""
        before = len(self._problems.found)
        for given in self._scenario.givens:
            self._given(given)
        candidate = self._candidate(self._scenario.when)
        expected = self._memory(self._scenario.then)
        if candidate is None or len(self._problems.found) > before:
            return None
        verdict = decide(self._machine, self._case(candidate), candidate, self._inputs())
        missed = _missed(self._machine, self._scenario.then, verdict, expected)
        detail = () if missed is None else (missed, *for_operator(self._machine, verdict))
        return ScenarioResult(self._scenario.title.value, missed is None, detail, self._scenario.span)

    def _value(self, node: tree.Expression, type_: Type) -> Value | Unknown:
        """Return a written value, or an unknown where it is wrong (and reported)."""
        found = check(self._scope, node, type_)
        if found is None:
            return Unknown.MISSING
        frame = Frame(arguments={}, memory={}, claims={}, inputs={}, facts={})
        value: Value | Unknown = closure_of(lower_expression(found, self._scope.definitions))(frame)
        return value

    def _given(self, given: tree.Given) -> None:
        match given:
            case tree.GivenState(state, _):
                found = self._machine.index.states.get(state.text)
                if found is None:
                    help_ = did_you_mean(state.text, self._machine.index.states)
                    self._problems.add("N006", state.span, f"there is no state `{state.text}`", help=help_)
                self._world.state = state.text
            case tree.GivenValue(name, value, _):
                self._given_value(name, value)
            case tree.GivenEntity():
                self._given_entity(given)

    def _given_value(self, name: tree.Name, node: tree.Expression) -> None:
        index, world = self._machine.index, self._world
        confirms = {
            clause.code: clause.role or ""
            for transition in self._machine.transitions
            for clause in transition.clauses
            if clause.kind is ClauseKind.CONFIRM
        }
        if name.text == "now":
            now = self._value(node, TimeType())
            world.now = now if isinstance(now, int) else DEFAULT_NOW
        elif name.text == "subject":
            subject = self._value(node, PrincipalType(""))
            world.subject = subject if isinstance(subject, str) else None
        elif name.text in index.memory:
            value = self._value(node, index.memory[name.text].type)
            if not isinstance(value, Unknown):
                world.memory[name.text] = value
        elif name.text in index.claims:
            claim = index.claims[name.text]
            self._attest(claim.name, self._value(node, claim.type), claim.by)
        elif name.text in confirms:
            self._attest(name.text, self._value(node, BoolType()), confirms[name.text])
        else:
            known = ("now", "subject", *index.memory, *index.claims, *confirms)
            help_ = did_you_mean(name.text, known, "give a memory field, a claim, a confirmation, `now` or `subject`")
            self._problems.add("N001", name.span, f"`{name.text}` can't be given", help=help_)

    def _attest(self, name: str, value: Value | Unknown, role: str) -> None:
        if not isinstance(value, Unknown):
            self._world.attestations.append(Attestation(name, value, f"the {role}", role, SOURCE, 0))

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
            self._world.facts[entity.name, known] = Instance(entity.name, known, SOURCE, 0, True, None, fields)

    def _candidate(self, when: tree.When) -> Candidate | None:
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
        arguments: dict[str, Raw] = {}
        for name, node in when.arguments:
            if name.text not in types:
                message = f"`{transition.name}` has no parameter `{name.text}`"
                self._problems.add("N001", name.span, message, help=did_you_mean(name.text, types))
                continue
            value = self._value(node, types[name.text])
            if not isinstance(value, Unknown):
                arguments[name.text] = to_raw(types[name.text], value, self._machine.index.entities)
        return Candidate(
            transition=transition.name,
            arguments=arguments,
            proposer=f"the {role.name}",
            role=role.name,
            subject=self._world.subject,
            model=MODEL if role.kind is RoleKind.MODEL else None,
            revision=None,
            key="",
            confidence=self._confidence(when),
            evidence=(),
            rationale="",
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

    def _memory(self, then: tree.Then) -> dict[str, Value | Unknown]:
        expected: dict[str, Value | Unknown] = {}
        for name, node in then.memory:
            slot = self._machine.index.memory.get(name.text)
            if slot is None:
                help_ = did_you_mean(name.text, self._machine.index.memory)
                self._problems.add("N001", name.span, f"there is no memory field `{name.text}`", help=help_)
            else:
                expected[name.text] = self._value(node, slot.type)
        return expected

    def _case(self, candidate: Candidate) -> Case | None:
        machine, world = self._machine, self._world
        about = address(machine, candidate)
        if about is None:
            return None
        key = about.key if about.key is not None else tuple("new" for _ in machine.index.entities[about.entity].key)
        return Case(
            id="scenario",
            entity=about.entity,
            key=key,
            state=world.state or machine.index.initial[about.entity],
            memory={slot.name: slot.initial for slot in machine.memory} | world.memory,
            revision=0,
            entry=0,
            machine=machine.digest,
            pending=None,
            touched=0,
        )

    def _inputs(self) -> Inputs:
        machine, world = self._machine, self._world
        at = world.now
        facts = {
            handle: Instance(i.entity, i.key, i.source, at, i.found, i.state, i.fields)
            for handle, i in world.facts.items()
        }
        attestations = tuple(Attestation(a.name, a.value, a.by, a.role, a.source, at) for a in world.attestations)
        return Inputs(at, SOURCE, facts, attestations, _roster(machine), None)


def _roster(machine: Machine) -> Roster:
    principals = [
        Principal(f"the {role.name}", (role.name,), MODEL if role.kind is RoleKind.MODEL else None)
        for role in machine.roles
    ]
    mandates = [
        Mandate(f"scenario {role.name}", f"the {role.name}", role.name, machine.name, (), 0, TIME_MAX)
        for role in machine.roles
        if role.kind is RoleKind.HUMAN
    ]
    return Roster(tuple(principals), tuple(mandates))


def _missed(machine: Machine, then: tree.Then, verdict: Verdict, expected: dict[str, Value | Unknown]) -> str | None:
    """Return what is not as the scenario says, or null."""
    outcome = {Accepted: "accepted", Refused: "refused", Escalated: "escalated"}[type(verdict)]
    if outcome != then.outcome:
        return f"expected {then.outcome}, got {outcome}"
    codes = {clause.code for clause in failed(verdict)} | {verdict.code}
    missing = sorted(code.text for code in then.codes if code.text not in codes)
    if missing:
        return f"expected {', '.join(missing)} among the failed clauses"
    if isinstance(verdict, Accepted):
        if then.target is not None and then.target.text != verdict.target:
            return f"expected to reach {then.target.text}, got {verdict.target}"
        for name, value in expected.items():
            slot = machine.index.memory[name]
            raw = None if isinstance(value, Unknown) else to_raw(slot.type, value, machine.index.entities)
            if verdict.memory[name] != raw:
                return f"expected {name} = {raw!r}, got {verdict.memory[name]!r}"
    return None
