"""What operators and people in charge do with a runtime: each act in a turn of its own, each on record."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.runtime import erasing, holds, migrating, modes, reconcile, rosters, takeover
from edca.runtime.mode_changes import NotHaltedError
from edca.runtime.reentry import check_outside, is_inside

if TYPE_CHECKING:
    from collections.abc import Callable

    from edca.kernel.machine import Machine
    from edca.kernel.migration import Migration
    from edca.kernel.roster import Roster
    from edca.runtime.answers import Answer, RecordReference
    from edca.runtime.context import Context
    from edca.runtime.migrating import CaseFate, Migrated
    from edca.runtime.migration_orders import Ordered
    from edca.runtime.reconcile import Reconciled


@dataclass(frozen=True, slots=True)
class Adopted:
    """The record of an adopted roster, and what the open questions came to under it."""

    record: RecordReference
    answers: tuple[Answer, ...]


class Operated(ABC):
    """The operators' part of a runtime."""

    context: Context

    @abstractmethod
    def reconsider_all(self) -> tuple[Answer, ...]:
        """Decide every open question again that can be decided now."""

    @abstractmethod
    def recover(self) -> tuple[Answer, ...]:
        """Carry on with accepted verdicts whose effects have no outcome yet, and return how each came out."""

    def reconcile(self, case: str, by: str) -> Reconciled:
        """Ask the routes again what nobody could tell: see `reconcile.reconcile`."""
        check_outside(self.context.lanes)
        with self.context.lanes.hold(case):
            return reconcile.reconcile(self.context, case, by)

    def mode(self) -> str:
        """Return the mode in force now."""
        with self.context.store.reading():
            return modes.in_force(self.context)

    def enter_mode(self, name: str, by: str, role: str, reason: str = "") -> RecordReference:
        """Let a person begin a mode: see `modes.enter`."""
        return self.context.turn(lambda: modes.enter(self.context, name, by, role, reason))

    def leave_mode(self, by: str, role: str, reason: str = "") -> RecordReference:
        """Let a person end the mode in force (see `modes.leave`), and carry on with what it held up."""
        check_outside(self.context.lanes)
        left = self.context.turn(lambda: modes.leave(self.context, by, role, reason))
        self.recover()
        return left

    def halt(self, by: str, reason: str) -> RecordReference:
        """Refuse everything from now on: see `modes.halt`. From the moment of the call no permit is spent.

        A halt that fails is none: what it has stopped meanwhile is gone on with, and its own error is raised.
        """
        modes.check_halt(self.context, by, reason)  # before anything is stopped by somebody who may not
        # Others may have turns before this one: what they accept must see it all the same.
        self.context.stop.set()
        try:
            halted = self.context.turn(lambda: modes.halt(self.context, by, reason))
        except BaseException as error:
            self.context.stop.clear()
            self._go_on_after(error)
            raise
        self.context.stop.clear()
        return halted

    def _go_on_after(self, error: BaseException) -> None:
        """Go on with what a halt has stopped that failed with `error`; what that meets is noted on the error."""
        if not isinstance(error, Exception) or is_inside(self.context.lanes):
            return  # who is torn away, or within an effect, can't: whoever comes next does, or the next tick
        try:
            self.recover()
        except Exception as another:  # the case is noted too, so whoever comes next goes on with it
            error.add_note(f"what it had stopped could not be gone on with yet: {another}")

    def resume(self, by: str, reason: str = "") -> tuple[Answer, ...]:
        """End a halt (see `modes.resume`), and carry on with what it held up: how each came out is returned.

        Where the machine is not halted, what still dangles is carried on with; only if nothing does, is that an error.
        """
        check_outside(self.context.lanes)
        try:
            self.context.turn(lambda: modes.resume(self.context, by, reason))
        except NotHaltedError:
            answers = self.recover()
            if not answers:
                raise
            return answers
        return self.recover()

    def adopt_roster(self, roster: Roster, by: str, reason: str) -> Adopted:
        """Put a roster in force (see `rosters.adopt`), and decide all open questions anew under it.

        Those about which nothing can be decided at this time stay as they are: they are decided under it later. So are
        those whose case somebody is at, by the next tick.
        """
        check_outside(self.context.lanes)
        record = self.context.turn(lambda: rosters.adopt(self.context, roster, by, reason))
        return Adopted(record, self.reconsider_all())

    def take_over(self, case: str, by: str, reason: str = "") -> RecordReference:
        """Let only people's candidates be decided about a case, by its id: see `takeover.take_over`."""
        return self.context.turn(lambda: takeover.take_over(self.context, case, by, reason))

    def hand_back(self, case: str, by: str, reason: str = "") -> RecordReference:
        """End a takeover: see `takeover.hand_back`."""
        return self.context.turn(lambda: takeover.hand_back(self.context, case, by, reason))

    def erase(self, request: erasing.Request) -> erasing.Erased:
        """Destroy what is personal of a person or a case, and put that on record: see `erasing.erase`."""
        return erasing.erase(self.context, request)

    def hold(self, of: str, about: str, by: str, reason: str, *, on: bool) -> RecordReference:
        """Put a case or a person on legal hold, or lift that: see `holds.hold`."""
        return self.context.turn(lambda: holds.hold(self.context, of, about, by, reason, on=on))

    def plan_migration(
        self, old: Machine, migration: Migration, progress: Callable[[int, int], None] | None = None
    ) -> tuple[CaseFate, ...]:
        """Return what would become of every case of another version: see `migrating.plan`. Nothing is recorded."""
        return migrating.plan(self.context, old, migration, progress)

    def migrate(
        self,
        old: Machine,
        migration: Migration,
        text: str,
        ordered: Ordered,
        progress: Callable[[int, int], None] | None = None,
    ) -> Migrated:
        """Move the cases of another version to the machine in force: see `migrating.migrate`."""
        return migrating.migrate(self.context, old, migration, text, ordered, progress)
