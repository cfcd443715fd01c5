"""One clause: does it pass, who answered it, what does it count."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from edca.kernel.inputs import Authenticated
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.roster import Person, Principal, is_human
from edca.kernel.values import Unknown, to_raw
from edca.kernel.verdict import ClauseResult, Move, Result
from edca.reference.evaluate import Surroundings, first_unknown, needed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edca.kernel.candidate import Candidate
    from edca.kernel.inputs import Attestation, Inputs
    from edca.kernel.machine import Entity
    from edca.kernel.roster import Principal
    from edca.semantic.checked import CheckedClause, CheckedTransition

WEEK_US = 7 * 86_400 * 1_000_000
UNCOUNTED = Unknown("counter_missing")


@dataclass(frozen=True, slots=True)
class Judged:
    """A clause's result, and how its limit's counter would move."""

    result: ClauseResult
    move: Move | None = None


def judge_clause(
    item: CheckedTransition,
    clause: CheckedClause,
    around: Surroundings,
    candidate: Candidate,
    inputs: Inputs,
    entities: Mapping[str, Entity],
    shown: bytes | None,
) -> Judged:
    """Judge one clause of the transition. `shown` is the digest of what answers must have been given to."""
    truth = needed(clause.condition, around)
    match clause.kind:
        case ClauseKind.REQUIRE:
            result = _result(clause, truth is True, truth)
            if truth is True or clause.on_fail is OnFail.REFUSE:
                return Judged(result)
            return Judged(_waived(clause, result, candidate, inputs, shown))
        case ClauseKind.FORBID:
            return Judged(_result(clause, truth is False, truth))
        case ClauseKind.CONFIRM | ClauseKind.SIGN:
            return Judged(_answered(clause, truth, around, candidate, inputs, shown))
        case ClauseKind.LIMIT:
            return _limited(item, clause, truth, around, inputs, entities)
        case _:
            assert_never(clause.kind)


def _waived(
    clause: CheckedClause, failed: ClauseResult, candidate: Candidate, inputs: Inputs, shown: bytes | None
) -> ClauseResult:
    """Judge a `require` that failed and that a person on the roster may waive, within a week of their word."""
    listed = {principal.id for principal in inputs.roster.principals}
    heard = [
        attestation
        for attestation in inputs.attestations
        if attestation.by in listed
        and attestation.binds is not None
        and (attestation.value is not True or inputs.now - attestation.at <= WEEK_US)
    ]
    yes, no = _voices(clause, heard, {candidate.proposer}, candidate, inputs, shown)
    if no:
        return dataclasses.replace(failed, on_fail=OnFail.REFUSE, answered_by=no)
    return dataclasses.replace(failed, result=Result.WAIVED, answered_by=yes) if yes else failed


def _voices(
    clause: CheckedClause,
    heard: Iterable[Attestation],
    barred: set[str],
    candidate: Candidate,
    inputs: Inputs,
    shown: bytes | None,
) -> tuple[tuple[Person, ...], tuple[Person, ...]]:
    """Return the accounts of those whose newest word on the clause is a yes, and of those whose is a no."""
    people = {principal.id: principal.person or principal.id for principal in inputs.roster.principals}
    keyed = {people[p.id] for p in inputs.roster.principals if p.key is not None and _holds_roles(p, inputs.now)}
    persons_barred = {people.get(account, account) for account in barred}
    newest: dict[str, Attestation] = {}
    # In order of time, a no behind a yes of the same instant, so that the last one of each person is what they say.
    for attestation in sorted(heard, key=lambda one: (one.at, one.value is not True, one.by)):
        person = people.get(attestation.by, attestation.by)
        if attestation.name != clause.code or attestation.role != clause.role or attestation.at > inputs.now:
            continue
        if person in persons_barred or not may_attest(attestation, candidate, inputs):
            continue
        if attestation.binds is None and clause.kind is not ClauseKind.CONFIRM:
            continue
        if attestation.binds not in (None, shown) and attestation.value is True:
            continue  # a no holds whatever would come about
        if person in keyed and attestation.authenticated is not Authenticated.SIGNED:
            continue
        newest[person] = attestation
    accounts = {principal.id: principal for principal in inputs.roster.principals}
    said = [(accounts.get(answer.by, Principal(answer.by, ())), answer.value is True) for answer in newest.values()]
    spoken = sorted((Person(principal), is_yes) for principal, is_yes in said if is_human(principal))
    return tuple(who for who, is_yes in spoken if is_yes), tuple(who for who, is_yes in spoken if not is_yes)


def _answered(
    clause: CheckedClause,
    truth: Any,
    around: Surroundings,
    candidate: Candidate,
    inputs: Inputs,
    shown: bytes | None,
) -> ClauseResult:
    """Judge a `confirm` or a `sign`: who has answered, and is it enough."""
    if truth is False:
        return _result(clause, True, truth)
    excluded = [needed(node, around) for node in clause.distinct_from]
    unknown = first_unknown(excluded)
    barred = {candidate.proposer}
    for value in excluded:
        barred |= set(value) if isinstance(value, tuple) else set() if isinstance(value, Unknown) else {value}
    heard = [
        attestation
        for attestation in inputs.attestations
        if clause.within_us is None
        or inputs.now - attestation.at <= clause.within_us
        or (attestation.binds is not None and attestation.value is not True)
    ]
    yes, no = _voices(clause, heard, barred, candidate, inputs, shown)
    if no:
        return dataclasses.replace(_result(clause, False, truth), on_fail=OnFail.REFUSE, answered_by=no)
    if unknown is not None:
        return _result(clause, False, first_unknown((truth, unknown)))
    return dataclasses.replace(_result(clause, len(yes) >= clause.count, truth), answered_by=yes)


def _limited(
    item: CheckedTransition,
    clause: CheckedClause,
    truth: Any,
    around: Surroundings,
    inputs: Inputs,
    entities: Mapping[str, Entity],
) -> Judged:
    """Judge a `limit`: what has been used, with this added, against the bound."""
    limit = clause.limit
    if truth is False or limit is None:
        return Judged(_result(clause, True, truth))
    amount = 1 if limit.measure is None else needed(limit.measure, around)
    bound = needed(limit.bound, around)
    key = tuple(needed(node, around) for node in limit.keys)
    used: Any = inputs.used.get((item.offered, clause.code, key), UNCOUNTED)
    unknown = first_unknown((amount, bound, *key, used))
    if unknown is not None:
        return Judged(_result(clause, False, first_unknown((truth, unknown))))
    raw = tuple(to_raw(node.type, value, entities) for node, value in zip(limit.keys, key, strict=True))
    move = Move(clause.code, raw, used, amount, bound)
    passed = used + amount <= bound
    return Judged(_result(clause, passed, truth), move)


def may_attest(attestation: Attestation, candidate: Candidate, inputs: Inputs) -> bool:
    """Tell whether the attestor may speak in that role: the roster's word, or else only for themselves."""
    principal = next((p for p in inputs.roster.principals if p.id == attestation.by), None)
    if principal is None:
        return attestation.by == candidate.subject
    return _holds_roles(principal, inputs.now) and principal.model is None and attestation.role in principal.roles


def _holds_roles(principal: Principal, now: int) -> bool:
    """Tell whether the account holds its roles at that time."""
    begun = principal.starts is None or now >= principal.starts
    return begun and (principal.ends is None or now < principal.ends)


def _result(clause: CheckedClause, passed: bool, reason: Any) -> ClauseResult:
    unknown = reason if isinstance(reason, Unknown) and not passed else None
    return ClauseResult(
        code=clause.code,
        kind=clause.kind,
        on_fail=clause.on_fail,
        role=clause.role,
        withheld=False,
        result=Result.PASSED if passed else Result.FAILED if unknown is None else Result.UNKNOWN,
        reason=unknown,
    )
