"""Alters what is handed out of a ledger one byte at a time: checkpoints, receipts, a witness's request, a bundle.

Each is checked by whoever receives it with the keys that they trust. Of a bundle's large files only the tile that an
alteration touches is gone through again, from what the check knew when it came there, as in `sweep.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from sweep import Replaced, Sweep, Tally, altered_byte

from edca.ledger.checkpoint import Checkpoint, attested
from edca.ledger.errors import LedgerError
from edca.ledger.folder import TreeFiles, cut, verify_folder
from edca.ledger.growth import Growth, cosigned
from edca.ledger.note import KeyKind, Note, SigningKey
from edca.ledger.proof import consistency_proof, inclusion_proof
from edca.ledger.publishing import CHECKPOINT, publish, subtrees_of
from edca.ledger.receipt import Receipt
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.tiles import BODIES, ENTRIES, WIDTH, Tile
from edca.ledger.tree import CompactRange, leaf_hash

LOG = SigningKey("desk.example/refunds", KeyKind.LOG, bytes(range(32)))
WITNESS = SigningKey("witness.example", KeyKind.WITNESS, bytes(range(32, 64)))
TRUSTED = (LOG.verifier, WITNESS.verifier)

_COLUMNS = {"entries": 2, "bodies": 3}
_LEVELS = {2: ENTRIES, 3: BODIES}


@dataclass(frozen=True)
class Proofs:
    """What was handed out of a ledger."""

    checkpoints: tuple[bytes, ...]
    receipts: tuple[bytes, ...]
    growth: bytes
    seen: Checkpoint


def handed_out(path: Path, receipts: int) -> Proofs:
    """Make checkpoints (bare and cosigned), receipts spread over the ledger, and a witness's request."""
    with SQLiteLedger.open(path, readonly=True) as ledger:
        subtrees, size = subtrees_of(ledger), ledger.size
        bare = Checkpoint(LOG.name, size, ledger.root()).signed(LOG)
        cosigned_ = bare.signed_by(WITNESS, time=1_770_000_000)
        notes = (bare.to_bytes(), cosigned_.to_bytes())
        chosen = sorted({number * (size - 1) // max(receipts - 1, 1) for number in range(receipts)})
        made = tuple(
            Receipt(ledger.read(index), inclusion_proof(subtrees, index, size), notes[1]).to_bytes() for index in chosen
        )
        half = size // 2
        seen = Checkpoint(LOG.name, half, CompactRange().extend(ledger.leaf_hashes(0, half)).root())
        growth = Growth(half, consistency_proof(subtrees, half, size), notes[0]).to_bytes()
    return Proofs(notes, made, growth, seen)


def alter_proofs(proofs: Proofs, random: Random, tally: Tally) -> None:
    """Alter every byte of each in turn: none may be taken, nor shown to be what it is not."""
    for number, checkpoint in enumerate(proofs.checkpoints):
        attested(checkpoint, TRUSTED, witnesses=number)
        _alter("checkpoint", checkpoint, partial(attested, trusted=TRUSTED, witnesses=number), random, tally)
    for receipt in proofs.receipts:
        _receipt(receipt)
        _alter("receipt", receipt, _receipt, random, tally)
    witness = partial(_cosign, seen=proofs.seen)
    witness(proofs.growth)
    _alter("a witness's request", proofs.growth, witness, random, tally)


def _alter(part: str, raw: bytes, check: Callable[[bytes], object], random: Random, tally: Tally) -> None:
    for place in range(len(raw)):
        try:
            check(altered_byte(raw, place, random))
        except LedgerError as error:
            tally.count(part, True, bool(str(error)), f"byte {place}")
        else:
            tally.count(part, False, False, f"byte {place} of {raw[:60]!r}…")


def _receipt(raw: bytes) -> object:
    return Receipt.parse(raw).check(TRUSTED, witnesses=1)


def _cosign(raw: bytes, seen: Checkpoint) -> Note:
    return cosigned(Growth.parse(raw), LOG.verifier, WITNESS, seen, 1_770_000_000)


# A bundle


def bundle(path: Path, folder: Path) -> None:
    """Publish a ledger twice, so that files which fuller ones follow are there too: bodies, headers and tree."""
    with SQLiteLedger.open(path, readonly=True) as ledger:
        for size in (ledger.size * 7 // 8, ledger.size):
            root = CompactRange().extend(ledger.leaf_hashes(0, size)).root()
            publish(ledger, Checkpoint(LOG.name, size, root).signed(LOG), folder, bodies=True)


@dataclass(slots=True)
class _Altered(TreeFiles):
    """The files of a folder, with one of them read otherwise than it stands there."""

    other: dict[str, bytes] = field(default_factory=dict)
    known: dict[str, bytes] = field(default_factory=dict)

    def _read(self, name: str) -> bytes:
        if name in self.other:
            return self.other[name]
        if name not in self.known:
            self.known[name] = (self.folder / name).read_bytes()
        return self.known[name]


class Bundle:
    """A sound published ledger, and what the check of it knows at each of its tiles."""

    def __init__(self, sweep: Sweep, folder: Path) -> None:
        """`sweep` is over the same ledger, gone through without hints."""
        self.sweep, self.folder, self.size = sweep, folder, len(sweep.rows)
        self.known: dict[str, bytes] = {}
        names = (path.relative_to(folder).as_posix() for path in folder.glob("tile/**/*") if path.is_file())
        self.names = sorted(names)

    def alter_checkpoint(self, random: Random, tally: Tally) -> None:
        """Alter every byte of the folder's checkpoint in turn, and check the whole folder each time."""
        path = self.folder / CHECKPOINT
        original = path.read_bytes()
        try:
            for place in range(len(original)):
                path.write_bytes(altered_byte(original, place, random))
                found = self._whole()
                tally.count("bundle: checkpoint", found != "", True, f"byte {place}")
        finally:
            path.write_bytes(original)

    def _whole(self) -> str:
        try:
            found = verify_folder(self.folder, TRUSTED, fast=True)
        except LedgerError as error:
            return str(error)
        return "; ".join(finding.detail for finding in found.findings)

    def alter_file(self, name: str, random: Random, tally: Tally, *, every: int = 1) -> None:
        """Alter every byte (or every so many) of one file of the tree in turn."""
        original = (self.folder / name).read_bytes()
        level, place = name.split("/")[1], _place(name)
        part, column = f"bundle: tile/{level}", _COLUMNS.get(level)
        rows = self.sweep.rows[place * WIDTH : (place + 1) * WIDTH]
        width = min(WIDTH, self.size - place * WIDTH)
        is_grown = column is not None and name != Tile(_LEVELS[column], place, width).path
        inside = {} if column is None or is_grown else _inside(original, _LEVELS[column], [row[column] for row in rows])
        for where in range(random.randrange(every), len(original), every):
            if column is not None and where in inside:
                # Lengths are as before, so the file is cut as before and one entry differs: that one is looked at.
                number, at = inside[where]
                entry, index = altered_byte(rows[number][column], at, random), place * WIDTH + number
                row = (index, None, *(entry if which == column else rows[number][which] for which in (2, 3)))
                found = self.sweep.findings(Replaced(self.sweep.rows, index, row), index)
                is_found, is_named = bool(found), bool(found) and found[0].index == index
            else:
                checked = self._hashes if column is None else self._grown if is_grown else self._tile
                details = checked(name, altered_byte(original, where, random), place)
                is_found, is_named = bool(details), any(name in one or "record" in one for one in details)
            tally.count(part, is_found, is_named, f"{name}, byte {where}")

    def _hashes(self, name: str, altered: bytes, place: int) -> list[str]:
        """Return what the check finds in files of hashes, one of them altered."""
        scan = self.sweep.known[0].resumed()
        files = _Altered(self.folder, scan, other={name: altered}, known=self.known)
        is_lowest = name.startswith("tile/0/")
        for number in (place,) if is_lowest else range(-(-self.size // WIDTH)):
            rows = self.sweep.rows[number * WIDTH : (number + 1) * WIDTH]
            files.compare_hashes(number, [leaf_hash(row[2]) for row in rows])
        if not is_lowest:
            files.end()
        return [one.detail for one in scan.findings]

    def _grown(self, name: str, altered: bytes, place: int) -> list[str]:
        """Return what the check finds in a file of headers or bodies that a fuller one followed."""
        scan = self.sweep.known[0].resumed()
        files = _Altered(self.folder, scan, other={name: altered}, known=self.known)
        files.bundle(Tile(_LEVELS[_COLUMNS[name.split("/")[1]]], place, min(WIDTH, self.size - place * WIDTH)))
        return [one.detail for one in scan.findings]

    def _tile(self, name: str, altered: bytes, place: int) -> list[str]:
        """Return what the check finds from the tile on that a file of headers or bodies belongs to."""
        scan = self.sweep.known[place * WIDTH].resumed()
        scan.decoding = False
        files = _Altered(self.folder, scan, other={name: altered}, known=self.known)
        files.take(place, min(WIDTH, self.size - place * WIDTH))
        return [one.detail if one.index is None else f"record {one.index}: {one.detail}" for one in scan.findings]


def _inside(raw: bytes, level: int, entries: list[bytes]) -> dict[int, tuple[int, int]]:
    """Return for each byte of a file that is part of an entry, and not of its length, of which and where in it."""
    assert cut(raw, level) == entries
    length_size = {ENTRIES: 2, BODIES: 4}[level]
    found: dict[int, tuple[int, int]] = {}
    start = 0
    for number, entry in enumerate(entries):
        start += length_size
        found.update((start + at, (number, at)) for at in range(len(entry)))
        start += len(entry)
    return found


def _place(name: str) -> int:
    """Return the number of a tile in its level."""
    return int("".join(name.split(".p/", maxsplit=1)[0].split("/")[2:]).replace("x", ""))
