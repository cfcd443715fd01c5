"""The Merkle tree hash of RFC 9162 (Certificate Transparency 2.0), section 2.1.1, with SHA-256.

    MTH({})      = SHA-256("")
    MTH({d0})    = SHA-256(0x00 || d0)
    MTH(D[n])    = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n])),  k the largest power of two below n

The two prefix bytes keep a leaf from passing for a node. Because the split point depends only on n, the left
part never changes once complete, so appending needs only the roots of the complete subtrees.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(header: bytes) -> bytes:
    """Return the hash of one leaf, whose data is the record's 120-byte header."""
    return hashlib.sha256(b"\x00" + header).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node over its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class CompactRange:
    """A tree of `size` leaves, reduced to the roots of its complete subtrees, largest first.

    There is one subtree for each bit set in `size`, so memory is O(log size). Immutable: a store can prepare
    the next range before a commit and drop it if the commit fails.
    """

    size: int = 0
    subtrees: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> "CompactRange":
        """Return the range with one more leaf hash."""
        return self.extend((leaf,))

    def extend(self, leaves: Sequence[bytes]) -> "CompactRange":
        """Return the range with more leaf hashes, in their order."""
        subtrees = list(self.subtrees)
        for number, leaf in enumerate(leaves, self.size):
            # Like adding one to a binary number: each trailing 1 is a complete subtree of equal size to merge
            # with.
            size, carried = number, leaf
            while size & 1:
                carried = node_hash(subtrees.pop(), carried)
                size >>= 1
            subtrees.append(carried)
        return CompactRange(self.size + len(leaves), tuple(subtrees))

    def joined(self, right: "CompactRange") -> "CompactRange | None":
        """Return the range over these leaves and then those of `right`; null where its subtrees are none of that range.

        They are wherever `size` is a multiple of a power of two that is no less than the size of `right`.
        """
        size, subtrees, left = self.size, list(self.subtrees), right.size
        for root in right.subtrees:
            width = 1 << (left.bit_length() - 1)
            if size % width:
                return None
            carried, at = root, width
            while size & at:
                carried = node_hash(subtrees.pop(), carried)
                at <<= 1
            subtrees.append(carried)
            size, left = size + width, left - width
        return CompactRange(size, tuple(subtrees))

    def root(self) -> bytes:
        """Return the Merkle tree hash of all leaves."""
        if not self.subtrees:
            return EMPTY_ROOT
        # The smallest subtree is the rightmost; each larger one stands to the left of all smaller ones.
        root = self.subtrees[-1]
        for left in reversed(self.subtrees[:-1]):
            root = node_hash(left, root)
        return root
