"""Goal: every command that takes a ledger takes one in PostgreSQL, while a kernel has it open, or says what to do."""

import importlib
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import typer
from refund_desk import BOT, KEY, REFUND, ask, candidate

from edca.cli.main import COMMANDS
from edca.ledger.note import KeyKind, SigningKey
from edca.ledger.opening import LedgerURL, ledger_path
from edca.ledger.record import parse

VERIFIER = Path(__file__).resolve().parents[2] / "verifiers" / "verify_ledger.py"
NEXT = SigningKey("shop.example", KeyKind.LOG, bytes(range(1, 33)))
NOON = ("--now", "2026-03-20T12:00:00Z")
ROUTES = ("--routes", REFUND / "refund.arp")
CASE = '/order:["o1"]'
RUN = {
    "submit", "view", "tick", "limits", "mode", "halt", "resume", "erase", "hold", "retention", "takeover", "migrate",
    "reconcile", "inbox", "approve", "decline", "roster", "rotate-key", "log", "explain", "verify", "replay", "query",
    "export", "checkpoint", "receipt", "bundle", "publish", "ask",
}  # fmt: skip
"""Commands that a test below runs on a ledger in PostgreSQL (`erase` and its like in test_erasure.py)."""
SERVED = {"mcp"}  # opens its kernel as `submit` does, and serves until it is ended
FILES = {"backup", "restore", "trial"}
"""And `keygen --ledger` takes a name that a ledger goes by."""


@pytest.fixture
def worked(kernel):
    """A ledger with a refusal, and a question that waits; the kernel stays open."""
    ask(kernel, "9000.00", "k1")
    ask(kernel, "20.00", "k2")
    assert kernel.ledger.wait_sequenced(10)
    return kernel


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "shop.key"
    path.write_text(KEY.to_secret())
    return path


@pytest.fixture
def desk(url, shop):
    """What a command that acts needs besides."""
    return ("--roster", REFUND / "roster.toml", *ROUTES, "--ledger", url, "--source", f"shop={shop}", *NOON)


def takes_a_ledger(name):
    command = typer.main.get_command(importlib.import_module(f"edca.cli.commands.{name.replace('-', '_')}").app)
    return any(parameter.name == "ledger" for parameter in command.params)


def ok(ran):
    code, out, err = ran
    assert code == 0, err
    return out


def wait(kernel):
    assert kernel.ledger.wait_sequenced(10)


def test_each_command_that_takes_a_ledger_is_known_here():
    assert {name for name in COMMANDS if takes_a_ledger(name)} == RUN | SERVED | FILES | {"keygen"}


def test_the_records_are_listed_asked_and_exported(worked, url, edca, tmp_path):
    size = worked.ledger.size
    listed = json.loads(ok(edca("log", url, "--json")))
    assert [one["index"] for one in listed] == list(range(size))
    assert [one["code"] for one in listed if one["outcome"] == "refused"] == ["over_total"]
    asked = json.loads(ok(edca("query", url, "select outcome, count(*) from verdicts group by 1 order by 1", "--json")))
    assert asked["rows"] == [["escalated", 1], ["refused", 1]]
    ok(edca("export", url, "--to", tmp_path / "tables"))
    assert len((tmp_path / "tables" / "records.jsonl").read_text().splitlines()) == size


def test_each_record_is_explained_under_its_index(worked, url, edca):
    """A number, by which the database finds a record, is not its index."""
    listed = json.loads(ok(edca("log", url, "--json")))
    for one in listed:
        told = json.loads(ok(edca("explain", one["index"], "--ledger", url, "--json")))
        assert (told["index"], told["chain"], told["entry"]) == (one["index"], one["case"], one["entry"])
    assert "over_total is a clause" in ok(edca("explain", "over_total", "--ledger", url))


@pytest.mark.parametrize("command", ["publish", "bundle"])
def test_what_is_published_of_it_holds_for_a_stranger(worked, url, edca, tmp_path, key, command):
    bodies = ("--bodies",) if command == "publish" else ()
    ok(edca(command, url, "--key", key, "--to", tmp_path / "out", *bodies))
    checked = [sys.executable, VERIFIER, tmp_path / "out", "--trust", str(KEY.verifier)]
    ran = subprocess.run([str(part) for part in checked], capture_output=True, text=True, check=False)
    assert (ran.returncode, "every body has the digest" in ran.stdout) == (0, True), ran.stdout
    ask(worked, "30.00", "k3")
    wait(worked)
    ok(edca(command, url, "--key", key, "--to", tmp_path / "out", *bodies))
    ok(edca("verify", tmp_path / "out", "--trust", KEY.verifier))


