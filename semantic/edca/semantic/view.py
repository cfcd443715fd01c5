"""Views: everything a model may see of a case, computed from the spec's public part and abstract values alone.

A case that does not exist, one that isn't the subject's, and one a `forbid` closes give the same view: nothing is
possible here. So looking tells no more than trying. Of branches one offered name is seen: which of them it would be
may rest on facts that the looker must not know, so no guard is tested here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.evaluate import Frame, closure_of, known
from edca.kernel.expression import Input
from edca.kernel.facts import usable
from edca.kernel.frames import history_of
from edca.kernel.inputs import HALTED, NORMAL
from edca.kernel.machine import Evidence, RoleKind
from edca.kernel.types import ListType, OptionalType, RecordType, Type
from edca.kernel.values import Unknown, Value
from edca.semantic.lowered import is_released
from edca.semantic.schema import parameters_schema
from edca.semantic.unpublished import identifies, shown

if TYPE_CHECKING:
    from edca.kernel.candidate import Caller
    from edca.kernel.canonical import Data
    from edca.kernel.facts import Facts, Handle
    from edca.kernel.inputs import Case
    from edca.kernel.machine import Machine, Screen, Transition
    from edca.semantic.explain import Told
    from edca.semantic.handles import Handles


_NOTHING = "Nothing is possible here."


@dataclass(frozen=True, slots=True)
class Offer:
    """What the one who looks may propose now: its offered name, its meaning, its arguments as JSON Schema."""

    name: str
    means: str
    arguments: dict[str, Data]


@dataclass(frozen=True, slots=True)
class OfferedQuery:
    """What the one who looks may ask: its name, its meaning, its arguments as JSON Schema."""

    name: str
    means: str
    arguments: dict[str, Data]


@dataclass(frozen=True, slots=True)
class View:
    """What a model sees of a case. `state` is null where nothing is possible.

    `last` is what its last proposal came to, as it was told then; null where there was none in this session. `queries`
    are what may be asked, which is the same for every case, and for none.
    """

    machine: str
    state: str | None
    meaning: str
    revision: int | None
    memory: dict[str, Data]
    facts: dict[str, Data]
    offers: tuple[Offer, ...]
    last: Told | None = None
    queries: tuple[OfferedQuery, ...] = ()

    def to_raw(self) -> dict[str, Data]:
        """Return the view as JSON data."""
        seen: dict[str, Data] = {
            "machine": self.machine,
            "state": self.state,
            "meaning": self.meaning,
            "revision": self.revision,
            "memory": self.memory,
            "facts": self.facts,
            "transitions": [{"name": o.name, "means": o.means, "arguments": o.arguments} for o in self.offers],
        }
        if self.queries:
            seen["queries"] = [{"name": q.name, "means": q.means, "arguments": q.arguments} for q in self.queries]
        return seen if self.last is None else seen | {"last": self.last.to_raw()}


def view(
    machine: Machine,
    case: Case | None,
    facts: Facts,
    caller: Caller,
    now: int,
    mode: str = NORMAL,
    handles: Handles | None = None,
) -> View:
    """Return what `caller` may see. `facts` hold what `view_wants` asked for; `mode` is the one in force.

    `handles` are those of a session, in which what isn't published is shown by them; without, it is not shown at all.
    Of a case of another version nobody sees anything: what its state and memory mean here, only a migration tells.
    """
    nothing = View(machine.name, None, _NOTHING, None, {}, {}, (), queries=queries_of(machine, caller, mode, handles))
    if case is None or case.machine != machine.digest or not _is_there(machine, case, facts, now):
        return nothing
    legal = () if case.pending is not None else _legal(machine, case, caller, now, mode)
    if not _is_open(machine, case, facts, caller, now):
        # Who may do what no `forbid` holds up must see the case to do it; no model is ever among them.
        legal = tuple(transition for transition in legal if transition.unblockable)
        if not legal:
            return nothing
    return View(
        machine=machine.name,
        state=case.state,
        meaning=meaning_of(machine, case.state),
        revision=case.revision,
        memory={
            slot.name: shown(machine, slot.type, case.memory[slot.name], handles)
            for slot in machine.memory
            if not slot.labels or is_released(machine, None, slot.name, caller.role)
            if handles is not None or not identifies(slot.type)
        },
        facts=_public_facts(machine, case, facts, legal, caller.role, handles),
        offers=_offers(machine, legal, handles),
        queries=nothing.queries,
    )


def creation_view(machine: Machine, caller: Caller, mode: str = NORMAL, handles: Handles | None = None) -> View:
    """Return what may be proposed where there is no case yet: the transitions that create one.

    For `handles` see `view`.
    """
    starts = [
        transition
        for transition in machine.transitions
        if transition.creates and caller.role in transition.by and is_allowed(machine, transition, mode)
    ]
    state = machine.index.initial[starts[0].about] if starts else None
    meaning = _NOTHING if state is None else meaning_of(machine, state)
    offers = _offers(machine, tuple(starts), handles)
    return View(machine.name, state, meaning, None, {}, {}, offers, queries=queries_of(machine, caller, mode, handles))


def queries_of(
    machine: Machine, caller: Caller, mode: str = NORMAL, handles: Handles | None = None
) -> tuple[OfferedQuery, ...]:
    """Return what `caller` may ask, in order of names: all that the role may, unless the machine is halted."""
    if mode != NORMAL and mode not in machine.index.modes:
        return ()
    return tuple(
        OfferedQuery(
            query.name, query.text, parameters_schema(machine, query.parameters, by_handle=handles is not None)
        )
        for query in machine.queries
        if caller.role in query.by
    )


def role_view(machine: Machine, caller: Caller, mode: str = NORMAL, handles: Handles | None = None) -> View:
    """Return what `caller` may propose about some case or other: for who has not said yet which one they mean.

    For `handles` see `view`.
    """
    may = [t for t in machine.transitions if caller.role in t.by and is_allowed(machine, t, mode)]
    queries = queries_of(machine, caller, mode, handles)
    return View(machine.name, None, machine.text, None, {}, {}, _offers(machine, tuple(may), handles), queries=queries)


def showable(machine: Machine, role: str) -> frozenset[str]:
    """Return the names of all facts and memory that some view with handles can show to that role."""
    facts = (
        f"{entity.name}.{field.name}"
        for entity in machine.entities
        for field in entity.fields
        if not _holds_list(field.type) and (not field.labels or is_released(machine, entity.name, field.name, role))
    )
    memory = (slot.name for slot in machine.memory if not slot.labels or is_released(machine, None, slot.name, role))
    return frozenset((*facts, *memory))


def meaning_of(machine: Machine, state: str) -> str:
    """Return what a state means: its own text, and then those of the composite states around it."""
    composites = {composite.name: composite for composite in machine.composites}
    declared = machine.index.states[state]
    texts, around = [declared.text], declared.within
    while around is not None:
        texts.append(composites[around].text)
        around = composites[around].within
    return " ".join(texts)


def is_allowed(machine: Machine, transition: Transition, mode: str) -> bool:
    """Tell whether the mode leaves the transition; one that the machine doesn't declare leaves none."""
    if mode == NORMAL:
        return True
    declared = None if mode == HALTED else machine.index.modes.get(mode)
    return declared is not None and transition.offered in declared.allow


