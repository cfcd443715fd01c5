"""A ledger as the runtime reads it: with the personal values back in their places, wherever they are there still.

Below it records hold commitments; above it nobody needs to know that. Where values were erased, a record keeps its
commitments, a cell that held any is gone, and `erased` tells of a case that it was.
"""

from __future__ import annotations

import dataclasses
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from edca.kernel.blinding import Blinding
from edca.kernel.canonical import Data, decode, encode
from edca.ledger.errors import LedgerError
from edca.ledger.sealing import commitments, uncover
from edca.ledger.vault import ErasedError
from edca.runtime.personal import Plan
from edca.runtime.ports import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from edca.kernel.machine import Machine
    from edca.ledger.erasures import Erasure
    from edca.ledger.record import Draft
    from edca.ledger.store import Cell, Stored, StoredRecord
    from edca.ledger.vault import Vault

ERASED: Final = "erased"
"""The key under which the content of a record says that stand-ins are in the places of erased values."""
UNSEALED: Final = "unsealed"
"""The key under which an opened record's content says what its digests were made with: `scope` and `blinding`."""


@runtime_checkable
class Vaulted(Protocol):
    """A store that has a vault."""

    @property
    def vault(self) -> Vault:
        """The vault beside the records."""
        ...


class Destroyer(Vaulted, Store, Protocol):
    """A store that can let go of what its vault keeps: every one that has a vault."""

    def list_erasure(self, erasure: Erasure) -> None:
        """Within a group: see to it that the list of erasures names it before it is destroyed."""

    def destroy(self, scopes: Sequence[str], numbers: Sequence[int]) -> None:
        """Within a group: let go of the keys and values of those scopes, and of those records' values."""

    def clean(self, traces: Sequence[bytes]) -> None:
        """After the group: see to it that no table or file holds a copy of a destroyed key."""


def opened(store: Store, machine: Machine | None = None) -> Store:
    """Return the store with everything personal opened; itself where there is nothing to open.

    `machine` is the one that is going to write. Raises `LedgerError` where that needs a vault and there is none.
    """
    if isinstance(store, OpenedStore):
        return store
    will_seal = machine is not None and Plan.of(machine) is not None
    if not isinstance(store, Vaulted):
        if will_seal:
            raise LedgerError("this store has no vault, and the machine knows personal values: none may be recorded")
        return store
    if will_seal:
        store.vault.check_usable()
    return OpenedStore(store, store.vault) if will_seal or store.vault.is_needed else store


def vault_of(store: Store) -> Vault | None:
    """Return the vault behind an opened store, or null where nothing personal is there."""
    return store.vault if isinstance(store, OpenedStore) else None


def is_erased_case(store: Store, id_: str | None) -> bool:
    """Tell whether the personal values of the case of that id were erased."""
    vault = None if id_ is None else vault_of(store)
    return vault is not None and id_ is not None and vault.is_erased(id_)


def blinding_of(content: Mapping[str, Any]) -> Blinding | None:
    """Return what the digests in a record's content were made with, or null where they are plain."""
    found = content.get(UNSEALED)
    return None if found is None else Blinding(found["scope"], found["blinding"])


def is_erased(content: Data) -> bool:
    """Tell whether the content of an opened record holds commitments still: its values were erased."""
    return next(commitments(content), None) is not None


def veiled(stored: StoredRecord, text: str) -> StoredRecord:
    """Return the record with `text` in the place of each value that is sealed, for people to read."""
    if b"\xa6sealed" not in stored.body:
        return stored
    body = decode(stored.body, size_max=4 << 20)
    return dataclasses.replace(stored, body=encode(uncover(body, repeat(text))))


