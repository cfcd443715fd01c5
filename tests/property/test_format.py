"""Goal: whatever the layout of a spec, formatting keeps its tree and its comments, and gives one layout."""

import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from random import Random

import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from edca.diagnostics import Source
from edca.dsl.format import format_source
from edca.dsl.parse import parse

ROOT = Path(__file__).resolve().parents[2]
HEADER = 'edca 1 machine m version "1"\n'
EXAMPLES = re.findall(r"```edca\n(.*?)```", (ROOT / "docs/reference/grammar.md").read_text("utf-8"), re.S)
TEXTS = [example if example.startswith("edca") else HEADER + example for example in EXAMPLES]
TEXTS.append((ROOT / "specs/refund/refund.edca").read_text("utf-8").partition('scenario "nobody')[0])
# Lexemes and comments by a reading of its own, so that the formatter isn't compared with itself.
LEXEME = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"|[\w:+.-]*\d{2}:\d{2}[\w:+.-]*|[a-z_]\w*|[0-9][0-9.-]*|[=!<>]=|=>|\S')

BLANKS = (" ", " ", " ", "  ", "\t")
ENDS = ("\n", "\n    ", "\r\n")
COMMENTS = (" # c{}\n", "# c{}\n  # d{}\n", "\n# c{}\n", "\n\n# c{}\n\n", " # c{}\n\n", "  # c{}\n        # d{}\n")


def bare(node: object) -> object:
    """A tree without its spans."""
    if is_dataclass(node):
        parts = (getattr(node, field.name) for field in fields(node) if "span" not in field.name)
        return (type(node).__name__, *map(bare, parts))
    return tuple(map(bare, node)) if isinstance(node, tuple) else node


def tree_of(text: str) -> object:
    parsed = parse(Source("noisy", text))
    return None if parsed.diagnostics else bare(parsed.spec)


def noisy(text: str, random: Random, comment_rate: float) -> str:
    """The lexemes of a text, with other spaces and line ends between them, and comments."""
    parts = []
    for number, lexeme in enumerate(each for each in LEXEME.findall(text) if not each.startswith("#")):
        place = random.random()
        if place < comment_rate:
            parts.append(random.choice(COMMENTS).format(number, number))
        else:
            parts.append(random.choice(ENDS if place < 0.3 else BLANKS))
        parts.append(lexeme)
    return "".join(parts)


def words(text: str) -> list[str]:
    """Lexemes and comments in order, without commas: a comment may pass one, and the last of a list goes."""
    return [each.rstrip() for each in LEXEME.findall(text) if each != ","]


@settings(max_examples=100)
@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False), st.sampled_from([0.02, 0.3]))
def test_tree_and_comments_stay(text: str, random: Random, comment_rate: float) -> None:
    text = noisy(text, random, comment_rate)
    tree = tree_of(text)
    once = format_source(Source("noisy", text)).text
    assert (once is None) == (tree is None)
    if once is None:
        return
    assert tree_of(once) == tree
    assert words(once) == words(text)
    assert format_source(Source("noisy", once)).text == once
    assert all(line == line.rstrip() for line in once.split("\n"))
    assert "\n\n\n" not in once and once.endswith("\n") and not once.endswith("\n\n")


@settings(max_examples=100)
@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False))
def test_two_authors_get_one_layout(text: str, random: Random) -> None:
    one, other = (noisy(text, random, 0) for _ in range(2))
    if tree_of(one) is not None and tree_of(one) == tree_of(other):
        assert format_source(Source("one", one)).text == format_source(Source("other", other)).text


@settings(max_examples=100)
@given(strategies.expressions(depth=3))
def test_any_expression_keeps_its_tree(expression: str) -> None:
    text = f"{HEADER}define it = {expression}"
    formatted = format_source(Source("expression", text)).text
    assert formatted is not None
    assert tree_of(formatted) == tree_of(text)
    assert format_source(Source("expression", formatted)).text == formatted


@settings(max_examples=100)
@given(st.text() | st.lists(st.sampled_from(LEXEME.findall(TEXTS[-1])), max_size=30).map(" ".join))
def test_any_text_is_formatted_or_explained(text: str) -> None:
    result = format_source(Source("any", HEADER + text))
    assert (result.text is None) == bool(result.diagnostics)
