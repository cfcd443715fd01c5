"""A checked spec: all of it resolved and typed, before lowering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.diagnostics.source import Span
    from edca.dsl.tree import TableCell
    from edca.kernel.machine import (
        ClauseKind,
        Composite,
        Edge,
        LeadsTo,
        Mode,
        NeverReached,
        OnFail,
        Parameter,
        Release,
        Timeout,
        Window,
    )
    from edca.kernel.types import Type
    from edca.semantic.typed import Definition, Expression
    from edca.semantic.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class CheckedLimit:
    """What a `limit` counts; a null `measure` counts candidates."""

    measure: Expression | None
    bound: Expression
    type: Type
    window: Window
    keys: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class CheckedClause:
    """A `require`, `forbid`, `confirm`, `sign` or `limit` with its typed condition (true where there is no `when`)."""

    code: str
    kind: ClauseKind
    text: str
    condition: Expression
    on_fail: OnFail
    role: str | None
    within_us: int | None
    count: int
    distinct_from: tuple[Expression, ...]
    limit: CheckedLimit | None
    span: Span


@dataclass(frozen=True, slots=True)
class CheckedCall:
    """An effect with typed arguments."""

    effect: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class CheckedAct:
    """One `do`."""

    call: CheckedCall
    ensure: Expression
    undo: CheckedCall | None


@dataclass(frozen=True, slots=True)
class CheckedForbid:
    """A `forbid` for every transition of cases about one entity."""

    about: str
    clause: CheckedClause


@dataclass(frozen=True, slots=True)
class CheckedTransition:
    """A transition with everything in it typed; machine-wide forbids are kept apart.

    `name` is its id, `offered` what candidates call it. `sources` are states that no other state is within. `priority`
    is null where none is written.
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
    priority: int | None
    after_us: int | None
    unblockable: bool
    by: tuple[str, ...]
    answers: str
    lets: tuple[tuple[str, Expression], ...]
    clauses: tuple[CheckedClause, ...]
    assignments: tuple[tuple[str, Expression], ...]
    acts: tuple[CheckedAct, ...]
    on_failed: Edge | None
    on_timeout: Timeout | None
    span: Span


@dataclass(frozen=True, slots=True)
class CheckedReturned:
    """One value that a query gives. `labels` are those of what it is computed from, sorted."""

    name: str
    value: Expression
    labels: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class CheckedQuery:
    """A query with everything in it typed; machine-wide forbids are kept apart. `about` is null where it names none."""

    name: str
    text: str
    parameters: tuple[Parameter, ...]
    about: str | None
    key: tuple[str, ...]
    unblockable: bool
    by: tuple[str, ...]
    lets: tuple[tuple[str, Expression], ...]
    clauses: tuple[CheckedClause, ...]
    returns: tuple[CheckedReturned, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class CheckedNever:
    """A `never … when`; `states` are those it is written for, or all."""

    code: str
    text: str
    about: str
    states: tuple[str, ...]
    condition: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class CheckedPath:
    """A property that the graph of states decides."""

    property: NeverReached | LeadsTo
    span: Span


@dataclass(frozen=True, slots=True)
class CheckedSpec:
    """A spec without an error in it."""

    name: str
    version: str
    text: str
    advisory: bool
    words: Vocabulary
    definitions: Mapping[str, Definition]
    tables: Mapping[str, tuple[tuple[TableCell | None, ...], ...]]  # the cells of each row; null: any
    memory: Mapping[str, Expression]
    transitions: tuple[CheckedTransition, ...]
    forbids: tuple[CheckedForbid, ...]
    composites: tuple[Composite, ...]
    modes: tuple[Mode, ...]
    nevers: tuple[CheckedNever, ...]
    paths: tuple[CheckedPath, ...]
    releases: tuple[Release, ...]
    queries: tuple[CheckedQuery, ...] = ()
