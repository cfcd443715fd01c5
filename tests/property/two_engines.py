"""Both engines on one question: the questions are those of scenarios, disturbed, and of generated specs, made up."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING, Any

import random_decisions
import worlds
from setups import Setup, leaves
from spec_writer import generated

from edca.diagnostics import Source, human
from edca.kernel.candidate import Candidate
from edca.kernel.decide import accepted_plainly, counters_wanted, wanted
from edca.kernel.expression import Constant
from edca.kernel.facts import Instance
from edca.kernel.gate import bind_arguments
from edca.kernel.inputs import HALTED, NORMAL, CounterKey
from edca.kernel.look_up import answer_inquiry
from edca.kernel.values import Unknown, in_bounds, to_raw
from edca.reference.judge import Reference, essence
from edca.reference.queries import answer
from edca.semantic.compile import compile_spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from random import Random

    from edca.kernel.canonical import Data
    from edca.kernel.facts import Facts
    from edca.kernel.inputs import Inputs
    from edca.kernel.inquiry import Inquiry
    from edca.kernel.machine import Machine

DISTURBED_MAX = 4  # things that are changed of one question


@dataclasses.dataclass(frozen=True)
class Engines:
    """One machine, and the reference interpreter of the spec it was compiled from."""

    machine: Machine
    reference: Reference

    def decided(self, setup: Setup) -> Data:
        """The compiled kernel's verdict."""
        return essence(dataclasses.replace(setup, machine=self.machine).decide())

    def judged(self, setup: Setup) -> Data:
        """The reference interpreter's."""
        return essence(self.reference.judge(setup.case, setup.candidate, setup.inputs))

    def differ(self, setup: Setup) -> str | None:
        """Return in what the two verdicts differ, or null where they are the same."""
        decided, judged = self.decided(setup), self.judged(setup)
        self._check_plain(setup, decided)
        if decided == judged:
            return None
        assert isinstance(decided, dict) and isinstance(judged, dict)
        names = [name for name in decided if decided[name] != judged.get(name)]
        return "\n".join(f"{name}: compiled {decided[name]!r}, reference {judged.get(name)!r}" for name in names)

    def answers(self, asked: Asked) -> tuple[Data, Data]:
        """What the compiled kernel and the reference interpreter answer to an inquiry."""
        compiled = answer_inquiry(self.machine, asked.inquiry, asked.inputs)
        return essence(compiled), essence(answer(self.reference, asked.inquiry, asked.inputs))

    def _check_plain(self, setup: Setup, decided: Data) -> None:
        """An acceptance in one pass is `decide`'s, wants nothing more, and has asked for each counter it rests on."""
        asked = _CountersAsked(setup.inputs.used)
        inputs = dataclasses.replace(setup.inputs, used=asked)
        plain = accepted_plainly(self.machine, setup.case, setup.candidate, inputs)
        if plain is None:
            return
        whole = (self.machine, setup.case, setup.candidate, setup.inputs)
        assert essence(plain) == decided
        assert wanted(*whole) == ()
        assert asked.keys_asked == {key for key, _ in counters_wanted(*whole)}


@dataclasses.dataclass(frozen=True)
class Asked:
    """An inquiry, with all that its answer depends on."""

    inquiry: Inquiry
    inputs: Inputs


class _CountersAsked(dict[CounterKey, int]):
    """What counters hold, and which of them were asked for."""

    def __init__(self, used: Mapping[CounterKey, int]) -> None:
        super().__init__(used)
        self.keys_asked: set[CounterKey] = set()

    def get(self, key: CounterKey, default: Any = None) -> Any:
        self.keys_asked.add(key)
        return super().get(key, default)


@cache
def engines_of(path: Path) -> Engines:
    """The two engines of a spec of the repository."""
    found = worlds.compiled(path)
    assert found.machine is not None and found.checked is not None
    return Engines(found.machine, Reference(found.checked, found.machine.digest))


def written(seed: int, size: int = 2) -> tuple[str, Engines]:
    """A spec that chance wrote, and its two engines."""
    text = generated(seed, size).written.text
    return text, engines_for(text)


def engines_for(text: str) -> Engines:
    """The two engines of a spec's text."""
    found = compile_spec(Source("generated", text))
    assert found.machine is not None and found.checked is not None, human(found.diagnostics)
    return Engines(found.machine, Reference(found.checked, found.machine.digest))


def made_up(engines: Engines, random: Random, count: int) -> Iterator[Setup]:
    """So many questions about every transition, with values of the right types and much unknown."""
    for transition in engines.machine.transitions:
        for _ in range(count):
            yield random_decisions.decision(random, engines.machine, transition)


def inquiries(engines: Engines, random: Random, count: int) -> Iterator[Asked]:
    """So many inquiries of every query, made up likewise."""
    for query in engines.machine.queries:
        for _ in range(count):
            yield Asked(*random_decisions.inquiry(random, engines.machine, query))


