"""Law 7, two engines agree: the compiled kernel and the reference interpreter give one verdict, whatever is asked."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
import worlds
from setups import Setup, leaves, rebound
from spec_writer import chance
from two_engines import Engines, at_the_edge, disturbed, engines_for, engines_of, made_up, written

from edca.kernel import expression as ir
from edca.kernel.machine import ClauseKind, Machine, Transition
from edca.kernel.verdict import Accepted, Escalated, Refused
from edca.reference import evaluate as reference_evaluate
from edca.semantic import typed

REFUND = worlds.ROOT / "specs" / "refund" / "refund.edca"
DISTURBED = 12  # times that each question of a scenario is disturbed
WRITTEN = 25  # specs written by chance


def _questions() -> Iterator[tuple[str, Engines, Setup]]:
    for path in worlds.SPECS:
        engines = engines_of(path)
        for title, setup in worlds.setups(path).items():
            yield f"{path.stem}: {title}", engines, setup


def test_law_7_on_every_decision_of_every_scenario() -> None:
    """As they stand, and disturbed: facts lost, stale or changed, other people, other times, other states."""
    outcomes: Counter[type] = Counter()
    for title, engines, setup in _questions():
        assert engines.differ(setup) is None, title
        random = chance(hash_of(title))
        for _ in range(DISTURBED):
            other = disturbed(setup, random)
            assert engines.differ(other) is None, (title, other)
            outcomes[type(other.decide())] += 1
    assert min(outcomes[Accepted], outcomes[Escalated]) > 30


def test_law_7_on_a_no_to_a_question_however_late_and_whatever_was_shown() -> None:
    """Both count it, whether they would count the yes or not."""
    refused = 0
    for title, engines, setup in _questions():
        for place, one in enumerate(setup.inputs.attestations):
            for age in (0, 8 * 86_400_000_000):
                no = dataclasses.replace(one, value=False, at=setup.inputs.now - age, binds=bytes(32))
                said = (*setup.inputs.attestations[:place], no, *setup.inputs.attestations[place + 1 :])
                other = setup.with_inputs(attestations=said)
                assert engines.differ(other) is None, (title, one.name)
                verdict = other.decide()
                refused += isinstance(verdict, Refused) and verdict.code == one.name
    assert refused > 10


def hash_of(title: str) -> int:
    """A number for a title that is the same in every process."""
    return int.from_bytes(title.encode()[:8], "big")


@pytest.mark.parametrize("seed", range(WRITTEN))
def test_law_7_on_specs_that_nobody_wrote(seed: int) -> None:
    text, engines = written(seed)
    for setup in made_up(engines, chance(seed), 4):
        assert engines.differ(setup) is None, text


PARCELS = """edca 1
machine parcels version "1.0.0" "Parcels that leave." tier consequential
role clerk human
entity box key (box_id: id) { sealed: bool, weight: int(0 to 9) }
effect ship(box: box)
case about box by box_id
state here initial "It is here."
state gone final "It has left." success
state stuck "A person must look."
transition send(box_id: id) from here to gone {
  means "Send it." by clerk answers clerk
  require box.weight >= 0 else refuse weightless "It has no weight."
  do ship(box)
    ensure box.sealed
    undo ship(box)
  on failed go stuck "It did not leave."
  on timeout 30 seconds go stuck "Nobody knows."
}
transition again(box_id: id) from stuck to here {
  means "Begin anew." by clerk answers clerk
  require box.weight >= 0 else refuse weightless "It has no weight."
}
never z_sealed "A sealed box stays." while gone when box.sealed
never b_light "A light box isn't lost." while stuck when box.weight < 5
never a_heavy "A heavy box stays." while gone when box.weight > 3
"""


def test_law_7_on_which_of_several_properties_is_named_first() -> None:
    """Those of the target before those of failure edges, by their codes and not as they stand in the text."""
    engines = engines_for(PARCELS)
    named: Counter[str] = Counter()
    for setup in made_up(engines, chance(7), 200):
        assert engines.differ(setup) is None, setup
        verdict = setup.decide()
        if isinstance(verdict, Refused) and verdict.code == "property_violated":
            named[verdict.detail] += 1
    assert set(named) == {"a_heavy", "b_light", "z_sealed"}


# --- the comparison can fail ---


def _first(expression: ir.Expression, wanted: type, change: Callable[[Any], Any]) -> tuple[ir.Expression, bool]:
    """The expression with the first part of that type changed, and whether there was one."""
    if isinstance(expression, wanted):
        return change(expression), True
    for field in dataclasses.fields(expression):
        value = getattr(expression, field.name)
        if isinstance(value, tuple) and any(dataclasses.is_dataclass(part) for part in value):
            for index, part in enumerate(value):
                inner, done = _first(part, wanted, change)
                if done:
                    changed = (*value[:index], inner, *value[index + 1 :])
                    return dataclasses.replace(expression, **{field.name: changed}), True
        elif dataclasses.is_dataclass(value):
            inner, done = _first(value, wanted, change)  # type: ignore[arg-type]
            if done:
                return dataclasses.replace(expression, **{field.name: inner}), True
    return expression, False


_FLIPS = {
    ir.Comparison.EQUAL: ir.Comparison.UNEQUAL,
    ir.Comparison.UNEQUAL: ir.Comparison.EQUAL,
    ir.Comparison.LESS: ir.Comparison.AT_MOST,
    ir.Comparison.AT_MOST: ir.Comparison.LESS,
    ir.Comparison.GREATER: ir.Comparison.AT_LEAST,
    ir.Comparison.AT_LEAST: ir.Comparison.GREATER,
}
_IN_EXPRESSIONS: dict[str, tuple[type, Callable[[Any], Any]]] = {
    "a comparison flipped": (ir.Compare, lambda e: dataclasses.replace(e, comparison=_FLIPS[e.comparison])),
    "`and` for `or`": (ir.Disjunction, lambda e: ir.Conjunction(e.operands)),
    "`or` for `and`": (ir.Conjunction, lambda e: ir.Disjunction(e.operands)),
    "an operand dropped": (ir.Conjunction, lambda e: e.operands[0]),
    "a `not` lost": (ir.Negation, lambda e: e.operand),
    "plus for minus": (
        ir.Arithmetic,
        lambda e: dataclasses.replace(
            e,
            operation=ir.Operation.ADD if e.operation is ir.Operation.SUBTRACT else ir.Operation.SUBTRACT,
        ),
    ),
    "branches of a choice swapped": (ir.Choice, lambda e: ir.Choice(e.condition, e.otherwise, e.then)),
    "presence taken for granted": (ir.IsPresent, lambda _: ir.Constant(True)),
    "some for every": (
        ir.Reduce,
        lambda e: dataclasses.replace(e, fold=ir.Fold.SOME if e.fold is ir.Fold.EVERY else ir.Fold.EVERY),
    ),
}


def _mutants(transition: Transition) -> Iterator[tuple[str, Transition]]:
    """Yield the transition with one thing wrong, as a bug in lowering could leave it."""
    for place, clause in enumerate(transition.clauses):
        for name, (wanted, change) in _IN_EXPRESSIONS.items():
            condition, done = _first(clause.condition, wanted, change)
            if done and condition != clause.condition:
                yield f"{name} in {clause.code}", _with_clause(transition, place, condition=condition)
        yield f"{clause.code} dropped", dataclasses.replace(transition, clauses=_without(transition.clauses, place))
        if clause.count > 0:
            yield f"{clause.code} asks one fewer", _with_clause(transition, place, count=clause.count - 1)
        if clause.kind is ClauseKind.REQUIRE:
            yield f"{clause.code} forbids", _with_clause(transition, place, kind=ClauseKind.FORBID)


def _with_clause(transition: Transition, place: int, **changes: Any) -> Transition:
    clause = dataclasses.replace(transition.clauses[place], **changes)
    clauses = (*transition.clauses[:place], clause, *transition.clauses[place + 1 :])
    return dataclasses.replace(transition, clauses=clauses)


def _without(items: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    return (*items[:place], *items[place + 1 :])


def _damaged(machine: Machine, transition: Transition) -> Machine:
    """The machine with one transition replaced, passing for the one it was."""
    others = tuple(transition if item.name == transition.name else item for item in machine.transitions)
    damaged = dataclasses.replace(machine, transitions=others)
    object.__setattr__(damaged, "digest", machine.digest)
    return damaged


def test_a_mistake_in_lowering_shows_as_a_difference() -> None:
    """Of the refund machine, every clause damaged in every way that applies; all but equivalent ones are caught."""
    engines = engines_of(REFUND)
    setups = list(worlds.setups(REFUND).values())
    random = chance(7)
    asked = [*setups, *(disturbed(setup, random) for setup in setups for _ in range(10))]
    for setup in [setup for setup in setups if isinstance(setup.decide(), Accepted)]:
        asked += at_the_edge(setup)
        asked += [rebound(setup.with_candidate(confidence=step)) for step in (8_499, 8_500, 8_501)]
    judged = [(setup, engines.judged(setup)) for setup in asked]
    missed: list[str] = []
    tried = 0
    for transition in engines.machine.transitions:
        for name, mutant in _mutants(transition):
            tried += 1
            damaged = Engines(_damaged(engines.machine, mutant), engines.reference)
            if all(damaged.decided(setup) == verdict for setup, verdict in judged):
                missed.append(f"{transition.name}: {name}")
    assert tried > 40
    assert missed == []


_WRONG: dict[str, Callable[..., Any]] = {
    "all_of": lambda truths: reference_evaluate.first_unknown(truths) or all(truths),
    "any_of": lambda truths: reference_evaluate.first_unknown(truths) or any(truths),
    "present": lambda value: value,
    "_compare": lambda comparison, left, right: left == right,
    "_places": lambda type_: 0,
    "_calculate": lambda operation, left, right: left + right,
    "_select": lambda selection, items: items,
}


@pytest.mark.parametrize("name", _WRONG)
def test_a_mistake_in_the_reference_shows_as_a_difference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_evaluate, name, _WRONG[name])
    assert any(_differs(written(seed)[1], chance(seed)) for seed in range(80))


def _differs(engines: Engines, random: Random) -> bool:
    for setup in made_up(engines, random, 4):
        try:
            if engines.differ(setup) is not None:
                return True
        except (TypeError, AttributeError):  # the damaged interpreter computed with what isn't there
            return True
    return False


def test_every_form_of_expression_was_compared() -> None:
    """What chance writes has every part of the typed tree, so that agreement says something about all of them."""
    seen: set[type] = set()
    for seed in range(40):
        for transition in written(seed)[1].reference.spec.transitions:
            read = [clause.condition for clause in transition.clauses] + [value for _, value in transition.lets]
            seen |= {type(part) for expression in read for part in leaves(expression)}
    forms = set(typed.Expression.__args__) - {typed.Earlier}
    assert forms - seen == set()
