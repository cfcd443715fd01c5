"""The verifier: a ledger as written is sound, every alteration is found and named, and garbage never stops it."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from altered_ledgers import altered, named, write
from hypothesis import given
from hypothesis import strategies as st

from edca.kernel.canonical import Data, decode, encode
from edca.ledger.checks import CHECKS, Flaw
from edca.ledger.errors import LedgerError
from edca.ledger.leaf import HEADER_SIZE, Leaf
from edca.ledger.record import Draft, body_digest
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.tree import CompactRange
from edca.ledger.verification import Verification
from edca.ledger.verify import verify


@given(st.lists(st.sampled_from(["c1", "c2", "intake", "config", "é"]), max_size=30))
def test_whatever_is_appended_verifies(tmp_path_factory: pytest.TempPathFactory, chains: list[str]) -> None:
    path = tmp_path_factory.mktemp("appended") / "ledger.db"
    write(path, chains)
    verification = verify(path)
    assert verification.findings == ()
    assert verification.size == len(chains)
    with SQLiteLedger.open(path, readonly=True) as ledger:
        assert verification.root == ledger.root()
        assert verify(ledger) == verification


@pytest.mark.parametrize("column", ["header", "body"])
def test_a_flip_of_any_byte_of_any_record_names_it(sound: Path, tmp_path: Path, column: str) -> None:
    flips = random.Random(7)  # noqa: S311  # which bit of a byte is flipped needs no secret
    path = altered(sound, tmp_path, lambda _: None)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # Which bytes are checked is this test's business, not the disk's.
        connection.execute("PRAGMA synchronous = OFF")
        update = f"UPDATE ledger SET {column} = ? WHERE leaf = ?"
        for index, original in connection.execute(f"SELECT leaf, {column} FROM ledger").fetchall():
            for position in range(len(original)):
                changed = bytearray(original)
                changed[position] ^= 1 << flips.randrange(8)
                connection.execute(update, (bytes(changed), index))
                verification = verify(path)
                assert {finding.index for finding in verification.findings} == {index}, (index, position)
            connection.execute(update, (original, index))
    assert verify(path).is_sound


@pytest.mark.parametrize(
    ("alteration", "expected"),
    [
        ("DELETE FROM ledger WHERE leaf = 3", [(3, Flaw.MISSING), (5, Flaw.CHAIN)]),
        ("DELETE FROM ledger WHERE leaf < 2", [(0, Flaw.MISSING), (3, Flaw.CHAIN), (6, Flaw.CHAIN)]),
        ("DELETE FROM ledger WHERE leaf = 8", [(None, Flaw.HEADS)]),
        ("DELETE FROM ledger", [(None, Flaw.HEADS)] * 5),
        ("DELETE FROM chains WHERE chain = 'c2'", [(None, Flaw.HEADS)]),
        ("UPDATE chains SET entry = 9 WHERE chain = 'c2'", [(None, Flaw.HEADS)]),
        ("UPDATE chains SET leaf = 2 WHERE chain = 'c2'", [(None, Flaw.HEADS)]),
        ("UPDATE chains SET head = zeroblob(32) WHERE chain = 'c2'", [(None, Flaw.HEADS)]),
        ("UPDATE ledger SET back = 0 WHERE leaf = 5", [(5, Flaw.CHAIN)]),
        ("UPDATE ledger SET back = NULL WHERE leaf = 5", [(5, Flaw.CHAIN)]),
        ("UPDATE ledger SET header = x'' WHERE leaf = 4", [(4, Flaw.HEADER)]),
        ("UPDATE ledger SET body = x'c1' WHERE leaf = 4", [(4, Flaw.BODY)]),
        ("UPDATE ledger SET leaf = -5 WHERE leaf = 0", [(-5, Flaw.ORDER), (-5, Flaw.HEADER), (0, Flaw.MISSING)]),
        ("DROP TABLE chains", [(None, Flaw.NOT_A_LEDGER)]),
        ("DROP TABLE ledger", [(None, Flaw.NOT_A_LEDGER)]),
        ("PRAGMA application_id = 1", [(None, Flaw.NOT_A_LEDGER)]),
        ("PRAGMA user_version = 2", [(None, Flaw.NOT_A_LEDGER)]),
    ],
)
def test_other_alterations(
    sound: Path, tmp_path: Path, alteration: str, expected: list[tuple[int | None, Flaw]]
) -> None:
    path = altered(sound, tmp_path, lambda connection: connection.execute(alteration))
    verification = verify(path)
    found = named(verification)
    assert set(expected) <= set(found)
    assert found[0] == expected[0]
    assert contradicted(verification) == []


def contradicted(verification: Verification) -> list[str]:
    """The questions said to be answered with yes although a finding says no, and those missing from the failed."""
    flaws = {finding.what for finding in verification.findings}
    broken = [check.what for check in CHECKS if flaws & check.broken_by]
    return [what for what in broken if what in verification.checked or what not in verification.failed]


@pytest.mark.parametrize(
    ("alteration", "failed", "held", "left_open"),
    [
        ("UPDATE ledger SET body = x'c1' WHERE leaf = 4", ["every body is canonical"], [], 4),
        ("UPDATE ledger SET header = x'' WHERE leaf = 4", ["every header has the form"], [], 4),
        (
            "DELETE FROM ledger WHERE leaf = 3",
            ["every record follows", "the entries of every chain"],
            ["every header has the form", "every body is canonical", "the table of the chains' newest records"],
            0,
        ),
        (
            "UPDATE chains SET entry = 9 WHERE chain = 'c2'",
            ["the table of the chains' newest records"],
            ["every header", "every record follows", "every body is canonical", "the entries of every chain"],
            0,
        ),
    ],
)
def test_nothing_is_called_checked_that_a_finding_contradicts_or_leaves_open(
    sound: Path, tmp_path: Path, alteration: str, failed: list[str], held: list[str], left_open: int
) -> None:
    verification = verify(altered(sound, tmp_path, lambda connection: connection.execute(alteration)))
    assert [what.startswith(start) for what, start in zip(verification.failed, failed, strict=True)] == [True] * len(
        failed
    )
    assert [what.startswith(start) for what, start in zip(verification.checked, held, strict=True)] == [True] * len(
        held
    )
    assert sum("around what was found" in line for line in verification.not_checked) == left_open


def test_a_missing_record_is_named_alone_or_with_its_neighbours(sound: Path, tmp_path: Path) -> None:
    one = verify(altered(sound, tmp_path, lambda c: c.execute("DELETE FROM ledger WHERE leaf = 3")))
    assert one.findings[0].detail == "record 3 is not there"
    two = verify(altered(sound, tmp_path, lambda c: c.execute("DELETE FROM ledger WHERE leaf IN (3, 4)")))
    assert two.findings[0].detail == "records 3 to 4 are not there"
    # The newest one is there: what a kept size finds missing here is not said to be the tail.
    short = verify(altered(sound, tmp_path, lambda c: c.execute("DELETE FROM ledger WHERE leaf = 3")), expect_size=9)
    assert short.findings[-1].detail == "the kept checkpoint was over 9 records, and 8 are there"


def test_two_records_that_changed_places_are_both_named(sound: Path, tmp_path: Path) -> None:
    def swap(connection: sqlite3.Connection) -> None:
        for old, new in ((3, 99), (4, 3), (99, 4)):
            connection.execute("UPDATE ledger SET leaf = ? WHERE leaf = ?", (new, old))

    indexes = {index for index, what in named(verify(altered(sound, tmp_path, swap))) if what is Flaw.HEADER}
    assert indexes == {3, 4}


def rewritten(connection: sqlite3.Connection, index: int, **content: Data) -> None:
    """Replace a record by another whose own header and body agree, as a forger without the chain would."""
    header, body = connection.execute("SELECT header, body FROM ledger WHERE leaf = ?", (index,)).fetchone()
    leaf, data = Leaf.from_bytes(header), decode(body)
    assert isinstance(data, dict)
    forged = encode({**data, **content})
    header = Leaf(leaf.index, leaf.previous, leaf.chain, leaf.entry, body_digest(forged)).to_bytes()
    connection.execute("UPDATE ledger SET header = ?, body = ? WHERE leaf = ?", (header, forged, index))


def test_a_record_rewritten_with_its_header_breaks_the_links_to_it(sound: Path, tmp_path: Path) -> None:
    path = altered(sound, tmp_path, lambda connection: rewritten(connection, 3, n=77))
    # Its successor in the ledger and its successor in the chain both testify against it.
    assert named(verify(path)) == [(4, Flaw.ORDER), (5, Flaw.CHAIN)]


def test_the_newest_record_rewritten_with_its_header(sound: Path, tmp_path: Path) -> None:
    path = altered(sound, tmp_path, lambda connection: rewritten(connection, 8, n=77))
    assert named(verify(path)) == [(None, Flaw.HEADS)]


def cut(connection: sqlite3.Connection) -> None:
    """Remove the newest record with every trace of it in the file."""
    connection.execute("DELETE FROM ledger WHERE leaf = 8")
    connection.execute("DELETE FROM chains WHERE chain = 'c3'")


def test_a_cut_tail_is_found_by_a_kept_checkpoint_alone(sound: Path, tmp_path: Path) -> None:
    kept = verify(sound)
    path = altered(sound, tmp_path, cut)
    blind = verify(path)
    assert blind.is_sound
    assert "deletion of the newest records: no checkpoint kept elsewhere was given" in blind.not_checked
    for expectation in (
        verify(path, expect_size=kept.size, expect_root=kept.root),
        verify(path, expect_size=kept.size),
        verify(path, expect_root=kept.root),
    ):
        assert named(expectation) == [(None, Flaw.CHECKPOINT)]
        assert len(expectation.failed) == 1 and "kept checkpoint" in expectation.failed[0]
        assert not any("kept checkpoint" in line for line in expectation.checked)
        assert not any("no checkpoint" in line and "deletion" in line for line in expectation.not_checked)
    assert "the newest were deleted" in verify(path, expect_size=kept.size).findings[0].detail


def test_what_a_kept_checkpoint_shows_is_what_was_given_of_it(sound: Path, tmp_path: Path) -> None:
    kept = verify(sound)
    assert verify(sound, expect_size=9, expect_root=kept.root).checked[-1].startswith("the first 9 records have")
    assert verify(sound, expect_root=kept.root).checked[-1] == "the ledger has the root of the kept checkpoint"
    alone = verify(sound, expect_size=8)
    assert alone.checked[-1] == "as many records are there as the kept checkpoint was over, 8"
    assert any("its size was given, and no root" in line for line in alone.not_checked)
    # The root is over headers alone, and a body was altered: the records are not those of the checkpoint.
    path = altered(sound, tmp_path, lambda c: c.execute("UPDATE ledger SET body = x'c1' WHERE leaf = 4"))
    assert verify(path, expect_size=9, expect_root=kept.root).checked == ()


def test_a_checkpoint_holds_as_the_ledger_grows(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    tree = CompactRange()
    with SQLiteLedger.open(path, durable=False) as ledger:
        kept = [(0, tree.root())]
        for _ in range(9):
            (stored,) = ledger.commit([Draft("c1", "note", {})])
            tree = tree.append(ledger.read(stored.number).leaf.leaf_hash())
            kept.append((tree.size, tree.root()))
    for size, root in kept:
        assert verify(path, expect_size=size, expect_root=root).is_sound
        assert named(verify(path, expect_size=size, expect_root=bytes(32))) == [(None, Flaw.CHECKPOINT)]


def test_progress_is_told(sound: Path) -> None:
    told: list[tuple[int, int]] = []
    verify(sound, progress=lambda done, total: told.append((done, total)))
    assert told == [(9, 9)]


def test_what_was_not_checked_is_always_said(sound: Path) -> None:
    verification = verify(sound)
    assert len(verification.checked) == 5
    assert verification.failed == ()
    assert len(verification.not_checked) == 4


def test_damage_anywhere_in_the_file_is_found_and_stops_nothing(sound: Path, tmp_path: Path) -> None:
    original = sound.read_bytes()
    whole = verify(sound)
    path = tmp_path / "damaged.db"
    places = random.Random(11)  # noqa: S311  # places to damage need no secret
    for _ in range(150):
        damaged = bytearray(original)
        for _ in range(places.choice([1, 1, 16])):
            damaged[places.randrange(len(damaged))] = places.randrange(256)
        path.write_bytes(damaged[: places.choice([len(damaged), len(damaged), places.randrange(len(damaged))])])
        verification = verify(path)
        try:
            SQLiteLedger.open(path, readonly=True).close()
        except LedgerError:
            assert verification.findings
        # Bytes that SQLite doesn't use may change; the records themselves may not, unnoticed.
        assert verification.findings or (verification.size, verification.root) == (whole.size, whole.root)


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000, b"SQLite format 3\0" + bytes(5000)])
def test_any_file_gives_findings(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    verification = verify(path)
    assert verification.findings
    assert verification.checked == ()
    assert verification.not_checked == ("any record: none can be read",)
    assert not verification.is_ledger


@pytest.mark.parametrize("alteration", ["PRAGMA application_id = 1", "DROP TABLE ledger", "PRAGMA user_version = 2"])
def test_a_ledger_that_lost_a_mark_is_still_one(sound: Path, tmp_path: Path, alteration: str) -> None:
    assert verify(altered(sound, tmp_path, lambda connection: connection.execute(alteration))).is_ledger


def test_a_view_in_place_of_the_table_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE VIEW ledger AS WITH RECURSIVE n(leaf) AS (SELECT 0 UNION ALL SELECT leaf + 1 FROM n) "
            "SELECT leaf, NULL AS back, x'' AS header, x'' AS body FROM n"
        )
    assert (None, Flaw.NOT_A_LEDGER) in named(verify(path))


def test_checking_changes_no_byte(sound: Path) -> None:
    before = sound.read_bytes()
    verify(sound)
    assert sound.read_bytes() == before


def test_a_missing_file_is_no_finding(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger"):
        verify(tmp_path / "ledger.db")


def test_headers_have_one_size(sound: Path) -> None:
    with closing(sqlite3.connect(sound)) as connection:
        assert {len(header) for (header,) in connection.execute("SELECT header FROM ledger")} == {HEADER_SIZE}
