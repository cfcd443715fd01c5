"""Goal: defines, lets and tables mean the same as what they stand for, whatever their variables are called."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import pytest
import worlds
from worlds import Setup

from edca.diagnostics import Source
from edca.kernel.inputs import Inputs
from edca.kernel.roster import Principal, Roster
from edca.kernel.values import Unknown, Value
from edca.kernel.verdict import Result
from edca.semantic.compile import compile_spec

if TYPE_CHECKING:
    from edca.kernel.machine import Machine

SPEC = """edca 1 machine m version "1"
role person human
enum hue { red | green | blue }
type grade = decimal(2, 0.00 to 10.00)
entity thing key (thing_id: id) {
  a: bool, b: bool, n: int(0 to 100), g: grade, hue: hue, xs: list(9) of int(0 to 9), ys: list(9) of int(0 to 9),
  d: date
}
case about thing by thing_id
state open initial "Open." state closed final "Closed." success
"""
FACTS: dict[str, Value | Unknown] = {
    "a": True, "b": False, "n": 5, "g": 250, "hue": "green", "xs": (1, 2, 3), "ys": (3, 4), "d": 0,
}  # fmt: skip


def _result(declarations: str, condition: str, **facts: Value | Unknown) -> Result:
    machine = worlds.machine_of(f"""{SPEC} {declarations} transition go(thing_id: id) from open to closed {{
        means "Go." by person answers person require {condition} else refuse r "R." }}""")
    known: dict[str, Any] = FACTS | facts
    thing = worlds.instance("thing", "t", **known)
    inputs = Inputs(
        worlds.NOW, "test", {("thing", ("t",)): thing}, (), Roster((Principal("pat", ("person",)),), ()), None
    )
    case = worlds.case_of(machine, "thing", ("t",), "open")
    setup = Setup(machine, case, worlds.proposal("go", "pat", "person", None, thing_id="t"), inputs)
    return setup.decide().clauses[0].result


def _holds(declarations: str, condition: str, **facts: Value | Unknown) -> bool:
    result = _result(declarations, condition, **facts)
    assert result is not Result.UNKNOWN
    return result is Result.PASSED


# --- hygiene ---


def test_a_parameter_is_not_captured_by_the_bodys_variable() -> None:
    """`x` outside is the quantifier's, `x` inside the define is its own: a naive substitution would mix them up."""
    declarations = "define has(y: int(0 to 9)) = some x in thing.xs satisfies x == y"
    assert not _holds(declarations, "every x in thing.ys satisfies has(x)")
    assert _holds(declarations, "every x in thing.ys satisfies has(x)", ys=(3, 1))
    assert _holds(declarations, "some x in thing.ys satisfies has(x)")


def test_arguments_are_evaluated_outside_the_define() -> None:
    declarations = "define minus(a_part: int(0 to 9), b_part: int(0 to 9)) = a_part - b_part"
    assert _holds(declarations, "every x in thing.xs satisfies minus(x, x) == 0")
    assert _holds(declarations, "every p in thing.xs satisfies every q in thing.ys satisfies minus(q, p) == q - p")
    # Each argument has a fold of its own, numbered like the other's.
    assert _holds(declarations, "minus(min(x for x in thing.ys), min(x for x in thing.xs)) == 2", xs=(1, 2, 7))


def test_a_define_swaps_its_parameters() -> None:
    declarations = """define sub(p: int(0 to 9), q: int(0 to 9)) = p - q
                      define bus(p: int(0 to 9), q: int(0 to 9)) = sub(q, p)"""
    assert _holds(declarations, "every x in thing.xs satisfies every y in thing.ys satisfies bus(x, y) == y - x")


def test_a_define_inside_a_fold_inside_a_define() -> None:
    declarations = """define near(p: int(0 to 9), q: int(0 to 9)) = some x in [p] satisfies x + 1 == q
                      define chained(first_one: int(0 to 9)) = some x in thing.xs satisfies near(first_one, x)"""
    assert _holds(declarations, "chained(2)")
    assert not _holds(declarations, "chained(3)")
    assert _holds(declarations, "every x in thing.ys satisfies not chained(x)")


def test_a_define_leaves_the_variables_around_it_as_they_were() -> None:
    declarations = "define has(y: int(0 to 9)) = some x in thing.xs satisfies x == y"
    assert _holds(declarations, "every x in thing.ys satisfies has(max(0, x - 2)) and x >= 3")
    assert _holds(declarations, "every x in thing.ys satisfies not has(x) or x == 3", ys=(3, 4))
    nested = (
        "every p in thing.xs satisfies every q in thing.ys satisfies has(max(1, min(3, q - p))) and p < 4 and q > 2"
    )
    assert _holds(declarations, nested)


