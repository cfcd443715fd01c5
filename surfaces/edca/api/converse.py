"""`converse`: the plain loop from a view to a model to a candidate to a verdict, and back, in abstract terms.

It holds no authority: whatever a model replies becomes a candidate like any other. What it adds is bounds, so that no
model and no provider can make it run, wait or spend without end.
"""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edca.api.converse_model import Event, Exchange, ModelError, Prompt, Reply, Rung
from edca.api.untrusted import TEXT_SIZE_MAX, Untrusted
from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.verdict import Refused
from edca.runtime.readers import LateError, Readers
from edca.runtime.retries import sleep
from edca.semantic.candidates import from_anthropic, from_json, from_mcp, from_openai

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edca.api.converse_budget import Budget
    from edca.api.converse_model import Shape
    from edca.api.kernel import Kernel
    from edca.api.session import Session
    from edca.kernel.inputs import Attestation
    from edca.runtime.answers import Answer
    from edca.runtime.asking import QueryAnswer
    from edca.semantic.explain import Told
    from edca.semantic.explain_query import QueryTold
    from edca.semantic.view import View

_READERS = {"json": from_json, "openai": from_openai, "anthropic": from_anthropic, "mcp": from_mcp}
_MODELS = Readers()  # a model that hangs can't be stopped, only left behind; there are so many threads and no more


