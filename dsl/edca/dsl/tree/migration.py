"""Maps: how the running cases of one version of a machine move to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from edca.diagnostics.source import Span
from edca.dsl.tree.expressions import Expression, History
from edca.dsl.tree.terms import Name, Text


@dataclass(frozen=True, slots=True)
class MigrateLine:
    """`migrate refund from "1.0.0" to "1.1.0" "WHAT CHANGES"`: a map's header."""

    machine: Name
    source: Text
    target: Text
    text: Text
    span: Span


@dataclass(frozen=True, slots=True)
class StateTo:
    """`state approved, waiting to checked keeping time`; `keeps_time` is null where nothing is said of it."""

    sources: tuple[Name, ...]
    target: Name
    keeps_time: bool | None
    span: Span


@dataclass(frozen=True, slots=True)
class StateNeedsPerson:
    """`state stuck needs person "WHY"`: cases in it stay where they are."""

    sources: tuple[Name, ...]
    text: Text
    span: Span


@dataclass(frozen=True, slots=True)
class MemoryLine:
    """`memory due = promised`: what a field of the new version holds, from memory as the old one left it."""

    name: Name
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """`proposer of promise = proposer of approve`, or the same with `signers`; `word` is which."""

    word: str
    name: Name
    source: Name
    span: Span


@dataclass(frozen=True, slots=True)
class LimitLine:
    """`limit promise.daily = approve.daily`: what the old limit counted counts for the new one."""

    transition: Name
    code: Name
    source_transition: Name
    source_code: Name
    span: Span


@dataclass(frozen=True, slots=True)
class ForgetMemory:
    """`forget promised "WHY"`."""

    name: Name
    text: Text
    span: Span


@dataclass(frozen=True, slots=True)
class ForgetHistory:
    """`forget proposer of approve "WHY"`."""

    history: History
    text: Text
    span: Span


@dataclass(frozen=True, slots=True)
class ForgetLimit:
    """`forget limit approve.daily "WHY"`: what it counted counts for nothing any more."""

    transition: Name
    code: Name
    text: Text
    span: Span


MapLine: TypeAlias = (
    StateTo | StateNeedsPerson | MemoryLine | HistoryLine | LimitLine | ForgetMemory | ForgetHistory | ForgetLimit
)


@dataclass(frozen=True, slots=True)
class Map:
    """One file."""

    header: MigrateLine
    lines: tuple[MapLine, ...]
    span: Span
