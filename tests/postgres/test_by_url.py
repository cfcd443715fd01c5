"""Goal: the kernel and the commands for auditors take a ledger by its URL, and say of it what they say of a file."""

import json
import sys

import psycopg
import pytest
from refund_desk import KEY, ask

from edca.api import Accepted, Refused
from edca.ledger.commitment import committed
from edca.ledger.errors import LedgerError
from edca.ledger.opening import LedgerURL, ledger_path, open_ledger
from edca.ledger.receipt import Receipt


def test_a_kernel_and_its_auditors_take_a_ledger_by_url(kernel, url, edca, tmp_path):
    refused, waiting = ask(kernel, "9000.00", "k1"), ask(kernel, "20.00", "k2")
    assert isinstance(refused.verdict, Refused)
    assert not isinstance(waiting.verdict, Refused)
    assert not isinstance(waiting.verdict, Accepted)
    promise = committed(kernel.commitment(refused.record, KEY.to_secret()), (KEY.verifier,))
    assert kernel.ledger.wait_sequenced(10)

    assert edca("verify", url)[:2][0] == 0
    code, out, _ = edca("replay", url)
    assert (code, out) == (0, f"{kernel.ledger.size} of {kernel.ledger.size} records equal\n")
    key, point, kept = tmp_path / "shop.key", tmp_path / "shop.checkpoint", tmp_path / "o1.receipt"
    key.write_text(KEY.to_secret())
    assert edca("checkpoint", url, "--key", key, "-o", point)[0] == 0
    index = kernel.ledger.read(refused.record.number).leaf.index
    assert edca("receipt", url, index, "--checkpoint", point, "-o", kept)[0] == 0
    assert edca("verify", kept, "--trust", KEY.verifier)[0] == 0
    assert promise.is_kept_by(Receipt.parse(kept.read_bytes()).stored.leaf)
    code, out, _ = edca("verify", url, "--checkpoint", point, "--trust", KEY.verifier, "--json")
    assert (code, json.loads(out)["ok"]) == (0, True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE edca.records SET body = 'x'::bytea WHERE entry = 0 AND chain <> 'config'", "body"),
        ("DELETE FROM edca.leaves WHERE leaf = (SELECT max(leaf) FROM edca.leaves)", "tip"),
        ("DELETE FROM edca.records WHERE number = (SELECT number FROM edca.leaves WHERE leaf = 1)", "record 1"),
        ("UPDATE edca.leaves SET header = overlay(header PLACING '\\x01'::bytea FROM 100) WHERE leaf = 2", "record 2"),
        ("UPDATE edca.records SET entry = 77 WHERE number = (SELECT number FROM edca.leaves WHERE leaf = 2)", "77"),
        ("UPDATE edca.tip SET size = size - 1", "tip"),
        ("DELETE FROM edca.cells WHERE space = 'key'", "key"),
    ],
)
def test_whatever_is_altered_in_the_database_is_named(kernel, url, edca, change, told):
    ask(kernel, "9000.00", "k1")
    assert kernel.ledger.wait_sequenced(10)
    kernel.close()
    with psycopg.connect(url, autocommit=True) as connection:
        for table in ("records", "leaves"):
            connection.execute(f"ALTER TABLE edca.{table} DISABLE TRIGGER USER")
        assert connection.execute(change).rowcount == 1
    code, out, err = edca("verify", url)
    assert code == 1, err
    assert told in out


def test_the_database_refuses_to_change_or_drop_a_record(kernel, url):
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (
            "DELETE FROM edca.records",
            "UPDATE edca.leaves SET leaf = leaf + 1",
            "TRUNCATE edca.records",
        ):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                connection.execute(statement)


def test_a_database_without_a_ledger_and_one_that_cant_be_reached_are_told_apart(url, edca):
    code, _, err = edca("verify", url)
    assert code == 2
    assert "no ledger" in err
    with pytest.raises(LedgerError, match="reached"):
        open_ledger("postgresql:///nothing?host=/nowhere&user=nobody")


def test_a_url_keeps_its_slashes_where_a_path_would_lose_one():
    named = ledger_path("postgresql:///refunds?host=/run/pg")
    assert isinstance(named, LedgerURL)
    assert named.url == "postgresql:///refunds?host=/run/pg"
    assert not isinstance(ledger_path("refunds.ledger"), LedgerURL)


def test_without_the_library_the_extra_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("edca.ledger.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(LedgerError, match=r"edca\[postgres\]"):
        open_ledger("postgresql:///refunds")
