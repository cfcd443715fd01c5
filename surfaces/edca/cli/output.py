"""How commands write: results on stdout, everything else on stderr, colour and progress only on a terminal.

Text from specs, ledgers and traces may hold anything, also what steers a terminal; `printable` makes that visible.
"""

import json
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from edca.cli.tables import table_lines

# Where nobody's screen sets the width, a table is as wide as its rows need, up to this.
_WIDTH_UNSEEN = 240
_PROGRESS_AFTER_S = 1.0

_GREEN, _YELLOW, _RED = 32, 33, 31  # as ECMA-48 numbers them
_COLOURS = {
    "accepted": _GREEN,
    "performed": _GREEN,
    "equal": _GREEN,
    "passed": _GREEN,
    "escalated": _YELLOW,
    "unequal": _YELLOW,
    "refused": _RED,
    "failed": _RED,
    "quarantined": _RED,
}

ProgressCallback = Callable[[int, int], None]


def printable(text: str) -> str:
    """Return `text` on one line, with what steers a terminal or the writing direction made visible."""
    if text.isprintable():
        return text
    hidden = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return "".join("\ufffd" if unicodedata.category(character) in hidden else character for character in text)


def line(text: str = "") -> None:
    """Write one line of result."""
    sys.stdout.write(f"{printable(text)}\n")


def document(value: object) -> None:
    """Write the one JSON document of a `--json` run: sorted keys, text as it is."""
    # ASCII, so that the bytes are the same whatever the locale of the pipe.
    sys.stdout.write(json.dumps(value, sort_keys=True, indent=2, allow_nan=False) + "\n")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table; words such as `accepted` are coloured on a terminal."""
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH_UNSEEN, color_system=None)
    coloured = console.color_system is not None and not console.no_color

    def head(_text: str, padded: str) -> str:
        return f"\x1b[1m{padded}\x1b[0m" if coloured else padded

    def cell(text: str, padded: str) -> str:
        code = _COLOURS.get(text) if coloured else None
        return padded if code is None else f"\x1b[{code}m{padded}\x1b[0m"

    shown = [[printable(text) for text in row] for row in rows]
    lines = table_lines(headings, shown, console.width, head, cell)
    sys.stdout.writelines(f"{text}\n" for text in lines)


def note(text: str) -> None:
    """Write one line for the person at the terminal; it is no part of the result."""
    sys.stderr.write(f"{printable(text)}\n")


def failure(message: str, hint: str | None, code: str | None = None) -> None:
    """Write why the tool could not do its work, and what to do next; `code` is what `edca explain` tells more about."""
    called = "error" if code is None else f"error[{code}]"
    for text in message.splitlines():
        note(f"edca: {called}: {text}")
    if hint is not None:
        note(f"edca: hint: {hint}")


@contextmanager
def progress(label: str) -> Iterator[ProgressCallback]:
    """Yield a callback (done, total) that draws a bar on stderr: only on a terminal, and only if work goes on."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    bar = Progress(
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    started = time.monotonic()
    task: TaskID | None = None

    def advance(done: int, total: int) -> None:
        nonlocal task
        if task is None and time.monotonic() - started > _PROGRESS_AFTER_S:
            task = bar.add_task(label, total=total)
            bar.start()
        if task is not None:
            bar.update(task, completed=done, total=total)

    try:
        yield advance
    finally:
        bar.stop()
