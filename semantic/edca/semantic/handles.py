"""Handles: what a model is shown in place of an identifier that isn't published, and how it is read back.

A handle is the identifier itself, encrypted and authenticated with AES-SIV (RFC 5297) under the session's own key. So
nothing needs to be kept to read it back; equal values have one handle in a session, and no two sessions share one; who
makes one up meets 128 bits of authentication. What kind of thing it stands for is bound to it: the handle of a person
is none of an order.

    handle    = "h_" + base32(SIV || ciphertext), lower case, without padding (RFC 4648)
    plaintext = canonical bytes of the value's raw form, 0x80, and zeros up to 16, 32, 64, … bytes
    key       = HKDF-SHA-256 (RFC 5869) of the session's secret, over whose session it is; 64 bytes

A text that is no handle of this session (made up, another session's, another person's, expired, of another kind) is not
refused here. It stands for a *decoy*: a value that nothing has. So it goes the whole way of one that names nothing, is
answered like it, and costs the same.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from edca.kernel import canonical

if TYPE_CHECKING:
    from edca.kernel.candidate import Caller
    from edca.kernel.canonical import Data

PREFIX = "h_"
SECRET_SIZE = 32  # bytes
PATTERN = "^h_[a-z2-7]{52,}$"
_BLOCK = 16
_SIV_SIZE = 16
_TEXT_MAX = 4096  # characters; longer texts are no handles of anybody's


class Handles:
    """The handles of one session: of one caller, in one tenant, with one machine."""

    __slots__ = ("_cipher", "_decoys")

    def __init__(self, secret: bytes, *, tenant: str, machine: str, caller: Caller) -> None:
        """Derive the keys. `secret` is the session's own 32 bytes: raises `ValueError` for any other number of them."""
        if len(secret) != SECRET_SIZE:
            raise ValueError(f"the secret of a session has {SECRET_SIZE} bytes")
        whose = canonical.encode(["edca handles 1", tenant, machine, caller.proposer, caller.role, caller.subject])
        keys = HKDF(hashes.SHA256(), 96, None, whose).derive(secret)
        self._cipher = AESSIV(keys[:64])
        self._decoys = keys[64:]

    def shown(self, kind: str, raw: Data) -> str:
        """Return the handle of a value, given in raw form."""
        plain = canonical.encode(raw) + b"\x80"
        size = _BLOCK
        while size < len(plain):
            size *= 2
        sealed = self._cipher.encrypt(plain.ljust(size, b"\0"), [kind.encode()])
        return PREFIX + _base32(sealed)

    def meant(self, kind: str, text: str, *, expired: bool = False) -> Data | None:
        """Return the raw form of the value whose handle the text is; null where it is none of that kind here.

        The cipher is asked whatever the text, so that what is plainly wrong takes as long as what is nearly right.
        """
        sealed = _sealed(text)
        attempt = sealed or hashlib.sha256(text.encode("utf-8", "replace")).digest()
        try:
            plain = self._cipher.decrypt(attempt, [kind.encode()])
        except InvalidTag:
            return None
        if sealed is None or expired:
            return None
        return canonical.decode(plain.rstrip(b"\0")[:-1])

    def decoy(self, text: str) -> str:
        """Return an identifier that stands for nothing: the one of this text, which nobody else can know or choose."""
        mark = hmac.new(self._decoys, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
        return f"unresolved {mark[:32]}"


def is_handle(text: str) -> bool:
    """Tell whether the text has the form of a handle, whoever made it."""
    return _sealed(text) is not None


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()


def _sealed(text: str) -> bytes | None:
    """Return the bytes that a text in the one spelling of handles stands for."""
    spelled = text.removeprefix(PREFIX)
    if spelled == text or len(text) > _TEXT_MAX:
        return None
    try:
        sealed = base64.b32decode(spelled.upper() + "=" * (-len(spelled) % 8))
    except ValueError:
        return None
    size = len(sealed) - _SIV_SIZE
    fits = size >= _BLOCK and size & (size - 1) == 0
    # One value, one handle: neither capitals nor bits that stand behind the last byte make another.
    return sealed if fits and _base32(sealed) == spelled else None
