"""Goal: generated scenarios come out as they say, show what was missing, and are the same in every process."""

import os
import subprocess
import sys
from pathlib import Path

import letters
import parcels as here
import pytest

from edca.diagnostics import Source
from edca.dsl.format import format_source
from edca.kernel.verdict import Accepted
from edca.semantic.coverage import Part, measure
from edca.semantic.generate import file_header, generate

AIRLINE = here.SPECS / "airline" / "airline.edca"


def _check(spec: here.Ran) -> set[str]:
    """Every generated scenario passes and shows what it is said to; what is not reached, as `code outcome`."""
    made = spec.generate()
    results = spec.again("\n".join(scenario.text for scenario in made.scenarios))
    assert [result.title for result in results] == [scenario.title for scenario in made.scenarios]
    assert all(result.passed for result in results)
    after = measure(spec.checked, spec.machine, (*spec.results, *results))
    assert after.missing == made.unreached
    for scenario, result in zip(made.scenarios, results, strict=True):
        alone = measure(spec.checked, spec.machine, [result])
        assert scenario.goals and all(alone.shown[goal] == scenario.title for goal in scenario.goals)
    return {f"{goal.transition}.{goal.code} {goal.outcome}" for goal in made.unreached}


def test_all_is_found_from_nothing() -> None:
    assert _check(here.parcel()) == set()


def test_all_is_found_from_one_accepted_scenario() -> None:
    assert _check(here.handed()) == set()
    made = here.handed().generate()
    assert not [
        scenario for scenario in made.scenarios if "then accepted" in scenario.text and "p1" not in scenario.text
    ]


def test_each_clause_fails_alone_where_it_can() -> None:
    lines = [scenario.text.splitlines()[-2].strip() for scenario in here.handed().generate().scenarios]
    assert {"then refused unpaid", "then refused sent_back", "then escalated needs too_heavy"} <= set(lines)


def test_numbers_lie_just_beyond_the_rule() -> None:
    texts = "\n".join(scenario.text for scenario in here.handed().generate().scenarios)
    assert "fee = 2.01" in texts or "paid: 1.99" in texts
    assert "# As accepted, but " in texts


def test_nothing_is_made_of_what_is_shown() -> None:
    made = here.handed().generate()
    whole = here.ran(here.PARCEL + here.HANDED + "\n".join(scenario.text for scenario in made.scenarios))
    assert whole.coverage.missing == ()
    assert whole.generate().scenarios == ()


def test_what_can_t_be_reached_is_told() -> None:
    old = "paid >= parcel.fee else"
    far = here.PARCEL.replace(old, "paid >= parcel.fee or parcel.fee > 5.00 or paid == 0.00 else")
    assert _check(here.ran(far)) == set()
    never = here.PARCEL.replace(old, "parcel.fee >= paid or paid > parcel.fee else")
    assert _check(here.ran(never)) == {"hand_over.unpaid false"}


def test_a_transition_that_nothing_accepts_is_told() -> None:
    text = here.PARCEL.replace("paid >= parcel.fee else", "parcel.fee < 1.00 and parcel.fee > 2.00 else")
    assert _check(here.ran(text)) == {"hand_over. accepted", "hand_over.unpaid true", "hand_over.too_heavy waived"}


def test_a_transition_without_a_clause_is_refused_by_its_roles() -> None:
    text = (
        here.PARCEL
        + """
transition look(parcel_id: id) from waiting to waiting { means "Look at it." by clerk answers clerk }
"""
    )
    spec = here.ran(text)
    assert _check(spec) == set()
    assert any("then refused wrong_role" in scenario.text for scenario in spec.generate().scenarios)


def test_every_kind_of_outcome_is_found_from_nothing() -> None:
    spec = letters.letter()
    parts = {goal.part for goal in (*spec.coverage.shown, *here.parcel().coverage.shown)}
    assert parts == set(Part)
    assert _check(spec) == set()


def test_what_is_written_is_laid_out_as_a_spec_is() -> None:
    spec = letters.letter()
    texts = [scenario.text for scenario in spec.generate().scenarios]
    whole = "\n".join((file_header(spec.machine), *texts))
    assert format_source(Source("more.edca", whole)).text == whole


def test_what_another_scenario_shows_is_not_reported() -> None:
    """Found on its own or not: what any of the generated scenarios shows is reached."""
    for spec in (letters.letter(), here.parcel()):
        made = spec.generate()
        shown = {goal for scenario in made.scenarios for goal in scenario.goals}
        assert shown.isdisjoint(made.unreached)
        assert shown | set(made.unreached) == set(spec.coverage.missing)


def test_texts_are_escaped() -> None:
    text = here.PARCEL.replace('reason == ""', 'reason == "say \\"yes\\"\\n\\\\"')
    assert _check(here.ran(text)) == set()


def test_the_airline_is_covered_from_nothing() -> None:
    assert len(_check(here.ran(AIRLINE.read_text("utf-8")))) <= 3


@pytest.mark.parametrize(
    ("spec", "scenarios", "around"),
    [
        ("refund/refund.edca", None, {Part.MODE, Part.PROPERTY}),
        ("airline/airline.edca", "airline/scenarios/airline.edca", {Part.EDGE}),
    ],
)
def test_the_specs_are_covered(spec: str, scenarios: str | None, around: set[Part]) -> None:
    """Every clause is shown every way, and what may be missing of what stands around them can be generated."""
    ran = here.ran((here.SPECS / spec).read_text("utf-8"))
    results = ran.results
    if scenarios is not None:
        more = (here.SPECS / scenarios).read_text("utf-8")
        results += ran.again("scenario" + more.partition("\nscenario")[2])
    assert all(result.passed for result in results)
    verdicts = [decision.verdict for result in results for decision in result.decisions]
    assert sum(isinstance(verdict, Accepted) for verdict in verdicts) > 1
    coverage = measure(ran.checked, ran.machine, results)
    assert {goal.part for goal in coverage.missing} <= around
    assert generate(ran.checked, ran.machine, results, coverage).unreached == ()


def test_it_does_not_depend_on_the_process() -> None:
    program = "import parcels as here; print(here.ran(here.PARCEL + here.HANDED).generate())"
    seen = set()
    for seed in ("0", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "America/St_Johns" if seed == "0" else "UTC"}
        run = subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parent,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        seen.add(run.stdout)
    assert len(seen) == 1
