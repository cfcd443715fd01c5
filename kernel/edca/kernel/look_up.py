"""Answering a query: a pure, total function of machine, inquiry and inputs, as `decide` is of a candidate.

There is no case, no anchor and no effect: a query reads facts and gives values. All its clauses are evaluated; what it
returns is only looked at once they have passed, so that nothing is read of what isn't the asker's beyond what tells
that it isn't.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import Malformed
from edca.kernel.decide import problem_of
from edca.kernel.evaluate import Closure, Frame, closure_of, known
from edca.kernel.expression import Input, ReadFact, ReadLet
from edca.kernel.facts import usable
from edca.kernel.gate import Stopped, bind_arguments, check_proposer
from edca.kernel.inputs import HALTED, NORMAL
from edca.kernel.inquiry import Inquiry, QueryVerdict, Returned
from edca.kernel.machine import ClauseKind
from edca.kernel.readings import nodes, readings
from edca.kernel.values import Unknown, ValueProblem, to_raw
from edca.kernel.verdict import ClauseResult, Refused, Result, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edca.kernel.facts import Handle
    from edca.kernel.inputs import Inputs
    from edca.kernel.machine import Clause, Evidence, Let, Machine, Query
    from edca.kernel.values import Value


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is prepared once for a query. `first` are the lets that clauses read, `later` the others."""

    first: tuple[tuple[str, Closure], ...]
    later: tuple[tuple[str, Closure], ...]
    conditions: tuple[Closure, ...]
    returns: tuple[Closure, ...]


def lookup(machine: Machine, name: str) -> Lookup:
    """Return what is prepared for the query, made on first use."""
    found = machine.lookups.get(name)
    if found is None:
        found = machine.lookups[name] = _lookup(machine.index.queries[name])
    return found


def _lookup(query: Query) -> Lookup:
    read = _lets_of(query)
    return Lookup(
        first=tuple((let.name, closure_of(let.value)) for let in query.lets if let.name in read),
        later=tuple((let.name, closure_of(let.value)) for let in query.lets if let.name not in read),
        conditions=tuple(closure_of(clause.condition) for clause in query.clauses),
        returns=tuple(closure_of(one.value) for one in query.returns),
    )


def _lets_of(query: Query) -> set[str]:
    """Return the lets that the clauses read, directly or through other lets."""
    return {node.name for node in _read_by_clauses(query) if isinstance(node, ReadLet)}


def _read_by_clauses(query: Query) -> Iterator[object]:
    """Yield all parts of the clauses' conditions, and of the lets that they read."""
    lets: dict[str, Let] = {let.name: let for let in query.lets}
    followed: set[str] = set()
    pending = [clause.condition for clause in query.clauses]
    while pending:
        for node in nodes(pending.pop()):
            if isinstance(node, ReadLet) and node.name not in followed:
                followed.add(node.name)
                pending.append(lets[node.name].value)
            yield node


def clauses_evidence(query: Query) -> tuple[Evidence, ...]:
    """Return what the clauses may have read of each entity: what only the values need is left out."""
    found = {node.entity for node in _read_by_clauses(query) if isinstance(node, ReadFact)}
    return tuple(part for part in query.evidence if part.entity == query.about or part.entity in found)


@dataclass(frozen=True, slots=True)
class _Asked:
    """An inquiry that passed the early stages: its query, and its arguments as values."""

    query: Query
    arguments: Mapping[str, Value]


def answer_inquiry(machine: Machine, inquiry: Inquiry | Malformed, inputs: Inputs) -> QueryVerdict:
    """Return what the inquiry comes to. Equal arguments give equal verdicts, everywhere and always."""
    asked = _pass_gate(machine, inquiry, inputs)
    if isinstance(asked, Stopped) or isinstance(inquiry, Malformed):
        name = inquiry.query if isinstance(inquiry, Inquiry) else ""
        stage, detail = (asked.stage, asked.detail) if isinstance(asked, Stopped) else (Stage.MALFORMED, "")
        return Refused(transition=name, code=stage.value, stage=stage, detail=detail, clauses=())
    query, prepared = asked.query, lookup(machine, asked.query.name)
    frame = _frame(machine, asked, inquiry, inputs)
    _bind(frame, prepared.first)
    truths = [known(condition(frame)) for condition in prepared.conditions]
    judged = zip(query.clauses, truths, strict=True)
    clauses = tuple(_result(machine, query, clause, truth, frame) for clause, truth in judged)
    failed = next((one for one in clauses if one.result is not Result.PASSED), None)
    if failed is not None:
        return _refused(query, failed.code, "", clauses)
    own = _own(asked)
    there = None if own is None else inputs.facts.get(own)
    if own is not None and (there is None or not there.found):
        if there is not None and there.state is Unknown.ERASED:
            return _refused(query, Unknown.ERASED.value, f"what is personal of that {query.about} was erased", clauses)
        return _refused(query, Unknown.MISSING.value, f"the source has no such {query.about}", clauses)
    _bind(frame, prepared.later)
    values: dict[str, Any] = {}
    for one, closure in zip(query.returns, prepared.returns, strict=True):
        value = closure(frame)
        problem = problem_of(one.type, value, one.name)
        if problem is not None:
            return _refused(query, *problem, clauses)
        values[one.name] = to_raw(one.type, value, machine.index.entities)
    return Returned(query=query.name, values=values, clauses=clauses)


