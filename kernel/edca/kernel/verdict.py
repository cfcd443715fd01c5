"""Verdicts: the closed set of what a decision can be, with every clause's result.

`Accepted`, `Refused` and `Escalated` are values, made to be told apart with `match`; a fourth kind can't be built.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from edca.kernel import canonical
from edca.kernel.blinding import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.blinding import Blinding
    from edca.kernel.canonical import Data
    from edca.kernel.machine import ClauseKind, OnFail
    from edca.kernel.roster import Person
    from edca.kernel.values import Raw, Unknown


_DEPTH_MAX: Final = canonical.DEPTH_MAX - 4  # a clause stands in a verdict, and that in a map within a cell's map


class Stage(enum.Enum):
    """The early stages, in order. The first that fails gives the code, and no clause is evaluated."""

    MALFORMED = "malformed"
    UNKNOWN_CASE = "unknown_case"
    WRONG_MACHINE = "wrong_machine"
    UNKNOWN_PROPOSER = "unknown_proposer"
    WRONG_ROLE = "wrong_role"
    MODEL_MISMATCH = "model_mismatch"
    DUPLICATE = "duplicate"
    HALTED = "halted"
    MODE = "mode"
    CLOCK_WENT_BACK = "clock_went_back"
    STALE_REVISION = "stale_revision"
    EFFECT_PENDING = "effect_pending"
    STATE_DRIFT = "state_drift"
    NO_SUCH_TRANSITION = "no_such_transition"
    NO_SUCH_QUERY = "no_such_query"
    BAD_ARGUMENT = "bad_argument"
    NO_BRANCH = "no_branch"
    TOO_EARLY = "too_early"
    NO_ANCHOR = "no_anchor"


class Result(enum.Enum):
    """What became of one clause."""

    PASSED = "passed"
    WAIVED = "waived"  # it did not pass, and people let it: the candidate may go on as if it had
    FAILED = "failed"
    UNKNOWN = "unknown"  # fails too, since nothing unknown lets anything through
    NOT_EVALUATED = "not_evaluated"


@dataclass(frozen=True, slots=True)
class Reading:
    """One value that a failed clause read: its abstract name, and the value or why it is unknown, as text."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """One clause's share in a verdict. `reason` is set when it is unknown, `readings` when it did not pass.

    `answered_by` are the people whose answers counted, sorted: those who said yes, or those who said no if any did.
    Of a clause that was waived, those who waived it.
    """

    code: str
    kind: ClauseKind
    on_fail: OnFail
    role: str | None
    withheld: bool
    result: Result
    reason: Unknown | None = None
    readings: tuple[Reading, ...] = ()
    answered_by: tuple[Person, ...] = ()
    _encoded: canonical.Encoded | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def encoded(self) -> canonical.Encoded:
        """The canonical bytes of `to_raw()`; of a clause that simply passes they are the same for all verdicts."""
        if self._encoded is None:
            made = canonical.Encoded(canonical.encode(self.to_raw(), depth_max=_DEPTH_MAX))
            object.__setattr__(self, "_encoded", made)
        return self._encoded  # type: ignore[return-value]  # it is there now

    def to_raw(self) -> dict[str, Data]:
        """Return the result as it stands in records."""
        return {
            "code": self.code,
            "kind": self.kind.value,
            "on_fail": self.on_fail.value,
            "role": self.role,
            "withheld": self.withheld,
            "result": self.result.value,
            "reason": None if self.reason is None else self.reason.value,
            "readings": [[reading.name, reading.value] for reading in self.readings],
            "answered_by": [str(person) for person in self.answered_by],
        }


@dataclass(frozen=True, slots=True)
class Anchor:
    """Who answers: a person, by a mandate (its id) or because they proposed it themselves (no mandate)."""

    principal: Person
    role: str
    mandate: str | None

    def to_raw(self) -> dict[str, Data]:
        """Return the anchor as it stands in records."""
        return {"principal": str(self.principal), "role": self.role, "mandate": self.mandate}


@dataclass(frozen=True, slots=True)
class Intent:
    """One effect that an acceptance entitles to: its name and its arguments in raw form, by parameter."""

    effect: str
    arguments: Mapping[str, Raw]

    def to_raw(self) -> dict[str, Data]:
        """Return the intent as it stands in records."""
        return {"effect": self.effect, "arguments": dict(self.arguments)}


@dataclass(frozen=True, slots=True)
class Move:
    """How one limit's counter would move: `used` before, `amount` added, in units of the limit's type, and its bound.

    `code` is the limit's clause, `key` what it counts per, in raw form.
    """

    code: str
    key: tuple[Raw, ...]
    used: int
    amount: int
    bound: int

    def to_raw(self) -> dict[str, Data]:
        """Return the move as it stands in records."""
        return {
            "code": self.code,
            "key": list(self.key),
            "used": self.used,
            "amount": self.amount,
            "bound": self.bound,
        }


@dataclass(frozen=True, slots=True)
class Preview:
    """What an acceptance would bring about: what people are shown before they answer, and what their answer binds to.

    `candidate` is the candidate's digest, `case` null where the transition creates it. `waived` are the codes of the
    clauses that fail and that people may waive. A value of memory or of an effect that is unknown stands there as
    `{"unknown": reason}`; a moment reckoned from the decision's own as `{"from_decision_us": microseconds}`. `blinding`
    is the candidate's.
    """

    machine: bytes
    candidate: bytes
    case: str | None
    transition: str
    source: str
    target: str
    memory: Mapping[str, Raw]
    intents: tuple[Intent, ...]
    waived: tuple[str, ...]
    blinding: Blinding | None = field(default=None, repr=False, compare=False)

    def to_raw(self) -> dict[str, Data]:
        """Return the preview as its digest covers it."""
        return {
            "machine": self.machine,
            "candidate": self.candidate,
            "case": self.case,
            "transition": self.transition,
            "source": self.source,
            "target": self.target,
            "memory": dict(self.memory),
            "intents": [intent.to_raw() for intent in self.intents],
            "waived": list(self.waived),
        }

    @property
    def digest(self) -> bytes:
        """32 bytes that change with anything in it."""
        return digest(self.blinding, "preview", canonical.encode(self.to_raw()))


@dataclass(frozen=True, slots=True)
class Need:
    """What an escalation waits for: the clause, who can answer it, and how many of them are still missing."""

    code: str
    kind: ClauseKind
    role: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The transition may happen. With intents the case stays pending until their outcome is confirmed.

    `moves` are those of every limit that applied.
    """

    transition: str
    source: str
    target: str
    memory: Mapping[str, Raw]
    intents: tuple[Intent, ...]
    anchor: Anchor
    clauses: tuple[ClauseResult, ...]
    moves: tuple[Move, ...] = ()
    code: str = "accepted"

    def to_raw(self) -> dict[str, Data]:
        """Return the verdict as it stands in records."""
        return {**self.to_raw_without_clauses(), "clauses": [clause.to_raw() for clause in self.clauses]}

    def to_raw_without_clauses(self) -> dict[str, Data]:
        """Return all of it but the results of its clauses."""
        return {
            "outcome": "accepted",
            "code": self.code,
            "transition": self.transition,
            "source": self.source,
            "target": self.target,
            "memory": dict(self.memory),
            "intents": [intent.to_raw() for intent in self.intents],
            "anchor": self.anchor.to_raw(),
            "moves": [move.to_raw() for move in self.moves],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The transition may not happen. `code` is the stage's or the first failed clause's; `detail` is the operator's.

    `transition` is the id of the branch, or what the candidate said where none was chosen. Where the code is
    `property_violated`, `detail` is the property's code, and `reason` why it is unknown whether it holds, null where it
    is known not to.
    """

    transition: str
    code: str
    stage: Stage | None
    detail: str
    clauses: tuple[ClauseResult, ...]
    anchor: Anchor | None = None
    reason: Unknown | None = None

    def to_raw(self) -> dict[str, Data]:
        """Return the verdict as it stands in records."""
        return {
            "outcome": "refused",
            "reason": None if self.reason is None else self.reason.value,
            "code": self.code,
            "transition": self.transition,
            "stage": None if self.stage is None else self.stage.value,
            "detail": self.detail,
            "anchor": None if self.anchor is None else self.anchor.to_raw(),
            "clauses": [clause.to_raw() for clause in self.clauses],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """People must answer first. `code` is the first open clause's; `moves` are those of every limit that applied.

    `preview` is the digest of what they would answer for.
    """

    transition: str
    code: str
    needs: tuple[Need, ...]
    anchor: Anchor
    clauses: tuple[ClauseResult, ...]
    preview: bytes
    moves: tuple[Move, ...] = ()

    def to_raw(self) -> dict[str, Data]:
        """Return the verdict as it stands in records."""
        return {
            "outcome": "escalated",
            "code": self.code,
            "transition": self.transition,
            "needs": [{"code": n.code, "kind": n.kind.value, "role": n.role, "count": n.count} for n in self.needs],
            "anchor": self.anchor.to_raw(),
            "clauses": [clause.to_raw() for clause in self.clauses],
            "moves": [move.to_raw() for move in self.moves],
            "preview": self.preview,
        }


PROPERTY_VIOLATED: Final = "property_violated"  # the codes of refusals that come of no stage and of no clause
OVERLOAD: Final = "overload"

Verdict: TypeAlias = Accepted | Refused | Escalated


def encoded(verdict: Verdict) -> canonical.Encoded:
    """Return the canonical bytes of `verdict.to_raw()`, for the places in which it is kept."""
    if not isinstance(verdict, Accepted):
        return canonical.Encoded(canonical.encode(verdict.to_raw(), depth_max=_DEPTH_MAX))
    # Nearly all clauses of an acceptance have simply passed, and what is reported of those was encoded long ago.
    clauses = canonical.encode_list([clause.encoded for clause in verdict.clauses])
    rest: dict[str, Data] = verdict.to_raw_without_clauses()
    return canonical.Encoded(canonical.encode_map({**rest, "clauses": clauses}))


def failed(verdict: Verdict) -> tuple[ClauseResult, ...]:
    """Return the clauses that did not pass."""
    return tuple(c for c in verdict.clauses if c.result in (Result.FAILED, Result.UNKNOWN))
