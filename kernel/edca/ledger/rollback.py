"""Whether a ledger still holds what was kept of it elsewhere, asked before anything is added to it.

Nothing inside a file shows that it is an older copy of itself. A checkpoint, a receipt, or what a witness remembers
does, each alone: it counts records, and says which root they have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.ledger.errors import LedgerFormatError, RolledBackError
from edca.ledger.kept import Kept, counted
from edca.ledger.proof import subtree_hash
from edca.ledger.publishing import subtrees_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edca.ledger.opening import AnyLedger


def demand(ledger: AnyLedger, kept: Iterable[Kept]) -> None:
    """Go on only if the ledger has every record that `kept` counts, and has them unchanged.

    Raises `RolledBackError` where it has fewer or other ones, and `LedgerFormatError` for something kept whose own
    signatures don't hold: it shows nothing.
    """
    subtrees = subtrees_of(ledger)
    for one in kept:
        if one.flaw is not None:
            raise LedgerFormatError(f"{one.name} shows nothing: {one.flaw}")
        size = ledger.size if one.size is None else one.size
        if size > ledger.size:
            gone = size - ledger.size
            raise RolledBackError(
                f"`{ledger.path}` has {counted(ledger.size)}, and {one.name} counts {size}: the newest {gone} "
                f"{'is' if gone == 1 else 'are'} missing"
            )
        if one.root is not None and subtree_hash(subtrees, 0, size) != one.root:
            raise RolledBackError(f"the first {counted(size)} of `{ledger.path}` have another root than {one.name}")
