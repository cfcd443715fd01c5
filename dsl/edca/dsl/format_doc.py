"""Documents: pieces with the places where a line may break, and the writing of them to lines of bounded width.

A `Group` stands on one line if it fits, else every `Break` directly in it begins a new line. A comment always ends its
line, so a group with a comment inside is broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from edca.dsl.format_pieces import Piece

WIDTH: Final = 120
"""Longest line, in characters, wherever there is a place to break it."""


@dataclass(frozen=True, slots=True)
class Word:
    """One piece."""

    piece: Piece


@dataclass(frozen=True, slots=True)
class Space:
    """One space; nothing at the start of a line."""


@dataclass(frozen=True, slots=True)
class Break:
    """A new line, or where its group stands on one line, a space."""


@dataclass(frozen=True, slots=True)
class Concat:
    """Several documents, one behind the other."""

    parts: tuple[Doc, ...]


@dataclass(frozen=True, slots=True)
class Nest:
    """A document whose further lines stand two columns further right."""

    of: Doc


@dataclass(frozen=True, slots=True)
class Align:
    """A document whose further lines stand below its beginning, `offset` columns from it."""

    of: Doc
    offset: int


@dataclass(frozen=True, slots=True)
class Group:
    """A document that stands on one line if it can."""

    of: Doc
    broken: bool


Doc: TypeAlias = Word | Space | Break | Concat | Nest | Align | Group

INDENT: Final = 2
SPACE: Final = Space()
BREAK: Final = Break()
NOTHING: Final = Concat(())


def concat(*parts: Doc) -> Doc:
    """Documents one behind the other."""
    return Concat(parts)


def spaced(*parts: Doc) -> Doc:
    """Documents with a space between each two that hold something."""
    held = [part for part in parts if part is not NOTHING]
    return Concat(tuple(piece for i, part in enumerate(held) for piece in ((SPACE, part) if i else (part,))))


def flat(doc: Doc) -> str:
    """A document on one line, however long; comments are left out."""
    match doc:
        case Word(piece):
            return piece.text
        case Space() | Break():
            return " "
        case Concat(parts):
            return "".join([flat(part) for part in parts])
        case Nest(of) | Align(of) | Group(of):
            return flat(of)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: how far it is indented, its text, and the comment behind it with the lines that go on below it."""

    indent: int
    text: str
    trailing: tuple[str, ...]


_Step: TypeAlias = tuple[int, bool, Doc]  # indentation, whether on one line, what


class Writer:
    """Writes documents to lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._indent = 0
        self._parts: list[str] = []
        self._width = 0
        self._trailing: tuple[str, ...] = ()
        self._announced: Piece | None = None

    def announce(self, piece: Piece, indent: int, blanks: Sequence[bool]) -> None:
        """Write the comments above a piece that will begin a line.

        `blanks` says for each of them, and for the piece itself, whether an empty line stands above it.
        """
        self.end_line()
        for comment, blank in zip(piece.above, blanks, strict=False):
            self._blank(blank)
            self.lines.append(Line(indent, comment.text, ()))
        self._blank(blanks[-1])
        self._announced = piece

    def line(self, indent: int, text: str, trailing: tuple[str, ...]) -> None:
        """Write a whole line."""
        self.end_line()
        self.lines.append(Line(indent, text, trailing))

    def end_line(self) -> None:
        """End the line that is being written, if any."""
        if self._parts:
            self.lines.append(Line(self._indent, "".join(self._parts).rstrip(), self._trailing))
        self._parts, self._width, self._trailing = [], 0, ()

    def write(self, doc: Doc, indent: int) -> None:
        """Write a document from the start of a line, with lines broken where it says so."""
        self._new_line(indent)
        steps: list[_Step] = [(indent, False, doc)]
        while steps:
            indent, one_line, doc = steps.pop()
            match doc:
                case Word(piece):
                    self._word(piece, indent)
                case Space():
                    self._space()
                case Break():
                    if one_line:
                        self._space()
                    else:
                        self._new_line(indent)
                case Concat(parts):
                    steps.extend((indent, one_line, part) for part in reversed(parts))
                case Nest(of):
                    steps.append((indent + INDENT, one_line, of))
                case Align(of, offset):
                    steps.append((max(0, self._column(indent) + offset), one_line, of))
                case Group(of, broken):
                    fitting = one_line or (not broken and _fits(of, steps, WIDTH - self._column(indent)))
                    steps.append((indent, fitting, of))

    def _column(self, indent: int) -> int:
        """Where the next word would stand."""
        return indent if self._trailing else self._indent + self._width

    def _new_line(self, indent: int) -> None:
        self.end_line()
        self._indent = indent

    def _space(self) -> None:
        if self._parts and not self._trailing:
            self._parts.append(" ")
            self._width += 1

    def _word(self, piece: Piece, indent: int) -> None:
        if piece.above and piece is not self._announced:
            self._new_line(indent)
            self.lines.extend(Line(indent, comment.text, ()) for comment in piece.above)
        elif self._trailing:
            self._new_line(indent)
        self._parts.append(piece.text)
        self._width += len(piece.text)
        self._trailing = piece.trailing

    def _blank(self, wanted: bool) -> None:
        if wanted and self.lines:
            self.lines.append(Line(0, "", ()))


def _fits(doc: Doc, below: Sequence[_Step], width: int) -> bool:
    """Whether `doc` on one line, and what follows it up to the next place for a line end, is at most `width` wide."""
    todo: list[tuple[bool, Doc]] = [(True, doc)]
    rest = len(below)
    while width >= 0:
        if not todo:
            if rest == 0:
                return True
            rest -= 1
            _, one_line, following = below[rest]
            todo.append((one_line, following))
        one_line, doc = todo.pop()
        match doc:
            case Word(piece):
                if piece.above:
                    return True
                width -= len(piece.text)
                if piece.trailing:
                    return width >= 0
            case Space():
                width -= 1
            case Break():
                if not one_line:
                    return True
                width -= 1
            case Concat(parts):
                todo.extend((one_line, part) for part in reversed(parts))
            case Nest(of) | Align(of) | Group(of):
                todo.append((one_line, of))
    return False
