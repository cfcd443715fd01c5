"""Diagnostics as text for people, as one line each, and as data for tools.

Text from a spec may hold anything, also what would steer a terminal or turn the writing direction; `_cell`
makes that visible instead of passing it on.
"""

import unicodedata
from collections.abc import Iterable, Sequence

from edca.diagnostics.diagnostic import Diagnostic, Label, Report, Severity, ordered
from edca.diagnostics.source import Span

_TAB_WIDTH = 4
# Widest excerpt of a source line, in terminal columns, and how much of it stands to the left of the mark.
_EXCERPT_WIDTH_MAX = 120
_LEAD_WIDTH = 40

_RESET = "\x1b[0m"
_RED, _YELLOW, _BLUE, _BOLD = "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1m"


def human(diagnostics: Iterable[Diagnostic] | Report, *, color: bool = False) -> str:
    """Findings as a person reads them: headline, excerpt with a mark, labels, help. Empty if there are none.

    A `Report` that was cut says so at the end. `color` adds ANSI colours; the caller knows whether it writes
    to a terminal.
    """
    report = _report(diagnostics)
    blocks = [_block(found, _Painter(color)) for found in report.diagnostics]
    if report.cut_count:
        blocks.append(f"{_cut_note(report.cut_count)}\n")
    return "\n".join(blocks)


def concise(diagnostics: Iterable[Diagnostic] | Report) -> str:
    """Findings one a line, as editors like them: `refund.edca:2:26: error[T003] unknown-attribute: …`."""
    report = _report(diagnostics)
    lines = [f"{_place(found.primary.span)}: {_headline(found)}" for found in report.diagnostics]
    if report.cut_count:
        lines.append(_cut_note(report.cut_count))
    return "".join(f"{line}\n" for line in lines)


def to_json(diagnostics: Iterable[Diagnostic] | Report) -> list[dict[str, object]]:
    """Findings as JSON-ready data with sorted keys; text as it is, offsets in characters from 0."""
    return [
        {
            "code": found.code.id,
            "help": found.help,
            "message": found.message,
            "name": found.code.name,
            "notes": [_label_data(label) for label in found.secondary],
            "primary": _label_data(found.primary),
            "severity": found.severity.value,
        }
        for found in _report(diagnostics).diagnostics
    ]


class _Painter:
    """Colours text, or leaves it alone."""

    __slots__ = ("_color",)

    def __init__(self, color: bool) -> None:
        self._color = color

    def __call__(self, style: str, text: str) -> str:
        return f"{style}{text}{_RESET}" if self._color and text else text


def _report(diagnostics: Iterable[Diagnostic] | Report) -> Report:
    return diagnostics if isinstance(diagnostics, Report) else ordered(diagnostics, cap=None)


def _cut_note(cut_count: int) -> str:
    return f"... and {cut_count} more finding{'' if cut_count == 1 else 's'} not shown"


def _label_data(label: Label) -> dict[str, object]:
    span = label.span
    return {
        "column": span.column,
        "end": span.end,
        "label": label.text,
        "line": span.line,
        "source": span.source.name,
        "start": span.start,
    }


def _headline(diagnostic: Diagnostic) -> str:
    code = diagnostic.code
    return f"{diagnostic.severity.value}[{code.id}] {code.name}: {plain(diagnostic.message)}"


def _place(span: Span) -> str:
    return f"{plain(span.source.name)}:{span.line}:{span.column}"


def _style(severity: Severity) -> str:
    match severity:
        case Severity.ERROR:
            return _RED
        case Severity.WARNING:
            return _YELLOW


