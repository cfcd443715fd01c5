"""Goal: operators are told the nearest change that the kernel would let through, and nothing that it would not."""

from __future__ import annotations

import dataclasses
from functools import cache
from random import Random
from typing import Any

import pytest
import strategies
import worlds
from random_decisions import decision
from setups import Setup, case_of, instance, proposal, roster_of, said
from spec_writer import chance
from two_engines import written

from edca.diagnostics import Source, concise
from edca.kernel.candidate import Candidate
from edca.kernel.facts import table
from edca.kernel.gate import bind_arguments
from edca.kernel.inputs import Inputs
from edca.kernel.machine import Machine, Transition
from edca.kernel.roster import Principal, Roster
from edca.kernel.types import DecimalType
from edca.kernel.values import Unknown, in_bounds, to_raw
from edca.kernel.verdict import Accepted, Escalated, Refused
from edca.runtime.question import Question
from edca.semantic.compile import compile_spec
from edca.semantic.explain import for_model, for_operator
from edca.semantic.nearest import Change, nearest_changes
from edca.semantic.nearest_text import change_data, change_line

RULES = """
transition close(thing_id: id, a: decimal(2, 0.00 to 99.99), n1: int(0 to 9), h1: hue, d1: date) from open to closed
{
  means "Close." by agent, person answers person
  require thing.b else refuse closed_to_all "No."
  %s
}
"""


@cache
def _machine(clauses: str) -> Machine:
    vocabulary = strategies.VOCABULARY
    found = compile_spec(Source("near.edca", vocabulary + RULES % clauses))
    assert found.machine is not None, concise(found.diagnostics)
    return found.machine


def _question(setup: Setup) -> Question:
    return Question(setup.machine, setup.case, None, setup.candidate, setup.inputs)


def _near(setup: Setup) -> list[str]:
    return [change_line(setup.machine, change) for change in nearest_changes(_question(setup))]


def _asked(clauses: str, **facts: Any) -> Setup:
    """A candidate by a person: a = 50.00, n1 = 5, h1 = red, d1 = 2026-03-20."""
    machine = _machine(clauses)
    thing = instance("thing", "t1", **{"b": True, "m": 2_000, "n": 3, "c": True, **facts})
    candidate = proposal("close", "pat", "person", None, thing_id="t1", a="50.00", n1=5, h1="red", d1="2026-03-20")
    roster = roster_of(machine, "agent")
    pat = dataclasses.replace(roster.find("sven") or roster.principals[0], id="pat", roles=("person",))
    inputs = Inputs(worlds.NOW, "test", table([thing]), (), dataclasses.replace(roster, principals=(pat,)), None)
    return Setup(machine, case_of(machine, "thing", ("t1",), "open"), candidate, inputs)


