"""A receipt shows its record to a stranger who trusts one key, and shows nothing when a byte of it is altered."""

from pathlib import Path

import pytest

from edca.ledger.checkpoint import Checkpoint
from edca.ledger.errors import LedgerFormatError
from edca.ledger.note import KeyKind, SigningKey
from edca.ledger.proof import inclusion_proof
from edca.ledger.receipt import RECEIPT_SIZE_MAX, Receipt
from edca.ledger.record import Draft
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.subtrees import StoredSubtrees

KEY = SigningKey("refunds.example/desk", KeyKind.LOG, bytes(range(32)))
WITNESS = SigningKey("witness.example", KeyKind.WITNESS, bytes([7] * 32))


def receipts(path: Path, count: int) -> list[Receipt]:
    """The receipts of a ledger of so many records."""
    with SQLiteLedger.open(path) as ledger:
        for number in range(count):
            ledger.commit([Draft(f"case-{number % 3}", "verdict", {"number": number})])
        stored = [ledger.read(index) for index in range(count)]
        hashes = [record.leaf.leaf_hash() for record in stored]
        subtrees = StoredSubtrees(lambda start, end: hashes[start:end])
        note = Checkpoint(KEY.name, count, ledger.root()).signed(KEY).signed_by(WITNESS, time=5).to_bytes()
        return [Receipt(record, inclusion_proof(subtrees, index, count), note) for index, record in enumerate(stored)]


@pytest.mark.parametrize("count", [1, 2, 7, 11])
def test_every_records_receipt_holds_for_a_stranger(tmp_path: Path, count: int) -> None:
    for index, receipt in enumerate(receipts(tmp_path / "ledger.db", count)):
        read = Receipt.parse(receipt.to_bytes())
        assert read == receipt
        shown = read.check((KEY.verifier, WITNESS.verifier), witnesses=1)
        assert (shown.leaf.index, shown.record.content) == (index, {"number": index})
        assert (shown.record.chain, shown.record.entry) == (f"case-{index % 3}", index // 3)
        assert shown.attested.checkpoint.size == count


def test_every_flipped_bit_of_a_receipt_is_noticed(tmp_path: Path) -> None:
    raw = receipts(tmp_path / "ledger.db", 5)[2].to_bytes()
    for place in range(len(raw)):
        damaged = bytearray(raw)
        damaged[place] ^= 1 << (place % 8)
        with pytest.raises(LedgerFormatError):
            Receipt.parse(bytes(damaged)).check((KEY.verifier, WITNESS.verifier), witnesses=1)


def test_a_receipt_for_another_record_or_ledger_shows_nothing(tmp_path: Path) -> None:
    ours, others = receipts(tmp_path / "a.db", 4), receipts(tmp_path / "b.db", 5)
    swapped = Receipt(ours[1].stored, ours[2].path, ours[1].checkpoint)
    with pytest.raises(LedgerFormatError, match="not shown to be number 1 of the checkpoint's 4"):
        swapped.check((KEY.verifier,))
    elsewhere = Receipt(ours[1].stored, ours[1].path, others[1].checkpoint)
    with pytest.raises(LedgerFormatError, match="not shown to be number 1 of the checkpoint's 5"):
        elsewhere.check((KEY.verifier,))
    with pytest.raises(LedgerFormatError, match="no trusted key"):
        ours[1].check((WITNESS.verifier,))


def test_a_cut_receipt_is_refused(tmp_path: Path) -> None:
    raw = receipts(tmp_path / "ledger.db", 5)[2].to_bytes()
    for end in range(len(raw)):
        with pytest.raises(LedgerFormatError):
            Receipt.parse(raw[:end]).check((KEY.verifier, WITNESS.verifier), witnesses=1)
    with pytest.raises(LedgerFormatError, match="at most"):
        Receipt.parse(b"x" * (RECEIPT_SIZE_MAX + 1))
