"""The fixed binary header of a record: all that is hashed into the tree.

A header carries the digest of its body, so a pass over headers alone checks order, chaining and the Merkle
root without decoding a body. The layout, big-endian, 120 bytes:

    0   4   magic "EDCA"
    4   2   format version, 1
    6   2   chain kind: 0 case, 1 intake, 2 config
    8   8   index of the record in the ledger, from 0
    16  32  leaf hash of the previous record, zeros for the first
    48  32  case tag, zeros unless the chain kind is case
    80  8   entry of the record in its chain, from 0
    88  32  digest of the body
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from edca.kernel.canonical import digest
from edca.ledger.errors import LedgerFormatError
from edca.ledger.tree import leaf_hash

FORMAT_VERSION: Final = 1
HASH_SIZE: Final = 32
NO_HASH: Final = bytes(HASH_SIZE)
"""Stands where a first record has no predecessor and where a node chain has no case tag."""

MAGIC: Final = b"EDCA"
LAYOUT: Final = struct.Struct(">4sHHQ32s32sQ32s")
HEADER_SIZE: Final = LAYOUT.size


class ChainKind(IntEnum):
    """Whose chain a record belongs to. Intake and config are chains of the node, not of a case."""

    CASE = 0
    INTAKE = 1
    CONFIG = 2


_NODE_CHAINS: Final = {"intake": ChainKind.INTAKE, "config": ChainKind.CONFIG}


@dataclass(frozen=True, slots=True)
class ChainTag:
    """How a header names a chain: a case by its tag, so that headers can be shown without case ids."""

    kind: ChainKind
    case_tag: bytes


@dataclass(frozen=True, slots=True)
class Leaf:
    """The parsed header of one record."""

    index: int
    previous: bytes
    chain: ChainTag
    entry: int
    body_digest: bytes

    def to_bytes(self) -> bytes:
        """Return the 120 bytes that are stored and hashed."""
        return LAYOUT.pack(
            MAGIC,
            FORMAT_VERSION,
            self.chain.kind,
            self.index,
            self.previous,
            self.chain.case_tag,
            self.entry,
            self.body_digest,
        )

    @classmethod
    def from_bytes(cls, header: bytes) -> Self:
        """Parse a header. Raises `LedgerFormatError` unless every byte has a meaning in this version."""
        if len(header) != HEADER_SIZE:
            raise LedgerFormatError(f"a header has {HEADER_SIZE} bytes, not {len(header)}")
        magic, version, kind, index, previous, case_tag, entry, body_digest = LAYOUT.unpack(header)
        if magic != MAGIC:
            raise LedgerFormatError("the header does not begin with EDCA")
        if version != FORMAT_VERSION:
            raise LedgerFormatError(f"header version {version} is not known, only {FORMAT_VERSION}")
        try:
            chain_kind = ChainKind(kind)
        except ValueError as error:
            raise LedgerFormatError(f"chain kind {kind} is not known") from error
        if chain_kind is not ChainKind.CASE and case_tag != NO_HASH:
            raise LedgerFormatError("a record of the node's own chain carries a case tag")
        return cls(index, previous, ChainTag(chain_kind, case_tag), entry, body_digest)

    def leaf_hash(self) -> bytes:
        """Return the hash under which this record stands in the tree."""
        return leaf_hash(self.to_bytes())


def case_tag(case_id: str) -> bytes:
    """Return the 32 bytes that stand for a case in headers."""
    return digest("case", case_id.encode("utf-8"))


def chain_tag(chain: str) -> ChainTag:
    """Return how headers name `chain`: a case id, or the reserved `intake` or `config`."""
    kind = _NODE_CHAINS.get(chain)
    return ChainTag(ChainKind.CASE, case_tag(chain)) if kind is None else ChainTag(kind, NO_HASH)
