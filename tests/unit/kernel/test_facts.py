"""Goal: facts read back from records as they were, and a candidate names its case by its arguments alone."""

import dataclasses

import pytest
import worlds
from worlds import ORDER

from edca.kernel.canonical import decode, encode
from edca.kernel.facts import Instance, facts_to_raw
from edca.kernel.inputs import Address, address
from edca.kernel.values import Unknown, ValueProblem

CASES = worlds.all_setups()


@pytest.mark.parametrize(("name", "setup"), CASES)
def test_instances_read_back_from_canonical_bytes(name: str, setup: worlds.Setup) -> None:
    entities = setup.machine.index.entities
    rows = decode(encode(facts_to_raw(setup.inputs.facts, entities)))
    assert isinstance(rows, list)
    again = [Instance.from_raw(row, entities) for row in rows if isinstance(row, dict)]
    assert {(i.entity, i.key): i for i in again} == dict(setup.inputs.facts)


@pytest.mark.parametrize("reason", Unknown)
def test_why_a_value_is_unknown_is_kept(reason: Unknown) -> None:
    setup = worlds.approval().with_fact(ORDER, "total", reason)
    drifted = dataclasses.replace(setup.inputs.facts[ORDER], state=reason, mapped=("requested",))
    raw = drifted.to_raw(setup.machine.index.entities)
    assert Instance.from_raw(raw, setup.machine.index.entities) == drifted


@pytest.mark.parametrize(
    "changes",
    [
        {"entity": "nothing"},
        {"key": "o1"},
        {"key": ["o1", "o2"]},
        {"as_of": "now"},
        {"mapped": None},
        {"fields": {"total": "80.00"}},
        {"fields": {"total": {"is": "80.001"}}},
        {"fields": {"total": {"unknown": "who knows"}}},
        {"fields": {"nothing": {"is": 1}}},
    ],
    ids=str,
)
def test_what_is_no_instance_is_refused(changes: dict[str, object]) -> None:
    setup = worlds.approval()
    raw = setup.inputs.facts[ORDER].to_raw(setup.machine.index.entities)
    with pytest.raises((KeyError, TypeError, ValueError, ValueProblem)):
        Instance.from_raw({**raw, **changes}, setup.machine.index.entities)  # type: ignore[dict-item]


def test_facts_stand_in_one_order() -> None:
    setup = worlds.approval()
    entities = setup.machine.index.entities
    backwards = dict(reversed(list(setup.inputs.facts.items())))
    assert encode(facts_to_raw(backwards, entities)) == encode(facts_to_raw(setup.inputs.facts, entities))


@pytest.mark.parametrize(
    ("transition", "arguments", "expected"),
    [
        ("approve_refund", {"order_id": "o1"}, Address("order", ("o1",), False)),
        ("pay", {"order_id": "o1", "surplus": 1}, Address("order", ("o1",), False)),
        ("no_such", {"order_id": "o1"}, Address("order", ("o1",), False)),
        ("pay", {"order_id": ""}, None),
        ("pay", {"order_id": 7}, None),
        ("pay", {}, None),
        ("no_such", {}, None),
    ],
)
def test_the_refunds_case_is_named_by_its_order(
    transition: str, arguments: dict[str, object], expected: Address | None
) -> None:
    machine = worlds.spec("refund")
    assert address(machine, worlds.proposal(transition, "bot", "assistant", "mallory", **arguments)) == expected


@pytest.mark.parametrize(
    ("transition", "arguments", "expected"),
    [
        ("cancel_reservation", {"reservation_id": "r1"}, Address("reservation", ("r1",), False)),
        ("send_certificate", {"user_id": "carla"}, Address("profile", ("carla",), False)),
        ("send_certificate", {"reservation_id": "r1"}, None),
        ("book_reservation", {}, Address("reservation", None, True)),
    ],
)
def test_the_airlines_cases_are_about_two_entities(
    transition: str, arguments: dict[str, object], expected: Address | None
) -> None:
    machine = worlds.spec("airline")
    assert address(machine, worlds.proposal(transition, "bot", "agent", "carla", **arguments)) == expected
