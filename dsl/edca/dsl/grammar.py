"""The parser made from `grammar.lark`, and the reading of one chunk with it.

It is built once, when first needed. Whether a word is a word of the language or a name is decided here, lexeme by
lexeme: the parser's own table says which words can stand at this place.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from lark import Lark, Token, Tree
from lark.common import LexerConf
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer, PatternStr
from lark.parsers.lalr_interactive_parser import InteractiveParser

from edca.dsl.scan import Lexeme, Sort
from edca.dsl.split import is_name_place
from edca.dsl.words import CLAUSES, DECLARATIONS, FUNCTIONS, HISTORY, LINES, MODE_PARTS, PARTS, RESERVED, UNITS

# Of these only the header is one chunk; a `state` may have a body or not.
_WITH_BODY = ("transition", "query", "mode", "scenario")
_END = "$END"

START_RULES: tuple[str, ...] = (
    *(f"{word}_declaration" for word in DECLARATIONS if word not in _WITH_BODY),
    *(f"{word}_header" for word in (*_WITH_BODY, "state")),
    *(f"{word}_clause" for word in CLAUSES),
    *(f"{word}_part" for word in (*MODE_PARTS, *PARTS)),
    *(f"{word}_line" for word in LINES),
)
"""The grammar's rules for one chunk each."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Where and why reading a chunk stopped.

    `index` is the lexeme that can't stand there, or the number of lexemes if more were needed; `expected` are the
    terminals that could have stood there.
    """

    start_rule: str
    lexemes: tuple[Lexeme, ...]
    index: int
    expected: frozenset[str]


class _NoLexer(Lexer):
    """Lark wants a lexer; lexemes are fed to its parser one by one instead."""

    def __init__(self, lexer_conf: LexerConf) -> None:
        pass

    def lex(self, lexer_state: object, parser_state: object) -> Iterator[Token]:
        return iter(())


def build(start_rules: Sequence[str]) -> Lark:
    """The parser for these rules.

    Raises:
        lark.exceptions.GrammarError: the grammar has a conflict.
    """
    return Lark(
        files("edca.dsl").joinpath("grammar.lark").read_text(encoding="utf-8"),
        parser="lalr",
        lexer=_NoLexer,
        start=list(start_rules),
        strict=True,
        propagate_positions=True,
        maybe_placeholders=True,
    )


@cache
def _parser() -> Lark:
    return build(START_RULES)


@cache
def texts() -> Mapping[str, str]:
    """How each terminal with a fixed text is written."""
    fixed = (terminal for terminal in _parser().terminals if isinstance(terminal.pattern, PatternStr))
    return {terminal.name: terminal.pattern.value for terminal in fixed}


@cache
def _terminals() -> Mapping[str, str]:
    return {text: terminal for terminal, text in texts().items()}


@cache
def words() -> frozenset[str]:
    """Every word of the language."""
    return frozenset(text for text in _terminals() if text.isalpha()) | frozenset(UNITS)


def read(start_rule: str, lexemes: tuple[Lexeme, ...]) -> Tree[Token] | Failure:
    """Parse one chunk."""
    parser = _parser().parse_interactive(start=start_rule)
    fed = _feed(parser, lexemes)
    if fed < len(lexemes):
        return _failure(start_rule, lexemes, fed)
    try:
        tree: Tree[Token] = parser.feed_token(Token(_END, ""))
    except UnexpectedToken:
        return _failure(start_rule, lexemes, fed)
    return tree


def _feed(parser: InteractiveParser, lexemes: Sequence[Lexeme]) -> int:
    """Feed lexemes until one doesn't fit; how many did."""
    for index, lexeme in enumerate(lexemes):
        terminal = _terminal(parser, lexemes, index)
        token = Token(terminal, lexeme.text, start_pos=lexeme.start, end_pos=lexeme.end)
        try:
            parser.feed_token(token)
        except UnexpectedToken:
            return index
    return len(lexemes)


def _failure(start_rule: str, lexemes: tuple[Lexeme, ...], index: int) -> Failure:
    # The failed attempt may have completed rules on the way, and with them forgotten what else was possible; so what
    # was expected is read off a parser that saw only what did fit.
    parser = _parser().parse_interactive(start=start_rule)
    _feed(parser, lexemes[:index])
    accepted: set[str] = parser.accepts()  # type: ignore[no-untyped-call]
    return Failure(start_rule, lexemes, index, frozenset(accepted))


def _terminal(parser: InteractiveParser, lexemes: Sequence[Lexeme], index: int) -> str:
    lexeme = lexemes[index]
    match lexeme.sort:
        case Sort.WORD:
            return _word_terminal(parser, lexemes, index)
        case Sort.SIGN:
            return _terminals()[lexeme.text]
        case Sort.DATE:
            return "DATE_LITERAL"
        case Sort.TIME:
            return "TIME_LITERAL"
        case Sort.WHOLE_NUMBER | Sort.POINT_NUMBER | Sort.STRING:
            return lexeme.sort.name


def _word_terminal(parser: InteractiveParser, lexemes: Sequence[Lexeme], index: int) -> str:
    word = lexemes[index].text
    if is_name_place(lexemes, index):
        return "NAME"
    after = lexemes[index + 1].text if index + 1 < len(lexemes) else ""
    if word in HISTORY and after != "of":
        return "NAME"
    terminal = "UNIT" if word in UNITS else _terminals().get(word)
    if terminal is None:
        return "NAME"
    if word in RESERVED:
        return terminal
    possible: Mapping[str, object] = parser.choices()  # type: ignore[no-untyped-call]
    if word in FUNCTIONS and after != "(" and "NAME" in possible:
        return "NAME"
    return terminal if terminal in possible else "NAME"
