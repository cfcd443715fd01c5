"""The world of one decision in a scenario: what is given, and what is proposed in it.

A world is exactly what the scenario says. A fact, claim or answer that it doesn't give is unknown; a counter that it
doesn't give holds nothing, since counters are the kernel's own. The roster is made up: whoever the scenario names, one
more principal for each role, and a standing mandate of each human role for the whole machine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from edca.kernel.candidate import Candidate
from edca.kernel.decide import counters_wanted, decide
from edca.kernel.facts import Instance
from edca.kernel.inputs import NORMAL, Attestation, Case, Inputs, address
from edca.kernel.inquiry import Inquiry
from edca.kernel.machine import ClauseKind, Machine, RoleKind
from edca.kernel.preview import preview
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.values import TIME_MAX, Unknown, Value, to_raw

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edca.kernel.facts import Handle
    from edca.kernel.inputs import CounterKey
    from edca.kernel.machine import Clause, Parameter, Role, Transition, Window
    from edca.kernel.values import Raw
    from edca.kernel.verdict import Verdict

DEFAULT_NOW = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
MODEL = "scenario-model"
SOURCE = "scenario"
NEW = "new"  # the key that a scenario's routes allot to an instance that a transition creates

_ANSWERED = (ClauseKind.CONFIRM, ClauseKind.SIGN)


@dataclass(frozen=True, slots=True)
class Voice:
    """One person's yes or no to what a `confirm` or `sign` asks, or to a clause that may be waived.

    `shown` is the digest of the preview they answered; null: they answered what is decided now. `at_once`: they said it
    together with the candidate, before anybody was asked.
    """

    code: str
    yes: bool
    by: str
    role: str
    at: int
    shown: bytes | None = None
    at_once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that a scenario's decision is made from; times in microseconds UTC, `confidence` in 10^-4.

    `transition` is the offered name, or that of the query that is asked. `state` null means the initial one of the
    case's entity, `entered` null that the case came into it right now. `arguments` are values, not raw. `answers` holds
    by code what is made up to answer a `confirm` or `sign`: as many yeses as it asks for, or one no; `voices` are
    answers of named people. `counts` holds by the limit's code what its counter for the keys at hand stands at.
    `touched` and `pending` are the case's.
    """

    role: str
    principal: str
    transition: str
    arguments: Mapping[str, Value]
    confidence: int | None = None
    state: str | None = None
    entered: int | None = None
    now: int = DEFAULT_NOW
    mode: str = NORMAL
    subject: str | None = None
    memory: Mapping[str, Value] = field(default_factory=dict)
    proposers: Mapping[str, str] = field(default_factory=dict)
    signers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: Mapping[Handle, Mapping[str, Value | Unknown]] = field(default_factory=dict)
    claims: Mapping[str, Value] = field(default_factory=dict)
    answers: Mapping[str, bool] = field(default_factory=dict)
    voices: tuple[Voice, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    touched: int = 0
    pending: bytes | None = None
    allotted: str = NEW


@dataclass(frozen=True, slots=True)
class Question:
    """What `decide` is asked in a world, and which counters it reads.

    `shown` is the digest of the preview that answers in it are to; null where there is none, or nobody has answered.
    """

    case: Case | None
    candidate: Candidate
    inputs: Inputs
    counters: tuple[tuple[CounterKey, Window], ...]
    shown: bytes | None = None


def holder(role: str) -> str:
    """Return who proposes in a role, and makes its claims, where the scenario names nobody."""
    return f"the {role}"


def branches(machine: Machine, offered: str) -> tuple[Transition, ...]:
    """Return the transitions that candidates call by that name, in the order they are tried."""
    return machine.index.offered.get(offered, ())


def parameters_of(machine: Machine, name: str) -> tuple[Parameter, ...]:
    """Return the parameters of a query, or of the transitions that candidates call by that name."""
    query = machine.index.queries.get(name)
    return branches(machine, name)[0].parameters if query is None else query.parameters


def clauses_by_code(machine: Machine, offered: str, code: str) -> tuple[Clause, ...]:
    """Return the clauses of that code: of the branches of one name, or else of any other transition."""

    def among(transitions: Iterable[Transition]) -> tuple[Clause, ...]:
        return tuple(clause for transition in transitions for clause in transition.clauses if clause.code == code)

    return among(branches(machine, offered)) or among(machine.transitions)


def made_up_answers(machine: Machine, offered: str, code: str, yes: bool, at: int) -> tuple[Voice, ...]:
    """Return what people who are nobody else say to the clause: yeses of as many as it asks for, or one no."""
    asked = {
        (clause.role, clause.count if yes else 1)
        for clause in clauses_by_code(machine, offered, code)
        if clause.kind in _ANSWERED and clause.role is not None
    }
    return tuple(
        Voice(code, yes, f"the {role} asked for {code}" + (f" ({number})" if number > 1 else ""), role, at, None, True)
        for role, count in sorted(asked)
        for number in range(1, count + 1)
    )


def inquiry_of(machine: Machine, world: World) -> Inquiry:
    """Return what the world's role asks; of such a world, `transition` is the query's name."""
    is_model = machine.index.roles[world.role].kind is RoleKind.MODEL
    return Inquiry(
        query=world.transition,
        arguments=_raw_arguments(machine, world),
        proposer=world.principal,
        role=world.role,
        subject=world.subject,
        model=MODEL if is_model else None,
    )


def candidate_of(machine: Machine, world: World) -> Candidate:
    """Return what the world's role proposes. The role and the transition are the machine's."""
    is_model = machine.index.roles[world.role].kind is RoleKind.MODEL
    return Candidate(
        transition=world.transition,
        arguments=_raw_arguments(machine, world),
        proposer=world.principal,
        role=world.role,
        subject=world.subject,
        model=MODEL if is_model else None,
        revision=None,
        key="",
        confidence=world.confidence,
        evidence=(),
        rationale="",
    )


def _raw_arguments(machine: Machine, world: World) -> dict[str, Raw]:
    return {
        parameter.name: to_raw(parameter.type, world.arguments[parameter.name], machine.index.entities)
        for parameter in parameters_of(machine, world.transition)
        if parameter.name in world.arguments
    }


def case_of(machine: Machine, world: World, candidate: Candidate) -> Case | None:
    """Return the case that the candidate is about, null where its key can't be told."""
    about = address(machine, candidate)
    if about is None:
        return None
    key = about.key
    if key is None:
        key = tuple(world.allotted for _ in machine.index.entities[about.entity].key)
    return Case(
        id="scenario",
        entity=about.entity,
        key=key,
        state=world.state or machine.index.initial[about.entity],
        memory={slot.name: slot.initial for slot in machine.memory} | dict(world.memory),
        revision=0,
        entry=0,
        machine=machine.digest,
        pending=world.pending,
        touched=world.touched,
        entered=world.now if world.entered is None else world.entered,
        proposers=world.proposers,
        signers=world.signers,
    )


def inputs_of(machine: Machine, world: World) -> Inputs:
    """Return all else that the decision reads but its counters; facts and claims are of the world's `now`."""
    at = world.now
    facts = {
        handle: Instance(handle[0], handle[1], SOURCE, at, True, None, fields) for handle, fields in world.facts.items()
    }
    said = [
        Attestation(name, value, holder(by), by, SOURCE, at)
        for name, value in world.claims.items()
        for by in (machine.index.claims[name].by,)
    ]
    voices = list(world.voices)
    for code, yes in world.answers.items():
        voices += made_up_answers(machine, world.transition, code, yes, at)
    said += [
        Attestation(voice.code, voice.yes, voice.by, voice.role, SOURCE, voice.at, voice.shown) for voice in voices
    ]
    people = ((world.principal, world.role), *((voice.by, voice.role) for voice in voices))
    roster = _roster(machine.name, machine.roles, people)
    return Inputs(at, SOURCE, facts, tuple(said), roster, None, world.mode)


def question_of(machine: Machine, world: World) -> Question:
    """Return what is asked in the world."""
    candidate = candidate_of(machine, world)
    case, inputs = case_of(machine, world, candidate), inputs_of(machine, world)
    inputs, shown = _bound(machine, world, case, candidate, inputs)
    counted = any(
        clause.limit is not None for branch in branches(machine, world.transition) for clause in branch.clauses
    )
    if not counted:
        return Question(case, candidate, inputs, (), shown)
    counters = counters_wanted(machine, case, candidate, inputs)
    used = {key: world.counts.get(key[1], 0) for key, _ in counters}
    return Question(case, candidate, dataclasses.replace(inputs, used=used), counters, shown)


def _bound(
    machine: Machine, world: World, case: Case | None, candidate: Candidate, inputs: Inputs
) -> tuple[Inputs, bytes | None]:
    """Let whoever has not answered an earlier preview answer the one that is decided now, and return its digest.

    A `confirm` that is given together with the candidate stays without one, as it is when a host hands it over.
    """
    if not world.voices and not world.answers:
        return inputs, None
    seen = preview(machine, case, candidate, inputs)
    if seen is None:
        return inputs, None
    loose = {
        code
        for code in (*world.answers, *(voice.code for voice in world.voices if voice.at_once))
        if any(clause.kind is ClauseKind.CONFIRM for clause in clauses_by_code(machine, world.transition, code))
    }
    claims = machine.index.claims
    attestations = tuple(
        one
        if one.binds is not None or one.name in claims or one.name in loose
        else dataclasses.replace(one, binds=seen.digest)
        for one in inputs.attestations
    )
    return dataclasses.replace(inputs, attestations=attestations), seen.digest


def answer_of(machine: Machine, question: Question) -> Verdict:
    """Return the verdict on a question."""
    return decide(machine, question.case, question.candidate, question.inputs)


def judge(machine: Machine, world: World) -> Verdict:
    """Return the verdict on what is proposed in the world."""
    return answer_of(machine, question_of(machine, world))


@lru_cache(maxsize=64)  # a search makes thousands of worlds with the same few people
def _roster(machine: str, roles: tuple[Role, ...], people: tuple[tuple[str, str], ...]) -> Roster:
    """Return a roster with these people, who are models where the first role they are named in is a model's."""
    held: dict[str, list[str]] = {holder(role.name): [role.name] for role in roles}
    for principal, role in people:
        own = held.setdefault(principal, [])
        if role not in own:
            own.append(role)
    kinds = {role.name: role.kind for role in roles}
    principals = [
        Principal(name, tuple(own), MODEL if kinds[own[0]] is RoleKind.MODEL else None) for name, own in held.items()
    ]
    mandates = [
        Mandate(f"scenario {role.name}", holder(role.name), role.name, machine, (), 0, TIME_MAX)
        for role in roles
        if role.kind is RoleKind.HUMAN
    ]
    return Roster(tuple(principals), tuple(mandates))
