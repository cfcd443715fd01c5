"""A header is 120 fixed bytes: it round-trips, matches its written layout, and refuses every unknown byte."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edca.ledger.errors import LedgerFormatError
from edca.ledger.leaf import HEADER_SIZE, NO_HASH, ChainKind, ChainTag, Leaf, case_tag, chain_tag

counts = st.integers(0, 2**64 - 1)
hashes = st.binary(min_size=32, max_size=32)
tags = st.builds(ChainTag, st.just(ChainKind.CASE), hashes) | st.sampled_from(
    [ChainTag(ChainKind.INTAKE, NO_HASH), ChainTag(ChainKind.CONFIG, NO_HASH)]
)
leaves = st.builds(Leaf, index=counts, previous=hashes, chain=tags, entry=counts, body_digest=hashes)


@given(leaves)
def test_from_bytes_undoes_to_bytes(leaf: Leaf) -> None:
    header = leaf.to_bytes()
    assert len(header) == HEADER_SIZE == 120
    assert Leaf.from_bytes(header) == leaf
    assert leaf.leaf_hash() == hashlib.sha256(b"\x00" + header).digest()


def test_the_layout() -> None:
    leaf = Leaf(7, b"p" * 32, ChainTag(ChainKind.CASE, b"c" * 32), 258, b"d" * 32)
    assert leaf.to_bytes() == (
        b"EDCA\x00\x01\x00\x00" + b"\0\0\0\0\0\0\0\x07" + b"p" * 32 + b"c" * 32 + b"\0\0\0\0\0\0\x01\x02" + b"d" * 32
    )


@given(leaves, st.data())
def test_no_byte_is_without_meaning(leaf: Leaf, data: st.DataObject) -> None:
    header = bytearray(leaf.to_bytes())
    header[data.draw(st.integers(0, HEADER_SIZE - 1))] ^= data.draw(st.integers(1, 255))
    try:
        assert Leaf.from_bytes(bytes(header)) != leaf
    except LedgerFormatError:
        return


@pytest.mark.parametrize("header", [b"", bytes(120), bytes(119), b"EDCA\x00\x01" + bytes(115)])
def test_other_bytes_are_refused(header: bytes) -> None:
    with pytest.raises(LedgerFormatError):
        Leaf.from_bytes(header)


def test_chains_are_told_apart() -> None:
    assert chain_tag("intake") == ChainTag(ChainKind.INTAKE, NO_HASH)
    assert chain_tag("config") == ChainTag(ChainKind.CONFIG, NO_HASH)
    assert chain_tag("case-1") == ChainTag(ChainKind.CASE, case_tag("case-1"))
    assert case_tag("case-1") == hashlib.sha256(b"edca/case\0case-1").digest()
