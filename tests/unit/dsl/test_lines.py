"""Goal: the end of a line means what a space means, wherever it stands in a text that can be read."""

import re
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path

import pytest

from edca.diagnostics import Source, concise
from edca.dsl.parse import parse

ROOT = Path(__file__).resolve().parents[3]
GRAMMAR = (ROOT / "docs" / "reference" / "grammar.md").read_text("utf-8")
EXAMPLES = "".join(
    example for example in re.findall(r"```edca\n(.*?)```", GRAMMAR, re.S) if not example.startswith("edca")
)
HEADER = 'edca 1\nmachine m version "1"\n'
# Every so many gaps one is broken, so that what stands around it is as it was; and all of them in as many texts.
STEP = 6
_PIECE = re.compile(r'(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<comment>#[^\n]*)|(?P<gap>\s+)')


def _bare(node: object) -> object:
    """A tree without its spans."""
    if is_dataclass(node):
        parts = (getattr(node, field.name) for field in fields(node) if "span" not in field.name)
        return (type(node).__name__, *map(_bare, parts))
    return tuple(map(_bare, node)) if isinstance(node, tuple) else node


def _tree(text: str) -> object:
    parsed = parse(Source("lines", text))
    assert not parsed.diagnostics, concise(parsed.diagnostics)
    return _bare(parsed.spec)


def _text(name: str) -> str:
    return HEADER + EXAMPLES if name == "grammar.md" else (ROOT / "specs" / name).read_text("utf-8")


@cache
def _expected(name: str) -> object:
    return _tree(_text(name))


def _broken(text: str, start: int) -> str:
    """The text with its gaps number `start`, `start + STEP`, … broken."""
    count = -1

    def broken(found: re.Match[str]) -> str:
        nonlocal count
        count += found["gap"] is not None
        return "\n" if found["gap"] and count % STEP == start else found[0]

    return _PIECE.sub(broken, text)


@pytest.mark.parametrize("start", range(STEP))
@pytest.mark.parametrize("name", ["grammar.md", "refund/refund.edca", "incident/incident.edca"])
def test_a_line_may_end_in_any_gap(name: str, start: int) -> None:
    assert _tree(_broken(_text(name), start)) == _expected(name)


@pytest.mark.parametrize("gap", [pytest.param("\n", id="all"), pytest.param(" ", id="none")])
@pytest.mark.parametrize("name", ["grammar.md", "refund/refund.edca", "loan/loan.edca"])
def test_lines_may_end_in_all_gaps_or_in_none(name: str, gap: str) -> None:
    text = _PIECE.sub(lambda found: found["text"] or gap, _text(name))
    assert _tree(text) == _expected(name)
