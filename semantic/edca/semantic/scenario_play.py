"""Playing a scenario: a world that is carried from step to step, and what each step makes of it.

Cases move by the kernel's own rule (`edca.kernel.movement`). What the kernel leaves to its store is kept here: the
time, the facts, what people have said, and what the limits have counted.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, assert_never

from edca.kernel.counting import Counter, Passage, Standing, ends_at, limit_of, scale_of
from edca.kernel.inputs import NORMAL
from edca.kernel.look_up import answer_inquiry
from edca.kernel.movement import begun, completed, failed, timed_out
from edca.kernel.values import TIME_MAX, TIME_MIN, Unknown, Value
from edca.kernel.verdict import Accepted, Escalated, Verdict
from edca.semantic.scenario_read import Answers, Asks, Happened, Happens, Proposes, ReadStep
from edca.semantic.scenario_world import (
    DEFAULT_NOW,
    NEW,
    Voice,
    World,
    answer_of,
    candidate_of,
    case_of,
    inputs_of,
    inquiry_of,
    made_up_answers,
    question_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edca.kernel.candidate import Candidate
    from edca.kernel.facts import Handle
    from edca.kernel.inputs import Case, CounterKey
    from edca.kernel.inquiry import QueryVerdict
    from edca.kernel.machine import Machine, Window
    from edca.semantic.scenario_givens import Givens
    from edca.semantic.scenario_world import Question

_Movement: TypeAlias = "Callable[[Machine, Case, Candidate, Accepted, int], Case | None]"

_UNRESOLVED = b"scenario"  # stands for the record whose effects nobody can tell the outcome of


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of a scenario: the world it was made in, what was asked, and the verdict."""

    world: World
    question: Question
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of asking a query: the world it was asked in, and the verdict."""

    world: World
    verdict: QueryVerdict


def look_up(machine: Machine, world: World) -> Looked:
    """Return what comes of the query that is asked in the world."""
    return Looked(world, answer_inquiry(machine, inquiry_of(machine, world), inputs_of(machine, world)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an effect: the transition it belongs to (its id), and the edge that was taken, if one was."""

    transition: str
    happened: Happened
    edge: bool


@dataclass(frozen=True, slots=True)
class Played:
    """What one step came to: a decision, what a query gave, or the outcome of an effect; none where nothing could.

    `state` and `memory` are those of the case afterwards, null where there is none. `idle` says why nothing happened.
    """

    decision: Decision | None
    outcome: Outcome | None
    state: str | None
    memory: Mapping[str, Value] | None
    idle: str | None = None
    looked: Looked | None = None


@dataclass(slots=True)
class _UnderWay:
    """An acceptance whose effects have no outcome yet; those before `place` have succeeded."""

    before: Case
    candidate: Candidate
    verdict: Accepted
    since: int
    decided: int
    place: int = 0


@dataclass(frozen=True, slots=True)
class _Reading:
    """A counter that a decision reads: its window, and the scale of its limit's numbers."""

    window: Window
    scale: int


