"""Goal: `edca test` runs, selects, measures, writes what is missing, and reports it to people and to build servers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

Edca = Callable[..., Any]  # see conftest.py

WRONG = """
scenario "wrong <&> \\"quoted\\"" {
  when assistant proposes sell_seat(seat_id: "a1", offer: 20.00)
  then accepted
}
"""


@pytest.fixture
def spec(theatre: Path) -> Path:
    """The theatre's spec."""
    return theatre / "seats.edca"


def test_scenarios_are_selected_by_title(edca: Edca, spec: Path) -> None:
    spec.write_text(spec.read_text("utf-8") + WRONG, encoding="utf-8")
    titles = [row["title"] for row in edca("test", spec, "--json").json["scenarios"]]
    assert len(titles) > 1
    chosen = edca("test", spec, "-k", titles[0].upper(), "--json")
    assert chosen.code == 0 and [row["title"] for row in chosen.json["scenarios"]] == titles[:1]
    none = edca("test", spec, "-k", "no such title")
    assert (none.code, none.out.splitlines()[-1]) == (0, "0 of 0 scenarios passed")


def test_coverage_is_reported_and_can_fail_a_run(edca: Edca, spec: Path) -> None:
    ran = edca("test", spec, "--coverage")
    assert ran.code == 0 and "missing" in ran.out and ran.out.splitlines()[-1].startswith("coverage: ")
    document = edca("test", spec, "--coverage", "--json").json["coverage"]
    assert document["shown"] + sum(row["shown_by"] is None for row in document["outcomes"]) == document["total"]
    assert set(document["outcomes"][0]) == {"clause", "needs", "outcome", "part", "query", "shown_by", "transition"}
    failing = edca("test", spec, "--fail-under", "100")
    assert failing.code == 1
    assert failing.out.splitlines()[-1] == f"coverage is {document['percent']} %, less than 100 %"
    assert edca("test", spec, "--fail-under", "0").code == 0
    assert edca("test", spec, "--fail-under", "101").code == 2


def test_what_is_missing_is_written_and_then_nothing_is(edca: Edca, spec: Path, theatre: Path) -> None:
    more = theatre / "more.edca"
    ran = edca("test", spec, "--generate", more)
    assert (ran.code, ran.err.splitlines()[-1].endswith("0 outcomes not reached")) == (0, True)
    assert more.read_text("utf-8").startswith('edca 1\n\nmachine seats version "1.0.0"\n\nscenario "')
    whole = edca("test", spec, "--scenarios", more, "--fail-under", "100")
    assert whole.code == 0, whole.out
    assert edca("test", spec, "--scenarios", more, "--generate", "-").out == ""
    again = edca("test", spec, "--generate", more)
    assert again.code == 2 and "exists already" in again.err


def test_what_is_written_to_stdout_belongs_into_the_spec(edca: Edca, spec: Path) -> None:
    ran = edca("test", spec, "--generate", "-")
    assert ran.code == 0 and ran.out.startswith('scenario "')
    spec.write_text(spec.read_text("utf-8") + "\n" + ran.out, encoding="utf-8")
    assert edca("test", spec, "--fail-under", "100").code == 0
    assert edca("check", spec).code == 0


def test_generated_scenarios_stand_in_the_document(edca: Edca, spec: Path) -> None:
    made = edca("test", spec, "--generate", "-", "--json").json["generated"]
    assert made["unreached"] == []
    assert all(one["text"].startswith(f'scenario "{one["title"]}" {{') and one["shows"] for one in made["scenarios"])


def test_a_selection_is_not_what_is_missing(edca: Edca, spec: Path) -> None:
    assert edca("test", spec, "-k", "x", "--generate", "-").code == 2


def test_results_are_written_as_junit(edca: Edca, spec: Path, theatre: Path) -> None:
    spec.write_text(spec.read_text("utf-8") + WRONG, encoding="utf-8")
    ran = edca("test", spec, "--junit", theatre / "seats.xml")
    assert ran.code == 1
    root = ElementTree.fromstring((theatre / "seats.xml").read_bytes())  # noqa: S314 -- written a line above
    cases = list(root.iter("testcase"))
    assert (root.get("tests"), root.get("failures")) == (str(len(cases)), "1")
    failing = cases[-1]
    assert (failing.get("classname"), failing.get("name")) == ("seats.sell_seat", 'wrong <&> "quoted"')
    failure = failing.find("failure")
    assert failure is not None and (failure.get("message") or "").startswith("expected accepted, got refused: ")
    assert "clauses passed" in (failure.text or "")
    first = (theatre / "seats.xml").read_bytes()
    edca("test", spec, "--junit", theatre / "seats.xml")
    assert (theatre / "seats.xml").read_bytes() == first
    assert edca("test", spec, "--junit", theatre / "none" / "seats.xml").code == 2


