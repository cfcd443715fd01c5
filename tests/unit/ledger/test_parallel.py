"""Workers that check parts of a ledger change nothing in what is found: whatever is altered is named the same."""

import sqlite3
import tracemalloc
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from pathlib import Path

import pytest
from altered_ledgers import altered

from edca.ledger import parallel
from edca.ledger import verify as verifying
from edca.ledger.errors import LedgerError
from edca.ledger.kept import Kept
from edca.ledger.leaf import Leaf
from edca.ledger.parallel import ROWS_A_PART, Workers, check_part
from edca.ledger.record import Draft, body_digest, parse
from edca.ledger.scan import Scan
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.tree import CompactRange
from edca.ledger.verify import verify

SIZE = 2 * ROWS_A_PART + 7


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("large") / "ledger.db"
    with SQLiteLedger.open(made, durable=False) as ledger:
        ledger.commit([Draft(f"c{number % 7}", "note", {"n": number}) for number in range(SIZE)])
    return made


def test_a_part_says_how_it_begins_how_it_ends_and_what_it_holds_of_each_chain(path: Path) -> None:
    checked = check_part(path, ROWS_A_PART, ROWS_A_PART, (5, ROWS_A_PART + 10, SIZE), decoding=True)
    assert checked is not None
    part = checked.part
    with SQLiteLedger.open(path, readonly=True) as ledger:
        leaves = [ledger.read(index).leaf for index in range(ROWS_A_PART, 2 * ROWS_A_PART)]
        before = ledger.read(ROWS_A_PART - 7)
        assert (part.first, part.size) == (ROWS_A_PART, ROWS_A_PART)
        assert (part.previous, part.tip) == (leaves[0].previous, leaves[-1].leaf_hash())
        assert len(part.chains) == 7
        stretch = part.chains[0, leaves[0].chain.case_tag]
        last = max(leaf.index for leaf in leaves if leaf.chain == leaves[0].chain)
        assert stretch[:3] == (leaves[0].entry, ROWS_A_PART - 7, before.digest)
        assert stretch[3:] == (last, ledger.read(last).entry, ledger.read(last).digest)
    assert [mark.size for mark in checked.marks] == [10]  # the others end outside, or where it ends


def test_nothing_is_said_of_a_part_that_is_not_all_there(path: Path) -> None:
    assert check_part(path, 0, SIZE, (), decoding=True) is not None
    assert check_part(path, 0, SIZE + 1, (), decoding=True) is None
    assert check_part(path, SIZE, 1, (), decoding=True) is None


