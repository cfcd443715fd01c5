"""Stage 2: find the case and read the facts that the clauses name. The only I/O before the verdict."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.decide import wanted
from edca.kernel.facts import table
from edca.kernel.inputs import Inputs, address
from edca.kernel.values import Unknown
from edca.kernel.verdict import Accepted
from edca.runtime.answers import Answer, Remembered, idempotency_key, recall
from edca.runtime.cases import Opened, case_id, new_case
from edca.runtime.ports import Request
from edca.runtime.question import Question, attestations_digest
from edca.runtime.standing import trusted_row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edca.kernel.facts import Facts, Handle, Instance, Key
    from edca.kernel.inputs import Address, Attestation, Case
    from edca.kernel.machine import Machine
    from edca.runtime.context import Context
    from edca.runtime.ports import Router

ROUNDS_MAX = 8  # what is still unread after so many rounds stays unknown


@dataclass(frozen=True, slots=True)
class Admitted:
    """Stage 1's result: a candidate, or the note that these bytes are none."""

    candidate: Candidate | Malformed
    attestations: tuple[Attestation, ...]


@dataclass(frozen=True, slots=True)
class Addressed:
    """An admitted candidate, which case it is about, and what is remembered under its idempotency key.

    `about`, `case_id` and `key` are null where the candidate names no case; a case yet to be created has no id, and a
    candidate without an idempotency key no `key`: each delivery of it is decided on its own.
    """

    admitted: Admitted
    about: Address | None
    case_id: str | None
    key: str | None
    attestations_digest: bytes
    remembered: Remembered | None

    @property
    def settled(self) -> Answer | None:
        """The answer that stands for this very candidate, or null where it must be decided.

        What was accepted is never decided again. What was not is, once something else is attested with it: that is how
        a confirmation that was waited for arrives.
        """
        candidate, remembered = self.admitted.candidate, self.remembered
        if remembered is None or remembered.candidate != candidate.digest:
            return None
        same = remembered.attestations == self.attestations_digest
        return remembered.answer if same or isinstance(remembered.answer.verdict, Accepted) else None

    @property
    def key_used_by(self) -> bytes | None:
        """The digest of another candidate that has used the key."""
        if self.remembered is None or self.remembered.candidate == self.admitted.candidate.digest:
            return None
        return self.remembered.candidate


@dataclass(frozen=True, slots=True)
class Gathered:
    """Stage 2's result: the whole question, ready to be decided."""

    addressed: Addressed
    question: Question


def find_address(context: Context, admitted: Admitted) -> Addressed:
    """Tell which case the candidate is about and look its idempotency key up.

    Raises `ValueError` for attestations that are not of their types.
    """
    machine, candidate = context.machine, admitted.candidate
    attested = attestations_digest(machine, admitted.attestations)
    about = address(machine, candidate) if isinstance(candidate, Candidate) else None
    if about is None or isinstance(candidate, Malformed):
        return Addressed(admitted, None, None, None, attested, None)
    id_ = None if about.key is None else case_id(machine, context.tenant, about.entity, about.key)
    key = idempotency_key(context.tenant, machine, candidate, about, id_) if candidate.key else None
    return Addressed(admitted, about, id_, key, attested, None if key is None else recall(context.store, key))


def gather(context: Context, addressed: Addressed) -> Gathered:
    """Find the case, read the facts, and stamp the time."""
    machine, candidate = context.machine, addressed.admitted.candidate
    as_of = context.clock.now()
    case, opened, facts = _find_case(context, addressed, as_of)
    inputs = Inputs(
        now=as_of,
        clock=context.clock.source,
        facts=facts,
        attestations=addressed.admitted.attestations,
        roster=context.roster,
        key_used_by=addressed.key_used_by,
    )
    facts = read_all(
        context.router,
        facts,
        as_of,
        lambda known: wanted(machine, case, candidate, dataclasses.replace(inputs, facts=known)),
    )
    inputs = dataclasses.replace(inputs, facts=facts, now=context.clock.now())
    return Gathered(addressed, Question(machine, case, opened, candidate, inputs))


