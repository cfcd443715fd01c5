"""Goal: what is said to be impossible never comes up, and what obviously is impossible is found."""

from pathlib import Path

import parcels as here
import pytest

from edca.semantic.coverage import Goal, Part
from edca.semantic.generate_search import Search

CLAUSE = "require paid >= parcel.fee else refuse unpaid"


@pytest.mark.parametrize(
    ("condition", "possible"),
    [
        ("true", {"true"}),
        ("false", {"false"}),
        ("not false", {"true"}),
        ("paid > 5.00", {"true", "false"}),
        ("paid >= 0.00", {"true"}),
        ("paid > 1000.00", {"false"}),
        ("paid - 1000.00 <= 0.00", {"true"}),
        ("paid == 1000.01", {"false"}),
        ("paid != 1000.01", {"true"}),
        ("parcel.fee >= 0.00", {"true", "unknown"}),
        ("parcel.fee < paid", {"true", "false", "unknown"}),
        ('parcel.parcel_id == "p1"', {"true", "false"}),
        ("parcel.kind in [letter, box, pallet]", {"true", "unknown"}),
        ("parcel.kind not in [letter, box, pallet]", {"false", "unknown"}),
        ("parcel.kind in [letter, box]", {"true", "false", "unknown"}),
        ("parcel.note is present", {"true", "false", "unknown"}),
        ('reason == ""', {"true", "false", "unknown"}),
        ("subject != proposer", {"true", "false", "unknown"}),
        ("paid >= 0.00 and parcel.fee > 1.00", {"true", "false", "unknown"}),
        ("paid >= 0.00 or parcel.fee > 1.00", {"true"}),
        ("paid > 1000.00 and parcel.fee > 1.00", {"false"}),
        ("paid > 5.00 or parcel.fee > 1.00", {"true", "false", "unknown"}),
        ("paid > 5.00 and now > parcel.stored", {"true", "false", "unknown"}),
        ("if paid >= 0.00 then true else parcel.fee > 1.00", {"true"}),
        ("if parcel.fee >= 0.00 then paid >= 0.00 else false", {"true", "unknown"}),
        ("every x in [paid, 2.00] satisfies x >= 0.00", {"true"}),
        ("some x in [paid] satisfies x > 5.00", {"true", "false"}),
        ("count(x in [parcel.fee] where x > 5.00) >= 0", {"true", "unknown"}),
        ("first([paid]) >= 0.00", {"true"}),
        ("min([paid, 1.00]) <= 1000.00", {"true"}),
        ("low(paid)", {"true", "false"}),
        ("low(parcel.fee)", {"true", "false", "unknown"}),
        ("doubled >= 0.00", {"true"}),
        ("owing > 1.00", {"true", "false", "unknown"}),
    ],
)
def test_what_a_condition_can_be(condition: str, possible: set[str]) -> None:
    assert CLAUSE in here.PARCEL
    text = here.PARCEL.replace(CLAUSE, f"require {condition} else refuse unpaid")
    text = text.replace("\n  forbid", "\n  let doubled = paid + paid\n  let owing = parcel.fee - paid\n  forbid")
    text = text.replace("\ntransition", "\ndefine low(m: money) = m < 3.00\n\ntransition")
    coverage = here.ran(text).coverage
    outcomes = ("true", "false", "unknown")
    goals = {outcome: Goal("hand_over", "unpaid", Part.CONDITION, outcome) for outcome in outcomes}
    assert {outcome for outcome in outcomes if goals[outcome] in coverage.shown} == possible
    assert {outcome for outcome in outcomes if goals[outcome] in coverage.excluded} == set(outcomes) - possible


@pytest.mark.parametrize("path", [here.SPECS / "refund/refund.edca", here.SPECS / "airline/scenarios/airline.edca"])
def test_what_is_excluded_never_comes_up(path: Path) -> None:
    """Thousands of worlds a step away from those of the scenarios: none has an outcome that was excluded."""
    spec = here.ran((here.SPECS / path.stem / path.name).read_text("utf-8"))
    scenarios = spec.again(path.read_text("utf-8").partition("\nscenario")[2].join(("scenario", "")))
    excluded = set(spec.coverage.excluded)
    assert excluded
    came_up: set[Goal] = set()
    for transition in spec.checked.transitions:
        search = Search(spec.checked, spec.machine, transition)
        decisions = [decision for result in scenarios for decision in result.decisions]
        worlds = [decision.world for decision in decisions if decision.world.transition == transition.offered]
        for world in worlds[:1]:
            for subject in search.subjects.values():
                for step in search.around(world, subject):
                    came_up |= search.try_out(step).seen
    assert len(came_up) > 30
    assert came_up & excluded == set()