@pytest.mark.parametrize("size", [1, 5, ROWS_A_PART - 1, ROWS_A_PART, ROWS_A_PART + 9, SIZE - 1, SIZE])
def test_the_root_of_a_kept_checkpoint_is_compared_wherever_in_a_part_it_ends(
    path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    with SQLiteLedger.open(path, readonly=True) as ledger:
        leaves = [stored.leaf.leaf_hash() for stored in ledger.records()]
    root = CompactRange().extend(leaves[:size]).root()
    at_once(monkeypatch)
    for kept in (Kept(size, root, "right"), Kept(size, bytes(32), "wrong"), Kept(size, None, "bare")):
        helped = verify(path, checkpoints=(kept, Kept(3, bytes(32), "early")), jobs=2)
        assert helped == verify(path, checkpoints=(kept, Kept(3, bytes(32), "early")))
        assert (kept.what in helped.failed) == (kept.name == "wrong")


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
    rewritten(SIZE - 1, b"\xa5chain\xa2c1", b"\xa5chain\xa2c2"),
    body(ROWS_A_PART, b"\xc1"),
    body(3, b""),
    rewritten(ROWS_A_PART + 1, b"note", b"NOTE"),
    rewritten(5, b"\xa5entry\x00", b"\xa5entry\xcc\x00"),
    rewritten(100, b"\xa5chain\xa2c2", b"\xa5chain\xa2c3"),
    rewritten(SIZE - 1, b"\xc4\x20", b"\xc5\x00\x20"),
    lambda file: file.execute("DELETE FROM ledger WHERE leaf IN (9, 4096, 7000)"),
    lambda file: file.execute("UPDATE ledger SET header = zeroblob(120) WHERE leaf = 4095"),
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
    at_once(monkeypatch)
    assert verify(made, jobs=2) == alone
    assert verify(made, fast=True, jobs=2) == verify(made, fast=True)


class _Now:
    """A pool that does the work at once, in this process."""

    def submit(self, function: Callable[..., object], *given: object, **named: object) -> "_Done":
        return _Done(function(*given, **named))


class _Done:
    def __init__(self, value: object) -> None:
        self._value = value

    def result(self) -> object:
        return self._value

    def cancel(self) -> None:
        pass


def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything be looked at by workers, in this process."""

    def workers(path: Path, size: int, jobs: int, marks: tuple[int, ...], *, decoding: bool) -> object:
        return nullcontext(Workers(_Now(), path, size, jobs, marks, decoding=decoding))  # type: ignore[arg-type]

    monkeypatch.setattr(verifying, "workers", workers)
    monkeypatch.setattr(verifying, "_LARGE", 0)


def test_what_is_sound_is_taken_from_workers_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once(monkeypatch)

    def refuse(*_: object) -> None:
        raise AssertionError("the pass looked for itself")

    monkeypatch.setattr(Scan, "take", refuse)
    assert verify(path, jobs=2).is_sound
    assert verify(path, jobs=2, fast=True).is_sound


def test_real_workers_find_a_sound_ledger_sound_and_an_altered_record(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "_LARGE", 0)
    assert verify(path, jobs=2) == verify(path)
    made = altered(path, tmp_path, body(ROWS_A_PART + 9, b"\xc1"))
    assert [finding.index for finding in verify(made, jobs=2).findings] == [ROWS_A_PART + 9]


def test_nothing_is_said_of_a_file_that_is_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"garbage" * 100)
    assert check_part(tmp_path / "x", 0, ROWS_A_PART, (), decoding=True) is None
    with pytest.raises(LedgerError):
        verify(tmp_path / "nowhere", jobs=2)


class _Killed:
    """A pool that takes work, and whose workers are killed."""

    def submit(self, *_: object, **__: object) -> Future[object]:
        future = Future[object]()
        future.set_exception(BrokenProcessPool("terminated abruptly"))
        return future


class _Gone:
    """A pool that takes no work any more, for its workers were killed, or none could be started."""

    def submit(self, *_: object, **__: object) -> Future[object]:
        raise BrokenProcessPool("a child process terminated abruptly")


@pytest.mark.parametrize("pool", [_Killed, _Gone])
def test_where_workers_are_killed_the_pass_goes_on_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch, pool: type[_Killed | _Gone]
) -> None:
    def workers(path: Path, size: int, jobs: int, marks: tuple[int, ...], *, decoding: bool) -> object:
        return nullcontext(Workers(pool(), path, size, jobs, marks, decoding=decoding))  # type: ignore[arg-type]

    alone = verify(path)
    monkeypatch.setattr(verifying, "workers", workers)
    monkeypatch.setattr(verifying, "_LARGE", 0)
    assert verify(path, jobs=2) == alone


def test_where_no_workers_can_be_the_pass_does_all(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise NotImplementedError("this system lacks shared semaphores")

    monkeypatch.setattr(parallel, "ProcessPoolExecutor", refuse)
    monkeypatch.setattr(verifying, "_LARGE", 0)
    assert verify(path, jobs=2).is_sound


def test_a_worker_holds_one_record_at_a_time(tmp_path: Path) -> None:
    path, size = tmp_path / "long.db", 200_000
    with SQLiteLedger.open(path, durable=False) as ledger:
        ledger.commit([Draft("c", "note", {"text": "x" * size}) for _ in range(60)])
    tracemalloc.start()
    try:
        assert check_part(path, 0, 60, (), decoding=True) is not None
        assert tracemalloc.get_traced_memory()[1] < 12 * size
    finally:
        tracemalloc.stop()