class OpenedStore:
    """A store, seen through its vault. Raises `TamperedError` where the two contradict each other."""

    def __init__(self, store: Store, vault: Vault) -> None:
        """Use `opened`."""
        self.store: Final = store
        self.vault: Final = vault

    @property
    def size(self) -> int:
        """How many records there are."""
        return self.store.size

    def head(self, chain: str) -> tuple[int, bytes] | None:
        """Return the newest entry of `chain` and its digest."""
        return self.store.head(chain)

    def cell(self, space: str, key: str) -> bytes | None:
        """Return the value of one cell, or null: also where it was erased."""
        value = self.store.cell(space, key)
        if value is None:
            return None
        try:
            return self.vault.opened_cell(space, key, value)
        except ErasedError:
            return None

    def spaces(self) -> tuple[str, ...]:
        """Return the spaces that hold any cell, sorted."""
        return self.store.spaces()

    def cells(self, space: str, *, exact: bool = True) -> Iterator[tuple[str, bytes]]:
        """Yield keys and values of a space in order of the keys, those that were erased left out."""
        for key, value in self.store.cells(space, exact=exact):
            try:
                yield key, self.vault.opened_cell(space, key, value)
            except ErasedError:
                continue

    def any_cell(self, space: str) -> bytes | None:
        """Return the value of one of the cells of a space, as it is stored."""
        return self.store.any_cell(space)

    def commit(
        self, drafts: Sequence[Draft], cells: Sequence[Cell] | Callable[[tuple[Stored, ...]], Sequence[Cell]] = ()
    ) -> tuple[Stored, ...]:
        """Append the drafts and write the cells: see the store's own."""
        return self.store.commit(drafts, cells)

    def group(self) -> AbstractContextManager[None]:
        """Let the commits of the block share one transaction."""
        return self.store.group()

    def step(self) -> AbstractContextManager[None]:
        """Within a group: take back what the block has committed, if it raises."""
        return self.store.step()

    def reading(self) -> AbstractContextManager[None]:
        """Let the reads of the block see one moment."""
        return self.store.reading()

    def whole(self) -> AbstractContextManager[None]:
        """Let the reads of the block be of one moment, and of all that is committed then."""
        return self.store.whole()

    def holds(self, name: str) -> bool:
        """Tell whether this process may carry out what goes by that name."""
        return self.store.holds(name)

    def hold(self, name: str) -> bool:
        """Have what goes by that name to this process, if it is to be had."""
        return self.store.hold(name)

    def let_go(self, name: str) -> None:
        """Leave what goes by that name to others."""
        self.store.let_go(name)

    def abandoned(self, prefix: str) -> tuple[str, ...]:
        """Return what is had by a process that lives no more."""
        return self.store.abandoned(prefix)

    def fetch(self, cells: Iterable[tuple[str, str]], chains: Iterable[str]) -> None:
        """Look up these cells and heads of chains at once."""
        self.store.fetch(cells, chains)

    def read(self, number: int) -> StoredRecord:
        """Return the record of that number, opened."""
        return self._opened(self.store.read(number))

    def number_at(self, index: int) -> int:
        """Return the number of the record at `index` of the ledger."""
        return self.store.number_at(index)

    def newest(self, chain: str) -> StoredRecord | None:
        """Return the newest record of `chain`, opened, or null where it has none."""
        found = self.store.newest(chain)
        return None if found is None else self._opened(found)

    def records(self, start: int = 0, chain: str | None = None) -> Iterator[StoredRecord]:
        """Yield records in order, opened, all or only those of one chain."""
        for stored in self.store.records(start, chain):
            yield self._opened(stored)

    def veiled(self) -> OpenedStore:
        """Return the store as people read it: what was erased says so."""
        return _Veiled(self.store, self.vault)

    def _opened(self, stored: StoredRecord) -> StoredRecord:
        found = self.vault.opened(stored)
        if found.blinding is None:
            return found.record
        body: Any = decode(found.record.body, size_max=4 << 20)
        body[UNSEALED] = {"scope": found.scope, "blinding": found.blinding}
        return dataclasses.replace(stored, body=encode(body))


class _Veiled(OpenedStore):
    """As an opened store, and what was erased is the text `erased`."""

    def _opened(self, stored: StoredRecord) -> StoredRecord:
        found = super()._opened(stored)
        body: Any = decode(found.body, size_max=4 << 20)
        if not is_erased(body):
            return found
        return veiled(dataclasses.replace(found, body=encode({**body, ERASED: True})), "(erased)")
