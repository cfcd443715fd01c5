"""Judging one clause: passed, failed or unknown, who answered it, and what it counts."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from edca.kernel.approvals import Answers, answers_to, is_waivable
from edca.kernel.expression import MakeTuple
from edca.kernel.limits import Tally, tally
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.readings import readings, value_text
from edca.kernel.values import Unknown
from edca.kernel.verdict import ClauseResult, Move, Need, Reading, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.kernel.evaluate import Frame
    from edca.kernel.expression import Expression
    from edca.kernel.gate import Passed
    from edca.kernel.inputs import Inputs
    from edca.kernel.machine import Clause, Machine


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a clause.

    `missing` is how many people must still answer. `move` is set for a limit that applied and whose numbers are known.
    """

    clause: Clause
    result: Result
    on_fail: OnFail
    reason: Unknown | None = None
    answered_by: tuple[str, ...] = ()
    missing: int = 0
    move: Move | None = None

    @property
    def need(self) -> Need:
        """What an escalation waits for where this clause is open."""
        return Need(self.clause.code, self.clause.kind, self.clause.role or "", self.missing)


def judge(
    machine: Machine, gate: Passed, truths: Sequence[Any], frame: Frame, inputs: Inputs, shown: bytes | None
) -> tuple[Judged, ...]:
    """Judge every clause of the transition by the truth of its condition; none short-circuits another.

    `shown` is the digest of the preview that answers must bind to; null where no answer that binds to any is there.
    """
    program, judged = gate.program, []
    parts = zip(gate.transition.clauses, truths, program.distinct_from, program.limits, strict=True)
    for clause, truth, distinct_from, limit in parts:
        match clause.kind:
            case ClauseKind.REQUIRE:
                one = _tested(clause, truth, passed=truth is True)
                if truth is not True and shown is not None and is_waivable(clause):
                    one = _waived(one, answers_to(machine, clause, distinct_from, gate.candidate, frame, inputs, shown))
                judged.append(one)
            case ClauseKind.FORBID:
                judged.append(_tested(clause, truth, passed=truth is False))
            case ClauseKind.CONFIRM | ClauseKind.SIGN:
                answers = answers_to(machine, clause, distinct_from, gate.candidate, frame, inputs, shown)
                judged.append(_answered(clause, truth, answers))
            case ClauseKind.LIMIT:
                counter = (gate.transition.offered, clause.code)
                judged.append(_counted(clause, truth, tally(machine, counter, clause.limit, limit, frame, inputs)))
            case _:
                assert_never(clause.kind)
    return tuple(judged)


def _tested(clause: Clause, truth: Any, *, passed: bool) -> Judged:
    if passed:
        return Judged(clause, Result.PASSED, clause.on_fail)
    unknown = truth if isinstance(truth, Unknown) else None
    return Judged(clause, _failing(unknown), clause.on_fail, unknown, missing=1)


def _waived(failed: Judged, answers: Answers) -> Judged:
    """Let a clause pass that one person has waived, unless another has said no to that: then it refuses."""
    if answers.no:
        return dataclasses.replace(failed, on_fail=OnFail.REFUSE, answered_by=answers.no)
    if answers.yes:
        return dataclasses.replace(failed, result=Result.WAIVED, answered_by=answers.yes, missing=0)
    return failed


def _answered(clause: Clause, truth: Any, answers: Answers) -> Judged:
    """A `confirm` or `sign` is demanded unless its condition is false; one no in time refuses."""
    if truth is False:
        return Judged(clause, Result.PASSED, clause.on_fail)
    if answers.no:
        unknown = truth if isinstance(truth, Unknown) else None
        return Judged(clause, _failing(unknown), OnFail.REFUSE, unknown, answers.no)
    yes = answers.yes if answers.unknown is None else ()
    missing = max(clause.count - len(yes), 0)
    if answers.unknown is None and missing == 0:
        return Judged(clause, Result.PASSED, clause.on_fail, answered_by=yes)
    unknown = truth if isinstance(truth, Unknown) else answers.unknown
    return Judged(clause, _failing(unknown), clause.on_fail, unknown, yes, missing)


def _counted(clause: Clause, truth: Any, counted: Tally) -> Judged:
    """A limit applies unless its condition is false."""
    if truth is False:
        return Judged(clause, Result.PASSED, clause.on_fail)
    if counted.kept:
        return Judged(clause, Result.PASSED, clause.on_fail, move=counted.move)
    unknown = truth if isinstance(truth, Unknown) else counted.unknown
    return Judged(clause, _failing(unknown), OnFail.REFUSE, unknown, move=counted.move)


def _failing(unknown: Unknown | None) -> Result:
    return Result.FAILED if unknown is None else Result.UNKNOWN


def report(machine: Machine, gate: Passed, judged: Judged, frame: Frame) -> ClauseResult:
    """Return the clause's share in the verdict, with what it read where it did not pass."""
    clause, passed = judged.clause, judged.result is Result.PASSED
    return ClauseResult(
        code=clause.code,
        kind=clause.kind,
        on_fail=judged.on_fail,
        role=clause.role,
        withheld=clause.withheld,
        result=judged.result,
        reason=judged.reason,
        readings=() if passed else _read(machine, gate, judged, frame),
        answered_by=judged.answered_by,
    )


def _read(machine: Machine, gate: Passed, judged: Judged, frame: Frame) -> tuple[Reading, ...]:
    clause, move = judged.clause, judged.move
    found = readings(machine, gate.transition, _all_read(clause), frame)
    if clause.limit is None or move is None:
        return found
    # No name of the language holds a blank, so these three can't be taken for something that was read.
    numbers = (("counted so far", move.used), ("would be added", move.amount), ("at most", move.bound))
    return (*found, *(Reading(name, value_text(machine, clause.limit.type, value)) for name, value in numbers))


def _all_read(clause: Clause) -> Expression:
    limit = clause.limit
    counted = () if limit is None else (limit.measure, limit.bound, *limit.keys)
    return MakeTuple((clause.condition, *clause.distinct_from, *counted))
