"""Answers to open questions: each is put on record, counted or void; what counts has its candidate decided again.

Nothing here approves anything: an answer that counts is one more input of a new decision, for which everything is
gathered anew. Between the two lies a commit, so `resume` has to finish what a crash left there.
"""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edca.kernel.attestations import may_attest
from edca.kernel.decide import decide
from edca.kernel.inputs import Attestation, Authenticated
from edca.kernel.machine import ClauseKind
from edca.kernel.preview import preview
from edca.kernel.verdict import Refused
from edca.ledger.record import Draft
from edca.runtime import inbox
from edca.runtime.cases import case_to_data
from edca.runtime.context import Owner
from edca.runtime.evidence import informed
from edca.runtime.gather import gather, read_ahead
from edca.runtime.kinds import APPROVAL, INTAKE
from edca.runtime.signatures import is_signed, message
from edca.runtime.standing import trusted_row
from edca.runtime.waiting import SOURCE, after_answer, is_passing

if TYPE_CHECKING:
    from collections.abc import Callable

    from edca.kernel.canonical import Data
    from edca.ledger.store import Cell
    from edca.runtime.addressing import Addressed
    from edca.runtime.answers import Answer, RecordReference
    from edca.runtime.context import Context, Place
    from edca.runtime.inbox import OpenQuestion
    from edca.runtime.loop import Runtime
    from edca.runtime.question import Question
    from edca.runtime.waiting import Waiting

TEXT_LENGTH_MAX: Final = 256  # characters of what an answer names; nothing that can count is longer


class Void(enum.Enum):
    """Why an answer does not count."""

    NO_SUCH_QUESTION = "no_such_question"  # there never was one of that id, or it is answered or over
    EXPIRED = "expired"  # it came when the question's time was over
    NOT_ASKED = "not_asked"  # the question waits for no answer of that code
    WRONG_ROLE = "wrong_role"  # whoever answers may not speak in the role that the clause names
    SELF_APPROVAL = "self_approval"  # it is the proposer's own, through whichever account
    UNSIGNED = "unsigned"  # the roster has a key of theirs, on whichever account, and the answer is not signed
    BAD_SIGNATURE = "bad_signature"  # what is signed is something else, or the roster has no such key
    REPLAYED = "replayed"  # the same person has answered the same already
    PREVIEW_CHANGED = "preview_changed"  # they say yes to something else than what would come about
    OVERTAKEN = "overtaken"  # the case has gone on, so that the candidate will be refused
    NOT_NOW = "not_now"  # nothing can be decided about the case at this time; the question stays open
    EXCLUDED = "excluded"  # the clause asks for somebody else


class AnswerError(ValueError):
    """An answer that can't even be put on record: it is none that an interface lets through."""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody answers: to which question and clause, in which role, and to what preview (its digest)."""

    question: str
    by: str
    role: str
    code: str
    yes: bool
    preview: bytes
    signature: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of an answer: its record, why it is void (null: it counts), and the decision it led to, if any."""

    record: RecordReference
    void: Void | None
    detail: str
    answer: Answer | None


def answer(runtime: Runtime, said: Said) -> Answered:
    """Put one answer on record, and decide its candidate again where it counts or where the question is outdated.

    Raises `AnswerError` for texts and bytes that no answer can hold, and what the ledger raises.
    """
    _check(said)
    context = runtime.context
    with context.store.reading():
        found = inbox.by_id(context, said.question)
    if found is None:
        return context.turn(lambda: _noted(context, None, said))
    addressed = runtime.about(found)
    with context.lanes.hold(addressed.lane(context.tenant)):
        runtime.carry_on_interrupted(addressed.case_id)
        answered = informed(
            context, lambda inner: read_ahead(inner, addressed), lambda inner, _: _noted(inner, addressed, said)
        )
        if answered.void not in (None, Void.PREVIEW_CHANGED, Void.OVERTAKEN):
            return answered
        return dataclasses.replace(answered, answer=runtime.reconsider(found))


