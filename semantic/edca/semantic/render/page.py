"""A page: what `markdown` and `html` set, and what `difference` compares. Nothing in it depends on a format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from edca.semantic.render.phrase import joined, say

if TYPE_CHECKING:
    from edca.semantic.render.graph import Graph
    from edca.semantic.render.phrase import Phrase
    from edca.semantic.render.prose import Outline


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a section says; `key` is what two versions of a spec share if they say it differently.

    `parts` are the conditions that the text announces, `then` what follows from the whole.
    """

    key: str
    text: Phrase
    parts: tuple[Outline, ...] = ()
    then: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, and its key."""

    key: str
    cells: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Paragraphs:
    """Entries that stand by themselves."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Bullets:
    """Entries as a list, numbered where their order has a meaning, below a line that introduces them."""

    entries: tuple[Entry, ...]
    title: str = ""
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table."""

    headings: tuple[Phrase, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Diagram:
    """The states as a picture; it says nothing that sentences don't say too."""

    graph: Graph


Block: TypeAlias = Paragraphs | Bullets | Grid | Diagram


@dataclass(frozen=True, slots=True)
class Section:
    """What a page says of one declaration, or of all of a kind that need a line each (then `name` is empty)."""

    kind: str
    name: str
    title: Phrase
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """Sections under one heading. A chapter with `comparable` false says the same of every spec."""

    title: str
    sections: tuple[Section, ...]
    comparable: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page."""

    title: Phrase
    chapters: tuple[Chapter, ...]


def entries(section: Section) -> dict[str, Phrase]:
    """Return everything that a section says, each as one phrase, by its key and in order."""
    found: dict[str, Phrase] = {}
    for block in section.blocks:
        match block:
            case Paragraphs(entries=said) | Bullets(entries=said):
                found |= {entry.key: whole(entry) for entry in said}
            case Grid(headings, rows):
                found |= {row.key: _row(headings, row) for row in rows}
            case Diagram():
                continue  # its sentences are compared
    return found


def whole(entry: Entry) -> Phrase:
    """Return an entry as one phrase."""
    return joined(" ", (part for part in (entry.text, _outlined(entry.parts), *entry.then) if part))


def _outlined(parts: tuple[Outline, ...]) -> Phrase:
    inner = (say("{}: {}", part.text, _outlined(part.parts)) if part.parts else part.text for part in parts)
    return say("({}).", joined("; ", inner)) if parts else ()


def _row(headings: tuple[Phrase, ...], row: Row) -> Phrase:
    pairs = [(heading, cell) for heading, cell in zip(headings, row.cells, strict=True) if cell]
    return joined("; ", (say("{}: {}", heading, cell) for heading, cell in pairs))
