"""Stage 2: find the case and read the facts that the clauses name. The only I/O before the verdict."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.decide import accepted_plainly, wanted
from edca.kernel.facts import Instance, table
from edca.kernel.frames import fields_of
from edca.kernel.inputs import CounterKey, Inputs
from edca.kernel.values import Unknown
from edca.runtime import inbox, mandates
from edca.runtime.cases import Opened, case_id, new_case
from edca.runtime.counter_cells import Sheet
from edca.runtime.counters import held_now, used
from edca.runtime.equal_work import even_out
from edca.runtime.evidence import outdated
from edca.runtime.modes import recorded_mode
from edca.runtime.opened import is_erased_case
from edca.runtime.personal import Plan
from edca.runtime.ports import Request
from edca.runtime.question import Question
from edca.runtime.standing import trusted_row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edca.kernel.facts import Facts, Handle, Key
    from edca.kernel.inputs import Attestation, Case
    from edca.kernel.machine import Evidence, Machine
    from edca.kernel.roster import Roster
    from edca.kernel.verdict import Accepted
    from edca.runtime.addressing import Addressed
    from edca.runtime.cases import Row
    from edca.runtime.context import Context
    from edca.runtime.ports import Router

ROUNDS_MAX = 8  # what is still unread after so many rounds stays unknown


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
    if found.case is not None and ahead.case is not None and found.case.entry != ahead.case.entry:
        outdated(context.router)
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


def read_ahead(context: Context, addressed: Addressed, looked_up: LookedUp | None = None) -> Ahead:
    """Read what `gather` will want to read, and as much of what isn't there.

    `looked_up` is what the store holds, where that is known.
    """
    machine, candidate = context.machine, addressed.admitted.candidate
    found, inputs = _begin(context, addressed, {}, looked_up)
    facts = _read_rest(context, found, candidate, inputs).facts
    if isinstance(candidate, Candidate) and candidate.model is not None and addressed.about is not None:
        branches = machine.index.offered.get(candidate.transition, ())
        evidence = chain.from_iterable(branch.evidence for branch in branches)
        even_out(machine, context.router, addressed.about.entity, evidence, facts, inputs.now)
    return Ahead(found.case, facts)


@dataclass(frozen=True, slots=True)
class Held:
    """What the store holds of a case: its row, the entry of its next record, and whether it was erased."""

    row: Row | None
    entry: int
    is_erased: bool


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What the store says that a decision is made from: how the case stands, and what holds for all."""

    held: Held | None
    roster: Roster
    attestations: tuple[Attestation, ...]
    mode: str
    mandate_uses: Mapping[str, int]


def look_up(context: Context, addressed: Addressed, now: int) -> LookedUp:
    """Look up in the store what the decision is made from. Of a case that is yet to be created it tells nothing."""
    store, machine, id_, key = context.store, context.machine, addressed.case_id, addressed.question_key
    with store.reading():
        roster = context.roster
        return LookedUp(
            held=None if id_ is None else _held(context, id_),
            roster=roster,
            attestations=() if key is None else inbox.answers_so_far(context, key, now),
            mode=recorded_mode(context),
            mandate_uses=mandates.uses(store, context.tenant, machine, roster),
        )


def _held(context: Context, id_: str) -> Held:
    with context.store.reading():
        row, entry = trusted_row(context.store, context.machine, id_), context.next_entry(id_)
        return Held(row, entry, is_erased_case(context.store, id_))


def _begin(
    context: Context, addressed: Addressed, counted: dict[CounterKey, int], looked_up: LookedUp | None = None
) -> tuple[_Found, Inputs]:
    """Find the case and what its source says of it, and put together what can be known before clauses are looked at."""
    now = context.clock.now()
    told = _ask(context, addressed, now)
    if looked_up is None:
        looked_up = look_up(context, addressed, now)
    found = _find_case(context, addressed, looked_up, told, now)
    return found, Inputs(
        now=now,
        clock=context.clock.source,
        facts=found.facts,
        attestations=(*addressed.admitted.attestations, *looked_up.attestations),
        roster=looked_up.roster,
        key_used_by=addressed.key_used_by,
        mode=looked_up.mode,
        used=counted,
        mandate_uses=looked_up.mandate_uses,
    )


