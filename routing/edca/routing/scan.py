"""Text to lexemes: words, names in backticks, texts, whole numbers and signs, each with its place.

One pass with one regular expression. What isn't the language's is reported where it stands and, where it is plain what
kind of thing was meant, read as such, so that one slip makes one finding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from edca.diagnostics import CODES, Diagnostic, Label, Source, Span

SIZE_MAX = 1_000_000
"""Characters a routes file may have."""

FINDING_COUNT_MAX = 100

_DIGIT_COUNT_MAX = 18  # every whole number of so many digits fits the integers of any source
_NAME_LENGTH_MAX = 128

_LEXEME = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<comment>\#[^\n]*)
    | (?P<word>[A-Za-z_][A-Za-z0-9_$]*)
    | (?P<quoted>`[^`\n]*`)
    | (?P<number>[0-9]+(?![0-9A-Za-z_.]))
    | (?P<string>"(?:[^"\\\n]|\\["\\nt])*")
    | (?P<single>'[^'\n]*')
    | (?P<open>["`][^\n]*)
    | (?P<sign>!=|<=|>=|[{}(),.=<>+\-])
    | (?P<badnumber>[0-9][0-9A-Za-z_.]*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}


class Sort(Enum):
    """What a lexeme is, before the parser says whether its word is the language's or a name."""

    WORD = "word"
    QUOTED = "quoted name"
    STRING = "text"
    NUMBER = "number"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One word, literal or sign.

    `text` has its quotes taken off. `first`: it opens its line. `after_gap`: something that isn't the
    language's was left out just before it.
    """

    sort: Sort
    text: str
    start: int
    end: int
    first: bool
    after_gap: bool


@dataclass(frozen=True, slots=True)
class Scan:
    """The lexemes of a text in order, and what was wrong with it."""

    lexemes: tuple[Lexeme, ...]
    diagnostics: tuple[Diagnostic, ...]


def scan(source: Source) -> Scan:
    """Split a text into lexemes; spaces and comments are left out. Never raises, whatever the text."""
    if len(source.text) > SIZE_MAX:
        message = f"a routes file has at most {SIZE_MAX} characters"
        return Scan((), (Diagnostic(CODES["P006"], message, Label(Span(source, 0, 0))),))
    lexemes: list[Lexeme] = []
    found: list[Diagnostic] = []
    first, gap = True, False
    for match in _LEXEME.finditer(source.text):
        span = Span(source, match.start(), match.end())
        if match.lastgroup == "space":
            first = first or "\n" in match.group()
        elif match.lastgroup != "comment":
            read = _read(match, span, found)
            gap = gap or read is None
            if read is not None:
                lexemes.append(Lexeme(*read, span.start, span.end, first, gap))
                first, gap = False, False
        if len(found) >= FINDING_COUNT_MAX:
            break
    return Scan(tuple(lexemes), tuple(found))


def _read(match: re.Match[str], span: Span, found: list[Diagnostic]) -> tuple[Sort, str] | None:
    """Return what one stretch of text is, or null for what is left out."""
    text = match.group()

    def report(code: str, message: str, repair: str | None = None) -> None:
        found.append(Diagnostic(CODES[code], message, Label(span), help=repair))

    match match.lastgroup:
        case "word" | "quoted":
            name = text.strip("`")
            if not 1 <= len(name) <= _NAME_LENGTH_MAX or not name.isprintable():
                report("P003", f"a name has 1 to {_NAME_LENGTH_MAX} printable characters")
            return (Sort.WORD if match.lastgroup == "word" else Sort.QUOTED), name
        case "number":
            if len(text) > _DIGIT_COUNT_MAX:
                report("P003", f"a number has at most {_DIGIT_COUNT_MAX} digits")
                return Sort.NUMBER, "0"
            return Sort.NUMBER, text
        case "string":
            return Sort.STRING, _ESCAPE.sub(lambda escape: _ESCAPED[escape.group(1)], text[1:-1])
        case "single":
            report("P004", "`'` isn't part of the language", 'texts stand in `"`')
            return Sort.STRING, text[1:-1]
        case "open":
            report("P002", "the text is never closed, or holds an escape the language doesn't have")
            return Sort.STRING, text[1:]
        case "sign":
            return Sort.SIGN, text
        case "badnumber":
            report("P003", f"`{text}` is not a whole number", f'write a text in quotes: `"{text}"`')
            return Sort.NUMBER, "0"
        case _:
            shown = text if text.isprintable() else f"U+{ord(text):04X}"
            report("P004", f"`{shown}` isn't part of the language")
            return None
