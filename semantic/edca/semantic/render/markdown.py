"""A page as Markdown (CommonMark with tables), its diagram as Mermaid text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, assert_never

from edca.semantic.render.mermaid import mermaid
from edca.semantic.render.page import Block, Bullets, Diagram, Entry, Grid, Page, Paragraphs
from edca.semantic.render.phrase import Phrase, Piece, Style, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.semantic.render.prose import Outline

# Whatever could begin markup, anywhere in a line. Lines begin with our own words or a quotation mark.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&$!])")
_BESIDE = {Style.NAME: "*", Style.STRONG: "**"}


def markdown(page: Page) -> str:
    """Return the page as Markdown; it ends in a line ending."""
    lines = [f"# {inline(page.title)}", ""]
    for chapter in page.chapters:
        lines += [f"## {chapter.title}", ""]
        for section in chapter.sections:
            if section.title:
                lines += [f"### {inline(section.title)}", ""]
            for block in section.blocks:
                lines += [*_block(block), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def inline(phrase: Phrase) -> str:
    """Return a phrase as Markdown that means the same text whatever stands in it."""
    return "".join(map(_piece, phrase))


def _piece(piece: Piece) -> str:
    text = shown(piece)
    if piece.style is Style.CODE:
        return f"`{text.replace('`', '')}`"  # names and digests: no backtick can stand in them
    mark = _BESIDE.get(piece.style, "")
    return mark + _MARKUP.sub(r"\\\1", text) + mark


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraphs(entries):
            for index, entry in enumerate(entries):
                yield from ([""] if index else [])
                yield from _entry(entry)
        case Bullets(entries, title, numbered):
            yield from [title, ""] if title else []
            for index, entry in enumerate(entries, start=1):
                first, *rest = _entry(entry)
                mark = f"{index}. " if numbered else "- "
                yield f"{mark}{first}"
                yield from (f"{' ' * len(mark)}{line}" if line else "" for line in rest)
        case Grid(headings, rows):
            yield f"| {' | '.join(map(inline, headings))} |"
            yield f"|{'---|' * len(headings)}"
            yield from (f"| {' | '.join(map(inline, row.cells))} |" for row in rows)
        case Diagram(graph):
            yield from ("```mermaid", *mermaid(graph).splitlines(), "```")
        case _:
            assert_never(block)


def _entry(entry: Entry) -> Iterator[str]:
    yield inline(entry.text)
    yield from _outline(entry.parts, "")
    for phrase in entry.then:
        yield from ("", inline(phrase))


def _outline(parts: tuple[Outline, ...], indent: str) -> Iterator[str]:
    for part in parts:
        yield f"{indent}- {inline(part.text)}{':' if part.parts else ''}"
        yield from _outline(part.parts, f"{indent}  ")
