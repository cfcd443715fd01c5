"""What comes of asking a query, computed from the checked spec alone, as `judge` does for candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import Malformed
from edca.kernel.expression import Input
from edca.kernel.inputs import HALTED, NORMAL
from edca.kernel.inquiry import Returned
from edca.kernel.machine import ClauseKind
from edca.kernel.values import Unknown, in_bounds, to_raw
from edca.kernel.verdict import ClauseResult, Refused, Result, Stage
from edca.reference.evaluate import Surroundings, needed, value_of
from edca.reference.judge import Reference, StoppedError

if TYPE_CHECKING:
    from edca.kernel.inputs import Inputs
    from edca.kernel.inquiry import Inquiry, QueryVerdict
    from edca.semantic.checked import CheckedClause


def answer(reference: Reference, inquiry: Inquiry | Malformed, inputs: Inputs) -> QueryVerdict:
    """Return what the inquiry comes to, without readings and detail."""
    name = "" if isinstance(inquiry, Malformed) else inquiry.query
    try:
        return _answer(reference, inquiry, inputs)
    except StoppedError as stopped:
        return Refused(transition=name, code=stopped.stage.value, stage=stopped.stage, detail="", clauses=())


def _answer(reference: Reference, inquiry: Inquiry | Malformed, inputs: Inputs) -> QueryVerdict:
    if isinstance(inquiry, Malformed):
        raise StoppedError(Stage.MALFORMED)
    spec = reference.spec
    query = next((query for query in spec.queries if query.name == inquiry.query), None)
    reference.check_proposer([] if query is None else [query], inquiry, inputs)
    if inputs.mode != NORMAL and inputs.mode not in {mode.name for mode in spec.modes}:
        raise StoppedError(Stage.HALTED)
    if inputs.mode == HALTED:
        raise StoppedError(Stage.HALTED)
    if query is None:
        raise StoppedError(Stage.NO_SUCH_QUERY)
    arguments = reference.arguments(query, inquiry)
    own = None if query.about is None else (query.about, tuple(arguments[name] for name in query.key))
    around = Surroundings(
        definitions=spec.definitions,
        arguments=arguments,
        lets=dict(query.lets),
        inputs={
            Input.NOW: inputs.now,
            Input.PROPOSER: inquiry.proposer,
            Input.SUBJECT: Unknown.UNSTATED if inquiry.subject is None else inquiry.subject,
            Input.CASE: None if own is None else own[1],
        },
        facts=reference.facts(inputs),
    )
    shared = [forbid.clause for forbid in spec.forbids if forbid.about == query.about and not query.unblockable]
    results = tuple(_result(clause, needed(clause.condition, around)) for clause in (*shared, *query.clauses))
    failing = [result.code for result in results if result.result is not Result.PASSED]
    subject = None if own is None else inputs.facts.get(own)
    if not failing and own is not None and (subject is None or not subject.found):
        is_erased = subject is not None and subject.state is Unknown.ERASED
        failing = [Unknown.ERASED.value if is_erased else Unknown.MISSING.value]
    values = {} if failing else {one.name: value_of(one.value, around) for one in query.returns}
    for one in query.returns:
        if not failing and (problem := _problem(one.value.type, values[one.name])) is not None:
            failing = [problem]
    if failing:
        return Refused(transition=query.name, code=failing[0], stage=None, detail="", clauses=results)
    types = {one.name: one.value.type for one in query.returns}
    raw = {name: to_raw(types[name], value, spec.words.entities) for name, value in values.items()}
    return Returned(query=query.name, values=raw, clauses=results)


def _result(clause: CheckedClause, truth: Any) -> ClauseResult:
    passed = truth is (clause.kind is ClauseKind.REQUIRE)
    unknown = truth if isinstance(truth, Unknown) else None
    result = Result.PASSED if passed else Result.FAILED if unknown is None else Result.UNKNOWN
    return ClauseResult(clause.code, clause.kind, clause.on_fail, None, False, result, unknown)


def _problem(type_: Any, value: Any) -> str | None:
    if isinstance(value, Unknown):
        return value.value
    return None if in_bounds(type_, value) else "out_of_range"
