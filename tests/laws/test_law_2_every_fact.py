"""Law 2, fact by fact: in every scenario of every spec, losing any fact that is read lets nothing more through."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path

import pytest
import worlds

from edca.diagnostics import Source, concise
from edca.dsl.parse import parse
from edca.kernel.facts import Handle
from edca.kernel.machine import Machine
from edca.kernel.types import OptionalType
from edca.kernel.values import Unknown, Value
from edca.kernel.verdict import Accepted
from edca.semantic.generate_values import Pool, changes, first_of
from edca.semantic.scenario import run, scenarios_of
from edca.semantic.scenario_play import Decision
from edca.semantic.scenario_world import Question, answer_of

_SAMPLES_MAX = 4
NOTHING_TO_GO_BY = Pool((), (), ())


@cache
def _decisions(path: Path) -> list[tuple[str, Machine, Decision]]:
    """Every decision of the spec's own scenarios and of the files beside it, with the scenario's title."""
    compiled = worlds.compiled(path)
    assert compiled.machine is not None and compiled.spec is not None and compiled.checked is not None
    scenarios = list(scenarios_of(compiled.spec))
    for beside in sorted((path.parent / "scenarios").glob("*.edca")):
        parsed = parse(Source(beside.name, beside.read_text("utf-8")))
        assert parsed.spec is not None, concise(parsed.diagnostics)
        scenarios += scenarios_of(parsed.spec)
    results, wrong = run(scenarios, compiled.checked, compiled.machine)
    assert not wrong, concise(wrong)
    return [(result.title, compiled.machine, one) for result in results for one in result.decisions]


def _read_fields(machine: Machine, question: Question) -> Iterator[tuple[Handle, str]]:
    """Every field at hand that a branch of the candidate's transition reads: in a guard, a clause or a property."""
    for branch in machine.index.offered[question.candidate.transition]:
        for evidence in branch.evidence:
            for handle, instance in question.inputs.facts.items():
                if handle[0] == evidence.entity:
                    yield from ((handle, field) for field in evidence.fields if field in instance.fields)


def _with(question: Question, handle: Handle, field: str, value: Value | Unknown) -> Question:
    instance = question.inputs.facts[handle]
    changed = dataclasses.replace(instance, fields={**instance.fields, field: value})
    facts = {**question.inputs.facts, handle: changed}
    return dataclasses.replace(question, inputs=dataclasses.replace(question.inputs, facts=facts))


def _without(question: Question, handle: Handle, field: str) -> Question:
    instance = question.inputs.facts[handle]
    fields = {name: value for name, value in instance.fields.items() if name != field}
    facts = {**question.inputs.facts, handle: dataclasses.replace(instance, fields=fields)}
    return dataclasses.replace(question, inputs=dataclasses.replace(question.inputs, facts=facts))


def _losses(machine: Machine, question: Question, handle: Handle, field: str) -> Iterator[Question]:
    """Yield the decision without the field, with an unknown in it, and with nothing in it.

    Not the last for an optional: that is absent is known, a value of its own. All reasons for an unknown are alike, as
    `test_law_2_fail_closed` shows.
    """
    yield _without(question, handle, field)
    yield _with(question, handle, field, Unknown.DRIFT)
    if not isinstance(machine.index.entities[handle[0]].field(field).type, OptionalType):
        yield _with(question, handle, field, None)


def _samples(machine: Machine, handle: Handle, field: str) -> list[Value]:
    type_ = machine.index.entities[handle[0]].field(field).type
    first = first_of(type_, field, machine.index.entities)
    return [first, *islice(changes(type_, first, NOTHING_TO_GO_BY, machine.index.entities), _SAMPLES_MAX)]


def _is_irrelevant(machine: Machine, question: Question, handle: Handle, field: str, without: Accepted) -> bool:
    """Tell whether the same is accepted whatever the fact is: then it may be lost.

    So it is where a fact only tells whether people must be asked, and they were.
    """
    found = [answer_of(machine, _with(question, handle, field, value)) for value in _samples(machine, handle, field)]
    return all(isinstance(verdict, Accepted) and _comes_about(verdict) == _comes_about(without) for verdict in found)


def _comes_about(verdict: Accepted) -> tuple[object, ...]:
    return verdict.transition, verdict.target, dict(verdict.memory), verdict.intents


@pytest.mark.parametrize("path", worlds.SPECS, ids=lambda path: path.stem)
def test_losing_any_fact_that_is_read_accepts_nothing(path: Path) -> None:
    accepted_count = lost_count = 0
    for title, machine, decision in _decisions(path):
        was_accepted = isinstance(decision.verdict, Accepted)
        accepted_count += was_accepted
        for handle, field in _read_fields(machine, decision.question):
            for loss in _losses(machine, decision.question, handle, field):
                verdict = answer_of(machine, loss)
                if not isinstance(verdict, Accepted):
                    lost_count += was_accepted
                    continue
                assert was_accepted, f"{title}: accepted for want of {handle}.{field}"
                assert _is_irrelevant(machine, decision.question, handle, field, verdict), f"{title}: {handle}.{field}"
    # The test would say nothing of specs whose facts no decision needs.
    assert accepted_count > 0 and lost_count > accepted_count


@pytest.mark.parametrize("path", worlds.SPECS, ids=lambda path: path.stem)
def test_losing_an_instance_or_all_of_them_accepts_nothing(path: Path) -> None:
    for title, machine, decision in _decisions(path):
        if isinstance(decision.verdict, Accepted):
            continue
        inputs = decision.question.inputs
        fewer = [{h: i for h, i in inputs.facts.items() if h != handle} for handle in inputs.facts]
        for facts in (*fewer, {}):
            question = dataclasses.replace(decision.question, inputs=dataclasses.replace(inputs, facts=facts))
            assert not isinstance(answer_of(machine, question), Accepted), title


@pytest.mark.parametrize("path", worlds.SPECS, ids=lambda path: path.stem)
def test_losing_a_counter_an_answer_or_who_acted_accepts_nothing(path: Path) -> None:
    for title, machine, decision in _decisions(path):
        question, verdict = decision.question, decision.verdict
        inputs, case = question.inputs, question.case
        poorer = [
            dataclasses.replace(inputs, used={k: v for k, v in inputs.used.items() if k != key}) for key in inputs.used
        ]
        if isinstance(verdict, Accepted):
            for other in poorer:
                found = answer_of(machine, dataclasses.replace(question, inputs=other))
                assert not isinstance(found, Accepted), f"{title}: a counter that nobody knows"
        poorer += [
            dataclasses.replace(inputs, attestations=tuple(a for a in inputs.attestations if a != said))
            for said in inputs.attestations
            if said.value is not False  # without a no, the yeses of others may be enough
        ]
        others = [dataclasses.replace(question, inputs=other) for other in poorer]
        if case is not None:
            others.append(dataclasses.replace(question, case=dataclasses.replace(case, proposers={}, signers={})))
        if not isinstance(verdict, Accepted):
            assert not any(isinstance(answer_of(machine, other), Accepted) for other in others), title
