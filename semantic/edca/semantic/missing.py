"""What a verdict lacks, and who could supply it: claims, facts, answers of people, and what only a host can say."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from edca.kernel import expression as ir
from edca.kernel.candidate import Candidate
from edca.kernel.facts import usable
from edca.kernel.frames import frame_for
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.readings import value_text
from edca.kernel.values import Unknown
from edca.kernel.verdict import Refused, Result, Stage, failed
from edca.semantic.lowered import nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.canonical import Data
    from edca.kernel.evaluate import Frame
    from edca.kernel.facts import Instance
    from edca.kernel.inputs import Case
    from edca.kernel.machine import Clause, Machine, Transition
    from edca.kernel.verdict import ClauseResult, Verdict
    from edca.runtime.question import Question


class Lacking(enum.Enum):
    """What kind of thing is missing."""

    CLAIM = "claim"  # nobody has attested it
    FACT = "fact"  # its source could not tell it
    INPUT = "input"  # the proposer or the host left it unsaid
    COUNT = "count"  # nothing tells what a limit has counted
    CONFIRMATION = "confirmation"  # a person's yes
    SIGNATURE = "signature"  # several people's yes
    WAIVER = "waiver"  # a person may let the candidate pass that fails this clause
    ANCHOR = "anchor"  # nobody answers for the transition


ANSWERS = (Lacking.CONFIRMATION, Lacking.SIGNATURE, Lacking.WAIVER)  # what people supply by answering


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing: for which clause (null: before any clause), what, why, and who could supply it.

    `by` is a role for claims, answers and anchors; a source for facts; `proposer`, `host` or `ledger` for the rest.
    `count` is how many people it takes. `reason` is null where people have not answered yet.
    """

    clause: str | None
    kind: Lacking
    what: str
    by: str
    count: int = 1
    reason: Unknown | None = None

    def to_raw(self) -> dict[str, Data]:
        """Return it as JSON-ready data."""
        return {
            "by": self.by,
            "clause": self.clause,
            "count": self.count,
            "kind": self.kind.value,
            "reason": None if self.reason is None else self.reason.value,
            "what": self.what,
        }


def missing(question: Question, verdict: Verdict) -> tuple[Missing, ...]:
    """Return what the verdict on the question lacks, in the order of the clauses, each thing once a clause."""
    machine, case, candidate = question.machine, question.case, question.candidate
    transition = machine.index.transitions.get(verdict.transition)
    if not isinstance(candidate, Candidate) or case is None:
        return ()
    if isinstance(verdict, Refused) and verdict.stage is not None:
        return tuple(dict.fromkeys(_early(question, case, candidate, verdict.stage, transition)))
    if transition is None:
        return ()
    frame, found = _frame(question, case, candidate), list[Missing]()
    declared = {clause.code: clause for clause in transition.clauses}
    for result in failed(verdict):
        clause = declared.get(result.code)
        if clause is None:
            continue
        if result.result is Result.UNKNOWN:
            found += _unknown(question, transition, _read(clause), frame, result.code)
        if result.reason is Unknown.UNCOUNTED:
            found.append(Missing(result.code, Lacking.COUNT, result.code, "ledger", reason=Unknown.UNCOUNTED))
        found += _answers(clause, result)
    return tuple(dict.fromkeys(found))


def missing_line(lack: Missing) -> str:
    """Return one thing that is missing on one line: `claim reason, by customer (claim_unattested)`."""
    match lack.kind:
        case Lacking.CONFIRMATION | Lacking.WAIVER | Lacking.ANCHOR:
            what = f"{lack.kind.value} of {lack.what}"
        case Lacking.SIGNATURE:
            what = f"{lack.count} {'signature' if lack.count == 1 else 'signatures'} to {lack.what}"
        case Lacking.COUNT:
            what = f"what {lack.what} has counted"
        case Lacking.CLAIM | Lacking.FACT | Lacking.INPUT:
            what = f"{lack.kind.value} {lack.what}"
        case _:
            assert_never(lack.kind)
    why = "" if lack.reason is None else f" ({lack.reason.value})"
    return f"{what}, by {lack.by}{why}"


