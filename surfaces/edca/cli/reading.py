"""Reading a ledger for people: whole where it is sound, and what is left of it where it contradicts itself."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, TypeVar

from edca.cli.errors import from_failure
from edca.cli.loading import open_to_read
from edca.cli.output import failure, note
from edca.ledger.errors import LedgerFormatError, TamperedError
from edca.ledger.kept import counted
from edca.ledger.opening import AnyLedger, open_remains
from edca.ledger.remains import Remains
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.opened import OpenedStore, opened

Readable: TypeAlias = "AnyLedger | OpenedStore | Remains"

_Read = TypeVar("_Read")


def read(path: Path, work: Callable[[Readable], _Read]) -> tuple[_Read, bool]:
    """Return what `work` makes of the ledger, and whether the ledger is sound as far as that met it.

    Personal values are in their places, as far as the vault has them. Where the ledger is not sound, `work` is done on
    what remains, and stderr says why. Raises what opening and `work` raise.
    """
    try:
        with open_to_read(path) as ledger:
            note_unsequenced(ledger)
            return work(unsealed(ledger)), True
    except (TamperedError, LedgerFormatError) as error:
        with open_remains(path) as remains:
            made = work(remains)
        told = from_failure(error)
        if told is not None:
            failure(told.message, told.hint, told.code)
        return made, False


def note_unsequenced(ledger: AnyLedger) -> None:
    """Say so where records are committed that have no index yet: a list by index doesn't hold them."""
    if isinstance(ledger, SQLiteLedger):
        return
    count = ledger.unsequenced_count()
    if count:
        note(f"{counted(count)} more {'is' if count == 1 else 'are'} committed, and have no place in the ledger yet")


def unsealed(ledger: AnyLedger) -> "AnyLedger | OpenedStore":
    """Return the ledger with personal values in their places; those that were erased say so."""
    seen = opened(ledger)
    return seen.veiled() if isinstance(seen, OpenedStore) else ledger
