"""Goal: what an acceptance entitles to: effects with exact arguments, memory in range, postconditions read after."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import worlds
from worlds import ORDER, Setup

from edca.kernel.aftermath import confirmed, undo_intent, wanted_after
from edca.kernel.calendar import parse_date
from edca.kernel.candidate import Candidate
from edca.kernel.facts import Instance
from edca.kernel.inputs import Case
from edca.kernel.values import Unknown, Value
from edca.kernel.verdict import Accepted, Intent, Refused, Result


def test_an_acceptance_names_source_target_memory_and_effects() -> None:
    verdict = worlds.payment().decide()
    assert isinstance(verdict, Accepted)
    assert (verdict.source, verdict.target) == ("approved", "paid")
    assert verdict.memory == {"promised": "20.00"}
    assert verdict.intents == (Intent("send_money", {"order": ["o1"], "amount": "20.00"}),)


def test_memory_takes_what_was_set() -> None:
    verdict = worlds.approval().with_arguments(amount="0.01").decide()
    assert isinstance(verdict, Accepted)
    assert (verdict.memory, verdict.intents) == ({"promised": "0.01"}, ())


# --- values that can't be kept ---

EDGES = 'on failed go open "Look." on timeout 1 minute go open "Look."'
KEEPING = """edca 1 machine m version "1"
role supervisor human
entity order key (order_id: id) { a: int(0 to 1000) optional, d: date, xs: list(9) of int(0 to 9) }
effect send(n: int(0 to 100))
effect back(n: int(0 to 100))
case about order by order_id
memory { n: int(0 to 100) = 7, day: date = 2024-01-01, xs: list(1 to 3) of int(0 to 9) = [1], flag: bool = true }
state open initial "Open." state closed final "Closed." success
"""


def _keeping(clauses: str, **fields: Value | Unknown) -> Setup:
    machine = worlds.machine_of(
        f"""{KEEPING} transition close(order_id: id, add: int(-1000 to 1000)) from open to closed {{
        means "Close it." by supervisor answers supervisor
        require order.order_id != "x" else refuse no_x "Never." {clauses} }}"""
    )
    known: dict[str, Any] = {"a": 5, "d": 0, "xs": (1, 2)}
    facts = {ORDER: worlds.instance("order", "o1", **(known | fields))}
    return Setup(
        machine,
        worlds.case_of(machine, "order", ("o1",), "open"),
        worlds.proposal("close", "sven", "supervisor", None, order_id="o1", add=0),
        worlds.approval().inputs,
    ).with_inputs(facts=facts, attestations=())


@pytest.mark.parametrize(
    ("add", "code"), [(93, "accepted"), (94, "out_of_range"), (-7, "accepted"), (-8, "out_of_range")]
)
def test_a_number_outside_its_type_is_not_kept(add: int, code: str) -> None:
    setup = _keeping("set n = n + add").with_arguments(add=add)
    assert setup.decide().code == code
    effect = _keeping(
        'require order.a is present else refuse no_a "No." do send(n + add) ensure order.a == 1 undo back(n) ' + EDGES
    )
    assert effect.with_arguments(add=add).decide().code == code


@pytest.mark.parametrize(
    ("clauses", "fields", "code"),
    [
        ("set n = if order.a is present then 1 else 2", {"a": Unknown.DRIFT}, "schema_drift"),
        ("set n = first(order.xs)", {"xs": ()}, "list_empty"),
        ("set n = first(order.xs)", {"xs": (4,)}, "accepted"),
        ("set xs = order.xs", {"xs": ()}, "out_of_range"),
        ("set xs = order.xs", {"xs": (1, 2, 3)}, "accepted"),
        ("set xs = order.xs", {"xs": (1, 2, 3, 4)}, "out_of_range"),
        ("set n = 0 + order.a", {"a": None}, "value_absent"),
        ("set n = order.a + 0", {"a": 101}, "out_of_range"),
        ("set day = order.d + 1 days", {"d": parse_date("9999-12-30")}, "accepted"),
        ("set day = order.d + 1 days", {"d": parse_date("9999-12-31")}, "out_of_range"),
        ("set day = order.d - 1 days", {"d": parse_date("0000-01-01")}, "out_of_range"),
        ("set flag = some x in order.xs satisfies x > 3", {"xs": Unknown.STALE}, "fact_stale"),
    ],
)
def test_only_a_known_value_in_range_is_kept(clauses: str, fields: dict[str, Value | Unknown], code: str) -> None:
    verdict = _keeping(clauses, **fields).decide()
    assert verdict.code == code
    if code != "accepted":
        assert isinstance(verdict, Refused)
        assert verdict.stage is None
        assert verdict.detail


def test_all_sets_read_the_memory_of_before() -> None:
    verdict = _keeping("set n = count(xs) set xs = [n, 2]").decide()
    assert isinstance(verdict, Accepted)
    assert (verdict.memory["n"], verdict.memory["xs"]) == (1, [7, 2])


def test_effects_read_the_memory_of_before() -> None:
    verdict = _keeping(
        'set n = 9 require order.a is present else refuse no_a "No." do send(n) ensure order.a == 1 undo back(n) '
        + EDGES
    ).decide()
    assert isinstance(verdict, Accepted)
    assert verdict.intents == (Intent("send", {"n": 7}),)
    assert verdict.memory["n"] == 9


# --- after the effect ---


def _order(**fields: Value | Unknown) -> Instance:
    setup = worlds.payment()
    known = setup.inputs.facts[ORDER]
    return dataclasses.replace(known, fields={**known.fields, **fields})


def _confirmed(after: Instance | None, setup: Setup | None = None) -> Result:
    setup = worlds.payment() if setup is None else setup
    facts = {} if after is None else {ORDER: after}
    assert isinstance(setup.case, Case)
    assert isinstance(setup.candidate, Candidate)
    return confirmed(setup.machine, setup.case, setup.candidate, setup.inputs, 0, facts)


@pytest.mark.parametrize(
    ("refunded", "result"),
    [(2_000, Result.PASSED), (1_999, Result.FAILED), (0, Result.FAILED), (Unknown.MISSING, Result.UNKNOWN)],
)
def test_a_postcondition_compares_before_with_after(refunded: int | Unknown, result: Result) -> None:
    assert _confirmed(_order(refunded=refunded)) is result


def test_before_reads_what_the_decision_read() -> None:
    earlier = worlds.payment().with_fact(ORDER, "refunded", 500)
    assert _confirmed(_order(refunded=2_500), earlier) is Result.PASSED
    assert _confirmed(_order(refunded=2_000), earlier) is Result.FAILED


def test_nothing_read_afterwards_is_unknown() -> None:
    assert _confirmed(None) is Result.UNKNOWN
    setup = worlds.payment()
    assert isinstance(setup.case, Case)
    assert isinstance(setup.candidate, Candidate)
    wants = wanted_after(setup.machine, setup.case, setup.candidate, setup.inputs, 0, {})
    assert [handle for handle, _ in wants] == [ORDER]
    after = {ORDER: _order()}
    assert wanted_after(setup.machine, setup.case, setup.candidate, setup.inputs, 0, after) == ()


def test_what_undoes_carries_the_decisions_own_arguments() -> None:
    setup = worlds.payment()
    assert isinstance(setup.case, Case)
    assert isinstance(setup.candidate, Candidate)
    undo = undo_intent(setup.machine, setup.case, setup.candidate, setup.inputs, 0)
    assert undo == Intent("recall_money", {"order": ["o1"], "amount": "20.00"})


def test_what_an_ensure_reads_before_is_read_before() -> None:
    """An instance that only `before(…)` meets must be gathered for the decision, or nobody can ever tell."""
    machine = worlds.machine_of("""edca 1 machine m version "1"
        role supervisor human
        entity order key (order_id: id) { a: int(0 to 9) }
        entity account key (name: id) { balance: int(0 to 1000) }
        effect book(order: order)
        case about order by order_id
        state open initial "Open." state closed final "Closed." success
        transition close(order_id: id) from open to closed {
          means "Close it." by supervisor answers supervisor
          require order.a > 0 else refuse no_a "No."
          do book(order)
            ensure lookup account("main").balance == before(lookup account("main").balance) + 1
            irreversible
          on failed go open "Look." on timeout 1 minute go open "Look." }""")
    setup = Setup(
        machine,
        worlds.case_of(machine, "order", ("o1",), "open"),
        worlds.proposal("close", "sven", "supervisor", None, order_id="o1"),
        worlds.approval().inputs,
    ).with_inputs(facts={})
    account = ("account", ("main",))
    assert account in [handle for handle, _ in setup.wanted()]
