"""Goal: three-valued logic is Kleene's, compared with truth tables written from his definition; and it is monotone."""

import itertools
from typing import Any

import pytest
import worlds
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import FACTS, VOCABULARY, expressions, values

from edca.diagnostics import Source
from edca.kernel.evaluate import Frame, closure_of
from edca.kernel.expression import (
    Conjunction,
    Constant,
    Disjunction,
    Expression,
    Fold,
    Negation,
    ReadClaim,
    ReadLocal,
    ReadMemory,
    Reduce,
)
from edca.kernel.inputs import Inputs
from edca.kernel.machine import Machine
from edca.kernel.roster import Principal, Roster
from edca.kernel.values import Unknown
from edca.kernel.verdict import Accepted, Result
from edca.semantic.compile import Compiled, compile_spec

TRUTHS = (True, False, None)  # None: unknown
UNKNOWNS = list(Unknown)


def _kleene_and(truths: tuple[bool | None, ...]) -> bool | None:
    """The least in the order false < unknown < true."""
    order = {False: 0, None: 1, True: 2}
    return min(truths, key=order.__getitem__, default=True)


def _kleene_or(truths: tuple[bool | None, ...]) -> bool | None:
    order = {False: 0, None: 1, True: 2}
    return max(truths, key=order.__getitem__, default=False)


def _frame(truths: tuple[bool | None, ...]) -> Frame:
    memory = {f"m{i}": truth for i, truth in enumerate(truths)}
    # Absence (`None` in memory) counts as unknown wherever a truth value is needed.
    return Frame(arguments={}, memory=memory, claims={}, inputs={}, facts={})


def _value(expression: Expression, truths: tuple[bool | None, ...]) -> bool | None:
    found = closure_of(expression)(_frame(truths))
    return None if isinstance(found, Unknown) else found


def _reads(count: int) -> tuple[Expression, ...]:
    return tuple(ReadMemory(f"m{i}") for i in range(count))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_and_and_or_are_kleenes(count: int) -> None:
    for truths in itertools.product(TRUTHS, repeat=count):
        assert _value(Conjunction(_reads(count)), truths) is _kleene_and(truths)
        assert _value(Disjunction(_reads(count)), truths) is _kleene_or(truths)


def test_not_is_kleenes() -> None:
    assert [_value(Negation(ReadMemory("m0")), (t,)) for t in TRUTHS] == [False, True, None]


@pytest.mark.parametrize("size", range(5))
def test_every_and_some_are_conjunction_and_disjunction_over_the_list(size: int) -> None:
    """The list's elements are 0, 1, …; the body is true, false or unknown for each."""
    for truths in itertools.product(TRUTHS, repeat=size):
        domain = Constant(truths)
        every = Reduce(Fold.EVERY, "v", domain, Constant(True), ReadLocal("v"))
        some = Reduce(Fold.SOME, "v", domain, Constant(True), ReadLocal("v"))
        assert _value(every, ()) is _kleene_and(truths)
        assert _value(some, ()) is _kleene_or(truths)


def test_every_reason_for_not_knowing_is_one_unknown() -> None:
    for reason, other in itertools.product(UNKNOWNS, repeat=2):
        frame = Frame(arguments={}, memory={}, claims={"a": reason, "b": other}, inputs={}, facts={})
        both = (ReadClaim("a"), ReadClaim("b"))
        assert closure_of(Conjunction(both))(frame) is reason
        assert closure_of(Disjunction(both))(frame) is reason
        assert closure_of(Conjunction((*both, Constant(False))))(frame) is False
        assert closure_of(Disjunction((*both, Constant(True))))(frame) is True
        assert closure_of(Negation(both[0]))(frame) is reason


# --- whole clauses ---


