"""A checked spec: all of it resolved and typed, before lowering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.diagnostics.source import Span
    from edca.kernel.machine import ClauseKind, OnFail, Parameter
    from edca.semantic.typed import Definition, Expression
    from edca.semantic.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class CheckedClause:
    """A `require`, `forbid` or `confirm` with its typed condition."""

    code: str
    kind: ClauseKind
    text: str
    condition: Expression
    on_fail: OnFail
    role: str | None
    within_us: int | None
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
    """A transition with everything in it typed; machine-wide forbids are kept apart."""

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
    lets: tuple[tuple[str, Expression], ...]
    clauses: tuple[CheckedClause, ...]
    assignments: tuple[tuple[str, Expression], ...]
    acts: tuple[CheckedAct, ...]
    on_failed: str | None
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
    memory: Mapping[str, Expression]
    transitions: tuple[CheckedTransition, ...]
    forbids: tuple[CheckedForbid, ...]
