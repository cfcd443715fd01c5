"""A named text and a stretch of it, so that whatever points into a text carries the text along."""

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Source:
    """One text that a user wrote, under the name by which they know it (usually its path).

    Offsets into it count characters (Unicode code points) from 0. A line ends at `\\n`; a `\\r` before it
    belongs to the line ending.
    """

    name: str
    text: str
    # Found once: a report with many labels would otherwise scan the text for each of them.
    _line_starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        starts = [0]
        starts.extend(offset + 1 for offset, character in enumerate(self.text) if character == "\n")
        object.__setattr__(self, "_line_starts", tuple(starts))

    @property
    def line_count(self) -> int:
        """Number of lines; a text that ends in a line ending has an empty last line."""
        return len(self._line_starts)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of `offset`, both from 1, the column in characters.

        The offset one past the last character is allowed: "unexpected end" is reported there.

        Raises:
            ValueError: the offset lies outside the text.
        """
        if not 0 <= offset <= len(self.text):
            raise ValueError(f"offset {offset} lies outside the text of {len(self.text)} characters")
        line_index = bisect_right(self._line_starts, offset) - 1
        return line_index + 1, offset - self._line_starts[line_index] + 1

    def line_start(self, line: int) -> int:
        """Offset of the first character of `line` (from 1).

        Raises:
            ValueError: there is no such line.
        """
        if not 1 <= line <= len(self._line_starts):
            raise ValueError(f"line {line} lies outside the text of {len(self._line_starts)} lines")
        return self._line_starts[line - 1]

    def line_text(self, line: int) -> str:
        """The text of `line` (from 1) without its line ending.

        Raises:
            ValueError: there is no such line.
        """
        start = self.line_start(line)
        if line == len(self._line_starts):
            return self.text[start:]
        return self.text[start : self._line_starts[line] - 1].removesuffix("\r")


@dataclass(frozen=True, slots=True)
class Span:
    """The characters of `source` from `start` up to, not including, `end`; possibly none.

    Raises:
        ValueError: the span doesn't lie within the text.
    """

    source: Source
    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end <= len(self.source.text):
            raise ValueError(
                f"span {self.start}..{self.end} lies outside the text of {len(self.source.text)} characters"
            )

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        """Line on which the span begins, from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """Column at which the span begins, from 1, in characters."""
        return self.source.position(self.start)[1]
