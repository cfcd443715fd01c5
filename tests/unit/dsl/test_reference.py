"""Goal: every example in the reference of the grammar is correct, and no example is missing."""

import re
from pathlib import Path

import pytest

from edca.diagnostics import Source, concise
from edca.dsl.parse import parse

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "grammar.md"
TEXT = REFERENCE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```edca\n(.*?)```", TEXT, re.S)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.split()[0])
def test_example_is_correct(example: str) -> None:
    text = example if example.startswith("edca") else 'edca 1 machine m version "1"\n' + example
    parsed = parse(Source("grammar.md", text))
    assert not parsed.diagnostics, concise(parsed.diagnostics)
    assert parsed.spec is not None


def test_each_rule_is_followed_by_an_example() -> None:
    assert len(EXAMPLES) >= TEXT.count("```ebnf") - 1
