"""Goal: what is promised before a record has its place can be shown afterwards, kept or broken, by anybody."""

import dataclasses

import pytest

from edca.ledger.checkpoint import Checkpoint
from edca.ledger.commitment import Commitment, committed
from edca.ledger.errors import LedgerFormatError, TamperedError
from edca.ledger.leaf import NO_HASH, Leaf, chain_tag
from edca.ledger.note import KeyKind, SigningKey

KEY = SigningKey("refunds.example/desk", KeyKind.LOG, bytes(range(32)))
OTHER = SigningKey("refunds.example/desk", KeyKind.LOG, bytes(32))
PROMISE = Commitment.to(KEY.name, '/order:["o1"]', 3, b"\x07" * 32, 1_000, 60_000_000)
LEAF = Leaf(9, NO_HASH, chain_tag('/order:["o1"]'), 3, b"\x07" * 32)


def test_a_signed_commitment_is_read_back_as_it_was():
    assert committed(PROMISE.signed(KEY).to_bytes(), (KEY.verifier,)) == PROMISE
    assert PROMISE.by == 60_001_000


def test_only_the_ledgers_own_key_makes_it_worth_anything():
    raw = PROMISE.signed(KEY).to_bytes()
    with pytest.raises(LedgerFormatError, match="no trusted key"):
        committed(raw, (OTHER.verifier,))
    with pytest.raises(ValueError, match="own key"):
        PROMISE.signed(dataclasses.replace(KEY, name="another"))
    with pytest.raises(ValueError, match="own key"):
        PROMISE.signed(dataclasses.replace(KEY, kind=KeyKind.WITNESS))


@pytest.mark.parametrize("place", range(len(PROMISE.text)))
def test_whichever_character_of_it_changes_it_is_no_promise_of_the_ledger(place):
    raw = PROMISE.signed(KEY).to_bytes()
    changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
    with pytest.raises(LedgerFormatError):
        committed(changed, (KEY.verifier,))


def test_no_checkpoint_is_a_commitment_nor_the_other_way_round():
    with pytest.raises(LedgerFormatError):
        Checkpoint.parse(PROMISE.text)
    with pytest.raises(LedgerFormatError):
        Commitment.parse(Checkpoint(KEY.name, 4, b"\x01" * 32).text)


def test_it_is_kept_by_its_record_and_broken_by_another_in_its_place():
    assert PROMISE.is_kept_by(LEAF)
    assert not PROMISE.is_kept_by(dataclasses.replace(LEAF, entry=4))
    assert not PROMISE.is_kept_by(dataclasses.replace(LEAF, chain=chain_tag("intake")))
    with pytest.raises(TamperedError):
        PROMISE.is_kept_by(dataclasses.replace(LEAF, body_digest=b"\x08" * 32))