def inquiry_wants(
    machine: Machine, inquiry: Inquiry | Malformed, inputs: Inputs
) -> tuple[tuple[Handle, tuple[str, ...]], ...]:
    """Return the instances, each with the fields to read, that the answer wants and `inputs.facts` lacks.

    First those that the clauses read; those that only what is returned reads once all clauses pass on what is there.
    """
    asked = _pass_gate(machine, inquiry, inputs)
    if isinstance(asked, Stopped) or isinstance(inquiry, Malformed):
        return ()
    query, prepared = asked.query, lookup(machine, asked.query.name)
    frame = _frame(machine, asked, inquiry, inputs)
    _bind(frame, prepared.first)
    truths = [known(condition(frame)) for condition in prepared.conditions]
    own = _own(asked)
    if own is not None and own not in inputs.facts:
        frame.wanted.add(own)
    if not frame.wanted and all(map(_passes, query.clauses, truths)):
        _bind(frame, prepared.later)
        for closure in prepared.returns:
            closure(frame)
    fields = {part.entity: part.fields for part in query.evidence}
    ordered = sorted(frame.wanted, key=lambda handle: (handle[0], repr(handle[1])))
    return tuple((handle, fields.get(handle[0], ())) for handle in ordered)


def asked_in(machine: Machine, inquiry: Inquiry | Malformed, inputs: Inputs) -> tuple[Query, Frame] | None:
    """Return the query and what its clauses read from, or null where an early stage stops it."""
    asked = _pass_gate(machine, inquiry, inputs)
    if isinstance(asked, Stopped) or isinstance(inquiry, Malformed):
        return None
    frame = _frame(machine, asked, inquiry, inputs)
    _bind(frame, lookup(machine, asked.query.name).first)
    return asked.query, frame


def _pass_gate(machine: Machine, inquiry: Inquiry | Malformed, inputs: Inputs) -> Stopped | _Asked:
    if isinstance(inquiry, Malformed):
        return Stopped(Stage.MALFORMED, inquiry.problem)
    query = machine.index.queries.get(inquiry.query)
    stopped = check_proposer(machine, inquiry, None if query is None else query.by, inputs)
    if stopped is not None:
        return stopped
    # A mode allows fewer acts, and a query is none; a halt refuses everything.
    if inputs.mode == HALTED or (inputs.mode != NORMAL and inputs.mode not in machine.index.modes):
        return Stopped(Stage.HALTED, "nothing is answered while the machine is halted")
    if query is None:
        return Stopped(Stage.NO_SUCH_QUERY, "the machine has no query of that name")
    try:
        return _Asked(query, bind_arguments(machine, query, inquiry))
    except ValueProblem as problem:
        return Stopped(Stage.BAD_ARGUMENT, f"{problem.path}: {problem.problem}")


def _own(asked: _Asked) -> Handle | None:
    """Return the instance that the query is about, or null."""
    if asked.query.about is None:
        return None
    return asked.query.about, tuple(asked.arguments[name] for name in asked.query.key)


def _frame(machine: Machine, asked: _Asked, inquiry: Inquiry, inputs: Inputs) -> Frame:
    own = _own(asked)
    return Frame(
        arguments=asked.arguments,
        memory={},
        claims={},
        inputs={
            Input.NOW: inputs.now,
            Input.PROPOSER: inquiry.proposer,
            Input.SUBJECT: Unknown.UNSTATED if inquiry.subject is None else inquiry.subject,
            Input.CONFIDENCE: Unknown.UNSTATED,
            Input.CASE: Unknown.UNSTATED if own is None else own[1],
        },
        facts=usable(inputs.facts, inputs.now, machine.fresh_us),
    )


def _bind(frame: Frame, lets: tuple[tuple[str, Closure], ...]) -> None:
    for name, closure in lets:
        frame.lets[name] = closure(frame)


def _passes(clause: Clause, truth: Any) -> bool:
    return truth is (clause.kind is ClauseKind.REQUIRE)


def _result(machine: Machine, query: Query, clause: Clause, truth: Any, frame: Frame) -> ClauseResult:
    passed, unknown = _passes(clause, truth), truth if isinstance(truth, Unknown) else None
    return ClauseResult(
        code=clause.code,
        kind=clause.kind,
        on_fail=clause.on_fail,
        role=None,
        withheld=clause.withheld,
        result=Result.PASSED if passed else Result.FAILED if unknown is None else Result.UNKNOWN,
        reason=unknown,
        readings=() if passed else readings(machine, query, clause.condition, frame),
    )


def _refused(query: Query, code: str, detail: str, clauses: tuple[ClauseResult, ...]) -> Refused:
    return Refused(transition=query.name, code=code, stage=None, detail=detail, clauses=clauses)
