"""Ed25519 (RFC 8032) keys and signatures, as raw bytes."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_SIZE: Final = 32  # bytes, of either key
SIGNATURE_SIZE: Final = 64  # bytes


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


def is_signed(public: bytes, signature: bytes, signed: bytes) -> bool:
    """Tell whether the owner of the key has signed just these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True
