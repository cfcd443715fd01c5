"""What a scenario that doesn't come out as it says is told: what was expected, what came, and why, in its own words.

A scenario's world is its givens. So what is unknown in it is told as not given, never as if a source lacked it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edca.kernel.calendar import duration_text
from edca.kernel.machine import ClauseKind, Never, OnFail
from edca.kernel.values import Unknown, Value, from_raw, to_raw
from edca.kernel.verdict import PROPERTY_VIOLATED, Accepted, Refused, Result, failed
from edca.semantic.scenario_read import Happens
from edca.semantic.scenario_write import OUTCOMES, UnwritableError, codes_of, value_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edca.dsl import tree
    from edca.kernel.inquiry import QueryVerdict
    from edca.kernel.machine import Clause, Machine
    from edca.kernel.verdict import ClauseResult
    from edca.semantic.scenario_play import Decision, Looked, Played
    from edca.semantic.scenario_read import ReadStep

_NOT_GIVEN = {
    Unknown.MISSING: "is not given in this scenario",
    Unknown.UNATTESTED: "is not given in this scenario: nobody has attested it",
    Unknown.UNSTATED: "is not given in this scenario",
    Unknown.UNCOUNTED: "is not given in this scenario: nothing says what it stands at",
    Unknown.STALE: "is older than the case allows",
    Unknown.DRIFT: "is not of its declared type",
    Unknown.ABSENT: "is absent where a value is needed",
    Unknown.EMPTY: "is an element of an empty list",
    Unknown.ERASED: "was erased",
}


def _codes(decision: Decision) -> frozenset[str]:
    """Return every code that a scenario may name of the verdict."""
    return frozenset((decision.verdict.code, *codes_of(decision)))


def missed(machine: Machine, step: ReadStep, played: Played) -> str | None:
    """Return what of a step is not as its `then` says, in one line, or null."""
    then = step.then
    if played.idle is not None:
        return f"expected {_expected(then)}, but {played.idle}"
    if played.looked is not None:
        return _missed_by_query(machine, step, played.looked)
    if played.decision is not None and then.outcome != "in":
        verdict = played.decision.verdict
        outcome = OUTCOMES[type(verdict)]
        if outcome != then.outcome:
            codes = codes_of(played.decision)
            why = f" to {verdict.target}" if isinstance(verdict, Accepted) else f": {', '.join(sorted(codes))}"
            return f"expected {_expected(then)}, got {outcome}{why}"
        missing = sorted(code.text for code in then.codes if code.text not in _codes(played.decision))
        if missing:
            got = ", ".join(sorted(codes_of(played.decision)))
            return f"expected {', '.join(missing)} among the failed clauses, got {got}"
        if not isinstance(verdict, Accepted):
            return None
        memory = {
            name: from_raw(machine.index.memory[name].type, raw, machine.index.entities)
            for name, raw in verdict.memory.items()
        }
        return _elsewhere(machine, step, verdict.target, memory)
    if played.state is None:
        return f"expected {_expected(then)}, but there is no case: nothing came of its creation"
    return _elsewhere(machine, step, played.state, played.memory or {})


def _missed_by_query(machine: Machine, step: ReadStep, looked: Looked) -> str | None:
    then, verdict = step.then, looked.verdict
    if isinstance(verdict, Refused):
        codes = {verdict.code, *(result.code for result in failed(verdict))}
        if then.outcome != "refused":
            return f"expected {_expected(then)}, got refused: {', '.join(sorted(codes))}"
        missing = sorted(code.text for code in then.codes if code.text not in codes)
        return (
            f"expected {', '.join(missing)} among the failed clauses, got {', '.join(sorted(codes))}"
            if missing
            else None
        )
    if then.outcome != "returned":
        return f"expected {_expected(then)}, got returned"
    entities = machine.index.entities
    for one in machine.index.queries[verdict.query].returns:
        if one.name in step.memory and step.memory[one.name] != from_raw(one.type, verdict.values[one.name], entities):
            wanted = to_raw(one.type, step.memory[one.name], entities)
            return f"expected {one.name} = {_json(wanted)}, got {_json(verdict.values[one.name])}"
    return None


def _json(raw: object) -> str:
    return json.dumps(raw, ensure_ascii=False, sort_keys=True)


def _expected(then: tree.Then) -> str:
    target = "" if then.target is None else then.target.text
    if then.outcome == "in":
        return f"to be in {target}"
    codes = ", ".join(code.text for code in then.codes)
    return then.outcome + (f" to {target}" if target else f" {codes}" if codes else "")


def _elsewhere(machine: Machine, step: ReadStep, state: str, memory: Mapping[str, Value]) -> str | None:
    target = step.then.target
    if target is not None and target.text != state:
        verb = "reach" if step.then.outcome == "accepted" else "be in"
        return f"expected to {verb} {target.text}, got {state}"
    for name, value in step.memory.items():
        if memory[name] != value:
            wanted, got = (_written(machine, name, one) for one in (value, memory[name]))
            return f"expected {name} = {wanted}, got {got}"
    return None


def _written(machine: Machine, name: str, value: Value) -> str:
    try:
        return value_text(machine.index.memory[name].type, value, machine.index.entities)
    except UnwritableError:
        return "a value that can't be written" if value is not None else "nothing"


def told(machine: Machine, step: ReadStep, played: Played) -> tuple[str, ...]:
    """Return why a step came out as it did, a line for each clause that did not pass and for what it read."""
    if isinstance(step.event, Happens):
        return () if played.state is None else (f"the case is in {played.state}",)
    if played.looked is not None:
        return tuple(_query_lines(machine, played.looked.verdict))
    return () if played.decision is None else tuple(_decision_lines(machine, played.decision))


def _query_lines(machine: Machine, verdict: QueryVerdict) -> Iterator[str]:
    if isinstance(verdict, Refused) and verdict.detail:
        yield f"{verdict.code}: {verdict.detail}"
    query = machine.index.queries.get(verdict.transition if isinstance(verdict, Refused) else verdict.query)
    for clause, result in zip(() if query is None else query.clauses, verdict.clauses, strict=False):
        if result.result is not Result.PASSED:
            yield from _read_lines(clause, result)


def _decision_lines(machine: Machine, decision: Decision) -> Iterator[str]:
    verdict = decision.verdict
    if isinstance(verdict, Refused):
        never = next((p for p in machine.properties if isinstance(p, Never) and p.code == verdict.detail), None)
        if never is not None and verdict.code == PROPERTY_VIOLATED:
            yield f"{never.code}: {never.text} [never]"
        elif verdict.detail:
            yield f"{verdict.code}: {verdict.detail}"
    transition = machine.index.transitions.get(verdict.transition)
    clauses = {} if transition is None else {clause.code: clause for clause in transition.clauses}
    for result in failed(verdict):
        yield from _clause_lines(machine, clauses[result.code], result, decision)
    if verdict.clauses:
        passed = sum(result.result is Result.PASSED for result in verdict.clauses)
        yield f"{passed} of {len(verdict.clauses)} clauses passed"


def _clause_lines(machine: Machine, clause: Clause, result: ClauseResult, decision: Decision) -> Iterator[str]:
    yield from _read_lines(clause, result)
    if clause.kind in (ClauseKind.CONFIRM, ClauseKind.SIGN):
        yield f"    {_answers(clause, result, decision)}"
    elif result.on_fail is OnFail.ESCALATE:
        yield f"    a person in role {clause.role} would have to waive it"


def _read_lines(clause: Clause, result: ClauseResult) -> Iterator[str]:
    unknown = ", unknown" if result.result is Result.UNKNOWN else ""
    yield f"{clause.code}: {clause.text} [{clause.kind.value}{unknown}]"
    for reading in result.readings:
        reason = _reason(reading.value)
        yield f"    {reading.name} {f'= {reading.value}' if reason is None else _NOT_GIVEN[reason]}"


def _reason(value: str) -> Unknown | None:
    return next((reason for reason in _NOT_GIVEN if value == f"unknown ({reason.value})"), None)


def _answers(clause: Clause, result: ClauseResult, decision: Decision) -> str:
    """Say who has answered and who is missing, and why an answer that was given does not count."""
    inputs, candidate = decision.question.inputs, decision.question.candidate
    if result.on_fail is OnFail.REFUSE:
        return f"answered no: {', '.join(result.answered_by)}"
    ignored = [
        f"{said.by} ({_ignored(clause, said.by == candidate.proposer, said.role, inputs.now - said.at)})"
        for said in inputs.attestations
        if said.name == clause.code and said.by not in result.answered_by
    ]
    count = clause.count - len(result.answered_by)
    needed = (
        f"{count} more yes of {clause.role} needed" if count != clause.count else f"{count} yes of {clause.role} needed"
    )
    return needed + (f"; not counted: {', '.join(ignored)}" if ignored else "")


def _ignored(clause: Clause, proposer: bool, role: str, age_us: int) -> str:
    if proposer:
        return "proposed it"
    if role != clause.role:
        return f"answered as {role}"
    if clause.within_us is not None and age_us > clause.within_us:
        return f"answered more than {duration_text(clause.within_us)} ago"
    return "must be somebody else"
