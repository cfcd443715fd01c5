"""The embedded store: places are assigned gap-free, commits are all or nothing, one writer, readers free."""

import hashlib
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from edca.kernel.canonical import Data
from edca.ledger.errors import (
    InDoubtError,
    LedgerBusyError,
    LedgerError,
    LedgerFormatError,
    TamperedError,
)
from edca.ledger.leaf import NO_HASH
from edca.ledger.record import RECORD_SIZE_MAX, Draft, body_digest, parse
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.store import Cell
from edca.ledger.tree import EMPTY_ROOT, CompactRange
from edca.ledger.verify import verify


def draft(chain: str, **content: Data) -> Draft:
    return Draft(chain, "note", content)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def test_a_new_ledger_is_empty(path: Path) -> None:
    with SQLiteLedger.open(path) as ledger:
        assert (ledger.size, ledger.root()) == (0, EMPTY_ROOT)
        assert ledger.head("c1") is None
        assert ledger.cell("case", "c1") is None
        assert list(ledger.records()) == []
        assert list(ledger.cells("case")) == []
        assert ledger.commit([]) == ()


def test_each_chain_counts_for_itself(path: Path) -> None:
    with SQLiteLedger.open(path) as ledger:
        first = ledger.commit([draft("c1", n=1), draft("intake"), draft("c1", n=2)])
        second = ledger.commit([draft("c2"), draft("c1", n=3)])
        places = [(stored.index, stored.chain, stored.entry) for stored in (*first, *second)]
        assert places == [(0, "c1", 0), (1, "intake", 0), (2, "c1", 1), (3, "c2", 0), (4, "c1", 2)]
        assert ledger.head("c1") == (2, second[1].digest)

        records = [parse(record.body) for record in ledger.records(chain="c1")]
        assert [record.content["n"] for record in records] == [1, 2, 3]
        assert [record.prev for record in records] == [NO_HASH, first[0].digest, first[2].digest]

        leaves = [record.leaf for record in ledger.records()]
        hashes = [leaf.leaf_hash() for leaf in leaves]
        assert [leaf.previous for leaf in leaves] == [NO_HASH, *hashes[:-1]]
        tree = CompactRange()
        for leaf_hash in hashes:
            tree = tree.append(leaf_hash)
        assert (ledger.size, ledger.root()) == (5, tree.root())
        assert [leaf.index for leaf in leaves] == [stored.index for stored in (*first, *second)]


def test_what_was_committed_is_read_back_after_reopening(path: Path) -> None:
    with SQLiteLedger.open(path) as ledger:
        stored = ledger.commit([draft("c1", n=n) for n in range(200)], [Cell("case", "c1", b"v")])
        root = ledger.root()
    with SQLiteLedger.open(path, create=False) as ledger:
        assert (ledger.size, ledger.root()) == (200, root)
        assert ledger.cell("case", "c1") == b"v"
        assert body_digest(ledger.read(150).body) == stored[150].digest
        assert [record.leaf.index for record in ledger.records(start=190)] == list(range(190, 200))
        assert [record.leaf.index for record in ledger.records(190, "c1")] == list(range(190, 200))
        assert ledger.commit([draft("c1")])[0].index == 200


def test_cells_are_put_replaced_and_removed(path: Path) -> None:
    with SQLiteLedger.open(path) as ledger:
        names = [f"k{number:03}" for number in range(150)] + ["é", "\U0001f600", "\uffee", ""]
        ledger.commit([], [Cell("case", name, name.encode()) for name in names])
        ledger.commit([], [Cell("case", "k001", b"new"), Cell("case", "k002", None), Cell("other", "k001", b"x")])
        ledger.commit([], [Cell("case", "k003", b"a"), Cell("case", "k003", b"b")])
        cells = dict(ledger.cells("case"))
        assert list(cells) == sorted(set(names) - {"k002"}, key=str.encode)
        assert (cells["k001"], cells["k003"], ledger.cell("other", "k001")) == (b"new", b"b", b"x")


def test_what_cannot_be_stored_is_refused_before_anything_is_written(path: Path) -> None:
    large = bytes(RECORD_SIZE_MAX + 1)
    with SQLiteLedger.open(path) as ledger:
        with pytest.raises(LedgerError, match="over the limit"):
            ledger.commit([draft("c1"), draft("c2", evidence=large)], [Cell("case", "c1", b"v")])
        with pytest.raises(LedgerError, match="over the limit"):
            ledger.commit([draft("c1")], [Cell("case", "c1", large)])
        for cell in (Cell("case", "\ud800", b""), Cell("s" * 257, "k", b"")):
            with pytest.raises(LedgerError):
                ledger.commit([draft("c1")], [cell])
        assert (ledger.size, ledger.cell("case", "c1"), ledger.head("c1")) == (0, None, None)
        assert ledger.commit([draft("c1")])[0].entry == 0


