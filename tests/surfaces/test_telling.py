"""Goal: who has nothing but a ledger is told why things were allowed, under which rules, and what became of effects."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edca.cli.telling_codes import OUT_OF_RANGE, REASONS, STAGES
from edca.kernel.values import Unknown
from edca.kernel.verdict import Stage
from edca.ledger.record import Draft
from edca.ledger.sqlite import SQLiteLedger

Edca = Submit = Callable[..., Any]  # see conftest.py

SELL: dict[str, object] = {"transition": "sell_seat", "arguments": {"seat_id": "a1", "offer": 20}, "key": "k1"}
YES = ("--attest", "agreed=true:ann:guest")


def without(ledger: Path, *indexes: int) -> None:
    """Remove records, as somebody who can write the file can."""
    with closing(sqlite3.connect(ledger, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER ledger_keeps_records")
        for index in indexes:
            connection.execute("DELETE FROM ledger WHERE leaf = ?", (index,))


def told(edca: Edca, index: int, ledger: Path) -> list[str]:
    ran = edca("explain", index, "--ledger", ledger)
    assert ran.code == 0
    return [line.strip() for line in ran.out.splitlines()]


def test_an_acceptance_names_every_clause_and_what_it_read(edca: Edca, ledger: Path) -> None:
    lines = told(edca, 4, ledger)
    place = lines.index("passed: too_little, else: The seat costs more than that.")
    assert lines[place + 1 : place + 3] == ["offer = 20.00", "seat.price = 20.00"]
    assert "passed: agreed, to be confirmed by guest: The guest must say yes." in lines


def test_a_refusal_names_what_passed_too_and_an_early_stage_nothing(edca: Edca, ledger: Path) -> None:
    refused = told(edca, 7, ledger)
    assert any(line.startswith("too_little: ") for line in refused)
    assert any(line.startswith("passed: too_dear, ") for line in refused)
    assert not any(line.startswith("passed: too_little") for line in refused)
    assert not any(line.startswith("passed: ") for line in told(edca, 8, ledger))


def test_the_rules_in_force_can_be_read(edca: Edca, ledger: Path) -> None:
    verdict = told(edca, 4, ledger)
    assert "machine: seats 1.0.0, record 0; routes: record 1; roster: record 2" in verdict
    machine = told(edca, 0, ledger)
    assert machine[1] == "machine seats 1.0.0"
    assert "state sold (final, a success): Somebody sits here." in machine
    assert "transition sell_seat(seat_id, offer), open → sold: Sell the seat for what the guest offers." in machine
    assert "agreed [to be confirmed by guest within 30 minutes]: The guest must say yes." in machine
    assert "effect take_seat, undone by leave_seat" in machine
    assert "entity seat from house.t_st" in told(edca, 1, ledger)
    roster = told(edca, 2, ledger)
    assert "principal bot: assistant, model m-1" in roster
    assert any(line.startswith("mandate m1: mo answers as manager ") for line in roster)
    assert edca("explain", 2, "--ledger", ledger, "--json").json["document"]["principals"][0]["id"] == "bot"


def test_what_was_undone_says_why_at_once_and_later(edca: Edca, theatre: Path, submit: Submit) -> None:
    routes = theatre / "seats.arp"
    text = routes.read_text(encoding="utf-8")
    routes.write_text(text.replace("set tk = 1", "set tk = 0"), encoding="utf-8")
    lines = [line.strip() for line in submit(SELL, *YES).out.splitlines()]
    place = lines.index("effects: undone")
    reason = ["effect take_seat: done, and its postcondition does not hold; read back:", "seat.taken = false"]
    assert lines[place + 1 : place + 3] == reason
    later = told(edca, 6, theatre / "seats.ledger")
    assert later[2:5] == ["outcome of record 3: undone", *reason]
    assert later[-1] == "nothing changed: the effects were undone"
    again = submit(SELL | {"key": "k2"}, *YES, "--json").json
    assert (again["outcome"], len(again["outcome_reasons"])) == ("undone", 2)


def test_an_effect_that_failed_says_why(theatre: Path, submit: Submit) -> None:
    routes = theatre / "seats.arp"
    text = routes.read_text(encoding="utf-8")
    routes.write_text(text.replace("and tk = 0 expect 1", "and tk = 7 expect 1"), encoding="utf-8")
    out = submit(SELL, *YES).out
    assert "effects: failed\n  effect take_seat: precondition_lost" in out


def test_what_is_left_of_a_ledger_can_be_read(edca: Edca, ledger: Path) -> None:
    without(ledger, 3, 7)
    log = edca("log", ledger)
    assert log.code == 1 and "edca verify" in log.err
    assert log.out.endswith("record 3 is not there\nrecord 7 is not there\n")
    assert [row["index"] for row in edca("log", ledger, "--json").json] == [0, 1, 2, 4, 5, 6, 8]
    for index in (0, 1, 2, 4, 5, 6, 8):
        ran = edca("explain", index, "--ledger", ledger)
        assert ran.code == 1 and ran.out.startswith(f"record {index}: ") and "edca verify" in ran.err
    gone = edca("explain", 3, "--ledger", ledger)
    assert (gone.code, gone.out) == (2, "") and "record 3 is not there" in gone.err


def test_an_outcome_whose_verdict_is_gone_says_so(edca: Edca, ledger: Path) -> None:
    without(ledger, 4)
    assert "which is not there: confirmed" in edca("explain", 6, "--ledger", ledger).out


def test_a_verdict_whose_machine_is_gone_says_so(edca: Edca, ledger: Path) -> None:
    without(ledger, 0)
    ran = edca("explain", 4, "--ledger", ledger)
    assert ran.code == 2 and "the ledger does not hold the machine" in ran.err


@pytest.mark.parametrize("kind", ["verdict", "outcome", "observed", "config", "news"])
@pytest.mark.parametrize(
    "content",
    [
        {},
        {"what": ["machine"], "digest": [1], "part": "0", "parts": None, "bytes": 3},
        {"what": "machine", "digest": b"1", "part": 0, "parts": 1, "bytes": b"\x80"},
        {"what": "roster", "digest": b"1", "part": 1, "parts": 2, "bytes": b"\x80"},
        {
            "at": 1 << 63,
            "clock": 1,
            "machine": b"",
            "outcome": "x",
            "record": b"",
            "effects": [1],
            "change": [],
            "by": {},
        },
        {
            "at": 0,
            "clock": "c",
            "outcome": "undone",
            "record": b"",
            "effects": [],
            "change": {"memory": 3},
            "verdict": {},
        },
    ],
)
def test_records_that_mean_nothing_are_no_traceback(
    edca: Edca, tmp_path: Path, kind: str, content: dict[str, Any]
) -> None:
    path = tmp_path / "forged.ledger"
    with SQLiteLedger.open(path, durable=False) as ledger:
        ledger.commit([Draft("config" if kind == "config" else "/x", kind, content)])
    assert edca("log", path).code == 0
    ran = edca("explain", 0, "--ledger", path)
    assert ran.code in (0, 2) and "Traceback" not in ran.err
    assert edca("explain", "too_little", "--ledger", path).code == 2


def test_the_log_says_who_and_what(edca: Edca, ledger: Path) -> None:
    rows = edca("log", ledger, "--json").json
    assert [row["what"] for row in rows[:5]] == [
        "machine seats 1.0.0",
        "routes seats 1.0.0",
        "roster",
        "sell_seat",
        "sell_seat",
    ]
    assert [row["by"] for row in rows[3:]] == ["bot", "bot", "", "", "bot", "bot"]


@pytest.mark.parametrize(("option", "value"), [("--code", "nonsense"), ("--case", "z9"), ("--outcome", "undone")])
def test_an_empty_log_says_so(edca: Edca, ledger: Path, option: str, value: str) -> None:
    ran = edca("log", ledger, option, value)
    assert (ran.code, ran.out) == (0, "no records match\n")


def test_an_outcome_that_is_none_is_an_error_of_use(edca: Edca, ledger: Path) -> None:
    ran = edca("log", ledger, "--outcome", "acepted")
    assert ran.code == 2 and "did you mean `accepted`?" in ran.err
    ran = edca("log", ledger, "--outcome", "rejected")
    assert ran.code == 2 and "they are accepted, refused, escalated, returned, confirmed" in ran.err


def test_codes_that_no_spec_declares_are_explained_as_the_documentation_does(edca: Edca, repository: Path) -> None:
    assert (set(STAGES), set(REASONS)) == (set(Stage), set(Unknown))
    page = (repository / "docs" / "how-to" / "read-a-refusal.md").read_text(encoding="utf-8")
    rows = [tuple(re.split(r" *\| *", line.strip("| "))) for line in page.splitlines() if line.startswith("| `")]
    stages = [(f"`{stage.value}`", *words) for stage, words in STAGES.items()]
    assert [row for row in rows if len(row) == 3] == stages
    assert set(rows) - set(stages) == {(f"`{reason.value}`", why) for reason, why in REASONS.items()}
    assert "what to do: look at it again" in edca("explain", "stale_revision").out
    assert "why: the source has no such instance" in edca("explain", "fact_missing").out
    assert edca("explain", OUT_OF_RANGE, "--json").json["code"] == OUT_OF_RANGE


def test_a_spec_s_own_code_is_found_in_the_ledger(edca: Edca, ledger: Path) -> None:
    unknown = edca("explain", "too_little")
    assert unknown.code == 2 and "--ledger FILE" in unknown.err
    found = edca("explain", "too_little", "--ledger", ledger).out
    assert "too_little is a clause of sell_seat in seats 1.0.0: The seat costs more than that." in found
    assert edca("explain", "too_litle", "--ledger", ledger).code == 2


@pytest.mark.parametrize(
    ("wrong", "right", "message"),
    [
        ('roles = ["assistant"]', 'roles = ["asistant"]', "no role `asistant`; did you mean `assistant`?"),
        (
            'machine     = "seats"',
            'machine     = "seats"\ntransitions = ["sel_seat"]',
            "no transition `sel_seat`; did you mean `sell_seat`?",
        ),
        ("roles = [", "rolls = [", "there is no such key; did you mean `roles`?"),
    ],
)
def test_a_roster_that_does_not_fit_is_an_error_of_use(
    theatre: Path, submit: Submit, wrong: str, right: str, message: str
) -> None:
    path = theatre / "roster.toml"
    text = path.read_text(encoding="utf-8")
    assert wrong in text
    path.write_text(text.replace(wrong, right, 1), encoding="utf-8")
    ran = submit(SELL)
    assert ran.code == 2 and message in ran.err
    assert not (theatre / "seats.ledger").exists()


def test_a_mandate_for_a_machine_of_almost_this_name_is_a_hint(theatre: Path, submit: Submit) -> None:
    path = theatre / "roster.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"seats"', '"saets"'), encoding="utf-8")
    ran = submit(SELL)
    assert ran.code == 0 and "no_anchor" in ran.out
    assert "edca: hint: mandate `m1` is for the machine `saets`; did you mean `seats`?" in ran.err


def test_a_view_without_a_subject_says_what_follows(edca: Edca, repository: Path, tmp_path: Path) -> None:
    refund = repository / "specs" / "refund"
    with closing(sqlite3.connect(tmp_path / "shop.db")) as shop:
        shop.executescript((refund / "shop.sql").read_text(encoding="utf-8"))
    arguments: list[object] = ["view", refund / "refund.edca", "--routes", refund / "refund.arp", "--case", "o1"]
    arguments += ["--source", f"shop=sqlite:///{tmp_path / 'shop.db'}", "--now", "2026-03-20T12:00:00Z"]
    arguments += ["--as", "desk-bot", "--role", "assistant"]
    assert "hint: without `--for`" in edca(*arguments).err
    assert edca(*arguments, "--for", "carla").err == ""


def test_a_database_that_is_not_there_is_not_made(edca: Edca, theatre: Path, host: list[object]) -> None:
    options = [str(item).replace("house.db", "huose.db") for item in host]
    ran = edca("view", theatre / "seats.edca", *options, "--case", "a1")
    assert ran.code == 2 and "there is no database at" in ran.err and "(source `house`)" in ran.err
    assert not (theatre / "huose.db").exists()
