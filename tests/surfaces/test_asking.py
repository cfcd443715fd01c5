"""Goal: `edca ask` looks something up as a host would, and every command that tells of rules or records tells of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Edca = Ask = Callable[..., Any]  # see conftest.py

QUERIES = """
query price_of(seat_id: id) about seat by seat_id
{
  means "What a free seat costs."
  by    assistant, guest
  require not seat.taken else refuse sold_already "Somebody sits here."
  require seat.price > 0 else refuse not_for_sale "The seat isn't sold."
  returns seat  = seat.seat_id
  returns price = seat.price
}
query hours()
{
  means "When the box office is open."
  by    guest
  returns until = 2026-12-31
}
"""


@pytest.fixture
def spec(theatre: Path) -> Path:
    """The theatre's spec with queries."""
    path = theatre / "seats.edca"
    path.write_text(path.read_text("utf-8") + QUERIES, encoding="utf-8")
    return path


@pytest.fixture
def ask(edca: Edca, spec: Path, theatre: Path, host: list[object]) -> Ask:
    """Ask a query: `ask("price_of", "seat_id=a1", "--json")`."""

    def run(*words: object) -> Any:
        kept = ["--roster", theatre / "roster.toml", "--ledger", theatre / "seats.ledger"]
        return edca("ask", spec, *words, *host, *kept)

    return run


def _told(edca: Edca, what: object, theatre: Path) -> list[str]:
    ran = edca("explain", what, "--ledger", theatre / "seats.ledger")
    assert ran.code == 0, ran.err
    return [line.strip() for line in ran.out.splitlines()]


def test_what_is_returned_is_printed_and_on_record(ask: Ask, edca: Edca, theatre: Path) -> None:
    ran = ask("price_of", "seat_id=a1")
    assert ran.code == 0
    assert "returned price_of: What a free seat costs." in ran.out and "price = 20.00" in ran.out
    logged = edca("log", theatre / "seats.ledger", "--outcome", "returned", "--json").json
    assert [(row["kind"], row["what"], row["by"]) for row in logged] == [("query", "price_of", "bot")]


def test_a_refusal_is_output_unless_fail_on_asks(ask: Ask) -> None:
    ran = ask("price_of", "seat_id=a3")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "refused price_of: sold_already")
    assert ask("price_of", "seat_id=a3", "--fail-on-refusal").code == 1
    assert ask("price_of", "seat_id=a1", "--fail-on-refusal").code == 0


def test_a_document_says_what_a_model_is_told(ask: Ask) -> None:
    document = ask("price_of", "seat_id=a1", "--json").json
    assert document["model_is_told"] == {"outcome": "returned", "values": {"price": "20.00", "seat": "a1"}}
    gone = ask("price_of", "seat_id=zz", "--json").json
    assert gone["verdict"]["code"] == "sold_already"
    assert gone["model_is_told"]["codes"] == ["not_possible"]


def test_a_record_says_which_clauses_let_it_be_told_and_what_they_read(ask: Ask, edca: Edca, theatre: Path) -> None:
    """Why something was told is what an auditor asks; a record keeps the readings of failed clauses alone."""
    ask("price_of", "seat_id=a1")
    ask("price_of", "seat_id=a3")
    ask("nothing")
    lines = _told(edca, 3, theatre)
    place = lines.index("passed: sold_already, else: Somebody sits here.")
    assert lines[place + 1 : place + 3] == ["seat.taken = false", "passed: not_for_sale, else: The seat isn't sold."]
    assert "read: seat(a1) from house, as of 2026-03-20T12:00:00Z" in lines
    refused = _told(edca, 4, theatre)
    assert "seat.taken = true" in refused
    assert "passed: not_for_sale, else: The seat isn't sold." in refused
    assert not any(line.startswith("passed: sold_already") for line in refused)
    assert not any(line.startswith(("passed: ", "read: ")) for line in _told(edca, 5, theatre))


def test_the_queries_of_a_machine_can_be_read_from_the_ledger(ask: Ask, edca: Edca, theatre: Path) -> None:
    ask("price_of", "seat_id=a1")
    machine = _told(edca, 0, theatre)
    place = machine.index("query price_of(seat_id), about seat: What a free seat costs.")
    assert machine[place + 1 : place + 5] == [
        "asked by assistant, guest",
        "sold_already [required, else refused]: Somebody sits here.",
        "not_for_sale [required, else refused]: The seat isn't sold.",
        "returns seat, price",
    ]
    assert "query hours(): When the box office is open." in machine


def test_a_query_s_own_code_is_found_in_the_ledger(ask: Ask, edca: Edca, theatre: Path) -> None:
    ask("price_of", "seat_id=a1")
    assert _told(edca, "not_for_sale", theatre)[:2] == [
        "not_for_sale is a clause of the query price_of in seats 1.0.0: The seat isn't sold.",
        "require seat.price > 0.00 else refuse not_for_sale",
    ]


def test_a_view_says_what_can_be_asked(edca: Edca, spec: Path, host: list[object]) -> None:
    for case in (("--case", "a1"), ("--case", "zz"), ()):
        ran = edca("view", spec, *host, *case)
        asked = [line for line in ran.out.splitlines() if line.startswith("can be asked: ")]
        assert asked == ["can be asked: price_of(seat_id): What a free seat costs."]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("price_of", "seat_id=a1", "seat_id=a2"), 2, "seat_id"),
        (("price_of", "a1"), 2, "NAME=VALUE"),
        (("prise_of", "seat_id=a1"), 0, "refused prise_of: no_such_query"),
        (("price_of",), 0, "refused price_of: bad_argument"),
        (("hours",), 0, "refused hours: wrong_role"),
    ],
)
def test_what_is_asked_wrongly_is_said(ask: Ask, words: tuple[str, ...], code: int, message: str) -> None:
    ran = ask(*words)
    assert (ran.code, message in ran.out + ran.err) == (code, True), ran.out + ran.err


def test_both_engines_answer_alike(ask: Ask, edca: Edca, spec: Path, theatre: Path) -> None:
    ask("price_of", "seat_id=a1")
    ask("price_of", "seat_id=a3")
    ran = edca("replay", theatre / "seats.ledger", "--engine", "both", "--spec", spec, "--json")
    assert ran.code == 0 and json.loads(ran.out)
