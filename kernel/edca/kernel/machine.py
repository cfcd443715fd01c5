"""The machine: what a spec compiles to, and the only thing a decision is made with.

A machine is a frozen value with one canonical form (`to_bytes`), whose SHA-256 digest is its identity. Declarations are
sorted by name; clauses keep their order; everything a person or a model can see is in it (names that only people read,
as the digest `wording`); spans and comments are not.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from edca.kernel import canonical, structure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.expression import Expression
    from edca.kernel.look_up import Lookup
    from edca.kernel.program import Program
    from edca.kernel.types import Type
    from edca.kernel.values import Value

LANGUAGE_VERSION = 1
SEMANTICS_VERSION = 2
DEPTH_MAX = 256  # nesting of an artefact; expressions nest deeper than records
ARTEFACT_SIZE_MAX = 16 << 20


class Tier(enum.Enum):
    """How much hangs on a machine's decisions."""

    ADVISORY = "advisory"  # may hold no effects
    CONSEQUENTIAL = "consequential"


class RoleKind(enum.Enum):
    """Who can hold a role."""

    MODEL = "model"  # may only propose
    HUMAN = "human"
    CLOCK = "clock"  # the runtime's own timers


class ClauseKind(enum.Enum):
    """What a clause does with its condition."""

    REQUIRE = "require"  # passes only on true
    FORBID = "forbid"  # fires on true or unknown
    CONFIRM = "confirm"  # demands a person's attested yes unless its condition is false
    SIGN = "sign"  # demands several people's attested yes unless its condition is false
    LIMIT = "limit"  # counts, and passes while the sum stays within its bound, unless its condition is false


class OnFail(enum.Enum):
    """What a failed clause asks for."""

    REFUSE = "refuse"
    ESCALATE = "escalate"


class WindowKind(enum.Enum):
    """Which part of the past a window covers."""

    ROLLING = "rolling"  # the last `length_us`, up to and with now
    UTC = "utc"  # the hour, day or week (from Monday) in UTC that now lies in


class Signal(enum.Enum):
    """What is counted to tell whether a mode begins or ends."""

    FAILURES = "failures"  # effects that failed, were undone, timed out or are unknown
    TIMEOUTS = "timeouts"  # effects that timed out
    DRIFTS = "drifts"  # sources that disagree with the ledger or with their routes
    REFUSALS = "refusals"
    ESCALATIONS = "escalations"


@dataclass(frozen=True, slots=True)
class Role:
    """A declared role."""

    name: str
    kind: RoleKind


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named, typed slot of a transition, an effect or an entity's key; only a transition's can have labels."""

    name: str
    type: Type
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EntityField:
    """One field of an entity; `labels` are `personal` and `secret`, sorted."""

    name: str
    type: Type
    fixed: bool
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of thing facts are read about, found by its key."""

    name: str
    key: tuple[Parameter, ...]
    fields: tuple[EntityField, ...]

    def field(self, name: str) -> EntityField:
        """Return the declared field. Raises `KeyError` for any other name."""
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Claim:
    """A value that somebody in role `by` may attest."""

    name: str
    type: Type
    by: str
    text: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EffectDeclaration:
    """A change of the outside world that a route can make."""

    name: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class MemoryField:
    """A value kept with the case, and what it holds in a new one."""

    name: str
    type: Type
    initial: Value
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """A state of a case; `initial_about` names the entity whose cases start here.

    `within` is the composite state around it. `success` tells of a final state whether it is a good end.
    """

    name: str
    text: str
    initial_about: str | None
    final: bool
    success: bool
    within: str | None


@dataclass(frozen=True, slots=True)
class Composite:
    """A state that stands for all states within it; no case is ever in one alone."""

    name: str
    text: str
    within: str | None


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time up to now; of kind `UTC` the length is an hour, a day or a week."""

    kind: WindowKind
    length_us: int


@dataclass(frozen=True, slots=True)
class Limit:
    """What a limit counts: `measure` of each passage, summed per `keys` over `window`, may not exceed `bound`.

    `measure` is the constant 1 where candidates are counted. Both are whole numbers of the units of `type`.
    """

    measure: Expression
    bound: Expression
    type: Type
    window: Window
    keys: tuple[Expression, ...]
    key_types: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """One line that must hold. Its code is its id, unique in its transition.

    `role` is who may waive it (`escalate`) or who must answer (`confirm`, `sign`); `within_us` bounds an answer's age.
    `count` is how many different people must answer (0 for kinds that ask nobody), each different also from every
    principal that `distinct_from` yields (one, or a list of them). `limit` is set for a limit and for nothing else.
    `withheld`: the condition reads labelled facts or compares identities, so a model is told only `not_possible`.
    """

    code: str
    kind: ClauseKind
    text: str
    condition: Expression
    on_fail: OnFail
    role: str | None
    within_us: int | None
    count: int
    distinct_from: tuple[Expression, ...]
    limit: Limit | None
    withheld: bool


@dataclass(frozen=True, slots=True)
class Call:
    """An effect with the expressions of its arguments."""

    effect: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """One `do`: the call, its postcondition, and the call that undoes it (null: declared irreversible)."""

    call: Call
    ensure: Expression
    undo: Call | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `set`."""

    name: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Let:
    """A value named once for all clauses of a transition."""

    name: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Evidence:
    """The fields of one entity that a transition's clauses read: what is gathered of each instance it meets."""

    entity: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """Where a case goes when an effect failed, and what that means to people."""

    target: str
    text: str


