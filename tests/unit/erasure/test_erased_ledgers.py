"""Goal: what strangers and `edca verify` find in a ledger whose values were erased, or altered behind its back."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from test_erase import erased

from edca.ledger.checkpoint import Checkpoint
from edca.ledger.note import KeyKind, SigningKey
from edca.ledger.proof import inclusion_proof
from edca.ledger.receipt import Receipt
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.subtrees import StoredSubtrees
from edca.runtime.vault_check import check_vault


def test_verify_names_each_record_whose_values_are_not_what_it_commits_to(worked):
    whole = check_vault(worked.ledger)
    assert (whole.erased, whole.findings) == (0, ())
    erased(worked)
    after = check_vault(worked.ledger)
    assert after.sealed == whole.sealed
    assert after.erased > 8
    assert after.findings == ()
    worked.close()
    with closing(sqlite3.connect(worked.path)) as connection:
        (one, sealed), (other, _), (third, _) = connection.execute(
            "SELECT number, sealed FROM vault LIMIT 3"
        ).fetchall()
        connection.execute("UPDATE vault SET sealed = ? WHERE number = ?", (sealed[:-1] + b"\0", one))
        connection.execute("DELETE FROM vault WHERE number = ?", (other,))
        connection.execute("UPDATE vault SET number = 0 WHERE number = ?", (third,))
        connection.commit()
    with SQLiteLedger.open(worked.path, readonly=True) as ledger:
        found = check_vault(ledger)
    assert [one.index for one in found.findings] == [0, one, other, third]
    assert "no record says that they were erased" in found.findings[2].detail


@pytest.mark.parametrize("name", ["verify_ledger.py", "verify-ledger.mjs"])
def test_old_receipts_and_the_ledger_hold_for_strangers_after_an_erasure(worked, name):
    """The independent verifiers know of no vault, and need none. A receipt made before is one byte for byte after."""
    key, count = SigningKey("desk.example", KeyKind.LOG, bytes(range(32))), worked.ledger.size
    note = Checkpoint(key.name, count, worked.ledger.root()).signed(key).to_bytes()
    hashes = worked.ledger.leaf_hashes(0, count)
    subtrees = StoredSubtrees(lambda start, end: hashes[start:end])

    def receipt(index):
        return Receipt(worked.ledger.read(index), inclusion_proof(subtrees, index, count), note).to_bytes()

    before = [receipt(index) for index in range(count)]
    erased(worked)
    assert [receipt(index) for index in range(count)] == before
    worked.close()
    program = sys.executable if name.endswith(".py") else shutil.which("node")
    if program is None:
        pytest.skip("Node.js is not installed")
    path = Path(__file__).resolve().parents[3] / "verifiers" / name
    for index in (3, count - 1):
        file = worked.folder / f"{index}.receipt"
        file.write_bytes(before[index])
        arguments = ["--receipt", file, "--trust", str(key.verifier)]
        done = subprocess.run([program, path, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    if name.endswith(".py"):
        done = subprocess.run([program, path, worked.path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert worked.planted() == []
