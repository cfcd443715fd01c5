"""Views: everything a model may see of a case, computed from the spec's public part and abstract values alone.

A case that does not exist, one that isn't the subject's, and one a `forbid` closes give the same view: nothing is
possible here. So looking tells no more than trying.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from edca.kernel.calendar import time_text
from edca.kernel.decide import usable
from edca.kernel.evaluate import Frame, closure_of, known
from edca.kernel.expression import Input
from edca.kernel.types import ListType, OptionalType, PrincipalType, RecordType, ReferenceType, TimeType, Type
from edca.kernel.values import Unknown, Value, to_raw
from edca.semantic.relations import plain
from edca.semantic.schema import parameters_schema

if TYPE_CHECKING:
    from edca.kernel.candidate import Caller
    from edca.kernel.canonical import Data
    from edca.kernel.facts import Facts, Handle
    from edca.kernel.inputs import Case
    from edca.kernel.machine import Machine, Transition


@dataclass(frozen=True, slots=True)
class Offer:
    """One transition that is legal now for the one who looks: its name, its meaning, its arguments as JSON Schema."""

    name: str
    means: str
    arguments: dict[str, Data]


@dataclass(frozen=True, slots=True)
class View:
    """What a model sees of a case. `state` is null where nothing is possible."""

    machine: str
    state: str | None
    meaning: str
    revision: int | None
    memory: dict[str, Data]
    facts: dict[str, Data]
    offers: tuple[Offer, ...]

    def to_raw(self) -> dict[str, Data]:
        """Return the view as JSON data."""
        return {
            "machine": self.machine,
            "state": self.state,
            "meaning": self.meaning,
            "revision": self.revision,
            "memory": self.memory,
            "facts": self.facts,
            "transitions": [{"name": o.name, "means": o.means, "arguments": o.arguments} for o in self.offers],
        }


def view(machine: Machine, case: Case | None, facts: Facts, caller: Caller, now: int) -> View:
    """Return what `caller` may see. `facts` hold what `view_wants` asked for."""
    if case is None or not _is_open(machine, case, facts, caller, now):
        return View(machine.name, None, "Nothing is possible here.", None, {}, {}, ())
    state = machine.index.states[case.state]
    legal = () if case.pending is not None else _legal(machine, case, caller)
    return View(
        machine=machine.name,
        state=state.name,
        meaning=state.text,
        revision=case.revision,
        memory={slot.name: _shown(machine, slot.type, case.memory[slot.name]) for slot in machine.memory},
        facts=_public_facts(machine, case, facts, legal),
        offers=tuple(Offer(t.name, t.text, parameters_schema(machine, t.parameters)) for t in legal),
    )


def creation_view(machine: Machine, caller: Caller) -> View:
    """Return what may be proposed where there is no case yet: the transitions that create one."""
    starts = {machine.index.initial[t.about]: t for t in machine.transitions if t.creates and caller.role in t.by}
    offers = tuple(Offer(t.name, t.text, parameters_schema(machine, t.parameters)) for t in starts.values())
    state = next(iter(starts), None)
    meaning = "Nothing is possible here." if state is None else machine.index.states[state].text
    return View(machine.name, state, meaning, None, {}, {}, offers)


def view_wants(
    machine: Machine, case: Case, facts: Facts, caller: Caller, now: int
) -> tuple[tuple[Handle, tuple[str, ...]], ...]:
    """Return the instances, with the fields to read, that a view of the case needs and `facts` lacks."""
    frame = _frame(machine, case, facts, caller, now)
    for screen in machine.screens:
        if screen.about == case.entity:
            closure_of(screen.condition)(frame)
    own = (case.entity, case.key)
    if own not in facts:
        frame.wanted.add(own)
    fields: dict[str, set[str]] = {}
    screens = [screen.evidence for screen in machine.screens if screen.about == case.entity]
    for evidence in chain(*screens, *(transition.evidence for transition in _legal(machine, case, caller))):
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
    )


def _is_open(machine: Machine, case: Case, facts: Facts, caller: Caller, now: int) -> bool:
    """Tell whether every forbid that needs no argument is known not to fire, and the source knows the case."""
    own = facts.get((case.entity, case.key))
    if own is None or not own.found or own.as_of > now or _is_stale(machine, own.as_of, now):
        return False
    frame = _frame(machine, case, facts, caller, now)
    screens = [screen for screen in machine.screens if screen.about == case.entity]
    return all(known(closure_of(screen.condition)(frame)) is False for screen in screens)


def _is_stale(machine: Machine, as_of: int, now: int) -> bool:
    return machine.fresh_us is not None and now - as_of > machine.fresh_us


def _legal(machine: Machine, case: Case, caller: Caller) -> tuple[Transition, ...]:
    return tuple(
        transition
        for transition in machine.transitions
        if case.state in transition.sources
        and transition.about == case.entity
        and not transition.creates
        and caller.role in transition.by
    )


def _public_facts(machine: Machine, case: Case, facts: Facts, legal: tuple[Transition, ...]) -> dict[str, Data]:
    """Return the case's own scalar facts that legal transitions read, without labelled and identifying ones."""
    entity = machine.index.entities[case.entity]
    instance = facts.get((case.entity, case.key))
    read = {f for t in legal for e in t.evidence if e.entity == case.entity for f in e.fields}
    found: dict[str, Data] = {}
    for field in entity.fields:
        value: Value | Unknown = (
            Unknown.MISSING if instance is None else instance.fields.get(field.name, Unknown.MISSING)
        )
        if field.name not in read or field.labels or _is_hidden(field.type) or isinstance(value, Unknown):
            continue
        found[f"{entity.name}.{field.name}"] = _shown(machine, field.type, value)
    return found


def _shown(machine: Machine, type_: Type, value: Value) -> Data:
    """Return a value as a model reads it: times as text, everything else in its raw form."""
    if isinstance(plain(type_), TimeType) and isinstance(value, int):
        return time_text(value)
    return to_raw(type_, value, machine.index.entities)


def _is_hidden(type_: Type) -> bool:
    """Tell whether values of the type may say who somebody is or what else there is: lists count as that."""
    match type_:
        case OptionalType(of):
            return _is_hidden(of)
        case RecordType(_, parts):
            return any(_is_hidden(part) for _, part in parts)
        case _:
            return isinstance(type_, (PrincipalType, ReferenceType, ListType))
