"""Goal: operators halt and resume, people take cases over, and all of it can be read afterwards."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Edca = Submit = Callable[..., Any]  # see conftest.py

OTHER: dict[str, object] = {"transition": "sell_seat", "arguments": {"seat_id": "a2", "offer": 20}, "key": "k9"}
CASE = '/seat:["a2"]'
AT = ("--now", "2026-03-20T12:00:00Z")


def test_a_halt_stops_everything_until_an_operator_resumes(edca: Edca, submit: Submit, ledger: Path) -> None:
    assert edca("mode", ledger).out == "seats is in mode normal\n"
    ran = edca("halt", ledger, "--as", "ops", "--reason", "Double payments.", *AT)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "seats is halted")
    assert edca("mode", ledger, "--json").json == {"declared": [], "machine": "seats", "mode": "halted"}
    assert submit(OTHER, "--json").json["verdict"]["code"] == "halted"
    done = edca("resume", ledger, "--as", "ops", "--json", *AT).json
    assert (done["machine"], done["mode"]) == ("seats", "normal")
    assert submit(OTHER | {"key": "k10"}, "--json").json["verdict"]["outcome"] == "escalated"
    told = edca("explain", done["record"]["index"], "--ledger", ledger).out
    assert "the halt ends; in force is normal" in told and "by ops as an operator (asserted by the host)" in told
    kinds = [(row["kind"], row["what"]) for row in edca("log", ledger, "--json").json]
    assert ("mode", "everything is halted") in kinds
    assert edca("replay", ledger).code == edca("verify", ledger).code == 0


def test_people_take_a_case_over_and_hand_it_back(edca: Edca, submit: Submit, ledger: Path) -> None:
    ran = edca("takeover", ledger, CASE, "--as", "mo", "--reason", "She called.", *AT)
    assert (ran.code, ran.out.splitlines()[0]) == (0, f"{CASE} is in people's hands")
    assert submit(OTHER, "--json").json["verdict"]["code"] == "mode"
    back = edca("takeover", ledger, CASE, "--as", "mo", "--hand-back", "--json", *AT).json
    assert (back["case"], back["human_only"]) == (CASE, False)
    assert submit(OTHER | {"key": "k10"}, "--json").json["verdict"]["outcome"] == "escalated"
    told = edca("explain", back["record"]["index"] - 2, "--ledger", ledger).out
    assert "people have taken the case over\nby mo (asserted by the host)" in told and "reason: She called." in told
    assert edca("replay", ledger).code == 0


def test_a_changed_roster_is_put_in_force(edca: Edca, submit: Submit, theatre: Path, ledger: Path) -> None:
    file = theatre / "roster.toml"
    changed = theatre / "changed.toml"
    changed.write_text(file.read_text("utf-8").replace('"mo"', '"max"'), "utf-8")
    adopting = ("--ledger", ledger, "--adopt", "--as", "ops", "--reason", "Mo has left.", *AT)
    ran = edca("roster", changed, *adopting)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "seats goes on with changed.toml"), ran.err
    index = int(ran.out.splitlines()[1].split()[1])
    told = edca("explain", index, "--ledger", ledger).out
    assert "by ops as an operator (asserted by the host)" in told and "reason: Mo has left." in told
    assert "is no person" in edca("takeover", ledger, CASE, "--as", "mo", *AT).err
    stale = submit(OTHER)
    assert (stale.code, stale.out) == (2, "")
    assert "has adopted another roster" in stale.err
    file.write_text(changed.read_text("utf-8"), "utf-8")
    assert submit(OTHER, "--json").json["verdict"]["outcome"] == "escalated"
    again = edca("roster", changed, *adopting)
    assert (again.code, "in force already" in again.err) == (2, True)
    assert edca("roster", changed, "--adopt").code == 2
    assert edca("replay", ledger).code == edca("verify", ledger).code == 0


def test_each_tenant_is_operated_apart(edca: Edca, submit: Submit, ledger: Path) -> None:
    edca("halt", ledger, "--as", "ops", "--reason", "Look first.", "--tenant", "north", *AT)
    assert edca("mode", ledger, "--tenant", "north").out == "seats is in mode halted\n"
    assert edca("mode", ledger).out == "seats is in mode normal\n"
    assert submit(OTHER, "--tenant", "north", "--json").json["verdict"]["code"] == "halted"
    assert submit(OTHER, "--json").json["verdict"]["outcome"] == "escalated"
    edca("resume", ledger, "--as", "ops", "--tenant", "north", *AT)
    assert submit(OTHER | {"key": "k10"}, "--tenant", "north", "--json").json["verdict"]["outcome"] == "escalated"
    ran = edca("takeover", ledger, 'north/seat:["a2"]', "--as", "mo", "--tenant", "north", *AT)
    assert ran.code == 0, ran.err
    assert edca("replay", ledger).code == 0


def test_the_inbox_has_a_bound_that_can_be_set(edca: Edca, submit: Submit, ledger: Path) -> None:
    assert submit(OTHER, "--inbox-max", "0", "--json").json["verdict"]["code"] == "overload"
    assert submit(OTHER | {"key": "k10"}, "--json").json["verdict"]["outcome"] == "escalated"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("resume", "--as", "ops"), "not halted"),
        (("halt", "--as", "bot", "--reason", "why"), "stands a model"),
        (("mode", "--enter", "calm", "--as", "mo", "--role", "manager"), "no mode `calm`"),
        (("mode", "--leave", "--as", "mo", "--role", "manager"), "no mode that the machine declares"),
        (("mode", "--enter", "calm"), "in which role"),
        (("mode", "--enter", "calm", "--leave"), "at once"),
        (("mode", "--machine", "chairs"), "no machine `chairs`"),
        (("takeover", '/seat:["zz"]', "--as", "mo"), "no case"),
    ],
)
def test_what_can_not_be_done_says_why(edca: Edca, ledger: Path, arguments: tuple[str, ...], message: str) -> None:
    command, *rest = arguments
    ran = edca(command, ledger, *rest)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_a_ledger_that_a_service_has_open_is_the_services(
    edca: Edca, ledger: Path, repository: Path, theatre: Path
) -> None:
    from edca.ledger.sqlite import SQLiteLedger  # noqa: PLC0415 -- only here

    with SQLiteLedger.open(ledger):
        ran = edca("halt", ledger, "--as", "ops", "--reason", "now")
    assert ran.code == 2
    assert "hint" in ran.err


def test_the_routes_are_asked_again(edca: Edca, theatre: Path, submit: Submit, host: list[object]) -> None:
    # The house remembers the effect under its key; then somebody tampers with the seat, so that reading back fails,
    # and the undo finds its row gone.
    house = sqlite3.connect(theatre / "house.db")
    house.execute(
        "CREATE TRIGGER t AFTER UPDATE OF tk ON t_st WHEN NEW.tk = 1 BEGIN DELETE FROM t_st WHERE sno = NEW.sno; END"
    )
    house.commit()
    house.close()
    answer = submit(OTHER, "--attest", "agreed=true:ann:guest", "--json").json
    assert (answer["outcome"], answer["state"]) == ("timed_out", "unclear")
    options = [*host[:6], "--roster", theatre / "roster.toml", "--ledger", theatre / "seats.ledger", "--as", "mo"]
    ran = edca("reconcile", theatre / "seats.edca", CASE, *options)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[:2] == ["effect take_seat: it has happened", "undo leave_seat: it has not happened"]
    found = edca("reconcile", theatre / "seats.edca", CASE, *options, "--json").json
    assert [effect["report"] for effect in found["effects"]] == ["done", "failed"]
    told = edca("explain", found["record"]["index"], "--ledger", theatre / "seats.ledger").out
    assert "asked by mo" in told
    assert edca("replay", theatre / "seats.ledger").code == 0
    none = edca("reconcile", theatre / "seats.edca", '/seat:["a1"]', *options)
    assert (none.code, "no case" in none.err) == (2, True)
    json.dumps(found)
