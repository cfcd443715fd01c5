"""Law 5, the part a model can see: not yours, not there, not readable and closed are one answer, byte for byte."""

import dataclasses
from collections.abc import Iterator

import pytest
import worlds
from setups import reads_subject
from worlds import Setup

from edca.kernel.candidate import Caller, Candidate
from edca.kernel.canonical import Data, encode
from edca.kernel.facts import Handle, Instance
from edca.kernel.values import Unknown, Value
from edca.kernel.verdict import Accepted, Escalated, Refused
from edca.semantic.explain import NOT_POSSIBLE, NOT_POSSIBLE_TEXT, for_model
from edca.semantic.view import view, view_wants

# What models have proposed about a case whose source was read: nobody else's answers are hidden from them.
ACCEPTED = [
    (name, setup)
    for name, setup in worlds.accepted_setups()
    if isinstance(setup.candidate, Candidate) and setup.candidate.model is not None
    if setup.case is not None and (setup.case.entity, setup.case.key) in setup.inputs.facts
]
NOTHING: Data = {"outcome": "refused", "codes": [NOT_POSSIBLE], "texts": [NOT_POSSIBLE_TEXT]}


def _told(setup: Setup) -> bytes:
    return encode(for_model(setup.machine, setup.candidate, setup.decide()).to_raw())


def _own(setup: Setup) -> Handle:
    assert setup.case is not None
    return setup.case.entity, setup.case.key


def _closed(setup: Setup) -> Iterator[tuple[str, Setup]]:
    """The same candidate where the case isn't the subject's, isn't there, can't be read, or is closed."""
    assert setup.case is not None
    own = _own(setup)
    instance = setup.inputs.facts[own]
    yield "no case", dataclasses.replace(setup, case=None)
    if reads_subject(setup):
        yield "not the subject's", setup.with_candidate(subject="mallory")
        yield "nobody's", setup.with_candidate(subject=None)
    yield "unknown to the source", setup.without(own)
    yield "never read", setup.with_inputs(facts={})
    for reason in (Unknown.MISSING, Unknown.STALE, Unknown.DRIFT):
        blind = dataclasses.replace(instance, fields=dict.fromkeys(instance.fields, reason))
        yield f"unreadable: {reason.value}", setup.with_instance(blind)
    if setup.machine.fresh_us is not None:
        yield "stale", setup.with_instance(dataclasses.replace(instance, as_of=0))
    yield "from the future", setup.with_instance(dataclasses.replace(instance, as_of=setup.inputs.now + 1))
    yield "pending", setup.with_case(pending=b"x" * 32)
    yield "another revision", setup.with_candidate(revision=99)
    yield "another state", setup.with_case(state=next(state.name for state in setup.machine.states if state.final))
    yield "drifted", setup.with_instance(dataclasses.replace(instance, state="stuck", mapped=(setup.case.state,)))
    if setup.machine.name == "refund":
        yield "frozen", setup.with_fact(own, "frozen", True)


VARIANTS = [
    pytest.param(setup, variant, id=f"{name}, {what}") for name, setup in ACCEPTED for what, variant in _closed(setup)
]


@pytest.mark.parametrize(("setup", "variant"), VARIANTS)
def test_all_that_is_closed_sounds_alike(setup: Setup, variant: Setup) -> None:
    assert isinstance(setup.decide(), Accepted)
    assert isinstance(variant.decide(), Refused)
    assert _told(variant) == encode(NOTHING)


@pytest.mark.parametrize(("name", "setup"), [(name, setup) for name, setup in ACCEPTED if reads_subject(setup)])
def test_a_failed_clause_beside_a_withheld_one_is_not_told(name: str, setup: Setup) -> None:
    """Otherwise the public clauses would tell about a case that isn't the subject's."""
    for handle, instance in setup.inputs.facts.items():
        for field, value in instance.fields.items():
            flipped: Value | Unknown = False if value is True else "placed" if value == "delivered" else value
            poor = setup.with_fact(handle, field, flipped).with_candidate(subject="mallory", confidence=0)
            assert _told(poor) == encode(NOTHING)


def test_public_clauses_are_told_by_code_and_text() -> None:
    setup = worlds.approval().with_fact(worlds.ORDER, "total", 100)
    told = for_model(setup.machine, setup.candidate, setup.decide())
    assert told.to_raw() == {"outcome": "refused", "codes": ["over_total"], "texts": ["More than was paid."]}


