"""The tree is RFC 9162's: it agrees with the recursive definition and with published roots."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from edca.ledger.tree import EMPTY_ROOT, CompactRange, leaf_hash

# The leaf data used by the test suites of Certificate Transparency implementations.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
CT_ROOT_OF_8 = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1, written as it stands there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + by_definition(leaves[:split]) + by_definition(leaves[split:])).digest()


def appended(leaves: list[bytes]) -> CompactRange:
    tree = CompactRange()
    for leaf in leaves:
        tree = tree.append(leaf_hash(leaf))
    return tree


def test_the_empty_root_is_the_hash_of_nothing() -> None:
    assert CompactRange().root() == EMPTY_ROOT == by_definition([])


def test_the_published_root_of_eight_leaves() -> None:
    assert appended(CT_LEAVES).root().hex() == CT_ROOT_OF_8


def test_every_size_up_to_130_agrees_with_the_definition() -> None:
    leaves = [index.to_bytes(2, "big") for index in range(130)]
    tree = CompactRange()
    for index, leaf in enumerate(leaves):
        assert tree.root() == by_definition(leaves[:index])
        assert (tree.size, len(tree.subtrees)) == (index, index.bit_count())
        tree = tree.append(leaf_hash(leaf))


@given(st.lists(st.binary(max_size=8), max_size=40))
def test_any_leaves_agree_with_the_definition(leaves: list[bytes]) -> None:
    assert appended(leaves).root() == by_definition(leaves)


def test_a_tree_joined_to_another_is_the_tree_over_both_wherever_its_subtrees_are_part_of_that() -> None:
    leaves = [leaf_hash(bytes([index])) for index in range(200)]
    joined = 0
    for left in range(70):
        for right in range(70):
            tree = CompactRange().extend(leaves[:left]).joined(CompactRange().extend(leaves[left : left + right]))
            largest = 1 << (right.bit_length() - 1) if right else 1
            assert (tree is None) == (left % largest != 0)
            if tree is not None:
                joined += 1
                assert tree == CompactRange().extend(leaves[: left + right])
    assert joined > 70
