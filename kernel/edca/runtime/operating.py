"""What operators and people in charge do with a runtime: each act under its lock, each on record."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from edca.runtime import modes, reconcile, takeover

if TYPE_CHECKING:
    from edca.runtime.answers import Answer, RecordReference
    from edca.runtime.context import Context
    from edca.runtime.reconcile import Reconciled


class Operated(ABC):
    """The operators' part of a runtime."""

    context: Context

    @abstractmethod
    def recover(self) -> tuple[Answer, ...]:
        """Carry on with accepted verdicts whose effects have no outcome yet, and return how each came out."""

    def reconcile(self, case: str, by: str) -> Reconciled:
        """Ask the routes again what nobody could tell: see `reconcile.reconcile`."""
        with self.context.lock:
            return reconcile.reconcile(self.context, case, by)

    def mode(self) -> str:
        """Return the mode in force now."""
        with self.context.lock:
            return modes.in_force(self.context)

    def enter_mode(self, name: str, by: str, role: str, reason: str = "") -> RecordReference:
        """Let a person begin a mode: see `modes.enter`."""
        with self.context.lock:
            return modes.enter(self.context, name, by, role, reason)

    def leave_mode(self, by: str, role: str, reason: str = "") -> RecordReference:
        """Let a person end the mode in force: see `modes.leave`."""
        with self.context.lock:
            return modes.leave(self.context, by, role, reason)

    def halt(self, by: str, reason: str) -> RecordReference:
        """Refuse everything from now on: see `modes.halt`. From the moment of the call no permit is spent."""
        modes.check_halt(self.context, by, reason)  # before anything is stopped by somebody who may not
        # The lock may be held by a submission whose effects are under way: it must see this without it.
        self.context.stop.set()
        try:
            with self.context.lock:
                return modes.halt(self.context, by, reason)
        finally:
            self.context.stop.clear()

    def resume(self, by: str, reason: str = "") -> tuple[Answer, ...]:
        """End a halt (see `modes.resume`), and carry on with what it held up: how each came out is returned."""
        with self.context.lock:
            modes.resume(self.context, by, reason)
            return self.recover()

    def take_over(self, case: str, by: str, reason: str = "") -> RecordReference:
        """Let only people's candidates be decided about a case, by its id: see `takeover.take_over`."""
        with self.context.lock:
            return takeover.take_over(self.context, case, by, reason)

    def hand_back(self, case: str, by: str, reason: str = "") -> RecordReference:
        """End a takeover: see `takeover.hand_back`."""
        with self.context.lock:
            return takeover.hand_back(self.context, case, by, reason)
