"""A ledger's key is changed on record: who trusts the first follows to the last, and nobody else's word is followed."""

from pathlib import Path

import pytest

from edca.kernel import canonical
from edca.ledger.checkpoint import Checkpoint
from edca.ledger.errors import LedgerError
from edca.ledger.folder import verify_folder
from edca.ledger.kept import Kept
from edca.ledger.note import KeyKind, SigningKey, VerifierKey
from edca.ledger.publishing import publish
from edca.ledger.record import Draft
from edca.ledger.rotation import WHAT, KeyLine, announcement
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verify import line_of, verify
from edca.runtime.config import keep
from edca.runtime.rebuild import compare_cells

NAME = "desk.example"
FIRST, SECOND, THIRD, THIEF = (SigningKey(NAME, KeyKind.LOG, bytes([number]) * 32) for number in range(1, 5))
OTHER = SigningKey("other.example", KeyKind.LOG, bytes([9]) * 32)


def grow(ledger: SQLiteLedger, count: int) -> None:
    for _ in range(count):
        ledger.commit([Draft("c1", "note", {"size": ledger.size})])


def hand_over(ledger: SQLiteLedger, current: SigningKey, following: VerifierKey) -> int:
    announced = announcement(current, following, at=ledger.size)
    keep(ledger, [(WHAT, canonical.digest(WHAT, announced), announced)])
    return ledger.size - 1


def checkpoint(ledger: SQLiteLedger, key: SigningKey) -> bytes:
    return Checkpoint(NAME, ledger.size, ledger.root()).signed(key).to_bytes()


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, dict[str, bytes]]:
    """A ledger whose key changed at records 3 and 7, and checkpoints of many sizes by right and wrong keys."""
    path, kept = tmp_path / "ledger.db", dict[str, bytes]()
    with SQLiteLedger.open(path, durable=False) as ledger:
        grow(ledger, 3)
        kept["first of 3"] = checkpoint(ledger, FIRST)
        kept["second of 3"] = checkpoint(ledger, SECOND)
        assert hand_over(ledger, FIRST, SECOND.verifier) == 3
        kept["second of 4"] = checkpoint(ledger, SECOND)
        kept["first of 4"] = checkpoint(ledger, FIRST)
        grow(ledger, 3)
        assert hand_over(ledger, SECOND, THIRD.verifier) == 7
        grow(ledger, 2)
        kept["third of 10"] = checkpoint(ledger, THIRD)
        kept["second of 10"] = checkpoint(ledger, SECOND)
        kept["thief of 10"] = checkpoint(ledger, THIEF)
    return path, kept


def flaw(path: Path, raw: bytes, *trusted: SigningKey) -> str | None:
    return Kept.signed(raw, "x", line_of(path, [key.verifier for key in trusted])).flaw


@pytest.mark.parametrize("name", ["first of 3", "second of 4", "third of 10"])
def test_who_trusts_the_first_key_believes_each_in_its_time(made: tuple[Path, dict[str, bytes]], name: str) -> None:
    path, kept = made
    assert flaw(path, kept[name], FIRST) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("second of 3", "it counts 3 records, and record 3 announces its key only"),
        ("first of 4", "it counts 4 records, and its key was replaced by record 3"),
        ("second of 10", "it counts 10 records, and its key was replaced by record 7"),
        ("thief of 10", "no trusted key of `desk.example` has signed this checkpoint"),
    ],
)
def test_a_key_out_of_its_time_or_unannounced_is_named(
    made: tuple[Path, dict[str, bytes]], name: str, told: str
) -> None:
    path, kept = made
    assert flaw(path, kept[name], FIRST) == told


def test_who_trusts_a_later_key_alone_believes_that(made: tuple[Path, dict[str, bytes]]) -> None:
    path, kept = made
    line = line_of(path, [THIRD.verifier])
    assert (line.keys, line.broken) == ((THIRD.verifier,), ())
    assert flaw(path, kept["third of 10"], THIRD) is None
    assert flaw(path, kept["first of 3"], THIRD) is not None


def test_an_announcement_that_the_key_in_force_has_not_signed_is_found(made: tuple[Path, dict[str, bytes]]) -> None:
    path, _ = made
    with SQLiteLedger.open(path, durable=False) as ledger:
        stolen = hand_over(ledger, FIRST, THIEF.verifier)  # somebody has a key that was replaced
        content = canonical.decode(announcement(THIEF, FIRST.verifier, at=0))
        assert isinstance(content, dict)
        forged = canonical.encode(content | {"from": THIRD.verifier.public, "to": THIEF.verifier.public})
        keep(ledger, [(WHAT, canonical.digest(WHAT, forged), forged)])
        garbage = b"\xc1"
        keep(ledger, [(WHAT, canonical.digest(WHAT, garbage), garbage)])
        raw = checkpoint(ledger, THIEF)
        assert compare_cells(ledger) == ()
    line = line_of(path, [FIRST.verifier])
    assert line.broken == (stolen, stolen + 1, stolen + 2)
    assert THIEF.verifier not in line.keys
    assert flaw(path, raw, FIRST) == "no trusted key of `desk.example` has signed this checkpoint"
    assert {finding.index for finding in verify(path, line=line).findings} == set(line.broken)
    # Who trusts another ledger's key can't tell whose these are; that the last is no announcement they can.
    assert line_of(path, [OTHER.verifier]).broken == (stolen + 2,)


def test_a_published_ledger_is_followed_as_well(made: tuple[Path, dict[str, bytes]], tmp_path: Path) -> None:
    path, _ = made
    for key, folder in ((THIRD, "right"), (SECOND, "wrong")):
        with SQLiteLedger.open(path, readonly=True) as ledger:
            note = Checkpoint(NAME, ledger.size, ledger.root()).signed(key)
            publish(ledger, note, tmp_path / folder, bodies=True)
    assert verify_folder(tmp_path / "right", (FIRST.verifier,)).is_sound
    (finding,) = verify_folder(tmp_path / "wrong", (FIRST.verifier,)).findings
    assert "its key was replaced by record 7" in finding.detail


@pytest.mark.parametrize("following", [FIRST.verifier, OTHER.verifier, VerifierKey(NAME, KeyKind.WITNESS, bytes(32))])
def test_a_key_hands_over_to_another_one_of_the_same_ledger(following: VerifierKey) -> None:
    with pytest.raises(LedgerError, match=r"hands over to another|is to be replaced"):
        announcement(FIRST, following, at=0)


def test_a_record_of_another_ledger_changes_nothing() -> None:
    line = KeyLine.of([FIRST.verifier])
    assert line.follow(0, b"garbage") == line
