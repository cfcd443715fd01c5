"""The vault in PostgreSQL: two tables beside the records, written in their transactions.

A scope's key is made in a transaction of its own, since digests are made with it before the record is committed:
whichever node inserts its row first has made it, and all others read that row. Nothing is remembered beyond
one moment's reads, because any node may destroy a key. Whoever seals with one locks its name, and looks again whether
it is there still (`postgres_commit.py`).

Keys lie in the database only wrapped in the master key: write-ahead logs, replicas and dumps carry every row to places
that no erasure reaches.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg

from edca.ledger.erasures import VARIABLE, Erasures
from edca.ledger.errors import LedgerError, StaleError
from edca.ledger.postgres_reading import Reading
from edca.ledger.postgres_schema import LOCK_TIMEOUT_MS, translated
from edca.ledger.sealing import ScopeKey
from edca.ledger.store import Cell
from edca.ledger.vault import MASTER_KEY_VARIABLE, ErasedError, Opened, Vault, scope_of_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from edca.ledger.erasures import Erasure
    from edca.ledger.postgres_schema import Connection
    from edca.ledger.postgres_staging import Group
    from edca.ledger.store import StoredRecord
    from edca.ledger.vault_staging import StoredKey

_TRIES_MAX: Final = 24
_MAKE: Final = "INSERT INTO vault_keys(scope, subject, key, name) VALUES(%s, '', %s, %s) ON CONFLICT (scope) DO NOTHING"
_READ: Final = "SELECT subject, key, name FROM vault_keys WHERE scope = %s"
_CELLS: Final = "SELECT space, key, value FROM cells WHERE position('\\xa67365616c6564'::bytea IN value) > 0"

_FILE: Final = "SELECT pg_relation_filenode('vault_keys')"
_NOT_CLEAN: Final = (
    "it is erased, and on record, but the table of keys could not be built anew: open the ledger again with the list "
    "of erasures, or run `VACUUM (FULL) vault_keys` in its schema"
)


class PostgresVault(Vault):
    """The vault of a ledger in PostgreSQL, whose keys many nodes make and destroy."""

    makes_keys_first = True
    _strays = "SELECT number FROM vault WHERE number NOT IN (SELECT number FROM records) ORDER BY number"

    def __init__(self, ledger: Reading, group: Callable[[], Group | None], erasures: Erasures) -> None:
        """Use the ledger's `vault`."""

        def fetch(query: str, parameters: tuple[Any, ...]) -> list[Any]:
            return ledger.fetch_rows(query.replace("?", "%s"), parameters)

        super().__init__(fetch, group, erasures, is_there=True)
        self._ledger = ledger
        self._group = group

    @property
    def is_needed(self) -> bool:
        """Always: another node may record something personal at any time."""
        return True

    def opened(self, stored: StoredRecord) -> Opened:
        """Return the record with its personal values; one that commits to none costs no query. Raises as on a file."""
        return super().opened(stored) if b"\xa6sealed" in stored.body else Opened(stored, None, None, False)

    def _row(self, scope: str) -> StoredKey | None:
        """Return the scope's row, looked up once for all reads of one moment."""
        group, rows = self._group(), self._ledger.key_rows()
        if group is not None and scope in group.keys:
            return group.keys[scope]
        if scope not in rows:
            rows[scope] = super()._row(scope)
        return rows[scope]

    def check_usable(self) -> None:
        """Raise `LedgerError` without a master key: nothing personal is recorded here then."""
        if self._master is None:
            raise LedgerError(
                "the machine knows personal values, and a database's logs and dumps would carry their keys: set "
                f"`{MASTER_KEY_VARIABLE}` to a master key of 64 hexadecimal digits, the same at every node"
            )

    def key(self, scope: str) -> ScopeKey | None:
        """Return the scope's key as it is now, or null where it has none (any more)."""
        return self._stored_key(scope, self._row(scope))

    def key_for(self, scope: str) -> ScopeKey:
        """Return the scope's key; where no node has made it yet, it is made, for good, before this returns.

        Raises `ErasedError` where it was destroyed, and `LedgerError` without a master key.
        """
        found = self.key(scope)
        if found is not None:
            return found
        self.check_usable()
        made = ScopeKey(scope, "", self.new_key())
        try:
            with self._ledger.apart() as connection:
                connection.execute(_MAKE, (scope, self._wrapped(made), made.fingerprint))
                row = connection.execute(_READ, (scope,)).fetchone()
        except psycopg.Error as error:
            raise translated(error) from error
        stored = None if row is None else (row[0], row[1], row[2])
        self._ledger.key_rows()[scope] = stored
        found = self._stored_key(scope, stored)
        if found is None:
            raise ErasedError(f"what was personal of `{scope}` was erased; nothing more is recorded of it")
        return found

    def records_of(self, scope: str) -> list[int]:
        """Return the numbers of the records that keep values under the scope's key; in a group it must stay so."""
        numbers = super().records_of(scope)
        group = self._group()
        if group is not None:
            group.seen_values.setdefault(scope, numbers)
        return numbers