def test_a_commit_that_fails_midway_leaves_nothing_and_stops_writing(path: Path) -> None:
    with SQLiteLedger.open(path) as ledger:
        ledger.commit([draft("c1")], [Cell("case", "c1", b"old")])
        with sqlite3.connect(path) as saboteur:
            saboteur.execute(
                "CREATE TRIGGER fail BEFORE INSERT ON cells WHEN NEW.key = 'bad' "
                "BEGIN SELECT RAISE(ABORT, 'injected'); END"
            )
        saboteur.close()
        with pytest.raises(InDoubtError, match="injected"):
            ledger.commit([draft("c1"), draft("c2")], [Cell("case", "c1", b"new"), Cell("case", "bad", b"")])
        assert (ledger.size, ledger.cell("case", "c1"), ledger.head("c2")) == (1, b"old", None)
        with pytest.raises(InDoubtError, match="open it again"):
            ledger.commit([draft("c1")])
    with closing(sqlite3.connect(path)) as saboteur:
        saboteur.execute("DROP TRIGGER fail")
    with SQLiteLedger.open(path) as ledger:
        assert ledger.size == 1
        assert ledger.commit([draft("c1")])[0].entry == 1
    assert verify(path).is_sound


def test_an_interrupted_commit_stops_writing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SQLiteLedger.open(path) as ledger:

        def interrupted(*_: object) -> None:
            ledger._connection.execute("DELETE FROM cells")
            raise KeyboardInterrupt

        monkeypatch.setattr(ledger, "_transact", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ledger.commit([draft("c1")])
        monkeypatch.undo()
        with pytest.raises(InDoubtError):
            ledger.commit([draft("c1")])


@pytest.mark.parametrize("grip", ["BEGIN EXCLUSIVE", "BEGIN; SELECT * FROM ledger"])
def test_a_reader_in_the_way_costs_a_commit_and_no_more(path: Path, monkeypatch: pytest.MonkeyPatch, grip: str) -> None:
    # A rollback journal: there a reader keeps a commit from ending, not only from beginning.
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    with SQLiteLedger.open(path) as ledger:
        ledger.commit([draft("c1")])
        ledger._connection.execute("PRAGMA busy_timeout = 10")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            for statement in grip.split(";"):
                other.execute(statement)
            with pytest.raises(LedgerBusyError):
                ledger.commit([draft("c1")], [Cell("case", "c1", b"v")])
            other.execute("ROLLBACK")
        assert (ledger.size, ledger.cell("case", "c1")) == (1, None)
        assert ledger.commit([draft("c1")])[0].index == 1


def test_a_second_writer_is_refused_at_once(path: Path) -> None:
    program = (
        "import sys\n"
        "from edca.ledger.errors import LedgerBusyError\n"
        "from edca.ledger.sqlite import SQLiteLedger\n"
        "try:\n"
        "    SQLiteLedger.open(sys.argv[1])\n"
        "except LedgerBusyError as error:\n"
        "    print(error)\n"
    )
    with SQLiteLedger.open(path) as ledger:
        ledger.commit([draft("c1")])
        other = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
        assert "another process is writing the ledger" in other.stdout
        with pytest.raises(LedgerBusyError):
            SQLiteLedger.open(path)
        link = path.with_name("link.db")
        link.symlink_to(path)
        with pytest.raises(LedgerBusyError):
            SQLiteLedger.open(link)
    SQLiteLedger.open(path).close()


def test_readers_follow_the_writer_and_cannot_write(path: Path) -> None:
    with SQLiteLedger.open(path) as ledger:
        ledger.commit([draft("c1")], [Cell("case", "c1", b"v")])
        with SQLiteLedger.open(path, readonly=True) as reader:
            ledger.commit([draft("c1") for _ in range(100)])
            assert (reader.size, reader.root()) == (101, ledger.root())
            assert len(list(reader.records(chain="c1"))) == 101
            assert reader.cell("case", "c1") == b"v"
            with pytest.raises(LedgerError, match="read-only"):
                reader.commit([draft("c1")])


def test_a_slow_reader_does_not_hold_up_the_writer(path: Path) -> None:
    with SQLiteLedger.open(path) as ledger, SQLiteLedger.open(path, readonly=True) as reader:
        ledger.commit([draft("c1") for _ in range(200)])
        records = reader.records()
        next(records)
        ledger._connection.execute("PRAGMA busy_timeout = 0")
        assert ledger.commit([draft("c1")])[0].index == 200
        assert len(list(records)) == 200


def test_records_cannot_be_edited_by_accident(path: Path) -> None:
    with SQLiteLedger.open(path) as ledger:
        ledger.commit([draft("c1")])
        for statement in ("UPDATE ledger SET body = x'00'", "DELETE FROM ledger"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                ledger._connection.execute(statement)


def test_threads_share_a_ledger(path: Path) -> None:
    with SQLiteLedger.open(path, durable=False) as ledger, ThreadPoolExecutor(4) as pool:
        stored = list(pool.map(lambda number: ledger.commit([draft(f"c{number % 3}")])[0], range(60)))
        assert sorted(one.index for one in stored) == list(range(60))
        assert len({(one.chain, one.entry) for one in stored}) == 60
    assert verify(path).is_sound


def test_reads_of_one_moment_share_a_transaction(path: Path) -> None:
    with SQLiteLedger.open(path) as ledger, SQLiteLedger.open(path, readonly=True) as reader:
        with ledger.reading():
            assert ledger._connection.in_transaction
            with ledger.reading():
                ledger.cell("case", "c1")
            assert ledger._connection.in_transaction
        assert not ledger._connection.in_transaction
        with reader.reading():  # it would hold up the writer's commits
            assert not reader._connection.in_transaction


def test_a_commit_within_reads_of_one_moment_is_kept(path: Path) -> None:
    with SQLiteLedger.open(path) as ledger:
        with ledger.reading():
            ledger.cell("case", "c1")
            ledger.commit([draft("c1")], [Cell("case", "c1", b"v")])
        assert (ledger.size, ledger.cell("case", "c1")) == (1, b"v")


def test_a_group_that_raises_leaves_no_transaction_behind(path: Path) -> None:
    with SQLiteLedger.open(path) as ledger:
        with pytest.raises(ValueError, match="on the way"), ledger.group():
            ledger.commit([draft("c1")])
            raise ValueError("on the way")
        assert not ledger._connection.in_transaction
        assert ledger.commit([draft("c1")])[0].index == 0


def test_nobody_reads_from_a_closed_ledger(path: Path) -> None:
    ledger = SQLiteLedger.open(path)
    ledger.close()
    with pytest.raises(LedgerError), ledger.reading():
        raise AssertionError


def test_a_missing_record_is_said_to_be_missing(path: Path) -> None:
    with SQLiteLedger.open(path) as ledger, pytest.raises(LedgerError, match="there is no record 3"):
        ledger.read(3)


def test_nothing_is_chained_to_an_altered_ledger(path: Path) -> None:
    with SQLiteLedger.open(path) as ledger:
        ledger.commit([draft("c1") for _ in range(3)])
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER ledger_keeps_records_unchanged")
        connection.execute("UPDATE ledger SET header = zeroblob(120) WHERE leaf = 1")
    connection.close()
    with pytest.raises(TamperedError, match="record 1"):
        SQLiteLedger.open(path)
    # The refused opening gave its lock back.
    with pytest.raises(TamperedError, match="record 1"):
        SQLiteLedger.open(path)


def test_an_altered_body_is_never_returned(path: Path) -> None:
    with SQLiteLedger.open(path) as ledger:
        ledger.commit([draft("c1", n=1)])
        ledger._connection.execute("DROP TRIGGER ledger_keeps_records_unchanged")
        ledger._connection.execute("UPDATE ledger SET body = x'80'")
        with pytest.raises(TamperedError, match="record 0"):
            ledger.read(0)
        with pytest.raises(TamperedError, match="record 0"):
            list(ledger.records())


def test_a_wrong_hint_between_records_is_noticed_when_followed(path: Path) -> None:
    with SQLiteLedger.open(path) as ledger:
        ledger.commit([draft("c1"), draft("c2"), draft("c1")])
        ledger._connection.execute("DROP TRIGGER ledger_keeps_records_unchanged")
        for back in (1, 2, 7):
            ledger._connection.execute("UPDATE ledger SET back = ? WHERE leaf = 2", (back,))
            with pytest.raises(TamperedError):
                list(ledger.records(chain="c1"))


def test_other_files_are_refused_untouched(path: Path) -> None:
    path.write_bytes(b"something else entirely, longer than a SQLite header would have to be" * 20)
    before = hashlib.sha256(path.read_bytes()).digest()
    with pytest.raises(LedgerFormatError, match="not a SQLite database"):
        SQLiteLedger.open(path)
    assert hashlib.sha256(path.read_bytes()).digest() == before

    database = path.with_name("other.db")
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE t(a)")
    connection.close()
    with pytest.raises(LedgerFormatError, match="not a ledger"):
        SQLiteLedger.open(database)


def test_a_newer_schema_is_refused(path: Path) -> None:
    SQLiteLedger.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(LedgerFormatError, match="schema version 2"):
        SQLiteLedger.open(path)


def test_a_missing_ledger_is_made_only_on_request(path: Path) -> None:
    for arguments in ({"create": False}, {"readonly": True}):
        with pytest.raises(LedgerError, match="there is no ledger"):
            SQLiteLedger.open(path, **arguments)
    assert list(path.parent.iterdir()) == []
    with pytest.raises(LedgerError):
        SQLiteLedger.open(path / "deeper" / "ledger.db")


def test_a_ledger_stays_in_its_process(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SQLiteLedger.open(path) as ledger:
        monkeypatch.setattr("os.getpid", lambda: -1)
        with pytest.raises(LedgerError, match="across a fork"):
            ledger.commit([draft("c1")])


def test_a_scratch_ledger_keeps_the_same_records(path: Path) -> None:
    roots = []
    for durable, name in ((True, "a.db"), (False, "b.db")):
        with SQLiteLedger.open(path.with_name(name), durable=durable) as ledger:
            ledger.commit([draft("c1", n=1), draft("config")])
            roots.append(ledger.root())
    assert roots[0] == roots[1]
