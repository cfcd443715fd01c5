"""Windows of time: which instants one holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from edca.kernel.calendar import DAY
from edca.kernel.machine import WindowKind

if TYPE_CHECKING:
    from edca.kernel.machine import Window

_WEEK = 7 * DAY
_MONDAY = 4 * DAY  # the epoch was a Thursday


def in_window(window: Window, at: int, now: int) -> bool:
    """Tell whether an instant lies in the window that ends now; a rolling one does not hold its own beginning."""
    match window.kind:
        case WindowKind.ROLLING:
            return now - window.length_us < at <= now
        case WindowKind.UTC:
            shift = _MONDAY if window.length_us == _WEEK else 0
            return (at - shift) // window.length_us == (now - shift) // window.length_us and at <= now
        case _:
            assert_never(window.kind)