def test_a_failure_is_told_under_one_heading(edca: Edca, spec: Path) -> None:
    spec.write_text(spec.read_text("utf-8") + WRONG, encoding="utf-8")
    lines = edca("test", spec).out.splitlines()
    place = f"{spec.as_posix()}:"
    assert sum(line.startswith(place) for line in lines) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('edca 1\nmachine other version "1.0.0"\n', "is for other 1.0.0, and the spec is seats 1.0.0"),
        ('edca 1\nmachine seats version "2.0.0"\n', 'begin it with `machine seats version "1.0.0"`'),
        ('edca 1\nmachine seats version "1.0.0"\nrole usher human\n', "declares more than scenarios: see line 3"),
    ],
)
def test_a_file_of_scenarios_is_for_this_spec_and_holds_nothing_else(
    edca: Edca, spec: Path, theatre: Path, text: str, said: str
) -> None:
    (theatre / "more.edca").write_text(text, encoding="utf-8")
    ran = edca("test", spec, "--scenarios", theatre / "more.edca")
    assert ran.code == 2 and said in ran.err


def test_mistakes_in_a_file_of_scenarios_are_findings(edca: Edca, spec: Path, theatre: Path) -> None:
    more = theatre / "more.edca"
    more.write_text('edca 1\nmachine seats version "1.0.0"\nscenario "s" { given }\n', encoding="utf-8")
    ran = edca("test", spec, "--scenarios", more, "--error-format", "concise")
    assert ran.code == 1 and "more.edca:3:" in ran.err
    assert edca("test", spec, "--scenarios", theatre / "none.edca").code == 2


QUERY = """
query price_of(seat_id: id) about seat by seat_id
{
  means "What a seat costs."
  by    assistant
  require seat.price > 0 else refuse not_for_sale "The seat isn't sold."
  returns price = seat.price
}
scenario "what a seat costs" {
  given seat("a1") { price = 20.00 }
  when  assistant asks price_of(seat_id: "a1")
  then  returned with price = 20.00
}
"""


def test_queries_are_reported_beside_transitions(edca: Edca, spec: Path, theatre: Path) -> None:
    """In tables and in the document, as missing with what they need, and in what a build server reads."""
    spec.write_text(spec.read_text("utf-8") + QUERY, encoding="utf-8")
    ran = edca("test", spec, "--coverage")
    assert ran.code == 0, ran.out + ran.err
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["query", "returned", "refused"] in rows
    assert ["price_of", "shown", "missing"] in rows
    assert ["query", "clause", "true", "false", "unknown"] in rows
    assert ["price_of", "not_for_sale", "shown", "missing", "missing"] in rows
    needed = "leave out `seat.price`, and name `not_for_sale` in `then`"
    assert f"missing: price_of, not_for_sale unknown: {needed}" in ran.out
    document = edca("test", spec, "--coverage", "--json", "--junit", theatre / "seats.xml").json["coverage"]
    asked = {(row["clause"], row["outcome"]): row["shown_by"] for row in document["outcomes"] if row["query"]}
    title = "what a seat costs"
    assert asked == {
        ("", "returned"): title,
        ("", "refused"): None,
        ("not_for_sale", "true"): title,
        ("not_for_sale", "false"): None,
        ("not_for_sale", "unknown"): None,
    }
    assert all(row["transition"] == "" for row in document["outcomes"] if row["query"] == "price_of")
    root = ElementTree.fromstring((theatre / "seats.xml").read_bytes())  # noqa: S314 -- written above
    (case,) = [case for case in root.iter("testcase") if case.get("name") == title]
    assert case.get("classname") == "seats.price_of"
    more = theatre / "more.edca"
    assert edca("test", spec, "--generate", more).code == 0
    assert edca("test", spec, "--scenarios", more, "--fail-under", "100").code == 0
