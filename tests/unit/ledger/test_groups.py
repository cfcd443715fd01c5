"""Goal: a group is one transaction: its own later commits read it, and nobody else does before it is durable."""

import sqlite3
import threading

import pytest

from edca.ledger.errors import InDoubtError, LedgerError
from edca.ledger.record import Draft, parse
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.store import Cell
from edca.ledger.verify import verify


@pytest.fixture
def ledger(tmp_path):
    with SQLiteLedger.open(tmp_path / "ledger.db", durable=False) as ledger:
        ledger.commit([Draft("a", "note", {"n": 0})], [Cell("s", "old", b"0"), Cell("s", "gone", b"0")])
        yield ledger


def _note(number, chain="a"):
    return Draft(chain, "note", {"n": number})


def _all(ledger, chain=None):
    return [parse(stored.body).content["n"] for stored in ledger.records(chain=chain)]


def _seen(ledger):
    """All that reading can tell of a ledger."""
    return (
        ledger.size,
        ledger.root(),
        ledger.head("a"),
        ledger.head("b"),
        [stored.leaf.index for stored in ledger.records()],
        _all(ledger, "a"),
        _all(ledger, "b"),
        [ledger.cell("s", key) for key in ("old", "new", "gone")],
        list(ledger.cells("s")),
        ledger.newest("b"),
        [ledger.read(index) for index in range(ledger.size)],
    )


def _fill(ledger):
    ledger.commit([_note(1), _note(2, "b")], [Cell("s", "new", b"1"), Cell("s", "gone", None)])
    ledger.commit([_note(3)], [Cell("s", "old", b"2"), Cell("s", "new", b"2")])


def test_a_group_reads_what_it_will_leave(tmp_path, ledger):
    with SQLiteLedger.open(tmp_path / "other.db", durable=False) as other:
        other.commit([Draft("a", "note", {"n": 0})], [Cell("s", "old", b"0"), Cell("s", "gone", b"0")])
        _fill(other)
        expected = _seen(other)
    with ledger.group():
        _fill(ledger)
        assert _seen(ledger) == expected
    assert _seen(ledger) == expected
    assert (expected[0], expected[5], expected[7]) == (4, [0, 1, 3], [b"2", b"2", None])
    assert verify(ledger.path).findings == ()


def test_cells_may_follow_from_the_places_of_the_records(ledger):
    stored = ledger.commit([_note(1)], lambda placed: [Cell("s", "at", placed[0].digest)])
    assert ledger.cell("s", "at") == stored[0].digest == ledger.read(1).leaf.body_digest


def test_nobody_else_reads_what_is_not_durable(ledger):
    entered, seen = threading.Event(), []

    def look():
        entered.set()
        seen.append((ledger.size, ledger.cell("s", "new")))

    thread = threading.Thread(target=look)
    with ledger.group():
        _fill(ledger)
        thread.start()
        assert entered.wait(10)
        thread.join(0.05)
        assert seen == []
    thread.join(10)
    assert seen == [(4, b"2")]


def test_a_step_that_raises_is_taken_back_alone(ledger):
    before = _seen(ledger)
    with ledger.group():
        with pytest.raises(ValueError, match="no"), ledger.step():
            _fill(ledger)
            raise ValueError("no")
        assert _seen(ledger) == before
        with ledger.step():
            ledger.commit([_note(9)])
    assert _all(ledger) == [0, 9]


def test_a_draft_that_cannot_be_stored_takes_its_own_commit_back_and_no_other(ledger):
    with ledger.group():
        ledger.commit([_note(1)])
        with pytest.raises(LedgerError):
            ledger.commit([_note(2), Draft("a", "", {})], [Cell("s", "new", b"1")])
        ledger.commit([_note(3)])
    assert (_all(ledger), ledger.cell("s", "new")) == ([0, 1, 3], None)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_group_that_is_left_by_an_error_writes_nothing_and_leaves_no_doubt(ledger, error):
    before = _seen(ledger)
    with pytest.raises(error), ledger.group():
        _fill(ledger)
        raise error
    assert _seen(ledger) == before
    _fill(ledger)
    assert ledger.size == 4


def test_a_transaction_that_fails_leaves_the_ledger_in_doubt(ledger, monkeypatch):
    def fail(_ledger, _staged):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(SQLiteLedger, "_transact", fail)
    with pytest.raises(InDoubtError), ledger.group():
        _fill(ledger)
    monkeypatch.undo()
    with pytest.raises(InDoubtError):
        ledger.commit([_note(1)])


def test_a_group_without_commits_writes_nothing_and_groups_do_not_nest(ledger, monkeypatch):
    monkeypatch.setattr(SQLiteLedger, "_transact", None)
    with ledger.group():
        assert ledger.commit([]) == ()
    with pytest.raises(LedgerError, match="begun a group"), ledger.group(), ledger.group():
        pass
    with pytest.raises(LedgerError, match="part of a group"), ledger.step():
        pass
