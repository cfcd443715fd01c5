"""Damages specs in the ways that people and programs do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from edca.dsl.words import FUNCTIONS, RESERVED

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

ROOT = Path(__file__).resolve().parents[2]
LEXEME = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"|[A-Za-z_]\w*|\d[\d.:TZ-]*|[=!<>]=|=>|\s+|.', re.DOTALL)
BRACKETS = '(){}[]"|,:.='
# Words of the language, and values at its edges.
WORDS = (
    *sorted(RESERVED | FUNCTIONS),
    "personal", "secret", "fixed", "optional", "initial", "final", "success", "failure", "rolling", "utc", "per",
    "failed", "timeout", "irreversible", "ensure", "undo", "within", "distinct", "priority", "unblockable", "leads",
    "reaching", "without", "assuming", "while", "about", "creates", "needs", "proposes", "confirms", "waives", "now",
    "proposer", "subject", "confidence", "clock", "model", "human", "bool", "int", "decimal", "text", "id", "time",
    "0", "1", "-1", "99999999999999999999", "0.00", "0.0000000000001", "1000 weeks", "0 days", "2024-02-30",
    "0000-01-01", "9999-12-31T23:59:59Z", '""', '" "', '"\\n"', "=>", "==", "!=", "<=", "-", "*", "+", "#", "$",
)  # fmt: skip
_OWN_WORDS = RESERVED.union(WORDS)
_NUMBERS = ("0", "1", "-1", "2", "0.00", "1.5", "0.001", "100", "9223372036854775808", "99999999999999999999999")
_TYPES = (
    *("bool", "id", "handle", "date", "time", "duration"),
    *("text(9)", "int(0 to 9)", "decimal(2, 0.00 to 9.99)", "x0"),
)
GARBAGE = (
    "\x00", "\ufeff", "\u202e", "\u2028", "\r", "\t", "\x7f", "é", "\uff19", "\U0001d535", "\ud800", "\ufffd",
    "\x1b[31m", "\\", "'",
)  # fmt: skip


def mutate(text: str, random: Random) -> str:
    """The text with one to four changes; more than half of the time only such as often still parse."""
    changes = _GENTLE if random.random() < 0.6 else _CHANGES
    for _ in range(random.choice([1, 1, 1, 2, 2, 3, 4])):
        text = random.choice(changes)(text, random)
    return text


def _tokens(text: str) -> tuple[list[str], list[int]]:
    """All parts of a text, and which of them are more than space."""
    parts = LEXEME.findall(text)
    return parts, [place for place, part in enumerate(parts) if not part.isspace()]


def _one_token(change: Callable[[list[str], int, list[int], Random], str]) -> Callable[[str, Random], str]:
    def run(text: str, random: Random) -> str:
        parts, solid = _tokens(text)
        if not solid:
            return text
        place = random.choice(solid)
        parts[place] = change(parts, place, solid, random)
        return "".join(parts)

    return run


def _swap(text: str, random: Random) -> str:
    parts, solid = _tokens(text)
    if len(solid) < 2:
        return text
    first = random.randrange(len(solid) - 1)
    second = min(len(solid) - 1, first + random.choice([1, 1, 2, 3, 50]))
    a, b = solid[first], solid[second]
    parts[a], parts[b] = parts[b], parts[a]
    return "".join(parts)


def _bracket(text: str, random: Random) -> str:
    places = [place for place, character in enumerate(text) if character in BRACKETS]
    place = random.choice(places) if places else len(text)
    other: str = random.choice(["", *BRACKETS])
    return text[:place] + other + text[place + random.randint(0, 1) :]


def _number(text: str, random: Random) -> str:
    digits = [place for place, character in enumerate(text) if character.isdigit()]
    if not digits:
        return text
    place = random.choice(digits)
    return text[:place] + random.choice(["", "0", "9", "00", "-", ".", "99999999999"]) + text[place + 1 :]


def _rename(text: str, random: Random) -> str:
    """Misspell one name, or write another one of the text instead."""
    parts, solid = _tokens(text)
    names = [place for place in solid if parts[place][0].isalpha() and parts[place] not in _OWN_WORDS]
    if not names:
        return text
    place, other = random.choice(names), parts[random.choice(names)]
    old = parts[place]
    spot = random.randrange(len(old))
    parts[place] = random.choice([other, other, other, old[:spot] + old[spot + 1 :], old + "_x", old.upper()])
    return "".join(parts)


def _same_sort(text: str, random: Random) -> str:
    """Another word, number, text or sign of the spec where one stood: this often still parses."""
    parts, solid = _tokens(text)
    if not solid:
        return text
    place = random.choice(solid)
    sort = _sort(parts[place])
    parts[place] = parts[random.choice([other for other in solid if _sort(parts[other]) == sort])]
    return "".join(parts)


def _sort(token: str) -> str:
    if token[0].isalpha():
        return "word" if token in RESERVED else "name"
    return "number" if token[0].isdigit() else "text" if token[0] == '"' else "sign"


def _digit(text: str, random: Random) -> str:
    """Another number where one stood."""
    places = list(re.finditer(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.:-])", text))
    if not places:
        return text
    place = random.choice(places)
    return text[: place.start()] + random.choice(_NUMBERS) + text[place.end() :]


def _type(text: str, random: Random) -> str:
    """Another type where one stood."""
    places = list(re.finditer(r"(?<=: )(?:int\([^()]*\)|decimal\([^()]*\)|text\([^()]*\)|[a-z_]\w*)", text))
    if not places:
        return text
    place, other = random.choice(places), random.choice([*(p[0] for p in places), *_TYPES])
    return text[: place.start()] + other + text[place.end() :]


def _clause(text: str, random: Random) -> str:
    """A line that is a clause or declaration of its own left out, or put to others of its kind."""
    lines = text.splitlines(keepends=True)
    whole = [n for n, line in enumerate(lines) if line.split()[:1] and line.split()[0] in RESERVED and _balanced(line)]
    if not whole:
        return text
    line = lines[random.choice(whole)]
    if random.random() < 0.5:
        lines.remove(line)
    else:
        lines.insert(random.choice(whole), line)
    return "".join(lines)


def _balanced(line: str) -> bool:
    return all(line.count(a) == line.count(b) for a, b in ("()", "{}", "[]"))


def _line(text: str, random: Random) -> str:
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    line = lines.pop(random.randrange(len(lines)))
    match random.randrange(3):
        case 0:
            lines.insert(random.randint(0, len(lines)), line)
        case 1:
            lines.insert(random.randint(0, len(lines)), line * 2)
        case _:
            pass
    return "".join(lines)


def _block(text: str, random: Random) -> str:
    """Take some lines out, or put them in once more elsewhere."""
    lines = text.splitlines(keepends=True)
    start = random.randint(0, len(lines))
    block = lines[start : start + random.randint(1, 8)]
    if random.random() < 0.5:
        del lines[start : start + len(block)]
    place = random.randint(0, len(lines))
    return "".join([*lines[:place], *block, *lines[place:]])


def _truncate(text: str, random: Random) -> str:
    place = random.randint(0, len(text))
    return text[:place] if random.random() < 0.8 else text[place:]


def _garbage(text: str, random: Random) -> str:
    place = random.randint(0, len(text))
    if random.random() < 0.3:
        data: bytearray = bytearray(text.encode("utf-8", "surrogatepass"))
        for _ in range(random.randint(1, 4)):
            if data:
                data[random.randrange(len(data))] = random.randrange(256)
        return data.decode("utf-8", "surrogateescape")
    return text[:place] + random.choice(GARBAGE) * random.choice([1, 1, 1, 40]) + text[place + random.randint(0, 3) :]


_CHANGES: tuple[Callable[[str, Random], str], ...] = (
    _one_token(lambda parts, place, solid, random: ""),
    _one_token(lambda parts, place, solid, random: f"{parts[place]} {parts[place]}"),
    _one_token(lambda parts, place, solid, random: random.choice(WORDS)),
    _one_token(lambda parts, place, solid, random: parts[random.choice(solid)]),
    _one_token(lambda parts, place, solid, random: f"{parts[place]} {random.choice(WORDS)}"),
    _swap,
    _bracket,
    _number,
    _rename,
    _same_sort,
    _line,
    _block,
    _truncate,
    _garbage,
)
_GENTLE = (_rename, _rename, _same_sort, _same_sort, _digit, _type, _clause, _clause)


# --- what to damage ---


def bases() -> list[tuple[str, str]]:
    """Every spec of the repository and of the corpus, each with a name."""
    corpus = ROOT / "tests" / "corpus"
    prelude = (corpus / "check" / "prelude.txt").read_text("utf-8")
    found = [(str(path.relative_to(ROOT)), path.read_text("utf-8")) for path in sorted(ROOT.glob("specs/**/*.edca"))]
    for path in sorted([*corpus.glob("check/*.edca"), *corpus.glob("analysis/*.edca"), *corpus.glob("syntax/*.edca")]):
        for number, chunk in enumerate(re.split(r"(?m)^---\n", path.read_text("utf-8"))):
            before = "" if chunk.startswith("edca") else prelude
            found.append((f"{path.parent.name}/{path.stem}-{number}", before + chunk))
    return found


def lightly(found: list[tuple[str, str]]) -> list[float]:
    """Weights that choose small texts more often, so that about as much time goes to each."""
    return [1 / (500 + len(text)) for _, text in found]
