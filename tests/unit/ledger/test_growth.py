"""A witness signs only what is shown to have grown out of what it signed before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edca.ledger.checkpoint import Checkpoint, attested
from edca.ledger.errors import LedgerFormatError, TamperedError
from edca.ledger.growth import GROWTH_SIZE_MAX, Growth, cosigned
from edca.ledger.note import KeyKind, SigningKey
from edca.ledger.proof import consistency_proof, subtree_hash
from edca.ledger.subtrees import StoredSubtrees
from edca.ledger.tree import leaf_hash

LOG = SigningKey("refunds.example/desk", KeyKind.LOG, bytes(range(32)))
WITNESS = SigningKey("witness.example", KeyKind.WITNESS, bytes([7] * 32))


def tree(salt: bytes) -> StoredSubtrees:
    leaves = [leaf_hash(salt + bytes([index])) for index in range(60)]
    return StoredSubtrees(lambda start, end: leaves[start:end])


OURS, FORGED = tree(b"ours"), tree(b"forged")


def checkpoint(size: int, subtrees: StoredSubtrees = OURS) -> Checkpoint:
    return Checkpoint(LOG.name, size, subtree_hash(subtrees, 0, size))


def growth(first: int, second: int, subtrees: StoredSubtrees = OURS) -> Growth:
    note = checkpoint(second, subtrees).signed(LOG).to_bytes()
    return Growth(first, consistency_proof(subtrees, first, second), note)


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_ledger_that_grew_is_cosigned(one: int, other: int) -> None:
    first, second = sorted((one, other))
    asked = growth(first, second)
    read = Growth.parse(asked.to_bytes())
    assert read == asked
    note = cosigned(read, LOG.verifier, WITNESS, checkpoint(first) if first else None, 7)
    found = attested(note.to_bytes(), (LOG.verifier, WITNESS.verifier), witnesses=1)
    assert found.checkpoint == checkpoint(second) and found.witnesses[0].time == 7


def test_a_ledger_with_another_past_is_not() -> None:
    for size in (20, 21, 60):
        with pytest.raises(TamperedError, match="not shown to begin with the 20"):
            cosigned(growth(20, size, FORGED), LOG.verifier, WITNESS, checkpoint(20), 7)


def test_a_ledger_that_shrank_is_not() -> None:
    asked = Growth(20, (), checkpoint(12).signed(LOG).to_bytes())
    with pytest.raises(TamperedError):
        cosigned(asked, LOG.verifier, WITNESS, checkpoint(20), 7)


def test_a_proof_from_another_size_is_refused() -> None:
    with pytest.raises(LedgerFormatError, match="from 10 records on, and 20 were last seen"):
        cosigned(growth(10, 40), LOG.verifier, WITNESS, checkpoint(20), 7)
    with pytest.raises(LedgerFormatError, match="from 10 records on, and 0 were last seen"):
        cosigned(growth(10, 40), LOG.verifier, WITNESS, None, 7)


def test_another_ledgers_checkpoint_is_refused() -> None:
    other = Checkpoint("other.example", 20, bytes(32))
    with pytest.raises(LedgerFormatError, match=r"and the one last seen of `other\.example`"):
        cosigned(growth(20, 40), LOG.verifier, WITNESS, other, 7)
    stranger = SigningKey("stranger.example", KeyKind.LOG, bytes([9] * 32))
    with pytest.raises(LedgerFormatError, match="no trusted key"):
        cosigned(growth(20, 40), stranger.verifier, WITNESS, checkpoint(20), 7)
    with pytest.raises(ValueError, match="not the key of a witness"):
        cosigned(growth(20, 40), LOG.verifier, LOG, checkpoint(20), 7)


@pytest.mark.parametrize(
    "raw", [b"", b"old\n\n", b"old x\n\n", b"old 01\n\n", b"old -1\n\n", b"812\n\n", b"old 1\nAA==\n\n"]
)
def test_bytes_that_ask_nothing_are_refused(raw: bytes) -> None:
    with pytest.raises(LedgerFormatError):
        Growth.parse(raw)


def test_every_flipped_bit_of_what_is_asked_is_noticed() -> None:
    raw = growth(20, 37).to_bytes()
    for place in range(len(raw)):
        damaged = bytearray(raw)
        damaged[place] ^= 1 << (place % 8)
        with pytest.raises((LedgerFormatError, TamperedError)):
            cosigned(Growth.parse(bytes(damaged)), LOG.verifier, WITNESS, checkpoint(20), 7)
    with pytest.raises(LedgerFormatError, match="at most"):
        Growth.parse(b"x" * (GROWTH_SIZE_MAX + 1))
