"""Approvals: who has answered a `confirm` or `sign`, how many are still missing, and who has waived what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edca.kernel.attestations import may_attest
from edca.kernel.calendar import DAY
from edca.kernel.inputs import Authenticated
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.quick import maker
from edca.kernel.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.kernel.candidate import Candidate
    from edca.kernel.inputs import Attestation, Inputs
    from edca.kernel.machine import Clause, Machine
    from edca.kernel.roster import Person

WAIVER_LASTS_US: Final = 7 * DAY  # how long a person's word on a failing clause counts


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered to a clause, by different people: those who said yes and those who said no, each sorted.

    Each person stands there once, with the account of their newest answer. `unknown` is set where it isn't known whose
    answers may not count: then no yes is enough.
    """

    yes: tuple[Person, ...]
    no: tuple[Person, ...]
    unknown: Unknown | None


_answers = maker(Answers)


def is_waivable(clause: Clause) -> bool:
    """Tell whether a person may let a candidate pass that fails this clause."""
    return clause.kind is ClauseKind.REQUIRE and clause.on_fail is OnFail.ESCALATE


def unbound(attestations: Sequence[Attestation]) -> bool:
    """Tell whether no answer was given to a preview."""
    for attestation in attestations:
        if attestation.binds is not None:
            return False
    return True


def answers_to(
    machine: Machine,
    clause: Clause,
    others: Sequence[Any],
    candidate: Candidate,
    inputs: Inputs,
    shown: bytes | None,
) -> Answers:
    """Return each person's newest answer in time; of two at one instant the no counts.

    Answers count from people in the clause's role who may speak in it: never the proposer's own, never those of anybody
    that the clause demands to be distinct from, through whichever account: `others` are these, each a principal, a list
    of them, or unknown. `shown` is the digest of the preview that a yes must have been given to.
    """
    roster = inputs.roster
    excluded = [roster.person(candidate.proposer)]
    if others:
        excluded += [roster.person(account) for other in others for account in _people(other)]
    newest: dict[str, tuple[int, bool, Person]] = {}
    for attestation in inputs.attestations:
        if attestation.name != clause.code or not _counts(machine, clause, attestation, candidate, inputs, shown):
            continue
        person, account = roster.person(attestation.by), roster.answerer(attestation.by)
        if person in excluded or account is None:
            continue
        answer = (attestation.at, attestation.value is not True, account)
        earlier = newest.get(person)
        if earlier is None or answer > earlier:
            newest[person] = answer
    yes: list[Person] = []
    no: list[Person] = []
    for _, declined, who in newest.values():
        (no if declined else yes).append(who)
    yes.sort()
    no.sort()
    unknown = next((other for other in others if isinstance(other, Unknown)), None) if others else None
    return _answers(tuple(yes), tuple(no), unknown)


def _counts(
    machine: Machine,
    clause: Clause,
    attestation: Attestation,
    candidate: Candidate,
    inputs: Inputs,
    shown: bytes | None,
) -> bool:
    return (
        attestation.role == clause.role
        and may_attest(machine, attestation, candidate.subject, inputs)
        and attestation.at <= inputs.now
        and (_is_no_to_question(attestation) or _is_in_force(clause, attestation, inputs, shown))
        and _is_proven(clause, attestation, inputs)
    )


def _is_no_to_question(attestation: Attestation) -> bool:
    """Tell whether it is a no to a preview: it counts whatever would come about by now, and however late it is heard.

    A no only takes away, so that it needn't fit what is decided as a yes must.
    """
    return attestation.binds is not None and attestation.value is not True


def _is_in_force(clause: Clause, attestation: Attestation, inputs: Inputs, shown: bytes | None) -> bool:
    """Tell whether the answer is one to what would now come about, and not too old.

    A `confirm` also takes what the host hands over together with the candidate: that names no preview.
    """
    lasts_us = WAIVER_LASTS_US if is_waivable(clause) else clause.within_us
    if lasts_us is not None and inputs.now - attestation.at > lasts_us:
        return False
    if attestation.binds is None:
        return clause.kind is ClauseKind.CONFIRM
    return attestation.binds == shown


def _is_proven(clause: Clause, attestation: Attestation, inputs: Inputs) -> bool:
    """Tell whether it is known well enough who answers: with a key of theirs where they have one, on any account.

    Only somebody on the roster can waive: the host's word that a subject holds a role is not enough for that.
    """
    if inputs.roster.find(attestation.by) is None:
        return clause.kind is not ClauseKind.REQUIRE
    return attestation.authenticated is Authenticated.SIGNED or not inputs.roster.keys(attestation.by, inputs.now)


def _people(outcome: Any) -> tuple[str, ...]:
    """Return whom a principal, or a list of them, stands for; nobody where it is unknown."""
    if isinstance(outcome, Unknown):
        return ()
    return outcome if isinstance(outcome, tuple) else (outcome,)