def _read_rest(context: Context, found: _Found, candidate: Candidate | Malformed, inputs: Inputs) -> Inputs:
    """Return the inputs with all the facts that the decision wants."""
    for _ in range(ROUNDS_MAX):
        missing = wanted(context.machine, found.case, candidate, inputs)
        if not missing:
            break
        read = _with(context.router, {}, missing, inputs.now)
        seen = {handle: unless_erased(context, instance) for handle, instance in read.items()}
        inputs = dataclasses.replace(inputs, facts={**inputs.facts, **seen})
    return inputs


def read_all(
    router: Router,
    facts: Facts,
    as_of: int,
    wants: Callable[[Facts], Sequence[tuple[Handle, tuple[str, ...]]]],
    seen: Callable[[Instance], Instance] = lambda instance: instance,
) -> Facts:
    """Read until nothing is wanted, at most `ROUNDS_MAX` times, and return `facts` with all that was read.

    `seen` makes of each instance what it counts as.
    """
    for _ in range(ROUNDS_MAX):
        missing = wants(facts)
        if not missing:
            break
        read = _with(router, {}, missing, as_of)
        facts = {**facts, **{handle: seen(instance) for handle, instance in read.items()}}
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
    case = _case_about(context.machine, id_, _held(context, id_), instance, now).case
    facts: Facts = {}
    if case is not None:
        seen = partial(unless_erased, context)
        facts = read_all(router, {}, now, lambda known: wants(case, known, now), seen)
    even_out(context.machine, router, entity, evidence, facts, now)
    return case, facts, now


def unless_erased(context: Context, instance: Instance) -> Instance:
    """Return what a source says of an instance; of one whose case was erased, without what is personal.

    So no decision, about whatever case, puts on record again what the source still has. What isn't personal stands in
    records anyway, and other people's cases may need it.
    """
    plan = Plan.of(context.machine)
    if plan is None or instance.entity not in plan.about:
        return instance
    if not is_erased_case(context.store, case_id(context.machine, context.tenant, instance.entity, instance.key)):
        return instance
    fields = {
        name: Unknown.ERASED if (instance.entity, name) in plan.facts else value
        for name, value in instance.fields.items()
    }
    return dataclasses.replace(instance, fields=fields)


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
    return unless_erased(context, instance)


def _find_case(
    context: Context, addressed: Addressed, looked_up: LookedUp, told: Instance | Key | None, at: int
) -> _Found:
    """Find the case in what the ledger holds and in what its source has told."""
    if isinstance(told, Instance) and addressed.case_id is not None and looked_up.held is not None:
        return _case_about(context.machine, addressed.case_id, looked_up.held, told, at)
    if isinstance(told, tuple) and addressed.about is not None:
        return _case_to_create(context, addressed.about.entity, told, at)
    return _Found(None, None, {})


def _case_about(machine: Machine, id_: str, held: Held, instance: Instance, at: int) -> _Found:
    facts, row = table([instance]), held.row
    if held.is_erased:
        return _Found(None, None, facts)  # nothing more is done in a case whose personal values were erased
    if row is not None and row.holds_state:
        return _Found(row.case, Opened.LEDGER, facts)
    left = None if row is None else row.case
    case = met_case(machine, id_, instance, held.entry, at, left)
    if case is None:
        return _Found(None, None, facts)
    return _Found(case, Opened.READ, facts)


def _case_to_create(context: Context, entity: str, key: Key, at: int) -> _Found:
    state = context.machine.index.initial.get(entity)
    if state is None:
        return _Found(None, None, {})
    id_ = case_id(context.machine, context.tenant, entity, key)
    held = _held(context, id_)
    row = held.row
    if held.is_erased:
        return _Found(None, None, {})
    if row is None:
        case = new_case(context.machine, id_, entity, key, state, held.entry, at)
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