def _offers(machine: Machine, legal: tuple[Transition, ...], handles: Handles | None = None) -> tuple[Offer, ...]:
    """Return one offer a name, in order of names; what several branches mean is joined, in the order they are tried."""
    found: list[Offer] = []
    for name in dict.fromkeys(transition.offered for transition in legal):
        branches = [branch for branch in machine.index.offered[name] if branch in legal]
        means = " Or: ".join(dict.fromkeys(branch.text for branch in branches))
        found.append(
            Offer(name, means, parameters_schema(machine, branches[0].parameters, by_handle=handles is not None))
        )
    return tuple(found)


def view_evidence(machine: Machine, entity: str, caller: Caller) -> tuple[Evidence, ...]:
    """Return what a view of such a case needs, the same for each, whatever its state: see `runtime.equal_work`."""
    fields = {
        field
        for transition in machine.transitions
        if transition.about == entity and not transition.creates and caller.role in transition.by
        for part in transition.evidence
        if part.entity == entity
        for field in part.fields
    }
    own = Evidence(entity, tuple(sorted(fields)))
    return (own, *(part for screen in _screens(machine, entity, caller) for part in screen.evidence))


def view_wants(
    machine: Machine, case: Case, facts: Facts, caller: Caller, now: int
) -> tuple[tuple[Handle, tuple[str, ...]], ...]:
    """Return the instances, with the fields to read, that a view of the case needs and `facts` lacks."""
    if case.machine != machine.digest:
        return ()
    frame = _frame(machine, case, facts, caller, now)
    screens = _screens(machine, case.entity, caller)
    for screen in screens:
        closure_of(screen.condition)(frame)
    own = (case.entity, case.key)
    if own not in facts:
        frame.wanted.add(own)
    fields: dict[str, set[str]] = {}
    for evidence in view_evidence(machine, case.entity, caller):
        fields.setdefault(evidence.entity, set()).update(evidence.fields)
    ordered = sorted(frame.wanted, key=lambda handle: (handle[0], repr(handle[1])))
    return tuple((handle, tuple(sorted(fields.get(handle[0], ())))) for handle in ordered)


