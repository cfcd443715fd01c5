"""Checkpoints: a signed statement of a ledger's size and root, as c2sp.org/tlog-checkpoint defines it.

    origin            who keeps this ledger, and which; equal to the name of the key that signs
    size              how many records, in decimal
    root              the Merkle root over them, in base64

Kept elsewhere, one checkpoint shows any change to the records it counts, and that none of them is gone.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edca.ledger.errors import LedgerFormatError
from edca.ledger.leaf import HASH_SIZE
from edca.ledger.note import KeyKind, Note, from_base64
from edca.ledger.tree import EMPTY_ROOT

if TYPE_CHECKING:
    from edca.ledger.note import Signer, SigningKey, VerifierKey

SIZE_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """That the first `size` records of the ledger `origin` have the Merkle root `root`."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read what is signed. Lines after the third are passed over, as the specification says.

        Raises `LedgerFormatError` for anything else.
        """
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < 3 or not all(lines):
            raise LedgerFormatError("a checkpoint has at least three lines, none of them empty: origin, size and root")
        origin, size, root = lines[:3]
        decoded = from_base64(root)
        counted = parse_count(size)
        if counted is None:
            raise LedgerFormatError("the second line of a checkpoint is how many records it counts")
        if decoded is None or len(decoded) != HASH_SIZE:
            raise LedgerFormatError("the third line of a checkpoint is a root, in base64")
        if counted == 0 and decoded != EMPTY_ROOT:
            raise LedgerFormatError("the root of no records is that of nothing, and the checkpoint has another")
        return cls(origin, counted, decoded)

    def signed(self, key: SigningKey) -> Note:
        """Return it with its ledger's signature. Raises `ValueError` for a key of another name or kind."""
        if key.name != self.origin or key.kind is not KeyKind.LOG:
            raise ValueError(f"a checkpoint of `{self.origin}` is signed by that ledger's own key, not {key.verifier}")
        return Note(self.text).signed_by(key)


def parse_count(text: str) -> int | None:
    """Return a number of records written in decimal without leading zeros, or null for any other text."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(SIZE_MAX)):
        return None
    count = int(text)
    return count if str(count) == text and count <= SIZE_MAX else None


@dataclass(frozen=True, slots=True)
class Attested:
    """A checkpoint whose signatures were checked: `signers` are the trusted keys that signed."""

    checkpoint: Checkpoint
    signers: tuple[Signer, ...]

    @property
    def witnesses(self) -> tuple[Signer, ...]:
        """Those who saw it from outside."""
        return tuple(signer for signer in self.signers if signer.key.kind is KeyKind.WITNESS)


def attested(raw: bytes, trusted: tuple[VerifierKey, ...], *, witnesses: int = 0) -> Attested:
    """Read a signed checkpoint and check who signed it: its ledger, and as many different witnesses as are asked for.

    Raises `LedgerFormatError` where it isn't one, a trusted signature doesn't hold, or too few signed.
    """
    note = Note.parse(raw)
    checkpoint = Checkpoint.parse(note.text)
    found = Attested(checkpoint, note.signers(trusted))
    if not any(one.key.kind is KeyKind.LOG and one.key.name == checkpoint.origin for one in found.signers):
        raise LedgerFormatError(f"no trusted key of `{checkpoint.origin}` has signed this checkpoint")
    seen = len({signer.key.public for signer in found.witnesses})
    if seen < witnesses:
        raise LedgerFormatError(f"{seen} of the trusted witnesses have signed this checkpoint, and {witnesses} must")
    return found
