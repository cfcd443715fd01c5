"""Goal: every mistake in the syntax corpus is found on its line, once, in the expected words, and nothing else is."""

import re
from pathlib import Path

import pytest

from edca.diagnostics import CODES, Source, ordered
from edca.dsl.parse import parse

FOLDER = Path(__file__).resolve().parents[2] / "corpus" / "syntax"
FILES = sorted(FOLDER.glob("*.edca"))
EXPECTED = re.compile(r'([A-Z][0-9]{3}) "((?:[^"\\]|\\.)*)"')
HEADER = 'edca 1 machine m version "1" '


def _chunks(path: Path) -> list[str]:
    return re.split(r"(?m)^---\n", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "chunk"),
    [pytest.param(path.name, chunk, id=f"{path.stem}-{i}") for path in FILES for i, chunk in enumerate(_chunks(path))],
)
def test_findings_stand_where_expected(name: str, chunk: str) -> None:
    # The comment that states what is expected mustn't change what is read: an open quote would swallow it.
    lines = [line.partition("###") for line in chunk.splitlines()]
    text = "\n".join(before for before, _, _ in lines)
    source = Source(name, text if name == "header.edca" else HEADER + "\n" + text)
    shift = 0 if name == "header.edca" else 1
    expected = [
        (number + shift, code, pattern)
        for number, (_, _, note) in enumerate(lines, start=1)
        for code, pattern in EXPECTED.findall(note)
    ]
    found = [(d.primary.span.line, d.code.id, d.message) for d in ordered(parse(source).diagnostics).diagnostics]
    missing = [e for e in expected if not any(e[:2] == f[:2] and re.search(e[2], f[2]) for f in found)]
    surplus = [f for f in found if not any(e[:2] == f[:2] and re.search(e[2], f[2]) for e in expected)]
    assert (missing, surplus) == ([], [])
    assert len(found) == len(expected)


def test_every_parse_code_has_a_case() -> None:
    covered = {code for path in FILES for code, _ in EXPECTED.findall(path.read_text(encoding="utf-8"))}
    assert {code for code in CODES if code.startswith("P")} <= covered