def test_names_of_variables_decide_nothing_and_are_signed_all_the_same() -> None:
    def machine(rule: str, name: str) -> Machine:
        return worlds.machine_of(f"""{SPEC}
            define {rule}(p_{name}: int(0 to 9)) = some {name} in thing.xs satisfies {name} == p_{name}
            transition go(thing_id: id) from open to closed {{ means "Go." by person answers person
            require every {name} in thing.ys satisfies {rule}({name}) else refuse r "R." }}""")

    first, *others = (machine("has", "x"), machine("has", "other"), machine("lacks", "x"))
    for other in others:
        assert dataclasses.replace(other, wording=first.wording) == first
        assert other.digest != first.digest


def test_a_let_is_what_it_names() -> None:
    machine = worlds.machine_of(f"""{SPEC} transition go(thing_id: id) from open to closed {{
        means "Go." by person answers person
        let total = sum(x for x in thing.xs) let twice = total * 2
        require twice == 12 and every x in thing.xs satisfies x <= total else refuse r "R." }}""")
    assert [let.name for let in machine.index.transitions["go"].lets] == ["total", "twice"]


# --- tables ---

LIMIT = """table bound(h: hue, a: bool) gives grade {
  | red,   any   => 1.00
  | green, true  => 2.50
  | green, false => thing.g
  | blue,  any   => 10.00
}"""


@pytest.mark.parametrize(("h", "a"), list(itertools.product(["red", "green", "blue"], [True, False])))
def test_a_table_gives_what_its_row_says(h: str, a: bool) -> None:
    expected = {"red": "1.00", "blue": "10.00", "green": "2.50"}[h]
    assert _holds(LIMIT, f"bound(thing.hue, thing.a) == {expected}", hue=h, a=a)


@pytest.mark.parametrize("unknown", ["hue", "a", "g"])
def test_a_table_is_unknown_where_what_decides_it_is(unknown: str) -> None:
    facts: dict[str, Value | Unknown] = {"hue": "green", "a": False, unknown: Unknown.DRIFT}
    assert _result(LIMIT, "bound(thing.hue, thing.a) >= 0", **facts) is Result.UNKNOWN


RANGES = """table step(n: int(0 to 100), g: grade) gives int(0 to 9) {
  | 0 to 9,    any          => 1
  | 10,        0 to 2.49    => 2
  | 10,        2.50 to 10   => 3
  | 11 to 100, any          => 4
}"""


@pytest.mark.parametrize(
    ("n", "g", "step"), [(0, 0, 1), (9, 999, 1), (10, 0, 2), (10, 249, 2), (10, 250, 3), (10, 1_000, 3), (11, 0, 4)]
)
def test_ranges_include_both_ends(n: int, g: int, step: int) -> None:
    assert _holds(RANGES, f"step(thing.n, thing.g) == {step}", n=n, g=g)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("| 0 to 49 => true | 50 to 100 => false", None),
        ("| 0 to 49 => true | 51 to 100 => false", "T018"),
        ("| 0 to 50 => true | 50 to 100 => false", "T019"),
        ("| 1 to 100 => true", "T018"),
        ("| 0 to 99 => true", "T018"),
        ("| any => true | 5 => false", "T019"),
        ("| 0 to 100 => true", None),
        ("| -5 to 200 => true", None),
        ("| 100 to 0 => true", "T018"),
        ("| 0 to 49 => true | 50 to 100 => false | 30 to 20 => true", None),
    ],
)
def test_gaps_and_overlaps_are_found(rows: str, code: str | None) -> None:
    found = compile_spec(Source("table", f"{SPEC} table t(n: int(0 to 100)) gives bool {{ {rows} }}"))
    assert [d.code.id for d in found.diagnostics if d.code.id[0] == "T"] == ([] if code is None else [code])


@pytest.mark.parametrize("argument", ["thing.n", "thing.n * 2", "0 - thing.n", "sum(x for x in thing.xs)"])
def test_a_value_outside_a_columns_range_picks_no_row(argument: str) -> None:
    """The rows are proved complete for the column's range only."""
    text = f"""{SPEC} table t(n: int(0 to 10)) gives bool {{ | 0 to 5 => false | 6 to 10 => true }}
        transition go(thing_id: id) from open to closed {{ means "Go." by person answers person
        require t({argument}) else refuse r "R." }}"""
    found = compile_spec(Source("table", text))
    assert "T010" in {d.code.id for d in found.diagnostics}


def test_a_value_bounded_by_min_and_max_fits_a_column() -> None:
    table = "table t(n: int(0 to 10)) gives bool { | 0 to 5 => false | 6 to 10 => true }"
    assert _holds(table, "t(max(0, min(10, thing.n * 2)))")