@dataclass(frozen=True, slots=True)
class Timeout:
    """Where a case goes when an effect has no outcome after `within_us`."""

    within_us: int
    target: str
    text: str


@dataclass(frozen=True, slots=True)
class Transition:
    """A legal move of a case, with everything it demands and does.

    `name` is its id; `offered` is what candidates call it. The two differ where several branches share one offered name
    (`approve.small`, `approve.large`): then of those whose sources hold the case's state, the first by falling
    `priority` whose `guard` is true is the one. Branches have the same parameters, `about`, `key` and `creates`.
    `after_us` is how long the case must have been in its state. `about` is the entity of the case; `key` the parameters
    that hold its key (empty when `creates`: then the key of the new instance is allotted by its route before the
    decision).
    """

    name: str
    offered: str
    text: str
    parameters: tuple[Parameter, ...]
    about: str
    key: tuple[str, ...]
    creates: bool
    sources: tuple[str, ...]
    target: str
    guard: Expression | None
    priority: int
    after_us: int | None
    unblockable: bool
    by: tuple[str, ...]
    answers: str
    lets: tuple[Let, ...]
    clauses: tuple[Clause, ...]
    assignments: tuple[Assignment, ...]
    acts: tuple[Act, ...]
    on_failed: Edge | None
    on_timeout: Timeout | None
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class ReturnedValue:
    """One named value that a query gives; `labels` are those of all that it is computed from, sorted."""

    name: str
    type: Type
    value: Expression
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """What a role may look up: it changes nothing, and gives the values of `returns` and nothing else.

    `about` is the entity whose instance the parameters `key` find, null where the query is about none. Each clause is a
    `require` or `forbid` that refuses.
    """

    name: str
    text: str
    parameters: tuple[Parameter, ...]
    about: str | None
    key: tuple[str, ...]
    by: tuple[str, ...]
    lets: tuple[Let, ...]
    clauses: tuple[Clause, ...]
    returns: tuple[ReturnedValue, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Screen:
    """A forbid that needs no argument: views apply it, so that what can't be acted on can't be seen either.

    `roles` are those whose every transition has it, empty where it holds for everybody.
    """

    about: str
    roles: tuple[str, ...]
    code: str
    condition: Expression
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Trigger:
    """Begins or ends a mode: more than (`exceeds`) or at most `count` of the signal within the window."""

    signal: Signal
    exceeds: bool
    count: int
    window: Window


@dataclass(frozen=True, slots=True)
class Mode:
    """A smaller set of transitions, by offered name. A trigger, or a person in one of the roles, begins or ends it."""

    name: str
    text: str
    allow: tuple[str, ...]
    enter: tuple[Trigger, ...]
    enter_by: tuple[str, ...]
    leave: tuple[Trigger, ...]
    leave_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Never:
    """A condition over memory and facts that may not be true in `states`; tested at each decision on what it leaves."""

    code: str
    text: str
    about: str
    states: tuple[str, ...]
    condition: Expression


@dataclass(frozen=True, slots=True)
class NeverReached:
    """No path reaches any of `targets` without one of the transitions, by offered name; decided from the graph."""

    code: str
    text: str
    targets: tuple[str, ...]
    without: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeadsTo:
    """Every case in `sources` gets to one of `targets`; decided from the graph, under what is assumed (or nothing)."""

    code: str
    text: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    assuming: str | None


Property: TypeAlias = Never | NeverReached | LeadsTo


@dataclass(frozen=True, slots=True)
class Release:
    """A labelled value that may go to these roles and effects, and why; `owner` is its entity or transition, or null.

    `owner` is the entity whose field it is, or the transition, by its offered name, whose parameter it is; null: a
    memory field or a claim.
    """

    owner: str | None
    name: str
    to: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Machine:
    """A compiled spec. Tuples of declarations are sorted by name; `digest` (32 bytes) is its identity.

    `wording` is a digest of how the spec puts it: the names of its rules, types and variables, and numbers as they were
    written, which people read and no decision needs.
    """

    name: str
    version: str
    text: str
    tier: Tier
    language: int
    semantics: int
    case_about: str
    case_key: tuple[str, ...]
    fresh_us: int | None
    roles: tuple[Role, ...]
    entities: tuple[Entity, ...]
    claims: tuple[Claim, ...]
    effects: tuple[EffectDeclaration, ...]
    memory: tuple[MemoryField, ...]
    states: tuple[State, ...]
    composites: tuple[Composite, ...]
    transitions: tuple[Transition, ...]
    screens: tuple[Screen, ...]
    modes: tuple[Mode, ...]
    properties: tuple[Property, ...]
    releases: tuple[Release, ...]
    wording: bytes = b""
    queries: tuple[Query, ...] = field(default=(), metadata=structure.LATER)
    index: Index = field(init=False, compare=False, repr=False)
    digest: bytes = field(init=False, compare=False, repr=False)
    programs: dict[str, Program] = field(init=False, compare=False, repr=False)
    lookups: dict[str, Lookup] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Derive the look-ups and the digest once; they follow from the declarations and are no part of the value."""
        object.__setattr__(self, "index", Index.of(self))
        object.__setattr__(self, "digest", canonical.digest("machine", self.to_bytes()))
        object.__setattr__(self, "programs", {})  # filled by `program.program`, one a transition
        object.__setattr__(self, "lookups", {})  # filled by `look_up.lookup`, one a query

    def to_bytes(self) -> bytes:
        """Return the canonical artefact."""
        return canonical.encode(structure.to_data(self), depth_max=DEPTH_MAX)

    @staticmethod
    def from_bytes(artefact: bytes) -> Machine:
        """Return the machine of a canonical artefact. Raises `canonical.CanonicalError` for anything else."""
        machine = structure.from_data(canonical.decode(artefact, size_max=ARTEFACT_SIZE_MAX, depth_max=DEPTH_MAX))
        if not isinstance(machine, Machine):
            raise canonical.CanonicalError("the artefact does not hold a machine")
        if (machine.language, machine.semantics) != (LANGUAGE_VERSION, SEMANTICS_VERSION):
            raise canonical.CanonicalError(
                f"the artefact is of language {machine.language}, semantics {machine.semantics}; "
                f"this kernel runs language {LANGUAGE_VERSION}, semantics {SEMANTICS_VERSION}"
            )
        return machine


@dataclass(frozen=True, slots=True)
class Index:
    """The machine's declarations by name."""

    roles: Mapping[str, Role]
    entities: Mapping[str, Entity]
    claims: Mapping[str, Claim]
    effects: Mapping[str, EffectDeclaration]
    memory: Mapping[str, MemoryField]
    states: Mapping[str, State]
    transitions: Mapping[str, Transition]  # by id
    offered: Mapping[str, tuple[Transition, ...]]  # by what candidates call them, in the order they are tried
    legal: Mapping[tuple[str, str, str], tuple[Transition, ...]]  # those of `offered` for (name, state, entity)
    proposers: Mapping[str, frozenset[str]]  # who may propose any of those that candidates call so
    modes: Mapping[str, Mode]
    initial: Mapping[str, str]  # entity → the state its cases start in
    queries: Mapping[str, Query]
    limits: Mapping[tuple[str, str], Limit]  # by what candidates call their transitions, and by code
    staff: frozenset[str]  # the roles that answer for a transition, sign or waive: only a roster says who holds these

    @staticmethod
    def of(machine: Machine) -> Index:
        """Build the look-ups of a machine."""
        offered: dict[str, tuple[Transition, ...]] = {}
        legal: dict[tuple[str, str, str], tuple[Transition, ...]] = {}
        for transition in sorted(machine.transitions, key=lambda t: (t.offered, -t.priority, t.name)):
            offered[transition.offered] = (*offered.get(transition.offered, ()), transition)
            for state in dict.fromkeys(transition.sources):
                at = (transition.offered, state, transition.about)
                legal[at] = (*legal.get(at, ()), transition)
        return Index(
            roles={d.name: d for d in machine.roles},
            entities={d.name: d for d in machine.entities},
            claims={d.name: d for d in machine.claims},
            effects={d.name: d for d in machine.effects},
            memory={d.name: d for d in machine.memory},
            states={d.name: d for d in machine.states},
            transitions={d.name: d for d in machine.transitions},
            offered=offered,
            legal=legal,
            proposers={
                name: frozenset(role for branch in branches for role in branch.by) for name, branches in offered.items()
            },
            modes={d.name: d for d in machine.modes},
            staff=frozenset(
                [
                    *(transition.answers for transition in machine.transitions),
                    *(
                        clause.role
                        for transition in machine.transitions
                        for clause in transition.clauses
                        if clause.role is not None and clause.kind is not ClauseKind.CONFIRM
                    ),
                ]
            ),
            initial={s.initial_about: s.name for s in machine.states if s.initial_about is not None},
            queries={d.name: d for d in machine.queries},
            # In branches of one name a code is one limit: its window, its type and its keys are the same in all.
            limits={
                (name, clause.code): clause.limit
                for name, branches in offered.items()
                for branch in reversed(branches)
                for clause in branch.clauses
                if clause.limit is not None
            },
        )
