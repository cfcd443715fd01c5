"""Law 2: what is unknown never lets anything through, and what isn't declared can't happen."""

import dataclasses
import itertools
from collections.abc import Iterator

import pytest
import worlds
from worlds import Setup

from edca.kernel.candidate import Candidate
from edca.kernel.facts import Handle
from edca.kernel.inputs import Inputs
from edca.kernel.machine import ClauseKind, Machine, RoleKind
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    EnumType,
    IntType,
    ListType,
    OptionalType,
    PrincipalType,
    TimeType,
    Type,
)
from edca.kernel.values import TIME_MAX, Unknown, Value
from edca.kernel.verdict import Accepted, Refused, Result, Stage

FACT_REASONS = (Unknown.MISSING, Unknown.STALE, Unknown.DRIFT)


def _fields(setup: Setup) -> Iterator[tuple[Handle, str]]:
    for handle, instance in setup.inputs.facts.items():
        for field in instance.fields:
            yield handle, field


def _is_read(setup: Setup, handle: Handle, field: str) -> bool:
    assert isinstance(setup.candidate, Candidate)
    evidence = setup.machine.index.transitions[setup.candidate.transition].evidence
    return any(item.entity == handle[0] and field in item.fields for item in evidence)


def _samples(type_: Type) -> list[Value]:
    """A few values of a type that differ as much as they can."""
    match type_:
        case BoolType():
            return [False, True]
        case IntType(low, high) | DecimalType(_, low, high):
            return [low, high, (low + high) // 2]
        case EnumType(_, values):
            return [name for name, _ in values]
        case TimeType():
            return [0, worlds.NOW]
        case DateType():
            return [0]
        case PrincipalType():
            return ["carla", "mallory"]
        case ListType(0, _, _):
            return [()]
        case OptionalType(of):
            return [None, *_samples(of)]
        case _:
            return []


CASES = worlds.all_setups()
ACCEPTED = worlds.accepted_setups()


@pytest.mark.parametrize(("name", "setup"), CASES)
def test_losing_a_fact_never_lets_anything_through(name: str, setup: Setup) -> None:
    before = setup.decide()
    for (handle, field), reason in itertools.product(_fields(setup), FACT_REASONS):
        after = setup.with_fact(handle, field, reason).decide()
        if not _is_read(setup, handle, field):
            assert after == before, f"{handle}.{field} isn't read"
        elif isinstance(after, Accepted):
            assert isinstance(before, Accepted), f"{handle}.{field} lost to {reason}"
            _assert_irrelevant(setup, handle, field, after)


def _assert_irrelevant(setup: Setup, handle: Handle, field: str, accepted: Accepted) -> None:
    """What is accepted without a fact is accepted, with the same consequences, whatever that fact is."""
    declared = setup.machine.index.entities[handle[0]].field(field)
    for value in _samples(declared.type):
        with_value = setup.with_fact(handle, field, value).decide()
        assert with_value == accepted, f"{handle}.{field} = {value!r}"


def test_the_deletions_matter() -> None:
    """Most facts of the accepted decisions are needed; otherwise the test above says little."""
    needed = [
        (name, handle, field)
        for name, setup in ACCEPTED
        for handle, field in _fields(setup)
        if not isinstance(setup.with_fact(handle, field, Unknown.MISSING).decide(), Accepted)
    ]
    assert len(needed) >= 30


@pytest.mark.parametrize(("name", "setup"), CASES)
def test_losing_an_instance_never_lets_anything_through(name: str, setup: Setup) -> None:
    accepted = isinstance(setup.decide(), Accepted)
    for handle in setup.inputs.facts:
        gone = setup.without(handle)
        never_read = setup.with_inputs(facts={h: i for h, i in setup.inputs.facts.items() if h != handle})
        for variant in (gone, never_read):
            assert accepted or not isinstance(variant.decide(), Accepted)
    assert not isinstance(setup.with_inputs(facts={}).decide(), Accepted)


@pytest.mark.parametrize(("name", "setup"), CASES)
def test_losing_what_people_said_never_lets_anything_through(name: str, setup: Setup) -> None:
    accepted = isinstance(setup.decide(), Accepted)
    for attestation in setup.inputs.attestations:
        rest = tuple(item for item in setup.inputs.attestations if item != attestation)
        assert accepted or not isinstance(setup.with_inputs(attestations=rest).decide(), Accepted)


@pytest.mark.parametrize(("name", "setup"), [(n, s) for n, s in ACCEPTED if s.machine.fresh_us is not None])
@pytest.mark.parametrize("shift", ["too old", "from the future"])
def test_facts_of_another_time_are_none(name: str, setup: Setup, shift: str) -> None:
    assert setup.machine.fresh_us is not None
    age = setup.machine.fresh_us + 1 if shift == "too old" else -1
    for instance in setup.inputs.facts.values():
        other = setup.with_instance(dataclasses.replace(instance, as_of=setup.inputs.now - age)).decide()
        assert not isinstance(other, Accepted)
        reasons = {clause.reason for clause in other.clauses if clause.result is Result.UNKNOWN}
        assert Unknown.STALE in reasons


@pytest.mark.parametrize(("name", "setup"), ACCEPTED)
@pytest.mark.parametrize("reason", FACT_REASONS)
def test_a_forbid_fires_on_what_is_unknown(name: str, setup: Setup, reason: Unknown) -> None:
    blind = setup
    for handle, field in _fields(setup):
        blind = blind.with_fact(handle, field, reason)
    verdict = blind.decide()
    assert isinstance(verdict, Refused)
    forbids = {c.code: c for c in verdict.clauses if c.kind is ClauseKind.FORBID}
    reading = {code for code, clause in forbids.items() if clause.result is Result.UNKNOWN}
    # `not_you` reads only the key of the customer's own profile, which is known however the source answers.
    assert reading == set(forbids) - {"not_you"}
    assert {forbids[code].reason for code in reading} <= {reason}


@pytest.mark.parametrize(("name", "setup"), ACCEPTED)
def test_without_a_subject_nothing_is_anyones(name: str, setup: Setup) -> None:
    verdict = setup.with_candidate(subject=None).decide()
    assert isinstance(verdict, Refused)
    assert verdict.code in ("not_yours", "not_you")


# --- closed world ---


def _machines() -> list[Machine]:
    found = [worlds.compiled(path).machine for path in worlds.SPECS]
    return [machine for machine in found if machine is not None]


def _everybody(machine: Machine) -> Roster:
    model = {RoleKind.MODEL: worlds.MODEL}
    people = [Principal(role.name, (role.name,), model.get(role.kind)) for role in machine.roles]
    humans = [role.name for role in machine.roles if role.kind is RoleKind.HUMAN]
    return Roster(tuple(people), tuple(Mandate(n, n, n, machine.name, (), 0, TIME_MAX) for n in humans))


def _undeclared() -> Iterator[tuple[Machine, str, str, str]]:
    """Every machine, entity of a case, state and transition (and one of no name) that do not belong together."""
    for machine in _machines():
        for entity, state in itertools.product(machine.index.initial, machine.states):
            for transition in machine.transitions:
                if state.name not in transition.sources or transition.about != entity:
                    yield machine, entity, state.name, transition.name
            yield machine, entity, state.name, "make_me_rich"


@pytest.mark.parametrize(
    ("machine", "entity", "state", "transition"),
    [pytest.param(*row, id=f"{row[0].name}-{row[1]}-{row[2]}-{row[3]}") for row in _undeclared()],
)
def test_what_is_not_declared_cannot_happen(machine: Machine, entity: str, state: str, transition: str) -> None:
    declared = machine.index.transitions.get(transition)
    for role in machine.roles if declared is None else map(machine.index.roles.__getitem__, declared.by):
        model = worlds.MODEL if role.kind is RoleKind.MODEL else None
        candidate = dataclasses.replace(worlds.proposal(transition, role.name, role.name, "carla"), model=model)
        inputs = Inputs(worlds.NOW, "test", {}, (), _everybody(machine), None)
        setup = Setup(machine, worlds.case_of(machine, entity, ("x",), state), candidate, inputs)
        verdict = setup.decide()
        assert isinstance(verdict, Refused)
        assert (verdict.code, verdict.stage) == ("no_such_transition", Stage.NO_SUCH_TRANSITION)
        assert verdict.clauses == ()
        assert setup.wanted() == ()


def test_every_spec_has_undeclared_pairs() -> None:
    assert {row[0].name for row in _undeclared()} == {machine.name for machine in _machines()}
