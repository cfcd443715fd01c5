"""Goal: a commit whose answer is lost is found to stand or not; only an absent database leaves it open."""

import psycopg
import pytest

from edca.ledger import postgres
from edca.ledger.errors import InDoubtError, LedgerError, StaleError
from edca.ledger.record import Draft, parse
from edca.ledger.store import Cell

NOTE, CELLS = [Draft("a", "note", {"n": 1}), Draft("b", "note", {"n": 1})], [Cell("s", "k", b"1")]


@pytest.fixture
def ledger(opened):
    return opened(reconnect_s=5.0)


def lose_answer(monkeypatch, *, before):
    """Let the next commit's connection break just before, or just after, it is sent."""
    finish = postgres.finish

    def broken(connection, *parts):
        monkeypatch.setattr(postgres, "finish", finish)
        if not before:
            finish(connection, *parts)
        connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(postgres, "finish", broken)


def notes(ledger):
    return [parse(stored.body).content["n"] for stored in ledger.records(chain="a")]


def test_one_that_stands_is_acknowledged_once(ledger, monkeypatch):
    lose_answer(monkeypatch, before=False)
    stored = ledger.commit(NOTE, CELLS)
    assert (notes(ledger), ledger.cell("s", "k")) == ([1], b"1")
    assert ledger.head("a") == (0, stored[0].digest)
    ledger.commit([Draft("a", "note", {"n": 2})])
    assert notes(ledger) == [1, 2]


def test_one_that_doesnt_stand_is_told_to_be_decided_again(ledger, monkeypatch):
    lose_answer(monkeypatch, before=True)
    with pytest.raises(StaleError, match="nothing was written"):
        ledger.commit(NOTE, CELLS)
    assert (notes(ledger), ledger.cell("s", "k")) == ([], None)
    ledger.commit(NOTE, CELLS)
    assert notes(ledger) == [1]


def test_one_of_cells_alone_is_resolved_as_well(ledger, monkeypatch):
    lose_answer(monkeypatch, before=False)
    ledger.commit([], CELLS)
    assert ledger.cell("s", "k") == b"1"
    lose_answer(monkeypatch, before=True)
    with pytest.raises(StaleError):
        ledger.commit([], [Cell("s", "k", b"2")])
    assert ledger.cell("s", "k") == b"1"


def test_while_the_server_is_still_at_it_it_is_waited_for(server, ledger, schema, monkeypatch):
    """The old connection's transaction is open: nobody may say yet that it doesn't stand."""
    asked = []
    look = postgres.is_on_record

    def counted(*parts):
        asked.append(look(*parts))
        return asked[-1]

    finish = postgres.finish

    def hanging(connection, group, *parts):
        monkeypatch.setattr(postgres, "finish", finish)
        held.append(connection)
        raise psycopg.OperationalError("no answer")

    held = []
    monkeypatch.setattr(postgres, "is_on_record", counted)
    monkeypatch.setattr(postgres, "finish", hanging)
    monkeypatch.setattr(postgres.time, "sleep", lambda _s: held[0].close() if len(asked) == 3 else None)
    with pytest.raises(StaleError):
        ledger.commit(NOTE)
    assert asked[:3] == [None, None, None]
    assert asked[-1] is False


def test_only_a_database_that_stays_away_leaves_it_in_doubt(ledger, monkeypatch):
    lose_answer(monkeypatch, before=False)

    def gone(**_):
        raise LedgerError("the database can't be reached")

    assert ledger.head("a") is None  # over a connection that is there for the commit, too
    with monkeypatch.context() as away:
        away.setattr(ledger._pool, "connect", gone)
        with pytest.raises(InDoubtError):
            ledger.commit(NOTE)
    assert notes(ledger) == [1]  # it did stand; who submits again under the same key is told so
