"""Some records in a row, checked apart from those before them: what is sound in itself, and where it fits.

Whoever goes over a ledger asks first, of many records at once, whether everything about them is as it should be; that
is how nearly all records of nearly all ledgers are. A part says nothing about what is wrong: where anything is, there
is none, and the records are gone through one by one (`scan.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from edca.ledger.leaf import FORMAT_VERSION, HEADER_SIZE, LAYOUT, MAGIC, NO_HASH, ChainKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edca.ledger.forms import Named

Row: TypeAlias = tuple[int, Any, Any, Any]
"""A record as it is found: index, the table's hint at its chain's record before it, header, body."""
ChainKey: TypeAlias = tuple[int, bytes]
"""A chain as headers name it: its kind, and the tag of a case."""
Stretch: TypeAlias = tuple[int, Any, bytes | None, int, int, bytes]
"""What a part holds of one chain: of its first record the entry, the hint, and the body it names before it (null where
that is unknown); of its last one the index, the entry, and its body's digest."""

_BODY: Final = b"edca/record\0"  # what `body_digest` puts before a body
_LEAF: Final = b"\0"  # what `leaf_hash` puts before a header
_KIND_MAX: Final = max(ChainKind)


@dataclass(frozen=True, slots=True)
class Part:
    """Records from index `first` on that are sound in themselves, each following the one before it.

    `previous` is the leaf hash that the first one names, `tip` that of the last one.
    """

    first: int
    size: int
    previous: bytes
    tip: bytes
    chains: dict[ChainKey, Stretch]
    bodies_absent: int


def part_of(
    first: int, rows: Iterable[Row], read: Callable[[bytes], Named | None] | None, *, has_hints: bool
) -> tuple[Part, list[bytes]] | None:
    """Return the part that these records are, and their leaf hashes; null where anything is wrong with any of them.

    They are to begin at index `first`, and are taken one by one: together they may be more than memory holds.

    `read` tells what a body says of its place (`Forms.read`); null, and bodies are compared with their digests only.
    Written for speed: it asks in one place what `Scan` asks one by one.
    """
    chains: dict[ChainKey, Stretch] = {}
    leaves: list[bytes] = []
    due = first
    start = tip = b""
    bodies_absent = 0
    for index, back, header, body in rows:
        if index != due or type(header) is not bytes or len(header) != HEADER_SIZE:
            return None
        magic, version, kind, named, previous, tag, entry, digest = LAYOUT.unpack(header)
        if magic != MAGIC or version != FORMAT_VERSION or named != index:
            return None
        if kind and (kind > _KIND_MAX or tag != NO_HASH):
            return None
        if not tip:
            start = previous
        elif previous != tip:
            return None
        prev = None
        if type(body) is bytes:
            if sha256(_BODY + body).digest() != digest:
                return None
            if read is not None:
                said = read(body)
                if said is None or said[0] != kind or said[1] != tag or said[2] != entry:
                    return None
                prev = said[3]
        elif body is None and not has_hints:
            bodies_absent += 1
        else:
            return None
        chain = kind, tag
        before = chains.get(chain)
        if before is None:
            chains[chain] = entry, back, prev, index, entry, digest
        else:
            if entry != before[4] + 1 or (has_hints and back != before[3]):
                return None
            if prev is not None and prev != before[5]:
                return None
            chains[chain] = *before[:3], index, entry, digest
        tip = sha256(_LEAF + header).digest()
        leaves.append(tip)
        due += 1
    return Part(first, due - first, start, tip, chains, bodies_absent), leaves
