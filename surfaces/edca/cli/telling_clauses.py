"""What clauses and postconditions read, worked out again from the record alone: also where a verdict keeps no readings.

A verdict's record keeps what the failed clauses read. Why something was *allowed* needs the others too; all that they
can have read is in the record, so the kernel's own evaluation tells it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from edca.kernel.decide import frame_of
from edca.kernel.evaluate import Frame
from edca.kernel.facts import Instance, table
from edca.kernel.gate import Passed, Stopped, pass_gate
from edca.kernel.inquiry import QueryVerdict
from edca.kernel.look_up import asked_in
from edca.kernel.machine import Clause, ClauseKind, Machine, Query, Transition
from edca.kernel.readings import readings
from edca.kernel.verdict import ClauseResult, Result, Verdict
from edca.runtime.asking import QueryQuestion
from edca.runtime.question import Question
from edca.semantic.missing import missing
from edca.semantic.nearest import nearest_changes
from edca.semantic.nearest_text import change_data

_FACT_UNKNOWN = "unknown (fact_missing)"


def passed_clauses(question: Question, verdict: Verdict) -> Iterator[str]:
    """Yield, for each clause that the verdict says passed, a line on it and one for each value that it read."""
    judged = _judged(question)
    if judged is None:
        return
    gate, frame = judged
    yield from _passed(question.machine, gate.transition, frame, verdict.clauses)


def passed_by_query(question: QueryQuestion, verdict: QueryVerdict) -> Iterator[str]:
    """Yield the same of the clauses that let a query be answered."""
    asked = asked_in(question.machine, question.inquiry, question.inputs)
    if asked is not None:
        yield from _passed(question.machine, *asked, verdict.clauses)


def _passed(
    machine: Machine, item: Transition | Query, frame: Frame, results: tuple[ClauseResult, ...]
) -> Iterator[str]:
    passed = {clause.code: clause for clause in results if clause.result is Result.PASSED}
    for clause in item.clauses:
        if clause.code in passed:
            yield f"passed: {_clause_line(clause)}"
            if passed[clause.code].answered_by:
                yield f"    answered by: {', '.join(passed[clause.code].answered_by)}"
            for reading in readings(machine, item, clause.condition, frame):
                yield f"    {reading.name} = {reading.value}"


def mending_data(question: Question, verdict: Verdict) -> dict[str, object]:
    """Return what the verdict lacks and the nearest legal changes, as JSON-ready data."""
    changes = nearest_changes(question)
    return {
        "missing": [lack.to_raw() for lack in missing(question, verdict)],
        "nearest": [change_data(question.machine, change) for change in changes],
    }


def postcondition(question: Question, place: int, after: list[Mapping[str, Any]]) -> list[str]:
    """Return what the postcondition of the effect at `place` read: `order.refunded = 1.00 (before: 0.00)`.

    `after` are the instances read after the effect, as its record holds them.
    """
    judged = _judged(question)
    if judged is None:
        return []
    gate, frame = judged
    machine, condition = question.machine, gate.transition.acts[place].ensure
    before = {reading.name: reading.value for reading in readings(machine, gate.transition, condition, frame)}
    instances = table(Instance.from_raw(raw, machine.index.entities) for raw in after)
    frame.earlier, frame.facts = frame.facts, {handle: found.fields for handle, found in instances.items()}
    lines = []
    for reading in readings(machine, gate.transition, condition, frame):
        was = before[reading.name]
        changed = was not in (reading.value, _FACT_UNKNOWN)
        lines.append(f"{reading.name} = {reading.value}{f' (before: {was})' if changed else ''}")
    return lines


def _judged(question: Question) -> tuple[Passed, Frame] | None:
    """Return what the question's clauses read from, or null where an early stage stopped it."""
    gate = pass_gate(question.machine, question.case, question.candidate, question.inputs)
    if isinstance(gate, Stopped):
        return None
    frame = frame_of(question.machine, gate, question.inputs)
    gate.program.bind_lets(frame)
    return gate, frame


def _clause_line(clause: Clause) -> str:
    # A clause's text is what is said when it fails, so it must not stand here as if it were so.
    match clause.kind:
        case ClauseKind.REQUIRE:
            return f"{clause.code}, else: {clause.text}"
        case ClauseKind.FORBID:
            return f"{clause.code}, which forbids: {clause.text}"
        case ClauseKind.CONFIRM:
            return f"{clause.code}, to be confirmed by {clause.role}: {clause.text}"
        case ClauseKind.SIGN:
            return f"{clause.code}, to be signed by {clause.count} of {clause.role}: {clause.text}"
        case ClauseKind.LIMIT:
            return f"{clause.code}, which limits: {clause.text}"