def disturbed_inquiry(machine: Machine, asked: Asked, random: Random) -> Asked:
    """The same inquiry with a few things in it changed, each to something that could stand there."""
    inquiry, inputs = asked.inquiry, asked.inputs
    for _ in range(random.randint(1, DISTURBED_MAX)):
        accounts = [principal.id for principal in inputs.roster.principals]
        query = machine.index.queries.get(inquiry.query)
        match random.randrange(10):
            case 0:
                inquiry = dataclasses.replace(inquiry, proposer=random.choice([*accounts, "nobody"]))
            case 1:
                inquiry = dataclasses.replace(inquiry, subject=random.choice([None, "k1", *accounts]))
            case 2 if query is not None and query.parameters:
                parameter = random.choice(query.parameters)
                value = random_decisions.value_of(random, parameter.type, machine)
                raw = random.choice([to_raw(parameter.type, value, machine.index.entities), None, "", -1])
                inquiry = dataclasses.replace(inquiry, arguments={**inquiry.arguments, parameter.name: raw})
            case 3:
                now = inputs.now + random.choice([-(10**12), -1, 1, 10**9, 10**12])
                mode = random.choice([NORMAL, NORMAL, HALTED, "nowhere", *machine.index.modes])
                inputs = dataclasses.replace(inputs, now=now, mode=mode)
            case 4:
                roster = random_decisions.disturbed_roster(random, inputs.roster)
                inputs = dataclasses.replace(inputs, roster=roster)
            case number:
                facts = _another_fact if number < 9 else _another_instance
                inputs = dataclasses.replace(inputs, facts=facts(machine, inputs.facts, random))
    return Asked(inquiry, inputs)


def disturbed(setup: Setup, random: Random) -> Setup:
    """The same question with a few things in it changed, each to something that could stand there."""
    changes = (_fact, _fact, _fact, _instance, _argument, _argument, _case, _memory, _caller, _inputs, _attestations)
    for _ in range(random.randint(1, DISTURBED_MAX)):
        setup = random.choice(changes)(setup, random)
    return random_decisions.answering(random, setup) if random.random() < 0.7 else setup


def at_the_edge(setup: Setup) -> Iterator[Setup]:
    """The same question with one number a fact at a time set to where a comparison with others may just turn."""
    (branch,) = setup.machine.index.offered[setup.candidate.transition]  # type: ignore[union-attr]  # no branches here
    lets = {let.name: let.value for let in branch.lets}
    written = {
        part.value
        for read in (*(clause.condition for clause in branch.clauses), *lets.values())
        for part in leaves(read)
        if isinstance(part, Constant) and type(part.value) is int
    }
    known = [
        (handle, name, value)
        for handle, item in setup.inputs.facts.items()
        for name, value in item.fields.items()
        if type(value) is int
    ]
    arguments = bind_arguments(setup.machine, branch, setup.candidate)  # type: ignore[arg-type]
    numbers = {setup.inputs.now, *written, *(value for _, _, value in known)}
    numbers |= {value for value in (*arguments.values(), *setup.case.memory.values()) if type(value) is int}  # type: ignore[union-attr]
    edges = sorted({*numbers, *(a + b for a in numbers for b in numbers), *(a - b for a in numbers for b in numbers)})
    for handle, name, _ in known:
        for edge in edges:
            yield setup.with_fact(handle, name, edge)
    for parameter in branch.parameters:
        for edge in edges:
            if type(arguments[parameter.name]) is int and in_bounds(parameter.type, edge):
                raw = to_raw(parameter.type, edge, setup.machine.index.entities)
                yield setup.with_arguments(**{parameter.name: raw})


def _fact(setup: Setup, random: Random) -> Setup:
    return setup.with_inputs(facts=_another_fact(setup.machine, setup.inputs.facts, random))


def _another_fact(machine: Machine, facts: Facts, random: Random) -> Facts:
    """The facts with one field of one instance unknown, or another value of its type."""
    known = [(handle, name) for handle, item in facts.items() for name in item.fields]
    if not known:
        return facts
    handle, name = random.choice(known)
    type_ = machine.index.entities[handle[0]].field(name).type
    unknown = random.random() < 0.3
    value = random.choice(list(Unknown)) if unknown else random_decisions.value_of(random, type_, machine)
    item = facts[handle]
    return {**facts, handle: dataclasses.replace(item, fields={**item.fields, name: value})}


def _instance(setup: Setup, random: Random) -> Setup:
    return setup.with_inputs(facts=_another_instance(setup.machine, setup.inputs.facts, random))


