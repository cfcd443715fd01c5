"""`ToolFailedError`: what stands in the place of a fault where a library may show a model what was raised."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEXT = "This tool can't answer now. Whether anything was done is not known here, so don't call it again."


class ToolFailedError(RuntimeError):
    """Something other than a verdict came of a call: its text is fit for a model, its `__cause__` is for the host."""


@contextmanager
def nothing_internal() -> Iterator[None]:
    """Raise `ToolFailedError` for every fault within. A cancellation is none, and passes."""
    try:
        yield
    except Exception as error:
        raise ToolFailedError(_TEXT) from error
