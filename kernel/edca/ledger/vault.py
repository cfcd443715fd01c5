"""The vault: keys of scopes and encrypted values, beside the ledger in the same file and the same transactions.

`Vault` is the one of an embedded ledger. A key is made when something personal of its scope is first recorded, and is
stored with that record. With a master key, keys lie in the file only wrapped in it (AES-256-GCM, a random nonce each);
without one they lie there as they are: then whoever copies the file before an erasure has copied the values, too.

A case whose key was destroyed keeps a row without one, so that nothing personal is ever recorded under that scope
again. People outside of any case may come back: theirs goes whole.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from edca.kernel.canonical import CanonicalError, Data, decode, encode
from edca.ledger.errors import LedgerError, TamperedError
from edca.ledger.leaf import chain_tag
from edca.ledger.record import parse
from edca.ledger.rows import leaf_of
from edca.ledger.sealing import KEY_SIZE, SEALED, ScopeKey, check, commitments, uncover
from edca.ledger.store import StoredRecord

if TYPE_CHECKING:
    from edca.ledger.erasures import Erasures
    from edca.ledger.vault_staging import StoredKey, VaultWrites

TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS vault_keys(scope TEXT PRIMARY KEY, subject TEXT NOT NULL, key BLOB NOT NULL,"
    " name BLOB NOT NULL)"
    " STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS vault(number INTEGER PRIMARY KEY, scope TEXT NOT NULL, asker TEXT NOT NULL,"
    " sealed BLOB NOT NULL) STRICT",
)
NAMES: Final = ("vault", "vault_keys")
MASTER_KEY_VARIABLE: Final = "EDCA_VAULT_KEY"
_OUTSIDE: Final = "SELECT number, header FROM vault JOIN ledger ON leaf = number WHERE asker <> '' ORDER BY number"
_NONCE_SIZE: Final = 12
_WRAPPED_SIZE: Final = _NONCE_SIZE + KEY_SIZE + 16  # with AES-GCM's tag
_ASKERS: Final = "/#asker:"


class ErasedError(LedgerError):
    """What is needed was erased: its key is destroyed, and nobody can read it again."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A record with the personal values back in their places, as far as they are there.

    `scope` is null where nothing in it is personal; `blinding` the key of its digests, null where there is none. Where
    `erased` is true, the commitments stand in the content still.
    """

    record: StoredRecord
    scope: str | None
    blinding: bytes | None
    erased: bool


def is_of_asker(scope: str) -> bool:
    """Tell whether a scope is of what somebody asks for outside of any case."""
    return _ASKERS in scope


def asker_scope(tenant: str, principal: str) -> str:
    """Return the scope of what a person asks for outside of any case."""
    return f"{tenant}{_ASKERS}{principal}"


def master_key() -> bytes | None:
    """Return the master key from the environment: 64 hexadecimal digits, or null where there is none.

    Raises `LedgerError` for anything else.
    """
    found = os.environ.get(MASTER_KEY_VARIABLE)
    if not found:
        return None
    try:
        key = bytes.fromhex(found.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_SIZE:
        raise LedgerError(f"`{MASTER_KEY_VARIABLE}` is a master key of {2 * KEY_SIZE} hexadecimal digits")
    return key


class Vault:
    """The vault of one ledger object. `fetch` runs a query on its connection; `staged` is what a group will write."""

    makes_keys_first: bool = False
    """Whether a scope's key is stored before the first record that needs it, which then may never come."""
    _strays: str = "SELECT number FROM vault WHERE number NOT IN (SELECT leaf FROM ledger) ORDER BY number"

    def __init__(
        self,
        fetch: Callable[[str, tuple[Any, ...]], list[Any]],
        staged: Callable[[], VaultWrites | None],
        erasures: Erasures,
        is_there: bool,
    ) -> None:
        """Use the ledger's `vault`. `is_there`: whether the file has the vault's tables."""
        self.erasures: Final = erasures
        self._fetch = fetch
        self._staged = staged
        self._is_there = is_there
        self._master = master_key()
        self._keys: dict[str, ScopeKey] = {}  # stored or to be stored with the first record
        self.new_key: Callable[[], bytes] = lambda: secrets.token_bytes(KEY_SIZE)

    @property
    def is_needed(self) -> bool:
        """Whether reading the ledger needs the vault, now or before it is opened again."""
        return not self.is_empty

    @property
    def is_empty(self) -> bool:
        """Whether nothing personal was ever recorded."""
        return not (self._is_there and self._fetch("SELECT 1 FROM vault_keys LIMIT 1", ()))

    def check_usable(self) -> None:
        """Raise `LedgerError` where nothing personal may be recorded here."""

    def key(self, scope: str) -> ScopeKey | None:
        """Return the scope's key, or null where it has none (any more). Raises `LedgerError` where it can't be had."""
        found = self._keys.get(scope)
        if found is None:
            found = self._stored_key(scope, self._row(scope))
            if found is not None:
                self._keys[scope] = found
        return found

    def key_for(self, scope: str) -> ScopeKey:
        """Return the scope's key, made now if it has none. Raises `ErasedError` where it was destroyed."""
        found = self.key(scope)
        if found is None:
            if self.is_erased(scope):
                raise ErasedError(f"what was personal of `{scope}` was erased; nothing more is recorded of it")
            found = self._keys[scope] = ScopeKey(scope, "", self.new_key())
        return found

    def is_erased(self, scope: str) -> bool:
        """Tell whether the scope's key was destroyed for good."""
        row = self._row(scope)
        return row is not None and (not row[1] or (scope, row[2]) in self.erasures.keys)

    def needs_key_row(self, key: ScopeKey, subject: str) -> StoredKey | None:
        """Return the key as it is to be stored where it is not, or not under the subject's name; else null."""
        row = self._row(key.scope)
        if row is not None and (row[0] or not subject):
            return None
        if row is not None:
            return subject, row[1], row[2]
        return subject, self._wrapped(key), key.fingerprint

    def destroy(self, staged: VaultWrites, scopes: Sequence[str], numbers: Sequence[int]) -> None:
        """Let go of the keys and values of those scopes, and of the values of those records."""
        for scope in scopes:
            self._keys.pop(scope, None)
            staged.put_key(scope, None if is_of_asker(scope) else ("", b"", b""))
            staged.destroy(scope)
        for number in numbers:
            staged.drop(number)

    def traces(self, scopes: Sequence[str], numbers: Sequence[int]) -> list[bytes]:
        """Return what must be nowhere in the file once these scopes' keys and these records' values are destroyed.

        That is the keys, as they lie there and as they are, and the encrypted values whose key stays.
        """
        values = [found[2] for number in numbers if (found := self.row(number)) is not None]
        rows = [row for scope in scopes if (row := self._row(scope)) is not None and row[1]]
        plain = [key.key for scope in scopes if (key := self._keys.get(scope)) is not None]
        return list({*(row[1] for row in rows), *plain, *values})

    def name_of(self, scope: str) -> bytes | None:
        """Return what names the scope's key, or null where it has none."""
        row = self._row(scope)
        return row[2] if row is not None and row[1] else None

    def opened(self, stored: StoredRecord) -> Opened:
        """Return the record with its personal values. Raises `TamperedError` where they are not what was sealed."""
        row = self.row(stored.number)
        if row is None and b"\xa6sealed" not in stored.body:
            return Opened(stored, None, None, False)
        record = parse(stored.body)
        content: Data = record.content
        if (record.chain, record.entry) in self.erasures.outside:
            row = None
        if row is None:
            erased = next(commitments(content), None) is not None
            return Opened(stored, None, None, erased)
        scope, _, sealed = row
        key = self.key(scope)
        if key is None:
            return Opened(stored, scope, None, True)
        digest = stored.digest
        try:
            values = key.values(record.chain, record.entry, digest, sealed)
            check(content, key, record.chain, record.entry, values)
        except TamperedError as error:
            raise TamperedError(f"record {stored.number}: {error}") from error
        body: dict[str, Data] = {**_envelope(stored.body), **uncover(content, iter(values))}
        return Opened(dataclasses.replace(stored, body=encode(body)), scope, key.blinding.key, False)

    def opened_cell(self, space: str, key: str, value: bytes) -> bytes:
        """Return a cell's value as it was before it was sealed. Raises `ErasedError`, `TamperedError`."""
        data = _sealed_cell(value)
        if data is None:
            return value
        found = self.key(data["scope"])
        if found is None:
            raise ErasedError(f"what the cell `{space}` `{key}` held was erased")
        return found.opened_cell(space, key, data["tag"], data[SEALED])

    def scopes(self) -> Iterator[tuple[str, str, bool]]:
        """Yield each scope, whose it is, and whether its key is there still."""
        if self._is_there:
            query = "SELECT scope, subject, length(key) > 0 FROM vault_keys ORDER BY scope"
            for scope, subject, there in self._fetch(query, ()):
                yield scope, subject, bool(there)

    def records_of(self, scope: str) -> list[int]:
        """Return the numbers of the records that keep values under the scope's key."""
        return [row[0] for row in self._fetch("SELECT number FROM vault WHERE scope = ? ORDER BY number", (scope,))]

    def records_asked_by(self, subject: str) -> list[tuple[int, str]]:
        """Return number and scope of the records outside of cases whose values that person has handed over."""
        return self._fetch("SELECT number, scope FROM vault WHERE asker = ? ORDER BY number", (subject,))

    def forget(self) -> None:
        """Forget the keys that are in memory, and look again what the file has."""
        self._keys.clear()

    def outdated(self) -> list[str]:
        """Return the scopes whose keys the list of erasures names, and the file still has."""
        query = "SELECT 1 FROM vault_keys WHERE scope = ? AND name = ? AND length(key) > 0"
        return [
            scope for scope, name in sorted(self.erasures.keys) if self._is_there and self._fetch(query, (scope, name))
        ]

    def _stored_key(self, scope: str, row: StoredKey | None) -> ScopeKey | None:
        if row is None or not row[1] or (scope, row[2]) in self.erasures.keys:
            return None
        return ScopeKey(scope, row[0], self._unwrapped(scope, row[1]))

    def outdated_values(self) -> list[int]:
        """Return the numbers of the records in none of their scopes whose values the list names, and the file has."""
        if not (self._is_there and self.erasures.outside):
            return []
        named = {(chain_tag(chain), entry) for chain, entry in self.erasures.outside}
        leaves = ((row[0], leaf_of(*row)) for row in self._fetch(_OUTSIDE, ()))
        return [number for number, leaf in leaves if (leaf.chain, leaf.entry) in named]

    def _row(self, scope: str) -> StoredKey | None:
        staged = self._staged()
        if staged is not None and scope in staged.keys:
            return staged.keys[scope]
        if not self._is_there:
            return None
        rows = self._fetch("SELECT subject, key, name FROM vault_keys WHERE scope = ?", (scope,))
        return rows[0] if rows else None

    def row(self, number: int) -> tuple[str, str, bytes] | None:
        """Return what is kept for the record of that number: scope, asker and encrypted values; null: nothing."""
        staged = self._staged()
        if staged is not None:
            if number in staged.dropped:
                return None
            if number in staged.vault:
                return staged.vault[number]
        if not self._is_there:
            return None
        rows = self._fetch("SELECT scope, asker, sealed FROM vault WHERE number = ?", (number,))
        return rows[0] if rows else None

    def key_rows(self) -> list[tuple[str, str, bytes, bytes]]:
        """Return scope, subject, key and name of each row of the table of keys, as they lie there, by scope."""
        query = "SELECT scope, subject, key, name FROM vault_keys ORDER BY scope"
        return self._fetch(query, ()) if self._is_there else []

    def strays(self) -> list[int]:
        """Return the numbers under which values are kept and that no record has."""
        return [row[0] for row in self._fetch(self._strays, ())] if self._is_there else []

    def _wrapped(self, key: ScopeKey) -> bytes:
        if self._master is None:
            return key.key
        nonce = secrets.token_bytes(_NONCE_SIZE)
        return nonce + AESGCM(self._master).encrypt(nonce, key.key, key.scope.encode())

    def _unwrapped(self, scope: str, stored: bytes) -> bytes:
        if len(stored) == KEY_SIZE:
            return stored
        if len(stored) != _WRAPPED_SIZE:
            raise TamperedError(f"the vault's key of `{scope}` has {len(stored)} bytes, as no key has")
        if self._master is None:
            raise LedgerError(f"the vault's keys are wrapped: set `{MASTER_KEY_VARIABLE}` to its master key")
        try:
            return AESGCM(self._master).decrypt(stored[:_NONCE_SIZE], stored[_NONCE_SIZE:], scope.encode())
        except (InvalidTag, ValueError) as error:
            raise TamperedError(
                f"the vault's key of `{scope}` can't be unwrapped: `{MASTER_KEY_VARIABLE}` is another ledger's master "
                "key, or the key was altered"
            ) from error


def scope_of_cell(value: bytes) -> str | None:
    """Return the scope that a cell is sealed in, or null where it isn't sealed."""
    data = _sealed_cell(value)
    return None if data is None else str(data["scope"])


def _sealed_cell(value: bytes) -> Any:
    if b"\xa6sealed" not in value:
        return None
    try:
        data: Any = decode(value, size_max=4 << 20)
    except CanonicalError:
        return None  # whoever reads it says so
    return data if isinstance(data, dict) and data.keys() == {"scope", "tag", SEALED} else None


def _envelope(body: bytes) -> dict[str, Data]:
    data: Any = decode(body)
    return {name: data[name] for name in ("schema", "kind", "chain", "entry", "prev")}
