"""Text to lexemes: words, numbers, strings, dates, times and signs, each with its place.

What isn't the language's is reported at once and, where it is plain what was meant (`&&`, `'text'`, `.5`), read as
that, so that one slip makes one finding. One pass with one regular expression; every character is looked at a bounded
number of times.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum

from edca.diagnostics.codes import CODES
from edca.diagnostics.diagnostic import Diagnostic, Label
from edca.diagnostics.source import Source, Span
from edca.dsl.words import UNITS

FINDING_COUNT_MAX = 100
"""After so many findings reading stops: the file is hardly a spec, and the time stays bounded."""

_DIGIT_COUNT_MAX = 40


class Sort(Enum):
    """What a lexeme is, before the grammar says what its word means here."""

    WORD = "word"
    WHOLE_NUMBER = "whole number"
    POINT_NUMBER = "number with a decimal point"
    STRING = "string"
    DATE = "date"
    TIME = "time"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One word, literal or sign.

    `text` is what was written; of a string, the text with its escapes resolved. `first` says whether it is the first on
    its line.
    """

    sort: Sort
    text: str
    start: int
    end: int
    first: bool


@dataclass(frozen=True, slots=True)
class Scan:
    """The lexemes of a text in order, and what was wrong with it."""

    lexemes: tuple[Lexeme, ...]
    diagnostics: tuple[Diagnostic, ...]


