"""What a host may hand over as a candidate or an inquiry, as the bytes that admission reads."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import Candidate, Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping


def payload_of(candidate: Mapping[str, Any] | str | bytes | Candidate | Malformed) -> bytes | Candidate | Malformed:
    """Return what the runtime admits. Raises `TypeError` for a mapping that holds what JSON can't."""
    return candidate if isinstance(candidate, (Candidate, Malformed)) else candidate_bytes(candidate)


def candidate_bytes(candidate: Mapping[str, Any] | str | bytes) -> bytes:
    """Return the bytes that admission reads. Raises `TypeError` for a mapping that holds what JSON can't."""
    match candidate:
        case bytes():
            return candidate
        case str():
            # A lone surrogate has no UTF-8; what comes out instead is refused as malformed.
            return candidate.encode("utf-8", errors="surrogatepass")
        case _:
            return json.dumps(dict(candidate), default=_plain).encode("utf-8")


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"a candidate can't hold a {type(value).__name__}")
