"""Windows of time: which instants one holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from edca.kernel.calendar import DAY
from edca.kernel.machine import WindowKind

if TYPE_CHECKING:
    from edca.kernel.machine import Window

_WEEK = 7 * DAY
_MONDAY = 4 * DAY  # the epoch was a Thursday


def window_start(window: Window, now: int) -> int:
    """Return the first instant that the window that ends now holds; a rolling one does not hold its own beginning."""
    match window.kind:
        case WindowKind.ROLLING:
            return now - window.length_us + 1
        case WindowKind.UTC:
            shift = _MONDAY if window.length_us == _WEEK else 0
            return now - (now - shift) % window.length_us
        case _:
            assert_never(window.kind)


def in_window(window: Window, at: int, now: int) -> bool:
    """Tell whether an instant lies in the window that ends now."""
    return window_start(window, now) <= at <= now
