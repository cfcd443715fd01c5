"""What is run on a disk that fails: commits, each acknowledged by a mark; what is raised is told, and then tried again.

    faulty_workload.py FOLDER SEED COMMITS

The commits are those of `workload.py`. Writes a line of JSON to standard output: `code` and `message` of what was
raised, null where nothing was, `during` what, and `refused`, whether every further commit of the same object was.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from workload import Workload

from edca.ledger.errors import LedgerError
from edca.ledger.record import Draft
from edca.ledger.sqlite import SQLiteLedger


def main() -> None:
    """Commit until all is done or something is raised."""
    workload = Workload(Path(sys.argv[1]), sys.argv[2])
    told: dict[str, object] = {"code": None, "message": None, "during": "open", "refused": None}
    try:
        workload.open()
        told["during"] = "commit"
        for _ in range(int(sys.argv[3])):
            workload.commit()
        told["during"] = "close"
        workload.close()
    except LedgerError as error:
        told |= {"code": error.code, "message": str(error)}
        if workload.is_open and told["during"] == "commit":
            told["refused"] = all(_refuses(workload.ledger) for _ in range(3))
    print(json.dumps(told))


def _refuses(ledger: SQLiteLedger) -> bool:
    try:
        ledger.commit([Draft("/case:0", "note", {"after": "the failure"})])
    except LedgerError:
        return True
    return False


main()
