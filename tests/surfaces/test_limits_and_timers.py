"""Goal: at the command line, limits can be read and checked, and what is due happens once."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Edca = Callable[..., Any]  # see conftest.py

NOON = "2026-03-20T12:00:00Z"


@pytest.fixture
def desk(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the refund desk, its database, and one candidate file."""
    folder = tmp_path / "desk"
    shutil.copytree(repository / "specs" / "refund", folder)
    with closing(sqlite3.connect(folder / "shop.db")) as shop:
        shop.executescript((folder / "shop.sql").read_text("utf-8"))
    offer = {"order_id": "o1", "amount": "20.00", "picks": [{"sku": "a1", "count": 1}]}
    candidate = {"transition": "approve_refund", "arguments": offer, "confidence": 0.93}
    (folder / "offer.json").write_text(json.dumps(candidate), "utf-8")
    monkeypatch.chdir(folder)
    return folder


SOURCES = ("--routes", "refund.arp", "--source", "shop=sqlite:///shop.db", "--roster", "roster.toml")
BOT = ("--as", "desk-bot", "--role", "assistant", "--model", "small-model-2026-01-15", "--for", "carla")


def _submit(edca: Edca, *attests: str) -> Any:
    given = [part for one in attests for part in ("--attest", one)]
    return edca(
        "submit", "refund.edca", "offer.json", *SOURCES, "--ledger", "l.db", "--now", NOON, *BOT, *given, "--json"
    )


def _tick(edca: Edca, now: str, *more: str) -> Any:
    return edca("tick", "refund.edca", *SOURCES, "--ledger", "l.db", "--now", now, *more)


YES = ("agreed=true:carla:customer", "reason=Broken.:carla:customer")


@pytest.mark.usefixtures("desk")
class TestLimits:
    """`edca limits`, and how the counters are checked."""

    def test_an_empty_ledger_has_counted_nothing(self, edca: Edca) -> None:
        _submit(edca, "agreed=false:carla:customer")  # a no refuses
        assert edca("limits", "l.db").out == "no limit has counted anything\n"

    def test_what_is_counted_and_what_is_reserved(self, edca: Edca) -> None:
        assert _submit(edca).json["verdict"]["outcome"] == "escalated"
        found = edca("limits", "l.db", "--now", NOON, "--check", "--json")
        assert found.code == 0
        daily, pace = found.json["limits"]
        assert daily == {
            "at_most": "5000.00",
            "counted": "20.00",
            "limit": "daily",
            "machine": "refund",
            "per": ["carla"],
            "reserved": "20.00",
            "tenant": "",
            "transition": "approve_refund",
            "window": "utc day",
        }
        assert (pace["counted"], pace["reserved"], pace["window"]) == ("1", "1", "rolling 1 hour")
        assert found.json["cells"] == []

    def test_before_the_newest_passage_nothing_is_known(self, edca: Edca) -> None:
        _submit(edca, *YES)
        assert "unknown: the clock stands before it" in edca("limits", "l.db", "--now", "2026-03-20T11:59:59Z").out

    def test_a_counter_that_was_tampered_with_is_found_by_all_three(self, edca: Edca) -> None:
        _submit(edca, *YES)
        assert edca("verify", "l.db", "--json").json["cells"] == []
        checked = "checked: every cell beside the records, such as where a case stands, is what they add up to"
        assert checked in edca("verify", "l.db").out
        with closing(sqlite3.connect("l.db")) as ledger, ledger:
            ledger.execute("DELETE FROM cells WHERE space = 'counter'")
        told = "limit daily of approve_refund, machine refund per ['carla']: the ledger's cell holds nothing"
        for command in (("limits", "l.db", "--check"), ("verify", "l.db"), ("replay", "l.db")):
            ran = edca(*command)
            assert (ran.code, told in ran.out) == (1, True), ran.out
            document = edca(*command, "--json")
            assert document.code == 1
            assert len(document.json["cells"]) == 2
        assert edca("verify", "l.db", "--json").json["ok"] is False
        assert edca("replay", "l.db", "--json").json["ok"] is False

    def test_a_file_that_is_no_ledger(self, edca: Edca) -> None:
        ran = edca("limits", "nowhere.db")
        assert ran.code == 2 and "there is no ledger" in ran.err


@pytest.mark.usefixtures("desk")
class TestTick:
    """`edca tick`."""

    def test_it_says_what_it_did_once(self, edca: Edca) -> None:
        _submit(edca, *YES)
        assert _tick(edca, "2026-04-03T11:59:59Z").out == "nothing is due\n"
        ran = _tick(edca, "2026-04-03T12:00:00Z", "--json")
        (fired,) = ran.json
        assert (fired["case"], fired["transition"], fired["state"]) == ('/order:["o1"]', "expire", "declined")
        assert fired["verdict"]["outcome"] == "accepted"
        assert _tick(edca, "2026-04-03T12:00:01Z").out == "nothing is due\n"
        assert edca("replay", "l.db").code == 0

    def test_a_refusal_says_why(self, edca: Edca) -> None:
        _submit(edca, *YES)
        roster = Path("roster.toml").read_text("utf-8")
        Path("roster.toml").write_text(roster.replace(', "expire"]', "]"), "utf-8")
        ran = _tick(edca, "2026-04-03T12:00:00Z")
        assert ran.code == 0
        assert "expire refused (no_anchor); the case is in approved" in ran.out
        assert _tick(edca, "2026-04-03T12:00:00Z").out == "nothing is due\n"

    def test_a_roster_without_a_clock(self, edca: Edca) -> None:
        _submit(edca, *YES)
        roster = Path("roster.toml").read_text("utf-8")
        Path("roster.toml").write_text(roster.replace('roles = ["clock"]', 'roles = ["customer"]'), "utf-8")
        ran = _tick(edca, "2026-04-03T12:00:00Z")
        assert ran.code == 2 and "holds the role `clock`" in ran.err and "add a principal" in ran.err

    def test_a_ledger_that_is_not_there_is_not_made(self, edca: Edca) -> None:
        ran = _tick(edca, NOON)
        assert ran.code == 2 and "no such file" in ran.err
        assert not Path("l.db").exists()
