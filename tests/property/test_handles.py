"""Properties of handles: read back by their own session alone, one for each value, and nothing made up is one."""

from dataclasses import replace
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st
from strategies import BOX, SCALARS

from edca.kernel.candidate import Caller
from edca.kernel.machine import Entity, Parameter
from edca.kernel.types import (
    DateType,
    DecimalType,
    EnumType,
    HandleType,
    IdType,
    IntType,
    ListType,
    OptionalType,
    PrincipalType,
    RecordType,
    ReferenceType,
    TimeType,
)
from edca.kernel.values import from_raw
from edca.semantic.handles import PATTERN, Handles, is_handle
from edca.semantic.unpublished import resolved, resolved_key

CALLER = Caller("bot", "assistant", "carla")
HANDLES = Handles(b"s" * 32, tenant="t", machine="m", caller=CALLER)
OTHERS = (
    Handles(b"r" * 32, tenant="t", machine="m", caller=CALLER),
    Handles(b"s" * 32, tenant="u", machine="m", caller=CALLER),
    Handles(b"s" * 32, tenant="t", machine="n", caller=CALLER),
    *(
        Handles(b"s" * 32, tenant="t", machine="m", caller=replace(CALLER, **{who: "other"}))
        for who in ("proposer", "role", "subject")
    ),
)
RAW = st.text(max_size=140).filter(lambda text: text.isprintable()) | st.lists(
    st.text(max_size=40) | st.integers(-(2**63), 2**63) | st.booleans(), max_size=4
)
KINDS = st.sampled_from(["handle", "principal", "reference order", ""])
"""What is bound to a handle beside its value."""


@given(KINDS, RAW)
def test_a_handle_is_read_back_by_its_own_session_alone(kind: str, raw: Any) -> None:
    handle = HANDLES.shown(kind, raw)
    assert is_handle(handle)
    assert HANDLES.meant(kind, handle) == raw
    assert HANDLES.meant(kind, handle, expired=True) is None
    assert [other.meant(kind, handle) for other in OTHERS] == [None] * len(OTHERS)
    assert HANDLES.meant(kind + "x", handle) is None
    assert handle not in {other.shown(kind, raw) for other in OTHERS}


@given(RAW, RAW)
def test_equal_values_have_one_handle_and_others_another(one: Any, other: Any) -> None:
    assume([type(one), one] != [type(other), other])
    assert HANDLES.shown("handle", one) == HANDLES.shown("handle", one)
    assert HANDLES.shown("handle", one) != HANDLES.shown("handle", other)


@given(RAW, st.data())
def test_no_change_of_a_handle_is_a_handle(raw: Any, data: st.DataObject) -> None:
    handle = HANDLES.shown("handle", raw)
    place = data.draw(st.integers(0, len(handle) - 1))
    put = data.draw(st.sampled_from("abz27h_A=\n é"))
    changed = data.draw(
        st.sampled_from([handle[:place], handle[place:], handle[:place] + put + handle[place + 1 :], handle + put])
    )
    assume(changed != handle)
    assert HANDLES.meant("handle", changed) is None


@given(st.text(max_size=80))
@example("h_" + "a" * 52)
@example("h_")
@example("h_" + "a" * 10_000)
def test_whatever_is_made_up_is_no_handle_and_has_a_decoy_of_its_own(text: str) -> None:
    assert HANDLES.meant("handle", text) is None
    decoy = HANDLES.decoy(text)
    assert from_raw(IdType(), decoy, {}) == decoy
    assert decoy == HANDLES.decoy(text) != HANDLES.decoy(text + "x")
    assert decoy not in {other.decoy(text) for other in OTHERS}


def test_a_handle_fits_the_pattern_that_schemas_give() -> None:
    import re  # noqa: PLC0415  as clients read it

    assert all(re.search(PATTERN, HANDLES.shown("handle", "x" * size)) for size in range(129))
    assert not re.search(PATTERN, "t-4711")


def test_the_size_of_a_handle_tells_hardly_anything() -> None:
    assert {len(HANDLES.shown("handle", "x" * size)) for size in range(1, 129)} == {54, 79, 130, 233, 438}


# --- reading arguments back ---


class _Machine:
    """As much of a machine as reading back needs."""

    class index:
        """Its entities."""

        entities = {  # noqa: RUF012  never changed
            "box": BOX,
            "order": Entity("order", (Parameter("order_id", IdType()),), ()),
            "queue": Entity(
                "queue",
                (
                    Parameter("queue_id", HandleType()),
                    Parameter("number", IntType(3, 9)),
                    Parameter("day", DateType()),
                    Parameter("at", TimeType()),
                    Parameter("price", DecimalType(2, 5, 9)),
                    Parameter("hue", EnumType("hue", (("red", "R"),))),
                ),
                (),
            ),
            "line": Entity(
                "line", (Parameter("order", ReferenceType("order")), Parameter("who", PrincipalType("x"))), ()
            ),
            "slot": Entity("slot", (Parameter("day", DateType()),), ()),
        }


MACHINE: Any = _Machine()
ENTITIES = _Machine.index.entities
REFERENCES = st.sampled_from(["order", "queue", "line", "slot"]).map(ReferenceType)
TYPES = st.recursive(
    SCALARS | REFERENCES,
    lambda inner: st.one_of(
        inner.map(OptionalType),
        inner.map(lambda of: ListType(0, 3, of)),
        inner.map(lambda of: RecordType("r", (("a", of), ("b", HandleType())))),
    ),
    max_leaves=3,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(TYPES, JSON)
def test_whatever_is_given_for_an_argument_is_read_back_without_an_error(type_: Any, raw: Any) -> None:
    found = resolved(MACHINE, (Parameter("p", type_),), {"p": raw, "more": raw}, HANDLES)
    assert found.keys() == {"p", "more"}
    assert found["more"] == raw


@given(REFERENCES, st.text(max_size=60))
def test_a_decoy_is_of_its_type_and_is_nothing_that_was_given(type_: ReferenceType, text: str) -> None:
    found = resolved(MACHINE, (Parameter("p", type_),), {"p": text}, HANDLES)["p"]
    if type_.entity == "slot":  # a day can't stand for nothing, so such a reference has no handle
        assert found == text
        assert resolved_key(MACHINE, "slot", text, HANDLES) == []
    else:
        assert from_raw(type_, found, ENTITIES) is not None
        assert text == "" or text not in str(found) or len(text) < 4
        assert resolved_key(MACHINE, type_.entity, text, HANDLES) == found


def test_an_unpublished_key_named_in_clear_names_nothing() -> None:
    clear = ["q-1", 3, "2026-01-01", 0, "0.05", "R"]
    handle = HANDLES.shown("reference queue", clear)
    assert resolved(MACHINE, (Parameter("p", ReferenceType("queue")),), {"p": handle}, HANDLES)["p"] == clear
    found = resolved(MACHINE, (Parameter("p", ReferenceType("queue")),), {"p": clear}, HANDLES)["p"]
    assert isinstance(found, list)
    assert found[0] != "q-1"
    published = resolved(MACHINE, (Parameter("p", ReferenceType("order")),), {"p": ["o1"]}, HANDLES)["p"]
    assert published == ["o1"]


def test_unknown_entities_have_no_handles() -> None:
    assert resolved_key(MACHINE, "parcel", "h_x", HANDLES) == []
