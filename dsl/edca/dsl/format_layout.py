"""Items on lines: each on one line if it fits, else folded; columns lined up; empty lines kept or set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edca.dsl.format_doc import INDENT, WIDTH, Doc, Line, Word, Writer, flat
from edca.dsl.format_pieces import Pieces

# A wider gap is hard to read across; the lines behind it get columns of their own.
_GAP_MAX = 24
# How far a comment stands behind what it comments on, at least.
_COMMENT_SPACE = 2


@dataclass(frozen=True, slots=True)
class Block:
    """A head, items further right, and what closes them, if anything does."""

    head: Doc
    items: tuple[Item, ...]
    closer: Word | None


@dataclass(frozen=True, slots=True)
class Item:
    """What begins a line: a declaration, clause, part or member, made of the pieces from `first` up to `last`.

    `cells` are its columns where it stands on one line (none: it never does), lined up with those of its neighbours of
    the same `kind`. A `tall` item has empty lines around it where it takes several lines; a `parted` one has one above.
    """

    first: int
    last: int
    kind: str
    cells: tuple[Doc, ...]
    folded: Doc | Block
    tall: bool = False
    parted: bool = False


@dataclass(frozen=True, slots=True)
class _Fitted:
    """An item with the texts of its cells, none where it is folded."""

    item: Item
    cells: tuple[str, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        return tuple(map(len, self.cells))


class Layout:
    """Writes items."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._writer = Writer()

    def lines(self, items: Sequence[Item]) -> tuple[Line, ...]:
        """The lines of a whole file."""
        self._items(items, 0)
        end = self._pieces.here
        self._writer.announce(end, 0, (*(comment.blank for comment in end.above), False))
        return tuple(self._writer.lines)

    def _items(self, items: Sequence[Item], indent: int) -> None:
        below_tall = False
        for section in self._sections([self._fitted(item, indent) for item in items], indent):
            widths = _widths(section)
            for fitted in section:
                item = fitted.item
                tall = item.tall and not fitted.cells
                self._announce(item, indent, first=item is items[0], parted=tall or below_tall or item.parted)
                below_tall = tall
                if fitted.cells:
                    trailing = self._pieces[item.last].trailing
                    self._writer.line(indent, _padded(fitted.cells, widths), trailing)
                else:
                    self._folded(item.folded, indent)

    def _fitted(self, item: Item, indent: int) -> _Fitted:
        if self._pieces.is_broken(item.first, item.last):
            return _Fitted(item, ())
        cells = tuple(flat(cell) for cell in item.cells)
        return _Fitted(item, cells if indent + len(" ".join(filter(None, cells))) <= WIDTH else ())

    def _announce(self, item: Item, indent: int, *, first: bool, parted: bool) -> None:
        piece = self._pieces[item.first]
        blanks = [*(comment.blank for comment in piece.above), piece.blank]
        if first:
            blanks[0] = False
        elif parted and not any(blanks):
            blanks[0] = True
        self._writer.announce(piece, indent, blanks)

    def _folded(self, folded: Doc | Block, indent: int) -> None:
        if not isinstance(folded, Block):
            self._writer.write(folded, indent)
            return
        self._writer.write(folded.head, indent)
        self._items(folded.items, indent + INDENT)
        if folded.closer is not None:
            piece = folded.closer.piece
            blanks = [*(comment.blank and bool(folded.items) for comment in piece.above), False]
            self._writer.announce(piece, indent + INDENT, blanks)
            self._writer.write(folded.closer, indent)

    def _sections(self, items: Sequence[_Fitted], indent: int) -> Iterator[list[_Fitted]]:
        """Split items so that the columns of those within one section can be lined up."""
        section: list[_Fitted] = []
        columns = _Columns(indent, 1)
        for fitted in items:
            if section and not (self._follows(section[-1], fitted) and columns.take(fitted.widths)):
                yield section
                section = []
            if not section:
                columns = _Columns(indent, 1)
                columns.take(fitted.widths)
            section.append(fitted)
        if section:
            yield section

    def _follows(self, above: _Fitted, fitted: _Fitted) -> bool:
        """Whether two items are of one kind, and stand on one line each, without an empty line between them."""
        # The rows of a table that doesn't check can have different numbers of cells.
        if not fitted.cells or len(fitted.cells) != len(above.cells):
            return False
        piece = self._pieces[fitted.item.first]
        parted = piece.blank or any(comment.blank for comment in piece.above)
        return not parted and fitted.item.kind == above.item.kind != ""


class _Columns:
    """The widths of columns that are lined up, as long as that leaves no wide gap and makes no line too long."""

    def __init__(self, indent: int, space: int) -> None:
        self._indent = indent
        self._space = space
        self._low: tuple[int, ...] = ()
        self._high: tuple[int, ...] = ()

    def take(self, widths: tuple[int, ...]) -> bool:
        """Take a line's cells in, if they can be lined up with those before; the first line's always can."""
        low = tuple(map(min, widths, self._low or widths))
        high = tuple(map(max, widths, self._high or widths))
        gap = max((most - least for most, least in zip(high[:-1], low[:-1], strict=True)), default=0)
        end = self._indent + sum(high) + self._space * (sum(width > 0 for width in high) - 1)
        if self._high and (gap > _GAP_MAX or end > WIDTH):
            return False
        self._low, self._high = low, high
        return True


def text_of(lines: Sequence[Line]) -> str:
    """Lines as text, the comments behind neighbouring lines in one column."""
    written: list[str] = []
    for section in _commented_sections(lines):
        column = max((_end(line) for line in section if line.trailing), default=0) + _COMMENT_SPACE
        for line in section:
            text = " " * line.indent + line.text
            if not line.trailing:
                written.append(text)
                continue
            written.append(f"{text:<{column}}{line.trailing[0]}")
            written.extend(" " * column + more for more in line.trailing[1:])
    return "".join(f"{line}\n" for line in written)


def _commented_sections(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Split lines so that the comments behind those within one section can be lined up."""
    section: list[Line] = []
    columns = _Columns(0, _COMMENT_SPACE)
    for line in lines:
        widths = (_end(line), len(line.trailing[0])) if line.trailing else ()
        joins = bool(line.text) and bool(section) and line.indent == section[-1].indent
        if section and not (joins and (not widths or columns.take(widths))):
            yield section
            section = []
        if not section:
            columns = _Columns(0, _COMMENT_SPACE)
            if widths:
                columns.take(widths)
        section.append(line)
    if section:
        yield section


def _end(line: Line) -> int:
    return line.indent + len(line.text)


def _widths(section: Sequence[_Fitted]) -> tuple[int, ...]:
    return tuple(map(max, zip(*(fitted.widths for fitted in section), strict=True)))


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    columns = [f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True) if width]
    return " ".join(columns).rstrip()
