"""What a replay found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edca.kernel.values import ValueProblem
from edca.ledger.errors import LedgerFormatError

if TYPE_CHECKING:
    from edca.runtime.cell_differences import CellDifference
    from edca.runtime.stamps import Kernel
    from edca.runtime.vault_check import VaultFinding

UNREADABLE: Final = (LedgerFormatError, KeyError, TypeError, ValueError, ValueProblem, AttributeError)
"""What strict reading raises for a record whose contents are not what this version writes.

`CanonicalError`, unknown enum members and observations that can't be are all `ValueError`s.
"""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A record that says something else than its own contents yield: where, and both sides as text."""

    index: int
    path: str
    recorded: str
    recomputed: str


@dataclass(frozen=True, slots=True)
class NotReplayed:
    """A record that could not be replayed, and why."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay found. Every record is equal, a mismatch, not replayed or erased.

    `erased` are those whose personal values were erased: what was decided on these could not be checked and is taken as
    recorded; everything else about them is as it must be. `unfinished` are the indexes of accepted verdicts whose
    effects have no outcome yet: nothing is wrong with them, but somebody must recover or observe. `cells` are those
    beside the records that are not what the records add up to, `vault` what in the vault is not what they say.
    `kernels` are those that decided, and how many records each, in order of their first; old records name none.
    """

    total: int
    equal: int
    mismatches: tuple[Mismatch, ...]
    not_replayed: tuple[NotReplayed, ...]
    unfinished: tuple[int, ...]
    cells: tuple[CellDifference, ...]
    erased: tuple[int, ...] = ()
    vault: tuple[VaultFinding, ...] = ()
    kernels: tuple[tuple[Kernel, int], ...] = ()