def _block(diagnostic: Diagnostic, paint: _Painter) -> str:
    labels = (diagnostic.primary, *diagnostic.secondary)
    # One gutter for the whole block, as wide as its largest line number, keeps the excerpts aligned.
    gutter = max(len(str(label.span.line)) for label in labels)
    style = _style(diagnostic.severity)
    head, _, tail = _headline(diagnostic).partition(": ")
    lines = [f"{paint(style, head)}{paint(_BOLD, ': ' + tail)}"]
    lines += _snippet(diagnostic.primary, "^", style, gutter, paint)
    for label in diagnostic.secondary:
        lines += _snippet(label, "-", _BLUE, gutter, paint)
    mark = " " * (gutter + 1) + paint(_BLUE, "=")
    if diagnostic.help is not None:
        lines.append(f"{mark} help: {plain(diagnostic.help)}")
    lines.append(f"{mark} read: `edca explain {diagnostic.code.id}`")
    return "".join(f"{line}\n" for line in lines)


def _snippet(label: Label, mark: str, style: str, gutter: int, paint: _Painter) -> list[str]:
    span = label.span
    line, column = span.source.position(span.start)
    text = span.source.line_text(line)
    start = min(column - 1, len(text))
    # A span over several lines is marked to the end of its first line: that is where the reader has to begin.
    end = min(start + span.end - span.start, len(text))
    shown, before_width, marked_width = _excerpt(text, start, end)
    bar = paint(_BLUE, "|")
    underline = paint(style, f"{mark * marked_width} {plain(label.text)}".rstrip())
    return [
        " " * gutter + f"{paint(_BLUE, '-->')} {_place(span)}",
        " " * (gutter + 1) + bar,
        f"{paint(_BLUE, str(line).rjust(gutter))} {bar} {shown}".rstrip(),
        " " * (gutter + 1) + f"{bar} {' ' * before_width}{underline}",
    ]


def _excerpt(text: str, start: int, end: int) -> tuple[str, int, int]:
    """What is shown of a line, the columns before the mark, and the marked columns (at least one)."""
    cells = _cells(text)
    first, last = _window([width for _, width in cells], start)
    before = "…" if first > 0 else ""
    after = "…" if last < len(cells) else ""
    shown = before + "".join(cell for cell, _ in cells[first:last]) + after
    before_width = len(before) + _width(cells[first:start])
    return shown, before_width, max(1, _width(cells[start : min(end, last)]))


def _window(widths: Sequence[int], start: int) -> tuple[int, int]:
    """The cells `first` to `last` that fit into an excerpt, with some lead before the mark."""
    if sum(widths) <= _EXCERPT_WIDTH_MAX:
        return 0, len(widths)
    room = _EXCERPT_WIDTH_MAX - 2  # an ellipsis on either side
    first = last = start
    lead = 0
    while first > 0 and lead + widths[first - 1] <= _LEAD_WIDTH:
        first -= 1
        lead += widths[first]
    room -= lead
    while last < len(widths) and widths[last] <= room:
        room -= widths[last]
        last += 1
    # Near the end of a line the rest of the room goes to the left.
    while first > 0 and widths[first - 1] <= room:
        first -= 1
        room -= widths[first]
    return first, last


def _width(cells: Sequence[tuple[str, int]]) -> int:
    return sum(width for _, width in cells)


def _cells(text: str) -> list[tuple[str, int]]:
    """Each character as it is shown, with its width in terminal columns."""
    cells: list[tuple[str, int]] = []
    column = 0
    for character in text:
        if character == "\t":
            width = _TAB_WIDTH - column % _TAB_WIDTH
            cells.append((" " * width, width))
        else:
            cells.append(_cell(character))
        column += cells[-1][1]
    return cells


def _cell(character: str) -> tuple[str, int]:
    match unicodedata.category(character):
        case "Cc" | "Cf" | "Cs" | "Zl" | "Zp":
            return "\ufffd", 1
        case "Mn" | "Me":
            return character, 0
        case _:
            return character, 2 if unicodedata.east_asian_width(character) in "WF" else 1


def plain(text: str) -> str:
    """`text` on one line and without characters that steer a terminal."""
    return "".join(cell for cell, _ in _cells(text))
