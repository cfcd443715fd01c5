"""Lexemes to chunks: one declaration, clause or scenario part each.

The words that begin these are reserved, so they can be found without parsing. Each chunk is then parsed on its own, and
an error in one can't hide or cause an error in another.

A text that can be read means the same wherever its lines end. Only lexemes that can't be read as one chunk are split
once more, `by_lines`: then a chunk can also begin where two values meet at the start of a line, which no expression
allows. There an author misspelt a word.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from edca.dsl.scan import Lexeme, Sort
from edca.dsl.words import CLAUSES, DECLARATIONS, LINES, MODE_PARTS, PARTS, RESERVED, UNITS, Follows

# Words that can stand last in a clause or declaration; behind them, and behind names and literals, a name can't follow.
_CLOSING_WORDS = frozenset(
    (
        "true", "false", "present", "absent", "any", "optional", "fixed", "personal", "secret", "model", "human",
        "clock", "bool", "id", "handle", "date", "time", "duration", "int", "text", "decimal", "final", "initial",
        "success", "failure", "irreversible", "unblockable", "succeeds", "fails", "out", *UNITS,
    )
)  # fmt: skip
# Words that can begin a line inside a clause or declaration, so that a line that begins with one isn't a misspelling.
_LEADING_WORDS = frozenset(
    (
        "version", "tier", "key", "fresh", "about", "initial", "success", "failure", "final", "gives", "creates",
        "within", "optional", "fixed", "personal", "secret", "refuse", "escalate", "ensure", "undo", "irreversible",
        "go", "proposes", "confidence", "refused", "escalated", "accepted", "needs", "with", "present", "absent",
        "of", "confirms", "declines", "signs", "waives", "succeeds", "fails", "times", "per", "rolling", "utc",
        "distinct", "while", "reaching", "each", "asks", "returned", "without", "leads", "assuming",
        *UNITS,
    )
)  # fmt: skip
_OPENERS = {"(": ")", "[": "]", "{": "}"}
_CLOSERS = frozenset(_OPENERS.values())


class Beginning(Enum):
    """How a chunk begins: with a word of the language, or with something else."""

    KNOWN = "known"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lexemes, at least one, that belong together; `word` is the first."""

    beginning: Beginning
    lexemes: tuple[Lexeme, ...]

    @property
    def word(self) -> str:
        """The word that the chunk begins with."""
        return self.lexemes[0].text


class Split(Protocol):
    """One of the `split_…` below."""

    def __call__(self, lexemes: Sequence[Lexeme], *, by_lines: bool = False) -> Iterator[Chunk]:
        """Take lexemes apart at the words that begin chunks; `by_lines` also where lines say that one begins."""


@dataclass(frozen=True, slots=True)
class Block:
    """A chunk with a body in braces: `HEAD { BODY } REST`, any of them possibly missing."""

    head: tuple[Lexeme, ...]
    opener: Lexeme | None
    body: tuple[Lexeme, ...]
    closer: Lexeme | None
    rest: tuple[Lexeme, ...]


def is_name_place(lexemes: Sequence[Lexeme], index: int) -> bool:
    """Whether any word, even a reserved one, is a name here: `order.state`, `state: id`, `{ state = paid, by = 1 }`.

    A word that begins declarations is one also where it stands alone between `(` or `,` and `,` or `)`: no declaration
    begins so, and `place(city, state)` can be written.
    """
    before = lexemes[index - 1] if index > 0 else None
    after = lexemes[index + 1] if index + 1 < len(lexemes) else None
    if before is not None and _is_sign(before, "."):
        return True
    if after is None or after.sort is not Sort.SIGN:
        return False
    if lexemes[index].text in DECLARATIONS and after.text in (",", ")"):
        return before is not None and before.sort is Sort.SIGN and before.text in ("(", ",")
    listed = before is not None and (
        before.text in ("with", "given") or (before.sort is Sort.SIGN and before.text in ("{", ","))
    )
    return after.text == ":" or (after.text == "=" and listed)


def split_declarations(lexemes: Sequence[Lexeme], *, by_lines: bool = False) -> Iterator[Chunk]:
    """The declarations of a file, the header's two lines among them."""
    return _split(lexemes, _declaration_begins, by_lines=by_lines)


def split_clauses(lexemes: Sequence[Lexeme], *, by_lines: bool = False) -> Iterator[Chunk]:
    """The clauses in the body of a transition or query."""
    return _split(lexemes, _clause_begins, by_lines=by_lines)


def split_states(lexemes: Sequence[Lexeme], *, by_lines: bool = False) -> Iterator[Chunk]:
    """The states in a composite state's body."""
    return _split(lexemes, _declaration_begins, by_lines=by_lines)


def split_mode(lexemes: Sequence[Lexeme], *, by_lines: bool = False) -> Iterator[Chunk]:
    """The parts in a mode's body."""
    return _split(lexemes, _mode_part_begins, by_lines=by_lines)


