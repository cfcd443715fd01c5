"""Law 2: what is unknown never lets anything through, and what isn't declared can't happen."""

import dataclasses
import itertools
from collections.abc import Iterator

import pytest
import worlds
from setups import branches, leaves, reads_subject
from worlds import Setup

from edca.kernel.expression import ReadFact
from edca.kernel.facts import Handle
from edca.kernel.frames import fields_of
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
    return field in fields_of(branches(setup), handle[0])


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
        assert isinstance(with_value, Accepted)
        # Who has answered a clause may differ: it was demanded while nobody knew that it need not be.
        bare, other = (dataclasses.replace(verdict, clauses=()) for verdict in (accepted, with_value))
        assert other == bare, f"{handle}.{field} = {value!r}"


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
    bare = setup.with_inputs(facts={}).decide()
    assert not isinstance(bare, Accepted) or not any(branch.evidence for branch in branches(setup))


@pytest.mark.parametrize(("name", "setup"), CASES)
def test_losing_what_people_said_never_lets_anything_through(name: str, setup: Setup) -> None:
    accepted = isinstance(setup.decide(), Accepted)
    for attestation in setup.inputs.attestations:
        rest = tuple(item for item in setup.inputs.attestations if item != attestation)
        assert accepted or not isinstance(setup.with_inputs(attestations=rest).decide(), Accepted)


@pytest.mark.parametrize(("name", "setup"), CASES)
def test_losing_who_acted_never_lets_anything_through(name: str, setup: Setup) -> None:
    accepted = isinstance(setup.decide(), Accepted)
    for lost in ({"proposers": {}}, {"signers": {}}, {"proposers": {}, "signers": {}}):
        assert accepted or not isinstance(setup.with_case(**lost).decide(), Accepted)


@pytest.mark.parametrize(("name", "setup"), CASES)
def test_a_limit_that_nobody_counts_lets_nothing_through(name: str, setup: Setup) -> None:
    before, uncounted = setup.decide(), setup.with_inputs(used={}).decide()
    applies = isinstance(before, Accepted) and before.moves
    assert isinstance(uncounted, Accepted) is (isinstance(before, Accepted) and not applies)
    assert not applies or Unknown.UNCOUNTED in {clause.reason for clause in uncounted.clauses}


@pytest.mark.parametrize(("name", "setup"), CASES)
@pytest.mark.parametrize("mode", ["halted", "a mode that no spec declares"])
def test_halt_and_unknown_modes_let_nothing_through(name: str, setup: Setup, mode: str) -> None:
    verdict = setup.with_inputs(mode=mode).decide()
    assert isinstance(verdict, Refused)
    assert verdict.stage is Stage.HALTED


@pytest.mark.parametrize(("name", "setup"), CASES)
def test_a_declared_mode_lets_through_no_more_than_no_mode(name: str, setup: Setup) -> None:
    normal = setup.with_inputs(mode="normal").decide()
    for mode in setup.machine.modes:
        verdict = setup.with_inputs(mode=mode.name).decide()
        assert verdict == normal or (isinstance(verdict, Refused) and verdict.stage is Stage.MODE)


def test_the_worlds_have_all_of_these() -> None:
    """Otherwise the four tests above say little."""
    verdicts = [setup.decide() for _, setup in ACCEPTED]
    assert any(isinstance(verdict, Accepted) and verdict.moves for verdict in verdicts)
    assert any(setup.case is not None and setup.case.signers for _, setup in ACCEPTED)
    assert any(setup.machine.modes for _, setup in ACCEPTED)


@pytest.mark.parametrize(("name", "setup"), [(n, s) for n, s in ACCEPTED if s.machine.fresh_us is not None])
@pytest.mark.parametrize("shift", ["too old", "from the future"])
def test_facts_of_another_time_are_none(name: str, setup: Setup, shift: str) -> None:
    assert setup.machine.fresh_us is not None
    age = setup.machine.fresh_us + 1 if shift == "too old" else -1
    for handle, instance in setup.inputs.facts.items():
        other = setup.with_instance(dataclasses.replace(instance, as_of=setup.inputs.now - age)).decide()
        lost = setup.without(handle).decide()
        assert type(other) is type(lost)
        assert other.code == lost.code
        reasons = {clause.reason for clause in other.clauses if clause.result is Result.UNKNOWN}
        assert isinstance(other, Accepted) or other.stage is Stage.NO_BRANCH or Unknown.STALE in reasons


@pytest.mark.parametrize(("name", "setup"), ACCEPTED)
@pytest.mark.parametrize("reason", FACT_REASONS)
def test_a_forbid_fires_on_what_is_unknown(name: str, setup: Setup, reason: Unknown) -> None:
    blind = setup
    for handle, field in _fields(setup):
        blind = blind.with_fact(handle, field, reason)
    verdict = blind.decide()
    declared = [clause for branch in branches(setup) for clause in branch.clauses if clause.kind is ClauseKind.FORBID]
    reading = {c.code for c in declared if any(isinstance(leaf, ReadFact) for leaf in leaves(c.condition))}
    unknown = {c.code: c.reason for c in verdict.clauses if c.kind is ClauseKind.FORBID and c.reason is not None}
    if isinstance(verdict, Refused) and verdict.stage is Stage.NO_BRANCH:
        return
    assert set(unknown) == reading
    assert set(unknown.values()) <= {reason}
    assert isinstance(verdict, Refused) or not reading


@pytest.mark.parametrize(("name", "setup"), [(name, setup) for name, setup in ACCEPTED if reads_subject(setup)])
def test_without_a_subject_nothing_is_anyones(name: str, setup: Setup) -> None:
    verdict = setup.with_candidate(subject=None).decide()
    assert isinstance(verdict, Refused)
    failing = next(clause for clause in verdict.clauses if clause.code == verdict.code)
    assert (failing.kind, failing.reason) == (ClauseKind.FORBID, Unknown.UNSTATED)


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
            for offered, alike in machine.index.offered.items():
                if not any(state.name in branch.sources and branch.about == entity for branch in alike):
                    yield machine, entity, state.name, offered
            yield machine, entity, state.name, "make_me_rich"
            yield from ((machine, entity, state.name, t.name) for t in machine.transitions if t.name != t.offered)


@pytest.mark.parametrize(
    ("machine", "entity", "state", "transition"),
    [pytest.param(*row, id=f"{row[0].name}-{row[1]}-{row[2]}-{row[3]}") for row in _undeclared()],
)
def test_what_is_not_declared_cannot_happen(machine: Machine, entity: str, state: str, transition: str) -> None:
    allowed = {role for branch in machine.index.offered.get(transition, ()) for role in branch.by}
    for role in [role for role in machine.roles if not allowed or role.name in allowed]:
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
