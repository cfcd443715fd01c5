"""Goal: a view that is too large is refused whole, and what a model will read is estimated by a stated formula."""

import json
from typing import Any

import pytest

from edca.semantic.view import View
from edca.semantic.view_size import VIEW_SIZE_MAX, ViewTooLargeError, bounded, token_estimate


def _holding(text: str) -> View:
    memory: dict[str, Any] = {"note": text}
    return View("m", "s", "S.", 0, memory, {}, ())


def _size(seen: View) -> int:
    return len(json.dumps(seen.to_raw(), ensure_ascii=False, separators=(",", ":")).encode())


@pytest.mark.parametrize("letter", ["x", "é", "€"])
def test_a_view_is_whole_up_to_its_bound_and_refused_beyond(letter: str) -> None:
    width = len(letter.encode())
    room = (VIEW_SIZE_MAX - _size(_holding(""))) // width
    whole = _holding(letter * room)
    assert VIEW_SIZE_MAX - width < _size(whole) <= VIEW_SIZE_MAX
    assert bounded(whole) is whole
    with pytest.raises(
        ViewTooLargeError, match=f"has {_size(whole) + width} bytes and may have {VIEW_SIZE_MAX}"
    ) as caught:
        bounded(_holding(letter * (room + 1)))
    assert letter * 3 not in str(caught.value)


def test_tokens_are_a_third_of_the_bytes_rounded_up() -> None:
    assert [token_estimate(text) for text in ("", "a", "abc", "abcd", "€", "\ud800")] == [0, 1, 1, 2, 1, 1]
    assert token_estimate({"a": [1, "é"]}) == token_estimate('{"a":[1,"é"]}') == 5
