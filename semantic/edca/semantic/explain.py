"""Refusals in words: one evaluation, two readers.

The operator is told which clauses failed, what they read, what is missing and who can supply it. The model is told the
same event in abstract terms only; and where anything withheld is involved, nothing but `not_possible`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from edca.kernel.calendar import duration_text, time_text
from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.gate import bind_arguments
from edca.kernel.machine import ClauseKind, Never, OnFail
from edca.kernel.readings import value_text
from edca.kernel.values import Unknown, ValueProblem
from edca.kernel.verdict import PROPERTY_VIOLATED, Accepted, Escalated, Refused, Result, Stage, Verdict, failed
from edca.runtime.probing import is_not_looked_at
from edca.semantic.explain_question import asked, branches, property_readings
from edca.semantic.lowered import tells_labelled
from edca.semantic.missing import ANSWERS, missing, missing_line
from edca.semantic.nearest import nearest_changes
from edca.semantic.nearest_text import change_line
from edca.semantic.notation_clauses import clause_notation, condition_notation, key_notation, window_text

if TYPE_CHECKING:
    from edca.kernel.canonical import Data
    from edca.kernel.machine import Clause, Machine, Query, Transition
    from edca.kernel.verdict import ClauseResult, Move, Need
    from edca.runtime.question import Question

NOT_POSSIBLE = "not_possible"
NOT_POSSIBLE_TEXT = "This is not possible."

_SUPPLY: dict[Unknown, str] = {
    Unknown.MISSING: "the source named by the route has no such value; its operator can supply it",
    Unknown.STALE: "the value read is older than the case allows; read it again",
    Unknown.DRIFT: "the source answered something its declared type does not allow; the routes' owner must look",
    Unknown.UNATTESTED: "nobody has attested the claim yet",
    Unknown.ABSENT: "an optional value is absent where one is needed",
    Unknown.UNSTATED: "the proposer gave no confidence, or the host no subject",
    Unknown.EMPTY: "a list is empty where an element is needed",
    Unknown.UNCOUNTED: "nothing tells how much has been counted so far",
    Unknown.ERASED: "what is personal of that case was erased, so nothing of it is looked up any more",
}
_KINDS: dict[ClauseKind, str] = {
    ClauseKind.REQUIRE: "required",
    ClauseKind.FORBID: "forbidden",
    ClauseKind.CONFIRM: "to be confirmed",
    ClauseKind.SIGN: "to be signed",
    ClauseKind.LIMIT: "limited",
}
# What a model is not told apart: whose fact it is, and why it can't be read.
_UNREADABLE = (Unknown.MISSING, Unknown.STALE, Unknown.DRIFT, Unknown.UNCOUNTED, Unknown.ERASED)


@dataclass(frozen=True, slots=True)
class Told:
    """What a model is told of a verdict: an outcome, public codes and public texts, and nothing else.

    `needs` is set where people must still answer: which clause, in which role, and how many of them.
    """

    outcome: str
    codes: tuple[str, ...]
    texts: tuple[str, ...]
    needs: tuple[Need, ...] = ()

    def to_raw(self) -> dict[str, Data]:
        """Return it as the model sees it."""
        told: dict[str, Data] = {"outcome": self.outcome, "codes": list(self.codes), "texts": list(self.texts)}
        if self.needs:
            told["needs"] = [{"code": need.code, "role": need.role, "count": need.count} for need in self.needs]
        return told


def clause_texts(machine: Machine, transition: str) -> dict[str, str]:
    """Return the message of every clause of a transition, by code."""
    found = machine.index.transitions.get(transition)
    return {} if found is None else {clause.code: clause.text for clause in found.clauses}


def for_model(machine: Machine, candidate: Candidate | Malformed, verdict: Verdict) -> Told:
    """Return what a model may know of the verdict.

    What follows from the public spec alone comes first, whatever the case: a name that is no transition, an argument
    that is not of its type. So neither tells whether a case exists. After that, a clause that reads labelled or
    identifying facts, and any clause whose facts could not be read, makes the whole answer `not_possible`: otherwise
    the other clauses' answers would tell about a case that may not be the subject's. Nor is a key that was used before
    told as one: of a case that isn't there, `unknown_case` comes first.
    """
    if is_not_looked_at(verdict):  # first: it must be the same answer whatever was sent
        return Told("refused", (NOT_POSSIBLE,), (NOT_POSSIBLE_TEXT,))
    public = _from_the_spec_alone(machine, candidate)
    if public is not None:
        return public
    open_clauses = failed(verdict)
    needs: tuple[Need, ...] = ()
    match verdict:
        case Accepted():
            return Told("accepted", (), ())
        case Refused():
            outcome = "refused"
            said = None if verdict.stage is not None else _refusal(machine, verdict, open_clauses)
        case Escalated():
            outcome, needs = "escalated", verdict.needs
            said = _texts(machine, verdict.transition, open_clauses)
        case _:
            assert_never(verdict)
    if said is None or any(is_withheld(clause) for clause in open_clauses):
        return Told(outcome, (NOT_POSSIBLE,), (NOT_POSSIBLE_TEXT,))
    return Told(outcome, tuple(said), tuple(said.values()), needs)


def _refusal(machine: Machine, verdict: Refused, open_clauses: tuple[ClauseResult, ...]) -> dict[str, str] | None:
    """Return the codes and texts of what refused; null where a model may know nothing of it."""
    if verdict.code == PROPERTY_VIOLATED:
        violated, transition = property_of(machine, verdict.detail), machine.index.transitions[verdict.transition]
        # What is only unknown may be missing, stale or not theirs, and looks like all of these.
        if verdict.reason is not None or violated is None or tells_labelled(machine, transition, violated.condition):
            return None
        return {PROPERTY_VIOLATED: violated.text}
    return _texts(machine, verdict.transition, open_clauses) if open_clauses else None


def _texts(machine: Machine, transition: str, open_clauses: tuple[ClauseResult, ...]) -> dict[str, str]:
    texts = clause_texts(machine, transition)
    return {clause.code: texts[clause.code] for clause in open_clauses}


def property_of(machine: Machine, code: str) -> Never | None:
    """Return the `never … when` of that code."""
    return next((item for item in machine.properties if isinstance(item, Never) and item.code == code), None)


def _from_the_spec_alone(machine: Machine, candidate: Candidate | Malformed) -> Told | None:
    if isinstance(candidate, Malformed):
        return Told("refused", ("malformed",), (f"This is not a candidate: {candidate.problem}.",))
    branches_of = machine.index.offered.get(candidate.transition)
    if branches_of is None:
        return Told("refused", ("no_such_transition",), ("There is no transition of that name.",))
    try:
        bind_arguments(machine, branches_of[0], candidate)  # of all branches, since they have the same parameters
    except ValueProblem as problem:
        return Told("refused", ("bad_argument",), (f"{problem.path}: {problem.problem}.",))
    return None


def is_withheld(clause: ClauseResult) -> bool:
    """Tell whether a model may not know that the clause failed."""
    return clause.withheld or clause.reason in _UNREADABLE


def for_operator(machine: Machine, verdict: Verdict, question: Question | None = None) -> tuple[str, ...]:
    """Return the verdict as lines of text for the people who run the machine.

    With the question that was decided it also tells which branch was chosen and why others were not, from when on what
    came too early may be proposed, what a violated property read, what is missing and who could supply it, and which
    change of one argument would fare better (see `nearest`).
    """
    lines = [_headline(machine, verdict)]
    transition = machine.index.transitions.get(verdict.transition)
    judged = None if question is None else asked(question)
    if isinstance(verdict, Refused) and verdict.detail:
        lines += [f"  {line}" for line in _detail(machine, verdict, question)]
    if judged is not None:
        lines += [f"  {line}" for line in branches(judged)]
    for result in failed(verdict):
        lines += [f"  {line}" for line in failed_lines(machine, transition, result)]
    lines += [f"  {line}" for result in verdict.clauses for line in _waived(machine, verdict.transition, result)]
    passed = sum(1 for result in verdict.clauses if result.result is Result.PASSED)
    if verdict.clauses:
        lines.append(f"  {passed} of {len(verdict.clauses)} clauses passed")
    if question is not None:
        lines += [f"  {line}" for line in _mending(question, verdict)]
    if isinstance(verdict, (Accepted, Escalated)) and transition is not None:
        lines += [f"  {_move(machine, transition, move)}" for move in verdict.moves]
    if verdict.anchor is not None:
        how = "proposed it" if verdict.anchor.mandate is None else f"mandate {verdict.anchor.mandate}"
        lines.append(f"  answers: {verdict.anchor.principal} as {verdict.anchor.role} ({how})")
    if isinstance(verdict, Accepted):
        lines += [f"  effect: {intent.effect}" for intent in verdict.intents]
    return tuple(lines)


def _mending(question: Question, verdict: Verdict) -> list[str]:
    """Return what could be supplied, less the answers that stand below their clauses, and the nearest legal changes."""
    supplied = [lack for lack in missing(question, verdict) if lack.kind not in ANSWERS]
    changes = nearest_changes(question)
    return [
        *(f"to be supplied: {missing_line(lack)}" for lack in supplied),
        *(change_line(question.machine, change) for change in changes),
    ]


def _headline(machine: Machine, verdict: Verdict) -> str:
    name = verdict.transition or "what was sent"
    match verdict:
        case Accepted(source=source, target=target):
            transition = machine.index.transitions.get(name)
            means = "" if transition is None else f": {transition.text}"
            return f"accepted {name}, {source} → {target}{means}"
        case Refused(code=code):
            return f"refused {name}: {code}"
        case Escalated(needs=needs):
            return f"escalated {name}: needs {', '.join(need.code for need in needs)}"
        case _:
            assert_never(verdict)


def _detail(machine: Machine, verdict: Refused, question: Question | None) -> list[str]:
    transition = machine.index.transitions.get(verdict.transition)
    violated = property_of(machine, verdict.detail) if verdict.code == PROPERTY_VIOLATED else None
    if violated is not None:
        condition = condition_notation(machine, violated.about, violated.condition)
        read = () if question is None else property_readings(question, violated)
        return [
            f"{violated.code}: {violated.text} [never to be so]",
            f"    never while {', '.join(violated.states)} when {condition}",
            *(f"    {reading.name} = {reading.value}" for reading in read),
        ]
    case = None if question is None else question.case
    if verdict.stage is Stage.TOO_EARLY and case is not None and transition is not None and transition.after_us:
        since = (
            f"{duration_text(transition.after_us)} after the case came into {case.state} ({time_text(case.entered)})"
        )
        return [f"it may be proposed from {time_text(case.entered + transition.after_us)} on, {since}"]
    return [verdict.detail]


def failed_lines(machine: Machine, transition: Transition | Query | None, result: ClauseResult) -> list[str]:
    """Return all that an operator needs to know of a clause that did not pass."""
    clause = None if transition is None else _declared(transition, result.code)
    text = "" if clause is None else clause.text
    how = " (unknown)" if result.result is Result.UNKNOWN else ""
    lines = [f"{result.code}: {text} [{_KINDS[result.kind]}{how}]"]
    if clause is not None and transition is not None:
        lines += [f"    {line}" for line in clause_notation(machine, transition, clause)]
        if clause.limit is not None:
            lines.append(f"    counted {window_text(clause.limit.window)}")
    lines += [f"    {reading.name} = {reading.value}" for reading in result.readings]
    if result.reason is not None:
        lines.append(f"    missing: {_SUPPLY[result.reason]}")
    if result.answered_by:
        word = "declined by" if result.on_fail is OnFail.REFUSE else "answered so far"
        lines.append(f"    {word}: {', '.join(result.answered_by)}")
    if result.on_fail is OnFail.ESCALATE and result.role is not None:
        missing = 0 if clause is None else clause.count - len(result.answered_by)
        more = f", {missing} of them" if result.kind is ClauseKind.SIGN and missing > 0 else ""
        lines.append(f"    can be answered by: {result.role}{more}")
    return lines


def _waived(machine: Machine, transition: str, result: ClauseResult) -> list[str]:
    """Return which clause did not pass and was let by people all the same; nothing for any other."""
    if result.result is not Result.WAIVED:
        return []
    text = clause_texts(machine, transition).get(result.code, "")
    return [f"{result.code}: {text} [waived by {', '.join(result.answered_by)}]"]


def _move(machine: Machine, transition: Transition, move: Move) -> str:
    """Return what a limit counts: `limit pace: 3 so far, 1 added, at most 20 within any 1 hour, per proposer = u1`."""
    clause = _declared(transition, move.code)
    if clause is None or clause.limit is None:
        return f"limit {move.code}: {move.used} so far, {move.amount} added, at most {move.bound}"
    limit = clause.limit
    used, amount, bound = (value_text(machine, limit.type, number) for number in (move.used, move.amount, move.bound))
    unit = getattr(limit.type, "unit", "")
    keys = key_notation(machine, transition, limit)
    per = ", ".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in zip(keys, move.key, strict=True)
    )
    counted = f"{used} so far, {amount} added, at most {bound}{f' {unit}' if unit else ''} {window_text(limit.window)}"
    return f"limit {move.code}: {counted}{f', per {per}' if per else ''}"


def _declared(transition: Transition | Query, code: str) -> Clause | None:
    return next((clause for clause in transition.clauses if clause.code == code), None)
