"""Laws 2, 5 and 7 of queries: two engines agree, what is unknown is refused, only what is returned gets out."""

from __future__ import annotations

import dataclasses
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import pytest
import random_decisions
import worlds
from spec_writer import chance, generated
from two_engines import Asked, Engines, disturbed_inquiry, engines_for, engines_of

from edca.kernel.inquiry import Inquiry, Returned
from edca.kernel.look_up import answer_inquiry, inquiry_wants
from edca.kernel.machine import ClauseKind
from edca.kernel.values import Unknown, ValueProblem, from_raw
from edca.kernel.verdict import Refused, Result
from edca.reference.judge import essence
from edca.reference.queries import answer
from edca.semantic.explain_query import query_for_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.inputs import Inputs

SPECS = range(60)
ASKED = 12  # times that each query is asked


@cache
def _engines(seed: int) -> Engines:
    return engines_for(generated(seed).written.text)


def _asked(engines: Engines, seed: int) -> Iterator[tuple[Inquiry, Inputs]]:
    random = chance(seed)
    for query in engines.machine.queries:
        for _ in range(ASKED):
            yield random_decisions.inquiry(random, engines.machine, query)


def _all() -> Iterator[tuple[Engines, Inquiry, Inputs]]:
    for seed in SPECS:
        engines = _engines(seed)
        for inquiry, inputs in _asked(engines, seed):
            yield engines, inquiry, inputs


def test_law_7_on_queries_that_nobody_wrote() -> None:
    outcomes: Counter[str] = Counter()
    for engines, inquiry, inputs in _all():
        verdict = answer_inquiry(engines.machine, inquiry, inputs)
        assert essence(verdict) == essence(answer(engines.reference, inquiry, inputs)), (inquiry, inputs)
        outcomes[verdict.code] += 1
        other = disturbed_inquiry(engines.machine, Asked(inquiry, inputs), chance(outcomes.total()))
        compiled, reference = engines.answers(other)
        assert compiled == reference, other
    assert outcomes["returned"] > 30
    assert len(outcomes) > 8


def test_law_7_on_what_the_scenarios_look_up() -> None:
    """As it is asked, and with a few things disturbed: more of it is answered than of what is made up."""
    outcomes: Counter[str] = Counter()
    for path in worlds.SPECS:
        engines = engines_of(path)
        for inquiry, inputs in worlds.looks(path):
            asked = Asked(inquiry, inputs)
            for other in (asked, *(disturbed_inquiry(engines.machine, asked, chance(seed)) for seed in range(20))):
                compiled, reference = engines.answers(other)
                assert compiled == reference, other
                outcomes[str(compiled["code"])] += 1  # type: ignore[index]  # a verdict
    assert outcomes["returned"] > 50
    assert len(outcomes) > 8


def test_law_2_what_is_unknown_is_refused() -> None:
    """With no fact known at all, nothing is returned by a query that reads any; and each clause says so by itself."""
    tried = 0
    for engines, inquiry, inputs in _all():
        machine = engines.machine
        unknown = {
            handle: dataclasses.replace(item, fields=dict.fromkeys(item.fields, Unknown.MISSING))
            for handle, item in inputs.facts.items()
        }
        verdict = answer_inquiry(machine, inquiry, dataclasses.replace(inputs, facts=unknown))
        for result in verdict.clauses:
            passed = result.result is Result.PASSED
            assert passed or isinstance(verdict, Refused)
        query = machine.index.queries.get(inquiry.query)
        if isinstance(verdict, Returned) and query is not None:
            assert all(value is not None for value in verdict.values.values())
        gone = answer_inquiry(machine, inquiry, dataclasses.replace(inputs, facts={}))
        assert isinstance(gone, Refused)  # each is about an instance, which isn't there
        tried += 1
    assert tried > 200


def test_law_5_only_what_is_returned_gets_out() -> None:
    """The answer has the declared names and no others, and a model sees those values, or public codes."""
    for engines, inquiry, inputs in _all():
        machine = engines.machine
        verdict = answer_inquiry(machine, inquiry, inputs)
        told = query_for_model(machine, inquiry, verdict).to_raw()
        if isinstance(verdict, Returned):
            query = machine.index.queries[verdict.query]
            assert list(verdict.values) == [one.name for one in query.returns]
            assert set(told) == {"outcome", "values"}
            for one in query.returns:
                _has_type(one, verdict, machine)
        else:
            assert set(told) == {"outcome", "codes", "texts"}
            public = {c.code for q in machine.queries for c in q.clauses if not c.withheld}
            public |= {"not_possible", "no_such_query", "bad_argument", "malformed"}
            assert set(told["codes"]) <= public  # type: ignore[arg-type]  # a list of texts


def _has_type(one: object, verdict: Returned, machine: object) -> None:
    try:
        from_raw(one.type, verdict.values[one.name], machine.index.entities)  # type: ignore[attr-defined]
    except ValueProblem as problem:
        raise AssertionError(f"{one.name}: {problem.problem}") from None  # type: ignore[attr-defined]


def test_what_is_wanted_is_all_that_is_read() -> None:
    """Answered on what was wanted alone, round by round, it is the same as on everything there is."""
    rounds: Counter[int] = Counter()
    for engines, inquiry, inputs in _all():
        machine, known, count = engines.machine, dict[object, object](), 0
        while True:
            given = dataclasses.replace(inputs, facts=known)
            wants = inquiry_wants(machine, inquiry, given)
            found = {handle: inputs.facts[handle] for handle, _ in wants if handle in inputs.facts}
            if not found:
                break
            known |= found
            count += 1
        assert essence(answer_inquiry(machine, inquiry, dataclasses.replace(inputs, facts=known))) == essence(
            answer_inquiry(machine, inquiry, inputs)
        )
        rounds[count] += 1
    assert max(rounds) >= 2


def test_nothing_is_read_for_the_answer_before_the_clauses_have_passed() -> None:
    """Where a clause fails on what is known, nothing more is wanted than clauses read."""
    for engines, inquiry, inputs in _all():
        verdict = answer_inquiry(engines.machine, inquiry, inputs)
        if verdict.clauses and any(result.result is not Result.PASSED for result in verdict.clauses):
            wants = inquiry_wants(engines.machine, inquiry, inputs)
            query = engines.machine.index.queries[inquiry.query]
            bare = dataclasses.replace(query, returns=())
            alone = dataclasses.replace(engines.machine, queries=(bare,))
            entities = {handle for handle, _ in inquiry_wants(alone, inquiry, inputs)}
            assert {handle for handle, _ in wants} == entities


@pytest.mark.parametrize("kind", [ClauseKind.REQUIRE, ClauseKind.FORBID])
def test_the_comparison_can_fail(kind: ClauseKind) -> None:
    """With a clause of the compiled query turned round, the two engines differ somewhere."""
    other = ClauseKind.FORBID if kind is ClauseKind.REQUIRE else ClauseKind.REQUIRE
    for engines, inquiry, inputs in _all():
        turned = tuple(
            dataclasses.replace(
                query,
                clauses=tuple(dataclasses.replace(c, kind=other) if c.kind is kind else c for c in query.clauses),
            )
            for query in engines.machine.queries
        )
        machine = dataclasses.replace(engines.machine, queries=turned)
        if essence(answer_inquiry(machine, inquiry, inputs)) != essence(answer(engines.reference, inquiry, inputs)):
            return
    raise AssertionError("no difference was seen")
