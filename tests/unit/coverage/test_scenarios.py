"""Goal: what a scenario says is read exactly, what is wrong in it is a finding, and what is written reads back."""

import parcels as here
import pytest

from edca.diagnostics import Source
from edca.dsl.parse import parse
from edca.kernel.calendar import DAY, SECOND
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    IdType,
    IntType,
    ListType,
    OptionalType,
    PrincipalType,
    RecordType,
    ReferenceType,
    TextType,
    TimeType,
    Type,
)
from edca.kernel.values import Value
from edca.semantic.generate_values import Pool, changes, first_of
from edca.semantic.scenario import run, scenarios_of
from edca.semantic.scenario_write import UnwritableError, value_text

WHEN = 'when clerk proposes hand_over(parcel_id: "p1", paid: 20.00)'


def _findings(body: str) -> list[str]:
    spec = here.parcel()
    text = f'edca 1\nmachine parcel version "1.0.0"\nscenario "s" {{\n{body}\n}}\n'
    parsed = parse(Source("s.edca", text))
    assert parsed.spec is not None and not parsed.diagnostics
    results, wrong = run(scenarios_of(parsed.spec), spec.checked, spec.machine)
    assert bool(results) is not bool(wrong)
    return [f"{found.code.id} {found.message}" for found in wrong]


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        (f"given waiting\ngiven handed\n{WHEN}\nthen refused", "N002 `handed` is given twice"),
        (f'given subject = "a"\ngiven subject = "b"\n{WHEN}\nthen refused', "N002 `subject` is given twice"),
        (f"given signed = true\ngiven signed = false\n{WHEN}\nthen refused", "N002 `signed` is given twice"),
        (
            f'given parcel("p1") {{ kind = box }}\ngiven parcel("p1") {{ kind = letter }}\n{WHEN}\nthen refused',
            "N002 `this parcel` is given twice",
        ),
        (f"{WHEN}\nthen refused not_their", "N001 `hand_over` has no clause `not_their`"),
        (f"{WHEN}\nthen escalated needs wrong_role", "N001 nothing is escalated for `wrong_role`: it refuses"),
    ],
)
def test_a_scenario_that_is_wrong_in_itself_is_a_finding(body: str, finding: str) -> None:
    assert _findings(body) == [finding]


def test_codes_of_early_stages_and_of_reasons_may_be_named() -> None:
    assert _findings(f"{WHEN}\nthen refused wrong_role, fact_missing, out_of_range, too_heavy") == []


def test_a_failing_scenario_names_the_codes() -> None:
    (result,) = here.parcel().again(f'scenario "s" {{ {WHEN} then accepted }}')
    assert result.detail[0] == "expected accepted, got refused: not_theirs, sent_back, signed, too_heavy, unpaid"


ENTITIES = here.parcel().machine.index.entities
KIND = EnumType("kind", (("letter", "letter"), ("box", "big box")))
PAIR = RecordType("pair", (("first", IdType()), ("second", DecimalType(2, -500, 500))))


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        (BoolType(), True, "true"),
        (IntType(-5, 5), -3, "-3"),
        (DecimalType(2, -500, 500), -150, "-1.50"),
        (TextType(20), 'say "a\\b"\n\tc', '"say \\"a\\\\b\\"\\n\\tc"'),
        (IdType(), "é", '"é"'),
        (PrincipalType("guest"), "gil", '"gil"'),
        (DateType(), 20_000, "2024-10-04"),
        (TimeType(), 20_000 * DAY + SECOND // 2, "2024-10-04T00:00:00.5Z"),
        (DurationType(), 90 * 60 * SECOND, "90 minutes"),
        (KIND, "box", "box"),
        (OptionalType(KIND), "box", "box"),
        (ReferenceType("parcel"), ("p1",), 'parcel("p1")'),
        (PAIR, ("a", 5), 'pair("a", 0.05)'),
        (ListType(0, 3, IntType(0, 9)), (), "[]"),
        (ListType(0, 3, PAIR), (("a", 5), ("b", -5)), '[pair("a", 0.05), pair("b", -0.05)]'),
    ],
)
def test_values_are_written_as_the_language_writes_them(type_: Type, value: Value, text: str) -> None:
    assert value_text(type_, value, ENTITIES) == text


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (OptionalType(BoolType()), None),
        (DurationType(), -SECOND),
        (DurationType(), 1),
        (TextType(9), "\x1b[0m"),
        (IdType(), "a\u202eb"),
    ],
)
def test_what_has_no_words_is_not_written(type_: Type, value: Value) -> None:
    with pytest.raises(UnwritableError):
        value_text(type_, value, ENTITIES)


@pytest.mark.parametrize(
    "type_",
    [KIND, PAIR, BoolType(), IntType(3, 9), TextType(3), TimeType(), ListType(2, 4, PAIR), ReferenceType("parcel")],
)
def test_changes_are_other_values_in_bounds_and_always_the_same(type_: Type) -> None:
    pool = Pool((4, 7 * DAY, 20_000 * DAY), (2,), ("some", "texts"))
    value = first_of(type_, "thing", ENTITIES)
    found = list(changes(type_, value, pool, ENTITIES))
    assert found and value not in found and len(set(found)) == len(found)
    assert found == list(changes(type_, value, pool, ENTITIES))
    for other in found:
        value_text(type_, other, ENTITIES)
