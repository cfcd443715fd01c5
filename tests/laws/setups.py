"""Whole decisions to vary, for any machine: built from parts, without the language."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edca.kernel.calendar import parse_date, parse_time
from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.canonical import encode
from edca.kernel.decide import decide, wanted
from edca.kernel.expression import Input, ReadInput
from edca.kernel.facts import Handle, Instance, Key
from edca.kernel.inputs import Attestation, Case, Inputs
from edca.kernel.machine import Machine, Transition
from edca.kernel.preview import preview
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.values import TIME_MAX, Unknown, Value
from edca.kernel.verdict import Verdict

MODEL = "model-of-2026-01-01"


def instant(text: str) -> int:
    """The instant of an RFC 3339 text."""
    found = parse_time(text)
    assert found is not None
    return found


def day(text: str) -> int:
    """The day of an ISO date."""
    found = parse_date(text)
    assert found is not None
    return found


NOW = instant("2026-03-20T12:00:00Z")


@dataclass(frozen=True)
class Setup:
    """One decision: everything that `decide` is given, with short ways to vary it."""

    machine: Machine
    case: Case | None
    candidate: Candidate | Malformed
    inputs: Inputs

    def decide(self) -> Verdict:
        """The verdict."""
        return decide(self.machine, self.case, self.candidate, self.inputs)

    def bytes(self) -> bytes:
        """The verdict's canonical bytes."""
        return encode(self.decide().to_raw())

    def wanted(self) -> tuple[tuple[Handle, tuple[str, ...]], ...]:
        """What still has to be read."""
        return wanted(self.machine, self.case, self.candidate, self.inputs)

    def with_case(self, **changes: Any) -> Setup:
        """The same with another case."""
        assert self.case is not None
        return dataclasses.replace(self, case=dataclasses.replace(self.case, **changes))

    def with_candidate(self, **changes: Any) -> Setup:
        """The same with another candidate."""
        assert isinstance(self.candidate, Candidate)
        return dataclasses.replace(self, candidate=dataclasses.replace(self.candidate, **changes))

    def with_arguments(self, **changes: Any) -> Setup:
        """The same with other arguments."""
        assert isinstance(self.candidate, Candidate)
        return self.with_candidate(arguments={**self.candidate.arguments, **changes})

    def with_inputs(self, **changes: Any) -> Setup:
        """The same with other inputs."""
        return dataclasses.replace(self, inputs=dataclasses.replace(self.inputs, **changes))

    def with_fact(self, handle: Handle, field: str, value: Value | Unknown) -> Setup:
        """The same with one field read as `value`."""
        old = self.inputs.facts[handle]
        return self.with_instance(dataclasses.replace(old, fields={**old.fields, field: value}))

    def with_instance(self, instance: Instance) -> Setup:
        """The same with one instance added or replaced."""
        return self.with_inputs(facts={**self.inputs.facts, (instance.entity, instance.key): instance})

    def without(self, handle: Handle) -> Setup:
        """The same with an instance that the source does not know."""
        lost = dataclasses.replace(self.inputs.facts[handle], found=False, state=None, fields={})
        return self.with_instance(lost)


def branches(setup: Setup) -> tuple[Transition, ...]:
    """The transitions that the candidate may mean."""
    if isinstance(setup.candidate, Malformed):
        return ()
    return setup.machine.index.offered.get(setup.candidate.transition, ())


def leaves(expression: object) -> Iterator[object]:
    """An expression and every part of it."""
    yield expression
    for field in dataclasses.fields(expression) if dataclasses.is_dataclass(expression) else ():
        value = getattr(expression, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            if dataclasses.is_dataclass(part):
                yield from leaves(part)


def reads_subject(setup: Setup) -> bool:
    """Whether any clause asks on whose behalf the candidate is."""
    read = [
        item
        for branch in branches(setup)
        for item in (*(clause.condition for clause in branch.clauses), *(let.value for let in branch.lets))
    ]
    return any(leaf == ReadInput(Input.SUBJECT) for expression in read for leaf in leaves(expression))


def instance(entity: str, *key: Value, as_of: int = NOW, **fields: Value | Unknown) -> Instance:
    """One instance that a source knows."""
    return Instance(entity, key, "test", as_of, True, None, fields)


def case_of(machine: Machine, entity: str, key: Key, state: str, **memory: Value) -> Case:
    """A case that has been where it is for a while."""
    return Case(
        id="case",
        entity=entity,
        key=key,
        state=state,
        memory={slot.name: slot.initial for slot in machine.memory} | memory,
        revision=3,
        entry=7,
        machine=machine.digest,
        pending=None,
        touched=NOW - 1_000_000,
        entered=NOW - 1_000_000,
        proposers={},
        signers={},
    )


def proposal(transition: str, proposer: str, role: str, subject: str | None, **arguments: Any) -> Candidate:
    """A candidate without a key, by a model if the proposer is `bot`."""
    return Candidate(
        transition=transition,
        arguments=arguments,
        proposer=proposer,
        role=role,
        subject=subject,
        model=MODEL if proposer == "bot" else None,
        revision=None,
        key="",
        confidence=9_100,
        evidence=(),
        rationale="",
    )


def roster_of(machine: Machine, model_role: str) -> Roster:
    """`bot` is a model, `carla` a customer, `sven` a supervisor with a mandate for the whole machine."""
    return Roster(
        (
            Principal("bot", (model_role,), MODEL),
            Principal("carla", ("customer",)),
            Principal("sven", ("supervisor",)),
        ),
        (Mandate("standing", "sven", "supervisor", machine.name, (), 0, TIME_MAX),),
    )


def said(
    name: str, value: Value, by: str = "carla", role: str = "customer", at: int = NOW, binds: bytes | None = None
) -> Attestation:
    """What a person vouched for, or what they answered to what they were shown."""
    return Attestation(name, value, by, role, "test", at, binds)


def shown(setup: Setup) -> bytes | None:
    """The digest of what people are shown before they answer."""
    found = preview(setup.machine, setup.case, setup.candidate, setup.inputs)
    return None if found is None else found.digest


def rebound(setup: Setup) -> Setup:
    """The same with every answer given anew to what would now come about."""
    seen = shown(setup)
    given = tuple(
        one if one.binds is None else dataclasses.replace(one, binds=seen) for one in setup.inputs.attestations
    )
    return setup.with_inputs(attestations=given)
