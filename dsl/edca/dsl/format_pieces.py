"""What the formatter puts on lines: the lexemes of a text as written, each with the comments that belong to it.

A comment behind a lexeme on the same line trails it; one on a line of its own stands above the next lexeme. So every
comment lies between two lexemes, and stays there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from edca.diagnostics.source import Source
from edca.dsl.scan import Lexeme

_SPACES = " \t\r"


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a line of its own; `blank` says whether an empty line stands above it."""

    text: str
    blank: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A lexeme as written (empty text at the end of the file) and the comments that belong to it.

    `above` are the comments on lines of their own before it; `blank` says whether an empty line stands right above it;
    `trailing` is the comment behind it, with the lines below that go on in the same column.
    """

    text: str
    start: int
    above: tuple[Comment, ...]
    blank: bool
    trailing: tuple[str, ...]


@dataclass(slots=True)
class _Draft:
    """A piece in the making: comments move at commas."""

    text: str
    start: int
    above: list[Comment]
    blank: bool
    trailing: list[str]


def pieces_of(source: Source, lexemes: Sequence[Lexeme]) -> tuple[Piece, ...]:
    """The pieces of a text that scanned without findings; the last is the end of the file.

    The comma behind a last member is left out, and a comment before a comma goes behind it: a comma ends a line, it
    never begins one.
    """
    drafts: list[_Draft] = []
    end = 0
    for lexeme in lexemes:
        drafts.append(_draft(source, end, lexeme.start, lexeme.end, drafts))
        end = lexeme.end
    drafts.append(_draft(source, end, len(source.text), len(source.text), drafts))
    _settle_commas(drafts)
    kept = [draft for i, draft in enumerate(drafts) if not _is_surplus(drafts, i)]
    return tuple(
        Piece(draft.text, draft.start, tuple(draft.above), draft.blank, tuple(draft.trailing)) for draft in kept
    )


def _draft(source: Source, gap_start: int, start: int, end: int, before: Sequence[_Draft]) -> _Draft:
    """The piece at `start`, with what the gap before it holds; the comment on the gap's first line goes to the last."""
    draft = _Draft(source.text[start:end], start, [], False, [])
    lines = source.text[gap_start:start].split("\n")
    column = 0  # that of the comment which trails the piece before, if there is one
    if before:
        behind = lines.pop(0)
        if "#" in behind:
            before[-1].trailing.append(behind.strip(_SPACES))
            column = source.position(gap_start + behind.index("#"))[1]
    blank = False
    for i, line in enumerate(lines):
        comment = line.strip(_SPACES)
        if not comment:
            # The last line of a gap is the indentation of what follows.
            blank = blank or i < len(lines) - 1
        elif column and not blank and not draft.above and line.index("#") + 1 == column:
            before[-1].trailing.append(comment)
        else:
            draft.above.append(Comment(comment, blank))
            blank = False
    draft.blank = blank
    return draft


def _settle_commas(drafts: Sequence[_Draft]) -> None:
    for i, comma in enumerate(drafts):
        if comma.text != ",":
            continue
        before, after = drafts[i - 1], drafts[i + 1]
        if comma.trailing:
            # All comments around the comma become one trailing comment, as their order must stay.
            comma.trailing = [*before.trailing, *(above.text for above in comma.above), *comma.trailing]
        else:
            comma.trailing = before.trailing
            after.above = [*comma.above, *after.above]
        before.trailing, comma.above = [], []
        if _is_surplus(drafts, i):
            before.trailing, comma.trailing = comma.trailing, []


def _is_surplus(drafts: Sequence[_Draft], index: int) -> bool:
    return drafts[index].text == "," and drafts[index + 1].text == "}"


class Pieces:
    """Pieces in order, taken one by one."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self.index = 0
        # How many pieces up to an index have comments above, or trailing: ranges are then answered by a difference.
        self._above = (0, *accumulate(bool(piece.above) for piece in pieces))
        self._trailing = (0, *accumulate(bool(piece.trailing) for piece in pieces))

    def __getitem__(self, index: int) -> Piece:
        return self._pieces[index]

    @property
    def here(self) -> Piece:
        """The next piece."""
        return self._pieces[self.index]

    def take(self) -> Piece:
        """The next piece; moves past it."""
        piece = self._pieces[self.index]
        self.index += 1
        return piece

    def is_broken(self, first: int, last: int) -> bool:
        """Whether a comment between the pieces `first` and `last` keeps them from standing on one line."""
        above = self._above[last + 1] - self._above[first + 1]
        trailing = self._trailing[last] - self._trailing[first]
        return above + trailing > 0
