"""Goal: what is asked for before a decision is exactly what its clauses read, found step by step."""

import dataclasses

import pytest
import worlds
from setups import branches
from worlds import Setup

from edca.kernel.facts import Handle, Instance
from edca.kernel.frames import fields_of

ACCEPTED = worlds.accepted_setups()


def _gather(setup: Setup) -> tuple[Setup, list[tuple[Handle, tuple[str, ...]]]]:
    """The decision with only what was asked for, and every request in order."""
    asked: list[tuple[Handle, tuple[str, ...]]] = []
    found = setup.with_inputs(facts={})
    for _ in range(10):
        wants = found.wanted()
        if not wants:
            return found, asked
        for handle, fields in wants:
            assert handle not in [h for h, _ in asked], "nothing is asked for twice"
            asked.append((handle, fields))
            known = setup.inputs.facts.get(handle)
            answer = (
                dataclasses.replace(known, fields={name: known.fields[name] for name in fields if name in known.fields})
                if known is not None
                else Instance(handle[0], handle[1], "test", setup.inputs.now, False, None, {})
            )
            found = found.with_instance(answer)
    raise AssertionError("gathering does not end")


@pytest.mark.parametrize(("name", "setup"), ACCEPTED)
def test_gathering_ends_and_suffices(name: str, setup: Setup) -> None:
    gathered, asked = _gather(setup)
    assert gathered.decide().to_raw() == setup.decide().to_raw()
    assert asked
    for handle, fields in asked:
        assert fields == fields_of(branches(setup), handle[0])


@pytest.mark.parametrize(("name", "setup"), ACCEPTED)
def test_what_was_not_asked_for_is_not_needed(name: str, setup: Setup) -> None:
    gathered, _ = _gather(setup)
    unread = {h: i for h, i in setup.inputs.facts.items() if h not in gathered.inputs.facts}
    both = {**gathered.inputs.facts, **unread}
    assert setup.with_inputs(facts=both).bytes() == gathered.bytes()


def test_the_refund_reads_exactly_the_fields_that_its_clauses_name() -> None:
    _, asked = _gather(worlds.approval())
    assert dict(asked) == {
        worlds.ORDER: ("delivered_at", "frozen", "lines", "membership", "owner", "refunded", "status", "total"),
        worlds.LINE: ("returnable",),
    }
    _, asked = _gather(worlds.payment())
    assert dict(asked) == {worlds.ORDER: ("frozen", "owner", "refunded", "total")}


def test_an_instance_found_through_another_is_asked_for_once_that_one_is_read() -> None:
    setup = worlds.approval()
    first = setup.with_inputs(facts={})
    assert [handle for handle, _ in first.wanted()] == [worlds.ORDER]
    second = first.with_instance(setup.inputs.facts[worlds.ORDER])
    assert [handle for handle, _ in second.wanted()] == [worlds.LINE]


def test_an_instance_that_nobody_knows_is_not_asked_for_again() -> None:
    setup = worlds.approval()
    lost = setup.with_inputs(facts={}).with_instance(
        Instance("order", ("o1",), "test", setup.inputs.now, False, None, {})
    )
    assert lost.wanted() == ()


def test_requests_stand_in_one_order() -> None:
    setup = worlds.approval()
    many = tuple(("o1", sku) for sku in ("b", "a10", "a1", "c", "a2"))
    order = dataclasses.replace(
        setup.inputs.facts[worlds.ORDER], fields={**setup.inputs.facts[worlds.ORDER].fields, "lines": many}
    )
    asked = [handle[1][1] for handle, _ in setup.with_inputs(facts={}).with_instance(order).wanted()]
    assert asked == ["a1", "a10", "a2", "b", "c"]