def test_checkpoints_and_receipts_are_made_and_hold(worked, url, edca, tmp_path, key):
    point, kept = tmp_path / "a.checkpoint", tmp_path / "2.receipt"
    ok(edca("checkpoint", url, "--key", key, "-o", point))
    ok(edca("receipt", url, 2, "--checkpoint", point, "-o", kept))
    ok(edca("verify", kept, "--trust", KEY.verifier))
    ask(worked, "30.00", "k3")
    wait(worked)
    assert ok(edca("checkpoint", url, "--key", key, "--since", point)).startswith(f"old {worked.ledger.size - 1}\n")
    ok(edca("verify", url, "--checkpoint", point, "--receipt", kept, "--trust", KEY.verifier))


def test_a_key_that_replaces_another_is_followed(worked, url, edca, tmp_path, key):
    (tmp_path / "next.key").write_text(NEXT.to_secret())
    assert "announces" in ok(edca("rotate-key", url, "--key", key, "--to", NEXT.verifier, *NOON))
    wait(worked)
    point = tmp_path / "next.checkpoint"
    ok(edca("checkpoint", url, "--key", tmp_path / "next.key", "-o", point))
    assert "who wrote the first" in ok(edca("verify", url, "--checkpoint", point, "--trust", KEY.verifier))
    code, _, err = edca("checkpoint", url, "--key", key)
    assert (code, "has replaced" in err) == (2, True)


def test_it_is_replayed_by_both_engines(worked, url, edca):
    out = ok(edca("replay", url, "--engine", "both", "--spec", REFUND / "refund.edca"))
    assert out.count(f"{worked.ledger.size} of {worked.ledger.size} records equal") == 2


def test_candidates_are_submitted_and_looked_at(worked, url, edca, tmp_path, desk):
    offered = tmp_path / "offer.json"
    offered.write_text(json.dumps(candidate("9000.00", "k9")))
    who = ("--as", "desk-bot", "--role", "assistant", "--model", "small-model-2026-01-15", "--for", "carla")
    told = json.loads(ok(edca("submit", REFUND / "refund.edca", offered, *desk, *who, "--json")))
    assert told["verdict"]["code"] == "over_total"
    wait(worked)
    assert [one["kind"] for one in json.loads(ok(edca("log", url, "--json")))].count("verdict") == 3
    assert desk[0] == "--roster"
    looking = ("--case", "o1", "--as", "desk-bot", "--role", "assistant", "--for", "carla", "--json")
    shown = json.loads(ok(edca("view", REFUND / "refund.edca", *desk[2:], *looking)))
    assert shown["state"] == "requested"
    assert "1" in ok(edca("limits", url, "--check", *NOON))


@pytest.mark.parametrize(("command", "outcome"), [("approve", "accepted"), ("decline", "refused")])
def test_questions_are_listed_and_answered(worked, url, edca, desk, command, outcome):
    (question,) = json.loads(ok(edca("inbox", url, "--json", *NOON)))
    spec, who = REFUND / "refund.edca", ("--code", "agreed", "--as", "carla", "--role", "customer")
    told = json.loads(ok(edca(command, spec, question["id"], *desk, *who, "--json")))
    assert told["verdict"]["outcome"] == outcome
    assert json.loads(ok(edca("inbox", url, "--json", *NOON))) == []


def test_a_query_is_asked(url, edca, tmp_path):
    airline = REFUND.parent / "airline"
    with closing(sqlite3.connect(tmp_path / "air.db")) as connection:
        connection.executescript((airline / "schema.sql").read_text("utf-8"))
    roster = tmp_path / "roster.toml"
    roster.write_text('[[principals]]\nid = "bot"\nroles = ["agent"]\nmodel = "small-model-2026-01-15"\n')
    database = tmp_path / "air.db"
    rest = ("--routes", airline / "airline.arp", "--roster", roster, "--source", f"desk=sqlite:///{database}")
    who = ("--as", "bot", "--role", "agent", "--model", "small-model-2026-01-15", "--for", "emma", "--ledger", url)
    told = json.loads(
        ok(edca("ask", airline / "airline.edca", "reservation_of", "reservation_id=X", *rest, *who, "--json"))
    )
    assert told["verdict"]["outcome"] == "refused"
    assert json.loads(ok(edca("query", url, "select count(*) from records where kind = 'query'", "--json")))["rows"]


def test_the_clock_acts(worked, url, edca, desk):
    out = ok(edca("tick", REFUND / "refund.edca", *desk[:-1], "2026-04-20T12:00:00Z"))
    assert f"{CASE}: expire accepted" in out


def test_operators_act_while_a_kernel_is_open(worked, url, edca):
    ok(edca("halt", url, "--as", "anna", "--reason", "Stop.", *NOON))
    assert worked.mode == "halted"
    ok(edca("resume", url, "--as", "anna", *NOON))
    sven = ("--as", "sven", *NOON)
    ok(edca("mode", url, "--enter", "degraded", "--role", "supervisor", *sven))
    assert worked.mode == "degraded"
    ok(edca("mode", url, "--leave", "--role", "supervisor", *sven))
    ok(edca("takeover", url, CASE, *sven))
    ok(edca("takeover", url, CASE, "--hand-back", *sven))
    ok(edca("hold", CASE, url, "--case", "--by", "otto", "--because", "a court's order", *NOON))
    out = ok(edca("roster", REFUND / "roster.toml", "--ledger", url, "--json"))
    assert [one["id"] for one in json.loads(out)["mandates"]] == ["spring"]


