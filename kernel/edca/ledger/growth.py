"""How a witness is shown that a ledger only grew: the request of c2sp.org/tlog-witness, and the answer to it.

A witness remembers the last checkpoint that it signed, and signs a later one only with a proof that the later ledger
begins with the whole earlier one. So a keeper who rewrites history finds no witness for it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edca.ledger.checkpoint import Checkpoint, attested, parse_count
from edca.ledger.errors import LedgerFormatError, TamperedError
from edca.ledger.leaf import HASH_SIZE
from edca.ledger.note import NOTE_SIZE_MAX, KeyKind, Note, from_base64
from edca.ledger.proof import PROOF_LENGTH_MAX, is_consistent
from edca.ledger.tree import EMPTY_ROOT

if TYPE_CHECKING:
    from edca.ledger.note import SigningKey, VerifierKey

GROWTH_SIZE_MAX: Final = NOTE_SIZE_MAX + 8192  # bytes


@dataclass(frozen=True, slots=True)
class Growth:
    """A signed checkpoint, and the proof that its ledger begins with that of `since` records."""

    since: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    def to_bytes(self) -> bytes:
        """Return it as it is handed to a witness."""
        hashes = "".join(f"{base64.b64encode(item).decode()}\n" for item in self.path)
        return f"old {self.since}\n{hashes}\n".encode() + self.checkpoint

    @classmethod
    def parse(cls, raw: bytes) -> Growth:
        """Read what a witness is handed. Raises `LedgerFormatError` for bytes that are nothing of the kind."""
        if len(raw) > GROWTH_SIZE_MAX:
            raise LedgerFormatError(f"a witness takes at most {GROWTH_SIZE_MAX} bytes, not {len(raw)}")
        head, _, checkpoint = raw.partition(b"\n\n")
        first, *lines = head.decode("ascii", "replace").split("\n")
        since = parse_count(first.removeprefix("old "))
        if since is None or not first.startswith("old "):
            raise LedgerFormatError("what a witness takes begins with a line such as `old 812`")
        path = tuple(from_base64(line) or b"" for line in lines)
        if len(path) > PROOF_LENGTH_MAX or any(len(item) != HASH_SIZE for item in path):
            raise LedgerFormatError("a proof that a ledger grew is lines of 32 bytes each, in base64")
        return cls(since, path, checkpoint)


def cosigned(growth: Growth, log: VerifierKey, witness: SigningKey, seen: Checkpoint | None, time: int) -> Note:
    """Return the checkpoint with the witness's signature; `seen` is the last one that it signed, null for the first.

    `time` is in seconds since the epoch. Raises `LedgerFormatError` where the ledger's own signature doesn't hold, or
    the proof is from another size than the one last seen, and `TamperedError` where the ledger did not only grow.
    """
    if witness.kind is not KeyKind.WITNESS:
        raise ValueError(f"{witness.verifier} is not the key of a witness")
    checkpoint = attested(growth.checkpoint, (log,)).checkpoint
    size, root = (0, EMPTY_ROOT) if seen is None else (seen.size, seen.root)
    if seen is not None and seen.origin != checkpoint.origin:
        raise LedgerFormatError(f"the checkpoint is of `{checkpoint.origin}`, and the one last seen of `{seen.origin}`")
    if growth.since != size:
        raise LedgerFormatError(f"the proof is from {growth.since} records on, and {size} were last seen")
    if not is_consistent(size, root, checkpoint.size, checkpoint.root, growth.path):
        raise TamperedError(
            f"the ledger of {checkpoint.size} records is not shown to begin with the {size} that were last seen"
        )
    return Note.parse(growth.checkpoint).signed_by(witness, time=time)
