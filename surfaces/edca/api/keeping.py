"""What was kept of a ledger elsewhere, as a host hands it to `Kernel.open`: checkpoints, receipts, and trusted keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edca.ledger.errors import LedgerFormatError, TamperedError
from edca.ledger.kept import Kept
from edca.ledger.note import VerifierKey
from edca.ledger.opening import line_of_open, verify_open
from edca.ledger.receipt import FIRST_LINE, RECEIPT_SIZE_MAX
from edca.ledger.rollback import demand
from edca.runtime.rebuild import compare_cells

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from edca.ledger.opening import AnyLedger


def read_kept(store: AnyLedger, files: Sequence[str | os.PathLike[str]], trust: Sequence[str]) -> tuple[Kept, ...]:
    """Read checkpoints and receipts of a ledger; `trust` holds public keys, each `NAME+ID+KEY`.

    Raises `LedgerFormatError` for a key or file that is none, `OSError`, and `ValueError` where nobody is trusted.
    """
    if files and not trust:
        raise ValueError("what was kept of a ledger is only worth its signatures: `trust` names no key")
    keys = line_of_open(store, [VerifierKey.parse(text) for text in trust])
    kept: list[Kept] = []
    for file in files:
        with Path(file).open("rb") as opened:
            raw = opened.read(RECEIPT_SIZE_MAX + 1)
        read = Kept.received if raw.startswith(FIRST_LINE.encode()) else Kept.signed
        try:
            kept.append(read(raw, f"`{file}`", keys))
        except LedgerFormatError as error:
            raise LedgerFormatError(f"`{file}`: {error}") from error
    return tuple(kept)


def check_first(store: AnyLedger, kept: Sequence[Kept], *, whole: bool) -> None:
    """Go on only with a ledger that holds all that was kept; `whole`: and whose every record and cell is in order.

    Raises as `demand` does, and `TamperedError` with the first thing that is wrong.
    """
    demand(store, kept)
    if not whole:
        return
    for finding in verify_open(store).findings:
        where = "" if finding.index is None else f"record {finding.index}: "
        raise TamperedError(f"`{store.path}`: {where}{finding.detail}")
    with store.whole():
        different = compare_cells(store)
    for one in different:
        raise TamperedError(f"`{store.path}`: {one.what}: the cell holds {one.cell}, the records say {one.records}")
