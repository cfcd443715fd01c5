"""The envelope of a record body: the few keys that every record has, whatever it says.

A body is one canonical map. The envelope keys are `schema`, `kind`, `chain`, `entry` and `prev`; all others
are the writer's. `entry` counts a chain's records from 0 without a gap, and `prev` is the digest of the
chain's previous body, so a chain taken out of the ledger alone can still be checked. The store fixes both
at commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edca.kernel.canonical import SIZE_MAX, CanonicalError, Data, decode, digest, encode_map
from edca.ledger.errors import LedgerError, LedgerFormatError
from edca.ledger.leaf import HASH_SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.ledger.sealing import ScopeKey

SCHEMA: Final = "edca.record/1"
RECORD_SIZE_MAX: Final = SIZE_MAX
"""Largest body, in bytes (1 MiB): what a reader must be ready to hold."""
CHAIN_SIZE_MAX: Final = 256
"""Longest chain name, in UTF-8 bytes."""

_ENVELOPE_KEYS: Final = frozenset({"schema", "kind", "chain", "entry", "prev"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A record without its place: `chain` is a case id, `intake` or `config`; `content` is the writer's.

    With a `key`, each `sealing.Personal` in the content is sealed under it. `subject` is whose values these are, as far
    as is known; `asker` who handed them over, where the record is of no case.
    """

    chain: str
    kind: str
    content: Mapping[str, Any]
    key: ScopeKey | None = None
    subject: str = ""
    asker: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A decoded body: the envelope, and the writer's keys in `content`."""

    kind: str
    chain: str
    entry: int
    prev: bytes
    content: dict[str, Data]


def seal(draft: Draft, entry: int, prev: bytes) -> bytes:
    """Return the body of `draft` at its place in the chain.

    Raises `LedgerError` if the draft uses an envelope key, names no chain or kind, or the body is over
    `RECORD_SIZE_MAX`, and `CanonicalError` if its content has no canonical bytes.
    """
    taken = sorted(_ENVELOPE_KEYS & draft.content.keys())
    if taken:
        raise LedgerError(f"the record's content uses `{taken[0]}`, which belongs to the envelope")
    if not draft.kind:
        raise LedgerError("a record needs a kind")
    body = encode_map(
        {
            **draft.content,
            "schema": SCHEMA,
            "kind": draft.kind,
            "chain": draft.chain,
            "entry": entry,
            "prev": prev,
        }
    )
    if not 0 < len(draft.chain.encode()) <= CHAIN_SIZE_MAX:
        raise LedgerError(f"a chain's name has 1 to {CHAIN_SIZE_MAX} bytes")
    if len(body) > RECORD_SIZE_MAX:
        raise LedgerError(
            f"the record has {len(body)} bytes, over the limit of {RECORD_SIZE_MAX}; keep large evidence "
            "elsewhere and record its digest"
        )
    return body


def parse(body: bytes) -> Record:
    """Read a body strictly. Raises `LedgerFormatError` if it is not canonical or its envelope is wrong."""
    try:
        data = decode(body, size_max=RECORD_SIZE_MAX)
    except CanonicalError as error:
        raise LedgerFormatError(f"the body is not canonical: {error}") from error
    if not isinstance(data, dict):
        raise LedgerFormatError("the body is not a map")
    missing = sorted(_ENVELOPE_KEYS - data.keys())
    if missing:
        raise LedgerFormatError(f"the body has no `{missing[0]}`")
    schema, kind, chain = data["schema"], data["kind"], data["chain"]
    entry, prev = data["entry"], data["prev"]
    if schema != SCHEMA:
        raise LedgerFormatError(f"the body's `schema` is not {SCHEMA}")
    if not (isinstance(kind, str) and kind):
        raise LedgerFormatError("the body's `kind` is not text")
    if not (isinstance(chain, str) and 0 < len(chain.encode()) <= CHAIN_SIZE_MAX):
        raise LedgerFormatError(f"the body's `chain` is not text of 1 to {CHAIN_SIZE_MAX} bytes")
    # `True` is an int to Python, and not to the format.
    if not (isinstance(entry, int) and not isinstance(entry, bool) and entry >= 0):
        raise LedgerFormatError("the body's `entry` is not a count")
    if not (isinstance(prev, bytes) and len(prev) == HASH_SIZE):
        raise LedgerFormatError(f"the body's `prev` is not {HASH_SIZE} bytes")
    content = {key: value for key, value in data.items() if key not in _ENVELOPE_KEYS}
    return Record(kind, chain, entry, prev, content)


def body_digest(body: bytes) -> bytes:
    """Return the digest under which a header and the chain's next record name this body."""
    return digest("record", body)
