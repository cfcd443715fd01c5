"""Digests of what may hold personal values: keyed, so that nobody without the key can try out what they stand for.

A plain digest of a short text gives the text away to whoever tries all short texts. A keyed one (HMAC, RFC 2104) is a
commitment: it fixes the text, tells nothing of it, and once the key is destroyed nobody can ever connect the two.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from edca.kernel import canonical


@dataclass(frozen=True, slots=True)
class Blinding:
    """Makes the digests of one case, or of one person's candidates outside of any case, under `scope`'s key."""

    scope: str
    key: bytes = field(repr=False)

    def digest(self, domain: str, encoded: bytes) -> bytes:
        """Return 32 bytes: HMAC-SHA-256, under the key, of what `canonical.digest` hashes."""
        return hmac.digest(self.key, b"edca/" + domain.encode("ascii") + b"\0" + encoded, "sha256")


def digest(blinding: Blinding | None, domain: str, encoded: bytes) -> bytes:
    """Return the keyed digest, or the plain one where there is no key because nothing personal can be in it."""
    return canonical.digest(domain, encoded) if blinding is None else blinding.digest(domain, encoded)
