"""What was acknowledged is there after the writer was killed or its disk failed, and nothing is half there."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from edca.ledger.checks import Flaw
from edca.ledger.errors import InDoubtError, LedgerBusyError, LedgerError
from edca.ledger.record import Draft
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verify import verify

# Commits two records and a cell that counts them, and only then acknowledges, in an endless loop.
WRITER = """
import sys
from edca.ledger.record import Draft
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.store import Cell
ledger = SQLiteLedger.open(sys.argv[1])
while True:
    count = str(ledger.size + 2).encode()
    drafts = [Draft("c1", "note", {"n": ledger.size}), Draft("c2", "note", {"pad": bytes(3000)})]
    print(ledger.commit(drafts, [Cell("counter", "records", count)])[-1].index, flush=True)
"""

# As WRITER, on a disk that fails when the file would grow past a limit.
FULL_DISK_WRITER = """
import resource, signal, sys
from edca.ledger.errors import InDoubtError
from edca.ledger.record import Draft
from edca.ledger.sqlite import SQLiteLedger
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ledger = SQLiteLedger.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    while True:
        print(ledger.commit([Draft("c1", "note", {"pad": bytes(3000)})])[-1].index, flush=True)
except InDoubtError:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        ledger.commit([Draft("c1", "note", {})])
    except InDoubtError:
        print("refused")
"""


def test_kill_9_in_a_loop_of_commits(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    acknowledged = -1
    for round_index in range(10):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        with writer, writer.stdout as lines:
            # A different number of commits each round; the kill lands wherever the next one happens to be.
            for _ in range(1 + 3 * round_index % 7):
                acknowledged = int(next(lines))
            with pytest.raises(LedgerBusyError):
                SQLiteLedger.open(path)
            writer.kill()
            # Acknowledgements printed before the kill took effect count as well.
            acknowledged = max([acknowledged, *(int(line) for line in lines if line.endswith("\n"))])
        with SQLiteLedger.open(path) as ledger:
            assert ledger.size > acknowledged
            assert ledger.size % 2 == 0
            assert ledger.cell("counter", "records") == str(ledger.size).encode()
        assert verify(path, expect_size=acknowledged + 1).findings == ()


def test_an_unfinished_commit_is_reported_by_readers_and_rolled_back_by_the_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))  # a rollback journal
    path, copy = tmp_path / "ledger.db", tmp_path / "copy.db"
    with SQLiteLedger.open(path) as ledger:
        ledger.commit([Draft("c1", "note", {"n": n}) for n in range(50)])
        connection = ledger._connection
        # With a one-page cache SQLite writes into the file before the commit; a power cut would leave this.
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE chains SET entry = 999")
        connection.execute("INSERT INTO cells VALUES('case', 'c1', zeroblob(100000))")
        shutil.copyfile(path, copy)
        shutil.copyfile(f"{path}-journal", f"{copy}-journal")
        connection.execute("ROLLBACK")
    findings = verify(copy).findings
    assert [finding.what for finding in findings] == [Flaw.UNREADABLE]
    assert "unfinished commit; open it once for writing" in findings[0].detail
    with pytest.raises(LedgerError, match="unfinished commit"):
        SQLiteLedger.open(copy, readonly=True)
    with SQLiteLedger.open(copy) as ledger:
        assert (ledger.size, ledger.cell("case", "c1")) == (50, None)
    assert verify(copy, expect_size=50).is_sound


def test_a_writer_that_could_not_read_its_file_takes_no_further_commit(tmp_path: Path) -> None:
    with SQLiteLedger.open(tmp_path / "ledger.db") as ledger:
        ledger.commit([Draft("c1", "note", {})])
        ledger._connection.set_progress_handler(lambda: 1, 1)  # stands for a disk that fails while it is read
        with pytest.raises(LedgerError, match="can't be used"):
            ledger.read(0)
        ledger._connection.set_progress_handler(None, 1)
        assert ledger.read(0).body
        with pytest.raises(InDoubtError, match="a read of it, failed"):
            ledger.commit([Draft("c1", "note", {})])
    with SQLiteLedger.open(tmp_path / "ledger.db") as again:
        again.commit([Draft("c1", "note", {})])


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
def test_a_disk_that_fails_stops_the_writer_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    program = [sys.executable, "-c", FULL_DISK_WRITER, str(path)]
    lines = subprocess.run(program, capture_output=True, text=True, check=True).stdout.split()
    assert lines[-1] == "refused"
    acknowledged = int(lines[-2])
    assert acknowledged > 10
    with SQLiteLedger.open(path) as ledger:
        assert ledger.size in (acknowledged + 1, acknowledged + 2)
    assert verify(path, expect_size=acknowledged + 1).findings == ()
