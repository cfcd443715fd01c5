"""Where a command's text goes: to a file, or to stdout."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from edca.cli.errors import from_os_error

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where to write it, instead of stdout.", show_default=False),
]


def write_text(text: str, output: Path | None) -> None:
    """Write text to `output`, always as UTF-8, or to stdout. Raises `CLIError` where the file can't be written."""
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise from_os_error(error, output) from error


def suffix_of(output: Path | None) -> str:
    """Return the ending of the file's name without its dot, in lower case; empty where there is none."""
    return "" if output is None else output.suffix.removeprefix(".").lower()
