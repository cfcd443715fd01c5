"""Goal: a cost that is known only later takes its estimate's place once, on record, and never below nothing."""

import desk_world as world
import pytest
from desk_bench import DeskBench, code

from edca.ledger.record import parse
from edca.runtime.ports import Performed, Report
from edca.runtime.settlement import SettlementError


@pytest.fixture
def desk(tmp_path):
    desk = DeskBench(tmp_path)
    yield desk
    desk.assert_sound()
    desk.close()


def test_less_than_estimated_gives_the_rest_back(desk):
    spent = desk.spend("90.00")
    desk.runtime.settle(spent.record.index, "daily", 30_00)
    assert code(desk.spend("70.01")) == "daily"
    assert code(desk.spend("70.00")) == "accepted"


def test_more_than_estimated_is_counted_too_and_may_overdraw(desk):
    spent = desk.spend("90.00")
    desk.runtime.settle(spent.record.index, "daily", 130_00)
    assert desk.counted("spend", "daily") == "130.00"
    assert code(desk.spend("0.01")) == "daily"
    desk.clock.instant += 12 * world.HOUR
    assert code(desk.spend("100.00")) == "accepted"


def test_a_settlement_stands_on_record_and_moves_nothing_else(desk):
    spent = desk.spend("90.00")
    reference = desk.runtime.settle(spent.record.index, "daily", 30_00)
    record = parse(desk.ledger.read(reference.index).body)
    assert (record.kind, record.chain) == ("settlement", '/job:["j1"]')
    settled = {name: record.content[name] for name in ("settles", "limit", "key", "amount", "scale", "machine_name")}
    assert settled == {
        "settles": spent.record.entry,
        "limit": "daily",
        "key": ["ona"],
        "amount": 30_00,
        "scale": 2,
        "machine_name": "desk",
    }
    again = desk.spend("1.00")
    assert (again.state, again.revision) == ("waiting", spent.revision + 1)


def test_saying_it_again_changes_nothing_and_saying_otherwise_is_an_error(desk):
    spent = desk.spend("90.00")
    first = desk.runtime.settle(spent.record.index, "daily", 30_00)
    desk.reopen()
    size = desk.ledger.size
    assert desk.runtime.settle(spent.record.index, "daily", 30_00) == first
    with pytest.raises(SettlementError, match="already, at another amount"):
        desk.runtime.settle(spent.record.index, "daily", 29_99)
    assert desk.ledger.size == size


@pytest.mark.parametrize("amount", [-1, 2**63])
def test_an_amount_that_is_none_is_refused(desk, amount):
    spent = desk.spend("90.00")
    with pytest.raises(SettlementError, match="zero or more"):
        desk.runtime.settle(spent.record.index, "daily", amount)


def test_what_was_never_counted_cannot_be_settled(desk):
    escalated, spent = desk.ask("10.00"), desk.spend("10.00")
    for record, limit, why in (
        (escalated.record.index, "asked_for", "accepted nothing"),
        (spent.record.index, "asked_for", "counted for `daily`"),
        (spent.record.index + 1, "daily", "accepted nothing"),
        (0, "daily", "accepted nothing"),
        (99, "daily", "there is no record 99"),
    ):
        with pytest.raises(SettlementError, match=why):
            desk.runtime.settle(record, limit, 1)


def test_what_came_to_nothing_cannot_be_settled(desk):
    desk.router.reports = [Report(Performed.FAILED)]
    failed = desk.spend("10.00")
    with pytest.raises(SettlementError, match="came to nothing"):
        desk.runtime.settle(failed.record.index, "daily", 1)


def test_long_after_its_window_a_settlement_is_still_recorded(desk):
    spent = desk.spend("90.00")
    desk.clock.instant += 48 * world.HOUR
    desk.spend("100.00")
    desk.runtime.settle(spent.record.index, "daily", 500_00)
    assert desk.counted("spend", "daily") == "100.00"
