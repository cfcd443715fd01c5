"""Goal: the grammar is LALR(1) without conflicts, and code, grammar and reference name the same words and rules."""

import re
from pathlib import Path

import pytest
from lark import Lark
from lark.exceptions import GrammarError

from edca.dsl import grammar
from edca.dsl.words import CLAUSES, DECLARATIONS, FORMS, FUNCTIONS, PARTS, RESERVED, UNITS

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "grammar.md"


def test_no_conflict_in_any_start_rule_nor_in_the_whole_file() -> None:
    grammar.build((*grammar.START_RULES, "spec"))


@pytest.mark.parametrize(
    "conflicting",
    [
        pytest.param('start: "if" start ["else" start] | "x"', id="shift-reduce"),
        pytest.param('start: a | b\na: "x"\nb: "x"', id="reduce-reduce"),
    ],
)
def test_a_conflict_would_be_refused(conflicting: str) -> None:
    with pytest.raises(GrammarError):
        Lark(conflicting, parser="lalr", lexer=grammar._NoLexer, strict=True)


def test_every_rule_has_a_written_form() -> None:
    assert set(FORMS) == set(grammar.START_RULES)


def test_word_lists_hold_words_of_the_grammar() -> None:
    listed = set(DECLARATIONS) | set(CLAUSES) | set(PARTS) | RESERVED | FUNCTIONS | set(UNITS)
    assert listed <= grammar.words()


def test_reference_shows_every_word() -> None:
    shown = set(re.findall(r"[a-z]+", " ".join(re.findall(r"```ebnf\n(.*?)```", REFERENCE.read_text("utf-8"), re.S))))
    assert grammar.words() <= shown


def test_reference_lists_reserved_words() -> None:
    section = re.search(r"## Reserved words\n(.*?)(?=\n## |\Z)", REFERENCE.read_text("utf-8"), re.S)
    assert section is not None
    assert set(re.findall(r"`([a-z]+)`", section.group(1))) >= set(RESERVED)
