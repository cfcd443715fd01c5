"""Personal values in records: a commitment stands in the record, the value beside it, encrypted, in the vault.

A value to be sealed is wrapped in `Personal`. When its record gets its place, the ledger puts `{"sealed": commitment}`
there and keeps the values of the record, in the order in which they stand in it, encrypted in one row of the vault.
All keys come from the key of the record's scope (a case, or a person outside of any case) by HKDF-Expand with SHA-256
(RFC 5869, section 2.3; a scope's key is 32 uniformly random bytes, so the extract step may be skipped, section 3.3):

- a commitment is HMAC-SHA-256 (RFC 2104) over the value's canonical bytes, under a key of that chain, entry and path;
- a row is AES-256-GCM under a key and nonce of that chain, entry and record digest. The digest covers the commitments
  and so the values: two different rows never share key and nonce, whatever was rolled back or restored in between.

So with the scope's key everything can be checked and read, and without it nothing; no randomness is in a record.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from edca.kernel.blinding import Blinding
from edca.kernel.canonical import SIZE_MAX, CanonicalError, Data, Encoded, decode, encode
from edca.ledger.errors import TamperedError

SEALED: Final = "sealed"
_MARK: Final = encode(SEALED)  # a key stands in canonical bytes as it is
KEY_SIZE: Final = 32
_NONCE_SIZE: Final = 12


@dataclass(frozen=True, slots=True)
class Personal:
    """A value that no record may show."""

    value: Data


@dataclass(frozen=True, slots=True)
class ScopeKey:
    """The key of everything personal in one scope. `subject` is whose it is, empty where nobody knows (yet)."""

    scope: str
    subject: str
    key: bytes = field(repr=False)

    def derived(self, purpose: str, about: Data, size: int = KEY_SIZE) -> bytes:
        """Return a key for one purpose: HKDF-Expand, whose info is `edca/PURPOSE`, a zero byte and canonical bytes."""
        info = b"edca/" + purpose.encode("ascii") + b"\0" + encode(about)
        return HKDFExpand(SHA256(), size, info).derive(self.key)

    @property
    def blinding(self) -> Blinding:
        """What the digests of candidates and previews of this scope are made with."""
        return Blinding(self.scope, self.derived("blinding", self.scope))

    @property
    def fingerprint(self) -> bytes:
        """16 bytes that name the key and give nothing of it away: it is random."""
        return hashlib.sha256(b"edca/scope-key\0" + self.key).digest()[:16]

    def commitment(self, chain: str, entry: int, path: str, value: Data) -> bytes:
        """Return the 32 bytes that stand for the value at that path of that record."""
        return hmac.digest(self.derived("commitment", [chain, entry, path]), encode(value), "sha256")

    def row(self, chain: str, entry: int, digest: bytes, values: list[Data]) -> bytes:
        """Return the record's values, encrypted; `digest` is the record's."""
        key, nonce = self._row_key(chain, entry, digest)
        return AESGCM(key).encrypt(nonce, encode(values), digest)

    def values(self, chain: str, entry: int, digest: bytes, row: bytes) -> list[Data]:
        """Return the values of a row. Raises `TamperedError` for a row that isn't the record's."""
        key, nonce = self._row_key(chain, entry, digest)
        try:
            values = decode(AESGCM(key).decrypt(nonce, row, digest), size_max=2 * SIZE_MAX)
        except (InvalidTag, CanonicalError, ValueError) as error:
            raise TamperedError("the values kept for it in the vault are not those that were sealed") from error
        if not isinstance(values, list):
            raise TamperedError("what the vault keeps for it are no values")
        return values

    def cell(self, space: str, key: str, value: bytes) -> bytes:
        """Return a cell's value, encrypted. Key and nonce come from the value itself (a synthetic IV, RFC 5297).

        So equal values of one cell look equal, and nothing else does.
        """
        tag = hmac.digest(self.derived("cell-tag", [space, key]), value, "sha256")
        made = self.derived("cell", [space, key, tag], KEY_SIZE + _NONCE_SIZE)
        box = AESGCM(made[:KEY_SIZE]).encrypt(made[KEY_SIZE:], value, tag)
        return encode({"scope": self.scope, "tag": tag, SEALED: box})

    def opened_cell(self, space: str, key: str, tag: bytes, box: bytes) -> bytes:
        """Return the value of a sealed cell. Raises `TamperedError` for another one's."""
        made = self.derived("cell", [space, key, tag], KEY_SIZE + _NONCE_SIZE)
        try:
            return AESGCM(made[:KEY_SIZE]).decrypt(made[KEY_SIZE:], box, tag)
        except (InvalidTag, ValueError) as error:
            raise TamperedError(f"the sealed cell `{space}` `{key}` is not what was sealed") from error

    def _row_key(self, chain: str, entry: int, digest: bytes) -> tuple[bytes, bytes]:
        made = self.derived("vault", [chain, entry, digest], KEY_SIZE + _NONCE_SIZE)
        return made[:KEY_SIZE], made[KEY_SIZE:]


