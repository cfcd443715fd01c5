"""Goal: coverage counts exactly what scenarios show, and asks for nothing that can't happen."""

import parcels as here
import pytest

from edca.semantic.coverage import measure


def _covered(spec: here.Ran, text: str) -> set[tuple[str, str, str]]:
    results = spec.again(text)
    coverage = measure(spec.checked, spec.machine, results)
    return {(goal.code, goal.part.value, goal.outcome) for goal, title in coverage.shown.items() if title is not None}


def test_every_outcome_of_every_clause_is_a_goal() -> None:
    goals = {(goal.code, goal.part.value, goal.outcome) for goal in here.parcel().coverage.shown}
    truths = ("true", "false", "unknown")
    clauses = ("not_theirs", "unpaid", "too_heavy", "sent_back")
    expected = {(code, "condition", truth) for code in clauses for truth in truths}
    expected |= {("signed", "answer", truth) for truth in truths}
    expected |= {("signed", "condition", truth) for truth in ("true", "false")}  # an argument is never unknown
    expected |= {("", "verdict", "accepted"), ("", "verdict", "refused"), ("too_heavy", "waiver", "waived")}
    assert goals == expected
    assert [(goal.code, goal.outcome) for goal in here.parcel().coverage.excluded] == [("signed", "unknown")]
    assert (here.parcel().coverage.percent, here.parcel().coverage.reaches(0), here.parcel().coverage.reaches(1)) == (
        "0.0",
        True,
        False,
    )


def test_an_accepted_scenario_shows_all_that_passes() -> None:
    assert here.handed().shown() == {
        ("", "verdict", "accepted"),
        ("not_theirs", "condition", "false"),
        ("unpaid", "condition", "true"),
        ("too_heavy", "condition", "true"),
        ("sent_back", "condition", "true"),
        ("signed", "condition", "false"),
    }
    assert set(here.handed().coverage.shown.values()) == {None, "handed over"}
    assert here.handed().coverage.percent == "30.0"  # 6 of 20
    assert here.handed().coverage.reaches(30) and not here.handed().coverage.reaches(31)


def test_a_failure_counts_only_where_it_is_named() -> None:
    text = """scenario "nothing is known" {{
      when clerk proposes hand_over(parcel_id: "p1", paid: 20.00)
      then refused {named}
    }}"""
    loud = _covered(here.parcel(), text.format(named="not_theirs, unpaid, signed"))
    quiet = _covered(here.parcel(), text.format(named="not_theirs"))
    assert loud - quiet == {("unpaid", "condition", "unknown"), ("signed", "answer", "unknown")}
    assert quiet == {
        ("", "verdict", "refused"),
        ("not_theirs", "condition", "unknown"),
        ("signed", "condition", "true"),
    }


@pytest.mark.parametrize(
    ("answer", "outcome", "verdict"), [("true", "true", "accepted"), ("false", "false", "refused")]
)
def test_answers_are_told_apart(answer: str, outcome: str, verdict: str) -> None:
    text = f"""scenario "asked" {{
      given subject = "gil"
      given signed = {answer}
      given parcel("p1") {{ owner = "gil", kind = box, fee = 2.00, stored = 2026-01-01T00:00:00Z }}
      given reason = ""
      when bot proposes hand_over(parcel_id: "p1", paid: 20.00)
      then {verdict} {"signed" if verdict == "refused" else ""}
    }}"""
    assert ("signed", "answer", answer) in _covered(here.parcel(), text)


def test_a_scenario_that_fails_shows_nothing() -> None:
    text = """scenario "wrong" {
      when clerk proposes hand_over(parcel_id: "p1", paid: 20.00)
      then accepted
    }"""
    assert _covered(here.parcel(), text) == set()


def test_an_early_stage_shows_no_clause() -> None:
    text = """scenario "not a role of this" {
      when guest proposes hand_over(parcel_id: "p1", paid: 20.00)
      then refused wrong_role
    }"""
    assert _covered(here.parcel(), text) == {("", "verdict", "refused")}