FIFTY = {
    'require a <= thing.m else refuse r "R."': ["would be accepted with a ≤ 20.00"],
    'require a > 60 else refuse r "R."': ["would be accepted with a ≥ 60.01"],
    'require a + thing.m <= 45 else refuse r "R."': ["would be accepted with a ≤ 25.00"],
    'require 10 - a * 2 >= thing.m - 30 else refuse r "R."': ["would be accepted with a ≤ 10.00"],
    'require a < thing.m else refuse r "R." require a > 5 else refuse q "Q."': [
        "would be accepted with a from 5.01 to 19.99"
    ],
    'require a == 7.25 else refuse r "R."': ["would be accepted with a = 7.25"],
    'require a != 50 else refuse r "R."': ["would be accepted with a = 49.99"],
    'require not (a > 30 or a > thing.m) else refuse r "R."': ["would be accepted with a ≤ 20.00"],
    # Two stretches: only what was decided is told.
    'require a <= 10 or a >= 90 else refuse r "R."': ["would be accepted with a = 10.00"],
    'require n1 in [1, 8] else refuse r "R."': ["would be accepted with n1 = 8"],
    'require n1 * a <= 100 else refuse r "R."': ["would be accepted with a ≤ 20.00", "would be accepted with n1 ≤ 2"],
    'let limit_here = if thing.c then 12.50 else 99.00 require a <= limit_here else refuse r "R."': [
        "would be accepted with a ≤ 12.50"
    ],
    'require h1 == blue else refuse r "R."': ["would be accepted with h1 = blue"],
    'require h1 != red else refuse r "R."': ["would be accepted with h1 = pale_green or blue"],
    'require d1 >= 2026-04-01 else refuse r "R."': ["would be accepted with d1 ≥ 2026-04-01"],
    'require d1 + 10 days < 2026-03-20 else refuse r "R."': ["would be accepted with d1 ≤ 2026-03-09"],
    'forbid f "F." when a > thing.m': ["would be accepted with a ≤ 20.00"],
    'limit l sum(a) to 40.00 per utc day "L."': ["would be accepted with a ≤ 30.00"],
    'require a <= 20 else escalate person w "W."': ["would be accepted with a ≤ 20.00"],
    'require a <= 40 else refuse r "R." require a <= 20 else escalate person w "W."': [
        "would be escalated with a ≤ 40.00; with 40.00 it needs w",
        "would be accepted with a ≤ 20.00",
    ],
    'confirm c by person when a > 30 "C."': ["would be accepted with a ≤ 30.00"],
    'require a <= 40 else refuse r "R." confirm c by person "C."': [
        "would be escalated with a ≤ 40.00; with 40.00 it needs c"
    ],
    'set z = a': ["would be accepted with a ≤ 9.99"],
    # Here too, though the ends of the two stretches would hide what lies between.
    'require a <= 40 else refuse r "R." set z = if a < 30 and a > 3 then a else 1.00': [
        "would be accepted with a = 40.00"
    ],
    'require a <= 40 else refuse r "R." limit l sum(99.99 - a) to 80.00 per utc day when a > 20 "L."': [
        "would be accepted with a = 40.00"
    ],
    # Nothing is told that more than one change, or something other than an argument, would have to mend.
    'require a <= 20 else refuse r "R." require n1 <= 3 else refuse q "Q."': [],
    'require thing.c and thing.m > 90 else refuse r "R."': [],
    'require a <= thing.f else refuse r "R."': [],
    # People's answers alone are missing, and no argument changes that.
    'confirm c by person "C."': [],
}  # fmt: skip


@pytest.mark.parametrize("clauses", FIFTY)
def test_the_nearest_change_is_told(clauses: str) -> None:
    setup = _asked(clauses).with_inputs(used={("close", "l", ()): 1_000})
    assert _near(setup) == FIFTY[clauses]


def test_a_product_of_the_argument_with_itself_is_told_as_one_value() -> None:
    setup = _asked('require (n1 - 4) * (n1 - 4) >= 9 else refuse r "R." require n1 <= 8 else refuse q "Q."')
    assert _near(setup.with_arguments(n1=9)) == ["would be accepted with n1 = 8"]


def test_nothing_is_told_of_what_no_argument_mends() -> None:
    clauses = 'require a <= 20 else refuse r "R."'
    assert _near(_asked(clauses)) == ["would be accepted with a ≤ 20.00"]
    assert _near(_asked(clauses, b=False)) == []
    assert _near(_asked(clauses).with_arguments(a="20.00")) == []
    for stopped in ({"a": "100.00"}, {"a": None}, {"surplus": 1}):
        assert _near(_asked(clauses).with_arguments(**stopped)) == []
    assert _near(_asked(clauses).with_case(pending=b"record")) == []


