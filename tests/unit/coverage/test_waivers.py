"""Goal: in a scenario people waive clauses and sign for what they were shown, and for nothing that came after."""

from functools import cache

import parcels
import pytest

from edca.semantic.coverage import Goal, Part

LOANS = """edca 1

machine loan version "1.0.0" "A small loan."

role bot     model
role officer human

entity loan key (loan_id: id) { income: int(0 to 100000), held: bool }

case about loan by loan_id

memory { promised: int(0 to 100000) = 0, asked_at: time = 2026-01-01T00:00:00Z }

state open initial "Asked for."
state granted final "Promised." success
state no    final "Not given." failure

transition promise(loan_id: id, amount: int(0 to 100000)) from open to granted {
  means "Promise it." by bot, officer answers officer
  require amount <= loan.income else escalate officer too_high "More than the income needs an officer."
  forbid held "It is on hold." when loan.held
  sign twice by 2 of officer within 2 days when amount > 1000 "Two officers must sign."
  set promised = if loan.income > 5000 then 0 else amount
  set asked_at = now
}
transition refuse(loan_id: id) from open to no { means "Say no." by officer answers officer }
"""

ASK = """  given loan("l1") {{ income = 500, held = false }}
  when bot proposes promise(loan_id: "l1", amount: {amount})
  then escalated needs {needs}
"""


WAIVED = """scenario "waived" {
  given loan("l1") { income = 500, held = false }
  when bot proposes promise(loan_id: "l1", amount: 600)
  then escalated needs too_high
  when officer waives too_high
  then accepted to granted
}
"""
GOAL = Goal("promise", "too_high", Part.WAIVER, "waived")


@cache
def loan() -> parcels.Ran:
    """The spec without a scenario."""
    return parcels.ran(LOANS)


def told(body: str) -> tuple[str, ...]:
    """What is told of a scenario that fails; nothing of one that comes out as it says."""
    (result,) = loan().again(f'scenario "s" {{\n{body}\n}}')
    return () if result.passed else result.detail


@pytest.mark.parametrize(
    ("word", "then"), [("waives", "accepted to granted with promised = 600"), ("declines", "refused too_high")]
)
def test_an_officer_waives_or_declines(word: str, then: str) -> None:
    asked = ASK.format(amount=600, needs="too_high")
    assert told(f"{asked}  when officer {word} too_high\n  then {then}") == ()


def test_time_may_pass_in_between_though_memory_keeps_it() -> None:
    asked = ASK.format(amount=600, needs="too_high")
    assert told(f"{asked}  wait 6 days\n  when officer waives too_high\n  then accepted to granted") == ()


def test_a_waiver_is_no_signature() -> None:
    asked = ASK.format(amount=2000, needs="too_high, twice")
    steps = [
        '  when officer "u1" waives too_high\n  then escalated needs twice',
        '  when officer "u1" signs twice\n  then escalated needs twice',
        '  when officer "u2" signs twice\n  then accepted to granted',
    ]
    assert told(asked + "\n".join(steps)) == ()


def test_what_was_answered_does_not_outlast_what_was_shown() -> None:
    asked = ASK.format(amount=2000, needs="too_high, twice")
    first = '  when officer "u1" signs twice\n  then escalated needs too_high, twice\n'
    changed = '  given loan("l1") { income = 6000 }\n'
    # With another income another sum would be promised: the first signature was for the old one.
    after = '  when officer "u2" signs twice\n  then escalated needs twice\n'
    again = '  when officer "u1" signs twice\n  then accepted to granted with promised = 0\n'
    assert told(asked + first + changed + after + again) == ()


def test_what_refuses_cannot_be_waived() -> None:
    asked = ASK.format(amount=600, needs="too_high")
    held = '  given loan("l1") { held = true }\n'
    assert told(f"{asked}{held}  when officer waives too_high\n  then refused held") == ()


def test_who_proposed_waives_nothing() -> None:
    asked = ASK.format(amount=600, needs="too_high").replace("bot proposes", 'officer "u1" proposes')
    own = '  when officer "u1" waives too_high\n  then escalated needs too_high\n'
    other = '  when officer "u2" waives too_high\n  then accepted to granted\n'
    assert told(asked + own + other) == ()


def test_a_waiver_is_to_be_shown_once() -> None:
    assert GOAL in loan().coverage.missing
    assert GOAL not in parcels.ran(LOANS + WAIVED).coverage.missing
    # Escalated alone shows nothing of what comes of a waiver.
    assert GOAL in parcels.ran(LOANS + WAIVED.partition("  when officer")[0] + "}\n").coverage.missing


def test_a_waiver_that_is_missing_is_written() -> None:
    made = loan().generate()
    (written,) = [one for one in made.scenarios if GOAL in one.goals]
    assert "  when officer waives too_high\n" in written.text
    assert GOAL not in made.unreached
    assert all(result.passed for one in made.scenarios for result in loan().again(one.text))


def test_another_person_waives_what_an_officer_proposed() -> None:
    spec = LOANS.replace("by bot, officer answers", "by officer answers")
    (written,) = [one for one in parcels.ran(spec).generate().scenarios if GOAL in one.goals]
    assert '  when officer "another officer" waives too_high\n' in written.text
