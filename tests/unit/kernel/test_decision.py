"""Goal: what a transition's function accepts at once is, to the byte, what looking into every clause would accept."""

import machines
import pytest
from machines import FALSE, PROMISED, TEN, TRUE, UNKNOWN, add, limit, machine, never, transition
from setups import said, shown
from two_ways import carefully, variations

from edca.kernel.expression import (
    Arithmetic,
    Compare,
    Comparison,
    Constant,
    Expression,
    Operation,
    ReadArgument,
    Select,
    Selection,
)
from edca.kernel.machine import ClauseKind, Edge
from edca.kernel.values import Unknown, Value
from edca.kernel.verdict import Accepted

AMOUNT = ReadArgument("amount")
DEPENDS = Compare(Comparison.LESS, AMOUNT, TEN)  # true of the amount that is proposed
UNLIKELY = Compare(Comparison.GREATER, AMOUNT, TEN)


@pytest.mark.parametrize(
    "condition", [TRUE, FALSE, UNKNOWN, DEPENDS, UNLIKELY], ids=lambda condition: type(condition).__name__
)
@pytest.mark.parametrize("kind", ClauseKind)
def test_both_ways_agree_on_every_kind_of_clause(kind: ClauseKind, condition: Expression) -> None:
    made = machines.clause("a", kind, condition) if kind is not ClauseKind.LIMIT else limit("a", TEN, condition)
    setup = machines.setup(machine(transition("go", made)))
    setup = machines.answered(setup, "a", "sam").with_inputs(used={("go", "a", ()): 3})
    for one in (*variations(setup), setup.with_inputs(used={("go", "a", ()): 10})):
        assert one.bytes() == carefully(one).bytes()


@pytest.mark.parametrize("others", [(), (machines.fact("owner"),)], ids=["anybody", "not the owner"])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("owner", ["carla", "sam", Unknown.MISSING])
def test_both_ways_agree_on_who_has_confirmed(count: int, others: tuple[Expression, ...], owner: str | Unknown) -> None:
    asked = machines.clause("a", ClauseKind.CONFIRM, count=count, distinct_from=others, role="supervisor")
    setup = machines.setup(machine(transition("go", asked)), owner=owner)
    for people in (("sam",), ("sam", "sue"), ("sam", "cleo")):
        attestations = tuple(said("a", True, person, "supervisor") for person in people)
        one = setup.with_inputs(attestations=attestations)
        assert one.bytes() == carefully(one).bytes()
        enough = len(set(people) - {"cleo"} - ({owner} if others else set())) >= count
        assert (one.decide().code == "accepted") is (enough and not (others and isinstance(owner, Unknown)))
        for binds in (None, shown(one)):
            no = said("a", False, "sia", "supervisor", binds=binds)
            declined = setup.with_inputs(attestations=(*attestations, no))
            assert declined.bytes() == carefully(declined).bytes()
            assert declined.decide().code == "a"  # one who says no is enough


def test_an_answer_to_the_preview_counts_beside_one_that_came_with_the_candidate() -> None:
    asked = machines.clause("a", ClauseKind.CONFIRM, role="supervisor")
    setup = machines.setup(machine(transition("go", asked)))
    both = (said("a", True, "sam", "supervisor"), said("a", True, "sue", "supervisor", binds=shown(setup)))
    one = setup.with_inputs(attestations=both)
    assert one.bytes() == carefully(one).bytes()
    verdict = one.decide()
    assert isinstance(verdict, Accepted) and verdict.clauses[0].answered_by == ("sam", "sue")


@pytest.mark.parametrize(
    ("selection", "taken"), [(Selection.FIRST, "sam"), (Selection.LAST, "sue"), (Selection.DISTINCT, ("sam", "sue"))]
)
def test_both_ways_take_the_same_from_a_list(selection: Selection, taken: Value) -> None:
    found = Select(selection, machines.fact("watchers"))
    asked = machines.clause("a", ClauseKind.REQUIRE, Compare(Comparison.EQUAL, found, Constant(taken)))
    for watchers in (("sam", "sue"), ("sue", "sam"), ("sam", "sam", "sue"), ()):
        one = machines.setup(machine(transition("go", asked)), watchers=watchers)
        assert one.bytes() == carefully(one).bytes()
        assert (one.decide().code == "accepted") is (watchers[:1] == ("sam",) and watchers[-1:] == ("sue",))


@pytest.mark.parametrize("value", [0, 93, 94])
def test_what_would_be_remembered_is_what_properties_are_tested_on(value: int) -> None:
    sum_ = Arithmetic(Operation.ADD, AMOUNT, Constant(value))  # 7 and the value: at most 100 fit
    over = Compare(Comparison.GREATER, PROMISED, Constant(99))
    tested = machine(
        transition(
            "go",
            machines.clause("a", ClauseKind.FORBID, over),  # now, which is not what the acceptance would leave
            assignments=(add("promised", sum_),),
            target="held",
        ),
        properties=(never("n", over, "held"),),
    )
    setup = machines.setup(tested)
    verdict = setup.decide()
    assert verdict.code == {0: "accepted", 93: "property_violated", 94: "out_of_range"}[value]
    assert setup.bytes() == carefully(setup).bytes()


def test_what_an_edge_would_leave_is_what_it_was() -> None:
    # The acceptance would remember 100, its failure 0: the property forbids neither where it stands.
    over = Compare(Comparison.GREATER, PROMISED, Constant(99))
    moved = transition(
        "go",
        machines.clause("a"),
        assignments=(add("promised", Constant(100)),),
        acts=(machines.act(),),
        on_failed=Edge("held", "It failed."),
    )
    setup = machines.setup(machine(moved, properties=(never("n", over, "held"),)))
    assert setup.decide().code == "accepted"
    assert setup.bytes() == carefully(setup).bytes()


def test_no_name_of_the_spec_becomes_code() -> None:
    hostile = "a'); raise SystemExit('"
    made = machine(transition("go", machines.clause(hostile), limit(hostile + "b")))
    setup = machines.setup(made).with_inputs(used={("go", hostile + "b", ()): 0})
    verdict = setup.decide()
    assert isinstance(verdict, Accepted) and [clause.code for clause in verdict.clauses] == [hostile, hostile + "b"]


@pytest.mark.parametrize(("value", "code"), [(93, "accepted"), (94, "out_of_range"), (-8, "out_of_range")])
def test_what_does_not_fit_its_type_is_never_accepted(value: int, code: str) -> None:
    sum_ = Arithmetic(Operation.ADD, AMOUNT, Constant(value))
    kept = transition("go", machines.clause("a"), assignments=(add("promised", sum_),))
    handed = transition("go", machines.clause("a"), acts=(machines.act(sum_),), on_failed=Edge("stuck", "It failed."))
    for one in (machines.setup(machine(kept)), machines.setup(machine(handed))):
        assert one.decide().code == code
        assert one.bytes() == carefully(one).bytes()
