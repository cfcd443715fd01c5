"""The inbox: escalations that wait for people, each an open question until it is answered, decided otherwise, or over.

What was proposed, by whom, and what is asked stands in the record of the escalation. The cell of a question only names
records (`waiting`), and is believed only where those records leave the question so.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edca.kernel.candidate import Candidate
from edca.kernel.preview import preview
from edca.kernel.verdict import Escalated
from edca.ledger.errors import TamperedError
from edca.ledger.record import Draft, parse
from edca.ledger.store import Cell
from edca.runtime.cases import Row, case_to_data, touched
from edca.runtime.config import CHAIN, Configuration
from edca.runtime.kinds import APPROVAL, CLOSED, INTAKE, MIGRATED, VERDICT
from edca.runtime.question import Question
from edca.runtime.standing import trusted_row
from edca.runtime.verdicts import verdict_from_raw
from edca.runtime.waiting import (
    SPACE,
    Waiting,
    after_answer,
    after_verdict,
    answer_in,
    id_of,
    is_heard,
    waiting_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.canonical import Data
    from edca.kernel.inputs import Attestation
    from edca.kernel.machine import Machine
    from edca.kernel.verdict import Preview, Verdict
    from edca.runtime.answers import RecordReference
    from edca.runtime.context import Context, Place
    from edca.runtime.ports import Store

OPEN_MAX: Final = 1000  # questions that may wait at one time, unless the runtime is told otherwise


class Risk(enum.IntEnum):
    """How much hangs on an answer; the greatest comes first."""

    NO_EFFECT = 0
    EFFECT = 1
    IRREVERSIBLE = 2


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """One escalation that waits for people, with all that they need to answer it.

    `id` is new whenever a question is opened. `preview` is what an acceptance would have brought about at the newest
    decision, whose inputs stand in `question`. `answers` are those that count so far.
    """

    id: str
    waiting: Waiting
    tenant: str
    chain: str
    question: Question
    candidate: Candidate
    verdict: Escalated
    preview: Preview
    opened_at: int
    risk: Risk
    answers: tuple[Attestation, ...]

    @property
    def due(self) -> int:
        """The instant from which on no answer counts any more, in microseconds UTC."""
        return self.waiting.due


def find(context: Context, key: str) -> Waiting | None:
    """Return the open question of that key."""
    found = context.store.cell(SPACE, key)
    return None if found is None else waiting_of(key, found)


def waiting(store: Store) -> tuple[Waiting, ...]:
    """Return the cells of all open questions of the ledger, in order of their keys.

    No decision rests on there being no other: who acts on one reads it anew, and a full inbox is only told about.
    """
    return tuple(waiting_of(key, value) for key, value in store.cells(SPACE, exact=False))


def questions(store: Store, tenant: str | None = None, machine: str | None = None) -> tuple[OpenQuestion, ...]:
    """Return the open questions of a tenant and of the machine of that name (null: of all), as people should look.

    Irreversible effects come first, then other effects; of equals what is over sooner. Raises `TamperedError` where a
    cell names records that leave nothing open.
    """
    items = waiting(store)
    if not items:
        return ()
    configuration = Configuration.of(store.records(chain=CHAIN))
    mine = [
        one
        for one in (opened(store, item, configuration) for item in items)
        if (tenant is None or one.tenant == tenant) and (machine is None or one.question.machine.name == machine)
    ]
    return tuple(sorted(mine, key=lambda one: (-one.risk, one.due, one.id)))


def by_id(context: Context, id_: str) -> OpenQuestion | None:
    """Return the tenant's open question of that id. Raises as `questions` does."""
    store = context.store
    item = next((item for item in waiting(store) if id_of(store.read(item.opened).digest) == id_), None)
    if item is None:
        return None
    found = opened(store, item, Configuration.of(store.records(chain=CHAIN)))
    mine = found.tenant == context.tenant and found.question.machine.name == context.machine.name
    return found if mine else None


def opened(store: Store, item: Waiting, configuration: Configuration) -> OpenQuestion:
    """Return the question behind a cell. Raises `TamperedError` where its records leave nothing open."""
    first, newest = store.read(item.opened), store.read(item.newest)
    record = parse(newest.body)
    content: Any = record.content
    if record.kind != VERDICT or parse(first.body).kind != VERDICT:
        raise TamperedError(f"the open question `{item.key}` names no verdict; verify the ledger")
    machine = configuration.machine(content["machine"])
    question = Question.from_data(content, machine, configuration.roster(content["roster"]))
    verdict, candidate = verdict_from_raw(content["verdict"]), question.candidate
    seen = preview(machine, question.case, candidate, question.inputs)
    begun: Any = parse(first.body).content
    if (
        not isinstance(verdict, Escalated)
        or not isinstance(candidate, Candidate)
        or seen is None
        or seen.digest != verdict.preview
        or begun["candidate_digest"] != candidate.digest
        or _as_recorded(store, item, configuration) != item
    ):
        raise TamperedError(f"the open question `{item.key}` is none by its records; verify the ledger")
    return OpenQuestion(
        id=id_of(first.digest),
        waiting=item,
        tenant=content["tenant"],
        chain=record.chain,
        question=question,
        candidate=candidate,
        verdict=verdict,
        preview=seen,
        opened_at=begun["at"],
        risk=risk_of(machine, verdict.transition),
        answers=tuple(answer_in(parse(store.read(number).body).content) for number in item.answers),
    )