class Play:
    """The world of one scenario, from its first step on."""

    def __init__(self, machine: Machine) -> None:
        """Begin with nothing given."""
        self._machine = machine
        self._now = DEFAULT_NOW
        self._started: int | None = None
        self._subject: str | None = None
        self._mode = NORMAL
        self._facts: dict[Handle, Mapping[str, Value | Unknown]] = {}
        self._claims: dict[str, Value] = {}
        self._voices: list[Voice] = []
        self._cases: dict[Handle, Case] = {}
        self._counted: dict[CounterKey, Counter] = {}
        self._decided = 0  # numbers the decisions, as records would
        self._created = 0
        self._open: World | None = None
        self._under_way: _UnderWay | None = None
        self._at: Handle | None = None  # the case that the last candidate was about

    def step(self, step: ReadStep) -> Played:
        """Take one step."""
        match step.event:
            case Proposes():
                return self._propose(step, step.event)
            case Asks():
                return self._ask(step, step.event)
            case Answers():
                return self._answer(step, step.event)
            case Happens():
                return self._happen(step, step.event)
            case _:
                assert_never(step.event)

    # --- givens ------------------------------------------------------------------------------------------------------

    def _take(self, parts: tuple[Givens, ...], offered: str) -> _OfCase:
        """Take the givens in, let time pass, and return what they say of the case."""
        said = _OfCase()
        for givens in parts:
            self._now = self._now if givens.now is None else givens.now
            self._started = self._now if self._started is None else self._started
            self._subject = self._subject if givens.subject is None else givens.subject
            self._mode = self._mode if givens.mode is None else givens.mode
            self._claims |= givens.claims
            for handle, fields in givens.facts.items():
                self._facts[handle] = {**self._facts.get(handle, {}), **fields}
            for code, yes in givens.answers.items():
                self._voices += made_up_answers(self._machine, offered, code, yes, self._now)
            said.add(givens, self._now)
            self._now = max(TIME_MIN, min(self._now + givens.wait_us, TIME_MAX))
        return said

    def _changed(self, case: Case, said: _OfCase) -> Case:
        """Return the case as the givens have it."""
        state = case.state if said.state is None else said.state
        entered = said.entered
        if entered is None:
            entered = case.entered if said.state is None else said.state_at
        return dataclasses.replace(
            case,
            state=state,
            entered=entered,
            memory={**case.memory, **said.memory},
            proposers={**case.proposers, **said.proposers},
            signers={**case.signers, **said.signers},
        )

    # --- what happens ------------------------------------------------------------------------------------------------

    def _propose(self, step: ReadStep, event: Proposes) -> Played:
        self._succeed()
        self._voices = []  # a yes to one candidate is none to the next
        said = self._take(step.givens, event.transition)
        template = World(
            role=event.role,
            principal=event.principal,
            transition=event.transition,
            arguments=event.arguments,
            confidence=event.confidence,
            allotted=NEW if self._created == 0 else f"{NEW}-{self._created + 1}",
        )
        return self._decide(template, said)

    def _ask(self, step: ReadStep, event: Asks) -> Played:
        """Look something up: no case moves by it, nothing is counted, and what was left open stays open."""
        self._take(step.givens, "")
        asked = World(role=event.role, principal=event.principal, transition=event.query, arguments=event.arguments)
        facts = dict(self._facts)
        world = dataclasses.replace(asked, now=self._now, mode=self._mode, subject=self._subject, facts=facts)
        return dataclasses.replace(self._played(), looked=look_up(self._machine, world))

    def _answer(self, step: ReadStep, event: Answers) -> Played:
        said = self._take(step.givens, event.transition)
        if self._open is None:
            return self._idle("no candidate is open: the step before left nothing to answer")
        self._voices.append(Voice(event.code, event.yes, event.principal, event.role, self._now))
        return self._decide(self._open, said)

    def _decide(self, template: World, said: _OfCase) -> Played:
        world = dataclasses.replace(
            template,
            now=self._now,
            mode=self._mode,
            subject=self._subject,
            facts=dict(self._facts),
            claims=dict(self._claims),
            voices=tuple(self._voices),
        )
        candidate = candidate_of(self._machine, world)
        fresh = case_of(self._machine, dataclasses.replace(world, entered=self._started), candidate)
        if fresh is not None:
            self._at = (fresh.entity, fresh.key)
            case = self._changed(self._cases.get(self._at, fresh), said)
            self._cases[self._at] = case
            world = _with_case(world, case)
        question = question_of(self._machine, dataclasses.replace(world, counts=said.counts))
        counts = self._counts(question, said)
        world = dataclasses.replace(world, counts=counts)
        question = question_of(self._machine, world)
        verdict = answer_of(self._machine, question)
        # What somebody has answered stays what they were shown, whatever the world is like later.
        self._voices = [
            v if v.at_once else dataclasses.replace(v, shown=v.shown or question.shown) for v in self._voices
        ]
        self._apply(template, question, verdict)
        return self._played(decision=Decision(world, question, verdict))

    def _counts(self, question: Question, said: _OfCase) -> dict[str, int]:
        """Return by code what each counter that the decision reads stands at; a given one stands there from now on."""
        counts: dict[str, int] = {}
        self._decided += 1
        for key, reading in self._readings(question).items():
            if key[1] in said.counts:
                amount, at = said.counts[key[1]], said.counted_at[key[1]]
                self._counted[key] = Counter(at, (Passage(at, amount, reading.scale, 0, Standing.USED),))
            counter = self._counted.get(key, Counter())
            counts[key[1]] = counter.sum(reading.window, reading.scale, self._now, question.candidate.digest) or 0
        return counts

    def _readings(self, question: Question) -> dict[CounterKey, _Reading]:
        limits = {key: (window, limit_of(self._machine, key[0], key[1])) for key, window in question.counters}
        return {key: _Reading(window, scale_of(limit.type)) for key, (window, limit) in limits.items() if limit}

    def _apply(self, template: World, question: Question, verdict: Verdict) -> None:
        """Move the case and the counters as the kernel's store would."""
        case, candidate = question.case, question.candidate
        self._open = template if isinstance(verdict, Escalated) else None
        if case is None or self._at is None:
            return
        case = dataclasses.replace(case, touched=max(case.touched, self._now))
        self._cases[self._at] = case
        self._count(question, verdict)
        if not isinstance(verdict, Accepted):
            return
        self._created += self._machine.index.transitions[verdict.transition].creates
        if verdict.intents:
            self._under_way = _UnderWay(case, candidate, verdict, self._now, self._decided)
        else:
            self._cases[self._at] = completed(self._machine, case, candidate, verdict, self._now)

    def _count(self, question: Question, verdict: Verdict) -> None:
        """Move the counters by a verdict; what this candidate held reserved before is released first."""
        digest = question.candidate.digest
        self._counted = {key: counter.without(digest) for key, counter in self._counted.items()}
        if not isinstance(verdict, (Accepted, Escalated)):
            return
        escalated = isinstance(verdict, Escalated)
        expires = ends_at(self._machine, verdict, self._now) if isinstance(verdict, Escalated) else None
        certain = isinstance(verdict, Accepted) and not verdict.intents
        standing = Standing.USED if certain else Standing.RESERVED
        holder = digest if escalated else None
        keys = {key[1]: (key, reading) for key, reading in self._readings(question).items()}
        for move in verdict.moves:
            key, reading = keys[move.code]
            passage = Passage(self._now, move.amount, reading.scale, self._decided, standing, expires, holder)
            self._counted[key] = self._counted.get(key, Counter()).with_passage(passage, reading.window)

    # --- effects -----------------------------------------------------------------------------------------------------

    def _happen(self, step: ReadStep, event: Happens) -> Played:
        said = self._take(step.givens, "")
        going = self._under_way
        if going is not None:
            going.before = self._changed(going.before, said)
        names = [] if going is None else [intent.effect for intent in going.verdict.intents]
        if going is None or event.effect not in names[going.place :]:
            return self._idle(f"`{event.effect}` is not under way")
        place = names.index(event.effect, going.place)
        transition = self._machine.index.transitions[going.verdict.transition]
        edge = False
        match event.happened:
            case Happened.SUCCEEDED:
                going.place = place + 1
                if going.place == len(names):
                    self._succeed()
            case Happened.FAILED:
                # What was done before is taken back; where something can't be, nobody has declared what then is.
                edge = all(act.undo is not None for act in transition.acts[:place])
                edge = edge and transition.on_failed is not None
                self._end(failed if edge else None)
            case Happened.TIMED_OUT:
                if transition.on_timeout is not None:
                    self._now = max(self._now, going.since + transition.on_timeout.within_us)
                edge = transition.on_timeout is not None
                self._end(timed_out if edge else None)
            case _:
                assert_never(event.happened)
        return self._played(outcome=Outcome(transition.name, event.happened, edge))

    def _succeed(self) -> None:
        """Let the effects under way succeed, if there are any."""
        if self._under_way is not None:
            self._end(completed)

    def _end(self, move: _Movement | None) -> None:
        """End what is under way; without a rule by which the case moves, it is held until a person has looked."""
        going, self._under_way = self._under_way, None
        if going is None or self._at is None:
            return
        if move is failed:
            self._counted = {key: counter.released(going.decided) for key, counter in self._counted.items()}
        elif move is not None:
            self._counted = {key: counter.used(going.decided) for key, counter in self._counted.items()}
        if move is None:
            held = begun(going.before, going.candidate, going.verdict)
            self._cases[self._at] = dataclasses.replace(held, pending=_UNRESOLVED)
            return
        after = move(self._machine, going.before, going.candidate, going.verdict, self._now)
        if after is None:
            del self._cases[self._at]
        else:
            self._cases[self._at] = after

    # --- results -----------------------------------------------------------------------------------------------------

    def _idle(self, why: str) -> Played:
        return dataclasses.replace(self._played(), idle=why)

    def _played(self, *, decision: Decision | None = None, outcome: Outcome | None = None) -> Played:
        case = None if self._at is None else self._cases.get(self._at)
        if case is None:
            return Played(decision, outcome, None, None)
        return Played(decision, outcome, case.state, case.memory)


@dataclass(slots=True)
class _OfCase:
    """What the givens of one step say of the case that its candidate is about, and of the counters it reads."""

    state: str | None = None
    state_at: int = 0
    entered: int | None = None
    memory: dict[str, Value] = field(default_factory=dict)
    proposers: dict[str, str] = field(default_factory=dict)
    signers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    counted_at: dict[str, int] = field(default_factory=dict)

    def add(self, givens: Givens, now: int) -> None:
        if givens.state is not None:
            self.state, self.state_at = givens.state, now
        self.entered = self.entered if givens.entered is None else givens.entered
        self.memory |= givens.memory
        self.proposers |= givens.proposers
        self.signers |= givens.signers
        self.counts |= givens.counts
        self.counted_at |= dict.fromkeys(givens.counts, now)


def _with_case(world: World, case: Case) -> World:
    return dataclasses.replace(
        world,
        state=case.state,
        entered=case.entered,
        memory=case.memory,
        proposers=case.proposers,
        signers=case.signers,
        touched=case.touched,
        pending=case.pending,
    )
