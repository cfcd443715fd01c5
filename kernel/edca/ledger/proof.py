"""Merkle proofs of RFC 9162, section 2.1: that a record is in a ledger, and that a ledger only grew.

Both directions are here: making a proof from the hashes of complete subtrees, and checking one with nothing but the
hashes that the checker holds. Whoever checks computes a root and compares it with one that they trust.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from edca.ledger.leaf import HASH_SIZE
from edca.ledger.tree import EMPTY_ROOT, node_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

PROOF_LENGTH_MAX: Final = 64
"""No tree whose size fits into a header's eight bytes has a longer path."""


class Subtrees(Protocol):
    """Where the hashes come from that a proof is made of."""

    def complete(self, level: int, place: int) -> bytes:
        """Return the hash over the 2^`level` leaves from `place` x 2^`level`. All of them are there."""


def subtree_hash(subtrees: Subtrees, start: int, end: int) -> bytes:
    """Return MTH(D[start:end]). `start` is a multiple of the largest power of two that fits, as in every proof."""
    size = end - start
    if size == 0:
        return EMPTY_ROOT
    level = size.bit_length() - 1
    left, complete = subtrees.complete(level, start >> level), 1 << level
    return left if complete == size else node_hash(left, subtree_hash(subtrees, start + complete, end))


def inclusion_proof(subtrees: Subtrees, index: int, size: int) -> tuple[bytes, ...]:
    """Return PATH(index, D[size]) of RFC 9162, section 2.1.3.1: the siblings from the leaf up to below the root.

    Raises `ValueError` unless 0 <= index < size.
    """
    if not 0 <= index < size:
        raise ValueError(f"record {index} is not among the first {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _left(end - start)
        if index < middle:
            path.append(subtree_hash(subtrees, middle, end))
            end = middle
        else:
            path.append(subtree_hash(subtrees, start, middle))
            start = middle
    return tuple(reversed(path))


def root_of_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that the path leads to from a leaf hash, or null where it is no path for that place.

    The check of RFC 9162, section 2.1.3.2: compare the result with a root that is trusted.
    """
    if not 0 <= index < size or not _are_hashes(path):
        return None
    node, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            node, last = _past_lefts(node, last)
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    return root if last == 0 else None


def consistency_proof(subtrees: Subtrees, first: int, second: int) -> tuple[bytes, ...]:
    """Return PROOF(first, D[second]) of RFC 9162, section 2.1.4.1; it is empty where one tree is, or both are equal.

    Raises `ValueError` unless 0 <= first <= second.
    """
    if not 0 <= first <= second:
        raise ValueError(f"a ledger of {second} records did not grow out of one of {first}")
    if first in (0, second):
        return ()
    path: list[bytes] = []
    start, end, whole = 0, second, True
    while first != end:
        middle = start + _left(end - start)
        if first <= middle:
            path.append(subtree_hash(subtrees, middle, end))
            end = middle
        else:
            path.append(subtree_hash(subtrees, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(subtree_hash(subtrees, start, end))
    return tuple(reversed(path))


def is_consistent(first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Tell whether the path shows that the tree of the second root begins with the whole tree of the first.

    The check of RFC 9162, section 2.1.4.2. Everything begins with the empty tree, and a tree with itself.
    """
    if not 0 <= first <= second or not _are_hashes(path):
        return False
    if second == 0 and second_root != EMPTY_ROOT:
        return False
    if first in (0, second):
        return not path and first_root == (second_root if first else EMPTY_ROOT)
    node, last = _past_rights(first - 1, second - 1)
    # A tree that is one complete subtree is itself where the path begins.
    begin, *siblings = (first_root, *path) if first & (first - 1) == 0 else tuple(path) or (b"",)
    old = new = begin
    for sibling in siblings:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            node, last = _past_lefts(node, last)
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _left(size: int) -> int:
    """Return how many of `size` leaves stand on the left: the largest power of two below it."""
    return 1 << ((size - 1).bit_length() - 1)


def _past_lefts(node: int, last: int) -> tuple[int, int]:
    """Go up past the levels at which the node, being the last of its level, has no sibling."""
    while node and not node & 1:
        node, last = node >> 1, last >> 1
    return node, last


def _past_rights(node: int, last: int) -> tuple[int, int]:
    """Go up past the levels at which the node is a right child: they stand inside a complete subtree."""
    while node & 1:
        node, last = node >> 1, last >> 1
    return node, last


def _are_hashes(path: Sequence[bytes]) -> bool:
    return len(path) <= PROOF_LENGTH_MAX and all(len(item) == HASH_SIZE for item in path)
