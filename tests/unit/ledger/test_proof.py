"""Proofs are RFC 9162's: they agree with its recursive definitions, and no altered proof leads to a root."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edca.ledger.proof import (
    PROOF_LENGTH_MAX,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    root_of_inclusion,
    subtree_hash,
)
from edca.ledger.subtrees import StoredSubtrees
from edca.ledger.tiles import ENTRIES, WIDTH, Tile, entries, tiles
from edca.ledger.tree import EMPTY_ROOT, leaf_hash, node_hash

LEAVES = [leaf_hash(index.to_bytes(2, "big")) for index in range(600)]
SUBTREES = StoredSubtrees(lambda start, end: LEAVES[start:end])


def mth(start: int, end: int) -> bytes:
    """MTH(D[start:end]) of section 2.1.1."""
    if end - start == 0:
        return EMPTY_ROOT
    if end - start == 1:
        return LEAVES[start]
    return node_hash(mth(start, start + split(end - start)), mth(start + split(end - start), end))


def split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def path(index: int, start: int, end: int) -> list[bytes]:
    """PATH(index, D[start:end]) of section 2.1.3.1, the leaf's own end first."""
    if end - start == 1:
        return []
    middle = start + split(end - start)
    if index < middle - start:
        return [*path(index, start, middle), mth(middle, end)]
    return [*path(index - (middle - start), middle, end), mth(start, middle)]


def subproof(first: int, start: int, end: int, whole: bool) -> list[bytes]:
    """SUBPROOF(first, D[start:end], whole) of section 2.1.4.1."""
    if first == end - start:
        return [] if whole else [mth(start, end)]
    middle = start + split(end - start)
    if first <= middle - start:
        return [*subproof(first, start, middle, whole), mth(middle, end)]
    return [*subproof(first - (middle - start), middle, end, False), mth(start, middle)]


def test_every_inclusion_up_to_40_records_agrees_with_the_definition() -> None:
    for size in range(1, 41):
        root = mth(0, size)
        for index in range(size):
            proof = inclusion_proof(SUBTREES, index, size)
            assert list(proof) == path(index, 0, size)
            assert root_of_inclusion(LEAVES[index], index, size, proof) == root


def test_every_consistency_up_to_40_records_agrees_with_the_definition() -> None:
    for second in range(41):
        for first in range(second + 1):
            proof = consistency_proof(SUBTREES, first, second)
            if 0 < first < second:
                assert list(proof) == subproof(first, 0, second, True)
            assert is_consistent(first, mth(0, first), second, mth(0, second), proof)


@dataclass(frozen=True)
class Case:
    """A place in one tree, and a smaller tree."""

    index: int
    first: int
    size: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    size = draw(st.integers(2, 600))
    return Case(draw(st.integers(0, size - 1)), draw(st.integers(1, size - 1)), size)


@given(cases(), st.data())
def test_no_altered_proof_holds(case: Case, data: st.DataObject) -> None:
    root, first_root = mth(0, case.size), mth(0, case.first)
    included = list(inclusion_proof(SUBTREES, case.index, case.size))
    consistent = list(consistency_proof(SUBTREES, case.first, case.size))
    assert root_of_inclusion(LEAVES[case.index], case.index, case.size, included) == root
    assert is_consistent(case.first, first_root, case.size, root, consistent)
    for proof, holds in (
        (included, lambda other: root_of_inclusion(LEAVES[case.index], case.index, case.size, other) == root),
        (consistent, lambda other: is_consistent(case.first, first_root, case.size, root, other)),
    ):
        place = data.draw(st.integers(0, len(proof) - 1))
        flipped = bytes([proof[place][0] ^ 1]) + proof[place][1:]
        assert not holds([*proof[:place], flipped, *proof[place + 1 :]])
        assert not holds([*proof[:place], *proof[place + 1 :]])
        assert not holds([*proof, bytes(32)])
        assert not holds([*proof[:place], proof[place][:31], *proof[place + 1 :]])
    other = data.draw(st.integers(0, case.size - 1).filter(lambda index: index != case.index))
    assert root_of_inclusion(LEAVES[other], case.index, case.size, included) != root
    assert root_of_inclusion(LEAVES[case.index], other, case.size, included) != root


@given(cases())
def test_a_tree_with_another_past_is_not_consistent(case: Case) -> None:
    proof = consistency_proof(SUBTREES, case.first, case.size)
    forged = bytes(32)
    assert not is_consistent(case.first, forged, case.size, mth(0, case.size), proof)
    assert not is_consistent(case.first, mth(0, case.first), case.size, forged, proof)
    assert not is_consistent(case.first, mth(0, case.first), case.size, mth(0, case.size), ())


def test_places_that_are_not_there_have_no_proof() -> None:
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="not among the first"):
            inclusion_proof(SUBTREES, index, size)
        assert root_of_inclusion(LEAVES[0], index, size, ()) is None
    with pytest.raises(ValueError, match="did not grow out of"):
        consistency_proof(SUBTREES, 4, 3)
    assert not is_consistent(4, mth(0, 4), 3, mth(0, 3), ())
    assert root_of_inclusion(LEAVES[0], 0, 2, [bytes(32)] * (PROOF_LENGTH_MAX + 1)) is None


def test_everything_begins_with_the_empty_tree_and_a_tree_with_itself() -> None:
    assert is_consistent(0, EMPTY_ROOT, 7, mth(0, 7), ())
    assert not is_consistent(0, bytes(32), 7, mth(0, 7), ())
    assert not is_consistent(0, EMPTY_ROOT, 7, mth(0, 7), [bytes(32)])
    assert is_consistent(7, mth(0, 7), 7, mth(0, 7), ())
    assert not is_consistent(7, mth(0, 7), 7, mth(0, 6), ())


def test_subtrees_reckon_a_full_tile_once() -> None:
    asked: list[tuple[int, int]] = []

    def leaves(start: int, end: int) -> list[bytes]:
        asked.append((start, end))
        return LEAVES[start:end]

    subtrees = StoredSubtrees(leaves)
    assert subtree_hash(subtrees, 0, 512) == mth(0, 512)
    assert subtree_hash(subtrees, 0, 600) == mth(0, 600)
    assert asked.count((0, WIDTH)) == 1


def test_the_tiles_of_70000_records_are_those_of_the_specification() -> None:
    found = list(tiles(70_000))
    full = [tile for tile in found if tile.width == WIDTH]
    assert [sum(tile.level == level for tile in full) for level in range(3)] == [273, 1, 0]
    partial = [tile for tile in found if tile.width < WIDTH]
    assert [(tile.level, tile.width) for tile in partial] == [(0, 112), (1, 17), (2, 1)]


def test_tiles_are_named_as_the_specification_says() -> None:
    assert Tile(0, 1_234_067, WIDTH).path == "tile/0/x001/x234/067"
    assert Tile(2, 0, 1).path == "tile/2/000.p/1"
    assert Tile(ENTRIES, 5, 7).path == "tile/entries/005.p/7"


@given(st.integers(0, 70_000), st.integers(0, 70_000))
def test_a_ledger_that_grew_publishes_what_is_new_and_nothing_twice(first: int, second: int) -> None:
    first, second = sorted((first, second))
    assert set(tiles(second, since=first)) == set(tiles(second)) - set(tiles(first))


def test_a_bundle_has_each_header_behind_its_length() -> None:
    assert entries([b"a" * 120, b"b" * 120], 2) == b"\x00\x78" + b"a" * 120 + b"\x00\x78" + b"b" * 120
