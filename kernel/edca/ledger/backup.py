"""Backups of a ledger's file, and their way back.

A backup is made while a writer goes on, and is verified before it gets its name. It holds what the ledger held at one
moment, and nothing shows that moment from inside: so a restore compares it with all that was kept elsewhere, and does
not put an older ledger in a newer one's place in silence.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edca.ledger.copying import copied, sync_folder
from edca.ledger.erasures import SUFFIX
from edca.ledger.errors import LedgerError, RolledBackError, TamperedError
from edca.ledger.lock import WriterLock
from edca.ledger.schema import connect
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edca.ledger.kept import Kept
    from edca.ledger.verification import Progress, Verification


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: `size` records with `root`; `tip` is the newest record's leaf hash (zeros where none is)."""

    path: Path
    size: int
    root: bytes
    tip: bytes
    verification: Verification


def back_up(
    ledger: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
) -> Backup:
    """Copy a ledger that may be in use to a new file, and verify the copy in full.

    The list of its erasures, if there is one, is copied beside it. `progress` is told pages, then records.

    Raises `LedgerError` where there is no such ledger, or a file at `target` already, and `TamperedError` where the
    copy doesn't verify: it is not kept then.
    """
    source, made = Path(os.path.realpath(ledger)), Path(target)
    if not source.exists():
        raise LedgerError(f"there is no ledger at `{source}`")
    _refuse_existing(made)
    unfinished = _unfinished(made)
    unfinished.unlink(missing_ok=True)
    with closing(connect(source, "ro")) as connection:
        copied(connection, unfinished, progress)
    try:
        backup = _examined(unfinished, made, (), progress)
        _take_over(_erasures_of(source), _erasures_of(made))
        _name(unfinished, made)
    finally:
        unfinished.unlink(missing_ok=True)
    return backup


def restore(
    backup: str | os.PathLike[str],
    ledger: str | os.PathLike[str],
    *,
    kept: Sequence[Kept] = (),
    erasures: Path | None = None,
    prepare: Callable[[Path], None] | None = None,
    progress: Progress | None = None,
) -> Backup:
    """Put a verified copy of a backup where no ledger is, once it holds all that `kept` counts.

    What was erased since the backup was made is erased again before anybody can read it under the ledger's name: by the
    list in `erasures`, else by the one that lies where the ledger was, else by that beside the backup. `prepare` is
    called with the copy after that, and must leave a ledger that verifies.

    Raises `LedgerError` where there is a file at `ledger` already, `RolledBackError` where something kept elsewhere
    counts records that the backup lacks, or others, and `TamperedError` where it doesn't verify. Nothing is left then.
    """
    source, made = Path(os.path.realpath(backup)), Path(os.path.realpath(ledger))
    if not source.exists():
        raise LedgerError(f"there is no backup at `{source}`")
    lock = WriterLock.acquire(made)  # nobody may begin a ledger there meanwhile
    unfinished = _unfinished(made)
    try:
        _refuse_existing(made)
        unfinished.unlink(missing_ok=True)
        with closing(connect(source, "ro")) as connection:
            copied(connection, unfinished, progress)
        found = _examined(unfinished, made, kept, progress)
        listed = erasures or next((one for one in (_erasures_of(made), _erasures_of(source)) if one.exists()), None)
        if listed is not None:
            _take_over(listed, _erasures_of(unfinished))
            SQLiteLedger.open(unfinished, create=False).close()  # erases what the list says, before it is opened
        if prepare is not None:
            prepare(unfinished)
        if listed is not None or prepare is not None:
            found = _examined(unfinished, made, kept, progress)
        _take_over(_erasures_of(unfinished), _erasures_of(made))
        _name(unfinished, made)
    finally:
        for left in (unfinished, _erasures_of(unfinished), unfinished.with_name(f"{unfinished.name}.lock")):
            left.unlink(missing_ok=True)
        lock.release()
    return found


def _examined(path: Path, named: Path, kept: Sequence[Kept], progress: Progress | None) -> Backup:
    """Verify a copy in full. Raises `RolledBackError` or `TamperedError` with what was found first."""
    found = verify(path, checkpoints=kept, progress=progress)
    if not found.is_sound:
        what = "; ".join(_told(finding.index, finding.detail) for finding in found.findings[:3])
        is_older = bool(kept) and verify(path, fast=True).is_sound
        raise (RolledBackError if is_older else TamperedError)(f"the copy for `{named}` is not kept: {what}")
    with SQLiteLedger.open(path, create=False, readonly=True) as ledger:
        tip = ledger.leaf_hashes(ledger.size - 1, ledger.size)[0] if ledger.size else bytes(32)
    return Backup(named, found.size, found.root, tip, found)


def _told(index: int | None, detail: str) -> str:
    return detail if index is None else f"record {index}: {detail}"


def _erasures_of(ledger: Path) -> Path:
    return ledger.with_name(ledger.name + SUFFIX)


def _take_over(listed: Path, target: Path) -> None:
    """Copy a list of erasures, durably, in place of one that is there; nothing where there is none."""
    if not listed.exists():
        return
    try:
        unfinished = _unfinished(target)
        with unfinished.open("wb") as file:
            file.write(listed.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise LedgerError(f"can't copy the list of erasures `{listed}`: {error.strerror}") from error


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path):
        raise LedgerError(f"`{path}` is there already; move it away first, and keep it")


def _unfinished(path: Path) -> Path:
    return path.with_name(f"{path.name}.unfinished")


def _name(unfinished: Path, path: Path) -> None:
    """Give a whole file its name, durably. Raises `LedgerError`."""
    _refuse_existing(path)
    try:
        unfinished.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise LedgerError(f"can't make `{path}`: {error.strerror}") from error
