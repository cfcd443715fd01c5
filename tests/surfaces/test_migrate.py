"""Goal: the command drafts, checks, plans and moves; whatever stops it is said, with an honest exit code."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edca.api import Caller, Fate, FixedClock, Kernel, MigrationError, PolicyError, open_engine

Edca = Callable[..., Any]  # see conftest.py

SVEN = ("--as", "sven", "--role", "supervisor", "--reason", "New rules.", "--now", "2026-03-21T12:00:00Z")
NEEDS_PERSON = 'state approved needs person "Look first."'


@pytest.fixture
def desk(tmp_path: Path, repository: Path) -> Path:
    """A folder with the refund spec in two versions, and a ledger in which one case is approved."""
    folder = tmp_path / "refund"
    shutil.copytree(repository / "specs" / "refund", folder)
    connection = sqlite3.connect(folder / "shop.db")
    connection.executescript((folder / "shop.sql").read_text("utf-8"))
    connection.close()
    with opened(folder, "refund.edca") as kernel:
        said = [
            kernel.attest("agreed", True, by="carla", role="customer"),
            kernel.attest("reason", "Broken.", by="carla", role="customer"),
        ]
        bot = Caller("desk-bot", "assistant", subject="carla", model="small-model-2026-01-15")
        arguments = {"order_id": "o1", "amount": "20.00", "picks": [{"sku": "a1", "count": 1}]}
        candidate = {"transition": "approve_refund", "arguments": arguments, "confidence": 0.93}
        assert kernel.submit(candidate, caller=bot, attestations=said).state == "approved"
    return folder


def opened(folder: Path, spec: str, tenant: str = "", roster: str = "roster.toml") -> Kernel:
    return Kernel.open(
        folder / spec,
        routes=folder / "refund.arp",
        roster=folder / roster,
        tenant=tenant,
        ledger=folder / "refunds.ledger",
        engines={"shop": open_engine(f"sqlite:///{folder / 'shop.db'}")},
        clock=FixedClock("2026-03-20T12:00:00Z"),
    )


def options(desk: Path, *more: object) -> list[object]:
    map_file = desk / "next" / "from-1.0.0.migration"
    return [desk / "refunds.ledger", "--to", desk / "next" / "refund.edca", "--map", map_file, *more]


def test_a_plan_and_what_comes_of_it_say_the_same(edca: Edca, desk: Path) -> None:
    planned = edca("migrate", *options(desk, "--dry-run", "--json"))
    done = edca("migrate", *options(desk, *SVEN, "--json"))
    assert (planned.code, done.code, planned.err, done.err) == (0, 0, "", "")
    (before,), (after,) = planned.json["cases"], done.json["cases"]
    assert before | {"record": after["record"]} == after
    assert (after["fate"], after["state"], after["target"]) == ("moves", "approved", "approved")
    assert (planned.json["planned"], planned.json["record"], done.json["planned"]) == (True, None, False)
    assert planned.json["map"] == done.json["map"]
    again = edca("migrate", *options(desk, *SVEN))
    assert (again.code, again.out) == (0, "0 of 0 cases moved\n")


def test_what_was_done_can_be_read_and_replayed(edca: Edca, desk: Path) -> None:
    done = edca("migrate", *options(desk, *SVEN, "--json")).json
    ledger = desk / "refunds.ledger"
    told = edca("explain", done["record"]["index"], "--ledger", ledger).out
    assert "by sven as supervisor (asserted by the host)\nreason: New rules." in told
    told = edca("explain", done["cases"][0]["record"]["index"], "--ledger", ledger).out
    assert "the case moves from version 1.0.0 to 1.1.0, and from approved to approved" in told
    assert 'memory owed: nothing → "20.00"' in told
    titles = {row["what"] for row in edca("log", ledger, "--json").json}
    assert {"migration", "map", "cases move to another version"} <= titles
    for row in edca("log", ledger, "--json").json:
        assert edca("explain", row["index"], "--ledger", ledger).code == 0
    assert edca("replay", ledger).code == edca("verify", ledger).code == 0


def test_a_case_that_stays_makes_exit_code_1(edca: Edca, desk: Path) -> None:
    map_file = desk / "next" / "from-1.0.0.migration"
    text = map_file.read_text("utf-8").replace("state approved  to approved  restarting time", NEEDS_PERSON)
    map_file.write_text(text, "utf-8")
    for more in (("--dry-run",), SVEN):
        ran = edca("migrate", *options(desk, *more))
        assert ran.code == 1
        assert '/order:["o1"] stays in approved: state `approved`: Look first.' in ran.out
    assert "migrated" not in {row["kind"] for row in edca("log", desk / "refunds.ledger", "--json").json}


def test_a_map_with_a_mistake_is_told_so_and_moves_nothing(edca: Edca, desk: Path) -> None:
    map_file = desk / "next" / "from-1.0.0.migration"
    map_file.write_text(map_file.read_text("utf-8").replace("memory owed = promised\n", ""), "utf-8")
    for ran in (
        edca("migrate", *options(desk, *SVEN, "--error-format", "concise")),
        edca("migrate", "--from", desk / "refund.edca", *options(desk, "--error-format", "concise")[1:]),
    ):
        assert (ran.code, ran.out) == (1, "")
        assert "error[M003] unfilled-memory" in ran.err and "error[M004] dropped-memory" in ran.err
    assert edca("explain", "M003").code == 0


def test_a_draft_is_a_map(edca: Edca, desk: Path, tmp_path: Path) -> None:
    versions = ("--from", desk / "refund.edca", "--to", desk / "next" / "refund.edca")
    draft = edca("migrate", "--draft", *versions)
    assert (draft.code, draft.err) == (0, "")
    (tmp_path / "draft.migration").write_text(draft.out, "utf-8")
    checked = edca("migrate", *versions, "--map", tmp_path / "draft.migration")
    assert (checked.code, checked.out) == (0, f"{tmp_path / 'draft.migration'}: no mistakes\n")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "somebody's act"),
        (("--as", "sven", "--role", "supervisor"), "somebody's act"),
        (("--as", "sven", "--role", "customer", "--reason", "x"), "no person in role `customer`"),
        (("--as", "desk-bot", "--role", "assistant", "--reason", "x"), "no person in role `assistant`"),
        (("--as", "sven", "--role", "supervisor", "--reason", " "), "needs a reason"),
    ],
)
def test_who_may_not_is_told_why(edca: Edca, desk: Path, more: tuple[str, ...], message: str) -> None:
    ran = edca("migrate", *options(desk, *more))
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_what_is_missing_is_named(edca: Edca, desk: Path) -> None:
    new, map_file = desk / "next" / "refund.edca", desk / "next" / "from-1.0.0.migration"
    for arguments, message in (
        (("--to", new), "no map is named"),
        (("--to", new, "--draft"), "both versions"),
        (("--to", new, "--map", map_file), "neither a ledger nor the old version"),
        ((desk / "no.ledger", "--to", new, "--map", map_file), "no such file"),
        ((desk / "refunds.ledger", "--to", desk / "refund.edca", "--map", map_file), "the ledger holds no machine"),
    ):
        ran = edca("migrate", *arguments)
        assert (ran.code, message in ran.err) == (2, True), ran.err


def test_a_running_kernel_moves_cases_too(desk: Path) -> None:
    map_file = desk / "next" / "from-1.0.0.migration"
    sven = Caller("sven", "supervisor", subject="carla")
    check = {"transition": "check", "arguments": {"order_id": "o1"}}
    with opened(desk, "next/refund.edca") as kernel:
        assert kernel.submit(check, caller=sven).verdict.code == "wrong_machine"
        assert kernel.view("order", ["o1"], caller=sven) == kernel.view("order", ["no"], caller=sven)
        (planned,) = kernel.plan_migration(map_file)
        assert planned.fate is Fate.MOVES
        with pytest.raises(PolicyError, match="M001"):
            kernel.plan_migration(map_file, old=desk / "next" / "refund.edca")
        with pytest.raises(MigrationError, match="no person"):
            kernel.migrate(map_file, by="desk-bot", role="supervisor", reason="x")
        done = kernel.migrate(map_file, by="sven", role="supervisor", reason="x", old=desk / "refund.edca")
        assert [case.case for case in done.cases] == [planned.case]
        assert kernel.view("order", ["o1"], caller=sven).memory == {"owed": "20.00"}
        assert kernel.submit(check, caller=sven).state == "checked"
        found = kernel.replay()
        assert (found.equal, found.cells) == (found.total, ())


def test_another_tenants_people_have_no_say_from_the_shell(edca: Edca, desk: Path) -> None:
    people = (desk / "roster.toml").read_text("utf-8").replace('"sven"', '"mallory"')
    (desk / "south.toml").write_text(people, "utf-8")
    check = {"transition": "check", "arguments": {"order_id": "o2"}}
    with opened(desk, "refund.edca", "south", "south.toml") as kernel:  # the newest record is the south's
        kernel.submit(check, caller=Caller("mallory", "supervisor", subject="carla"))
    ledger, mallory = desk / "refunds.ledger", ("--as", "mallory", "--role", "supervisor", "--reason", "Mine.")
    for ran in (
        edca("migrate", *options(desk, *mallory, *SVEN[-2:])),
        edca("mode", ledger, "--enter", "degraded", *mallory, *SVEN[-2:]),
        edca("takeover", ledger, '/order:["o1"]', *mallory[:2], *SVEN[-2:]),
    ):
        assert (ran.code, ran.out) == (2, ""), ran.out
        assert "`mallory`" in ran.err
    assert edca("migrate", *options(desk, *SVEN)).code == 0
    sven = ("--as", "sven", "--reason", "Mine.", *SVEN[-2:])
    assert edca("mode", ledger, "--enter", "degraded", "--role", "supervisor", *sven).code == 0
    ran = edca("mode", ledger, "--tenant", "south", "--enter", "degraded", "--role", "supervisor", *sven)
    assert (ran.code, "`sven`" in ran.err) == (2, True)
    assert edca("replay", ledger).code == 0
