"""Goal: limits, signatures, branches, times and properties are told to operators in full and to models in part."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from setups import MODEL, NOW, Setup, case_of, instance, proposal

from edca.diagnostics import Source, concise
from edca.kernel.calendar import DAY
from edca.kernel.candidate import Caller
from edca.kernel.facts import table
from edca.kernel.inputs import HALTED, Attestation, Inputs
from edca.kernel.machine import Machine
from edca.kernel.preview import preview
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.values import TIME_MAX
from edca.kernel.verdict import Accepted, Escalated, Refused
from edca.runtime.question import Question
from edca.semantic.compile import compile_spec
from edca.semantic.explain import NOT_POSSIBLE, Told, for_model, for_operator
from edca.semantic.view import View, creation_view, view

SPEC = Path(__file__).parents[2] / "corpus" / "render_spec" / "permits.edca"
BOT = Caller("bot", "bot", "olga", MODEL)
OFFICER = Caller("otto", "officer", "olga")


@cache
def _machine() -> Machine:
    found = compile_spec(Source("permits.edca", SPEC.read_text("utf-8")))
    assert found.machine is not None, concise(found.diagnostics)
    return found.machine


def _roster() -> Roster:
    people = {"olga": "owner", "otto": "officer", "omar": "officer", "bea": "board", "ben": "board", "bo": "board"}
    return Roster(
        (Principal("bot", ("bot",), MODEL), *(Principal(who, (role,)) for who, role in people.items())),
        (Mandate("standing", "omar", "officer", "permits", (), 0, TIME_MAX),),
    )


def _setup(transition: str, state: str, caller: Caller = OFFICER, **arguments: Any) -> Setup:
    machine = _machine()
    site = instance(
        "site", "s1", holder="olga", value=10_000_000, protected=False, email="o@x.org", risk="high", issued=False,
        charged=0,
    )  # fmt: skip
    candidate = proposal(transition, caller.proposer, caller.role, caller.subject, site_id="s1", **arguments)
    inputs = Inputs(NOW, "test", table([site]), (), _roster(), None)
    return Setup(machine, case_of(machine, "site", ("s1",), state), candidate, inputs)


def _question(setup: Setup) -> Question:
    return Question(setup.machine, setup.case, None, setup.candidate, setup.inputs)


def _lines(setup: Setup) -> str:
    return "\n".join(for_operator(setup.machine, setup.decide(), _question(setup)))


def _told(setup: Setup) -> Told:
    return for_model(setup.machine, setup.candidate, setup.decide())


def _yes(code: str, by: str, role: str) -> Attestation:
    return Attestation(code, True, by, role, "test", NOW)


# --- limits ---


def _check(used: int) -> Setup:
    setup = _setup("check", "filed", BOT, note="complete")
    setup = setup.with_inputs(attestations=(Attestation("purpose", "A shed.", "olga", "owner", "test", NOW),))
    return setup.with_inputs(used={("check", "pace", ("bot",)): used})


def test_a_limit_that_is_kept_is_told_with_its_numbers() -> None:
    assert isinstance(_check(19).decide(), Accepted)
    assert '  limit pace: 19 so far, 1 added, at most 20 within any 1 hour, per proposer = "bot"' in _lines(_check(19))


def test_a_limit_that_is_not_kept_is_told_to_operators_with_its_numbers_and_to_models_without() -> None:
    full = _check(20)
    assert isinstance(full.decide(), Refused)
    for part in (
        "pace: Nobody checks more than 20 applications an hour. [limited]",
        "    limit pace count to 20 per rolling 1 hour per proposer",
        "    counted within any 1 hour",
        "counted so far = 20",
        "would be added = 1",
        "at most = 20",
    ):
        assert part in _lines(full)
    assert _told(full).to_raw() == {
        "outcome": "refused",
        "codes": ["pace"],
        "texts": ["Nobody checks more than 20 applications an hour."],
    }


def test_a_counter_that_nobody_can_read_is_not_told_to_a_model_as_if_it_were_full() -> None:
    uncounted = _check(0).with_inputs(used={})
    assert "missing: nothing tells how much has been counted so far" in _lines(uncounted)
    assert _told(uncounted).codes == (NOT_POSSIBLE,)


# --- signatures and branches ---


def _large(*answers: Attestation) -> Setup:
    setup = _setup("agree", "checked", fee="600.00").with_case(proposers={"check": "bea"}, signers={"fee_accepted": ()})
    setup = setup.with_inputs(used={("agree", "a_day", ("olga", "otto")): 0})
    shown = preview(setup.machine, setup.case, setup.candidate, setup.inputs)
    assert shown is not None
    return setup.with_inputs(attestations=tuple(replace(answer, binds=shown.digest) for answer in answers))


def test_who_has_signed_and_who_is_missing_is_told() -> None:
    # Bea has checked it, so her signature doesn't count.
    open_ = _large(_yes("by_board", "bea", "board"), _yes("by_board", "ben", "board"))
    assert isinstance(open_.decide(), Escalated)
    for part in (
        "by_board: Two members of the board must sign who had no part in it. [to be signed]",
        "    sign by_board by 2 of board distinct from proposer of check, signers of fee_accepted within 5 days",
        "    proposer of check = bea",
        "    answered so far: ben",
        "    can be answered by: board, 1 of them",
        "limit a_day: 0.00 so far, 600.00 added, at most 50000.00 eur within one day (UTC), "
        'per site.holder = "olga", proposer = "otto"',
    ):
        assert part in _lines(open_)
    assert _told(open_).to_raw()["needs"] == [{"code": "by_board", "role": "board", "count": 1}]
    signed = _large(_yes("by_board", "bo", "board"), _yes("by_board", "ben", "board"))
    assert isinstance(signed.decide(), Accepted)


def test_who_said_no_is_told() -> None:
    declined = _large(Attestation("by_board", False, "ben", "board", "test", NOW))
    assert "    declined by: ben" in _lines(declined)


def test_which_branch_was_chosen_is_told_and_why() -> None:
    lines = _lines(_large())
    assert "  branch agree.small, when fee <= 500.00: its guard is false\n      fee = 600.00\n" in lines
    assert "  branch agree.large: chosen" in lines
    small = _lines(_setup("agree", "checked", fee="5.00").with_case(proposers={"check": "bot"}))
    assert "  branch agree.small, when fee <= 500.00: chosen" in small
    assert "  branch agree.large: not reached" in small


# --- time, modes, properties ---


def test_what_comes_too_early_is_told_with_the_time_from_which_on_it_may_come() -> None:
    entered = NOW - 80 * DAY
    early = _setup("expire", "filed", Caller("clock", "clock")).with_case(entered=entered)
    early = early.with_inputs(
        roster=Roster((*_roster().principals, Principal("clock", ("clock",))), _roster().mandates)
    )
    lines = _lines(early)
    assert "refused expire: too_early" in lines
    assert "it may be proposed from 2026-03-30T12:00:00Z on" in lines


@pytest.mark.parametrize("mode", [HALTED, "few_hands", "no_such_mode"])
def test_a_model_is_not_told_that_less_is_allowed(mode: str) -> None:
    """Where there is no case nothing tells it either, so the mode would tell that there is one."""
    assert _told(_check(0).with_inputs(mode=mode)).codes == (NOT_POSSIBLE,)


def test_a_violated_property_is_told() -> None:
    setup = _setup("send", "agreed").with_case(memory={"due": 500_001, "contact": "o@x.org"})
    violated = setup.with_fact(("site", ("s1",)), "value", 500_000)
    verdict = violated.decide()
    assert (verdict.code, isinstance(verdict, Refused)) == ("property_violated", True)
    for part in (
        "overcharged: The fee is never more than the site is worth. [never to be so]",
        "    never while agreed, issued when due > site.value",
        "    due = 5000.01",
        "    site.value = 5000.00",
    ):
        assert part in _lines(violated)
    assert _told(violated).to_raw() == {
        "outcome": "refused",
        "codes": ["property_violated"],
        "texts": ["The fee is never more than the site is worth."],
    }


# --- views ---


def _seen(setup: Setup, caller: Caller, mode: str = "normal") -> View:
    return view(setup.machine, setup.case, setup.inputs.facts, caller, NOW, mode)


def test_branches_are_one_offer_and_only_those_the_role_may_propose_tell_what_it_means() -> None:
    checked = _setup("agree", "checked", fee="1.00")
    assert [(o.name, o.means) for o in _seen(checked, BOT).offers] == [("agree", "Agree to small works.")]
    offers = {offer.name: offer.means for offer in _seen(checked, OFFICER).offers}
    assert offers["agree"] == "Agree to small works. Or: Agree to large works, with the board."


def test_a_state_means_what_the_states_around_it_mean_too() -> None:
    assert _seen(_setup("agree", "checked", fee="1.00"), BOT).meaning == (
        "It is complete. Somebody is looking at it. Nothing is decided yet."
    )


def test_labelled_values_are_shown_to_those_they_are_released_to() -> None:
    setup = _setup("check", "filed", note="x")
    assert "contact" not in _seen(setup, BOT).memory and "due" in _seen(setup, BOT).memory
    assert "site.email" not in _seen(setup, BOT).facts
    assert _seen(setup, OFFICER).facts["site.email"] == "o@x.org"
    assert "site.protected" not in _seen(setup, OFFICER).facts


def test_in_a_mode_only_what_it_allows_is_offered() -> None:
    setup = _setup("check", "filed", note="x")
    assert [offer.name for offer in _seen(setup, OFFICER).offers] == ["check", "reject"]
    assert [offer.name for offer in _seen(setup, OFFICER, "few_hands").offers] == ["reject"]
    assert _seen(setup, OFFICER, HALTED).offers == _seen(setup, OFFICER, "no_such_mode").offers == ()
    assert creation_view(_machine(), OFFICER, HALTED).offers == ()


def test_what_comes_too_early_is_not_offered() -> None:
    clock = Caller("clock", "clock")
    setup = _setup("expire", "filed", clock)
    assert _seen(setup.with_case(entered=NOW - 90 * DAY + 1), clock).offers == ()
    assert [offer.name for offer in _seen(setup.with_case(entered=NOW - 90 * DAY), clock).offers] == ["expire"]


def test_what_nothing_holds_up_is_seen_by_those_who_may_do_it_and_by_nobody_else() -> None:
    closed = _setup("reject", "filed").with_fact(("site", ("s1",)), "protected", True)
    assert [offer.name for offer in _seen(closed, OFFICER).offers] == ["reject"]
    assert _seen(closed, BOT).state is None


def test_a_unit_stands_in_the_schema() -> None:
    (offer,) = _seen(_setup("agree", "checked", fee="1.00"), BOT).offers
    assert "in eur" in str(offer.arguments["properties"])
