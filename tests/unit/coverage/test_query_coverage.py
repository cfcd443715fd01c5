"""Goal: what scenarios show of queries is counted clause by clause, and what is missing can be written."""

import parcels as here
import pytest

from edca.semantic.coverage import Goal, Part, measure
from edca.semantic.coverage_needs import needs

QUERIES = """
entity shelf key (shelf_id: id) { parcels: list(9) of parcel, open: bool }
forbid dusty "The shelf is closed." when not shelf_open
define shelf_open = lookup shelf("s1").open

query look(parcel_id: id, paid: money) about parcel by parcel_id {
  means "What may be known of a parcel before it is fetched."
  by    bot, guest
  let   due = parcel.fee - paid
  require parcel.owner == subject else refuse not_theirs_either "It is for somebody else."
  require paid <= 500.00 else refuse too_much "No parcel costs that much."
  forbid  paid_for "It was paid." when due <= 0
  returns kind = parcel.kind
  returns due  = due
  returns note = parcel.note
}
query standing(shelf_id: id) about shelf by shelf_id {
  means "What stands on a shelf."
  by    clerk
  returns letters = each p in shelf.parcels where p.kind == letter { fee = p.fee }
}
query hours() {
  means "When the desk is open."
  by    bot, clerk, guest
  returns until = 2026-01-01 + 1 day
}
"""

TRUTHS = ("true", "false", "unknown")


def spec() -> here.Ran:
    """The parcels with queries about them and about nothing."""
    return here.ran(here.PARCEL + QUERIES)


def _shown(text: str) -> set[tuple[str, str, str]]:
    one = spec()
    results = one.again(text)
    assert all(result.passed for result in results), [result.detail for result in results]
    coverage = measure(one.checked, one.machine, results)
    return {(goal.query, goal.code, goal.outcome) for goal, title in coverage.shown.items() if title is not None}


def test_every_outcome_of_every_clause_of_a_query_is_a_goal() -> None:
    """Forbids about what it is about are clauses of it; what only an argument decides is never unknown."""
    coverage = spec().coverage
    goals = {(goal.query, goal.code, goal.outcome) for goal in coverage.shown if goal.query}
    expected = {(name, "", outcome) for name in ("look", "standing", "hours") for outcome in ("returned", "refused")}
    expected |= {("look", code, truth) for code in ("dusty", "not_theirs_either", "paid_for") for truth in TRUTHS}
    expected |= {("look", "too_much", truth) for truth in ("true", "false")}
    assert goals == expected
    assert [goal for goal in coverage.excluded if goal.query] == [
        Goal("", "too_much", Part.CONDITION, "unknown", "look")
    ]
    assert all(not goal.transition for goal in coverage.shown if goal.query)


ASKED = """scenario "asked" {{
  given subject = "gil"
  given shelf("s1") {{ open = true }}
  given parcel("p1") {{ owner = "{owner}", kind = box, fee = 2.00, note = true }}
  when guest asks look(parcel_id: "p1", paid: 2.00)
  then refused {named}
}}"""


def test_a_failed_clause_of_a_query_counts_only_where_it_is_named() -> None:
    loud = _shown(ASKED.format(owner="ann", named="not_theirs_either, paid_for"))
    quiet = _shown(ASKED.format(owner="ann", named="not_theirs_either"))
    passed = {("look", "", "refused"), ("look", "dusty", "false"), ("look", "too_much", "true")}
    assert quiet == passed | {("look", "not_theirs_either", "false")}
    assert loud - quiet == {("look", "paid_for", "true")}


def test_what_is_returned_shows_that_all_clauses_let_it() -> None:
    text = """scenario "asked" {
      given subject = "gil"
      given shelf("s1") { open = true }
      given parcel("p1") { owner = "gil", kind = box, fee = 2.00, note = true }
      when guest asks look(parcel_id: "p1", paid: 0.50)
      then returned with due = 1.50
    }"""
    assert _shown(text) == {
        ("look", "", "returned"),
        ("look", "dusty", "false"),
        ("look", "not_theirs_either", "true"),
        ("look", "too_much", "true"),
        ("look", "paid_for", "false"),
    }


def test_an_early_stage_shows_no_clause_of_a_query() -> None:
    text = """scenario "not for clerks" {
      when clerk asks look(parcel_id: "p1", paid: 0.50)
      then refused wrong_role
    }"""
    assert _shown(text) == {("look", "", "refused")}


def test_a_query_asked_within_a_story_counts_as_well() -> None:
    text = """scenario "looked at and handed over" {
      when clerk asks hours()
      then returned
      given now = 2026-01-05T00:00:00Z
      given subject = "gil"
      given reason = ""
      given shelf("s1") { open = true }
      given parcel("p1") { owner = "gil", kind = box, fee = 2.00, stored = 2026-01-01T00:00:00Z }
      when bot proposes hand_over(parcel_id: "p1", paid: 2.00)
      then accepted to handed
    }"""
    assert ("hours", "", "returned") in _shown(text)
    assert ("", "", "accepted") in _shown(text)


def test_scenarios_for_queries_are_written_from_nothing() -> None:
    """Each comes out as it says, shows what it is said to, and says what is returned."""
    one = spec()
    made = one.generate()
    assert made.unreached == ()
    results = one.again("\n".join(scenario.text for scenario in made.scenarios))
    assert all(result.passed for result in results)
    assert measure(one.checked, one.machine, (*one.results, *results)).missing == ()
    titles = {scenario.title: scenario.text for scenario in made.scenarios}
    assert "then returned with kind = letter, due = 0.01, note = false" in titles["look is answered"]
    assert 'when bot asks look(parcel_id: "parcel-1", paid: 100.00)' in titles["look is answered"]
    assert "then returned with letters = [letters(100.00)]" in titles["standing is answered"]
    assert titles["hours is answered"] == (
        'scenario "hours is answered" {\n  when bot asks hours()\n  then returned with until = 2026-01-02\n}\n'
    )
    assert "then refused wrong_role" in titles["hours is refused: wrong_role"]
    assert "given" not in titles["look: nothing is known"]


def test_what_is_asked_is_kept_in_what_is_written() -> None:
    text = """scenario "asked" {
      given subject = "gil"
      given shelf("s1") { open = true }
      given parcel("p77") { owner = "gil", kind = box, fee = 2.00, note = true }
      when guest asks look(parcel_id: "p77", paid: 0.50)
      then returned
    }"""
    one = here.ran(here.PARCEL + QUERIES + text)
    written = [scenario.text for scenario in one.generate().scenarios if "asks look" in scenario.text]
    assert len(written) >= 4
    assert all('"p77"' in text for text in written)
    assert any("# As answered, but " in text for text in written)


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        (Goal("", "", Part.VERDICT, "returned", "look"), "a scenario in which `look` is answered"),
        (Goal("", "", Part.VERDICT, "refused", "look"), "a scenario in which `look` is refused"),
        (
            Goal("", "not_theirs_either", Part.CONDITION, "unknown", "look"),
            "leave out `parcel.owner` or `subject`, and name `not_theirs_either` in `then`",
        ),
        (
            Goal("", "paid_for", Part.CONDITION, "false", "look"),
            "what it tests must be false: change `parcel.fee`, `paid`",
        ),
    ],
)
def test_what_a_goal_of_a_query_needs_is_told(goal: Goal, said: str) -> None:
    one = spec()
    assert goal in one.coverage.shown
    assert needs(one.checked, one.machine, goal) == said
