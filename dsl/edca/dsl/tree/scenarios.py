"""Scenarios: steps of what is given, what happens and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from edca.diagnostics.source import Span
from edca.dsl.tree.expressions import DurationLiteral, Expression, History, Number
from edca.dsl.tree.terms import Name, Text


@dataclass(frozen=True, slots=True)
class GivenState:
    """`given requested`: the case's state before."""

    state: Name
    span: Span


@dataclass(frozen=True, slots=True)
class GivenValue:
    """`given now = …`, `given subject = "c1"`, a memory field, a claim, or a confirmation (`given agreed = true`)."""

    name: Name
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class GivenEntity:
    """`given order("o1") { status = delivered, lines = [line("o1", "a1")] }`: one instance and fields known of it."""

    entity: Name
    keys: tuple[Expression, ...]
    fields: tuple[tuple[Name, Expression], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class GivenHistory:
    """`given proposer of approve_refund = "u1"` or `given signers of twice = ["u1", "u2"]`."""

    history: History
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Wait:
    """`wait 3 days`: time passes."""

    duration: DurationLiteral
    span: Span


Given: TypeAlias = GivenState | GivenValue | GivenEntity | GivenHistory | Wait


@dataclass(frozen=True, slots=True)
class Proposal:
    """`when assistant "a1" proposes approve_refund(order_id: "o1") confidence 0.91`; `principal` may be left out."""

    role: Name
    principal: Text | None
    transition: Name
    arguments: tuple[tuple[Name, Expression], ...]
    confidence: Number | None
    span: Span


@dataclass(frozen=True, slots=True)
class Answer:
    """`when customer "c1" confirms agreed`: an answer to what the step before left open.

    `word` is `confirms`, `declines`, `signs` or `waives`.
    """

    role: Name
    principal: Text | None
    word: str
    code: Name
    span: Span


@dataclass(frozen=True, slots=True)
class Happening:
    """`when send_money fails`: what becomes of an effect of the step before.

    `word` is `succeeds`, `fails` (it did not happen), `times` (out: nobody can tell).
    """

    effect: Name
    word: str
    span: Span


@dataclass(frozen=True, slots=True)
class Asking:
    """`when assistant "a1" asks order_of(order_id: "o1")`; `principal` may be left out."""

    role: Name
    principal: Text | None
    query: Name
    arguments: tuple[tuple[Name, Expression], ...]
    span: Span


When: TypeAlias = Proposal | Asking | Answer | Happening


@dataclass(frozen=True, slots=True)
class Then:
    """`then refused CODE, …`, `then escalated CODE, …`, `then accepted [to STATE] [with NAME = e, …]`, `then in STATE`,
    `then returned [with NAME = e, …]`.

    `outcome` is `accepted`, `refused`, `escalated`, `in` or `returned`; of the last, `memory` is what the query gives.
    `codes` are the clause or stage codes expected among the
    failed.
    """

    outcome: str
    codes: tuple[Name, ...]
    target: Name | None
    memory: tuple[tuple[Name, Expression], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Step:
    """What is given (or has changed) before something happens, what happens, and what must come of it."""

    givens: tuple[Given, ...]
    when: When
    then: Then


@dataclass(frozen=True, slots=True)
class ScenarioDeclaration:
    """`scenario "…" { given … when … then …  wait … when … then … }`; at least one step."""

    title: Text
    steps: tuple[Step, ...]
    span: Span
