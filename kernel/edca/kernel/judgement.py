"""Judging one clause: passed, failed or unknown, who answered it, and what it counts."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from edca.kernel.approvals import Answers, answers_to, is_waivable
from edca.kernel.expression import MakeTuple
from edca.kernel.frames import reading_frame
from edca.kernel.limits import is_kept, tally
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.quick import maker
from edca.kernel.readings import plan_of, read, value_text
from edca.kernel.values import Unknown
from edca.kernel.verdict import ClauseResult, Move, Need, Reading, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.kernel.decision import Computed
    from edca.kernel.evaluate import Frame
    from edca.kernel.expression import Expression
    from edca.kernel.gate import Passed
    from edca.kernel.inputs import Inputs
    from edca.kernel.machine import Clause, Machine
    from edca.kernel.roster import Person


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a clause that did not simply pass; `place` is the clause's in its transition.

    `missing` is how many people must still answer. `move` is set for a limit that applied and whose numbers are known.
    """

    place: int
    clause: Clause
    result: Result
    on_fail: OnFail
    reason: Unknown | None = None
    answered_by: tuple[Person, ...] = ()
    missing: int = 0
    move: Move | None = None

    @property
    def need(self) -> Need:
        """What an escalation waits for where this clause is open."""
        return Need(self.clause.code, self.clause.kind, self.clause.role or "", self.missing)


_judged, _reported = maker(Judged), maker(ClauseResult)


def judge(machine: Machine, gate: Passed, computed: Computed, inputs: Inputs, shown: bytes | None) -> list[Judged]:
    """Judge the clauses that do not simply pass, in order; none short-circuits another.

    `shown` is the digest of the preview that answers must bind to; null where no answer that binds to any is there.
    """
    clauses, candidate, judged = gate.transition.clauses, gate.candidate, []
    for place in computed.places:
        clause, truth, others = clauses[place], computed.truths[place], computed.others[place]
        match clause.kind:
            case ClauseKind.REQUIRE:
                one = _failed(place, clause, truth)
                if shown is not None and is_waivable(clause):
                    one = _waived(one, answers_to(machine, clause, others, candidate, inputs, shown))
                judged.append(one)
            case ClauseKind.FORBID:
                judged.append(_failed(place, clause, truth))
            case ClauseKind.CONFIRM | ClauseKind.SIGN:
                answers = answers_to(machine, clause, others, candidate, inputs, shown)
                judged.append(_answered(place, clause, truth, answers))
            case ClauseKind.LIMIT:
                move = tally(machine, gate.transition.offered, clause, computed.counted[place], inputs)
                judged.append(_counted(place, clause, truth, move))
            case _:
                assert_never(clause.kind)
    return judged


def _failed(place: int, clause: Clause, truth: Any) -> Judged:
    unknown = truth if isinstance(truth, Unknown) else None
    return _judged(place, clause, _failing(unknown), clause.on_fail, unknown, missing=1)


def _waived(failed: Judged, answers: Answers) -> Judged:
    """Let a clause pass that one person has waived, unless another has said no to that: then it refuses."""
    if answers.no:
        return dataclasses.replace(failed, on_fail=OnFail.REFUSE, answered_by=answers.no)
    if answers.yes:
        return dataclasses.replace(failed, result=Result.WAIVED, answered_by=answers.yes, missing=0)
    return failed


def _answered(place: int, clause: Clause, truth: Any, answers: Answers) -> Judged:
    """A `confirm` or `sign` is demanded unless its condition is false; one no in time refuses."""
    if answers.no:
        unknown = truth if isinstance(truth, Unknown) else None
        return _judged(place, clause, _failing(unknown), OnFail.REFUSE, unknown, answers.no)
    yes = answers.yes if answers.unknown is None else ()
    missing = max(clause.count - len(yes), 0)
    if answers.unknown is None and missing == 0:
        return _judged(place, clause, Result.PASSED, clause.on_fail, answered_by=yes)
    unknown = truth if isinstance(truth, Unknown) else answers.unknown
    return _judged(place, clause, _failing(unknown), clause.on_fail, unknown, yes, missing)


def _counted(place: int, clause: Clause, truth: Any, move: Move | Unknown) -> Judged:
    """A limit applies unless its condition is false."""
    if isinstance(move, Unknown):
        unknown = truth if isinstance(truth, Unknown) else move
        return _judged(place, clause, Result.UNKNOWN, OnFail.REFUSE, unknown)
    if is_kept(move):
        return _judged(place, clause, Result.PASSED, clause.on_fail, move=move)
    over = truth if isinstance(truth, Unknown) else None
    return _judged(place, clause, _failing(over), OnFail.REFUSE, over, move=move)


def _failing(unknown: Unknown | None) -> Result:
    return Result.FAILED if unknown is None else Result.UNKNOWN


def reports(machine: Machine, gate: Passed, judged: Sequence[Judged], inputs: Inputs) -> tuple[ClauseResult, ...]:
    """Return every clause's share in the verdict, with what it read where it did not pass."""
    frame: Frame | None = None
    results = list(gate.program.passed)
    for one in judged:
        passed = one.result is Result.PASSED
        if passed and not one.answered_by:
            continue
        if not passed and frame is None:
            frame = reading_frame(machine, gate, inputs)
        clause = one.clause
        results[one.place] = _reported(
            clause.code,
            clause.kind,
            one.on_fail,
            clause.role,
            clause.withheld,
            one.result,
            one.reason,
            () if frame is None or passed else _read(machine, gate, one, frame),
            one.answered_by,
        )
    return tuple(results)


def _read(machine: Machine, gate: Passed, judged: Judged, frame: Frame) -> tuple[Reading, ...]:
    clause, move, plans = judged.clause, judged.move, gate.program.plans
    plan = plans.get(judged.place)
    if plan is None:
        plan = plans[judged.place] = plan_of(machine, gate.transition, _all_read(clause))
    found = read(machine, plan, frame)
    if clause.limit is None or move is None:
        return found
    # No name of the language holds a blank, so these three can't be taken for something that was read.
    numbers = (("counted so far", move.used), ("would be added", move.amount), ("at most", move.bound))
    return (*found, *(Reading(name, value_text(machine, clause.limit.type, value)) for name, value in numbers))


def _all_read(clause: Clause) -> Expression:
    limit = clause.limit
    counted = () if limit is None else (limit.measure, limit.bound, *limit.keys)
    return MakeTuple((clause.condition, *clause.distinct_from, *counted))
