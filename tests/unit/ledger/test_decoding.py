"""Workers that decode bodies change nothing in what a check finds: whatever is altered is named the same."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from altered_ledgers import altered

from edca.ledger import decoding
from edca.ledger import verify as verifying
from edca.ledger.decoding import ROWS_A_CHUNK, claims
from edca.ledger.errors import LedgerError
from edca.ledger.leaf import Leaf
from edca.ledger.record import Draft, body_digest, parse
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verify import verify

SIZE = 2 * ROWS_A_CHUNK + 7


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("large") / "ledger.db"
    with SQLiteLedger.open(made, durable=False) as ledger:
        ledger.commit([Draft(f"c{number % 7}", "note", {"n": number}) for number in range(SIZE)])
    return made


def claim(path: Path, index: int) -> bytes:
    place = index - index % ROWS_A_CHUNK
    return claims(path, place)[64 * (index - place) : 64 * (index - place) + 64]


def test_a_claim_is_the_body_that_was_seen_and_the_one_it_names(path: Path) -> None:
    with SQLiteLedger.open(path, readonly=True) as ledger:
        for index in (0, 6, 7, ROWS_A_CHUNK - 1, ROWS_A_CHUNK, SIZE - 1):
            stored, before = ledger.read(index), bytes(32)
            if index >= 7:
                before = ledger.read(index - 7).digest
            assert claim(path, index) == stored.digest + before
    assert claim(path, SIZE) == bytes(64)


def body(index: int, new: bytes) -> Callable[[sqlite3.Connection], object]:
    return lambda file: file.execute("UPDATE ledger SET body = ? WHERE leaf = ?", (new, index))


def rewritten(index: int, old: bytes, new: bytes) -> Callable[[sqlite3.Connection], object]:
    """Alter a body and make its header its own again."""

    def alter(file: sqlite3.Connection) -> None:
        header, raw = file.execute("SELECT header, body FROM ledger WHERE leaf = ?", (index,)).fetchone()
        assert old in raw
        leaf, forged = Leaf.from_bytes(header), raw.replace(old, new, 1)
        made = Leaf(leaf.index, leaf.previous, leaf.chain, leaf.entry, body_digest(forged)).to_bytes()
        file.execute("UPDATE ledger SET header = ?, body = ? WHERE leaf = ?", (made, forged, index))

    return alter


def edited(index: int, old: bytes, new: bytes) -> Callable[[sqlite3.Connection], object]:
    """Alter a body such that it is still one, and leave its header."""

    def alter(file: sqlite3.Connection) -> None:
        (raw,) = file.execute("SELECT body FROM ledger WHERE leaf = ?", (index,)).fetchone()
        assert old in raw
        file.execute("UPDATE ledger SET body = ? WHERE leaf = ?", (raw.replace(old, new, 1), index))

    return alter


def unchained(file: sqlite3.Connection) -> None:
    """Let the newest record name another body before it, and make its header its own again."""
    (raw,) = file.execute("SELECT body FROM ledger WHERE leaf = ?", (SIZE - 1,)).fetchone()
    rewritten(SIZE - 1, parse(raw).prev, bytes(range(32)))(file)


ALTERATIONS = [
    unchained,
    edited(2000, b"note", b"NOTE"),
    rewritten(SIZE - 1, b"\xa5chain\xa2c0", b"\xa5chain\xa2c1"),
    body(ROWS_A_CHUNK, b"\xc1"),
    body(3, b""),
    rewritten(ROWS_A_CHUNK + 1, b"note", b"NOTE"),
    rewritten(5, b"\xa5entry\x00", b"\xa5entry\xcc\x00"),
    rewritten(100, b"\xa5chain\xa2c2", b"\xa5chain\xa2c3"),
    rewritten(SIZE - 1, b"\xc4\x20", b"\xc5\x00\x20"),
    lambda file: file.execute("DELETE FROM ledger WHERE leaf IN (9, 2048, 4000)"),
    lambda file: file.execute("UPDATE ledger SET header = zeroblob(120) WHERE leaf = 2047"),
    lambda file: file.execute("UPDATE ledger SET leaf = -3 WHERE leaf = 0"),
    lambda file: file.execute("UPDATE ledger SET leaf = 4611686018427387904 WHERE leaf = 4000"),
    lambda file: file.execute("UPDATE ledger SET back = 1 WHERE leaf = 3000"),
]


@pytest.mark.parametrize("alteration", ALTERATIONS, ids=range(len(ALTERATIONS)))
def test_what_is_found_is_the_same_however_many_look(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alteration: Callable[[sqlite3.Connection], object]
) -> None:
    made = altered(path, tmp_path, alteration)
    alone = verify(made)
    assert alone.findings
    monkeypatch.setattr(verifying, "decoders", in_this_process)
    monkeypatch.setattr(verifying, "_LARGE", 0)
    assert verify(made, jobs=2) == alone


class _Now:
    """A pool that does the work at once, in this process."""

    def __init__(self, *_: object) -> None:
        pass

    def submit(self, function: Callable[..., bytes], *given: object) -> "_Done":
        return _Done(function(*given))

    def shutdown(self, **_: object) -> None:
        pass


class _Done:
    def __init__(self, value: bytes) -> None:
        self._value = value

    def result(self) -> bytes:
        return self._value

    def cancel(self) -> None:
        pass


def in_this_process(path: Path, size: int, jobs: int) -> object:
    return _Block(decoding.Decoders(_Now(), path, size, jobs))  # type: ignore[arg-type]


class _Block:
    def __init__(self, value: object) -> None:
        self._value = value

    def __enter__(self) -> object:
        return self._value

    def __exit__(self, *_: object) -> None:
        pass


def test_real_workers_find_a_sound_ledger_sound_and_an_altered_record(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "_LARGE", 0)
    assert verify(path, jobs=2) == verify(path)
    made = altered(path, tmp_path, body(ROWS_A_CHUNK + 9, b"\xc1"))
    assert [finding.index for finding in verify(made, jobs=2).findings] == [ROWS_A_CHUNK + 9]


def test_a_file_that_is_none_makes_no_claims(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"garbage" * 100)
    assert claims(tmp_path / "x", 0) == bytes(64 * ROWS_A_CHUNK)
    with pytest.raises(LedgerError):
        verify(tmp_path / "nowhere", jobs=2)
