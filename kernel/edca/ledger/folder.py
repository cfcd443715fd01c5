"""The check of what `edca publish` wrote, by somebody who has nothing but the files and the keys that they trust.

The folder's own checkpoint says how many records there are. From the headers the whole tree is reckoned anew and
compared with its files, those included that grew into others since. Bodies are checked where they are there.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from edca.ledger.checkpoint import Checkpoint, parse_count
from edca.ledger.checks import CELLS_ELSEWHERE, PAST_CHECKPOINT, TAIL_OF_FOLDER, TILES, Flaw
from edca.ledger.errors import LedgerFormatError
from edca.ledger.kept import Comparison, Kept
from edca.ledger.leaf import HEADER_SIZE
from edca.ledger.note import NOTE_SIZE_MAX, Note
from edca.ledger.publishing import CHECKPOINT
from edca.ledger.record import RECORD_SIZE_MAX
from edca.ledger.rotation import KeyLine, followed
from edca.ledger.scan import Scan
from edca.ledger.tiles import BODIES, ENTRIES, WIDTH, Tile, entries
from edca.ledger.tree import CompactRange, leaf_hash
from edca.ledger.verification import verification
from edca.ledger.verify import wrong_announcements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from edca.ledger.note import VerifierKey
    from edca.ledger.parts import Row
    from edca.ledger.verification import Progress, Verification

_LENGTH_SIZES: Final = {ENTRIES: 2, BODIES: 4}  # bytes
_SIZES_MAX: Final = {ENTRIES: HEADER_SIZE, BODIES: RECORD_SIZE_MAX}  # bytes of one entry
_LEFT_NAMED_MAX: Final = 5


def verify_folder(
    folder: Path,
    trusted: tuple[VerifierKey, ...],
    *,
    witnesses: int = 0,
    checkpoints: Sequence[Kept] = (),
    fast: bool = False,
    progress: Progress | None = None,
) -> Verification:
    """Check every file of a published ledger, and compare it with signed checkpoints that were kept elsewhere.

    Raises `LedgerFormatError` where the folder has no checkpoint or a file can't be one of its own, and `OSError`.
    """
    line = line_of_folder(folder, trusted)
    own = Kept.signed(_read(folder / CHECKPOINT, NOTE_SIZE_MAX), "the folder's checkpoint", line, witnesses=witnesses)
    size = own.size or 0
    scan = Scan(Comparison((own, *checkpoints)), decoding=not fast, has_hints=False)
    scan.compare_signatures()
    scan.compare_kept()
    files = TreeFiles(folder, scan)
    for place in range(-(-size // WIDTH)):
        if not files.take(place, min(WIDTH, size - place * WIDTH)):
            return _verification(scan, checkpoints, files)
        if progress is not None:
            progress(scan.range.size, size)
    files.end()
    scan.compare_end()
    scan.findings += wrong_announcements(line)
    return _verification(scan, checkpoints, files)


def line_of_folder(folder: Path, trusted: Iterable[VerifierKey]) -> KeyLine:
    """Follow the changes of the key through a published ledger, as far as its bodies are there.

    Raises as `verify_folder`. Whether the records are sound is for that to say.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        raise LedgerFormatError(f"`{folder}` is a folder without a `{CHECKPOINT}`: no published ledger")
    size = Checkpoint.parse(Note.parse(_read(path, NOTE_SIZE_MAX)).text).size

    def records() -> Iterator[tuple[int, bytes, bytes | None]]:
        for start in range(0, size, WIDTH):
            width, found = min(WIDTH, size - start), []
            for level in (ENTRIES, BODIES):
                tile = folder / Tile(level, start // WIDTH, width).path
                raw = _read(tile, WIDTH * (RECORD_SIZE_MAX + 4)) if tile.is_file() else b""
                found.append(cut(raw, level) or [])
            for number, (header, body) in enumerate(zip(*found, strict=False)):
                yield start + number, header, body

    return followed(trusted, records())


def _verification(scan: Scan, checkpoints: Sequence[Kept], files: TreeFiles) -> Verification:
    is_kept_elsewhere = any(one.flaw is None for one in checkpoints)
    tail = PAST_CHECKPOINT if is_kept_elsewhere else TAIL_OF_FOLDER
    return verification(scan, (TILES,), tail, (CELLS_ELSEWHERE, *files.left()))


def _rows(first: int, headers: list[bytes], bodies: list[bytes] | None) -> Iterator[Row]:
    for number, header in enumerate(headers):
        yield first + number, None, header, None if bodies is None else bodies[number]


@dataclass(slots=True)
class TreeFiles:
    """The files of a published ledger, as they are read and compared one after another."""

    folder: Path
    scan: Scan
    seen: set[str] = field(default_factory=set)
    rows: dict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    """The hashes of the unfinished tile of each level."""
    places: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def take(self, place: int, width: int) -> bool:
        """Go past the records of one tile and compare its files; false where they can't be told from each other."""
        headers = self.bundle(Tile(ENTRIES, place, width))
        if headers is None:
            return False
        bodies = self.bundle(Tile(BODIES, place, width))
        self.scan.take(list(_rows(place * WIDTH, headers, bodies)))
        self.compare_hashes(place, [leaf_hash(header) for header in headers])
        return True

    def bundle(self, tile: Tile) -> list[bytes] | None:
        """Return the headers or bodies of a tile, null where its file is not there or can't be cut.

        That there are no bodies is no flaw; that there are others in an unfinished tile's file is.
        """
        raw = self._content(tile)
        if raw is None:
            return None
        items = cut(raw, tile.level)
        if items is None or len(items) != tile.width:
            self.scan.find(None, Flaw.TILE, f"the file `{tile.path}` is not {tile.width} entries behind their lengths")
            return None
        self._compare_grown(tile, lambda width: entries(items[:width], _LENGTH_SIZES[tile.level]))
        return items

    def compare_hashes(self, place: int, leaves: list[bytes]) -> None:
        """Compare the file of leaf hashes, and each file above that is full with them."""
        self._compare(Tile(0, place, len(leaves)), leaves)
        level = 0
        while len(leaves) == WIDTH:
            level += 1
            row = self.rows[level]
            row.append(CompactRange().extend(leaves).root())
            if len(row) < WIDTH:
                return
            leaves, self.rows[level] = row, []
            self._compare(Tile(level, self.places[level], WIDTH), leaves)
            self.places[level] += 1

    def end(self) -> None:
        """Compare the files that no full one came of."""
        for level, row in sorted(self.rows.items()):
            if row:
                self._compare(Tile(level, self.places[level], len(row)), row)

    def left(self) -> tuple[str, ...]:
        """Say which files were not looked at, as no record that the checkpoint counts is in them."""
        found = (path.relative_to(self.folder).as_posix() for path in self.folder.glob("tile/**/*") if path.is_file())
        left = sorted(name for name in found if name not in self.seen)
        if not left:
            return ()
        named = ", ".join(f"`{name}`" for name in left[:_LEFT_NAMED_MAX])
        more = f" and {len(left) - _LEFT_NAMED_MAX} more" if len(left) > _LEFT_NAMED_MAX else ""
        return (f"files in `tile` that hold nothing the checkpoint counts: {named}{more}",)

    def _compare(self, tile: Tile, hashes: list[bytes]) -> None:
        raw = self._content(tile)
        if raw is not None and raw != b"".join(hashes):
            self.scan.find(None, Flaw.TILE, f"the hashes in `{tile.path}` are not what the headers yield")
        self._compare_grown(tile, lambda width: b"".join(hashes[:width]))

    def _compare_grown(self, tile: Tile, expected: Callable[[int], bytes]) -> None:
        """Compare the files that this one grew out of: they stay when a fuller one follows."""
        partials = self.folder / f"{Tile(tile.level, tile.place, WIDTH).path}.p"
        names = (path.name for path in partials.iterdir() if path.is_file()) if partials.is_dir() else ()
        for width in sorted(width for name in names if (width := parse_count(name)) is not None):
            path = Tile(tile.level, tile.place, width).path
            if 0 < width < tile.width and self._read(path) != expected(width):
                self.scan.find(None, Flaw.TILE, f"`{path}` is not how `{tile.path}` begins")

    def _content(self, tile: Tile) -> bytes | None:
        """Return a tile's file. Where it is not there, that is a finding, unless it would hold bodies."""
        if not (self.folder / tile.path).is_file():
            if tile.level != BODIES:
                self.scan.find(None, Flaw.MISSING, f"the file `{tile.path}` is not there")
            return None
        return self._read(tile.path)

    def _read(self, name: str) -> bytes:
        self.seen.add(name)
        return _read(self.folder / name, WIDTH * (RECORD_SIZE_MAX + 4))


def _read(path: Path, size_max: int) -> bytes:
    """Read a file whole. Raises `LedgerFormatError` where it is larger than it can be."""
    with path.open("rb") as file:
        raw = file.read(size_max + 1)
    if len(raw) > size_max:
        raise LedgerFormatError(f"`{path}` is larger than any file of a published ledger")
    return raw


def cut(raw: bytes, level: int) -> list[bytes] | None:
    """Return the entries of a file of `level` (`ENTRIES` or `BODIES`), or null where the bytes are not such."""
    length_size, size_max = _LENGTH_SIZES[level], _SIZES_MAX[level]
    items: list[bytes] = []
    start = 0
    while start < len(raw):
        size = int.from_bytes(raw[start : start + length_size], "big")
        start += length_size
        if size > size_max or start + size > len(raw):
            return None
        items.append(raw[start : start + size])
        start += size
    return items
