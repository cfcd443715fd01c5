"""Goal: what was kept and signed elsewhere is compared with a ledger, and the fast pass says what it leaves out."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from altered_ledgers import altered, named, write

from edca.ledger.checkpoint import Checkpoint
from edca.ledger.checks import Flaw
from edca.ledger.ed25519 import new_key
from edca.ledger.kept import Kept
from edca.ledger.leaf import Leaf
from edca.ledger.note import KeyKind, SigningKey
from edca.ledger.record import body_digest
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.tree import CompactRange
from edca.ledger.verify import verify


def signed(path: Path, size: int, key: SigningKey, *, root: bytes | None = None) -> Kept:
    """A signed checkpoint of the first records of a ledger, as somebody who trusts the key reads it."""
    with SQLiteLedger.open(path, readonly=True) as ledger:
        tree = CompactRange().extend(ledger.leaf_hashes(0, size))
    note = Checkpoint(key.name, size, tree.root() if root is None else root).signed(key)
    return Kept.signed(note.to_bytes(), f"`kept-{size}`", (key.verifier,))


KEY = SigningKey("desk.example", KeyKind.LOG, new_key()[0])


def test_signed_checkpoints_are_compared_each_at_its_size_and_tell_who_wrote(sound: Path) -> None:
    kept = [signed(sound, size, KEY) for size in (4, 0, 7, 4)]
    found = verify(sound, checkpoints=kept)
    assert found.is_sound
    for size in (4, 0, 7):
        assert any(line.endswith(f"have the root of `kept-{size}`") for line in found.checked)
        assert f"`kept-{size}` is signed by `desk.example`" in found.checked
    assert "who wrote the first 7 records: `desk.example` signed for them" in found.checked
    assert "who wrote the 2 records after the first 7: no signed checkpoint counts them" in found.not_checked
    whole = verify(sound, checkpoints=[signed(sound, 9, KEY)])
    assert not any(line.startswith("who wrote") for line in whole.not_checked)


def test_of_several_checkpoints_those_that_do_not_hold_are_named(sound: Path) -> None:
    kept = [signed(sound, 3, KEY), signed(sound, 5, KEY, root=bytes(32)), signed(sound, 9, KEY, root=bytes(32))]
    found = verify(sound, checkpoints=kept)
    assert [one.detail for one in found.findings] == [
        "the first 5 records have another root than `kept-5`",
        "the first 9 records have another root than `kept-9`",
    ]
    assert found.failed == (
        "the first 5 records have the root of `kept-5`",
        "the first 9 records have the root of `kept-9`",
    )
    # What is vouched for is what the newest of those that hold counts.
    assert "who wrote the first 3 records: `desk.example` signed for them" in found.checked


def test_a_checkpoint_whose_signatures_do_not_hold_is_a_finding_and_vouches_for_nothing(sound: Path) -> None:
    with SQLiteLedger.open(sound, readonly=True) as ledger:
        raw = Checkpoint(KEY.name, 9, ledger.root()).signed(KEY).to_bytes()
    other = SigningKey("desk.example", KeyKind.LOG, new_key()[0])
    for kept in (
        Kept.signed(raw, "`kept`", (other.verifier,)),
        Kept.signed(raw.replace(b"\n9\n", b"\n8\n"), "`kept`", (KEY.verifier,)),
        Kept.signed(raw, "`kept`", (KEY.verifier,), witnesses=1),
    ):
        found = verify(sound, checkpoints=[kept])
        assert named(found) == [(None, Flaw.SIGNATURE)]
        assert found.failed == ("the signatures of `kept` hold",)
        assert any(line.startswith("who wrote the records") for line in found.not_checked)
        assert any("no checkpoint kept elsewhere was given" in line for line in found.not_checked)
        assert not any("`kept`" in line for line in found.checked)


def test_the_fast_pass_says_what_it_leaves_open(sound: Path) -> None:
    fast, whole = verify(sound, fast=True), verify(sound)
    assert (fast.size, fast.root, fast.findings) == (whole.size, whole.root, ())
    assert set(fast.not_checked) - set(whole.not_checked) == {
        "what stands inside the bodies, such as the chain and entry they name: they were not decoded"
    }
    assert "every body has the digest its header carries" in fast.checked
    assert not any("canonical" in line or "digest of the one before" in line for line in fast.checked)


@pytest.mark.parametrize("column", ["header", "body"])
def test_the_fast_pass_finds_what_the_whole_one_does(sound: Path, tmp_path: Path, column: str) -> None:
    path = altered(sound, tmp_path, lambda _: None)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        update = f"UPDATE ledger SET {column} = ? WHERE leaf = ?"
        for index, original in connection.execute(f"SELECT leaf, {column} FROM ledger").fetchall():
            for position in range(0, len(original), 3):
                changed = bytearray(original)
                changed[position] ^= 1
                connection.execute(update, (bytes(changed), index))
                fast, whole = verify(path, fast=True).findings, verify(path).findings
                # Which chain the newest record is of, only its body and the table of newest records know.
                assert fast == whole or (index == 8 and {one.what for one in fast} == {Flaw.HEADS}), (index, position)
            connection.execute(update, (original, index))


def test_the_fast_pass_does_not_decode(sound: Path, tmp_path: Path) -> None:
    def forged(connection: sqlite3.Connection) -> None:
        (header,) = connection.execute("SELECT header FROM ledger WHERE leaf = 8").fetchone()
        leaf = Leaf.from_bytes(header)
        header = Leaf(leaf.index, leaf.previous, leaf.chain, leaf.entry, body_digest(b"garbage")).to_bytes()
        connection.execute("UPDATE ledger SET header = ?, body = ? WHERE leaf = 8", (header, b"garbage"))
        connection.execute("UPDATE chains SET head = ? WHERE leaf = 8", (body_digest(b"garbage"),))

    path = altered(sound, tmp_path, forged)
    assert named(verify(path)) == [(8, Flaw.BODY)]
    assert verify(path, fast=True).is_sound


def test_damage_far_into_a_ledger_is_named_alone(tmp_path: Path) -> None:
    """Records are taken some dozens at a time: a flaw is found on either side of where one lot ends."""
    write(tmp_path / "ledger.db", [f"c{number % 7}" for number in range(200)])
    for index in (62, 63, 64, 127, 128, 199):
        for column in ("header", "body"):
            path = altered(
                tmp_path / "ledger.db",
                tmp_path,
                # the last byte: of the body's digest, or of what the record says
                lambda c, at=index, of=column: c.execute(
                    f"UPDATE ledger SET {of} = CAST(substr({of}, 1, length({of}) - 1) || x'7f' AS BLOB) WHERE leaf = ?",
                    (at,),
                ),
            )
            for fast in (False, True):
                found = verify(path, fast=fast)
                assert {one.index for one in found.findings} == {index}, (index, column, fast)
