"""Goal: what a roster looks up is what its rows say, and what it remembers of itself is no part of its value."""

import dataclasses

from edca.kernel.roster import Mandate, Principal, Roster

KEY, OTHER = bytes(32), bytes(31) + b"\1"
ROWS = (
    Principal("zoe", ("clerk",)),
    Principal("ann-2", ("clerk",), person="ann", key=KEY, ends=10),
    Principal("ann", ("supervisor",)),
    Principal("ann-3", ("clerk",), person="ann", key=OTHER),
    Principal("bot", ("assistant",), model="m-1"),
)
MANDATES = tuple(
    Mandate(name, principal, role, "orders", transitions, 0, 100)
    for name, principal, role, transitions in (
        ("m3", "zoe", "clerk", ()),
        ("m2", "zoe", "clerk", ("go",)),
        ("m1", "ann", "supervisor", ()),
        ("m0", "bot", "clerk", ()),
    )
)


def test_accounts_persons_and_keys_are_found() -> None:
    roster = Roster(ROWS, ())
    assert [roster.find(row.id) for row in ROWS] == list(ROWS) and roster.find("nobody") is None
    assert [roster.person(name) for name in ("ann", "ann-2", "zoe", "nobody")] == ["ann", "ann", "zoe", "nobody"]
    assert roster.keys("ann") == roster.keys("ann-3") == (KEY, OTHER)
    assert (roster.keys("ann", 10), roster.keys("zoe"), roster.keys("nobody")) == ((OTHER,), (), ())


def test_the_first_mandate_by_id_that_covers_the_transition_counts() -> None:
    roster = Roster(ROWS, MANDATES)
    found = {
        (name, role): roster.mandate_for("orders", (name,), role, 5, {})
        for name in ("go", "stay")
        for role in ("clerk", "supervisor", "assistant")
    }
    assert {at: mandate.id for at, mandate in found.items() if mandate is not None} == {
        ("go", "clerk"): "m2",
        ("stay", "clerk"): "m3",
        ("go", "supervisor"): "m1",
        ("stay", "supervisor"): "m1",
    }
    assert roster.mandate_for("others", ("go",), "clerk", 5, {}) is None


def test_what_is_remembered_is_no_part_of_the_value() -> None:
    one, other = Roster(ROWS, MANDATES), Roster(tuple(reversed(ROWS)), tuple(reversed(MANDATES)))
    assert one.digest == one.digest == other.digest
    assert one == other and hash(one) == hash(Roster(ROWS, MANDATES)) and "_digest" not in repr(one)
    assert Roster.from_raw(one.to_raw()) == one
    fewer = dataclasses.replace(one, principals=ROWS[:1], mandates=())
    assert fewer.find("ann") is None and fewer.digest != one.digest and fewer.digest == Roster(ROWS[:1], ()).digest
