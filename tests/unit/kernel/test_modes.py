"""Goal: a mode lets through what it allows, halt and unknown modes nothing; `after` counts from entering the state."""

import dataclasses

import pytest
from machines import FALSE, HOUR, clause, machine, setup, transition
from setups import NOW, Setup

from edca.kernel.machine import Mode, Role, RoleKind
from edca.kernel.roster import Principal, Roster
from edca.kernel.verdict import Accepted, Refused, Stage

CALM = Mode("calm", "Calm.", ("go",), (), ("supervisor",), (), ("supervisor",))
WITH_MODE = machine(
    transition("go.a"), transition("stop", target="gone"), transition("no", clause("c", condition=FALSE)), modes=(CALM,)
)


def _stage(made: Setup) -> Stage | None:
    verdict = made.decide()
    return verdict.stage if isinstance(verdict, Refused) else None


@pytest.mark.parametrize(("mode", "go", "stop"), [
    ("normal", None, None),
    ("calm", None, Stage.MODE),
    ("halted", Stage.HALTED, Stage.HALTED),
    ("calmer", Stage.HALTED, Stage.HALTED),
    ("", Stage.HALTED, Stage.HALTED),
])  # fmt: skip
def test_a_mode_allows_by_offered_name_and_no_mode_that_is_not_declared_allows_anything(
    mode: str, go: Stage | None, stop: Stage | None
) -> None:
    assert _stage(setup(WITH_MODE).with_inputs(mode=mode)) is go
    assert _stage(setup(WITH_MODE, offered="stop").with_inputs(mode=mode)) is stop


def test_no_declared_mode_takes_the_place_of_halt() -> None:
    made = machine(transition("go"), modes=(dataclasses.replace(CALM, name="halted"),))
    assert _stage(setup(made).with_inputs(mode="halted")) is Stage.HALTED


def test_halt_comes_before_the_mode_and_both_before_the_clock_and_the_case() -> None:
    made = setup(WITH_MODE, offered="stop").with_case(touched=NOW + 1, pending=b"x" * 32).with_candidate(revision=1)
    assert _stage(made.with_inputs(mode="halted")) is Stage.HALTED
    assert _stage(made.with_inputs(mode="calm")) is Stage.MODE
    assert _stage(made) is Stage.CLOCK_WENT_BACK
    assert _stage(made.with_inputs(mode="halted", key_used_by=b"x" * 32)) is Stage.DUPLICATE


def test_a_mode_lifts_no_clause() -> None:
    calm = dataclasses.replace(CALM, allow=("no",))
    made = setup(machine(transition("no", clause("c", condition=FALSE)), modes=(calm,)), offered="no")
    verdict = made.with_inputs(mode="calm").decide()
    assert isinstance(verdict, Refused)
    assert verdict.code == "c"


# --- takeover ---


def test_of_a_case_that_people_have_taken_over_only_they_are_heard() -> None:
    made = machine(transition("go", by=("clock", "clerk")), roles=(*WITH_MODE.roles, Role("clock", RoleKind.CLOCK)))
    people = setup(made).with_case(human_only=True)
    assert _stage(people) is None
    roster = people.inputs.roster
    timer = people.with_candidate(proposer="timer", role="clock").with_inputs(
        roster=Roster((*roster.principals, Principal("timer", ("clock",))), roster.mandates)
    )
    assert _stage(timer) is Stage.MODE
    assert _stage(timer.with_case(human_only=False)) is None
    # It is a restriction like a mode's, and a halt comes before both.
    assert _stage(timer.with_inputs(mode="halted")) is Stage.HALTED


# --- after ---


@pytest.mark.parametrize(("waited", "passes"), [(HOUR - 1, False), (HOUR, True), (HOUR + 1, True), (-1, False)])
def test_a_transition_waits_until_its_time_in_the_state_is_over(waited: int, passes: bool) -> None:
    made = setup(machine(transition("go", after_us=HOUR))).with_case(entered=NOW - waited)
    assert isinstance(made.decide(), Accepted) is passes
    assert passes or _stage(made) is Stage.TOO_EARLY


def test_the_time_counts_from_entering_not_from_the_last_record() -> None:
    made = setup(machine(transition("go", after_us=HOUR))).with_case(entered=NOW - HOUR, touched=NOW)
    assert isinstance(made.decide(), Accepted)
    late = setup(machine(transition("go", after_us=HOUR))).with_case(entered=NOW, touched=0)
    assert _stage(late) is Stage.TOO_EARLY


def test_the_clock_itself_waits_too() -> None:
    made = machine(
        transition("go", after_us=HOUR, by=("clock",)), roles=(*WITH_MODE.roles, Role("clock", RoleKind.CLOCK))
    )
    early = setup(made).with_candidate(proposer="timer", role="clock").with_case(entered=NOW - HOUR + 1)
    roster = early.inputs.roster
    early = early.with_inputs(roster=Roster((*roster.principals, Principal("timer", ("clock",))), roster.mandates))
    assert _stage(early) is Stage.TOO_EARLY
    assert isinstance(early.with_case(entered=NOW - HOUR).decide(), Accepted)
