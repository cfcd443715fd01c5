"""A graph as SVG: drawn here, so that neither a browser nor another program is needed."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from edca.semantic.render.layout import (
    BOX_HEIGHT,
    FRAME_TITLE,
    LINE_HEIGHT,
    LOOP_WIDTH,
    START_WIDTH,
    Border,
    Box,
    Line,
    caption,
    lay_out,
)
from edca.semantic.render.phrase import plain, text_of
from edca.semantic.render.ranks import FRAME_PAD, text_width

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edca.semantic.render.graph import Edge, Graph
    from edca.semantic.render.layout import Point

_FONT = "Helvetica, Arial, sans-serif"
_INK, _PALE, _FAILURE = "#1b1b1b", "#666666", "#a33a2a"


def svg(graph: Graph) -> str:
    """Return the graph as an SVG document, which also stands inside HTML; it ends in a line ending."""
    layout = lay_out(graph)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{layout.width}" height="{layout.height}" '
        f'viewBox="0 0 {layout.width} {layout.height}" role="img" font-family="{_FONT}" font-size="13">',
        f"<title>{_text(f'States of {graph.name} {graph.version}')}</title>",
        "<defs>",
        _arrow("move", _INK),
        _arrow("failure", _FAILURE),
        "</defs>",
        f'<rect width="{layout.width}" height="{layout.height}" fill="#ffffff"/>',
    ]
    for border in layout.borders:
        lines += _frame(border)
    for line in layout.lines:
        lines.append(_path(_curve(line.points), line.edge))
    for box in layout.boxes:
        lines += _box(box)
    for line in layout.lines:
        lines += _label(line)
    return "\n".join([*lines, "</svg>", ""])


def _text(text: str) -> str:
    """Return text that XML can hold: without control characters, and escaped."""
    return escape(text_of(plain(text)))


def _arrow(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
        f'orient="auto-start-reverse"><path d="M0 0 L10 5 L0 10 z" fill="{colour}"/></marker>'
    )


def _curve(points: Sequence[Point]) -> str:
    """Return a path through the points that leaves and enters each of them upright."""
    (x, y), *rest = points
    parts = [f"M{x} {y}"]
    for next_x, next_y in rest:
        half = (y + next_y) // 2
        parts.append(f"V{next_y}" if x == next_x else f"C{x} {half} {next_x} {half} {next_x} {next_y}")
        x, y = next_x, next_y
    return " ".join(parts)


def _path(d: str, edge: Edge) -> str:
    if edge.failure:
        return f'<path d="{d}" fill="none" stroke="{_FAILURE}" stroke-dasharray="5 4" marker-end="url(#failure)"/>'
    return f'<path d="{d}" fill="none" stroke="{_INK}" marker-end="url(#move)"/>'


def _frame(border: Border) -> Iterator[str]:
    (left, top), (right, bottom) = border.upper, border.lower
    yield f"<g><title>{_text(border.frame.text)}</title>"
    yield (
        f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" rx="12" fill="none" '
        f'stroke="{_PALE}" stroke-dasharray="2 3"/>'
    )
    yield f'<text x="{left + FRAME_PAD}" y="{top + FRAME_TITLE - 4}" font-weight="bold" fill="{_PALE}">'
    yield f"{_text(border.frame.name)}</text></g>"


def _box(box: Box) -> Iterator[str]:
    (x, y), node = box.middle, box.node
    left, top = x - box.width // 2, y - BOX_HEIGHT // 2
    yield f"<g><title>{_text(node.text)}</title>"
    yield _rectangle(left, top, box.width, BOX_HEIGHT)
    if node.final:
        yield _rectangle(left + 3, top + 3, box.width - 6, BOX_HEIGHT - 6)
    below = caption(node)
    yield (
        f'<text x="{x}" y="{y + (-2 if below else 5)}" text-anchor="middle" font-weight="bold" fill="{_INK}">'
        f"{_text(node.name)}</text>"
    )
    if below:
        yield (f'<text x="{x}" y="{y + 13}" text-anchor="middle" font-size="11" fill="{_PALE}">{_text(below)}</text>')
    yield "</g>"
    if node.initial_about is not None:
        yield f'<circle cx="{left - START_WIDTH + 6}" cy="{y}" r="5" fill="{_INK}"/>'
        yield f'<path d="M{left - START_WIDTH + 11} {y} L{left - 1} {y}" stroke="{_INK}" marker-end="url(#move)"/>'
    if box.loops:
        yield from _loops(box)


def _rectangle(x: int, y: int, width: int, height: int) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="9" fill="#f6f7f9" stroke="{_INK}"/>'


def _loops(box: Box) -> Iterator[str]:
    x, y = box.middle[0] + box.width // 2, box.middle[1]
    reach = x + LOOP_WIDTH + 6
    yield _path(f"M{x} {y - 10} C{reach} {y - 22} {reach} {y + 22} {x} {y + 10}", box.loops[0])
    lines = [(line, edge.failure) for edge in box.loops for line in edge.labels]
    yield from _lines(x + LOOP_WIDTH, y, lines, "start")


def _label(line: Line) -> Iterator[str]:
    """Return the label of a line on a ground of its own: the line goes behind it, not through it."""
    (x, y), words = line.label, line.edge.labels
    width, height = max(map(text_width, words)) + 4, LINE_HEIGHT * len(words)
    yield f'<rect x="{x - width // 2}" y="{y - height // 2}" width="{width}" height="{height}" fill="#ffffff"/>'
    yield from _lines(x, y, [(text, line.edge.failure) for text in words], "middle")


def _lines(x: int, y: int, lines: Sequence[tuple[str, bool]], anchor: str) -> Iterator[str]:
    first = y + 5 - LINE_HEIGHT * (len(lines) - 1) // 2
    for index, (text, failure) in enumerate(lines):
        place = f'x="{x}" y="{first + LINE_HEIGHT * index}" text-anchor="{anchor}"'
        yield f'<text {place} fill="{_FAILURE if failure else _INK}">{_text(text)}</text>'