def test_cases_move_to_another_version(kernel, url, edca):
    said = [
        kernel.attest("agreed", True, by="carla", role="customer"),
        kernel.attest("reason", "Broken.", by="carla", role="customer"),
    ]
    assert kernel.submit(candidate("20.00", "k"), caller=BOT, attestations=said).state == "approved"
    kernel.close()
    target = ("--to", REFUND / "next" / "refund.edca", "--map", REFUND / "next" / "from-1.0.0.migration")
    sven = ("--as", "sven", "--role", "supervisor", "--reason", "New rules.", *NOON)
    assert [one["case"] for one in json.loads(ok(edca("migrate", url, *target, *sven, "--json")))["cases"]] == [CASE]


@pytest.mark.parametrize("command", ["tick", "reconcile", "approve", "migrate"])
def test_what_goes_on_with_a_ledger_begins_none(url, edca, desk, command):
    """A database without a ledger is a wrong address, and no place for a new one."""
    spec = REFUND / "refund.edca"
    rest = {
        "tick": (spec, *desk),
        "reconcile": (spec, CASE, *desk, "--as", "sven"),
        "approve": (spec, "5f0c1d2e3a4b5c6d", *desk, "--code", "agreed", "--as", "carla"),
        "migrate": (url, "--to", REFUND / "next" / "refund.edca", "--map", REFUND / "next" / "from-1.0.0.migration"),
    }[command]
    code, _, err = edca(command, *rest)
    assert (code, "no ledger" in err) == (2, True)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regnamespace('edca') IS NULL").fetchone() == (True,)


def test_an_outcome_that_nobody_knew_is_asked_about(worked, url, edca, desk):
    code, _, err = edca("reconcile", REFUND / "refund.edca", CASE, *desk, "--as", "sven")
    assert (code, "Traceback" in err) == (2, False)  # this case has none
    assert str(ledger_path(url)) in err


def test_what_has_no_place_yet_is_said_to_be_there(kernel, url, edca):
    kernel.ledger._sequencer.stop()
    answer = ask(kernel, "9000.00", "k1")
    for command in (("log", url), ("query", url, "select 1")):
        code, _, err = edca(*command)
        assert (code, "no place in the ledger yet" in err) == (0, True), err
    assert parse(kernel.ledger.read(answer.record.number).body).kind == "verdict"


def test_of_an_altered_ledger_what_is_sound_is_listed_and_explained(worked, url, edca):
    size = worked.ledger.size
    worked.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE edca.records DISABLE TRIGGER USER")
        connection.execute("DELETE FROM edca.records WHERE number = (SELECT number FROM edca.leaves WHERE leaf = 1)")
        changed = "UPDATE edca.records SET body = 'x' WHERE number = (SELECT number FROM edca.leaves WHERE leaf = %s)"
        connection.execute(changed, (size - 2,))
    code, out, err = edca("log", url)
    assert (code, "verify" in err) == (1, True)
    assert f"record {size - 2}: its body is not the one" in out
    assert "record 1: its body is not the one" in out
    code, _, err = edca("explain", size - 2, "--ledger", url)
    assert (code, f"record {size - 2}: its body is not the one" in err) == (2, True)
    assert edca("explain", size - 1, "--ledger", url)[0] == 0


def test_a_record_that_is_gone_is_not_passed_over(worked, url, edca):
    worked.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE edca.leaves DISABLE TRIGGER USER")
        connection.execute("DELETE FROM edca.leaves WHERE leaf = 1")
    code, out, err = edca("log", url)
    assert (code, "record 1 is not there" in err, "record 1 is not there" in out) == (1, True, True)
    assert edca("query", url, "select 1")[0] == 2


def test_a_password_is_shown_nowhere():
    for text in (
        "postgresql://u:s3cret@h/db",
        "postgres://h/db?user=u&password=s3cret&x=1",
        "postgresql://h/d?password=s3cret",
    ):
        named = ledger_path(text)
        assert isinstance(named, LedgerURL)
        assert named.url == text
        assert "s3cret" not in f"{named} {named!s}"
    assert str(ledger_path("postgresql://u@h/db?host=/run/pg")) == "postgresql://u@h/db?host=/run/pg"


@pytest.mark.parametrize("command", ["backup", "restore", "trial"])
def test_what_is_for_files_only_says_what_to_do(url, edca, tmp_path, command):
    rest = {
        "backup": (url, "-o", tmp_path / "copy"),
        "restore": (tmp_path / "copy", url),
        "trial": (REFUND / "refund.edca", *ROUTES, "--trace", tmp_path / "none", "--ledger", url),
    }[command]
    code, _, err = edca(command, *rest)
    assert (code, "PostgreSQL" in err, "hint" in err) == (2, True, True), err