def _another_instance(machine: Machine, facts: Facts, random: Random) -> Facts:
    """The facts with one instance gone, of another age, in another state, or erased."""
    if not facts:
        return facts
    handle = random.choice(list(facts))
    old = facts[handle]
    stale = dataclasses.replace(old, as_of=old.as_of + random.choice([-(10**13), -(10**9), 10**6]))
    states = list(machine.index.states)
    mapped = dataclasses.replace(old, state=random.choice([*states, Unknown.DRIFT, None]), mapped=tuple(states))
    erased = dataclasses.replace(old, found=False, state=Unknown.ERASED)
    chosen: Instance | None = random.choice([None, stale, mapped, erased])
    rest = {other: item for other, item in facts.items() if other != handle}
    return rest if chosen is None else {**rest, handle: chosen}


def _argument(setup: Setup, random: Random) -> Setup:
    assert isinstance(setup.candidate, Candidate)
    offered = setup.machine.index.offered.get(setup.candidate.transition, ())
    if not offered or not offered[0].parameters:
        return setup
    parameter = random.choice(offered[0].parameters)
    value = random_decisions.value_of(random, parameter.type, setup.machine)
    raw = to_raw(parameter.type, value, setup.machine.index.entities)
    given = setup.candidate.arguments.get(parameter.name)
    more = [*given, *raw] if isinstance(given, (list, tuple)) and isinstance(raw, list) else raw
    return setup.with_arguments(**{parameter.name: random.choice([raw, raw, more, more, None, "", -1])})


def _case(setup: Setup, random: Random) -> Setup:
    if setup.case is None:
        return setup
    case = setup.case
    people = ("the customer", "k1", *(principal.id for principal in setup.inputs.roster.principals))
    return random.choice(
        [
            setup.with_case(state=random.choice(list(setup.machine.index.states))),
            setup.with_case(revision=case.revision + 1),
            setup.with_case(entered=case.entered - random.choice([0, 10**9, 10**12, 10**13])),
            setup.with_case(touched=setup.inputs.now + random.choice([-1, 0, 1])),
            setup.with_case(pending=random.choice([None, b"pending"])),
            setup.with_case(machine=random.choice([case.machine, b"another"])),
            setup.with_case(proposers={name: random.choice(people) for name in setup.machine.index.offered}),
            dataclasses.replace(setup, case=None),
        ]
    )


def _memory(setup: Setup, random: Random) -> Setup:
    if setup.case is None or not setup.machine.memory:
        return setup
    slot = random.choice(setup.machine.memory)
    value = random_decisions.value_of(random, slot.type, setup.machine)
    return setup.with_case(memory={**setup.case.memory, slot.name: value})


def _caller(setup: Setup, random: Random) -> Setup:
    roster = setup.inputs.roster
    principal = random.choice(roster.principals)
    roles = [*principal.roles, random.choice(list(setup.machine.index.roles)), "nobody"]  # held, or perhaps not
    return random.choice(
        [
            setup.with_candidate(subject=random.choice([None, "k1", principal.id])),
            setup.with_candidate(confidence=random.choice([None, 0, 8_499, 8_500, 10_000])),
            setup.with_candidate(proposer=principal.id, role=random.choice(roles)),
            setup.with_candidate(model=random.choice([None, "another", principal.model])),
            setup.with_candidate(transition=random.choice([*setup.machine.index.offered, "nothing"])),
            setup.with_inputs(roster=dataclasses.replace(roster, mandates=())),
            setup.with_inputs(roster=random_decisions.disturbed_roster(random, roster)),
        ]
    )


def _inputs(setup: Setup, random: Random) -> Setup:
    now = setup.inputs.now
    return random.choice(
        [
            setup.with_inputs(now=now + random.choice([-(10**12), -1, 1, 10**9, 10**12])),
            setup.with_inputs(mode=random.choice([NORMAL, HALTED, "nowhere", *setup.machine.index.modes])),
            setup.with_inputs(key_used_by=random.choice([None, b"another"])),
            setup.with_inputs(used={key: random.randint(0, 30) for key in setup.inputs.used}),
            setup.with_inputs(used={}),
            setup.with_inputs(mandate_uses={m.id: random.randint(0, 2) for m in setup.inputs.roster.mandates}),
            setup.with_inputs(overloaded=True),
        ]
    )


def _attestations(setup: Setup, random: Random) -> Setup:
    said = list(setup.inputs.attestations)
    if not said:
        return setup
    index = random.randrange(len(said))
    one = said[index]
    people = [principal.id for principal in setup.inputs.roster.principals]
    changed = random.choice(
        [
            dataclasses.replace(one, at=one.at + random.choice([-(10**12), -(10**9), 1])),
            dataclasses.replace(one, by=random.choice([*people, "somebody"])),
            dataclasses.replace(one, value=False if one.value is True else one.value),
        ]
    )
    more = random.choice([[], [changed], [one, changed]])
    return setup.with_inputs(attestations=(*said[:index], *more, *said[index + 1 :]))
