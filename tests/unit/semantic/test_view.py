"""Goal: a model sees the state, its meaning, what is legal and what is public, in one form; and nothing else."""

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import worlds
from worlds import ORDER, Setup

from edca.kernel.candidate import Caller
from edca.kernel.canonical import encode
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
from edca.semantic.schema import type_schema
from edca.semantic.view import View, creation_view, view

GOLDEN = Path(__file__).resolve().parent / "golden"
ASSISTANT = Caller("bot", "assistant", "carla", worlds.MODEL)
SUPERVISOR = Caller("sven", "supervisor", "carla")


def _seen(setup: Setup, caller: Caller = ASSISTANT) -> View:
    return view(setup.machine, setup.case, setup.inputs.facts, caller, setup.inputs.now)


def _nothing() -> View:
    return view(worlds.spec("refund"), None, {}, ASSISTANT, worlds.NOW)


VIEWS: dict[str, Callable[[], View]] = {
    "requested, as the assistant": lambda: _seen(worlds.approval()),
    "requested, as the supervisor": lambda: _seen(worlds.approval(), SUPERVISOR),
    "approved, as the supervisor": lambda: _seen(worlds.payment(), SUPERVISOR),
    "nothing": _nothing,
    "to book": lambda: creation_view(worlds.spec("airline"), Caller("bot", "agent", "carla", worlds.MODEL)),
    "to create in the refund machine": lambda: creation_view(worlds.spec("refund"), ASSISTANT),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_is_as_written_down(name: str) -> None:
    path = GOLDEN / f"{name.replace(', ', '_').replace(' ', '_')}.json"
    rendered = json.dumps(VIEWS[name]().to_raw(), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("EDCA_UPDATE_GOLDEN"):
        path.write_text(rendered, "utf-8")
    assert rendered == path.read_text("utf-8")


def test_what_is_not_yours_and_what_is_not_there_look_alike() -> None:
    nothing = encode(_nothing().to_raw())
    setup = worlds.approval()
    assert encode(_seen(setup, dataclasses.replace(ASSISTANT, subject="mallory")).to_raw()) == nothing
    assert encode(_seen(setup, dataclasses.replace(ASSISTANT, subject=None)).to_raw()) == nothing
    assert encode(_seen(setup.without(ORDER)).to_raw()) == nothing
    assert encode(_seen(setup.with_fact(ORDER, "frozen", True)).to_raw()) == nothing
    assert encode(_seen(dataclasses.replace(setup, case=None)).to_raw()) == nothing


def test_while_an_effect_is_pending_nothing_is_offered() -> None:
    assert _seen(worlds.payment().with_case(pending=b"x" * 32), SUPERVISOR).offers == ()


def test_only_what_the_role_may_propose_is_offered() -> None:
    assert [offer.name for offer in _seen(worlds.approval()).offers] == ["approve_refund"]
    assert [offer.name for offer in _seen(worlds.approval(), SUPERVISOR).offers] == ["approve_refund", "decline"]
    assert _seen(worlds.payment()).offers == ()


def test_a_view_can_change_nothing() -> None:
    setup = worlds.approval()
    before = setup.bytes()
    seen = _seen(setup)
    seen.memory["promised"] = "9.00"
    seen.facts["order.total"] = "0.00"
    assert setup.bytes() == before
    assert _seen(setup) != seen


@pytest.mark.parametrize(
    "type_text",
    [
        "principal person",
        "principal person optional",
        "thing",
        "thing optional",
        "list(3) of principal person",
        "contact",
    ],
)
def test_who_somebody_is_is_never_seen(type_text: str) -> None:
    machine = worlds.machine_of(f"""edca 1 machine m version "1"
        role bot model
        role person human
        record contact {{ who: principal person, since: bool }}
        entity thing key (thing_id: id) {{ whole: bool, related: {type_text} }}
        case about thing by thing_id
        state open initial "Open." state closed final "Closed." success
        transition go(thing_id: id, other: {type_text}) from open to closed {{
          means "Go." by bot answers person
          require {_reading(type_text)} else refuse r "R." }}""")
    value = {"contact": ("carla", True), "thing": ("carla",), "list": ("carla",)}.get(
        type_text.split("(", maxsplit=1)[0].split(" ", maxsplit=1)[0], "carla"
    )
    thing = worlds.instance("thing", "t", whole=True, related=value)
    case = worlds.case_of(machine, "thing", ("t",), "open")
    seen = view(machine, case, {("thing", ("t",)): thing}, Caller("b", "bot", None, worlds.MODEL), worlds.NOW)
    assert seen.state == "open"
    assert b"carla" not in encode(seen.to_raw())


def _reading(type_text: str) -> str:
    """A condition that reads the field, so that a view might show it."""
    if type_text.startswith("list"):
        return "count(thing.related) > 0"
    if type_text.endswith("optional"):
        return "thing.related is present"
    return {"contact": "thing.related.since", "thing": "thing.related.whole"}.get(type_text, "thing.related == other")


@pytest.mark.parametrize(
    ("type_", "schema"),
    [
        (BoolType(), {"type": "boolean"}),
        (IntType(1, 3), {"type": "integer", "minimum": 1, "maximum": 3}),
        (
            DecimalType(2, 0, 150),
            {"type": "string", "pattern": "^[0-9]{1,1}(\\.[0-9]{1,2})?$", "description": "from 0.00 to 1.50"},
        ),
        (TextType(9), {"type": "string", "maxLength": 9}),
        (IdType(), {"type": "string", "minLength": 1, "maxLength": 128}),
        (PrincipalType("x"), {"type": "string", "minLength": 1, "maxLength": 128}),
        (DateType(), {"type": "string", "format": "date"}),
        (TimeType(), {"type": "string", "format": "date-time"}),
        (DurationType(), {"type": "integer", "description": "microseconds"}),
        (EnumType("e", (("a", "A"), ("b", "b"))), {"type": "string", "enum": ["A", "b"]}),
        (
            ReferenceType("line"),
            {
                "type": "array",
                "prefixItems": [{"type": "string", "minLength": 1, "maxLength": 128}] * 2,
                "minItems": 2,
                "maxItems": 2,
            },
        ),
        (
            RecordType("r", (("a", BoolType()), ("b", OptionalType(BoolType())))),
            {
                "type": "object",
                "properties": {"a": {"type": "boolean"}, "b": {"anyOf": [{"type": "boolean"}, {"type": "null"}]}},
                "required": ["a", "b"],
                "additionalProperties": False,
            },
        ),
        (
            ListType(1, 2, BoolType()),
            {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2},
        ),
    ],
)
def test_a_type_is_told_as_json_schema(type_: Type, schema: object) -> None:
    assert type_schema(worlds.spec("refund"), type_) == schema
