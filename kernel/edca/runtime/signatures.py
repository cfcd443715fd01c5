"""Ed25519 signatures of people: over what they were shown and answered, and over the state they found a case in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edca.kernel import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_SIZE: Final = 32  # bytes, of either key
_PREFIX: Final = b"edca/approval\x00"
_OBSERVATION_PREFIX: Final = b"edca/observation\x00"


def message(question: str, preview: bytes, code: str, *, yes: bool) -> bytes:
    """Return the bytes that an approver signs. The question's id is new each time, so that no signature fits twice."""
    content = canonical.encode({"question": question, "preview": preview, "code": code, "yes": yes})
    return _PREFIX + content


def observation(case: str, entry: int, state: str) -> bytes:
    """Return the bytes that somebody signs who found the case of that id in that state.

    `entry` is the one that the case's next record gets, so that no signature fits twice.
    """
    return _OBSERVATION_PREFIX + canonical.encode({"case": case, "entry": entry, "state": state})


def new_key() -> tuple[bytes, bytes]:
    """Return a new private key and its public key, 32 bytes each."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes_raw(), key.public_key().public_bytes_raw()


def public_key(private: bytes) -> bytes:
    """Return the public key of a private one. Raises `ValueError` for anything but 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def sign(private: bytes, signed: bytes) -> bytes:
    """Return the signature, 64 bytes. Raises `ValueError` for a key of another size than 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(private).sign(signed)


def is_signed(keys: Iterable[bytes], signature: bytes | None, signed: bytes) -> bool:
    """Tell whether the owner of one of the public keys has signed just these bytes; without a signature nobody has."""
    return signature is not None and any(_is_signed_with(key, signature, signed) for key in keys)


def _is_signed_with(key: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True
