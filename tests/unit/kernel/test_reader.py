"""Goal: arguments read in one pass are those read with care, and whatever isn't plain is left to the careful way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edca.kernel.machine import Parameter
from edca.kernel.reader import LOOPS_MAX, reader
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    EnumType,
    IdType,
    IntType,
    ListType,
    OptionalType,
    PrincipalType,
    RecordType,
    TextType,
    TimeType,
    Type,
)
from edca.kernel.values import ValueProblem, from_raw

MONEY = DecimalType(2, -500, 10_000)
PICK = RecordType("pick", (("sku", IdType()), ("count", IntType(1, 20))))


def read(type_: Type, raw: object) -> object:
    """What the reader makes of one argument, in a list so that null stands apart from an absent value."""
    found = reader((Parameter("a", type_),), {})({"a": raw})  # type: ignore[dict-item]
    return None if found is None else [found["a"]]


@pytest.mark.parametrize(
    ("type_", "raw", "value"),
    [
        (BoolType(), True, True),
        (IntType(-3, 3), -3, -3),
        (MONEY, "20.00", 2_000),
        (MONEY, "0.05", 5),
        (DecimalType(0, 0, 9), "7", 7),
        (TextType(3), "abc", "abc"),
        (IdType(), "o1", "o1"),
        (PrincipalType("customer"), "carla", "carla"),
        (EnumType("why", (("other", "some other reason"), ("late", "late"))), "some other reason", "other"),
        (DateType(), "1970-01-02", 1),
        (TimeType(), "1970-01-01T00:00:01Z", 1_000_000),
        (PICK, {"sku": "a1", "count": 2}, ("a1", 2)),
        (ListType(1, 2, PICK), [{"count": 1, "sku": "a"}, {"sku": "b", "count": 2}], (("a", 1), ("b", 2))),
        (OptionalType(IntType(0, 1)), None, None),
        (ListType(0, 2, ListType(0, 2, MONEY)), [["1.00"], []], ((100,), ())),
    ],
)
def test_the_plainest_form_is_read(type_: Type, raw: object, value: object) -> None:
    assert read(type_, raw) == [value]


@pytest.mark.parametrize(
    ("type_", "raw"),
    [
        (BoolType(), 1),
        (IntType(0, 3), True),
        (IntType(0, 3), 4),
        (IntType(0, 3), {"#": "1.0"}),
        (IntType(0, 3), "1"),
        (MONEY, "20.0"),
        (MONEY, "20.000"),
        (MONEY, "-1.00"),
        (MONEY, ".05"),
        (MONEY, "5."),
        (MONEY, "1.\u0660\u0660"),
        (MONEY, "100.01"),
        (MONEY, "0" * 38 + ".00"),
        (MONEY, 20),
        (DecimalType(0, 0, 9), "7."),
        (TextType(3), "abcd"),
        (TextType(3), "\ud800"),
        (IdType(), ""),
        (IdType(), "a\nb"),
        (IdType(), "a" * 129),
        (IdType(), None),
        (EnumType("why", (("a", "b"),)), "a"),
        (EnumType("why", (("a", "b"),)), ["b"]),
        (DateType(), "tomorrow"),
        (PICK, {"sku": "a1"}),
        (PICK, {"sku": "a1", "count": 2, "more": 1}),
        (PICK, {"sku": "a1", "number": 2}),
        (PICK, ["a1", 2]),
        (ListType(1, 2, IntType(0, 1)), []),
        (ListType(1, 2, IntType(0, 1)), [0, 0, 0]),
        (ListType(1, 2, IntType(0, 1)), (0,)),
        (ListType(1, 2, IntType(0, 1)), [0, 2]),
    ],
)
def test_any_other_form_is_left_to_the_careful_way(type_: Type, raw: object) -> None:
    assert read(type_, raw) is None


def test_missing_surplus_and_misnamed_arguments_are_too() -> None:
    run = reader((Parameter("a", IntType(0, 1)), Parameter("b", IntType(0, 1))), {})
    assert run({"b": 1, "a": 0}) == {"a": 0, "b": 1}
    assert [run(raw) for raw in ({"a": 0}, {"a": 0, "b": 1, "c": 1}, {"a": 0, "c": 1}, {})] == [None] * 4


def test_lists_in_lists_however_deep_are_read() -> None:
    type_, raw, value = IntType(0, 1), 1, 1
    nested: tuple[Type, object, object] = (type_, raw, value)
    for _ in range(3 * LOOPS_MAX):
        nested = (ListType(0, 1, nested[0]), [nested[1]], (nested[2],))
    assert read(nested[0], nested[1]) == [nested[2]]


RAW = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 25)
    | st.sampled_from(["a1", "1.00", "0.5", "-1.00", "99.99", "2024-05-20", "late", "other", "", "\ud800", "é"])
    | st.just({"#": "1.0"}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["sku", "count", "x"]), inner, max_size=3)
        | st.fixed_dictionaries({"sku": inner, "count": inner})
    ),
    max_leaves=6,
)
TYPES = st.recursive(
    st.sampled_from(
        [BoolType(), IntType(0, 20), MONEY, DecimalType(0, 0, 9), TextType(4), IdType(), DateType(), TimeType()]
    )
    | st.just(EnumType("why", (("late", "other"), ("other", "late"), ("again", "late")))),
    lambda inner: (
        inner.map(OptionalType)
        | inner.map(lambda of: ListType(0, 2, of))
        | st.tuples(inner, inner).map(lambda two: RecordType("pick", (("sku", two[0]), ("count", two[1]))))
    ),
    max_leaves=4,
)


@settings(max_examples=400, deadline=None)
@given(TYPES, RAW)
def test_both_ways_agree(type_: Type, raw: object) -> None:
    found = read(type_, raw)
    try:
        careful: object = [from_raw(type_, raw, {})]
    except ValueProblem:
        careful = None
    assert found in (None, careful)
    assert found is None or repr(found) == repr(careful)  # 1 and true are equal, and not the same value
