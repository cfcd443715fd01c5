"""The machine: what a spec compiles to, and the only thing a decision is made with.

A machine is a frozen value with one canonical form (`to_bytes`), whose SHA-256 digest is its identity. Declarations are
sorted by name; clauses keep their order; everything a person or a model can see is in it; spans and comments are not.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edca.kernel import canonical, structure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.evaluate import Program
    from edca.kernel.expression import Expression
    from edca.kernel.types import Type
    from edca.kernel.values import Value

LANGUAGE_VERSION = 1
SEMANTICS_VERSION = 1
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


class OnFail(enum.Enum):
    """What a failed clause asks for."""

    REFUSE = "refuse"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class Role:
    """A declared role."""

    name: str
    kind: RoleKind


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named, typed slot of a transition, an effect or an entity's key."""

    name: str
    type: Type


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


@dataclass(frozen=True, slots=True)
class State:
    """A state of a case; `initial_about` names the entity whose cases start here."""

    name: str
    text: str
    initial_about: str | None
    final: bool
    success: bool


@dataclass(frozen=True, slots=True)
class Clause:
    """One line that must hold. Its code is its id, unique in its transition.

    `role` is who may waive it (`escalate`) or who must confirm (`confirm`); `within_us` bounds a confirmation's age.
    `withheld`: the condition reads labelled facts or compares identities, so a model is told only `not_possible`.
    """

    code: str
    kind: ClauseKind
    text: str
    condition: Expression
    on_fail: OnFail
    role: str | None
    within_us: int | None
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
class Transition:
    """A legal move of a case, with everything it demands and does.

    `about` is the entity of the case; `key` the parameters that hold its key (empty when `creates`: then the key of the
    new instance is allotted by its route before the decision).
    """

    name: str
    text: str
    parameters: tuple[Parameter, ...]
    about: str
    key: tuple[str, ...]
    creates: bool
    sources: tuple[str, ...]
    target: str
    by: tuple[str, ...]
    answers: str
    lets: tuple[Let, ...]
    clauses: tuple[Clause, ...]
    assignments: tuple[Assignment, ...]
    acts: tuple[Act, ...]
    on_failed: str | None
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Screen:
    """A forbid that needs no argument: views apply it, so that what can't be acted on can't be seen either."""

    about: str
    code: str
    condition: Expression
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """A compiled spec. Tuples of declarations are sorted by name; `digest` (32 bytes) is its identity."""

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
    transitions: tuple[Transition, ...]
    screens: tuple[Screen, ...]
    index: Index = field(init=False, compare=False, repr=False)
    digest: bytes = field(init=False, compare=False, repr=False)
    programs: dict[str, Program] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Derive the look-ups and the digest once; they follow from the declarations and are no part of the value."""
        object.__setattr__(self, "index", Index.of(self))
        object.__setattr__(self, "digest", canonical.digest("machine", self.to_bytes()))
        object.__setattr__(self, "programs", {})  # filled by `evaluate.program`, one a transition

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
    transitions: Mapping[str, Transition]
    initial: Mapping[str, str]  # entity → the state its cases start in

    @staticmethod
    def of(machine: Machine) -> Index:
        """Build the look-ups of a machine."""
        return Index(
            roles={d.name: d for d in machine.roles},
            entities={d.name: d for d in machine.entities},
            claims={d.name: d for d in machine.claims},
            effects={d.name: d for d in machine.effects},
            memory={d.name: d for d in machine.memory},
            states={d.name: d for d in machine.states},
            transitions={d.name: d for d in machine.transitions},
            initial={s.initial_about: s.name for s in machine.states if s.initial_about is not None},
        )
