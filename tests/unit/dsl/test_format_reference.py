"""Goal: every example in the reference of the layout is formatted to what the page shows."""

import re
from pathlib import Path

import pytest

from edca.diagnostics import Source, concise
from edca.dsl.format import format_source

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "layout.md"
TEXT = REFERENCE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```edca written\n(.*?)```\n\n```edca formatted\n(.*?)```", TEXT, re.S)
HEADER = 'edca 1\n\nmachine m version "1"\n\n'


def test_examples_are_found() -> None:
    assert len(EXAMPLES) == TEXT.count("```edca") // 2 > 0


@pytest.mark.parametrize(("written", "expected"), EXAMPLES, ids=[f"example-{i}" for i in range(len(EXAMPLES))])
def test_example_is_formatted_as_shown(written: str, expected: str) -> None:
    formatted = format_source(Source("layout.md", HEADER + written))
    assert formatted.text == HEADER + expected, concise(formatted.diagnostics)
