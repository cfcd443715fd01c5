"""Goal: the transcripts of tests/corpus/cli run as they are written, in a folder with the theatre of `fixtures`.

A line `$ edca …` is run; the lines below it, to the next, are stdout, then stderr, then `exit N` where the exit code is
not 0. `…` stands for any text within a line, and alone on a line for any lines.
"""

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Edca = Callable[..., Any]  # see conftest.py

_TRANSCRIPTS = sorted((Path(__file__).parents[1] / "corpus" / "cli").glob("*.md"))
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _steps(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command with what it must print."""
    for block in _BLOCK.findall(text):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            # A command goes on in the next line where its line ends in a backslash.
            command, _, printed = step.replace("\\\n", "").partition("\n")
            yield command, printed.strip("\n")


def _plain(text: str) -> str:
    """Return `text` without the spaces that fill up a table's columns, and without the rule below its head."""
    lines = (re.sub(r" {3,}", "  ", line).rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and set(line) != {"─"})


def _line_pattern(line: str) -> str:
    return r"[\s\S]*" if line == "…" else ".*".join(re.escape(part) for part in line.split("…"))


@pytest.mark.parametrize("path", _TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_transcript_runs_as_written(edca: Edca, theatre: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(theatre)
    monkeypatch.setenv("EDCA_TEST_HOUSE_URL", "sqlite:///house.db")
    steps = list(_steps(path.read_text(encoding="utf-8")))
    assert steps
    for command, printed in steps:
        program, *arguments = shlex.split(command)
        assert program == "edca"
        ran = edca(*arguments)
        told = _plain(ran.out + ran.err + (f"exit {ran.code}" if ran.code else ""))
        pattern = "\n".join(_line_pattern(line) for line in _plain(printed).splitlines())
        assert re.fullmatch(pattern, told), f"$ {command}\n{told}"
