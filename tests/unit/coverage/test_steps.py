"""Goal: a scenario of several steps carries its world along as the kernel's store would, and tells which one fails."""

import letters as here
import pytest

from edca.diagnostics import Source
from edca.dsl.parse import parse
from edca.kernel.calendar import DAY, SECOND
from edca.kernel.machine import Window, WindowKind
from edca.kernel.windows import in_window
from edca.semantic.scenario import run, scenarios_of

HOUR = 3600 * SECOND
SEND = 'when clerk "bob" proposes send(letter_id: "l1")'


def passes(body: str) -> None:
    """The scenario comes out as it says."""
    result = here.story(body)
    assert result.passed, result.detail


def fails(body: str) -> tuple[str, ...]:
    """What is told of a scenario that doesn't come out as it says."""
    result = here.story(body)
    assert not result.passed
    return result.detail


def test_a_case_goes_its_way_from_step_to_step() -> None:
    passes(
        here.DRAFTED
        + """
  when clerk "ann" proposes approve(letter_id: "l1", postage_paid: 2.00)
  then escalated needs agreed
  wait 10 minutes
  when editor "eva" confirms agreed
  then accepted to approved with postage = 2.00
  when clerk "ann" proposes send(letter_id: "l1")
  then refused same_person
  when clerk "bob" proposes send(letter_id: "l1")
  then accepted to sent with postage = 2.00
  when post succeeds
  then in sent
  when clerk "ann" proposes draft(letter_id: "l1")
  then refused no_such_transition
"""
    )


@pytest.mark.parametrize(
    ("happens", "state"), [("fails", "drafted"), ("times out", "lost"), ("succeeds", "sent")], ids=str
)
def test_what_becomes_of_an_effect_moves_the_case(happens: str, state: str) -> None:
    approved = '  given approved\n  given proposer of draft = "ann"\n  given postage = 2.00\n'
    passes(
        approved
        + f"""
  given letter("l1") {{ cost = 9.00, sealed = true }}
  {SEND}
  then accepted to sent
  when post {happens}
  then in {state} with postage = 2.00
"""
    )


def test_effects_succeed_where_nothing_is_said_of_them() -> None:
    passes(
        f"""
  given approved
  given proposer of draft = "ann"
  given letter("l1") {{ cost = 9.00, sealed = true }}
  {SEND}
  then accepted to sent
  {SEND}
  then refused no_such_transition
"""
    )


def test_signatures_are_counted_by_person() -> None:
    opened = (
        here.DRAFTED
        + '  when bot proposes approve(letter_id: "l1", postage_paid: 6.00)\n  then escalated needs twice\n'
    )
    passes(
        opened
        + """
  when editor "eva" signs twice
  then escalated needs twice
  when editor "eva" signs twice
  then escalated needs twice
  when editor "ann" signs twice
  then escalated needs twice
  when editor "emil" signs twice
  then accepted to approved
"""
    )
    passes(opened + '  when editor "eva" declines twice\n  then refused twice\n')
    told = fails(opened + '  when editor "ann" signs twice\n  then accepted\n')
    assert told[0] == "step 3 of 3: expected accepted, got escalated: twice"
    assert any("2 yes of editor needed; not counted: ann (must be somebody else)" in line for line in told)


def test_a_yes_lapses_and_belongs_to_one_candidate() -> None:
    opened = '  given drafted\n  given letter("l1") {{ cost = 9.00 }}\n  given agreed = true\n  wait {wait}\n'
    asked = '  when bot proposes approve(letter_id: "l1", postage_paid: 2.00)\n  then {then}\n'
    passes(opened.format(wait="30 minutes") + asked.format(then="accepted to approved"))
    passes(opened.format(wait="31 minutes") + asked.format(then="escalated needs agreed"))
    passes(
        here.DRAFTED
        + "  given agreed = true\n"
        + asked.format(then="accepted to approved")
        + "  given drafted\n"
        + asked.format(then="escalated needs agreed")
    )


