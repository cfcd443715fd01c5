"""Destroying what the vault of an embedded ledger keeps, in such a way that the file holds no copy of it."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from edca.ledger.errors import LedgerError
from edca.ledger.schema import translated
from edca.ledger.store import Cell
from edca.ledger.vault import Vault, scope_of_cell

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from edca.ledger.erasures import Erasure
    from edca.ledger.staging import Staged

_CHUNK_SIZE: Final = 4 << 20  # bytes of the file that are searched at a time


class Destroying(ABC):
    """The part of the ledger that lets go of keys and values for good."""

    _connection: sqlite3.Connection
    _mutex: threading.RLock
    _staged: Staged | None
    _vault: Vault
    path: Path

    @property
    def vault(self) -> Vault:
        """The vault beside the records."""
        return self._vault

    @abstractmethod
    def group(self) -> AbstractContextManager[None]:
        """Let all commits of the block share one transaction."""

    @abstractmethod
    def spaces(self) -> tuple[str, ...]:
        """Return the spaces that hold any cell."""

    @abstractmethod
    def cells(self, space: str) -> Iterator[tuple[str, bytes]]:
        """Yield the keys and values of a space."""

    @abstractmethod
    def _check_writable(self) -> None:
        """Raise `LedgerError` where nothing can be written."""

    def list_erasure(self, erasure: Erasure) -> None:
        """Write down, durably, what is about to be destroyed. Raises `LedgerError` where that can't be done."""
        self.vault.erasures.add(erasure)

    def destroy(self, scopes: Sequence[str], numbers: Sequence[int]) -> None:
        """Within a group: let go of the vault's keys and values of those scopes, and of those records' values.

        What the runtime keeps of them in sealed cells goes as well. `clean` is to follow once the group is durable.
        """
        with self._mutex:
            staged = self._staged
            if staged is None:
                raise LedgerError("what is destroyed is part of a group of commits")
            gone = set(scopes)
            for space in self.spaces():
                for key, value in self.cells(space):
                    if scope_of_cell(value) in gone:
                        staged.put(Cell(space, key, None))
            self.vault.destroy(staged, scopes, numbers)

    def clean(self, traces: Sequence[bytes] | None = None) -> None:
        """See to it that no page of the file holds any of `traces` (`Vault.traces`); null: whichever these were.

        What was deleted is overwritten already. Where a page that was once split still has one, the file is built anew.
        """
        with self._mutex:
            self._check_writable()
            try:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                if traces is None or _holds(self.path, traces):
                    self._connection.execute("VACUUM")
                    self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.Error as error:
                raise translated(error, self.path) from error
            self.vault.erasures.clean()

    def erase_again(self) -> None:
        """Finish what an erasure has left, and erase again what an old copy of the file has brought back."""
        scopes, numbers = self.vault.outdated(), self.vault.outdated_values()
        if scopes or numbers:
            with self.group():
                self.destroy(scopes, numbers)
        if not self.vault.erasures.is_clean or scopes or numbers:
            self.clean()


def _holds(path: Path, traces: Sequence[bytes]) -> bool:
    """Tell whether the file holds any of those bytes, anywhere."""
    overlap = max(map(len, traces), default=1) - 1
    with path.open("rb") as file:
        before = b""
        while read := file.read(_CHUNK_SIZE):
            if any(trace in before + read for trace in traces):
                return True
            before = read[-overlap:] if overlap else b""
    return False