def test_what_would_be_refused_once_people_have_said_yes_is_no_change() -> None:
    """Waived or not, 9.99 is the most that memory can keep."""
    setup = _asked('require a <= 5 else escalate person w "W." set z = a')
    assert _near(setup) == ["would be accepted with a ≤ 5.00"]
    assert (
        _near(_asked('require a <= 9 else escalate person w "W." require a > 9.50 else refuse r "R." set z = a')) == []
    )
    refused = _asked('require a <= 20 else refuse r "R." require a <= 5 else escalate person w "W." set z = a')
    assert _near(refused) == [
        "would be escalated with a ≤ 9.99; with 9.99 it needs w",
        "would be accepted with a ≤ 5.00",
    ]


def test_a_yes_to_what_was_proposed_counts_for_nothing_else() -> None:
    clauses = 'require a <= 20 else refuse r "R." confirm c by person "C."'
    agreed = _asked(clauses).with_candidate(subject="pia")
    roster = agreed.inputs.roster
    roster = Roster((*roster.principals, Principal("pia", ("person",))), roster.mandates)
    agreed = agreed.with_inputs(attestations=(said("c", True, "pia", "person"),), roster=roster)
    assert isinstance(agreed.decide(), Refused)
    assert _near(agreed) == ["would be escalated with a ≤ 20.00; with 20.00 it needs c"]
    declined = agreed.with_inputs(attestations=(said("c", False, "pia", "person"),)).with_arguments(a="10.00")
    assert isinstance(declined.decide(), Refused)
    assert _near(declined) == []


def test_it_stands_in_what_operators_read_and_not_in_what_models_do() -> None:
    setup = worlds.approval()
    setup = setup.with_arguments(amount="500.01").with_inputs(used=_counted(setup.machine))
    lines = for_operator(setup.machine, setup.decide(), _question(setup))
    assert "  would be escalated with amount from 0.01 to 80.00; with 80.00 it needs agreed" in lines
    assert "80" not in str(for_model(setup.machine, setup.candidate, setup.decide()).to_raw())
    (change,) = nearest_changes(_question(setup))
    assert change_data(setup.machine, change) == {
        "argument": "amount",
        "from": "0.01",
        "nearest": "80.00",
        "needs": ["agreed"],
        "outcome": "escalated",
        "to": "80.00",
    }


def _counted(machine: Machine) -> dict[Any, int]:
    """Nothing yet, for every limit that the assistant meets."""
    transition = machine.index.transitions["approve_refund"]
    keys = {"pace": ("bot",), "daily": ("carla",)}
    limits = [clause.code for clause in transition.clauses if clause.limit is not None]
    return {("approve_refund", code, keys[code]): 0 for code in limits}


# --- nothing is told that the kernel would not decide ---


def _fares(setup: Setup, change: Change, value: Any) -> int:
    """How a value fares when nobody has answered anything: 0 refused, 1 with waivers, 2 with answers, 3 accepted."""
    raw = to_raw(change.type, value, setup.machine.index.entities)
    claims = tuple(one for one in setup.inputs.attestations if one.name in setup.machine.index.claims)
    verdict = setup.with_arguments(**{change.argument: raw}).with_inputs(attestations=claims).decide()
    match verdict:
        case Accepted():
            return 3
        case Escalated(needs=needs):
            return 1 if any(need.kind.value == "require" for need in needs) else 2
        case Refused():
            return 0


# Each with a number put in place of N.
TEMPLATES = (
    'require a <= N else refuse c%d "C."',
    'require a > N else refuse c%d "C."',
    'require a + thing.m <= N else refuse c%d "C."',
    'require thing.m - a < N or thing.c else refuse c%d "C."',
    'require a < N or a > 60 else refuse c%d "C."',
    'require if thing.c then a <= N else a >= thing.m else refuse c%d "C."',
    'require every x in thing.xs satisfies x < a else refuse c%d "C."',
    'require some x in thing.xs satisfies x * 10 > a else refuse c%d "C."',
    'require a * n1 <= N else refuse c%d "C."',
    'require a <= N else escalate person c%d "C."',
    'require n1 * 10 >= N else escalate person c%d "C."',
    'require a == N else refuse c%d "C."',
    'forbid c%d "C." when a < thing.m and n1 > 3',
    'confirm c%d by person when a > N "C."',
    'limit c%d sum(a) to 90.00 per utc day "C."',
    'limit c%d sum(a + N) to 99.00 per utc day when a > 30 "C."',
    "set z = a",
    "set n = n1",
)


