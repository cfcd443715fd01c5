"""A ledger as files: its tree and headers for anybody, and with the records' bodies for an auditor.

    checkpoint                      the signed statement of size and root, written last
    tile/LEVEL/N[.p/W]              hashes of the tree, as c2sp.org/tlog-tiles lays them out
    tile/entries/N[.p/W]            headers, 256 to a file, each behind its length in 2 bytes
    tile/bodies/N[.p/W]             bodies, 256 to a file, each behind its length in 4 bytes

Files are written once and never change, but for the checkpoint. A partial file (`.p/W`) stays when a full one follows.
"""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, Final

from edca.ledger.checkpoint import Checkpoint
from edca.ledger.errors import LedgerError, TamperedError
from edca.ledger.note import Note
from edca.ledger.proof import subtree_hash
from edca.ledger.subtrees import StoredSubtrees
from edca.ledger.tiles import BODIES, ENTRIES, WIDTH, Tile, entries, tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edca.ledger.opening import AnyLedger

CHECKPOINT: Final = "checkpoint"


def subtrees_of(ledger: AnyLedger) -> StoredSubtrees:
    """Return the hashes of a ledger's tree, reckoned from its headers as they are asked for."""
    return StoredSubtrees(ledger.leaf_hashes)


def published(ledger: AnyLedger, size: int, *, since: int = 0, bodies: bool = False) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file of the first `size` records that `since` records had not."""
    subtrees = subtrees_of(ledger)
    for tile in tiles(size, since=since):
        yield tile.path, b"".join(subtrees.hashes(tile.level, tile.place, tile.width))
        if tile.level == 0:
            start = tile.place * WIDTH
            headers = ledger.headers(start, start + tile.width)
            yield Tile(ENTRIES, tile.place, tile.width).path, entries(headers, 2)
            if bodies:
                found = [stored.body for stored in islice(ledger.records(start), tile.width)]
                yield Tile(BODIES, tile.place, tile.width).path, entries(found, 4)


def publish(
    ledger: AnyLedger,
    signed: Note,
    folder: Path,
    *,
    bodies: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write what is new since the checkpoint in `folder`, then the signed checkpoint, and return how many files.

    Stopped in between, it goes on from the old checkpoint. Raises `TamperedError` where the folder's checkpoint is none
    that this ledger had, `LedgerError` where the folder is ahead of it, and `OSError`.
    """
    checkpoint = Checkpoint.parse(signed.text)
    since = _before(ledger, folder, checkpoint)
    count = 0
    # Who asks for bodies may have published without them before: what is there already must be what would be written.
    start = 0 if bodies else since
    total = sum(1 if tile.level else 2 + bodies for tile in tiles(checkpoint.size, since=start))
    for done, (name, content) in enumerate(published(ledger, checkpoint.size, since=start, bodies=bodies), start=1):
        path = folder / name
        if not path.exists():
            write_whole(path, content)
            count += 1
        elif path.read_bytes() != content:
            raise TamperedError(f"`{path}` is not what this ledger publishes there: somebody altered it")
        if progress is not None:
            progress(done, total)
    write_whole(folder / CHECKPOINT, signed.to_bytes())
    return count


def _before(ledger: AnyLedger, folder: Path, checkpoint: Checkpoint) -> int:
    """Return how many records are in the folder already."""
    path = folder / CHECKPOINT
    if not path.exists():
        return 0
    before = Checkpoint.parse(Note.parse(path.read_bytes()).text)
    if before.origin != checkpoint.origin:
        raise LedgerError(f"`{folder}` holds another ledger, `{before.origin}`")
    if before.size > checkpoint.size:
        raise LedgerError(f"`{folder}` holds {before.size} records, and this ledger has {checkpoint.size}")
    if subtree_hash(subtrees_of(ledger), 0, before.size) != before.root:
        raise TamperedError(f"the first {before.size} records are not those that `{path}` was signed for")
    return before.size


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, durably, in place of one that is there. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished-{os.getpid()}")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    # The new name is in the folder for good only once the folder is synced.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