def read_all(
    router: Router,
    facts: Facts,
    as_of: int,
    wants: Callable[[Facts], Sequence[tuple[Handle, tuple[str, ...]]]],
) -> Facts:
    """Read until nothing is wanted, at most `ROUNDS_MAX` times, and return `facts` with all that was read."""
    for _ in range(ROUNDS_MAX):
        missing = wants(facts)
        if not missing:
            break
        requests = [Request(entity, key, fields) for (entity, key), fields in missing]
        facts = {**facts, **table(router.read(requests, as_of))}
    return facts


def look(
    context: Context,
    entity: str,
    key: Key,
    wants: Callable[[Case, Facts, int], Sequence[tuple[Handle, tuple[str, ...]]]],
) -> tuple[Case | None, Facts, int]:
    """Find a case and read what `wants` asks for, without deciding or recording anything; the last part is the time."""
    now = context.clock.now()
    id_ = case_id(context.machine, context.tenant, entity, key)
    (instance,) = context.router.read([Request(entity, key, ())], now)
    case, _ = _case_about(context, id_, instance)
    if case is None:
        return None, {}, now
    return case, read_all(context.router, {}, now, lambda known: wants(case, known, now)), now


def _find_case(context: Context, addressed: Addressed, as_of: int) -> tuple[Case | None, Opened | None, Facts]:
    about, id_ = addressed.about, addressed.case_id
    if about is None:
        return None, None, {}
    if about.key is None or id_ is None:
        return (*_case_to_create(context, about.entity), {})
    candidate = addressed.admitted.candidate
    transition = candidate.transition if isinstance(candidate, Candidate) else ""
    request = Request(about.entity, about.key, evidence_fields(context.machine, transition, about.entity))
    # Read for every case alike: a state that drifted must show even where the transition will not be legal.
    (instance,) = context.router.read([request], as_of)
    return (*_case_about(context, id_, instance), table([instance]))


def _case_about(context: Context, id_: str, instance: Instance) -> tuple[Case | None, Opened | None]:
    row = trusted_row(context.store, context.machine, id_)
    if row is not None and row.holds_state:
        return row.case, Opened.LEDGER
    case = opened_case(context.machine, id_, instance, context.next_entry(id_))
    if case is None:
        return None, None
    return case if row is None else dataclasses.replace(case, touched=row.case.touched), Opened.READ


def _case_to_create(context: Context, entity: str) -> tuple[Case | None, Opened | None]:
    key: Key | None = context.router.allot(entity)
    state = context.machine.index.initial.get(entity)
    if key is None or state is None:
        return None, None
    id_ = case_id(context.machine, context.tenant, entity, key)
    row = trusted_row(context.store, context.machine, id_)
    if row is None:
        return new_case(context.machine, id_, entity, key, state, context.next_entry(id_)), Opened.CREATED
    # The key's case already exists. While its own creation is pending that is the reason to refuse; otherwise the
    # source has handed out a key twice, and no case may be created over another.
    return (row.case, Opened.LEDGER) if row.case.pending is not None else (None, None)


def opened_case(machine: Machine, id_: str, instance: Instance, entry: int) -> Case | None:
    """Return the case that opens with what its source says: in the state the routes map, else in the initial one.

    Null where the source has no such instance, or can't tell its state.
    """
    if not instance.found or isinstance(instance.state, Unknown):
        return None
    state = machine.index.initial.get(instance.entity) if instance.state is None else instance.state
    if state is None or state not in machine.index.states:
        return None
    return new_case(machine, id_, instance.entity, instance.key, state, entry)


def evidence_fields(machine: Machine, transition: str, entity: str) -> tuple[str, ...]:
    """Return the fields of `entity` that the transition's clauses read."""
    declared = machine.index.transitions.get(transition)
    evidence = () if declared is None else declared.evidence
    return next((item.fields for item in evidence if item.entity == entity), ())
