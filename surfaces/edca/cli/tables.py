"""Tables of results as lines of text: one pass for the widths and one for the lines, since a ledger's table is long."""

import textwrap
from collections.abc import Callable, Iterator, Sequence

from rich.cells import cell_len

_GAP = "   "
_WIDTH_MIN = 6  # of a column that has to make room

Style = Callable[[str, str], str]
"""Takes a cell's words and the same padded to the width of its column, and returns the latter as it is shown."""


def table_lines(
    headings: Sequence[str], rows: Sequence[Sequence[str]], width: int, head: Style, cell: Style
) -> Iterator[str]:
    """Yield a table of at most `width` columns, a line at a time; cells that don't fit are folded."""
    wanted = [max(map(_width, column)) for column in zip(headings, *rows, strict=True)]
    widths = _fitted(wanted, width - len(_GAP) * (len(wanted) - 1))
    yield from _row(headings, widths, head)
    yield "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))
    for row in rows:
        yield from _row(row, widths, cell)


def _width(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)


def _fitted(wanted: Sequence[int], width: int) -> list[int]:
    """Return what each column gets: the widest give way first, all alike."""
    if sum(wanted) <= width:
        return list(wanted)
    low, high = _WIDTH_MIN, max(wanted)
    while low < high:  # the widest that a column may be
        middle = (low + high + 1) // 2
        low, high = (middle, high) if sum(min(each, middle) for each in wanted) <= width else (low, middle - 1)
    return [min(each, low) for each in wanted]


def _row(cells: Sequence[str], widths: Sequence[int], style: Style) -> Iterator[str]:
    if all(_width(text) <= width for text, width in zip(cells, widths, strict=True)):
        yield _line(cells, cells, widths, style)
        return
    folded = [_folded(text, width) for text, width in zip(cells, widths, strict=True)]
    for place in range(max(map(len, folded))):
        parts = [lines[place] if place < len(lines) else "" for lines in folded]
        yield _line(cells, parts, widths, style)


def _line(cells: Sequence[str], parts: Sequence[str], widths: Sequence[int], style: Style) -> str:
    padded = (part + " " * (width - _width(part)) for part, width in zip(parts, widths, strict=True))
    return _GAP.join(style(text, part) for text, part in zip(cells, padded, strict=True))


def _folded(text: str, width: int) -> list[str]:
    if _width(text) <= width:
        return [text]
    # Where characters may be two columns wide, half as many surely fit.
    fitting = width if text.isascii() else max(width // 2, 1)
    return textwrap.wrap(text, fitting, break_on_hyphens=False) or [""]
