"""Which SQLite settings make a commit survive a power cut, by the SQLite version at hand.

SQLite 3.7.0 to 3.51.2 can damage a database in WAL mode when a checkpoint races with a commit that restarts
the log (https://sqlite.org/wal.html#walresetbug). Fixed in 3.51.3, and in the branches 3.44 and 3.50 from
3.44.6 and 3.50.7. The affected versions are what most Pythons ship, so they get a rollback journal, which
has no such race. `docs/decisions/0010-sqlite-durability.md` weighs the two.
"""

from dataclasses import dataclass
from typing import Final

SQLITE_VERSION_MIN: Final = (3, 37, 0)
"""The first with STRICT tables."""

_FIXED_FROM: Final = (3, 51, 3)
_BACKPORTS: Final = ((3, 44, 6), (3, 50, 7))


@dataclass(frozen=True, slots=True)
class Durability:
    """The values of SQLite's `journal_mode` and `synchronous`."""

    journal_mode: str
    synchronous: str


ROLLBACK: Final = Durability("delete", "EXTRA")
"""EXTRA also syncs the folder after deleting the journal; with FULL a power cut could undo that commit."""
WRITE_AHEAD: Final = Durability("wal", "FULL")
"""FULL syncs the log at every commit; NORMAL would lose the newest ones."""
SCRATCH: Final = Durability("delete", "OFF")
"""No syncs at all: a crash of the process loses nothing, a power cut may. For trials and scenarios only."""


def durability_for(version: tuple[int, int, int]) -> Durability:
    """Return the settings under which an acknowledged commit survives, for a SQLite version."""
    backported = any(version[:2] == fixed[:2] and version >= fixed for fixed in _BACKPORTS)
    return WRITE_AHEAD if version >= _FIXED_FROM or backported else ROLLBACK
