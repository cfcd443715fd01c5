"""Goal: a value made in a hurry is the value that its class makes, and as frozen."""

import copy
import dataclasses
import pickle
from dataclasses import dataclass, field

import pytest

from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.quick import maker
from edca.kernel.verdict import Accepted, Anchor, ClauseResult, Move, Result

ANCHOR = Anchor("sven", "supervisor", "m1")
ACCEPTED = {
    "transition": "approve",
    "source": "a",
    "target": "b",
    "memory": {},
    "intents": (),
    "anchor": ANCHOR,
    "clauses": (),
}


def test_it_is_equal_and_of_the_same_class() -> None:
    made = maker(Accepted)(**ACCEPTED)  # type: ignore[arg-type]
    assert made == Accepted(**ACCEPTED)  # type: ignore[arg-type]
    assert type(made) is Accepted and made.code == "accepted" and repr(made) == repr(Accepted(**ACCEPTED))  # type: ignore[arg-type]
    match made:
        case Accepted(target=target, moves=moves):
            assert (target, moves) == ("b", ())
    move = maker(Move)("pace", ("bot",), 1, 2, 3)
    assert move == Move("pace", ("bot",), 1, 2, 3) and hash(move) == hash(Move("pace", ("bot",), 1, 2, 3))


def test_it_is_frozen_and_can_be_copied() -> None:
    made = maker(ClauseResult)("a", ClauseKind.REQUIRE, OnFail.REFUSE, None, False, Result.PASSED)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.code = "b"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del made.code  # type: ignore[misc]
    assert not hasattr(made, "__dict__")
    assert made == copy.deepcopy(made) == pickle.loads(pickle.dumps(made))  # noqa: S301  our own bytes
    assert dataclasses.replace(made, code="b").code == "b"


def test_arguments_are_demanded_as_the_class_demands_them() -> None:
    with pytest.raises(TypeError):
        maker(Move)("pace", ("bot",), 1, 2)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        maker(Move)("pace", ("bot",), 1, 2, 3, 4)  # type: ignore[call-arg]


def test_a_field_that_nobody_gives_begins_as_declared() -> None:
    @dataclass(frozen=True, slots=True)
    class Kept:
        a: int
        later: int | None = field(default=None, init=False, compare=False)

    made = maker(Kept)(1)
    assert (made, made.later) == (Kept(1), None)
    with pytest.raises(TypeError):
        maker(Kept)(1, 2)  # type: ignore[call-arg]


def test_a_class_that_does_more_than_keep_its_fields_has_none() -> None:
    @dataclass(frozen=True, slots=True)
    class Checked:
        a: int

        def __post_init__(self) -> None:
            """Do something."""

    @dataclass(frozen=True, slots=True)
    class Derived:
        a: int = field(init=False)

    @dataclass(frozen=True, slots=True)
    class Fresh:
        a: list[int] = field(default_factory=list)

    for cls in (Checked, Derived, Fresh):
        with pytest.raises(TypeError):
            maker(cls)
