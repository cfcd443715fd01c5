"""The typed tree: every name resolved, every expression with its type, in the shape the author wrote it.

It stands between syntax and machine: `check` builds it, `lower` turns it into the kernel's instructions, and an
interpreter can run it directly. Types are the kernel's; numbers carry the interval they can lie in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from edca.kernel.expression import Comparison, Fold, History, Input, Operation, Selection
    from edca.kernel.types import Type
    from edca.kernel.values import Value


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant of its type."""

    value: Value
    type: Type


@dataclass(frozen=True, slots=True)
class InputRead:
    """`now`, `proposer`, `subject`, `confidence`, or the case's entity (then the type is a reference)."""

    input: Input
    type: Type


@dataclass(frozen=True, slots=True)
class ArgumentRead:
    """An argument of the transition."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class LetRead:
    """A `let` of the transition."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class LocalRead:
    """A quantifier's variable, or a parameter of the define or table around it."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class MemoryRead:
    """A field of the case's memory."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class ClaimRead:
    """A claim's attested value."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class HistoryRead:
    """`proposer of TRANSITION` or `signers of CODE`."""

    history: History
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class FactRead:
    """A field of an entity; `key_part` is its position when it is part of the entity's key (then nothing is read)."""

    base: Expression
    entity: str
    field: str
    key_part: int | None
    labelled: bool
    type: Type


@dataclass(frozen=True, slots=True)
class PartRead:
    """A part of a record."""

    base: Expression
    name: str
    index: int
    type: Type


@dataclass(frozen=True, slots=True)
class Not:
    """Kleene negation."""

    operand: Expression
    type: Type


@dataclass(frozen=True, slots=True)
class Connective:
    """`and` (`every` true) or `or`."""

    every: bool
    operands: tuple[Expression, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Comparing:
    """A comparison of two values of comparable types."""

    comparison: Comparison
    left: Expression
    right: Expression
    type: Type


@dataclass(frozen=True, slots=True)
class Membership:
    """`x in xs`."""

    element: Expression
    domain: Expression
    type: Type


@dataclass(frozen=True, slots=True)
class Presence:
    """`x is present`."""

    operand: Expression
    type: Type


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+ - *` on numbers, times, dates and durations."""

    operation: Operation
    left: Expression
    right: Expression
    type: Type


@dataclass(frozen=True, slots=True)
class Conditional:
    """`if … then … else …`."""

    condition: Expression
    then: Expression
    otherwise: Expression
    type: Type


@dataclass(frozen=True, slots=True)
class Folded:
    """A quantifier or aggregate with a variable. `condition` null: none; `body` null: a count."""

    fold: Fold
    variable: str
    domain: Expression
    condition: Expression | None
    body: Expression | None
    type: Type


@dataclass(frozen=True, slots=True)
class Selected:
    """`first last distinct pairs` of one list."""

    selection: Selection
    domain: Expression
    type: Type


@dataclass(frozen=True, slots=True)
class Zipped:
    """Two lists side by side."""

    left: Expression
    right: Expression
    type: Type


@dataclass(frozen=True, slots=True)
class Listed:
    """A list, a record, or the key of a looked-up entity, from its parts."""

    parts: tuple[Expression, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Applied:
    """A define or table applied to arguments."""

    name: str
    arguments: tuple[Expression, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Earlier:
    """`before(e)`."""

    operand: Expression
    type: Type


@dataclass(frozen=True, slots=True)
class Converted:
    """The same number, in the units of a type with more decimal places."""

    operand: Expression
    type: Type


Expression: TypeAlias = (
    Literal
    | InputRead
    | ArgumentRead
    | LetRead
    | LocalRead
    | MemoryRead
    | ClaimRead
    | HistoryRead
    | FactRead
    | PartRead
    | Not
    | Connective
    | Comparing
    | Membership
    | Presence
    | Arithmetic
    | Conditional
    | Folded
    | Selected
    | Zipped
    | Listed
    | Applied
    | Earlier
    | Converted
)


@dataclass(frozen=True, slots=True)
class Definition:
    """A `define`, or a `table` as nested conditionals: parameters and one body.

    `size` and `depth` are those of the body with every other define written out.
    """

    name: str
    parameters: tuple[tuple[str, Type], ...]
    body: Expression
    size: int
    depth: int
