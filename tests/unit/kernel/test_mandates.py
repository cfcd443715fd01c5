"""Goal: a person answers for every accepted transition: the one who proposes it, or one whose mandate is in force."""

import dataclasses
from typing import Any

import pytest
import worlds
from worlds import NOW, Setup

from edca.kernel.candidate import Candidate
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.verdict import Accepted, Anchor, Refused, Stage

MANDATE = Mandate("m1", "sven", "supervisor", "refund", (), NOW - 10, NOW + 10)


def _with(*mandates: Mandate, principals: tuple[Principal, ...] | None = None) -> Setup:
    setup = worlds.approval()
    known = setup.inputs.roster.principals if principals is None else principals
    return setup.with_inputs(roster=Roster(known, mandates))


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({}, True),
        ({"transitions": ("approve_refund",)}, True),
        ({"transitions": ("pay", "decline")}, False),
        ({"machine": "airline"}, False),
        ({"role": "customer"}, False),
        ({"starts": NOW}, True),
        ({"starts": NOW + 1}, False),
        ({"ends": NOW + 1}, True),
        ({"ends": NOW}, False),
        ({"principal": "nobody"}, False),
        ({"principal": "carla"}, False),
        ({"principal": "bot"}, False),
    ],
    ids=str,
)
def test_a_mandate_holds_within_its_scope_and_time(changes: dict[str, Any], holds: bool) -> None:
    verdict = _with(dataclasses.replace(MANDATE, **changes)).decide()
    if holds:
        assert isinstance(verdict, Accepted)
        assert verdict.anchor == Anchor("sven", "supervisor", "m1")
    else:
        assert isinstance(verdict, Refused)
        assert verdict.stage is Stage.NO_ANCHOR


def test_who_proposes_in_the_answering_role_answers_without_a_mandate() -> None:
    setup = worlds.payment()
    assert isinstance(setup.candidate, Candidate)
    verdict = setup.with_inputs(roster=Roster(setup.inputs.roster.principals, ())).decide()
    assert isinstance(verdict, Accepted)
    assert verdict.anchor == Anchor("sven", "supervisor", None)


def test_a_mandate_lapses_with_the_role() -> None:
    fired = (Principal("bot", ("assistant",), worlds.MODEL), Principal("sven", ("customer",)))
    verdict = _with(MANDATE, principals=fired).decide()
    assert isinstance(verdict, Refused)
    assert verdict.stage is Stage.NO_ANCHOR


def test_the_first_mandate_by_id_answers_in_whatever_order_they_are_given() -> None:
    other = dataclasses.replace(MANDATE, id="m0")
    for order in ((MANDATE, other), (other, MANDATE)):
        assert _with(*order).decide().anchor == Anchor("sven", "supervisor", "m0")


def test_a_refusal_by_a_clause_names_who_answers_too() -> None:
    verdict = _with(MANDATE).with_fact(worlds.ORDER, "total", 0).decide()
    assert verdict.anchor == Anchor("sven", "supervisor", "m1")


def test_a_roster_names_nobody_twice_and_reads_back() -> None:
    roster = Roster((Principal("b", ("x",)), Principal("a", ("y", "x"), "m")), (MANDATE,))
    assert [p.id for p in roster.principals] == ["a", "b"]
    assert Roster.from_raw(roster.to_raw()) == roster
    assert Roster(tuple(reversed(roster.principals)), roster.mandates).digest == roster.digest
    with pytest.raises(ValueError, match="twice"):
        Roster((Principal("a", ()), Principal("a", ())), ())
    with pytest.raises(ValueError, match="twice"):
        Roster((), (MANDATE, MANDATE))