def _compiled(*conditions: str) -> Compiled:
    clauses = "\n".join(f'  require {c} else refuse r{i} "R."' for i, c in enumerate(conditions))
    text = f"""{VOCABULARY}
transition go(thing_id: id) from open to closed {{
  means "Go." by person answers person
{clauses}
}}"""
    return compile_spec(Source("generated", text))


HANDLES = ("t1", "t2")


@st.composite
def worlds_of_things(draw: st.DrawFn) -> dict[str, dict[str, object]]:
    """Two things, each with a value for every field."""
    things: dict[str, dict[str, object]] = {}
    for key in HANDLES:
        fields: dict[str, object] = {name: draw(values(type_)) for name, type_ in FACTS.items()}
        fields["friend"] = (draw(st.sampled_from(HANDLES)),)
        fields["friends"] = tuple((k,) for k in draw(st.lists(st.sampled_from(HANDLES), max_size=3)))
        things[key] = fields
    return things


def _setup(
    machine: Machine, things: dict[str, dict[str, Any]], claims: dict[str, Any], vouched: str | None = "pat"
) -> worlds.Setup:
    instances = [worlds.instance("thing", key, **fields) for key, fields in things.items()]
    roster = Roster((Principal("pat", ("person",)),), ())
    attestations = tuple(worlds.said(name, value, "pat", "person") for name, value in claims.items())
    candidate = worlds.proposal("go", "pat", "person", "carla", thing_id="t1")
    facts = {(i.entity, i.key): i for i in instances}
    inputs = Inputs(worlds.NOW, "test", facts, attestations, roster, None)
    setup = worlds.Setup(machine, worlds.case_of(machine, "thing", ("t1",), "open"), candidate, inputs)
    return setup if vouched is None else setup.with_case(proposers={"vouch": vouched}, signers={"vouched": (vouched,)})


@given(st.data())
@settings(max_examples=60)
def test_what_checks_never_raises_and_losing_facts_changes_no_known_answer(data: st.DataObject) -> None:
    """The checker is sound, and every expression is monotone: knowing less never turns an answer into another."""
    conditions = data.draw(st.lists(expressions(depth=3), min_size=3, max_size=3))
    compiled = _compiled(*conditions)
    machine = compiled.machine
    if machine is None:
        assert {found.code.id for found in compiled.diagnostics} <= {"T010", "T020"}
        return
    for _ in range(3):
        things = data.draw(worlds_of_things())
        claims = {"said": data.draw(st.booleans()), "felt": data.draw(st.sampled_from(["red", "blue"]))}
        full = _setup(machine, things, claims)
        whole = full.decide()
        full.bytes()  # every value read can stand in a record
        poorer = {
            key: {
                name: data.draw(st.sampled_from(UNKNOWNS)) if data.draw(st.booleans()) else value
                for name, value in fields.items()
            }
            for key, fields in things.items()
            if data.draw(st.integers(0, 4))
        }
        known = {name: value for name, value in claims.items() if data.draw(st.booleans())}
        poor = _setup(machine, poorer, known, data.draw(st.sampled_from(["pat", None])))
        poor.wanted()
        poor.bytes()
        for less, more in zip(poor.decide().clauses, whole.clauses, strict=True):
            assert less.result in (Result.UNKNOWN, more.result)
        assert isinstance(whole, Accepted) or not isinstance(poor.decide(), Accepted)


def test_the_generated_expressions_mean_something() -> None:
    """Most of them compile, and they come out true, false and unknown; otherwise the property says little."""
    found: list[Result] = []
    compiled_count = 0

    @given(expressions(depth=3), worlds_of_things())
    @settings(max_examples=60)
    def collect(condition: str, things: dict[str, dict[str, object]]) -> None:
        nonlocal compiled_count
        machine = _compiled(condition).machine
        if machine is not None:
            compiled_count += 1
            found.append(_setup(machine, things, {"said": True}).decide().clauses[0].result)

    collect()
    assert compiled_count >= 45
    assert {Result.PASSED, Result.FAILED, Result.UNKNOWN} == set(found)
