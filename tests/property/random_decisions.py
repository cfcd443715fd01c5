"""Makes up decisions of a machine by chance: a case, a candidate and everything that is known, much of it unknown."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import worlds
from setups import shown

from edca.kernel.approvals import is_waivable
from edca.kernel.candidate import Candidate
from edca.kernel.decide import counters_wanted
from edca.kernel.evaluate import closure_of, known
from edca.kernel.facts import Instance, table
from edca.kernel.frames import frame_for
from edca.kernel.gate import bind_arguments
from edca.kernel.inputs import HALTED, NORMAL, Attestation, Authenticated, Case, Inputs
from edca.kernel.inquiry import Inquiry
from edca.kernel.machine import ClauseKind, RoleKind
from edca.kernel.program import program
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    IdType,
    IntType,
    ListType,
    OptionalType,
    PrincipalType,
    RecordType,
    ReferenceType,
    TextType,
    TimeType,
    Type,
)
from edca.kernel.values import TIME_MAX, Unknown, Value, to_raw

if TYPE_CHECKING:
    from random import Random

    from edca.kernel.expression import Expression
    from edca.kernel.machine import Machine, Query, Transition

NAMES = ("k1", "k2", "k3")
HOUR = 3_600_000_000
UNKNOWNS = list(Unknown)


def value_of(random: Random, type_: Type, machine: Machine) -> Value:
    """A value of the type; few different ones, so that some are equal."""
    match type_:
        case BoolType():
            return random.random() < 0.5
        case IntType(low, high) | DecimalType(_, low, high):
            return random.choice([low, high, random.randint(low, high), max(low, min(high, random.randint(0, 20)))])
        case TextType(most):
            return random.choice([text for text in ("", "a", "b c") if len(text) <= most])
        case IdType() | PrincipalType():
            return random.choice(NAMES)
        case DateType():
            return random.choice([20_000, 20_532, 20_533, -1])
        case TimeType():
            return random.choice([worlds.NOW, worlds.NOW - HOUR, worlds.NOW + 30 * HOUR, 0])
        case DurationType():
            return random.choice([0, HOUR, -HOUR, 72 * HOUR])
        case EnumType(_, values):
            return random.choice(values)[0]
        case ReferenceType(entity):
            return tuple(value_of(random, part.type, machine) for part in machine.index.entities[entity].key)
        case RecordType(_, parts):
            return tuple(value_of(random, part, machine) for _, part in parts)
        case ListType(low, high, of):
            return tuple(value_of(random, of, machine) for _ in range(random.randint(low, min(high, low + 3))))
        case OptionalType(of):
            return None if random.random() < 0.3 else value_of(random, of, machine)


def has_form_of(value: object, type_: Type) -> bool:
    """Tell whether a computed value is of the kind that its type says, whatever its bounds; unknown is of any type."""
    match type_:
        case _ if isinstance(value, Unknown):
            return True
        case BoolType():
            return isinstance(value, bool)
        case IntType() | DecimalType() | DateType() | TimeType() | DurationType():
            return isinstance(value, int) and not isinstance(value, bool)
        case TextType() | IdType() | PrincipalType():
            return isinstance(value, str)
        case EnumType(_, values):
            return isinstance(value, str) and value in dict(values)
        case ReferenceType():
            return isinstance(value, tuple)
        case RecordType(_, parts):
            return _all_have(value, tuple(part for _, part in parts))
        case ListType(_, _, of):
            return isinstance(value, tuple) and _all_have(value, (of,) * len(value))
        case OptionalType(of):
            return value is None or has_form_of(value, of)


def _all_have(value: object, types: tuple[Type, ...]) -> bool:
    if not isinstance(value, tuple) or len(value) != len(types):
        return False
    return all(has_form_of(part, type_) for part, type_ in zip(value, types, strict=True))


def results(setup: worlds.Setup, transition: Transition) -> list[tuple[object, Type]]:
    """All that a transition computes, each with the type that the checker promised."""
    machine, candidate = setup.machine, setup.candidate
    assert isinstance(candidate, Candidate) and setup.case is not None
    frame = frame_for(machine, setup.case, candidate, bind_arguments(machine, transition, candidate), setup.inputs)
    compiled = program(machine, transition.name)
    compiled.bind_lets(frame)
    clauses, acts = transition.clauses, transition.acts
    conditions = [closure_of(clause.condition) for clause in clauses]
    truths = [*conditions, *compiled.ensures, *(never.condition for never in compiled.nevers)]
    truths += [] if compiled.guard is None else [compiled.guard]
    found: list[tuple[object, Type]] = [(known(closure(frame)), BoolType()) for closure in truths]

    def value(expression: Expression) -> object:
        return known(closure_of(expression)(frame))

    for clause in clauses:
        people = [value(other) for other in clause.distinct_from]
        found += [(who, PrincipalType("")) for each in people for who in (each if isinstance(each, tuple) else (each,))]
        if clause.limit is not None:
            found += [(value(number), clause.limit.type) for number in (clause.limit.measure, clause.limit.bound)]
            keys = zip(clause.limit.keys, clause.limit.key_types, strict=True)
            found += [(value(key), type_) for key, type_ in keys]
    found += [(closure_of(item.value)(frame), machine.index.memory[item.name].type) for item in transition.assignments]
    for call in [*(act.call for act in acts), *(act.undo for act in acts)]:
        if call is not None:
            parameters = machine.index.effects[call.effect].parameters
            pairs = zip(call.arguments, parameters, strict=True)
            found += [(closure_of(argument)(frame), p.type) for argument, p in pairs]
    return found


def decision(random: Random, machine: Machine, transition: Transition) -> worlds.Setup:
    """One decision about that transition; mostly such that the early stages let it pass."""
    unknown = random.choice([0.0, 0.0, 0.2, 1.0])
    case = _case(random, machine, transition)
    candidate = _candidate(random, machine, transition)
    inputs = Inputs(
        now=worlds.NOW,
        clock="test",
        facts=table(_instance(random, machine, e.name, key, unknown) for e in machine.entities for key in NAMES[:2]),
        attestations=_attestations(random, machine, transition),
        roster=_roster(machine),
        key_used_by=None,
        mode=random.choice([NORMAL] * 12 + [HALTED, *machine.index.modes]),
    )
    setup = worlds.Setup(machine, case, candidate, inputs)
    wanted = counters_wanted(machine, case, candidate, inputs)
    setup = setup.with_inputs(used={key: random.randint(0, 30) for key, _ in wanted if random.random() >= unknown})
    return answering(random, setup)


def answering(random: Random, setup: worlds.Setup) -> worlds.Setup:
    """The same with most answers given to what would now come about, others to nothing or to something else."""
    seen, claims = shown(setup), setup.machine.index.claims

    def bound(one: Attestation) -> Attestation:
        binds = random.choice([seen, seen, seen, seen, None, b"another"])
        how = random.choice(list(Authenticated))
        return one if one.name in claims else dataclasses.replace(one, binds=binds, authenticated=how)

    return setup.with_inputs(attestations=tuple(bound(one) for one in setup.inputs.attestations))


def _instance(random: Random, machine: Machine, entity: str, name: str, unknown: float) -> Instance:
    declared = machine.index.entities[entity]
    fields = {
        field.name: random.choice(UNKNOWNS) if random.random() < unknown else value_of(random, field.type, machine)
        for field in declared.fields
    }
    key = tuple(
        name if isinstance(p.type, (IdType, PrincipalType)) else value_of(random, p.type, machine) for p in declared.key
    )
    as_of = worlds.NOW - (TIME_MAX // 4 if random.random() < unknown / 4 else 0)
    return Instance(entity, key, "test", as_of, random.random() >= unknown / 4, None, fields)


def _case(random: Random, machine: Machine, transition: Transition) -> Case:
    return Case(
        id="case",
        entity=transition.about,
        key=tuple(value_of(random, part.type, machine) for part in machine.index.entities[transition.about].key),
        state=random.choice(transition.sources),
        memory={field.name: value_of(random, field.type, machine) for field in machine.memory},
        revision=1,
        entry=1,
        machine=machine.digest,
        pending=None,
        touched=worlds.NOW - HOUR,
        entered=worlds.NOW - random.choice([0, HOUR, 24 * HOUR, 1000 * HOUR]),
        proposers={name: random.choice(NAMES) for name in machine.index.offered if random.random() < 0.6},
        signers={
            clause.code: tuple(sorted(random.sample(NAMES, random.randint(0, 2))))
            for other in machine.transitions
            for clause in other.clauses
            if clause.kind in (ClauseKind.CONFIRM, ClauseKind.SIGN) and random.random() < 0.6
        },
        human_only=random.random() < 0.1,
    )


def _candidate(random: Random, machine: Machine, transition: Transition) -> Candidate:
    role = random.choice(transition.by)
    kind = machine.index.roles[role].kind
    model = kind is RoleKind.MODEL
    arguments: dict[str, Any] = {
        p.name: to_raw(p.type, value_of(random, p.type, machine), machine.index.entities) for p in transition.parameters
    }
    return Candidate(
        transition=transition.offered,
        arguments=arguments,
        proposer="bot"
        if model
        else "timer"
        if machine.index.roles[role].kind is RoleKind.CLOCK
        else random.choice(NAMES),
        role=role,
        subject=random.choice([None, *NAMES]),
        model=worlds.MODEL if model else None,
        revision=None,
        key="",
        confidence=random.choice([None, 0, 8_500, 10_000]),
        evidence=(),
        rationale="",
    )


def _roster(machine: Machine) -> Roster:
    by_kind: dict[RoleKind, list[str]] = {kind: [] for kind in RoleKind}
    for role in machine.roles:
        by_kind[role.kind].append(role.name)
    people = tuple(Principal(name, tuple(by_kind[RoleKind.HUMAN])) for name in NAMES)
    others = (
        Principal("bot", tuple(by_kind[RoleKind.MODEL]), worlds.MODEL),
        Principal("timer", tuple(by_kind[RoleKind.CLOCK])),
    )
    mandates = tuple(
        Mandate(f"mandate-{role}", NAMES[0], role, machine.name, (), 0, TIME_MAX) for role in by_kind[RoleKind.HUMAN]
    )
    return Roster((*people, *others), mandates)


def disturbed_roster(random: Random, roster: Roster) -> Roster:
    """The same with something of one account or one mandate changed."""
    accounts, mandates = list(roster.principals), list(roster.mandates)
    now, place = worlds.NOW, random.randrange(len(accounts))
    accounts[place] = dataclasses.replace(
        accounts[place],
        person=random.choice([None, *(account.id for account in accounts)]),
        key=random.choice([None, bytes(32)]),
        starts=random.choice([None, None, now - 1, now, now + 1]),
        ends=random.choice([None, None, now - 1, now, now + 1]),
    )
    if mandates:
        place = random.randrange(len(mandates))
        mandates[place] = dataclasses.replace(
            mandates[place],
            uses_max=random.choice([None, 1, 2]),
            revoked_at=random.choice([None, now, now + 1]),
        )
    return Roster(tuple(accounts), tuple(mandates))


def _attestations(random: Random, machine: Machine, transition: Transition) -> tuple[Attestation, ...]:
    found = []
    for claim in machine.claims:
        if random.random() < 0.7:
            value = value_of(random, claim.type, machine)
            found.append(Attestation(claim.name, value, random.choice(NAMES), claim.by, "test", worlds.NOW))
    for clause in transition.clauses:
        for name in NAMES:
            if (clause.kind in (ClauseKind.CONFIRM, ClauseKind.SIGN) or is_waivable(clause)) and random.random() < 0.6:
                yes, at = random.random() < 0.8, worlds.NOW - random.choice([0, HOUR])
                found.append(Attestation(clause.code, yes, name, str(clause.role), "test", at))
    return tuple(found)


def inquiry(random: Random, machine: Machine, query: Query) -> tuple[Inquiry, Inputs]:
    """One inquiry of that query; mostly such that the early stages let it pass."""
    unknown = random.choice([0.0, 0.0, 0.0, 0.1, 1.0])
    role = random.choice(query.by if random.random() < 0.9 else list(machine.index.roles))
    model = machine.index.roles[role].kind is RoleKind.MODEL
    known = random.random() < 0.9
    arguments: dict[str, Any] = {
        p.name: to_raw(p.type, value_of(random, p.type, machine), machine.index.entities) for p in query.parameters
    }
    if random.random() < 0.05:
        arguments[random.choice(["more", *arguments])] = random.choice([None, "", -1, []])
    asked = Inquiry(
        query=query.name if random.random() < 0.95 else "nothing",
        arguments=arguments,
        proposer="bot" if model else random.choice(NAMES if known else ["timer", "nobody"]),
        role=role,
        subject=random.choice([None, *NAMES]),
        model=(worlds.MODEL if known else "another") if model else None,
    )
    kept = [(e.name, key) for e in machine.entities for key in NAMES if random.random() < 0.9]
    inputs = Inputs(
        now=worlds.NOW,
        clock="test",
        facts=table(_instance(random, machine, name, key, unknown) for name, key in kept),
        attestations=(),
        roster=disturbed_roster(random, _roster(machine)) if random.random() < 0.1 else _roster(machine),
        key_used_by=None,
        mode=random.choice([NORMAL] * 12 + [HALTED, "nowhere", *machine.index.modes]),
    )
    return asked, inputs