class PostgresDestroying(Reading):
    """The part of the ledger that lets go of keys and values for good."""

    _vault: PostgresVault

    @property
    def vault(self) -> Vault:
        """The vault beside the records."""
        return self._vault

    @abstractmethod
    def group(self) -> AbstractContextManager[None]:
        """Let all commits of the block share one transaction."""

    def _own_group(self) -> Group:
        session = self._session
        if session is None or session.group is None:
            raise LedgerError("what is destroyed is part of a group of commits")
        return session.group

    def list_erasure(self, erasure: Erasure) -> None:
        """Within a group: have it listed under the group's locks, before it is written. Raises `LedgerError`."""
        if self.vault.erasures.path is None:
            self.vault.erasures.add(erasure)  # which says what is missing
        self._own_group().list(erasure)

    def destroy(self, scopes: Sequence[str], numbers: Sequence[int]) -> None:
        """Within a group: let go of the vault's keys and values of those scopes, and of those records' values.

        What the runtime keeps of them in sealed cells goes as well.
        """
        group, gone = self._own_group(), set(scopes)
        if gone:
            for space, key, value in self.fetch_rows(_CELLS, ()):
                if scope_of_cell(value) in gone and group.cells.get((space, key), value) is not None:
                    group.seen_cells.setdefault((space, key), value)
                    group.put(Cell(space, key, None))
        self.vault.destroy(group, scopes, numbers)

    def clean(self, traces: Sequence[bytes] | None = None) -> None:  # the file's own way needs to know them
        """Build the table of keys anew, so that it holds none that was destroyed, wrapped as they are.

        Raises `LedgerError` where others keep the table busy, or it is another account's: what was erased is erased all
        the same, and on record.
        """
        try:
            with self.apart() as connection:
                before = connection.execute(_FILE).fetchone()
                connection.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
                try:
                    connection.execute("VACUUM (FULL) vault_keys")
                finally:
                    connection.execute("RESET lock_timeout")
                # Of a table that isn't the account's own, the server only warns, and leaves it as it is.
                is_same = connection.execute(_FILE).fetchone() == before
        except psycopg.Error as error:
            raise LedgerError(f"{_NOT_CLEAN} ({error})") from error
        if is_same:
            raise LedgerError(f"{_NOT_CLEAN} (only its owner may do that)")
        self.vault.erasures.clean()

    def erase_again(self) -> None:
        """Finish what an erasure has left, and erase again what a dump that was restored has brought back."""
        brought_back = self.vault.outdated()
        for tried in range(1, _TRIES_MAX + 1):
            if not self.vault.outdated():
                break
            try:
                with self.group():
                    self.destroy(self.vault.outdated(), ())
            except StaleError:
                if tried == _TRIES_MAX:
                    raise
        if brought_back or not self.vault.erasures.is_clean:
            self.clean()


def list_of_erasures(path: str | os.PathLike[str] | None) -> Erasures:
    """Return the list in that file, else in the one that the environment names, else none."""
    named = path or os.environ.get(VARIABLE)
    return Erasures(Path(named) if named else None)


def write_vault(connection: Connection, group: Group) -> None:
    """Write what a group does to the vault. Raises what the database raises."""
    forgotten = [scope for scope, key in group.keys.items() if key is None]
    connection.execute("DELETE FROM vault_keys WHERE scope = ANY(%s)", (forgotten,))
    for scope, key in group.keys.items():
        if key is not None:
            connection.execute(
                "INSERT INTO vault_keys(scope, subject, key, name) VALUES(%s, %s, %s, %s) ON CONFLICT (scope) DO UPDATE"
                " SET subject = excluded.subject, key = excluded.key, name = excluded.name",
                (scope, *key),
            )
    connection.execute("DELETE FROM vault WHERE scope = ANY(%s)", (list(group.destroyed),))
    connection.execute("DELETE FROM vault WHERE number = ANY(%s)", (list(group.dropped),))
    for number, (scope, asker, sealed) in group.vault.items():
        connection.execute(
            "INSERT INTO vault(number, scope, asker, sealed) VALUES(%s, %s, %s, %s)", (number, scope, asker, sealed)
        )


def is_vault_stale(connection: Connection, group: Group) -> bool:
    """Tell, under the group's locks, whether a key or the values of a scope are not as the group has seen them."""
    if group.seen_keys:
        query = "SELECT scope, name FROM vault_keys WHERE scope = ANY(%s) AND length(key) > 0"
        if dict(connection.execute(query, (list(group.seen_keys),)).fetchall()) != group.seen_keys:
            return True
    if group.seen_values:
        found: dict[str, list[int]] = {scope: [] for scope in group.seen_values}
        query = "SELECT scope, number FROM vault WHERE scope = ANY(%s) ORDER BY number"
        for scope, number in connection.execute(query, (list(found),)).fetchall():
            found[scope].append(number)
        return found != group.seen_values
    return False
