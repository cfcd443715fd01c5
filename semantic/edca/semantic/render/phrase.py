"""Phrases: pieces of text that know what they are, so that every format can set them in its own way.

Names are shown with spaces for underscores and set apart from the sentence: `delivered_at` reads *delivered at*. No
name has a space in it, so two names never look alike.
"""

from __future__ import annotations

import enum
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_STEERING = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))  # categories of what steers a screen or the writing direction


class Style(enum.Enum):
    """What a piece of a phrase is."""

    PLAIN = "plain"  # our own words
    NAME = "name"  # a name of the spec, in words
    CODE = "code"  # a name of the spec as it stands in records
    STRONG = "strong"  # what a reader looks for
    QUOTE = "quote"  # the author's own sentence


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text of one style."""

    style: Style
    text: str


Phrase: TypeAlias = tuple[Piece, ...]


def plain(text: str) -> Phrase:
    """Return our own words."""
    return (Piece(Style.PLAIN, text),)


def name(text: str) -> Phrase:
    """Return a name of the spec in words."""
    return (Piece(Style.NAME, text.replace("_", " ")),)


def code(text: str) -> Phrase:
    """Return a name of the spec as it stands in records."""
    return (Piece(Style.CODE, text),)


def strong(text: str) -> Phrase:
    """Return words that a reader looks for."""
    return (Piece(Style.STRONG, text),)


def quote(text: str) -> Phrase:
    """Return the author's own sentence, in quotation marks wherever it is shown."""
    return (Piece(Style.QUOTE, text),)


def say(template: str, *parts: Phrase | str) -> Phrase:
    """Return the template with each `{}` replaced by the next part. Raises `ValueError` where their numbers differ."""
    found: list[Piece] = []
    for text, part in zip(template.split("{}"), (*parts, ""), strict=True):
        found += plain(text) if text else ()
        found += (plain(part) if part else ()) if isinstance(part, str) else part
    return tuple(found)


def joined(separator: str, parts: Iterable[Phrase]) -> Phrase:
    """Return the parts with the separator between them."""
    found: list[Piece] = []
    for index, part in enumerate(parts):
        found += plain(separator) if index else ()
        found += part
    return tuple(found)


def listed(parts: Sequence[Phrase], word: str = "and") -> Phrase:
    """Return `a, b and c`."""
    if len(parts) < 2:
        return joined("", parts)
    return say(f"{{}} {word} {{}}", joined(", ", parts[:-1]), parts[-1])


def bracketed(phrase: Phrase) -> Phrase:
    """Return the phrase in round brackets, so that what follows can't be taken to belong to it."""
    return say("({})", phrase)


def capital(phrase: Phrase) -> Phrase:
    """Return a phrase that begins with our own words with a capital letter."""
    first, *rest = phrase
    return (Piece(first.style, first.text[:1].upper() + first.text[1:]), *rest)


def shown(piece: Piece) -> str:
    """Return a piece's text on one line, quoted where it is the author's, with what steers a screen made visible."""
    text = "".join("\ufffd" if unicodedata.category(letter) in _STEERING else letter for letter in piece.text)
    if piece.style is not Style.QUOTE:
        return text
    inner = text.replace("“", '"').replace("”", '"')  # an author's text can't end its own quotation
    return f"“{inner}”"


def text_of(phrase: Phrase) -> str:
    """Return the phrase as bare text."""
    return "".join(map(shown, phrase))


def articled(noun: str) -> Phrase:
    """Return a name with its indefinite article: *an order*, *a pick*."""
    return say("an {}" if noun[:1] in "aeio" else "a {}", name(noun))
