"""The lowered expressions that a machine holds: the whole instruction set of a clause.

Lowering has already resolved names, aligned decimal scales (all numbers are whole numbers of known units), inlined
defines and turned tables into conditionals. So an expression reads arguments, memory, claims, facts and a few named
inputs, and computes; it cannot loop without a bound, call out, or fail: it yields a value or an `Unknown`.

Three-valued logic is Kleene's strong one (S. C. Kleene, "Introduction to Metamathematics", 1952, §64).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from edca.kernel.values import Value


class Input(enum.Enum):
    """A named input of a decision that is neither argument, memory, claim nor fact."""

    NOW = "now"
    PROPOSER = "proposer"
    SUBJECT = "subject"
    CONFIDENCE = "confidence"
    CASE = "case"  # the key of the case's entity


class History(enum.Enum):
    """What is remembered of who acted in a case."""

    PROPOSER = "proposer"  # of the last accepted candidate for a transition
    SIGNERS = "signers"  # the list of those whose answers let a `sign` or `confirm` pass at its last acceptance


class Comparison(enum.Enum):
    """An order or equality test on two values of one type."""

    EQUAL = "=="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="


class Operation(enum.Enum):
    """Exact arithmetic on whole numbers of known units."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"


class Fold(enum.Enum):
    """How the values of a list become one."""

    COUNT = "count"  # of the elements that satisfy the condition
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    EVERY = "every"  # Kleene conjunction of the bodies
    SOME = "some"  # Kleene disjunction
    COLLECT = "collect"  # the bodies, in order


class Selection(enum.Enum):
    """What is taken from one list."""

    FIRST = "first"
    LAST = "last"
    DISTINCT = "distinct"  # first occurrences, in order
    PAIRS = "pairs"  # adjacent elements as two-part records


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the spec."""

    value: Value


@dataclass(frozen=True, slots=True)
class ReadInput:
    """One of the named inputs."""

    input: Input


@dataclass(frozen=True, slots=True)
class ReadArgument:
    """An argument of the candidate: the proposer's word, untrusted."""

    name: str


@dataclass(frozen=True, slots=True)
class ReadLet:
    """A value that the transition names with `let`."""

    name: str


@dataclass(frozen=True, slots=True)
class ReadLocal:
    """The variable of an enclosing fold or binding."""

    name: str


@dataclass(frozen=True, slots=True)
class ReadMemory:
    """A field of the case's memory."""

    name: str


@dataclass(frozen=True, slots=True)
class ReadClaim:
    """The value somebody attested for a claim; unknown until attested."""

    name: str


@dataclass(frozen=True, slots=True)
class ReadHistory:
    """Who acted in this case: `name` is a transition's offered name or a clause's code. Unknown before it happened."""

    history: History
    name: str


@dataclass(frozen=True, slots=True)
class ReadFact:
    """A field of the entity instance whose key `base` yields."""

    base: Expression
    entity: str
    field: str


@dataclass(frozen=True, slots=True)
class ReadPart:
    """A part of a record, by position."""

    base: Expression
    index: int


@dataclass(frozen=True, slots=True)
class MakeTuple:
    """A record, a list or an entity key, from its parts in order."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """Kleene `not`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Conjunction:
    """Kleene `and` of two or more; every operand is evaluated."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Disjunction:
    """Kleene `or` of two or more; every operand is evaluated."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison; unknown when either side is."""

    comparison: Comparison
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Contains:
    """Whether the list `domain` holds `element`."""

    element: Expression
    domain: Expression


@dataclass(frozen=True, slots=True)
class IsPresent:
    """Whether an optional has a value; unknown when it isn't even known whether it has one."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Exact arithmetic; unknown when either side is."""

    operation: Operation
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Choice:
    """`if`: both branches are evaluated; unknown when the condition is."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Bind:
    """`value` named `name` inside `body`: a parameter of an inlined define or table."""

    name: str
    value: Expression
    body: Expression


@dataclass(frozen=True, slots=True)
class Reduce:
    """A fold over `domain`: for each element, named `name`, that satisfies `condition`, the value of `body`.

    `condition` is the constant true where there is no `where`, `body` the constant true for a count.
    An unknown condition makes the whole fold unknown, except for EVERY and SOME, which have none.
    """

    fold: Fold
    name: str
    domain: Expression
    condition: Expression
    body: Expression


@dataclass(frozen=True, slots=True)
class Select:
    """One of the list functions without a variable."""

    selection: Selection
    domain: Expression


@dataclass(frozen=True, slots=True)
class Zip:
    """Two lists side by side as two-part records, as long as the shorter one."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Before:
    """Inside an effect's postcondition: the value with the facts that the decision used."""

    operand: Expression


Expression: TypeAlias = (
    Constant
    | ReadInput
    | ReadArgument
    | ReadLet
    | ReadLocal
    | ReadMemory
    | ReadClaim
    | ReadHistory
    | ReadFact
    | ReadPart
    | MakeTuple
    | Negation
    | Conjunction
    | Disjunction
    | Compare
    | Contains
    | IsPresent
    | Arithmetic
    | Choice
    | Bind
    | Reduce
    | Select
    | Zip
    | Before
)
