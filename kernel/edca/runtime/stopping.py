"""The flag that every spend looks at: somebody is halting the machine just now."""

from __future__ import annotations

import threading


class Stop:
    """Is set as long as anybody who has set it has not cleared it. Threads share it."""

    def __init__(self) -> None:
        """Begin with nobody halting."""
        self._lock = threading.Lock()
        self._halting = 0
        self._event = threading.Event()

    def set(self) -> None:
        """Stop every spend from now on; `clear` must follow."""
        with self._lock:
            self._halting += 1
            self._event.set()

    def clear(self) -> None:
        """Take back one `set`: what another one who halts has stopped stays stopped."""
        with self._lock:
            self._halting -= 1
            if not self._halting:
                self._event.clear()

    def is_set(self) -> bool:
        """Tell whether anybody is halting."""
        return self._event.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until somebody is halting, or the time is over; tell whether somebody is."""
        return self._event.wait(timeout_s)
