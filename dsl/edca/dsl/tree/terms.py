"""What types, expressions and declarations are named with, and texts."""

from __future__ import annotations

from dataclasses import dataclass

from edca.diagnostics.source import Span


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier as written."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal, escapes resolved."""

    value: str
    span: Span
