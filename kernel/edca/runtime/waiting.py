"""Open questions as their cells hold them, and how each record moves them.

These are pure rules: the same when a ledger is written, when a cell is compared with the records, and in a replay. A
cell names records and holds nothing else, so that editing it shows people nothing that was not decided.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edca.kernel import canonical
from edca.kernel.counting import ends_at
from edca.kernel.inputs import Attestation, Authenticated
from edca.kernel.verdict import Escalated, Refused, Stage
from edca.ledger.errors import TamperedError
from edca.ledger.store import Cell
from edca.runtime.signatures import is_signed, message

if TYPE_CHECKING:
    from edca.kernel.canonical import Data
    from edca.kernel.machine import Machine
    from edca.kernel.roster import Roster
    from edca.kernel.verdict import Verdict

SPACE: Final = "inbox"
SOURCE: Final = "inbox"
"""The source of attestations that came as answers to a question; nobody else may use it."""
_ID_LENGTH: Final = 16  # hexadecimal digits

_PASSING: Final = frozenset(
    {
        Stage.UNKNOWN_CASE,
        Stage.WRONG_MACHINE,  # until its case is moved to the version in force
        Stage.HALTED,
        Stage.MODE,
        Stage.CLOCK_WENT_BACK,
        Stage.EFFECT_PENDING,
        Stage.STATE_DRIFT,
        Stage.NO_BRANCH,
    }
)
"""Stages that may refuse now and not later."""


def is_passing(verdict: Verdict) -> bool:
    """Tell whether a verdict only says that nothing can be decided now: it leaves an open question as it is."""
    return isinstance(verdict, Refused) and verdict.stage in _PASSING


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open question as its cell holds it: numbers of records, and when it is over (microseconds UTC).

    `opened` first escalated it, `newest` did so last. `answers` are all that have counted since it was opened, in
    order: a verdict hears every one of them, and none makes room for another.
    """

    key: str
    opened: int
    newest: int
    due: int
    answers: tuple[int, ...] = ()

    @property
    def is_undecided(self) -> bool:
        """Whether an answer has counted that has led to no verdict yet."""
        return any(number > self.newest for number in self.answers)

    def is_over(self, now: int) -> bool:
        """Tell whether its time is over. What was answered in time is decided before, however late that is."""
        return now >= self.due and not self.is_undecided

    def cell(self) -> Cell:
        """Return the write that keeps it."""
        data: Data = {"opened": self.opened, "newest": self.newest, "due": self.due, "answers": list(self.answers)}
        return Cell(SPACE, self.key, canonical.encode(data))


def waiting_of(key: str, encoded: bytes) -> Waiting:
    """Return the open question of a cell. Raises `TamperedError` for anything that none is."""
    try:
        data: Any = canonical.decode(encoded)
        return Waiting(key, data["opened"], data["newest"], data["due"], tuple(data["answers"]))
    except (KeyError, TypeError, ValueError) as error:
        raise TamperedError("an open question can't be read; verify the ledger") from error


def key_of(tenant: str, case: str | None, candidate: bytes) -> str:
    """Return the key of the cell of a candidate's question, by its digest; `case` is null where it creates one."""
    return canonical.digest("question", canonical.encode([tenant, case, candidate])).hex()


def id_of(opened: bytes) -> str:
    """Return the id of the question that the record of that digest opened: new whenever one is opened."""
    return opened.hex()[:_ID_LENGTH]


def after_verdict(
    before: Waiting | None, key: str, machine: Machine, verdict: Verdict, now: int, number: int
) -> Waiting | None:
    """Return the question after a verdict on its candidate, in the record of that number.

    An escalation opens it or keeps it open; one that only says "not now" leaves it as it is; every other one ends it.
    """
    if is_passing(verdict):
        return before
    if not isinstance(verdict, Escalated):
        return None
    if before is None:
        return Waiting(key, number, number, ends_at(machine, verdict, now))
    return dataclasses.replace(before, newest=number)


def after_answer(before: Waiting, number: int) -> Waiting:
    """Return the question after an answer that counts, by the number of its record."""
    return dataclasses.replace(before, answers=(*before.answers, number))


def answer_in(content: Any) -> Attestation:
    """Return the answer that the record of an approval holds. Raises `TamperedError` for one that did not count."""
    if content["void"] is not None:
        raise TamperedError("an answer that did not count is taken for one that did; verify the ledger")
    return Attestation(
        name=content["code"],
        value=content["yes"],
        by=content["by"],
        role=content["role"],
        source=SOURCE,
        at=content["at"],
        binds=content["preview"],
        authenticated=Authenticated(content["authenticated"]),
    )


def is_heard(content: Any, roster: Roster) -> bool:
    """Tell whether the answer of a record is put before a verdict under that roster.

    One that was signed is not, once the key it was signed with is taken from its person: whoever has the key could
    have signed it. All else about answers is for the verdict itself to judge.
    """
    return content["signature"] is None or is_signed_answer(content, roster.keys(content["by"]))


def is_signed_answer(content: Any, keys: tuple[bytes, ...]) -> bool:
    """Tell whether the answer of a record is signed with one of the keys."""
    signed = message(content["question"], content["preview"], content["code"], yes=content["yes"])
    return is_signed(keys, content["signature"], signed)
