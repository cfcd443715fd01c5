"""How large a view is, and its bound. A view that is too large is refused whole: what was left out would mislead."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edca.kernel.canonical import Data
    from edca.semantic.view import View

VIEW_SIZE_MAX = 64 * 1024
"""The default bound of a view, in bytes of JSON; the largest among `specs/` has a seventh of it."""
_BYTES_A_TOKEN = 3


class ViewTooLargeError(ValueError):
    """A view is over its bound. The message says by how much, and nothing of what is in it."""


def bounded(seen: View, size_max: int = VIEW_SIZE_MAX) -> View:
    """Return the view. Raises `ViewTooLargeError` where its JSON has more than `size_max` bytes."""
    size = len(_written(seen.to_raw()))
    if size > size_max:
        raise ViewTooLargeError(
            f"the view has {size} bytes and may have {size_max}: declare shorter texts and lists in memory, "
            "or offer fewer transitions in this state"
        )
    return seen


def shown_digest(seen: View) -> bytes:
    """Return the SHA-256 digest of a view as compact JSON: for the record to say what was shown.

    JSON is in UTF-8, with sorted names and without spaces.
    """
    return hashlib.sha256(
        json.dumps(seen.to_raw(), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8")
    ).digest()


def token_estimate(told: str | Data) -> int:
    """Return about how many tokens a model reads in a text, or in data written as JSON.

    It is a third of the bytes of its UTF-8, rounded up: more than tokenizers in use make of English and JSON. What is
    sure of it is only that a tokenizer that works on bytes makes at most three times as many.
    """
    size = len(told.encode("utf-8", "replace") if isinstance(told, str) else _written(told))
    return -(-size // _BYTES_A_TOKEN)


def _written(data: Data) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
