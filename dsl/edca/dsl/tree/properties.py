"""Modes, properties and releases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from edca.diagnostics.source import Span
from edca.dsl.tree.clauses import Window
from edca.dsl.tree.expressions import Expression
from edca.dsl.tree.terms import Name, Text


@dataclass(frozen=True, slots=True)
class Allow:
    """`allow pay, expire`: the transitions that a mode leaves."""

    transitions: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ModeTrigger:
    """`enter when failures > 5 per rolling 1 hour`; `word` is `enter` or `leave`, `operator` `>` or `<=`."""

    word: str
    signal: Name
    operator: str
    count: int
    window: Window
    span: Span


@dataclass(frozen=True, slots=True)
class ModeBy:
    """`enter by supervisor` or `leave by supervisor`: the people who may."""

    word: str
    roles: tuple[Name, ...]
    span: Span


ModePart: TypeAlias = Allow | ModeTrigger | ModeBy


@dataclass(frozen=True, slots=True)
class ModeDeclaration:
    """`mode degraded "Payments are slow." { allow pay  enter when failures > 5 per rolling 1 hour  leave by … }`."""

    name: Name
    text: Text
    parts: tuple[ModePart, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class NeverWhen:
    """`never over_promised [about order] "…" [while approved, paid] when e`: true of no state that is reached."""

    code: Name
    about: Name | None
    text: Text
    states: tuple[Name, ...]
    condition: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class NeverReaching:
    """`never unapproved "…" reaching paid without approve_refund`: on every path one of these came before."""

    code: Name
    text: Text
    targets: tuple[Name, ...]
    without: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class AlwaysLeads:
    """`always answered "…" requested leads to paid, declined [assuming "…"]`: every case gets there in the end."""

    code: Name
    text: Text
    sources: tuple[Name, ...]
    targets: tuple[Name, ...]
    assuming: Text | None
    span: Span


@dataclass(frozen=True, slots=True)
class Release:
    """`release order.frozen to assistant, send_mail "…"`; without `field` a memory field's or claim's name."""

    name: Name
    field: Name | None
    to: tuple[Name, ...]
    text: Text
    span: Span
