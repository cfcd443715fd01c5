"""What was kept of a ledger at a place that its keeper can't write, and what comes of comparing the ledger with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from edca.ledger.checkpoint import Checkpoint, attested
from edca.ledger.errors import LedgerFormatError
from edca.ledger.note import KeyKind, Note
from edca.ledger.receipt import Receipt
from edca.ledger.rotation import KeyLine

if TYPE_CHECKING:
    from edca.ledger.note import Signer, VerifierKey
    from edca.ledger.tree import CompactRange

UNNAMED: Final = "the kept checkpoint"


@dataclass(frozen=True, slots=True)
class Kept:
    """A size and the root that the ledger had at that size, as somebody kept them.

    A root alone is that of the whole ledger, a size alone only demands that many records. `name` is how reports call
    it. `signers` are the trusted keys that signed it; `flaw` says why it is not to be believed.
    """

    size: int | None
    root: bytes | None
    name: str = UNNAMED
    signers: tuple[Signer, ...] = ()
    flaw: str | None = None

    @classmethod
    def signed(cls, raw: bytes, name: str, trusted: KeyLine | tuple[VerifierKey, ...], *, witnesses: int = 0) -> Kept:
        """Read a signed checkpoint, and check its signatures by the trusted keys, or by those that followed on record.

        Raises `LedgerFormatError` for bytes that are none. Signatures that don't hold, are too few, or of a key that
        was not in force for so many records, are its `flaw`.
        """
        checkpoint = Checkpoint.parse(Note.parse(raw).text)
        line = trusted if isinstance(trusted, KeyLine) else KeyLine.of(trusted)
        try:
            signers = attested(raw, line.keys, witnesses=witnesses).signers
        except LedgerFormatError as error:
            return cls(checkpoint.size, checkpoint.root, name, (), str(error))
        flaw = line.flaw(checkpoint.size, checkpoint.origin, signers)
        return cls(checkpoint.size, checkpoint.root, name, signers if flaw is None else (), flaw)

    @classmethod
    def received(cls, raw: bytes, name: str, trusted: KeyLine | tuple[VerifierKey, ...], *, witnesses: int = 0) -> Kept:
        """Read a receipt for the checkpoint in it: any one shows that what it counts is there. Raises as `signed`.

        A record, proof or signature in it that doesn't hold is its `flaw`.
        """
        receipt = Receipt.parse(raw)
        line = trusted if isinstance(trusted, KeyLine) else KeyLine.of(trusted)
        kept = cls.signed(receipt.checkpoint, name, line, witnesses=witnesses)
        if kept.flaw is None:
            try:
                receipt.check(line.keys, witnesses=witnesses)
            except LedgerFormatError as error:
                return cls(kept.size, kept.root, name, (), str(error))
        return kept

    @property
    def what(self) -> str:
        """The question that it puts to the records, in the words of what was kept."""
        if self.size is None:
            return f"the ledger has the root of {self.name}"
        if self.root is None:
            return f"as many records are there as {self.name} was over, {self.size}"
        return f"the first {counted(self.size)} have the root of {self.name}"

    @property
    def keepers(self) -> str:
        """The names of the ledger's own keys that signed it, in words."""
        return ", ".join(f"`{one.key.name}`" for one in self.signers if one.key.kind is KeyKind.LOG)

    @property
    def signing(self) -> str:
        """Who signed it, in words."""
        witnesses = [f"`{one.key.name}`" for one in self.signers if one.key.kind is KeyKind.WITNESS]
        called = "the witness" if len(witnesses) == 1 else "the witnesses"
        seen = f", and by {called} {', '.join(witnesses)}" if witnesses else ""
        return f"{self.keepers}{seen}"


@dataclass(slots=True)
class Comparison:
    """What kept checkpoints come to as a pass goes over the records, from the first on."""

    kept: tuple[Kept, ...]
    denied: set[Kept] = field(default_factory=set)
    """Those that the records contradict."""

    @property
    def believed(self) -> tuple[Kept, ...]:
        """Those that the records are compared with."""
        return tuple(one for one in self.kept if one.flaw is None)

    @property
    def sizes(self) -> tuple[int, ...]:
        """After how many records a root is due to be compared, sorted."""
        return tuple(sorted({one.size for one in self.believed if one.size is not None}))

    def until_next(self, size: int) -> int | None:
        """Return how many records after the first `size` the next root is due to be compared; null if none is."""
        return min((one.size - size for one in self.believed if one.size is not None and one.size > size), default=None)

    def contradictions(self, records: CompactRange) -> list[str]:
        """Return what the root of so many records contradicts, in words."""
        found = [one for one in self.believed if one.root is not None and one.size == records.size]
        denied = [one for one in found if one.root != records.root()]
        self.denied.update(denied)
        return [f"the first {counted(records.size)} have another root than {one.name}" for one in denied]

    def contradictions_at_end(self, records: CompactRange, next_index: int) -> list[str]:
        """Return what the whole of the records contradicts, in words; `next_index` would be the next record's."""
        details: list[str] = []
        for one in self.believed:
            if one.size is None and one.root not in (None, records.root()):
                detail = f"the ledger has another root than {one.name}"
            elif one.size is not None and one.size > records.size:
                newest = ": the newest were deleted" if next_index < one.size else ""
                detail = f"{one.name} was over {counted(one.size)}, and {records.size} are there{newest}"
            else:
                continue
            self.denied.add(one)
            details.append(detail)
        return details


def counted(count: int) -> str:
    """Return a number of records in words."""
    return f"{count} record{'' if count == 1 else 's'}"
