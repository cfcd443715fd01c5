"""Small steps from a world: worlds that differ in one thing that a subject reads, in one fixed order."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import CONFIDENCE_SCALE
from edca.kernel.decide import wanted
from edca.kernel.expression import History, Input
from edca.kernel.look_up import inquiry_wants
from edca.kernel.machine import ClauseKind
from edca.kernel.types import (
    BoolType,
    DecimalType,
    DurationType,
    EnumType,
    IntType,
    OptionalType,
    PrincipalType,
    TimeType,
    Type,
)
from edca.kernel.values import Unknown, Value
from edca.semantic import typed
from edca.semantic.generate_values import Pool, changes, first_of
from edca.semantic.scenario_world import branches, candidate_of, case_of, inputs_of, inquiry_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.facts import Handle
    from edca.kernel.machine import Machine
    from edca.semantic.generate_subject import Subject
    from edca.semantic.scenario_world import World

_ROUNDS_MAX = 20
_CONFIDENCE = DecimalType(CONFIDENCE_SCALE, 0, 10**CONFIDENCE_SCALE)
_SOMEBODY = "somebody else"


class Steps:
    """Makes worlds of one machine's transition or query out of others."""

    def __init__(self, machine: Machine, offered: str) -> None:
        """Take the machine, and what the worlds' candidates or inquiries ask for."""
        self._machine = machine
        self._entities = machine.index.entities
        key_types = {type(part.type) for entity in machine.entities for part in entity.key}
        plain = {BoolType, DecimalType, DurationType, EnumType, IntType} - key_types
        # A value of these types leads to no other instance, unless it leads to another branch.
        self._leading_nowhere = plain if len(branches(machine, offered)) <= 1 else set()

    def around(self, world: World, subject: Subject, pool: Pool) -> Iterator[World]:
        """Yield worlds that differ in one thing that bears on the subject."""
        if subject.kind in (ClauseKind.CONFIRM, ClauseKind.SIGN):
            yield from self.answers(world, subject.name)
        if subject.kind is ClauseKind.LIMIT:
            yield from self._counts(world, subject.name, pool)
        for node in subject.reads:
            match node:
                case typed.ArgumentRead(name, type_) if name in world.arguments:
                    for value in changes(type_, world.arguments[name], pool, self._entities):
                        yield self._changed(_with(world, arguments={**world.arguments, name: value}), type_)
                case typed.MemoryRead(name, type_):
                    now = world.memory.get(name, self._machine.index.memory[name].initial)
                    for value in changes(type_, now, pool, self._entities):
                        yield self._changed(_with(world, memory={**world.memory, name: value}), type_)
                case typed.ClaimRead(name, type_):
                    yield from self._claim(world, name, type_, pool)
                case typed.InputRead(input_):
                    yield from self._input(world, input_, pool)
                case typed.HistoryRead(history, name):
                    yield from self._history(world, history, name, pool)
                case typed.FactRead(_, entity, field, None):
                    yield from self._fact(world, entity, field, pool)
                case _:
                    pass

    def answers(self, world: World, code: str) -> Iterator[World]:
        """Yield the world with a yes, with a no, and without an answer to the clause."""
        for answer in (True, False):
            yield _with(world, answers={**world.answers, code: answer})
        yield _with(world, answers={k: v for k, v in world.answers.items() if k != code})

    def _counts(self, world: World, code: str, pool: Pool) -> Iterator[World]:
        """Yield worlds in which the counter stands where the limit turns: just full, and just over."""
        start = world.counts.get(code, 0)
        around = [start, *(start + sign * gap for gap in pool.gaps for sign in (1, -1)), *pool.numbers]
        near = dict.fromkeys(number + step for number in around for step in (0, 1, -1))
        for number in near:
            if number >= 0 and number != start:
                yield _with(world, counts={**world.counts, code: number})

    def _claim(self, world: World, name: str, type_: Type, pool: Pool) -> Iterator[World]:
        start = first_of(type_, name, self._entities)
        if name not in world.claims:
            yield _with(world, claims={**world.claims, name: start})
        for value in changes(type_, world.claims.get(name, start), pool, self._entities):
            yield self._changed(_with(world, claims={**world.claims, name: value}), type_)
        yield _with(world, claims={k: v for k, v in world.claims.items() if k != name})

    def _input(self, world: World, input_: Input, pool: Pool) -> Iterator[World]:
        match input_:
            case Input.NOW:
                for now in changes(TimeType(), world.now, pool, self._entities):
                    if isinstance(now, int) and now >= 0:  # mandates begin with 1970
                        yield _with(world, now=now)
            case Input.SUBJECT:
                for subject in changes(PrincipalType(""), world.subject, pool, self._entities):
                    yield self._changed(_with(world, subject=subject), PrincipalType(""))
                yield _with(world, subject=None)
            case Input.CONFIDENCE:
                for confidence in changes(_CONFIDENCE, world.confidence or 0, pool, self._entities):
                    yield _with(world, confidence=confidence)
                yield _with(world, confidence=None)
            case Input.PROPOSER:
                for principal in changes(PrincipalType(""), world.principal, pool, self._entities):
                    yield self._changed(_with(world, principal=principal), PrincipalType(""))
            case Input.CASE:
                return  # the case follows from the arguments

    def _history(self, world: World, history: History, name: str, pool: Pool) -> Iterator[World]:
        people = [text for text in dict.fromkeys((_SOMEBODY, world.principal, *pool.texts)) if text]
        match history:
            case History.PROPOSER:
                for person in people:
                    yield _with(world, proposers={**world.proposers, name: person})
                yield _with(world, proposers={k: v for k, v in world.proposers.items() if k != name})
            case History.SIGNERS:
                for person in people:
                    yield _with(world, signers={**world.signers, name: (person,)})
                yield _with(world, signers={**world.signers, name: ()})
                yield _with(world, signers={k: v for k, v in world.signers.items() if k != name})

    def _fact(self, world: World, entity: str, field: str, pool: Pool) -> Iterator[World]:
        type_ = self._entities[entity].field(field).type
        for handle in [handle for handle in world.facts if handle[0] == entity]:
            value = world.facts[handle].get(field, Unknown.MISSING)
            if isinstance(value, Unknown):
                start = first_of(type_, field, self._entities)
                for first in (start, *changes(type_, start, pool, self._entities)):
                    yield self._changed(with_fact(world, handle, field, first), type_)
                continue
            for other in changes(type_, value, pool, self._entities):
                yield self._changed(with_fact(world, handle, field, other), type_)
            yield without_fact(world, handle, field)

    def _changed(self, world: World, type_: Type) -> World:
        plain = type_.of if isinstance(type_, OptionalType) else type_
        return world if type(plain) in self._leading_nowhere else self.complete(world)

    def complete(self, world: World) -> World:
        """Return the world with every instance in it that the decision now reads: copies of those there are."""
        for _ in range(_ROUNDS_MAX):
            lacking = self._lacking(world)
            if not lacking:
                return world
            facts = dict(world.facts)
            for handle, names in lacking:
                facts[handle] = self._instance(world, handle, names)
            world = _with(world, facts=facts)
        return world

    def _lacking(self, world: World) -> tuple[tuple[Handle, tuple[str, ...]], ...]:
        machine, inputs = self._machine, inputs_of(self._machine, world)
        if world.transition in machine.index.queries:
            return inquiry_wants(machine, inquiry_of(machine, world), inputs)
        candidate = candidate_of(machine, world)
        return wanted(machine, case_of(machine, world, candidate), candidate, inputs)

    def _instance(self, world: World, handle: Handle, names: tuple[str, ...]) -> Mapping[str, Value | Unknown]:
        entity = self._entities[handle[0]]
        like = next((fields for other, fields in world.facts.items() if other[0] == handle[0]), None)
        if like is not None:
            return like
        return {name: first_of(entity.field(name).type, name, self._entities) for name in names}


def _with(world: World, **changed: Any) -> World:
    return dataclasses.replace(world, **changed)


def with_fact(world: World, handle: Handle, field: str, value: Value | Unknown) -> World:
    """Return the world with one field of an instance changed."""
    return _with(world, facts={**world.facts, handle: {**world.facts[handle], field: value}})


def without_fact(world: World, handle: Handle, field: str) -> World:
    """Return the world without one field of an instance."""
    fields = {name: value for name, value in world.facts[handle].items() if name != field}
    return _with(world, facts={**world.facts, handle: fields})
