"""What is run under the shim: commits of many shapes, each acknowledged by a mark once it has returned.

    workload.py FOLDER SEED COMMITS [JOURNAL_MODE SYNCHRONOUS]

The last two put weaker settings in the place of the store's own, for the control: the harness must then find losses.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random

from edca.ledger import sqlite
from edca.ledger.durability import Durability
from edca.ledger.record import Draft
from edca.ledger.store import Cell


class Workload:
    """Commits to the ledger of a folder, chosen by `seed`: equal seeds commit equally."""

    def __init__(self, folder: Path, seed: str) -> None:
        """Begin with a ledger that is not open."""
        self._random = Random(seed)  # noqa: S311  no secret
        self._path = folder / "ledger.db"
        self._mark = os.open(folder / "mark", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.is_open = False
        self.ledger: sqlite.SQLiteLedger

    def open(self) -> None:
        """Open the ledger."""
        self.ledger = sqlite.SQLiteLedger.open(self._path)
        self.is_open = True

    def close(self) -> None:
        """Close it."""
        self.ledger.close()
        self.is_open = False

    def commit(self) -> None:
        """Commit once, perhaps after a restart, and acknowledge."""
        random = self._random
        if random.random() < 0.1:  # a restart
            self.close()
            self.open()
        ledger = self.ledger
        drafts = [
            Draft(
                f"/case:{random.randrange(5)}",
                "note",
                {"size": ledger.size, "pad": bytes(random.choice((0, 40, 900, 5000)))},
            )
            for _ in range(random.choice((1, 1, 1, 2, 5)))
        ]
        count = str(ledger.size + len(drafts)).encode()
        cells = [
            Cell("counter", "records", count),
            Cell("pad", str(random.randrange(9)), bytes(random.randrange(2000))),
        ]
        ledger.commit(drafts, cells)
        os.write(self._mark, f"{ledger.size}\n".encode())


def main() -> None:
    """Commit, and acknowledge."""
    folder, seed, commits = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    if len(sys.argv) > 4:
        weak = Durability(sys.argv[4], sys.argv[5])
        sqlite.durability_for = lambda _version: weak
    workload = Workload(folder, seed)
    workload.open()
    for _ in range(commits):
        workload.commit()
    workload.close()


if __name__ == "__main__":
    main()
