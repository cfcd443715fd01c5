"""Stage 2: find the case and read the facts that the clauses name. The only I/O before the verdict."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.decide import accepted_plainly, wanted
from edca.kernel.facts import Instance, table
from edca.kernel.frames import fields_of
from edca.kernel.inputs import CounterKey, Inputs, address
from edca.kernel.values import Unknown
from edca.kernel.verdict import Accepted
from edca.ledger.vault import asker_scope
from edca.runtime import inbox, mandates
from edca.runtime.answers import SPACE as KEYS
from edca.runtime.answers import Answer, Remembered, idempotency_key, recall
from edca.runtime.cases import Opened, case_id, new_case
from edca.runtime.counters import Sheet, held_now, used
from edca.runtime.equal_work import even_out
from edca.runtime.modes import recorded_mode
from edca.runtime.opened import vault_of
from edca.runtime.personal import Plan
from edca.runtime.ports import Request
from edca.runtime.question import Question, attestations_digest
from edca.runtime.standing import trusted_row
from edca.runtime.waiting import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edca.kernel.blinding import Blinding
    from edca.kernel.facts import Facts, Handle, Key
    from edca.kernel.inputs import Address, Attestation, Case
    from edca.kernel.machine import Evidence, Machine
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

    `about`, `case_id`, `key` and `question_key`, that of the question which an escalation opens, are null where the
    candidate names no case. A case yet to be created has no id, and a candidate without an idempotency key no `key`:
    each delivery of it is decided on its own.
    """

    admitted: Admitted
    about: Address | None
    case_id: str | None
    key: str | None
    question_key: str | None
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

    def lane(self, tenant: str) -> str | None:
        """Return the lane to hold while the candidate is taken: its case's, or that of all who create such a case.

        A source says which key comes next, and says the same until that case is there. Null where there is no case.
        """
        if self.about is None:
            return None
        return f"{tenant}/#create:{self.about.entity}" if self.case_id is None else self.case_id

    @property
    def key_used_by(self) -> bytes | None:
        """The digest of another candidate that has used the key."""
        if self.remembered is None or self.remembered.candidate == self.admitted.candidate.digest:
            return None
        return self.remembered.candidate


@dataclass(frozen=True, slots=True)
class Ahead:
    """What was read before a turn: the case as it stood then, and the facts that its decision wanted."""

    case: Case | None
    facts: Facts


@dataclass(frozen=True, slots=True)
class _Found:
    """The case, how it was found, and what was read for that."""

    case: Case | None
    opened: Opened | None
    facts: Facts


@dataclass(frozen=True, slots=True)
class Gathered:
    """Stage 2's result: the whole question, ready to be decided."""

    addressed: Addressed
    question: Question


def find_address(context: Context, admitted: Admitted) -> Addressed:
    """Tell which case the candidate is about; `recalled` looks up what is remembered of it.

    Raises `ValueError` for attestations that are not of their types.
    """
    machine, candidate = context.machine, admitted.candidate
    about = address(machine, candidate) if isinstance(candidate, Candidate) else None
    if about is None or isinstance(candidate, Malformed):
        admitted, blinding = _blinded(context, admitted, None)
        attested = attestations_digest(machine, admitted.attestations, blinding)
        return Addressed(admitted, None, None, None, None, attested, None)
    id_ = None if about.key is None else case_id(machine, context.tenant, about.entity, about.key)
    admitted, blinding = _blinded(context, admitted, id_)
    attested = attestations_digest(machine, admitted.attestations, blinding)
    candidate = dataclasses.replace(candidate, blinding=blinding)
    key = idempotency_key(context.tenant, machine, candidate, about, id_) if candidate.key else None
    asked = key_of(context.tenant, id_, candidate.digest)
    return Addressed(admitted, about, id_, key, asked, attested, None)


def _blinded(context: Context, admitted: Admitted, id_: str | None) -> tuple[Admitted, Blinding | None]:
    """Return what was admitted, such that its digests give nothing personal away, and what they are made with."""
    vault, candidate = vault_of(context.store), admitted.candidate
    if vault is None or Plan.of(context.machine) is None:
        return admitted, None
    blinding = vault.key_for(scope_of(context, candidate, id_)).blinding
    if isinstance(candidate, Malformed):
        return admitted, blinding
    return dataclasses.replace(admitted, candidate=dataclasses.replace(candidate, blinding=blinding)), blinding


def scope_of(context: Context, candidate: Candidate | Malformed, id_: str | None) -> str:
    """Return the scope that a candidate's digests are made in: its case's, or where that can't be, the asker's."""
    vault = vault_of(context.store)
    if id_ is None or (vault is not None and vault.is_erased(id_)):
        return asker_scope(context.tenant, candidate.subject or candidate.proposer)
    return id_


def recalled(context: Context, addressed: Addressed) -> Addressed:
    """Look its idempotency key up."""
    candidate = addressed.admitted.candidate
    if addressed.key is None or isinstance(candidate, Malformed):
        return addressed
    remembered = None
    if context.store.cell(KEYS, addressed.key) is not None:
        with context.store.reading():
            remembered = recall(context.store, addressed.key, context.tenant, candidate)
    return addressed if remembered is addressed.remembered else dataclasses.replace(addressed, remembered=remembered)