def _early(
    question: Question, case: Case, candidate: Candidate, stage: Stage, transition: Transition | None
) -> Iterator[Missing]:
    if stage is Stage.NO_ANCHOR and transition is not None:
        yield Missing(None, Lacking.ANCHOR, transition.name, transition.answers)
    if stage is Stage.NO_BRANCH:
        frame = _frame(question, case, candidate)
        for branch in question.machine.index.offered[candidate.transition]:
            if branch.guard is not None and case.state in branch.sources:
                yield from _unknown(question, branch, branch.guard, frame, None)


def _answers(clause: Clause, result: ClauseResult) -> Iterator[Missing]:
    if result.on_fail is not OnFail.ESCALATE or result.role is None:
        return  # somebody said no, or no word of a person can help
    match clause.kind:
        case ClauseKind.CONFIRM:
            yield Missing(clause.code, Lacking.CONFIRMATION, clause.code, result.role)
        case ClauseKind.SIGN:
            count = max(clause.count - len(result.answered_by), 1)
            yield Missing(clause.code, Lacking.SIGNATURE, clause.code, result.role, count)
        case ClauseKind.REQUIRE:
            yield Missing(clause.code, Lacking.WAIVER, clause.code, result.role)
        case ClauseKind.FORBID | ClauseKind.LIMIT:
            return
        case _:
            assert_never(clause.kind)


def _read(clause: Clause) -> ir.Expression:
    """Return all that a clause reads as one expression."""
    limit = clause.limit
    counted = () if limit is None else (limit.measure, limit.bound, *limit.keys)
    return ir.MakeTuple((clause.condition, *clause.distinct_from, *counted))


def _frame(question: Question, case: Case, candidate: Candidate) -> Frame:
    return frame_for(question.machine, case, candidate, {}, question.inputs)


def _unknown(
    question: Question, transition: Transition, expression: ir.Expression, frame: Frame, code: str | None
) -> Iterator[Missing]:
    """Yield what is unknown of all that the expression reads, lets included."""
    machine = question.machine
    for node in _nodes(transition, expression):
        match node:
            case ir.ReadClaim(name) if name not in frame.claims:
                yield Missing(code, Lacking.CLAIM, name, machine.index.claims[name].by, reason=Unknown.UNATTESTED)
            case ir.ReadInput(input_) if frame.inputs[input_] is Unknown.UNSTATED:
                by = "host" if input_ is ir.Input.SUBJECT else "proposer"
                yield Missing(code, Lacking.INPUT, input_.value, by, reason=Unknown.UNSTATED)
            case ir.ReadHistory(history, name) if name not in frame.history[history]:
                yield Missing(code, Lacking.INPUT, f"{history.value} of {name}", "ledger", reason=Unknown.MISSING)
            case ir.ReadFact(_, entity, field):
                yield from _facts(question, entity, field, code)
            case _:
                continue


def _nodes(transition: Transition, expression: ir.Expression) -> Iterator[ir.Expression]:
    lets, entered, pending = {let.name: let.value for let in transition.lets}, set[str](), [expression]
    while pending:
        for node in nodes(pending.pop()):
            if isinstance(node, ir.ReadLet) and node.name not in entered:
                entered.add(node.name)
                pending.append(lets[node.name])
            yield node


def _facts(question: Question, entity: str, field: str, code: str | None) -> Iterator[Missing]:
    """Yield the instances of an entity that were asked for that field, and of which it is unknown."""
    machine, inputs = question.machine, question.inputs
    fields = usable(inputs.facts, inputs.now, machine.fresh_us)
    for handle in sorted((known for known in inputs.facts if known[0] == entity), key=repr):
        instance = inputs.facts[handle]
        value = fields[handle].get(field, Unknown.MISSING)
        if isinstance(value, Unknown):
            what = f"{_instance(machine, instance)}.{field}"
            yield Missing(code, Lacking.FACT, what, f"source {instance.source}", reason=value)


def _instance(machine: Machine, instance: Instance) -> str:
    key = machine.index.entities[instance.entity].key
    parts = [value_text(machine, part.type, value) for part, value in zip(key, instance.key, strict=True)]
    return f"{instance.entity}({', '.join(parts)})"
