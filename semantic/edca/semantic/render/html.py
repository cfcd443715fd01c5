"""A page as one HTML file: no script, nothing fetched, and it prints well."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, assert_never

from edca.semantic.render.page import Block, Bullets, Diagram, Entry, Grid, Page, Paragraphs
from edca.semantic.render.phrase import Phrase, Piece, Style, shown, text_of
from edca.semantic.render.svg import svg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.semantic.render.prose import Outline

_TAGS = {Style.NAME: "em", Style.CODE: "code", Style.STRONG: "strong"}

_STYLE = """
body { font: 16px/1.5 Georgia, "Times New Roman", serif; color: #1b1b1b; background: #fff; max-width: 46rem;
       margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { font-family: Helvetica, Arial, sans-serif; line-height: 1.2; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #bbb; padding-bottom: .2rem; }
h3 { margin-top: 1.8rem; }
table { border-collapse: collapse; margin: 1rem 0; font-size: .92em; }
th, td { border: 1px solid #bbb; padding: .25rem .5rem; text-align: left; vertical-align: top; }
th { background: #f2f2f2; }
code { font: .88em Menlo, Consolas, monospace; overflow-wrap: anywhere; }
li { margin: .35rem 0; }
li p { margin: .2rem 0; }
figure { margin: 1.5rem 0; overflow-x: auto; }
svg { max-width: 100%; height: auto; }
@media print {
  body { max-width: none; margin: 0; font-size: 10.5pt; }
  h2, h3 { break-after: avoid; }
  tr, li, figure { break-inside: avoid; }
}
""".strip()


def html(page: Page) -> str:
    """Return the page as a whole HTML document; it ends in a line ending."""
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(text_of(page.title))}</title>",
        f"<style>\n{_STYLE}\n</style>",
        "</head>",
        "<body>",
        f"<h1>{inline(page.title)}</h1>",
    ]
    for chapter in page.chapters:
        lines.append(f"<h2>{escape(chapter.title)}</h2>")
        for section in chapter.sections:
            lines += [f"<h3>{inline(section.title)}</h3>"] if section.title else []
            for block in section.blocks:
                lines += _block(block)
    return "\n".join([*lines, "</body>", "</html>", ""])


def inline(phrase: Phrase) -> str:
    """Return a phrase as HTML, escaped."""
    return "".join(map(_piece, phrase))


def _piece(piece: Piece) -> str:
    text, tag = escape(shown(piece)), _TAGS.get(piece.style)
    return text if tag is None else f"<{tag}>{text}</{tag}>"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraphs(entries):
            for entry in entries:
                yield from _entry(entry)
        case Bullets(entries, title, numbered):
            tag = "ol" if numbered else "ul"
            yield from [f"<p>{escape(title)}</p>"] if title else []
            yield f"<{tag}>"
            for entry in entries:
                yield from ("<li>", *_entry(entry), "</li>")
            yield f"</{tag}>"
        case Grid(headings, rows):
            yield "<table>"
            yield f"<thead><tr>{''.join(f'<th>{inline(heading)}</th>' for heading in headings)}</tr></thead>"
            yield "<tbody>"
            for row in rows:
                yield f"<tr>{''.join(f'<td>{inline(content)}</td>' for content in row.cells)}</tr>"
            yield "</tbody>"
            yield "</table>"
        case Diagram(graph):
            yield from ("<figure>", svg(graph).rstrip("\n"), "</figure>")
        case _:
            assert_never(block)


def _entry(entry: Entry) -> Iterator[str]:
    yield f"<p>{inline(entry.text)}</p>"
    yield from _outline(entry.parts)
    for phrase in entry.then:
        yield f"<p>{inline(phrase)}</p>"


def _outline(parts: tuple[Outline, ...]) -> Iterator[str]:
    if not parts:
        return
    yield "<ul>"
    for part in parts:
        yield f"<li>{inline(part.text)}{':' if part.parts else ''}"
        yield from _outline(part.parts)
        yield "</li>"
    yield "</ul>"