def test_time_in_a_state_is_counted() -> None:
    drop = '  when timer proposes drop(letter_id: "l1")\n  then {}\n'
    passes("  wait 13 days\n" + drop.format("refused too_early"))
    passes("  wait 14 days\n" + drop.format("accepted to dropped"))
    passes("  given entered = 2025-12-18T00:00:00Z\n" + drop.format("accepted to dropped"))
    passes("  wait 13 days\n  given approved\n  wait 13 days\n" + drop.format("refused too_early"))
    passes("  wait 13 days\n" + here.DRAFTED + "  wait 13 days\n" + drop.format("refused too_early"))


def test_limits_count_what_was_accepted() -> None:
    once = '  given blank\n  when clerk "ann" proposes draft(letter_id: "l1")\n  then {}\n'
    accepted, refused = once.format("accepted"), once.format("refused pace")
    passes(accepted * 3 + refused)
    passes(accepted * 3 + refused + '  when clerk "bob" proposes draft(letter_id: "l2")\n  then accepted\n')
    passes(accepted * 3 + "  wait 59 minutes\n" + refused + "  wait 1 minute\n" + accepted)
    passes("  given pace = 2\n" + accepted + refused)
    passes("  given pace = 3\n" + refused + "  given pace = 0\n" + accepted)


def test_sums_begin_anew_with_the_day() -> None:
    step = """  given drafted
  given agreed = true
  when bot proposes approve(letter_id: "l1", postage_paid: 4.50)
  then {}
"""
    known = '  given now = 2026-03-20T12:00:00Z\n  given letter("l1") { cost = 9.00 }\n'
    passes(known + step.format("accepted") + step.format("refused daily"))
    passes(known + step.format("accepted") + "  wait 12 hours\n" + step.format("accepted"))
    passes(known + "  given daily = 3.50\n" + step.format("accepted"))
    told = fails(known + "  given daily = 3.51\n" + step.format("accepted"))
    assert "    counted so far = 3.51" in told


@pytest.mark.parametrize(
    ("kind", "length", "at", "now", "within"),
    [
        (WindowKind.ROLLING, HOUR, 0, HOUR - 1, True),
        (WindowKind.ROLLING, HOUR, 0, HOUR, False),
        (WindowKind.ROLLING, HOUR, 5, 4, False),
        (WindowKind.UTC, DAY, DAY - 1, DAY, False),
        (WindowKind.UTC, DAY, DAY, 2 * DAY - 1, True),
        (WindowKind.UTC, 7 * DAY, 4 * DAY, 11 * DAY - 1, True),  # the fifth day of 1970 was a Monday
        (WindowKind.UTC, 7 * DAY, 4 * DAY - 1, 4 * DAY, False),
    ],
)
def test_windows(kind: WindowKind, length: int, at: int, now: int, within: bool) -> None:
    assert in_window(Window(kind, length), at, now) is within


def test_modes_and_properties_are_given_and_named() -> None:
    passes(f"  given mode = strike\n  given approved\n  {SEND}\n  then refused strike\n")
    passes("  given mode = strike\n" + here.DRAFTED)
    passes(f"  given mode = halted\n  given approved\n  {SEND}\n  then refused halted\n")
    wasted = """  given drafted
  given agreed = true
  given letter("l1") { cost = 1.00 }
  when bot proposes approve(letter_id: "l1", postage_paid: 2.00)
  then """
    passes(wasted + "refused wasted\n")
    passes(wasted + "refused property_violated\n")
    assert "wasted: Never more postage than it is worth. [never]" in fails(wasted + "accepted\n")


def test_what_is_not_given_is_told_as_not_given() -> None:
    told = fails(f"  given approved\n  {SEND}\n  then accepted to sent\n")
    assert told[0] == "expected accepted to sent, got refused: open, same_person"
    assert "    letter.sealed is not given in this scenario" in told
    assert "    proposer of draft is not given in this scenario" in told
    assert not any("route" in line or "source" in line for line in told)


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("accepted to drafted", "expected to reach drafted, got approved"),
        ("accepted to approved with postage = 3.00", "expected postage = 3.00, got 2.00"),
        ("refused daily", "expected refused daily, got accepted to approved"),
        ("escalated needs agreed", "expected escalated agreed, got accepted to approved"),
    ],
)
def test_what_came_instead_is_told_in_the_words_of_the_language(then: str, told: str) -> None:
    body = f"""  given drafted
  given agreed = true
  given letter("l1") {{ cost = 9.00 }}
  when bot proposes approve(letter_id: "l1", postage_paid: 2.00)
  then {then}
"""
    assert fails(body)[0] == told


