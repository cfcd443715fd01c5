"""What a kernel offers to whoever must keep the law on personal values: erase them, or keep them from being erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.runtime import holds, retention
from edca.runtime.erasing import Erased, Request

if TYPE_CHECKING:
    from edca.runtime.answers import RecordReference
    from edca.runtime.loop import Runtime
    from edca.runtime.retention_rules import RetentionRules


class Erasing:
    """The part of a kernel that destroys personal values. `by` is an operator, on your word, as for `halt`."""

    _runtime: Runtime

    def erase(self, subject: str, *, by: str, reason: str, even_open: bool = False) -> Erased:
        """Destroy what is personal of a person: of their cases, and of what they have asked for outside of any.

        Records, proofs and verdicts stay as they are, and valid. Doing it again does nothing. `even_open` takes cases,
        too, that have not come to their end: nothing more is done in them then. Raises `ErasureError` for who can't be
        an operator, without a reason, under a legal hold, and while a case waits for an effect or for people.
        """
        return self._runtime.erase(Request(holds.SUBJECT, subject, by, reason, even_open))

    def erase_case(self, case: str, *, by: str, reason: str, even_open: bool = False) -> Erased:
        """Destroy what is personal of one case, by its id. Raises as `erase`."""
        return self._runtime.erase(Request(holds.CASE, case, by, reason, even_open))

    def kept(self, rules: RetentionRules) -> tuple[retention.Kept, ...]:
        """Return what has a class and still its personal values, in order of when its time is over."""
        return retention.kept(self._runtime.context, rules)

    def purge(self, rules: RetentionRules, *, by: str) -> tuple[Erased, ...]:
        """Erase everything whose time is over and that nothing stands against, each class on record.

        `load_retention` reads the rules from a file. Raises `ErasureError`.
        """
        return retention.purge(self._runtime.context, rules, by)

    def hold_subject(self, subject: str, *, by: str, reason: str, on: bool = True) -> RecordReference:
        """Put a person on legal hold, so that nothing of theirs is erased, or lift that. Raises `HoldError`."""
        return self._runtime.hold(holds.SUBJECT, subject, by, reason, on=on)

    def hold_case(self, case: str, *, by: str, reason: str, on: bool = True) -> RecordReference:
        """Put one case, by its id, on legal hold, or lift that. Raises `HoldError`."""
        return self._runtime.hold(holds.CASE, case, by, reason, on=on)