def _noted(context: Context, addressed: Addressed | None, said: Said) -> Answered:
    """Put one answer on record, counted or void, as things stand in this turn."""
    now = context.clock.now()
    found = inbox.by_id(context, said.question)
    if found is None or addressed is None:
        return Answered(_append(context, None, said, now, Void.NO_SUCH_QUESTION, ""), Void.NO_SUCH_QUESTION, "", None)
    if now >= found.due:
        record = _append(context, found, said, now, Void.EXPIRED, "")
        inbox.close_if_overdue(context, found.waiting.key)
        return Answered(record, Void.EXPIRED, "", None)
    question = gather(context, addressed).question
    void, detail = _void(found, question, said)
    return Answered(_append(context, found, said, question.inputs.now, void, detail), void, detail, None)


def resume(runtime: Runtime) -> tuple[Answer, ...]:
    """Decide what answers that counted have not led to yet, because the process ended in between.

    Where nothing can be decided about the case at this time, such as under a halt, it waits for the next call.
    """
    postponed = runtime.context.postponed
    return _reconsidered(runtime, lambda item: item.is_undecided or item.key in postponed)


def reconsider_all(runtime: Runtime) -> tuple[Answer, ...]:
    """Decide every open question again that can be decided now: what it depends on has changed."""
    return _reconsidered(runtime, lambda item: True)


def _reconsidered(runtime: Runtime, which: Callable[[Waiting], bool]) -> tuple[Answer, ...]:
    context = runtime.context
    with context.store.reading():
        if not any(which(item) for item in inbox.waiting(context.store)):
            return ()
        found = inbox.questions(context.store, context.tenant, context.machine.name)
    answers = [_resumed(runtime, one, which) for one in found if which(one.waiting)]
    return tuple(answer for answer in answers if answer is not None)


def _resumed(runtime: Runtime, found: OpenQuestion, which: Callable[[Waiting], bool]) -> Answer | None:
    """Decide one question again, if it is still such a one once whoever is at it has left: else the next tick does."""
    context = runtime.context
    with context.lanes.try_hold(runtime.about(found).lane(context.tenant)) as is_held:
        if not is_held:
            context.postponed.add(found.waiting.key)
            return None
        with context.store.reading():
            current = inbox.by_id(context, found.id)
        if current is None or not which(current.waiting) or _is_held_up(runtime.gathered_again(current)):
            return None
        context.postponed.discard(found.waiting.key)
        return runtime.reconsider(current)


def _is_held_up(question: Question) -> bool:
    return is_passing(decide(question.machine, question.case, question.candidate, question.inputs))


def authenticated(question: Question, said: Said) -> Authenticated:
    """Return how it is known who answers, provided that the answer counts."""
    has_key = question.inputs.roster.keys(said.by, question.inputs.now)
    return Authenticated.SIGNED if has_key else Authenticated.ASSERTED


def _void(found: OpenQuestion, question: Question, said: Said) -> tuple[Void | None, str]:
    """Return why the answer does not count, null where it does, and what more there is to say."""
    personal = _void_by_person(found, question, said)
    if personal is not None:
        return personal, ""
    if said.yes and said.preview != found.preview.digest:
        return Void.PREVIEW_CHANGED, "the newest decision shows something else"
    verdict = decide(question.machine, question.case, question.candidate, question.inputs)
    if isinstance(verdict, Refused) and verdict.stage is not None:
        return Void.NOT_NOW if is_passing(verdict) else Void.OVERTAKEN, verdict.stage.value
    seen = preview(question.machine, question.case, question.candidate, question.inputs)
    if said.yes and (seen is None or seen.digest != said.preview):
        return Void.PREVIEW_CHANGED, "what would come about has changed meanwhile"
    given = Attestation(
        name=said.code,
        value=said.yes,
        by=said.by,
        role=said.role,
        source=SOURCE,
        at=question.inputs.now,
        binds=said.preview,
        authenticated=authenticated(question, said),
    )
    heard = dataclasses.replace(question.inputs, attestations=(*question.inputs.attestations, given))
    verdict = decide(question.machine, question.case, question.candidate, heard)
    counted = any(clause.code == said.code and said.by in clause.answered_by for clause in verdict.clauses)
    return (None, "") if counted else (Void.EXCLUDED, "")


