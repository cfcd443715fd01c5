"""Goal: offsets, lines and columns agree with each other for every text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edca.diagnostics import Source, Span

_TEXTS = st.text(alphabet="ab\n\r\t€字")


@pytest.mark.parametrize(
    ("offset", "position"),
    [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (4, (3, 1)), (6, (3, 3))],
)
def test_positions_count_from_one(offset: int, position: tuple[int, int]) -> None:
    assert Source("a.edca", "ab\n\ncd").position(offset) == position


def test_text_that_ends_in_a_line_ending_has_an_empty_last_line() -> None:
    source = Source("a.edca", "ab\r\n")
    assert source.position(4) == (2, 1)
    assert [source.line_text(line) for line in range(1, source.line_count + 1)] == ["ab", ""]


@given(_TEXTS)
def test_every_offset_is_found_again_from_its_position(text: str) -> None:
    source = Source("a.edca", text)
    for offset in range(len(text) + 1):
        line, column = source.position(offset)
        assert source.line_start(line) + column - 1 == offset


@given(_TEXTS)
def test_lines_are_the_text_cut_at_line_feeds(text: str) -> None:
    source = Source("a.edca", text)
    lines = [source.line_text(line) for line in range(1, source.line_count + 1)]
    *ended, last = text.split("\n")
    assert lines == [*(line.removesuffix("\r") for line in ended), last]


@pytest.mark.parametrize("offset", [-1, 3])
def test_offsets_outside_the_text_are_refused(offset: int) -> None:
    with pytest.raises(ValueError, match="outside the text"):
        Source("a.edca", "ab").position(offset)


@pytest.mark.parametrize("line", [0, 2])
def test_lines_outside_the_text_are_refused(line: int) -> None:
    with pytest.raises(ValueError, match="outside the text"):
        Source("a.edca", "ab").line_text(line)


@pytest.mark.parametrize(("start", "end"), [(-1, 1), (2, 1), (0, 3)])
def test_spans_outside_the_text_are_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="outside the text"):
        Span(Source("a.edca", "ab"), start, end)


def test_span_knows_its_text_and_place() -> None:
    span = Span(Source("a.edca", "one\ntwo three"), 8, 13)
    assert (span.text, span.line, span.column) == ("three", 2, 5)
