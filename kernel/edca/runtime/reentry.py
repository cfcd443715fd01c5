"""Calling back: a route that acts on its own kernel from within an effect would wait for a case that waits for it.

So whoever performs an effect says that they are within it (`within_effect`), and whatever takes a lane asks first
(`check_outside`). A route that is read may not even look at its kernel, which would read it again (`within_read`). This
goes along into the thread of a call with a deadline, and into asyncio tasks that the route starts and waits for; once
the call is over it says nothing any more.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from edca.runtime.lanes import Lanes

_T = TypeVar("_T")


class ReentrantCallError(RuntimeError):
    """A route acts on its own kernel from within an effect, or asks it while it is read. Nothing was looked at."""


@dataclass(slots=True)
class _Inside:
    """One call of a route, of a ledger known by its lanes: about a case, or (null) to read."""

    lanes: Lanes
    case: str | None
    is_over: bool = False


_inside: ContextVar[tuple[_Inside, ...]] = ContextVar("edca_inside", default=())


def within_effect(lanes: Lanes, case: str, call: Callable[[], _T]) -> Callable[[], _T]:
    """Return what makes that call of a route about a case, in whichever thread: it is known to be within an effect."""
    return _within(lanes, case, call)


def within_read(lanes: Lanes, call: Callable[[], _T]) -> Callable[[], _T]:
    """Return what makes that call of a route to read, in whichever thread. Raises `ReentrantCallError` within one."""
    for one in _inside.get():
        if one.lanes is lanes and one.case is None and not one.is_over:
            raise ReentrantCallError("a route asks its own kernel while it is read, which would read it again")
    return _within(lanes, None, call)


def _within(lanes: Lanes, case: str | None, call: Callable[[], _T]) -> Callable[[], _T]:
    around = _inside.get()

    def run() -> _T:
        here = _Inside(lanes, case)
        token = _inside.set((*around, here))
        try:
            return call()
        finally:
            here.is_over = True  # tasks that it has left behind may go on
            _inside.reset(token)

    return run


def is_inside(lanes: Lanes) -> bool:
    """Tell whether this is called from within an effect or a read of the ledger with those lanes."""
    return any(one.lanes is lanes and not one.is_over for one in _inside.get())


def check_outside(lanes: Lanes) -> None:
    """Raise `ReentrantCallError` where this is called from within a route of the ledger with those lanes."""
    for one in _inside.get():
        if one.lanes is lanes and not one.is_over:
            where = "while it is read" if one.case is None else f"from within an effect of the case `{one.case}`"
            raise ReentrantCallError(
                f"a route acts on its own kernel {where}; the two would wait for each other: return first, and act "
                "from another thread"
            )