def cover(content: Mapping[str, Any], key: ScopeKey, chain: str, entry: int) -> tuple[dict[str, Any], list[Data]]:
    """Return the content with a commitment in the place of each `Personal`, and their values in order."""
    values: list[Data] = []

    def covered(data: Any, path: str) -> Any:
        match data:
            case Personal(value):
                values.append(value)
                return {SEALED: key.commitment(chain, entry, path, value)}
            case dict():
                return {name: covered(data[name], _step(path, name)) for name in sorted(data)}
            case list() | tuple():
                return [covered(item, f"{path}[{place}]") for place, item in enumerate(data)]
            case Encoded():
                return data
            case _:
                return data

    return {name: covered(content[name], name) for name in sorted(content)}, values


def commitments(content: Data, path: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield path and commitment of each sealed value of a record's content, in the order of the vault's row."""
    if isinstance(content, dict):
        sealed = is_sealed(content)
        if sealed is not None:
            yield path, sealed
            return
        for name in sorted(content):
            yield from commitments(content[name], _step(path, name))
    elif isinstance(content, (list, tuple)):
        for place, item in enumerate(content):
            yield from commitments(item, f"{path}[{place}]")


def may_commit(body: bytes) -> bool:
    """Tell whether a body may hold commitments: a look at the bytes, for whoever goes over many. No is always right."""
    return _MARK in body


def uncover(content: Data, values: Iterator[Data]) -> Any:
    """Return the content with the values back in their places."""
    if isinstance(content, dict):
        if is_sealed(content) is not None:
            return next(values)
        return {name: uncover(content[name], values) for name in sorted(content)}
    if isinstance(content, (list, tuple)):
        return [uncover(item, values) for item in content]
    return content


def is_sealed(data: Data) -> bytes | None:
    """Return the commitment that stands here, or null where something else does.

    Nothing else in a record looks so: raw values hold no bytes, and nothing of the runtime's own is called `sealed`.
    """
    if isinstance(data, dict) and len(data) == 1:
        found = data.get(SEALED)
        if isinstance(found, bytes) and len(found) == KEY_SIZE:
            return found
    return None


def check(content: Data, key: ScopeKey, chain: str, entry: int, values: list[Data]) -> None:
    """Raise `TamperedError` where the values are not those that the record's commitments stand for."""
    places = list(commitments(content))
    if len(places) != len(values):
        raise TamperedError(f"it commits to {len(places)} personal values, and the vault keeps {len(values)} for it")
    for (path, commitment), value in zip(places, values, strict=True):
        if not hmac.compare_digest(commitment, key.commitment(chain, entry, path, value)):
            raise TamperedError(f"the value kept for `{path}` is not the one that it commits to")


def _step(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