def _frame(machine: Machine, case: Case, facts: Facts, caller: Caller, now: int) -> Frame:
    return Frame(
        arguments={},
        memory=case.memory,
        claims={},
        inputs={
            Input.NOW: now,
            Input.PROPOSER: caller.proposer,
            Input.SUBJECT: Unknown.UNSTATED if caller.subject is None else caller.subject,
            Input.CONFIDENCE: Unknown.UNSTATED,
            Input.CASE: case.key,
        },
        facts=usable(facts, now, machine.fresh_us),
        history=history_of(case),
    )


def _is_there(machine: Machine, case: Case, facts: Facts, now: int) -> bool:
    """Tell whether the source knows the case, and said so lately enough."""
    own = facts.get((case.entity, case.key))
    return own is not None and own.found and own.as_of <= now and not _is_stale(machine, own.as_of, now)


def _is_open(machine: Machine, case: Case, facts: Facts, caller: Caller, now: int) -> bool:
    """Tell whether every forbid that needs no argument is known not to fire."""
    frame = _frame(machine, case, facts, caller, now)
    return all(known(closure_of(screen.condition)(frame)) is False for screen in _screens(machine, case.entity, caller))


def _screens(machine: Machine, entity: str, caller: Caller) -> tuple[Screen, ...]:
    return tuple(
        screen
        for screen in machine.screens
        if screen.about == entity and (not screen.roles or caller.role in screen.roles)
    )


def _is_stale(machine: Machine, as_of: int, now: int) -> bool:
    return machine.fresh_us is not None and now - as_of > machine.fresh_us


def _legal(machine: Machine, case: Case, caller: Caller, now: int, mode: str) -> tuple[Transition, ...]:
    return tuple(
        transition
        for transition in machine.transitions
        if case.state in transition.sources
        and transition.about == case.entity
        and not transition.creates
        and caller.role in transition.by
        and (transition.after_us is None or now - case.entered >= transition.after_us)
        and is_allowed(machine, transition, mode)
        and (not case.human_only or machine.index.roles[caller.role].kind is RoleKind.HUMAN)
    )


def _public_facts(
    machine: Machine, case: Case, facts: Facts, legal: tuple[Transition, ...], role: str, handles: Handles | None
) -> dict[str, Data]:
    """Return the case's own scalar facts that legal transitions read, without unreleased ones.

    What identifies somebody or something is among them only where there are handles for it.
    """
    entity = machine.index.entities[case.entity]
    instance = facts.get((case.entity, case.key))
    read = {f for t in legal for e in t.evidence if e.entity == case.entity for f in e.fields}
    found: dict[str, Data] = {}
    if handles is not None:  # what names the case, where people can't name it themselves
        parts = zip(entity.key, case.key, strict=True)
        found = {f"{entity.name}.{p.name}": shown(machine, p.type, v, handles) for p, v in parts if identifies(p.type)}
    for field in entity.fields:
        value: Value | Unknown = (
            Unknown.MISSING if instance is None else instance.fields.get(field.name, Unknown.MISSING)
        )
        if field.name not in read or isinstance(value, Unknown):
            continue
        if _holds_list(field.type) or (handles is None and identifies(field.type)):
            continue
        if not field.labels or is_released(machine, entity.name, field.name, role):
            found[f"{entity.name}.{field.name}"] = shown(machine, field.type, value, handles)
    return found


def _holds_list(type_: Type) -> bool:
    """Tell whether there is a list in it: how many there are of something tells what else there is."""
    match type_:
        case OptionalType(of):
            return _holds_list(of)
        case RecordType(_, parts):
            return any(_holds_list(part) for _, part in parts)
        case _:
            return isinstance(type_, ListType)
