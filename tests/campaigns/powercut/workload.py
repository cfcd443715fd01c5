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


def main() -> None:
    """Commit, and acknowledge."""
    folder, seed, commits = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    if len(sys.argv) > 4:
        weak = Durability(sys.argv[4], sys.argv[5])
        sqlite.durability_for = lambda _version: weak
    random = Random(seed)  # noqa: S311  equal seeds commit equally
    mark = os.open(folder / "mark", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    ledger = sqlite.SQLiteLedger.open(folder / "ledger.db")
    for _ in range(commits):
        if random.random() < 0.1:  # a restart
            ledger.close()
            ledger = sqlite.SQLiteLedger.open(folder / "ledger.db")
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
        os.write(mark, f"{ledger.size}\n".encode())
    ledger.close()


main()