def test_what_is_told_is_decided() -> None:
    changed = [_told_is_decided(chance(seed)) for seed in range(60)]
    assert sum(changed) > 40  # so that this says something


def _told_is_decided(random: Random) -> int:
    """Check what is told of four candidates for a transition with clauses picked by chance; return of how many."""
    changed = 0
    chosen = sorted(random.sample(range(len(TEMPLATES)), random.randint(1, 4)))
    clauses = "\n".join(
        (TEMPLATES[place] % number if "%d" in TEMPLATES[place] else TEMPLATES[place]).replace(
            "N", str(random.randint(0, 99))
        )
        for number, place in enumerate(chosen)
    )
    for _ in range(4):
        unread = random.random() < 0.2
        facts = {
            "m": random.randint(-9_999, 9_999),
            "c": random.random() < 0.5,
            "xs": tuple(random.sample(range(10), 3)),
        }
        setup = _asked(clauses, **({**facts, "m": Unknown.MISSING} if unread else facts))
        amount = to_raw(DecimalType(2, 0, 9_999), random.randint(0, 9_999), {})
        setup = setup.with_arguments(a=amount, n1=random.randint(0, 9))
        setup = setup.with_inputs(used={("close", f"c{number}", ()): 4_000 for number in range(4)})
        changes = nearest_changes(_question(setup))
        for change in changes:
            _check(setup, change, random)
        changed += bool(changes)
        if not changes:
            _check_none(setup, random)
    return changed


def _check(setup: Setup, change: Change, random: Random) -> None:
    assert isinstance(setup.candidate, Candidate)
    level = _fares(setup, change, change.nearest)
    assert level > 0 and (level == 3) == (change.outcome == "accepted")
    if not change.is_range:
        assert all(_fares(setup, change, value) == level for value in change.values)
        return
    low, high = change.values
    assert isinstance(low, int) and isinstance(high, int) and low < high
    inside = [low, high, low + 1, high - 1, *(random.randint(low, high) for _ in range(20))]
    assert all(_fares(setup, change, value) >= level for value in inside), (change, setup.candidate)
    outside = [value for value in (low - 1, high + 1) if in_bounds(change.type, value)]
    assert len(outside) > 0, "what was proposed lies outside"
    nearest, proposed = change.nearest, bind_arguments(setup.machine, _close(setup), setup.candidate)
    assert nearest in change.values, "the end towards what was proposed"
    start = proposed[change.argument]
    assert isinstance(nearest, int) and isinstance(start, int)
    between = {random.randint(min(nearest, start), max(nearest, start)) for _ in range(20)} - {nearest}
    assert all(_fares(setup, change, value) < level for value in between), (change, setup.candidate)


def _close(setup: Setup) -> Transition:
    return setup.machine.index.transitions["close"]


def _check_none(setup: Setup, random: Random) -> None:
    """Nothing is overlooked that a few numbers picked by chance would find."""
    verdict = setup.decide()
    if not isinstance(verdict, Refused):
        return
    for _ in range(20):
        amount = to_raw(DecimalType(2, 0, 9_999), random.randint(0, 9_999), {})
        other = setup.with_arguments(a=amount).decide()
        assert not isinstance(other, Accepted), (amount, setup.candidate)


@pytest.mark.parametrize("seed", range(6))
def test_on_specs_that_nobody_wrote_what_is_told_is_decided(seed: int) -> None:
    _, engines = written(seed)
    random = chance(seed)
    for transition in engines.machine.transitions:
        for _ in range(4):
            setup = decision(random, engines.machine, transition)
            for change in nearest_changes(_question(setup)):
                assert _fares(setup, change, change.nearest) > 0
