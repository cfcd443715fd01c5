"""Ed25519 signatures of people: over what they were shown and answered, and over the state they found a case in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edca.kernel import canonical
from edca.ledger import ed25519

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def is_signed(keys: Iterable[bytes], signature: bytes | None, signed: bytes) -> bool:
    """Tell whether the owner of one of the public keys has signed just these bytes; without a signature nobody has."""
    return signature is not None and any(ed25519.is_signed(key, signature, signed) for key in keys)
