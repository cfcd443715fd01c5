"""Where the search for missing scenarios starts: worlds taken from accepted decisions, or made of ordinary values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from edca.kernel.expression import History
from edca.kernel.inputs import NORMAL
from edca.kernel.inquiry import Returned
from edca.kernel.machine import ClauseKind
from edca.kernel.verdict import Accepted
from edca.semantic import typed
from edca.semantic.checked import CheckedQuery
from edca.semantic.generate_values import first_of
from edca.semantic.scenario_play import Looked
from edca.semantic.scenario_world import DEFAULT_NOW, World, holder, judge

if TYPE_CHECKING:
    from edca.kernel.machine import Machine
    from edca.semantic.checked import CheckedTransition
    from edca.semantic.generate_search import Search, Trial
    from edca.semantic.scenario_play import Decision

_Place: TypeAlias = "tuple[str, Any, str | None]"  # a part of a world, a key in it, a field of an instance

_Kind: TypeAlias = "tuple[str, str | None, str | None]"  # the same for every instance of an entity

_NEEDED_MAX = 3
_NEVER = -1_000_000
_CONFIDENCE = 9_500  # of 10^4
_ASKING = (ClauseKind.CONFIRM, ClauseKind.SIGN)


def base_of(machine: Machine, decision: Decision | Looked) -> World | None:
    """Return the world of an accepted decision as one that a single step can give; null where it then isn't accepted.

    Who has answered is made up: what counts is that people did. What a query returned stands in its world as it is.
    """
    if isinstance(decision, Looked):
        return decision.world if isinstance(decision.verdict, Returned) else None
    world, verdict = decision.world, decision.verdict
    if not isinstance(verdict, Accepted):
        return None
    answered = {clause.code: True for clause in verdict.clauses if clause.kind in _ASKING and clause.answered_by}
    initial = {slot.name: slot.initial for slot in machine.memory}
    alone = dataclasses.replace(
        world,
        answers={**world.answers, **answered},
        voices=(),
        memory={name: value for name, value in world.memory.items() if initial[name] != value},
        entered=None if world.entered == world.now else world.entered,
        touched=0,
    )
    return alone if isinstance(judge(machine, alone), Accepted) else None


def first_world(machine: Machine, item: CheckedTransition | CheckedQuery, search: Search) -> World:
    """Return a world of ordinary values, in which everything is known that is not a fact."""
    return _first_asked(machine, item) if isinstance(item, CheckedQuery) else _first_proposed(machine, item, search)


def _first_asked(machine: Machine, query: CheckedQuery) -> World:
    return World(
        role=query.by[0],
        principal=holder(query.by[0]),
        transition=query.name,
        arguments={p.name: first_of(p.type, p.name, machine.index.entities) for p in query.parameters},
        subject="somebody",
    )


def _first_proposed(machine: Machine, transition: CheckedTransition, search: Search) -> World:
    entities = machine.index.entities
    # Not who answers, where there is a choice: then the mandate is tried as well.
    roles = [role for role in transition.by if role != transition.answers] or list(transition.by)
    reads = [node for subject in search.subjects.values() for node in subject.reads]
    history = [node for node in reads if isinstance(node, typed.HistoryRead)]
    return World(
        role=roles[0],
        principal=holder(roles[0]),
        transition=transition.offered,
        arguments={p.name: first_of(p.type, p.name, entities) for p in transition.parameters},
        confidence=_CONFIDENCE,
        state=transition.sources[0],
        entered=None if transition.after_us is None else DEFAULT_NOW - transition.after_us,
        subject="somebody",
        proposers={node.name: f"who proposed {node.name}" for node in history if node.history is History.PROPOSER},
        signers={node.name: (f"who answered {node.name}",) for node in history if node.history is History.SIGNERS},
        claims={claim.name: first_of(claim.type, claim.name, entities) for claim in machine.claims},
        answers={clause.code: True for clause in transition.clauses if clause.kind in _ASKING},
    )


def knowing_nothing(world: World) -> World:
    """Return the world without facts, claims, answers, subject, confidence and history."""
    return dataclasses.replace(
        world, facts={}, claims={}, answers={}, subject=None, confidence=None, proposers={}, signers={}
    )


class Pruning:
    """Drops from worlds of one transition or query what makes no difference to them."""

    def __init__(self, search: Search) -> None:
        """Know nothing yet of what is needed."""
        self._search = search
        self._needed: dict[_Kind, int] = {}  # how often it was; `_NEVER` for what was not needed once

    def pruned(self, trial: Trial) -> Trial:
        """Return the trial without the givens that make no difference to it."""
        for place in _given(trial.world):
            kind = _kind(place)
            # What was needed each time before is not asked after again: that would be most of the work.
            if trial.verdict.clauses and self._needed.get(kind, 0) >= _NEEDED_MAX:
                continue
            other = self._search.try_out(_without(trial.world, place))
            same = _same(other, trial)
            if trial.verdict.clauses:
                self._needed[kind] = _NEVER if same else self._needed.get(kind, 0) + 1
            trial = other if same else trial
        return trial


def _kind(place: _Place) -> _Kind:
    part, key, field = place
    return (part, key[0] if part == "facts" else key, field)


def _same(one: Trial, other: Trial) -> bool:
    """Tell whether two trials show the same, and a scenario would say the same of them."""
    # What a query returns needs no look: knowing less makes no value another, only unknown.
    told = [
        (type(trial.verdict), trial.verdict.code, trial.verdict.memory if isinstance(trial.verdict, Accepted) else {})
        for trial in (one, other)
    ]
    return one.seen == other.seen and told[0] == told[1]


def _given(world: World) -> list[_Place]:
    """Return what need not be given, by its place: whole instances before their fields, so that few steps drop much."""
    places: list[_Place] = [(name, None, None) for name in ("subject", "confidence", "entered") if _has(world, name)]
    for part in ("memory", "claims", "answers", "proposers", "signers", "counts"):
        given: Mapping[str, Any] = getattr(world, part)
        places += [(part, name, None) for name in given]
    places += [("mode", None, None)] if world.mode != NORMAL else []
    places += [("facts", handle, None) for handle in world.facts]
    return places + [("facts", handle, field) for handle, fields in world.facts.items() for field in fields]


def _has(world: World, name: str) -> bool:
    return getattr(world, name) is not None


def _without(world: World, place: _Place) -> World:
    part, key, field = place
    changed: dict[str, Any] = {part: NORMAL if part == "mode" else None}
    if key is not None:
        given: Mapping[Any, Any] = getattr(world, part)
        changed[part] = {name: value for name, value in given.items() if name != key}
        if field is not None and key in given:
            left = {name: value for name, value in given[key].items() if name != field}
            changed[part] = {**given, key: left}
    return dataclasses.replace(world, **changed)
