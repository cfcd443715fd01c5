"""Goal: every value has one raw form, which reads back as that value; nothing else is read as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ENTITIES, HUE, TYPES, values

from edca.kernel.canonical import encode
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    IdType,
    IntType,
    ListType,
    OptionalType,
    RecordType,
    ReferenceType,
    TextType,
    TimeType,
    Type,
)
from edca.kernel.values import TIME_MAX, Value, ValueProblem, from_raw, in_bounds, parse_decimal, to_raw


@given(st.data(), TYPES)
def test_a_value_survives_its_raw_form(data: st.DataObject, type_: Type) -> None:
    value: Value = data.draw(values(type_))
    raw = to_raw(type_, value, ENTITIES)
    assert from_raw(type_, raw, ENTITIES) == value
    assert in_bounds(type_, value)
    encode(raw)


_RAWS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(st.characters(codec=None, exclude_categories=[]), max_size=12)
    | st.sampled_from(["1.5", "-0.00", "2024-02-30", "2024-02-29", "red", "pale green", "2024-01-01T00:00:00Z", "1e5"])
    | st.builds(lambda digits: {"#": digits}, st.sampled_from(["1.50", "-3.0", "1e3", "", "9999999999999.0"])),
    lambda of: st.lists(of, max_size=4) | st.dictionaries(st.sampled_from(["p0", "p1", "#", "sku"]), of, max_size=3),
    max_leaves=6,
)


@given(TYPES, _RAWS)
def test_whatever_is_read_has_canonical_bytes_and_one_form(type_: Type, raw: object) -> None:
    try:
        value = from_raw(type_, raw, ENTITIES)
    except ValueProblem:
        return
    assert in_bounds(type_, value)
    canonical = to_raw(type_, value, ENTITIES)
    encode(canonical)
    assert from_raw(type_, canonical, ENTITIES) == value
    assert to_raw(type_, from_raw(type_, canonical, ENTITIES), ENTITIES) == canonical


MONEY = DecimalType(2, -10_000, 10_000)
PAIR = RecordType("pair", (("a", BoolType()), ("b", OptionalType(IntType(0, 5)))))


@pytest.mark.parametrize(
    ("type_", "raw"),
    [
        (BoolType(), 1),
        (BoolType(), "true"),
        (IntType(0, 1), True),
        (IntType(0, 9), "3"),
        (IntType(0, 9), 10),
        (IntType(0, 9), {"#": "3.5"}),
        (IntType(0, 9), 3.0),
        (MONEY, "1.001"),
        (MONEY, "1."),
        (MONEY, ".5"),
        (MONEY, "+1"),
        (MONEY, " 1"),
        (MONEY, "1_0"),
        (MONEY, "1e1"),
        (MONEY, "٣"),
        (MONEY, "--1"),
        (MONEY, "NaN"),
        (MONEY, "-100.01"),
        (MONEY, True),
        (MONEY, 1.5),
        (MONEY, {"#": "1.0", "x": 1}),
        (TextType(3), "four"),
        (TextType(3), "\ud800"),
        (TextType(3), b"abc"),
        (IdType(), ""),
        (IdType(), "a\nb"),
        (IdType(), "a\u200b"),
        (IdType(), "x" * 129),
        (DateType(), "2023-02-29"),
        (DateType(), "2024-2-9"),
        (DateType(), "2024-02-29T00:00:00Z"),
        (DateType(), 3),
        (TimeType(), "2024-02-29"),
        (TimeType(), "2024-02-29T00:00:00"),
        (TimeType(), "2024-02-29T24:00:00Z"),
        (TimeType(), "2024-02-29T23:59:60Z"),
        (TimeType(), TIME_MAX + 1),
        (TimeType(), -TIME_MAX),
        (TimeType(), True),
        (DurationType(), "3 days"),
        (HUE, "pale_green"),
        (HUE, "Red"),
        (HUE, 0),
        (ReferenceType("box"), [1]),
        (ReferenceType("box"), [1, "a", "b"]),
        (ReferenceType("box"), "1"),
        (ReferenceType("shelf"), [[10, "a"], "2024-01-01"]),
        (PAIR, {"a": True, "c": 1}),
        (PAIR, {"b": 1}),
        (PAIR, [True, 1]),
        (PAIR, {"#": "1.5"}),
        (ListType(1, 2, BoolType()), []),
        (ListType(1, 2, BoolType()), [True] * 3),
        (ListType(1, 2, BoolType()), [True, None]),
        (ListType(1, 2, BoolType()), "ab"),
    ],
)
def test_nothing_is_read_loosely(type_: Type, raw: object) -> None:
    with pytest.raises(ValueProblem):
        from_raw(type_, raw, ENTITIES)


def test_a_problem_names_the_place() -> None:
    type_ = ListType(0, 3, PAIR)
    with pytest.raises(ValueProblem) as caught:
        from_raw(type_, [{"a": True}, {"a": True, "b": 9}], ENTITIES)
    assert caught.value.path == "[1].b"


@given(st.integers(-(10**20), 10**20), st.integers(0, 12))
def test_decimal_digits_are_read_as_written(units: int, scale: int) -> None:
    sign, digits = ("-", -units) if units < 0 else ("", units)
    whole, fraction = divmod(digits, 10**scale)
    text = f"{sign}{whole}.{fraction:0{scale}d}" if scale else f"{sign}{whole}"
    assert parse_decimal(text, scale) == units
    assert parse_decimal(text, scale + 3) == units * 1000
