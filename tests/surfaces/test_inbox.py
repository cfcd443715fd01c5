"""Goal: from the shell, people see what waits, answer it with or without a key, and every answer can be told again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edca.ledger.record import Draft, parse
from edca.ledger.sqlite import SQLiteLedger

Edca = Submit = Callable[..., Any]  # see conftest.py

DEAR: dict[str, object] = {"transition": "sell_seat", "arguments": {"seat_id": "a1", "offer": 200}, "key": "dear"}
YES = ("--attest", "agreed=true:ann:guest")


@pytest.fixture
def asked(theatre: Path, submit: Submit) -> Path:
    """A ledger with one question: may a seat be sold for more than 100?"""
    with (theatre / "roster.toml").open("a") as roster:
        roster.write('\n[[principals]]\nid = "mia"\nroles = ["manager"]\n')
    assert "needs too_dear" in submit(DEAR, *YES).out
    return theatre / "seats.ledger"


@pytest.fixture
def answer(edca: Edca, theatre: Path, asked: Path) -> Callable[..., Any]:
    """Answer the open question: `answer("approve", "--as", "mia")`."""

    def run(command: str, *options: object) -> Any:
        (found,) = edca("inbox", asked, "--json", "--now", "2026-03-20T12:00:00Z").json
        given: list[object] = ["--routes", theatre / "seats.arp", "--source", f"house=sqlite:///{theatre / 'house.db'}"]
        given += ["--roster", theatre / "roster.toml", "--ledger", asked, "--code", "too_dear"]
        if "--now" not in options:
            given += ["--now", "2026-03-20T12:01:00Z"]
        return edca(command, theatre / "seats.edca", found["id"], *given, *options)

    return run


def test_the_inbox_says_all_that_an_answer_needs(edca: Edca, asked: Path) -> None:
    told = edca("inbox", asked, "--now", "2026-03-20T12:00:00Z").out
    assert 'proposed by bot as assistant for ann; case /seat:["a1"]' in told
    assert "answers for it: mo as manager" in told
    assert "has effects; due 2026-03-27T12:00:00Z" in told
    assert "paid = 200.00" in told and 'does take_seat(seat: ["a1"])' in told
    assert "needs too_dear, not met; manager may waive it: Offers over 100 need a manager." in told
    assert "offer = 200.00" in told
    (found,) = edca("inbox", asked, "--json", "--now", "2026-03-28T12:00:00Z").json
    assert (found["risk"], found["overdue"], found["needs"][0]["kind"]) == ("effect", True, "waiver")
    assert found["needs"][0]["readings"]["offer"] == "200.00"
    assert found["preview"]["waived"] == ["too_dear"]


def test_an_empty_inbox_says_so(edca: Edca, ledger: Path) -> None:
    assert edca("inbox", ledger, "--json").json == []
    assert edca("inbox", ledger).out == "nothing waits for anybody\n"


def test_a_waiver_lets_the_candidate_pass(edca: Edca, asked: Path, answer: Callable[..., Any]) -> None:
    ran = answer("approve", "--as", "mia")
    assert ran.code == 0
    assert "the answer counts; record 4" in ran.out
    assert "too_dear: Offers over 100 need a manager. [waived by mia]" in ran.out
    assert "effects: confirmed" in ran.out
    assert edca("inbox", asked).out == "nothing waits for anybody\n"
    explained = edca("explain", 4, "--ledger", asked).out
    assert "mia as manager says yes to too_dear" in explained and "asserted by the host" in explained
    verified = edca("verify", asked).out
    assert "not checked: who answered or looked in record 4: the host's word stands for it, no signature" in verified
    assert edca("replay", asked).code == 0


def test_a_no_refuses(answer: Callable[..., Any]) -> None:
    ran = answer("decline", "--as", "mia", "--json")
    assert (ran.code, ran.json["void"], ran.json["verdict"]["code"]) == (0, None, "too_dear")


@pytest.mark.parametrize(
    ("options", "void"),
    [
        (("--as", "ann"), "wrong_role"),
        (("--as", "bot"), "wrong_role"),
        (("--as", "mia", "--role", "guest"), "wrong_role"),
        (("--as", "mia", "--preview", "00" * 32), "preview_changed"),
        (("--as", "mia", "--now", "2026-03-28T12:00:00Z"), "expired"),
    ],
)
def test_a_void_answer_is_a_finding(answer: Callable[..., Any], options: tuple[str, ...], void: str) -> None:
    ran = answer("approve", *options, "--json")
    assert (ran.code, ran.json["void"]) == (1, void)


def test_keys(edca: Edca, theatre: Path, asked: Path, answer: Callable[..., Any]) -> None:
    made = edca("keygen", theatre / "mia.key", "--json").json
    again = edca("keygen", theatre / "mia.key")
    assert again.code == 2 and "is there already" in again.err
    assert (theatre / "mia.key").stat().st_mode & 0o077 == 0
    roster = theatre / "roster.toml"
    roster.write_text(roster.read_text() + f'key = "{made["key"]}"\n')
    unsigned = answer("approve", "--as", "mia")
    assert unsigned.code == 1 and "void: unsigned" in unsigned.out
    edca("keygen", theatre / "other.key")
    assert "bad_signature" in answer("approve", "--as", "mia", "--key", theatre / "other.key").out
    signed = answer("approve", "--as", "mia", "--key", theatre / "mia.key", "--json")
    assert (signed.code, signed.json["verdict"]["outcome"]) == (0, "accepted")
    document = edca("verify", asked, "--json").json
    index = signed.json["approval"]["index"]
    assert document["answers"] == {"asserted": [], "broken": [], "signed": [index]}
    assert "every answer of somebody who has a key is signed with it" in edca("verify", asked).out
    assert "signed with their own key" in edca("explain", index, "--ledger", asked).out
    assert edca("replay", asked).code == 0


def test_a_file_that_is_no_key_is_told(theatre: Path, answer: Callable[..., Any]) -> None:
    (theatre / "no.key").write_text("nothing")
    ran = answer("approve", "--as", "mia", "--key", theatre / "no.key")
    assert ran.code == 2 and "holds no private key" in ran.err


def test_what_does_not_wait_cannot_be_answered(edca: Edca, theatre: Path, asked: Path) -> None:
    given = [
        "--routes",
        theatre / "seats.arp",
        "--source",
        f"house=sqlite:///{theatre / 'house.db'}",
        "--ledger",
        asked,
    ]
    given += ["--roster", theatre / "roster.toml", "--as", "mia"]
    ran = edca("approve", theatre / "seats.edca", "0" * 16, *given, "--code", "too_dear")
    assert ran.code == 2 and "edca inbox" in ran.err
    (found,) = edca("inbox", asked, "--json").json
    ran = edca("approve", theatre / "seats.edca", found["id"], *given, "--code", "agreed")
    assert ran.code == 2 and "it asks for too_dear" in ran.err


def test_a_roster_is_told_with_what_is_in_force(edca: Edca, theatre: Path, asked: Path) -> None:
    told = edca(
        "roster", theatre / "roster.toml", "--spec", theatre / "seats.edca", "--now", "2026-03-20T12:00:00Z"
    ).out
    assert "in force" in told and "m-1" in told
    later = edca("roster", theatre / "roster.toml", "--ledger", asked, "--now", "2028-01-01T00:00:00Z", "--json").json
    assert (later["mandates"][0]["now"], later["mandates"][0]["uses"]) == ("is over", "0")
    roster = theatre / "roster.toml"
    roster.write_text(f'{roster.read_text()}\n[[principals]]\nid = "max"\nroles = ["manger"]\n')
    people = theatre / "people.toml"
    people.write_text(f"{(theatre / 'roster.toml').read_text()}".replace('["manger"]', '["manager"]\nperson = "mo"'))
    assert "`mo` has the accounts max, mo" in edca("roster", people).err
    wrong = edca("roster", roster, "--spec", theatre / "seats.edca")
    assert wrong.code == 2 and "did you mean `manager`?" in wrong.err


def test_answers_that_were_forged_do_not_verify(edca: Edca, asked: Path, answer: Callable[..., Any]) -> None:
    """A ledger written anew with a signature that does not hold has sound bytes, and is found out all the same."""
    answer("approve", "--as", "mia")
    with SQLiteLedger.open(asked, create=False, readonly=True) as ledger:
        records = [parse(stored.body) for stored in ledger.records()]
    forged = asked.with_name("forged.ledger")
    with SQLiteLedger.open(forged) as ledger:
        for record in records:
            content = dict(record.content)
            if record.kind == "approval":
                content |= {"authenticated": "signed", "signature": bytes(64)}
            ledger.commit([Draft(record.chain, record.kind, content)])
    ran = edca("verify", forged)
    assert ran.code == 1 and "record 4: signature: " in ran.out
    assert json.loads(edca("verify", forged, "--json").out)["ok"] is False
