"""What a conversation may cost: reserved before a model is asked, settled when it has answered."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

from edca.kernel.verdict import Accepted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edca.api.kernel import Kernel
    from edca.kernel.candidate import Caller


class Budget(Protocol):
    """What a ladder draws from. Threads may share it."""

    def reserve(self, amount: int) -> Any | None:
        """Reserve so much for one reply; null where there is not so much left."""
        ...

    def settle(self, reserved: Any, amount: int | None) -> None:
        """Put what it really cost in the reservation's place; null: nobody knows, and all of it is spent."""
        ...


class OwnBudget:
    """A sum that the host gives, kept in memory: for one process and as long as it lives."""

    def __init__(self, total: int) -> None:
        """Begin with `total`, in units of your own (tokens, cents). Raises `ValueError` for less than nothing."""
        if total < 0:
            raise ValueError("a budget is not negative")
        self._left = total
        self._lock = threading.Lock()

    @property
    def left(self) -> int:
        """What has been neither spent nor reserved. Below zero where a reply cost more than was reserved for it."""
        with self._lock:
            return self._left

    def reserve(self, amount: int) -> int | None:
        """Take the amount out, or return null."""
        with self._lock:
            if amount > self._left or self._left < 0:
                return None
            self._left -= amount
            return amount

    def settle(self, reserved: int, amount: int | None) -> None:
        """Put back what was not spent."""
        with self._lock:
            self._left += reserved - (reserved if amount is None else amount)


class KernelBudget:
    """A budget that a spec declares: asking a model is a transition of its own, with a limit over what it costs.

    Each reservation is a candidate, decided and on record like all others; each settlement is too. So the bound holds
    across conversations, processes and restarts, and an auditor sees what was spent.
    """

    def __init__(
        self, kernel: Kernel, caller: Caller, limit: str, candidate: Callable[[int], Mapping[str, Any]]
    ) -> None:
        """Draw from limit `limit`, in `caller`'s name. `candidate` makes what reserves an amount, as a mapping."""
        self._kernel = kernel
        self._caller = caller
        self._limit = limit
        self._candidate = candidate

    def reserve(self, amount: int) -> int | None:
        """Submit the candidate. Only an acceptance reserves: what is refused, or waits for people, is null."""
        answer = self._kernel.submit(self._candidate(amount), caller=self._caller)
        return answer.record.index if isinstance(answer.verdict, Accepted) else None

    def settle(self, reserved: int, amount: int | None) -> None:
        """Settle the limit for that record. Raises as `Kernel.settle`."""
        if amount is not None:
            self._kernel.settle(reserved, self._limit, amount)