def test_an_open_confirmation_is_told() -> None:
    setup = worlds.approval().with_inputs(attestations=(worlds.said("reason", "It broke."),))
    verdict = setup.decide()
    assert isinstance(verdict, Escalated)
    told = for_model(setup.machine, setup.candidate, verdict)
    assert told.to_raw() == {
        "outcome": "escalated",
        "codes": ["agreed"],
        "texts": ["The customer must say yes to this amount."],
        "needs": [{"code": "agreed", "role": "customer", "count": 1}],
    }


@pytest.mark.parametrize("value", [0, "-1.00", "0.001", "many", None, True, {"x": 1}, [1], "999999999.00"])
def test_a_bad_argument_is_told_alike_whether_the_case_exists_or_not(value: object) -> None:
    setup = worlds.approval().with_arguments(amount=value)
    told = {_told(variant) for _, variant in _closed(setup)}
    if value != 0:  # which is an amount, and too small: a clause's business
        assert told == {_told(setup)}
        assert b"bad_argument" in _told(setup)
    else:
        assert told == {encode(NOTHING)}


def test_an_unknown_transition_is_told_alike_whether_the_case_exists_or_not() -> None:
    setup = worlds.approval().with_candidate(transition="drop_table")
    assert {_told(variant) for _, variant in _closed(setup)} == {_told(setup)}


def test_leaving_out_the_confidence_is_told_as_being_unsure() -> None:
    """A confidence that the model itself left out tells nothing about any case."""
    setup = worlds.approval().with_candidate(confidence=None)
    assert for_model(setup.machine, setup.candidate, setup.decide()).codes == ("unsure",)


# --- views ---


def _caller(setup: Setup) -> Caller:
    candidate = setup.candidate
    assert isinstance(candidate, Candidate)
    return Caller(candidate.proposer, candidate.role, candidate.subject, candidate.model)


def _seen(setup: Setup) -> bytes:
    return encode(view(setup.machine, setup.case, setup.inputs.facts, _caller(setup), setup.inputs.now).to_raw())


@pytest.mark.parametrize(("name", "setup"), ACCEPTED)
def test_what_is_closed_looks_alike(name: str, setup: Setup) -> None:
    nothing = encode(view(setup.machine, None, {}, _caller(setup), setup.inputs.now).to_raw())
    assert _seen(setup) != nothing
    stays_open = {"pending", "another revision", "another state", "drifted"}
    if setup.case is not None and setup.case.entity == "profile":
        # The source knows this customer, and no forbid reads a field: their own desk is shown, without values.
        stays_open |= {"unreadable: fact_missing", "unreadable: fact_stale", "unreadable: schema_drift"}
    looked = {what: _seen(variant) for what, variant in _closed(setup) if what not in stays_open}
    assert {what for what, seen in looked.items() if seen != nothing} == set()


@pytest.mark.parametrize(("name", "setup"), ACCEPTED)
def test_labelled_identifying_and_internal_values_are_never_seen(name: str, setup: Setup) -> None:
    seen = _seen(setup)
    assert b"frozen" not in seen
    assert b"carla" not in seen
    assert b"secret" not in seen
    assert b"test" not in seen  # the name of the source


@pytest.mark.parametrize(("name", "setup"), ACCEPTED)
def test_what_a_view_wants_is_enough_for_it(name: str, setup: Setup) -> None:
    assert setup.case is not None
    facts: dict[Handle, Instance] = {}
    for _ in range(4):
        wants = view_wants(setup.machine, setup.case, facts, _caller(setup), setup.inputs.now)
        if not wants:
            break
        for handle, fields in wants:
            known = setup.inputs.facts[handle]
            facts[handle] = dataclasses.replace(known, fields={f: known.fields[f] for f in fields if f in known.fields})
    narrow = setup.with_inputs(facts=facts)
    assert _seen(narrow) == _seen(setup)


def test_a_field_that_the_source_left_out_is_not_shown() -> None:
    setup = worlds.approval()
    order = setup.inputs.facts[worlds.ORDER]
    for field in ("total", "status", "membership", "delivered_at"):
        rest = {name: value for name, value in order.fields.items() if name != field}
        seen = _seen(setup.with_instance(dataclasses.replace(order, fields=rest)))
        assert f"order.{field}".encode() not in seen