def test_the_step_that_fails_is_named_and_placed() -> None:
    result = here.story(here.DRAFTED + f"  {SEND}\n  then accepted to sent\n  when post succeeds\n  then in sent\n")
    assert result.detail[0].startswith("step 2 of 3: expected accepted to sent, got refused: ")
    assert result.place.text.startswith('when clerk "bob" proposes send')
    assert len(result.steps) == 2
    told = fails(
        here.DRAFTED + '  when clerk "ann" proposes approve(letter_id: "l1", postage_paid: 2.00)\n'
        "  then escalated\n  when editor confirms agreed\n  then escalated\n"
        "  when editor confirms agreed\n  then accepted\n"
    )
    assert told[0].startswith("step 3 of 4: expected escalated, got accepted")


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        ("when editor confirms agreed then accepted", "P001 nothing waits for an answer"),
        ("when post fails then in lost", "P001 `post` is not under way"),
        (here.DRAFTED + "when post fails then in lost", "P001 `post` is not under way"),
        (here.DRAFTED + "when pots fails then in lost", "N008 there is no effect `pots`"),
        ("given work " + SEND + " then refused", "N006 no case is ever just in `work`"),
        ("given mode = striek " + SEND + " then refused", "N001 there is no mode `striek`"),
        ('given proposer of drfat = "a" ' + SEND + " then refused", "N015 there is no transition `drfat`"),
        ('given signers of thrice = ["a"] ' + SEND + " then refused", "N022 no `sign` or `confirm` has the code"),
        ("given pace = -1 " + SEND + " then refused", "T010 `-1` is outside the range of its type"),
        (SEND + " then accepted to snet", "N006 there is no state `snet`"),
        (SEND + " then accepted when post fails then accepted", "P001 nobody proposes anything in this step"),
    ],
)
def test_steps_that_mean_nothing_are_findings(body: str, finding: str) -> None:
    spec = here.letter()
    parsed = parse(Source("s.edca", f'edca 1\nmachine letter version "1.0.0"\nscenario "s" {{\n{body}\n}}\n'))
    assert parsed.spec is not None and not parsed.diagnostics
    results, wrong = run(scenarios_of(parsed.spec), spec.checked, spec.machine)
    assert not results
    assert any(f"{found.code.id} {found.message}".startswith(finding) for found in wrong), wrong


@pytest.mark.parametrize(
    ("word", "code", "finding", "help_"),
    [
        ("signs", "agreed", "N001 `approve` has no `sign` clause `agreed`", "write `confirms agreed`"),
        ("confirms", "twice", "N001 `approve` has no `confirm` clause `twice`", "write `signs twice`"),
        ("declines", "twcie", "N001 `approve` has no answerable clause `twcie`", "did you mean `twice`?"),
        ("waives", "daily", "N001 `approve` has no escalating clause `daily`", None),
    ],
)
def test_an_answer_that_fits_no_clause_is_a_finding(word: str, code: str, finding: str, help_: str | None) -> None:
    spec = here.letter()
    body = 'when bot proposes approve(letter_id: "l1", postage_paid: 2.00) then escalated '
    body += f"when editor {word} {code} then refused"
    parsed = parse(Source("s.edca", f'edca 1\nmachine letter version "1.0.0"\nscenario "s" {{ {body} }}\n'))
    assert parsed.spec is not None and not parsed.diagnostics
    _, (found,) = run(scenarios_of(parsed.spec), spec.checked, spec.machine)
    assert (f"{found.code.id} {found.message}", found.help) == (finding, help_)


def test_who_waits_for_an_answer_holds_the_room_of_a_limit_as_long_as_one_counts() -> None:
    ask = 'when bot "ada" proposes approve(letter_id: "{}", postage_paid: 5.00)'
    first, second = ask.format("l1"), ask.format("l2")
    passes(
        f"  given drafted\n  {first}\n  then escalated needs agreed\n"
        f"  {first}\n  then escalated needs agreed\n"  # its own reservation does not count against it
        f"  given drafted\n  wait 30 minutes\n  {second}\n  then refused daily\n"
        f"  wait 1 second\n  {second}\n  then escalated needs agreed\n"
    )
