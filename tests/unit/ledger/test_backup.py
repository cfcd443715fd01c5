"""Backups: one moment of the ledger, whole and verified, while a writer goes on; and no way back to it unseen."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from edca.ledger import copying
from edca.ledger.backup import back_up, restore
from edca.ledger.checkpoint import Checkpoint
from edca.ledger.errors import LedgerBusyError, LedgerError, LedgerFormatError, RolledBackError, TamperedError
from edca.ledger.kept import Kept
from edca.ledger.note import KeyKind, SigningKey
from edca.ledger.record import Draft
from edca.ledger.rollback import demand
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.store import Cell
from edca.ledger.verify import verify

KEY = SigningKey("desk.example", KeyKind.LOG, bytes(range(32)))


def grow(path: Path, count: int, pad: int = 0) -> None:
    with SQLiteLedger.open(path, durable=False) as ledger:
        for number in range(count):
            ledger.commit([Draft(f"c{number % 3}", "note", {"size": ledger.size, "pad": bytes(pad)})])


def checkpoint(path: Path) -> Kept:
    with SQLiteLedger.open(path, readonly=True) as ledger:
        note = Checkpoint(KEY.name, ledger.size, ledger.root()).signed(KEY)
    return Kept.signed(note.to_bytes(), "the checkpoint in the mailbox", (KEY.verifier,))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    grow(tmp_path / "ledger.db", 9)
    return tmp_path / "ledger.db"


def test_a_backup_is_the_ledger_as_it_was_and_nothing_else_is_left(path: Path, tmp_path: Path) -> None:
    made = back_up(path, tmp_path / "copy")
    with SQLiteLedger.open(path, readonly=True) as ledger, SQLiteLedger.open(tmp_path / "copy", readonly=True) as copy:
        assert list(copy.records()) == list(ledger.records())
        assert (made.size, made.root, made.tip) == (9, ledger.root(), ledger.leaf_hashes(8, 9)[0])
    assert made.verification.is_sound
    assert {file.name for file in tmp_path.iterdir()} == {"ledger.db", "ledger.db.lock", "copy"}
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0


def test_an_empty_ledger_can_be_backed_up(tmp_path: Path) -> None:
    grow(tmp_path / "ledger.db", 0)
    made = back_up(tmp_path / "ledger.db", tmp_path / "copy")
    assert (made.size, made.tip) == (0, bytes(32))


@pytest.mark.parametrize("pages", [1, 4096])
def test_backups_made_while_a_writer_goes_on_are_each_one_moment_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    monkeypatch.setattr(copying, "_PAGES_A_STEP", pages)
    path, stop, failures = tmp_path / "ledger.db", threading.Event(), list[BaseException]()
    grow(path, 50, pad=2000)

    def write() -> None:
        try:
            with SQLiteLedger.open(path, durable=False) as ledger:
                while not stop.is_set():
                    count = str(ledger.size + 2).encode()
                    drafts = [Draft("c1", "note", {"pad": bytes(3000)}), Draft("c2", "note", {})]
                    ledger.commit(drafts, [Cell("counter", "records", count)])
        except BaseException as error:
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        sizes = [back_up(path, tmp_path / f"copy-{number}").size for number in range(4)]
    finally:
        stop.set()
        writer.join()
    assert failures == []
    assert sizes == sorted(sizes) and sizes[0] >= 50
    for number, size in enumerate(sizes):
        with SQLiteLedger.open(tmp_path / f"copy-{number}", readonly=True) as copy:
            assert (copy.size - 50) % 2 == 0, "half a commit"
            assert copy.cell("counter", "records") in (None, str(size).encode())


def test_a_damaged_ledger_gives_no_backup(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("DROP TRIGGER ledger_keeps_records_unchanged")
        file.execute("UPDATE ledger SET body = x'c1' WHERE leaf = 4")
    with pytest.raises(TamperedError, match="record 4: the body is not the one"):
        back_up(path, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_no_file_is_ever_replaced(path: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("dear")
    with pytest.raises(LedgerError, match="is there already"):
        back_up(path, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "dear"
    back_up(path, tmp_path / "other")
    with pytest.raises(LedgerError, match="is there already"):
        restore(tmp_path / "other", path)
    with SQLiteLedger.open(tmp_path / "in-use.db"), pytest.raises(LedgerBusyError):
        restore(tmp_path / "other", tmp_path / "in-use.db")


def test_restore_puts_back_what_every_kept_checkpoint_counts(path: Path, tmp_path: Path) -> None:
    earlier = checkpoint(path)
    grow(path, 4)
    back_up(path, tmp_path / "copy")
    made = restore(tmp_path / "copy", tmp_path / "again.db", kept=[earlier, checkpoint(path)])
    assert made.size == 13
    assert "the first 13 records have the root of the checkpoint in the mailbox" in made.verification.checked
    grow(tmp_path / "again.db", 1)
    assert verify(tmp_path / "again.db").size == 14


def test_restore_of_a_backup_that_is_older_than_a_checkpoint_says_what_is_missing(path: Path, tmp_path: Path) -> None:
    back_up(path, tmp_path / "copy")
    grow(path, 4)
    with pytest.raises(RolledBackError, match="was over 13 records, and 9 are there: the newest were deleted"):
        restore(tmp_path / "copy", tmp_path / "again.db", kept=[checkpoint(path)])
    assert not (tmp_path / "again.db").exists()


def test_restore_without_anything_kept_says_that_it_can_not_know(path: Path, tmp_path: Path) -> None:
    back_up(path, tmp_path / "copy")
    open_ = restore(tmp_path / "copy", tmp_path / "again.db").verification.not_checked
    assert "deletion of the newest records: no checkpoint kept elsewhere was given" in open_


def test_what_was_erased_since_is_erased_again_before_anybody_can_read_it(path: Path, tmp_path: Path) -> None:
    back_up(path, tmp_path / "copy")
    seen: list[bool] = []

    def erase(unfinished: Path) -> None:
        seen.append((tmp_path / "again.db").exists())
        with closing(sqlite3.connect(unfinished)) as file, file:
            file.execute("DELETE FROM cells")
            file.execute("INSERT INTO cells VALUES('erased', 'carla', x'c0')")

    restore(tmp_path / "copy", tmp_path / "again.db", prepare=erase)
    assert seen == [False]
    with SQLiteLedger.open(tmp_path / "again.db") as ledger:
        assert ledger.cell("erased", "carla") == b"\xc0"


def test_what_breaks_the_copy_while_erasing_leaves_no_ledger(path: Path, tmp_path: Path) -> None:
    back_up(path, tmp_path / "copy")

    def break_(unfinished: Path) -> None:
        with closing(sqlite3.connect(unfinished)) as file, file:
            file.execute("DELETE FROM chains")

    with pytest.raises(TamperedError, match="table of the chains' newest records"):
        restore(tmp_path / "copy", tmp_path / "again.db", prepare=break_)
    assert {file.name for file in tmp_path.iterdir()} == {"ledger.db", "ledger.db.lock", "copy", "again.db.lock"}


def test_a_ledger_is_asked_for_all_that_was_kept_of_it(path: Path, tmp_path: Path) -> None:
    kept = checkpoint(path)
    grow(path, 3)
    with SQLiteLedger.open(path, readonly=True) as ledger:
        demand(ledger, [kept, Kept(12, None), Kept(None, ledger.root())])
        with pytest.raises(RolledBackError, match=r"has 12 records, and .* counts 13: the newest 1 is missing"):
            demand(ledger, [Kept(13, None)])
        with pytest.raises(RolledBackError, match=r"the first 9 records .* have another root"):
            demand(ledger, [Kept(9, bytes(32))])
        with pytest.raises(LedgerFormatError, match="shows nothing: no trusted key"):
            demand(ledger, [Kept(9, kept.root, flaw="no trusted key of `x` has signed this checkpoint")])