def _void_by_person(found: OpenQuestion, question: Question, said: Said) -> Void | None:
    """Return why the answer does not count whatever the world is like, as far as that is so."""
    need = next((need for need in found.verdict.needs if need.code == said.code), None)
    if need is None:
        return Void.NOT_ASKED
    roster, inputs = question.inputs.roster, question.inputs
    spoken = Attestation(said.code, said.yes, said.by, said.role, SOURCE, inputs.now, said.preview)
    if need.role != said.role or not may_attest(question.machine, spoken, found.candidate.subject, inputs):
        return Void.WRONG_ROLE
    if need.kind is ClauseKind.REQUIRE and roster.find(said.by) is None:
        return Void.WRONG_ROLE  # who waives has to be on the roster: the host's word is not enough
    if roster.person(said.by) == roster.person(found.candidate.proposer):
        return Void.SELF_APPROVAL
    keys = roster.keys(said.by, inputs.now)
    if keys and said.signature is None:
        return Void.UNSIGNED
    if said.signature is not None:
        signed = message(said.question, said.preview, said.code, yes=said.yes)
        if not is_signed(keys, said.signature, signed):
            return Void.BAD_SIGNATURE
    person = roster.person(said.by)
    heard = [one for one in inputs.attestations if one.source == SOURCE and one.name == said.code]
    earlier = [one for one in heard if roster.person(one.by) == person]
    newest = max(earlier, key=lambda one: one.at, default=None)
    if newest is not None and newest.value is said.yes and newest.binds == said.preview:
        return Void.REPLAYED
    return None


def _append(
    context: Context, found: OpenQuestion | None, said: Said, now: int, void: Void | None, detail: str
) -> RecordReference:
    chain = INTAKE if found is None else found.chain
    row = None if chain == INTAKE else trusted_row(context.store, context.machine, chain)
    at = now if row is None else max(row.case.touched, now)
    has_key = void is None and context.roster.keys(said.by, now)
    how = Authenticated.SIGNED if has_key else Authenticated.ASSERTED
    content: dict[str, Data] = {
        "at": at,
        "clock": context.clock.source,
        "tenant": context.tenant,
        "machine": context.machine.digest,
        "roster": context.roster.digest,
        "question": said.question,
        "opened": None if found is None else context.store.read(found.waiting.opened).digest,
        "candidate": None if found is None else found.candidate.digest,
        "by": said.by,
        "role": said.role,
        "code": said.code,
        "yes": said.yes,
        "preview": said.preview,
        "authenticated": how.value,
        "signature": said.signature,
        "void": None if void is None else void.value,
        "detail": detail,
        "case": None if row is None else case_to_data(row.case),
    }

    def cells(place: Place) -> list[Cell]:
        written = list(inbox.noted_row(row, place, at))
        if found is not None and void is None:
            item = inbox.find(context, found.waiting.key) or found.waiting  # as it is now: no answer gets lost
            written.append(after_answer(item, place.reference.number).cell())
        return written

    blinding = None if found is None else found.candidate.blinding
    owner = None if found is None or blinding is None else Owner(blinding.scope, found.candidate.proposer)
    return context.append(Draft(chain, APPROVAL, content), cells, owner=owner)


def _check(said: Said) -> None:
    texts = (said.question, said.by, said.role, said.code)
    if any(not 0 < len(text) <= TEXT_LENGTH_MAX or not text.isprintable() for text in texts):
        raise AnswerError(
            f"an answer names a question, a person, a role and a code of 1 to {TEXT_LENGTH_MAX} characters"
        )
    if len(said.preview) != 32 or (said.signature is not None and len(said.signature) != 64):
        raise AnswerError("an answer names a preview by its 32 bytes, and a signature has 64")
