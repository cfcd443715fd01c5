"""The world of one scenario: what is given, and what is proposed in it.

A world is exactly what the scenario says. A fact, claim or confirmation that it doesn't give is unknown. The roster is
made up: one principal for each role, and a standing mandate of each human role for the whole machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.candidate import Candidate
from edca.kernel.facts import Instance
from edca.kernel.inputs import Attestation, Case, Inputs, address
from edca.kernel.machine import ClauseKind, Machine, RoleKind
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.values import TIME_MAX, Unknown, Value, to_raw

if TYPE_CHECKING:
    from edca.kernel.facts import Handle

DEFAULT_NOW = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
MODEL = "scenario-model"
SOURCE = "scenario"


@dataclass(frozen=True, slots=True)
class World:
    """Everything that a scenario's decision is made from; `now` in microseconds UTC, `confidence` in 10^-4.

    `state` null means the initial one of the case's entity. `arguments` are values, not raw. `answers` holds the yes or
    no to each `confirm` that was asked, by the clause's code.
    """

    role: str
    transition: str
    arguments: Mapping[str, Value]
    confidence: int | None
    state: str | None
    now: int
    subject: str | None
    memory: Mapping[str, Value]
    facts: Mapping[Handle, Mapping[str, Value | Unknown]]
    claims: Mapping[str, Value]
    answers: Mapping[str, bool]


def holder(role: str) -> str:
    """Return the one principal of a scenario's roster who holds the role."""
    return f"the {role}"


def candidate_of(machine: Machine, world: World) -> Candidate:
    """Return what the world's role proposes. The role and the transition are the machine's."""
    transition, entities = machine.index.transitions[world.transition], machine.index.entities
    is_model = machine.index.roles[world.role].kind is RoleKind.MODEL
    return Candidate(
        transition=transition.name,
        arguments={
            parameter.name: to_raw(parameter.type, world.arguments[parameter.name], entities)
            for parameter in transition.parameters
            if parameter.name in world.arguments
        },
        proposer=holder(world.role),
        role=world.role,
        subject=world.subject,
        model=MODEL if is_model else None,
        revision=None,
        key="",
        confidence=world.confidence,
        evidence=(),
        rationale="",
    )


def case_of(machine: Machine, world: World, candidate: Candidate) -> Case | None:
    """Return the case that the candidate is about, null where its key can't be told."""
    about = address(machine, candidate)
    if about is None:
        return None
    key = about.key if about.key is not None else tuple("new" for _ in machine.index.entities[about.entity].key)
    return Case(
        id="scenario",
        entity=about.entity,
        key=key,
        state=world.state or machine.index.initial[about.entity],
        memory={slot.name: slot.initial for slot in machine.memory} | dict(world.memory),
        revision=0,
        entry=0,
        machine=machine.digest,
        pending=None,
        touched=0,
    )


def inputs_of(machine: Machine, world: World) -> Inputs:
    """Return all else that the decision reads; everything was read, and said, at the world's `now`."""
    at = world.now
    facts = {
        handle: Instance(handle[0], handle[1], SOURCE, at, True, None, fields) for handle, fields in world.facts.items()
    }
    said = [
        Attestation(name, value, holder(by), by, SOURCE, at)
        for name, value in world.claims.items()
        for by in (machine.index.claims[name].by,)
    ]
    said += [
        Attestation(code, answer, holder(by), by, SOURCE, at)
        for code, answer in world.answers.items()
        for by in (confirming_role(machine, world.transition, code),)
        if by is not None
    ]
    return Inputs(at, SOURCE, facts, tuple(said), _roster(machine), None)


def confirming_role(machine: Machine, transition: str, code: str) -> str | None:
    """Return who answers a `confirm` of that code: the transition's own, or else any other's; null where none is."""
    own = machine.index.transitions.get(transition)
    for candidate in (*(() if own is None else (own,)), *machine.transitions):
        for clause in candidate.clauses:
            if clause.kind is ClauseKind.CONFIRM and clause.code == code:
                role: str | None = clause.role
                return role
    return None


def _roster(machine: Machine) -> Roster:
    principals = [
        Principal(holder(role.name), (role.name,), MODEL if role.kind is RoleKind.MODEL else None)
        for role in machine.roles
    ]
    mandates = [
        Mandate(f"scenario {role.name}", holder(role.name), role.name, machine.name, (), 0, TIME_MAX)
        for role in machine.roles
        if role.kind is RoleKind.HUMAN
    ]
    return Roster(tuple(principals), tuple(mandates))