def split_parts(lexemes: Sequence[Lexeme], *, by_lines: bool = False) -> Iterator[Chunk]:
    """The parts in a scenario's body."""
    return _split(lexemes, _part_begins, by_lines=by_lines)


def split_lines(lexemes: Sequence[Lexeme], *, by_lines: bool = False) -> Iterator[Chunk]:
    """The lines of a map; each begins on a line of the text, and may go on below."""
    return _split(lexemes, _line_begins, by_lines=by_lines)


def split_block(lexemes: Sequence[Lexeme]) -> Block:
    """Take a transition, query or scenario apart at its braces."""
    opener = next((i for i, lexeme in enumerate(lexemes) if _is_sign(lexeme, "{")), None)
    if opener is None:
        return Block(tuple(lexemes), None, (), None, ())
    depth = 0
    closer = len(lexemes)
    for i in range(opener, len(lexemes)):
        if _is_sign(lexemes[i], "{"):
            depth += 1
        elif _is_sign(lexemes[i], "}"):
            depth -= 1
            if depth == 0:
                closer = i
                break
    return Block(
        head=tuple(lexemes[:opener]),
        opener=lexemes[opener],
        body=tuple(lexemes[opener + 1 : closer]),
        closer=lexemes[closer] if closer < len(lexemes) else None,
        rest=tuple(lexemes[closer + 1 :]),
    )


def open_brackets(lexemes: Sequence[Lexeme]) -> tuple[Lexeme, ...]:
    """The brackets that are open behind the last lexeme, outermost first."""
    stack: list[Lexeme] = []
    for lexeme in lexemes:
        if lexeme.sort is not Sort.SIGN:
            continue
        if lexeme.text in _OPENERS:
            stack.append(lexeme)
        elif stack and lexeme.text == _OPENERS[stack[-1].text]:
            stack.pop()
    return tuple(stack)


def closing(opener: Lexeme) -> str:
    """The bracket that closes `opener`."""
    return _OPENERS[opener.text]


@dataclass(slots=True)
class _Place:
    """Where the splitter stands: the lexemes, the index, and what it saw since the present chunk began."""

    lexemes: Sequence[Lexeme]
    by_lines: bool
    index: int = 0
    brace_depth: int = 0
    bracket_depth: int = 0
    open_if_count: int = 0
    beginning: Beginning = Beginning.UNKNOWN
    start: int = 0

    @property
    def word(self) -> str:
        """The word that the present chunk began with."""
        return self.lexemes[self.start].text

    @property
    def here(self) -> Lexeme:
        return self.lexemes[self.index]

    @property
    def leads(self) -> bool:
        """Whether what stands here is the first on its line, and that says something."""
        return self.by_lines and self.here.first

    @property
    def after(self) -> str:
        """What stands next."""
        return self.lexemes[self.index + 1].text if self.index + 1 < len(self.lexemes) else ""

    def before(self, count: int) -> str:
        return self.lexemes[self.index - count].text if self.index >= count else ""

    def pass_over(self) -> None:
        lexeme = self.here
        if lexeme.sort is Sort.SIGN:
            if lexeme.text in _OPENERS:
                self.bracket_depth += 1
                self.brace_depth += lexeme.text == "{"
            elif lexeme.text in _CLOSERS:
                # A closer too many is the parser's to report; here it mustn't disturb what follows.
                self.bracket_depth = max(0, self.bracket_depth - 1)
                self.brace_depth = max(0, self.brace_depth - (lexeme.text == "}"))
        elif lexeme.sort is Sort.WORD:
            self.open_if_count += (lexeme.text == "if") - (lexeme.text == "then" and self.open_if_count > 0)
        self.index += 1

    def chunk(self) -> Chunk:
        """What was passed over since the present chunk began."""
        return Chunk(self.beginning, tuple(self.lexemes[self.start : self.index]))

    def begin(self, beginning: Beginning) -> None:
        self.beginning = beginning
        self.start = self.index
        self.brace_depth = self.bracket_depth = self.open_if_count = 0


def _split(
    lexemes: Sequence[Lexeme], begins: Callable[[_Place], Beginning | None], *, by_lines: bool
) -> Iterator[Chunk]:
    place = _Place(lexemes, by_lines)
    while place.index < len(lexemes):
        beginning = begins(place)
        if place.index == 0:
            place.begin(beginning or Beginning.UNKNOWN)
        elif beginning is not None:
            yield place.chunk()
            place.begin(beginning)
        place.pass_over()
    if place.index > 0:
        yield place.chunk()