class Ended(enum.Enum):
    """Why a conversation came to its end."""

    SAID = "said"  # a model had words and no candidate
    NO_REPLY = "no_reply"  # no rung of the ladder had a reply
    MALFORMED = "malformed"  # the last rung kept sending what is no candidate
    REFUSED = "refused"  # the last rung kept being refused
    TURNS = "turns"  # as many turns as there may be
    TOO_LONG = "too_long"  # the prompt has grown beyond its bound
    OUT_OF_BUDGET = "out_of_budget"  # the budget has no room for another reply


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a conversation may go: candidates in all, and characters of one prompt as text."""

    turns_max: int = 20
    prompt_size_max: int = 200_000

    def __post_init__(self) -> None:
        """Raise `ValueError` for bounds that let nothing happen."""
        if self.turns_max < 1 or self.prompt_size_max < 1:
            raise ValueError("a conversation has at least one turn, and room for a prompt")


@dataclass(frozen=True, slots=True)
class Turn:
    """One candidate or query: from which rung, counted from 0, the answer, and what the model was told of it."""

    rung: int
    candidate: bytes
    answer: Answer | QueryAnswer
    told: Told | QueryTold


@dataclass(frozen=True, slots=True)
class Conversation:
    """What came of a conversation.

    `says` are the last words of a model, `failures` what went wrong with models on the way, for operators, and
    `events` all that a next conversation about the same matter may begin with.
    """

    ended: Ended
    turns: tuple[Turn, ...]
    says: Untrusted | None
    events: tuple[Event, ...]
    failures: tuple[str, ...]


def converse(
    ladder: Rung | Sequence[Rung],
    kernel: Kernel,
    *,
    about: tuple[str, Sequence[object]] | None = None,
    events: Sequence[Event] = (),
    attestations: Sequence[Attestation] = (),
    bounds: Bounds | None = None,
    budget: Budget | None = None,
    secret: bytes | None = None,
    pause: Callable[[int], None] = sleep,
) -> Conversation:
    """Let a ladder of models propose about one case until nothing is left to say, and return what came of it.

    Rungs are asked in order: rules first, then models. A turn goes up a rung where one leaves it, gives no reply, or
    keeps sending what is no candidate; after an acceptance or escalation the lowest rung begins again. `about` is the
    case as (entity, key); null: what creates one. `events` hold what people said, as `Untrusted` passages.
    `attestations` are vouched for by you, and go with every candidate. `secret` is that of the session whose handles
    models are shown (see `Kernel.session`); without one, each rung has its own. `pause` waits so many microseconds.

    Raises `ValueError` for an empty ladder and an entity the machine does not have, what the kernel raises, and what a
    model raises besides `ModelError`, which is a bug of its adapter.
    """
    rungs = (ladder,) if isinstance(ladder, Rung) else tuple(ladder)
    if not rungs:
        raise ValueError("a ladder has at least one rung")
    sessions = tuple(kernel.session(rung.caller, secret=secret) for rung in rungs)
    given = (tuple(attestations), bounds or Bounds(), budget, pause, list(events))
    return _Talk(rungs, kernel, about, *given, sessions).run()


@dataclass(slots=True)
class _Talk:
    """The state of one conversation. `rung` is asked next; `malformed` and `refused` count it in a row."""

    rungs: tuple[Rung, ...]
    kernel: Kernel
    about: tuple[str, Sequence[object]] | None
    attestations: tuple[Attestation, ...]
    bounds: Bounds
    budget: Budget | None
    pause: Callable[[int], None]
    events: list[Event]
    sessions: tuple[Session, ...]
    turns: list[Turn] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    rung: int = 0
    malformed: int = 0
    refused: int = 0

    def run(self) -> Conversation:
        while True:
            if len(self.turns) >= self.bounds.turns_max:
                return self._ended(Ended.TURNS)
            prompt = Prompt(self._view(), tuple(self.events))
            if len(prompt.text()) > self.bounds.prompt_size_max:
                return self._ended(Ended.TOO_LONG)
            reply = self._ask(prompt)
            if isinstance(reply, Ended):
                return self._ended(reply)
            if reply is None:
                if not self._climbs():
                    return self._ended(Ended.NO_REPLY)
                continue
            if reply.candidate is None:
                return self._ended(Ended.SAID, reply.says)
            ended = self._submit(reply.candidate, reply.shape, prompt.view)
            if ended is not None:
                return self._ended(ended)

    def _view(self) -> View:
        session = self.sessions[self.rung]
        return session.creation_view() if self.about is None else session.view(*self.about)

    def _ask(self, prompt: Prompt) -> Reply | Ended | None:
        """Return the rung's reply; null where it has none."""
        rung = self.rungs[self.rung]
        for attempt in range(rung.schedule.attempts):
            reserved = None if self.budget is None else self.budget.reserve(rung.cost_max)
            if self.budget is not None and reserved is None:
                return Ended.OUT_OF_BUDGET
            reply, cost, again = None, None, True
            try:
                reply = _MODELS.call(lambda: rung.model.propose(prompt), rung.timeout_s)
                cost, again = (0 if reply is None else reply.cost), False
            except LateError:
                self.failures.append(f"rung {self.rung}: no reply within {rung.timeout_s} s")
            except ModelError as error:
                self.failures.append(f"rung {self.rung}: {error}")
                again = error.transient
            finally:
                if self.budget is not None:
                    self.budget.settle(reserved, cost)
            if reply is not None and len(reply.says) > TEXT_SIZE_MAX:
                self.failures.append(f"rung {self.rung}: more than {TEXT_SIZE_MAX} characters of words")
                return None
            if not again:
                return reply
            if attempt + 1 < rung.schedule.attempts:
                self.pause(rung.schedule.delay_us(attempt))
        return None

    def _submit(self, payload: bytes, shape: Shape, view: View) -> Ended | None:
        """Submit a candidate and note what the model is told; return why that ends the conversation, if it does."""
        session, found = self.sessions[self.rung], _READERS[shape](payload, self.rungs[self.rung].caller, view=view)
        is_query = isinstance(found, Candidate) and found.transition in self.kernel.machine.index.queries
        came = session.query(found) if is_query else session.submit(found, attestations=self.attestations)
        answer, told = came.answer, came.told
        self.turns.append(Turn(self.rung, payload, answer, told))
        self.events.append(Exchange(_shown(found), told))
        if isinstance(found, Malformed):
            self.malformed += 1
            over = self.malformed >= self.rungs[self.rung].malformed_max
            return Ended.MALFORMED if over and not self._climbs() else None
        self.malformed = 0
        if isinstance(answer.verdict, Refused):
            self.refused += 1
            over = self.refused >= self.rungs[self.rung].refused_max
            return Ended.REFUSED if over and not self._climbs() else None
        self.refused = 0
        if not is_query:
            self.rung = 0
        return None

    def _climbs(self) -> bool:
        """Go up a rung; false where there is none above."""
        if self.rung + 1 >= len(self.rungs):
            return False
        self.rung += 1
        self.malformed = self.refused = 0
        return True

    def _ended(self, why: Ended, says: str = "") -> Conversation:
        words = Untrusted("model", says) if says else None
        return Conversation(why, tuple(self.turns), words, tuple(self.events), tuple(self.failures))


def _shown(found: Candidate | Malformed) -> str:
    """Return what was proposed as the next prompt repeats it; of what was none, nothing: its bytes are not kept."""
    if isinstance(found, Malformed):
        return ""
    return json.dumps({"transition": found.transition, "arguments": dict(found.arguments)}, sort_keys=True)