_LEXEME = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<comment>\#[^\n]*)
    | (?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]*(?:Z|[+-][0-9]{2}:[0-9]{2})?)
    | (?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9A-Za-z_]))
    | (?P<number>\.?[0-9][0-9A-Za-z_.]*)
    | (?P<word>[^\W0-9]\w*)
    | (?P<string>"(?:[^"\\\n]|\\[^\n])*+")
    | (?P<open_string>"[^\n]*)
    | (?P<foreign>&&?|\|\||===|!==|!(?!=)|<>|=<|[≤≥≠\u00d7\u2212\u2013;]|//[^\n]*|/|'[^'\n]*'|[“”„][^“”„"\n]*[“”])
    | (?P<sign>==|!=|<=|>=|=>|[{}()\[\],.:|=<>+\-*])
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
# Characters nobody sees, or that change the order in which others are shown, could make a spec read other than it is;
# half a surrogate pair can't be written to a record.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)

# Signs of other languages: what they are read as here (nothing: they are skipped), and what to write.
_FOREIGN: dict[str, tuple[Sort | None, str, str]] = {
    "&&": (Sort.WORD, "and", "write `and`"),
    "&": (Sort.WORD, "and", "write `and`"),
    "||": (Sort.WORD, "or", "write `or`"),
    "!": (Sort.WORD, "not", "write `not`"),
    "===": (Sort.SIGN, "==", "write `==`"),
    "!==": (Sort.SIGN, "!=", "write `!=`"),
    "<>": (Sort.SIGN, "!=", "write `!=`"),
    "=<": (Sort.SIGN, "<=", "write `<=`"),
    "≤": (Sort.SIGN, "<=", "write `<=`"),
    "≥": (Sort.SIGN, ">=", "write `>=`"),
    "≠": (Sort.SIGN, "!=", "write `!=`"),
    "\u00d7": (Sort.SIGN, "*", "write `*`"),
    # A minus sign and a dash, as word processors put them in.
    "\u2212": (Sort.SIGN, "-", "write `-`"),
    "\u2013": (Sort.SIGN, "-", "write `-`"),
    "/": (Sort.SIGN, "*", "there is no division: multiply the other side instead"),
    ";": (None, "", "leave it out: a clause ends where the next one begins"),
}


def scan(source: Source) -> Scan:
    """Split a text into lexemes; spaces and comments are left out. Never raises, whatever the text."""
    scanner = _Scanner(source)
    for match in _LEXEME.finditer(source.text):
        scanner.take(match)
        if len(scanner.diagnostics) >= FINDING_COUNT_MAX:
            break
    return Scan(tuple(scanner.lexemes), tuple(scanner.diagnostics))


class _Scanner:
    """Collects lexemes and findings."""

    def __init__(self, source: Source) -> None:
        self.lexemes: list[Lexeme] = []
        self.diagnostics: list[Diagnostic] = []
        self._source = source
        self._first = True

    def take(self, match: re.Match[str]) -> None:
        text, start, end = match.group(), match.start(), match.end()
        match match.lastgroup:
            case "space":
                self._first = self._first or "\n" in text
            case "comment":
                self._unseen(text, start)
            case "word":
                self._word(text, start, end)
            case "sign":
                self._add(Sort.SIGN, text, start, end)
            case "number":
                self._number(text, start, end)
            case "date":
                self._date(text, start, end)
            case "time":
                self._time(text, start, end)
            case "string":
                self._string(text[1:-1], start, end)
            case "open_string":
                self._report("P002", "the text is never closed", start, end, 'close it with `"` on the same line')
                self._add(Sort.STRING, text[1:], start, end)
            case "foreign":
                self._foreign(text, start, end)
            case _:
                if not self._unseen(text, start):
                    self._report("P004", f"`{text}` isn't part of the language", start, end)

    def _add(self, sort: Sort, text: str, start: int, end: int) -> None:
        self.lexemes.append(Lexeme(sort, text, start, end, self._first))
        self._first = False

    def _report(self, code: str, message: str, start: int, end: int, repair: str | None = None) -> None:
        span = Span(self._source, start, end)
        self.diagnostics.append(Diagnostic(CODES[code], message, Label(span), help=repair))

    def _unseen(self, text: str, start: int) -> bool:
        """Report the first unseen character of a stretch of text, if there is one."""
        found = _UNSEEN.search(text)
        if found is None:
            return False
        place = start + found.start()
        self._report("P004", f"the unseen character U+{ord(found.group()):04X}", place, place + 1, "remove it")
        return True

    def _word(self, text: str, start: int, end: int) -> None:
        if _NAME.fullmatch(text):
            self._add(Sort.WORD, text, start, end)
            return
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower().strip("_")
        if _NAME.fullmatch(snake):
            repair = f"write `{snake}`"
        else:
            snake, repair = "name", "use the letters a to z, digits and `_`"
        self._report("P009", f"`{text}` isn't a name: names are written in snake_case", start, end, repair)
        self._add(Sort.WORD, snake, start, end)

    def _number(self, text: str, start: int, end: int) -> None:
        if len(text) > _DIGIT_COUNT_MAX:
            message = f"a number has at most {_DIGIT_COUNT_MAX} digits"
            self._report("P006", message, start, end)
            text = "0"
        if not _NUMBER.fullmatch(text):
            text = self._repaired_number(text, start, end)
        sort = Sort.POINT_NUMBER if "." in text else Sort.WHOLE_NUMBER
        self._add(sort, text, start, end)

    def _repaired_number(self, text: str, start: int, end: int) -> str:
        """Report a bad number; the likely meant one, so that reading can go on."""
        digits = re.match(r"[0-9]*", text)
        count = digits.group() if digits else ""
        plain = text.replace("_", "")
        repaired = count or "0"
        repair = "a number is digits, with one `.` before decimals"
        if count and text.removeprefix(count) in UNITS:
            repair = f"write `{count} {text.removeprefix(count)}`"
        elif _NUMBER.fullmatch("0" + text):
            repaired = "0" + text
            repair = f"write `{repaired}`"
        elif _NUMBER.fullmatch(plain):
            repaired = plain
            repair = f"write `{plain}`"
        elif ".." in text:
            repair = "a range is written `1 to 5`"
        self._report("P003", f"`{text}` isn't a number", start, end, repair)
        return repaired

    def _date(self, text: str, start: int, end: int) -> None:
        try:
            date.fromisoformat(text)
        except ValueError:
            self._report("P003", f"there is no date `{text}`", start, end, "a date is written `2024-05-20`")
        self._add(Sort.DATE, text, start, end)

    def _time(self, text: str, start: int, end: int) -> None:
        if not _TIME.fullmatch(text):
            repair = "a time is written `2024-05-15T15:00:00-05:00`, or with `Z` for UTC"
            if _TIME.fullmatch(f"{text}Z"):
                repair = f"a time says its offset from UTC: `{text}-05:00`, or `{text}Z` for none"
            self._report("P003", f"`{text}` isn't a time", start, end, repair)
        else:
            try:
                datetime.fromisoformat(text).astimezone(UTC)
            except (ValueError, OverflowError):
                self._report("P003", f"there is no time `{text}`", start, end)
        self._add(Sort.TIME, text, start, end)

    def _string(self, body: str, start: int, end: int) -> None:
        bad = next((found for found in _ESCAPE.finditer(body) if found.group(1) not in _ESCAPED), None)
        if bad is not None:
            place = start + 1 + bad.start()
            repair = 'write `\\"`, `\\\\`, `\\n` or `\\t`; a backslash itself is `\\\\`'
            self._report("P003", f"there is no escape `{bad.group()}`", place, place + 2, repair)
        else:
            self._unseen(body, start + 1)
        self._add(Sort.STRING, _ESCAPE.sub(lambda found: _ESCAPED.get(found.group(1), ""), body), start, end)

    def _foreign(self, text: str, start: int, end: int) -> None:
        if text.startswith("//"):
            self._report("P004", "`//` doesn't begin a comment", start, start + 2, "begin a comment with `#`")
        elif text[0] in "'“”„":
            self._report("P003", "text stands in double quotes", start, end, f'write `"{text[1:-1]}"`')
            self._add(Sort.STRING, text[1:-1], start, end)
        else:
            sort, meant, repair = _FOREIGN[text]
            self._report("P004", f"`{text}` isn't part of the language", start, end, repair)
            if sort is not None:
                self._add(sort, meant, start, end)