def _as_recorded(store: Store, item: Waiting, configuration: Configuration) -> Waiting | None:
    """Return the question as the records from its opening on leave it, null where they leave none open."""
    first = store.read(item.opened)
    opening = parse(first.body)
    begun: Any = opening.content
    id_, left = id_of(first.digest), None
    # What was to be created is accepted in a chain of its own, so all of them are looked at.
    chain = None if opening.chain == INTAKE else opening.chain
    for stored in store.records(item.opened, chain):
        record = parse(stored.body)
        content: Any = record.content
        if record.kind == VERDICT:
            same = (content["tenant"], content["candidate_digest"]) == (begun["tenant"], begun["candidate_digest"])
            if same:
                machine, verdict = configuration.machine(content["machine"]), verdict_from_raw(content["verdict"])
                left = after_verdict(left, item.key, machine, verdict, content["at"], stored.number)
        elif left is not None and record.kind == APPROVAL and content["question"] == id_ and content["void"] is None:
            left = after_answer(left, stored.number)
        elif record.kind == CLOSED and content["question"] == id_:
            left = None
        elif record.kind == MIGRATED and record.chain == opening.chain and _is_void(content, begun):
            left = None
    return left


def _is_void(migrated: Any, begun: Any) -> bool:
    """Tell whether the record of a migration names the candidate of a question, by the record that opened it."""
    return any(void["candidate"] == begun["candidate_digest"] for void in migrated["void"])


def risk_of(machine: Machine, transition: str) -> Risk:
    """Return how much hangs on a transition."""
    acts = machine.index.transitions[transition].acts
    if any(act.undo is None for act in acts):
        return Risk.IRREVERSIBLE
    return Risk.EFFECT if acts else Risk.NO_EFFECT


def is_full(context: Context, key: str | None) -> bool:
    """Tell whether a question of that key can't be opened, because as many wait as may."""
    if key is not None and find(context, key) is not None:
        return False
    items = waiting(context.store)
    if len(items) < context.inbox_max:
        return False  # whosever they are: most of the time no record need be read
    configuration = Configuration.of(context.store.records(chain=CHAIN))
    return sum(1 for item in items if _is_own(context, item, configuration)) >= context.inbox_max


def _is_own(context: Context, item: Waiting, configuration: Configuration) -> bool:
    """Tell whether it is a question of this tenant and machine; others may share the ledger."""
    content: Any = parse(context.store.read(item.newest).body).content
    machine = configuration.machine(content["machine"])
    return (content["tenant"], machine.name) == (context.tenant, context.machine.name)


def close_if_overdue(context: Context, key: str | None) -> None:
    """Put on record that a candidate's own question is over, before it is decided anew."""
    item = None if key is None else find(context, key)
    if item is not None and item.is_over(now := context.clock.now()):
        close(context, item, now)


def moved(context: Context, key: str, machine: Machine, verdict: Verdict, now: int, place: Place) -> list[Cell]:
    """Return the writes that a verdict makes: see `waiting.after_verdict`."""
    before = find(context, key)
    after = after_verdict(before, key, machine, verdict, now, place.reference.number)
    if after == before:
        return []
    return [Cell(SPACE, key, None) if after is None else after.cell()]


def answers_so_far(context: Context, key: str, now: int) -> tuple[Attestation, ...]:
    """Return the answers that a candidate's open question has had, and that are still put before a verdict.

    There are none where no question is open, or it is over.
    """
    item = find(context, key)
    if item is None or item.is_over(now):
        return ()
    opened(context.store, item, Configuration.of(context.store.records(chain=CHAIN)))  # as its records leave it
    contents = (parse(context.store.read(number).body).content for number in item.answers)
    return tuple(answer_in(content) for content in contents if is_heard(content, context.roster))


def close_overdue(context: Context) -> tuple[RecordReference, ...]:
    """Put on record that the tenant's questions are over which nobody has answered in time.

    Nothing is approved by that. One with an answer that has led to no decision yet is decided first.
    """
    items = waiting(context.store)
    now = context.clock.now() if items else 0
    over = [item for item in items if item.is_over(now)]
    if not over:
        return ()
    configuration = Configuration.of(context.store.records(chain=CHAIN))
    return tuple(close(context, item, now) for item in over if _is_own(context, item, configuration))


def close(context: Context, item: Waiting, now: int) -> RecordReference:
    """Put on record that one question is over, and remove it. Raises `TamperedError` where its records disagree."""
    configuration = Configuration.of(context.store.records(chain=CHAIN))
    if _as_recorded(context.store, item, configuration) != item:
        raise TamperedError(f"the open question `{item.key}` is none by its records; verify the ledger")
    chain = parse(context.store.read(item.newest).body).chain
    first = context.store.read(item.opened)
    row = None if chain == INTAKE else trusted_row(context.store, context.machine, chain)
    at = now if row is None else max(row.case.touched, now)
    content: dict[str, Data] = {
        "at": at,
        "clock": context.clock.source,
        "tenant": context.tenant,
        "machine": context.machine.digest,
        "question": id_of(first.digest),
        "opened": first.digest,
        "due": item.due,
        "case": None if row is None else case_to_data(row.case),
    }

    def cells(place: Place) -> list[Cell]:
        return [Cell(SPACE, item.key, None), *noted_row(row, place, at)]

    return context.append(Draft(chain, CLOSED, content), cells)


def noted_row(row: Row | None, place: Place, at: int) -> Iterator[Cell]:
    """Yield the write of a case's row after a record that moves no state."""
    if row is not None:
        yield Row(touched(row.case, place.entry, at), row.record, row.quarantined).cell()
