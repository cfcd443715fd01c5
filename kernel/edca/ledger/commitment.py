"""What a caller is handed where a record gets its place in the ledger after its commit: a signed promise of one.

    origin            which ledger; equal to the name of the key that signs
    commitment        the word itself, so that no checkpoint can be taken for one, nor the other way round
    chain             the kind of the chain and its case tag in hexadecimal, as the record's header will name it
    entry             in decimal
    digest            of the record's body, in base64
    by                the instant, microseconds UTC in decimal, from which on the record is in the ledger

It is a signed note (c2sp.org/signed-note). Until `by` it shows that the ledger's keeper has acknowledged this record.
After that, together with a checkpoint signed later whose ledger has no such record, it shows that the keeper has broken
the promise; a record of that chain and entry with another digest shows it at once.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edca.ledger.checkpoint import parse_count
from edca.ledger.errors import LedgerFormatError, TamperedError
from edca.ledger.leaf import HASH_SIZE, ChainKind, ChainTag, chain_tag
from edca.ledger.note import KeyKind, Note, from_base64

if TYPE_CHECKING:
    from edca.ledger.leaf import Leaf
    from edca.ledger.note import SigningKey, VerifierKey

_WORD: Final = "commitment"
DELAY_US: Final = 60_000_000
"""Within what time a record gets its place, unless the keeper promises otherwise."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """That the ledger `origin` holds this record from `by` on, in microseconds UTC."""

    origin: str
    chain: ChainTag
    entry: int
    digest: bytes
    by: int

    @classmethod
    def to(cls, origin: str, chain: str, entry: int, digest: bytes, now: int, delay_us: int = DELAY_US) -> Commitment:
        """Promise a place to the record of that chain, entry and digest, so long after `now`."""
        return cls(origin, chain_tag(chain), entry, digest, now + delay_us)

    @property
    def text(self) -> str:
        """What is signed."""
        chain = f"{self.chain.kind:d} {self.chain.case_tag.hex()}"
        digest = base64.b64encode(self.digest).decode()
        return f"{self.origin}\n{_WORD}\n{chain}\n{self.entry}\n{digest}\n{self.by}\n"

    @classmethod
    def parse(cls, text: str) -> Commitment:
        """Read what is signed. Raises `LedgerFormatError` for anything else."""
        lines = text.removesuffix("\n").split("\n")
        if len(lines) != 6 or lines[1] != _WORD or not lines[0]:
            raise LedgerFormatError(f"a commitment has six lines, the second of them `{_WORD}`")
        kind, _, tag = lines[2].partition(" ")
        entry, by, digest = parse_count(lines[3]), parse_count(lines[5]), from_base64(lines[4])
        try:
            chain = ChainTag(ChainKind(int(kind)), bytes.fromhex(tag))
        except ValueError as error:
            raise LedgerFormatError("the third line of a commitment names a chain") from error
        if entry is None or by is None or digest is None or len(digest) != HASH_SIZE:
            raise LedgerFormatError("a commitment names an entry, a digest and an instant")
        found = cls(lines[0], chain, entry, digest, by)
        if len(chain.case_tag) != HASH_SIZE or found.text != text:
            raise LedgerFormatError("a commitment is written in one way only, and this is another")
        return found

    def signed(self, key: SigningKey) -> Note:
        """Return it with its ledger's signature. Raises `ValueError` for a key of another name or kind."""
        if key.name != self.origin or key.kind is not KeyKind.LOG:
            raise ValueError(f"a commitment of `{self.origin}` is signed by that ledger's own key, not {key.verifier}")
        return Note(self.text).signed_by(key)

    def is_kept_by(self, leaf: Leaf) -> bool:
        """Tell whether this leaf is the promised record's.

        Raises `TamperedError` where the leaf stands in its stead: the same entry of the same chain, of another record.
        """
        if (leaf.chain, leaf.entry) != (self.chain, self.entry):
            return False
        if leaf.body_digest != self.digest:
            raise TamperedError(f"entry {self.entry} was promised to another record than the one that has its place")
        return True


def committed(raw: bytes, trusted: tuple[VerifierKey, ...]) -> Commitment:
    """Read a signed commitment and check its ledger's signature. Raises `LedgerFormatError` where that doesn't hold."""
    note = Note.parse(raw)
    found = Commitment.parse(note.text)
    signers = note.signers(trusted)
    if not any(one.key.kind is KeyKind.LOG and one.key.name == found.origin for one in signers):
        raise LedgerFormatError(f"no trusted key of `{found.origin}` has signed this commitment")
    return found
