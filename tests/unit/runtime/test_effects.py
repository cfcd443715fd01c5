"""Goal: an effect happens once and is read back; failures are undone or quarantined, never half-done in silence."""

import ast

import pytest
import refund_world as world

from edca.runtime.answers import Outcome
from edca.runtime.observe import ObservationError
from edca.runtime.ports import Performed, Report


def _fail(bench, effect, report):
    perform = bench.router.perform
    bench.router.perform = lambda permit: report if permit.effect == effect else perform(permit)


@pytest.mark.parametrize("performed", [Performed.FAILED, Performed.PRECONDITION_LOST])
def test_a_first_effect_that_fails_changes_nothing(bench, performed):
    bench.approved()
    _fail(bench, "send_money", Report(performed))
    answer = bench.submit("pay", "p", order_id="o1")
    assert (answer.outcome, answer.state, answer.revision) == (Outcome.FAILED, "approved", 1)
    assert world.row(bench.world, "o1")[1] == 0
    assert bench.row().case.pending is None
    bench.assert_replays()


def test_earlier_effects_are_undone_when_a_later_one_fails(bench):
    bench.approved()
    _fail(bench, "stamp", Report(Performed.FAILED))
    answer = bench.submit("pay_and_stamp", "p", order_id="o1")
    assert (answer.outcome, answer.state, answer.revision) == (Outcome.UNDONE, "stuck", 2)
    assert world.row(bench.world, "o1") == (10000, 0, 0)
    (outcome,) = bench.records("outcome")
    assert [(s["effect"], s["undoing"], s["report"]) for s in outcome.content["effects"]] == [
        ("send_money", False, "done"),
        ("stamp", False, "failed"),
        ("recall_money", True, "done"),
    ]
    bench.assert_replays()


def test_a_postcondition_that_is_not_confirmed_undoes_the_effect(bench):
    bench.approved()
    _fail(bench, "send_money", Report(Performed.DONE, "a lie"))
    answer = bench.submit("pay", "p", order_id="o1")
    assert answer.outcome is Outcome.UNDONE
    bench.assert_replays()


@pytest.mark.parametrize(
    "failing",
    [
        {"send_money": Report(Performed.FAILED)},  # the stamp before it declares no undo
        {"send_money": Report(Performed.UNKNOWN)},
    ],
    ids=["no undo", "unknown"],
)
def test_what_cannot_be_settled_is_quarantined_until_a_person_looks(bench, failing):
    bench.approved()
    for effect, report in failing.items():
        _fail(bench, effect, report)
    bench.router.performed = lambda permit: Performed.UNKNOWN
    answer = bench.submit("stamp_and_pay", "p", order_id="o1")
    assert (answer.outcome, answer.state) == (Outcome.QUARANTINED, "approved")
    assert bench.submit("pay", "p2", order_id="o1").verdict.code == "effect_pending"
    assert bench.reopen() == ()
    assert bench.submit("pay", "p3", order_id="o1").verdict.code == "effect_pending"
    with pytest.raises(ObservationError, match="no person"):
        bench.runtime.observe("order", ("o1",), by="bot", state="stuck")
    with pytest.raises(ObservationError, match="name the one"):
        bench.runtime.observe("order", ("o1",), by="sven")
    bench.runtime.observe("order", ("o1",), by="sven", state="stuck")
    assert (bench.row().case.state, bench.row().case.pending, bench.row().quarantined) == ("stuck", None, False)
    bench.assert_replays()


def test_effects_are_taken_back_newest_first(bench):
    bench.approved()
    answer = bench.submit("pay_twice", "p", order_id="o1")  # the second finds more refunded than it expects
    assert answer.outcome is Outcome.UNDONE
    steps = bench.records("outcome")[0].content["effects"]
    assert [(s["place"], s["undoing"]) for s in steps] == [(0, False), (1, False), (1, True), (0, True)]
    assert world.row(bench.world, "o1")[1] == 0
    bench.assert_replays()


def test_an_undo_that_fails_is_quarantined(bench):
    bench.approved()
    _fail(bench, "stamp", Report(Performed.FAILED))
    _fail(bench, "recall_money", Report(Performed.FAILED))
    assert bench.submit("pay_and_stamp", "p", order_id="o1").outcome is Outcome.QUARANTINED
    bench.assert_replays()


def test_a_route_that_raises_is_asked_what_happened(bench):
    bench.approved()
    perform = bench.router.perform

    def break_off(permit):
        perform(permit)
        raise ConnectionError("the line went dead")

    bench.router.perform = break_off
    assert bench.submit("pay", "p", order_id="o1").outcome is Outcome.CONFIRMED
    assert world.row(bench.world, "o1")[1] == 2000


def test_a_bug_after_an_effect_surfaces_and_is_on_record(bench):
    bench.approved()
    read, perform = bench.router.read, bench.router.perform
    bench.router.perform = lambda permit: (perform(permit), setattr(bench.router, "read", _explode))[0]
    with pytest.raises(ZeroDivisionError):
        bench.submit("pay", "p", order_id="o1")
    bench.router.read, bench.router.perform = read, perform
    assert bench.row().quarantined
    assert bench.submit("pay", "p", order_id="o1").outcome is Outcome.QUARANTINED
    bench.assert_replays()


def _explode(*_):
    raise ZeroDivisionError


def test_a_permit_is_spent_before_its_effect(bench):
    bench.approved()
    spent = []
    perform = bench.router.perform
    bench.router.perform = lambda permit: (
        spent.append([record.content["key"] for record in bench.records("spent")] == [permit.key]),
        perform(permit),
    )[1]
    bench.submit("pay", "p", order_id="o1")
    assert spent == [True]


def test_permits_are_made_in_one_place(repository):
    makers = [
        path.relative_to(repository).as_posix()
        for root in ("kernel", "dsl", "semantic", "routing", "surfaces")
        for path in sorted((repository / root).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Permit"
    ]
    assert makers == ["kernel/edca/runtime/permits.py"]
