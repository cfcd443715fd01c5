"""Receipts: one record, the proof that it is in a ledger, and the signed checkpoint of that ledger.

Whoever holds one can show the record to anybody, for good, and needs neither the ledger nor its keeper for it. The form
is the one of c2sp.org/tlog-proof: its `extra` line holds the record, as the canonical bytes of a map with `header` and
`body`.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edca.kernel import canonical
from edca.ledger.checkpoint import Attested, attested
from edca.ledger.errors import LedgerFormatError
from edca.ledger.leaf import HASH_SIZE, Leaf, chain_tag
from edca.ledger.note import NOTE_SIZE_MAX, from_base64
from edca.ledger.proof import PROOF_LENGTH_MAX, root_of_inclusion
from edca.ledger.record import RECORD_SIZE_MAX, body_digest, parse
from edca.ledger.store import StoredRecord

if TYPE_CHECKING:
    from edca.ledger.note import VerifierKey
    from edca.ledger.record import Record

FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
RECEIPT_SIZE_MAX: Final = (RECORD_SIZE_MAX + NOTE_SIZE_MAX) * 2  # bytes; base64 makes four of three


@dataclass(frozen=True, slots=True)
class Receipt:
    """A record with its inclusion proof and a signed checkpoint, as bytes; nothing is said about whether they hold."""

    stored: StoredRecord
    path: tuple[bytes, ...]
    checkpoint: bytes

    def to_bytes(self) -> bytes:
        """Return the receipt as it is handed on."""
        held = canonical.encode({"header": self.stored.leaf.to_bytes(), "body": self.stored.body})
        lines = [FIRST_LINE, f"extra {_text(held)}", f"index {self.stored.leaf.index}", *map(_text, self.path), "", ""]
        return "\n".join(lines).encode() + self.checkpoint

    @classmethod
    def parse(cls, raw: bytes) -> Receipt:
        """Read a receipt. Raises `LedgerFormatError` for bytes that are none."""
        if len(raw) > RECEIPT_SIZE_MAX:
            raise LedgerFormatError(f"a receipt has at most {RECEIPT_SIZE_MAX} bytes, not {len(raw)}")
        head, blank, checkpoint = raw.partition(b"\n\n")
        try:
            first, extra, index, *path = head.decode("ascii").split("\n")
        except ValueError as error:
            raise LedgerFormatError("a receipt begins with four lines or more of ASCII") from error
        if first != FIRST_LINE or not blank or not extra.startswith("extra "):
            raise LedgerFormatError(f"a receipt begins with the line `{FIRST_LINE}`, and holds a checkpoint")
        stored = _stored(from_base64(extra.removeprefix("extra ")))
        if index != f"index {stored.leaf.index}":
            raise LedgerFormatError("the receipt's index is not that of its record")
        hashes = tuple(from_base64(line) or b"" for line in path)
        if len(hashes) > PROOF_LENGTH_MAX or any(len(item) != HASH_SIZE for item in hashes):
            raise LedgerFormatError("a receipt's proof is lines of 32 bytes each, in base64")
        return cls(stored, hashes, checkpoint)

    def check(self, trusted: tuple[VerifierKey, ...], *, witnesses: int = 0) -> Shown:
        """Return what the receipt shows to somebody who trusts these keys.

        Raises `LedgerFormatError` where it shows nothing: the message says which part doesn't hold.
        """
        leaf, body = self.stored.leaf, self.stored.body
        if body_digest(body) != leaf.body_digest:
            raise LedgerFormatError("the receipt's record is not the one its header was made for")
        record = parse(body)
        if (leaf.chain, leaf.entry) != (chain_tag(record.chain), record.entry):
            raise LedgerFormatError("the receipt's header names another chain or entry than its record")
        found = attested(self.checkpoint, trusted, witnesses=witnesses)
        size, root = found.checkpoint.size, found.checkpoint.root
        if root_of_inclusion(leaf.leaf_hash(), leaf.index, size, self.path) != root:
            raise LedgerFormatError(f"the record is not shown to be number {leaf.index} of the checkpoint's {size}")
        return Shown(record, leaf, found)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a receipt shows: that the record stands in the ledger at its header's place, by whose signatures."""

    record: Record
    leaf: Leaf
    attested: Attested


def _stored(held: bytes | None) -> StoredRecord:
    try:
        data = canonical.decode(held or b"", size_max=RECEIPT_SIZE_MAX)
    except canonical.CanonicalError as error:
        raise LedgerFormatError("the receipt's `extra` line holds no record") from error
    match data:
        case {"header": bytes() as header, "body": bytes() as body, **others} if not others:
            return StoredRecord.of(Leaf.from_bytes(header), body)
        case _:
            raise LedgerFormatError("the receipt's `extra` line holds no record")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