def gather(context: Context, addressed: Addressed) -> Gathered:
    """Find the case, read the facts, stamp the time, and look up what limits have counted.

    The mode is the one that the records have left in force: the loop has put on record before if it ends by now.
    """
    return _gathered(context, addressed, *_begin(context, addressed, {}))


def gather_and_accept(context: Context, addressed: Addressed, ahead: Ahead) -> tuple[Gathered, Accepted | None]:
    """Do what `gather` does, and return the acceptance as well where the candidate is accepted as plainly as can be.

    Where the case still stands as it did when `ahead` was read, the decision itself shows whether that was all it
    wants, and looks each counter up. So it is gone through once, not three times: to know what to read, what to count,
    and what to say.
    """
    counted = _Counted(context, addressed.admitted.candidate)
    found, inputs = _begin(context, addressed, counted)
    machine, candidate, verdict = context.machine, addressed.admitted.candidate, None
    if found.case == ahead.case:
        counted.now, inputs = inputs.now, dataclasses.replace(inputs, facts=ahead.facts)
        with context.store.reading():
            verdict = accepted_plainly(machine, found.case, candidate, inputs)
    if verdict is None:
        inputs = dataclasses.replace(inputs, facts=found.facts)
        return _gathered(context, addressed, found, inputs), None
    return Gathered(addressed, Question(machine, found.case, found.opened, candidate, inputs)), verdict


class _Counted(dict[CounterKey, int]):
    """What counters hold, looked up when it is asked for; what was asked for and can be told is what it contains."""

    def __init__(self, context: Context, candidate: Candidate | Malformed) -> None:
        self.now = 0
        self._context = context
        self._sheet = Sheet(context.store.cell)
        self._candidate = candidate

    def get(self, key: CounterKey, default: Any = None) -> Any:
        """Return what the counter holds now, or `default` where that can't be told."""
        if key in self:
            return self[key]
        held = held_now(self._sheet, self._context.tenant, self._context.machine, key, self.now, self._candidate)
        if held is None:
            return default
        self[key] = held
        return held


def _gathered(context: Context, addressed: Addressed, found: _Found, inputs: Inputs) -> Gathered:
    """Read what `found` and `inputs` lack, and look up the counters."""
    machine, case, candidate = context.machine, found.case, addressed.admitted.candidate
    inputs = _read_rest(context, found, candidate, inputs)
    # Last: which counters are read depends on the facts, and what they hold on the time.
    with context.store.reading():
        counted = used(Sheet(context.store.cell), context.tenant, machine, case, candidate, inputs)
    return Gathered(
        addressed, Question(machine, case, found.opened, candidate, dataclasses.replace(inputs, used=counted))
    )


def read_ahead(context: Context, addressed: Addressed) -> Ahead:
    """Read what `gather` will want to read, and as much of what isn't there."""
    machine, candidate = context.machine, addressed.admitted.candidate
    found, inputs = _begin(context, addressed, {})
    facts = _read_rest(context, found, candidate, inputs).facts
    if isinstance(candidate, Candidate) and candidate.model is not None and addressed.about is not None:
        branches = machine.index.offered.get(candidate.transition, ())
        evidence = chain.from_iterable(branch.evidence for branch in branches)
        even_out(machine, context.router, addressed.about.entity, evidence, facts, inputs.now)
    return Ahead(found.case, facts)


def _begin(context: Context, addressed: Addressed, counted: dict[CounterKey, int]) -> tuple[_Found, Inputs]:
    """Find the case and what its source says of it, and put together what can be known before clauses are looked at."""
    machine, now = context.machine, context.clock.now()
    told = _ask(context, addressed, now)
    with context.store.reading():
        found = _find_case(context, addressed, told, now)
        roster = context.roster
        inputs = Inputs(
            now=now,
            clock=context.clock.source,
            facts=found.facts,
            attestations=(*addressed.admitted.attestations, *_answers(context, addressed, now)),
            roster=roster,
            key_used_by=addressed.key_used_by,
            mode=recorded_mode(context),
            used=counted,
            mandate_uses=mandates.uses(context.store, context.tenant, machine, roster),
        )
    return found, inputs


def _read_rest(context: Context, found: _Found, candidate: Candidate | Malformed, inputs: Inputs) -> Inputs:
    """Return the inputs with all the facts that the decision wants."""
    for _ in range(ROUNDS_MAX):
        missing = wanted(context.machine, found.case, candidate, inputs)
        if not missing:
            break
        inputs = dataclasses.replace(inputs, facts=_with(context.router, inputs.facts, missing, inputs.now))
    return inputs


def _answers(context: Context, addressed: Addressed, now: int) -> tuple[Attestation, ...]:
    """Return what people have answered so far to this candidate's open question."""
    key = addressed.question_key
    return () if key is None else inbox.answers_so_far(context, key, now)


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
        facts = _with(router, facts, missing, as_of)
    return facts