def _declaration_begins(place: _Place) -> Beginning | None:
    here = place.here
    if here.sort is not Sort.WORD or is_name_place(place.lexemes, place.index):
        return None
    if here.text == "state" and place.word == "state" and place.brace_depth > 0:
        # A composite state's own states.
        return None
    if here.text in DECLARATIONS:
        outside, closed = place.brace_depth == 0, _is_closed(place)
        if here.text == "forbid":
            # Inside a transition `forbid` is a clause.
            begins = outside and (here.first or closed)
        elif outside and here.first:
            # Right in whatever can be read: outside of braces these words can't stand anywhere else.
            begins = True
        else:
            follows = _follows(place, DECLARATIONS[here.text])
            begins = closed or follows if place.leads else closed and follows
        return Beginning.KNOWN if begins else None
    if place.brace_depth == 0:
        return _other_beginning(place)
    return None


def _clause_begins(place: _Place) -> Beginning | None:
    here = place.here
    if here.sort is not Sort.WORD or is_name_place(place.lexemes, place.index):
        return None
    if here.text == "by":
        if _follows(place, Follows.NUMBER):
            return None  # `sign CODE by 2 of ROLE`
        count = place.index - place.start
        if place.word in ("confirm", "sign") and count == 2:
            return None  # `confirm CODE by ROLE`
        # The same where the code is missing, and what misspelt words may say.
        inside = (place.word in ("confirm", "sign") and count == 1) or place.beginning is not Beginning.KNOWN
        return None if inside and not place.leads and place.index > 0 else Beginning.KNOWN
    if here.text in CLAUSES:
        return Beginning.KNOWN
    return _other_beginning(place)


def _part_begins(place: _Place) -> Beginning | None:
    here = place.here
    if here.sort is not Sort.WORD or is_name_place(place.lexemes, place.index):
        return None
    if here.text == "wait" and not (place.leads or _is_closed(place) or _follows(place, Follows.NUMBER)):
        return None
    if here.text in PARTS:
        if here.text == "then" and place.open_if_count > 0:
            return None
        return Beginning.KNOWN if place.bracket_depth == 0 or place.leads else None
    return _other_beginning(place)


def _mode_part_begins(place: _Place) -> Beginning | None:
    here = place.here
    if here.sort is not Sort.WORD or is_name_place(place.lexemes, place.index):
        return None
    if here.text in MODE_PARTS:
        # These words may name a transition or role as well: `allow leave, enter`.
        listed = place.index - place.start == 1 or place.before(1) in (",", *RESERVED)
        if place.leads and here.text != "allow" and place.after in ("when", "by"):
            return Beginning.KNOWN
        return None if listed and place.index > 0 else Beginning.KNOWN
    return _other_beginning(place)


def _line_begins(place: _Place) -> Beginning | None:
    here = place.here
    if here.sort is not Sort.WORD or not here.first:
        return None
    # The other words may also go on with the line above: `memory by =`, and below it `proposer of approve`.
    if here.text in LINES and (here.text in RESERVED or _is_closed(place)):
        return Beginning.KNOWN
    return _other_beginning(place)


def _other_beginning(place: _Place) -> Beginning | None:
    """A misspelt word where a name can't stand because a value or name stands right before it."""
    here = place.here
    if not place.by_lines or place.bracket_depth > 0 or not _is_closed(place):
        return None
    if place.word == "always" and place.lexemes[place.index - 1].sort is Sort.STRING:
        return None  # `always CODE "WHY" STATE`: here alone a name stands behind a text
    if place.before(2) == "escalate":
        return None  # `else escalate ROLE CODE`
    alone = place.index - place.start == 1 and place.beginning is Beginning.KNOWN
    if alone and place.word not in _CLOSING_WORDS:
        return None  # most words that begin a chunk can't stand alone: `allow TRANSITION`
    unknown = here.first and here.text not in RESERVED and here.text not in _LEADING_WORDS and here.text not in PARTS
    return Beginning.UNKNOWN if unknown else None


def _is_closed(place: _Place) -> bool:
    """Whether what stands before could be complete: nothing, a name, a literal or a closing bracket."""
    if place.index == 0:
        return True
    before = place.lexemes[place.index - 1]
    match before.sort:
        case Sort.SIGN:
            return before.text in _CLOSERS
        case Sort.WORD:
            if is_name_place(place.lexemes, place.index - 1) or before.text in _CLOSING_WORDS:
                return True
            return before.text not in RESERVED and before.text not in _LEADING_WORDS and before.text not in PARTS
        case _:
            return True


def _follows(place: _Place, follows: Follows) -> bool:
    if place.index + 1 >= len(place.lexemes):
        return False
    after = place.lexemes[place.index + 1]
    match follows:
        case Follows.WORD:
            return after.sort is Sort.WORD
        case Follows.STRING:
            return after.sort is Sort.STRING
        case Follows.NUMBER:
            return after.sort is Sort.WHOLE_NUMBER
        case Follows.BRACE:
            return _is_sign(after, "{")


def _is_sign(lexeme: Lexeme, text: str) -> bool:
    return lexeme.sort is Sort.SIGN and lexeme.text == text
