"""What one transaction will do to the vault, in every store; and taking back what is staged, newest first."""

import dataclasses
from typing import Any, Final

from edca.ledger.record import Draft
from edca.ledger.sealing import cover

StoredKey = tuple[str, bytes, bytes]
"""A scope's key as the vault keeps it: whose it is, the key (wrapped, or empty once destroyed), and what names it."""

_GONE: Final = object()


class VaultWrites:
    """Keys and values to be kept and to be destroyed. Whatever is staged is staged with `_set`."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.keys: dict[str, StoredKey | None] = {}  # by scope; null: to be forgotten
        self.destroyed: dict[str, bool] = {}  # scopes whose values go
        self.dropped: dict[int, bool] = {}  # single records whose values go
        self.vault: dict[int, tuple[str, str, bytes]] = {}  # scope, asker and encrypted values, by number
        self._undo: list[tuple[dict[Any, Any], Any, Any]] = []

    def put_key(self, scope: str, key: StoredKey | None) -> None:
        """Keep a scope's key, or whose it is; null forgets the scope."""
        self._set(self.keys, scope, key)

    def destroy(self, scope: str) -> None:
        """Let go of all values of a scope."""
        self._set(self.destroyed, scope, True)

    def drop(self, number: int) -> None:
        """Let go of the values of one record."""
        self._set(self.dropped, number, True)

    def _keep(self, draft: Draft, number: int, entry: int, digest: bytes, values: list[Any]) -> None:
        """Keep the personal values of a record, encrypted, if it has any."""
        if draft.key is not None and values:
            row = draft.key.row(draft.chain, entry, digest, values)
            self._set(self.vault, number, (draft.key.scope, draft.asker, row))

    def _take_back(self, undo_count: int) -> None:
        while len(self._undo) > undo_count:
            where, key, value = self._undo.pop()
            if value is _GONE:
                del where[key]
            else:
                where[key] = value

    def _set(self, where: dict[Any, Any], key: Any, value: Any) -> None:
        self._undo.append((where, key, where.get(key, _GONE)))
        where[key] = value


def covered(draft: Draft, entry: int) -> tuple[Draft, list[Any]]:
    """Return the draft with commitments in the places of its personal values, and these values in order."""
    if draft.key is None:
        return draft, []
    content, values = cover(draft.content, draft.key, draft.chain, entry)
    return dataclasses.replace(draft, content=content), values