def _with(router: Router, facts: Facts, missing: Sequence[tuple[Handle, tuple[str, ...]]], as_of: int) -> Facts:
    """Read what is missing, and return it with the facts."""
    requests = [Request(entity, key, fields) for (entity, key), fields in missing]
    return {**facts, **table(router.read(requests, as_of))}


def look(
    context: Context,
    entity: str,
    key: Key,
    wants: Callable[[Case, Facts, int], Sequence[tuple[Handle, tuple[str, ...]]]],
    evidence: Sequence[Evidence] = (),
) -> tuple[Case | None, Facts, int]:
    """Find a case and read what `wants` asks for, without deciding or recording anything; the last part is the time.

    `evidence` is all that may be asked for of any case: as much is asked for where there is none.
    """
    now, router = context.clock.now(), context.router
    id_ = case_id(context.machine, context.tenant, entity, key)
    (instance,) = router.read([Request(entity, key, ())], now)
    case = _case_about(context, id_, instance, now).case
    facts = {} if case is None else read_all(router, {}, now, lambda known: wants(case, known, now))
    even_out(context.machine, router, entity, evidence, facts, now)
    return case, facts, now


def _ask(context: Context, addressed: Addressed, as_of: int) -> Instance | Key | None:
    """Return what the case's source says of it: of one that is to be created, the key that it allots."""
    about, candidate = addressed.about, addressed.admitted.candidate
    if about is None:
        return None
    if about.key is None:
        return context.router.allot(about.entity)
    transition = candidate.transition if isinstance(candidate, Candidate) else ""
    fields = fields_of(context.machine.index.offered.get(transition, ()), about.entity)
    # Read for every case alike: a state that drifted must show even where the transition will not be legal.
    (instance,) = context.router.read([Request(about.entity, about.key, fields)], as_of)
    return instance


def _find_case(context: Context, addressed: Addressed, told: Instance | Key | None, at: int) -> _Found:
    """Find the case in the ledger and in what its source has told."""
    if isinstance(told, Instance) and addressed.case_id is not None:
        return _case_about(context, addressed.case_id, told, at)
    if isinstance(told, tuple) and addressed.about is not None:
        return _case_to_create(context, addressed.about.entity, told, at)
    return _Found(None, None, {})


def _case_about(context: Context, id_: str, instance: Instance, at: int) -> _Found:
    facts = table([instance])
    vault = vault_of(context.store)
    if vault is not None and vault.is_erased(id_):
        return _Found(None, None, facts)  # nothing more is done in a case whose personal values were erased
    with context.store.reading():
        row, entry = trusted_row(context.store, context.machine, id_), context.next_entry(id_)
    if row is not None and row.holds_state:
        return _Found(row.case, Opened.LEDGER, facts)
    left = None if row is None else row.case
    case = met_case(context.machine, id_, instance, entry, at, left)
    if case is None:
        return _Found(None, None, facts)
    return _Found(case, Opened.READ, facts)


def _case_to_create(context: Context, entity: str, key: Key, at: int) -> _Found:
    state = context.machine.index.initial.get(entity)
    if state is None:
        return _Found(None, None, {})
    id_ = case_id(context.machine, context.tenant, entity, key)
    vault = vault_of(context.store)
    if vault is not None and vault.is_erased(id_):
        return _Found(None, None, {})
    with context.store.reading():
        row, entry = trusted_row(context.store, context.machine, id_), context.next_entry(id_)
    if row is None:
        case = new_case(context.machine, id_, entity, key, state, entry, at)
        return _Found(case, Opened.CREATED, {})
    # The key's case already exists. While its own creation is pending that is the reason to refuse; otherwise the
    # source has handed out a key twice, and no case may be created over another.
    return _Found(row.case, Opened.LEDGER, {}) if row.case.pending is not None else _Found(None, None, {})


def opened_case(machine: Machine, id_: str, instance: Instance, entry: int, at: int) -> Case | None:
    """Return the case that opens with what its source says: in the state the routes map, else in the initial one.

    Nobody can tell how long it has been there, so its time in the state begins at `at`. Null where the source has no
    such instance, or can't tell its state.
    """
    if not instance.found or isinstance(instance.state, Unknown):
        return None
    state = machine.index.initial.get(instance.entity) if instance.state is None else instance.state
    if state is None or state not in machine.index.states:
        return None
    return new_case(machine, id_, instance.entity, instance.key, state, entry, at)


def met_case(machine: Machine, id_: str, instance: Instance, entry: int, at: int, left: Case | None) -> Case | None:
    """Return the case as `opened_case` does, or null; `left` is what refusals so far have left of it, if any.

    It was met already: its clock goes on, and where it is still in that state, its time there as well.
    """
    case = opened_case(machine, id_, instance, entry, at)
    if case is None or left is None:
        return case
    entered = left.entered if left.state == case.state else at
    return dataclasses.replace(case, touched=left.touched, entered=entered, human_only=left.human_only)
