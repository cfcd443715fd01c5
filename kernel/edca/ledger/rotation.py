"""How a ledger's key is changed on record, and how a reader follows from a key that they trust to the one in force.

A configuration document of what `key` names the next key, and is signed by the one in force. So a reader who has
trusted the first key for ten years needs nobody to tell them the present one: the ledger does, offline. A checkpoint
must be signed by the key in force for as many records as it counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from edca.kernel import canonical
from edca.ledger.ed25519 import is_signed, sign
from edca.ledger.errors import LedgerError, LedgerFormatError
from edca.ledger.leaf import HEADER_SIZE, LAYOUT, ChainKind
from edca.ledger.note import KeyKind, VerifierKey
from edca.ledger.record import body_digest, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edca.kernel.canonical import Data
    from edca.ledger.note import Signer, SigningKey

WHAT: Final = "key"
_DOMAIN: Final = b"edca/key\0"
_KIND_OFFSET: Final = 6  # of the chain's kind in a header


def announcement(current: SigningKey, following: VerifierKey, *, at: int) -> bytes:
    """Return the document by which the key in force hands over to the next one of the same ledger.

    `at` is in microseconds UTC. Raises `LedgerError` for keys that can't follow each other.
    """
    if (current.kind, following.kind) != (KeyKind.LOG, KeyKind.LOG) or current.name != following.name:
        raise LedgerError(f"the key of `{current.name}` hands over to another one of that ledger, not to {following}")
    public = current.verifier.public
    if following.public == public:
        raise LedgerError(f"{following} is the key that is to be replaced")
    signature = sign(current.private, _message(current.name, public, following.public, at))
    content: dict[str, Data] = {"at": at, "origin": current.name, "from": public, "to": following.public}
    return canonical.encode({**content, "signature": signature})


def _message(origin: str, current: bytes, following: bytes, at: int) -> bytes:
    return _DOMAIN + current + following + at.to_bytes(8, "big") + origin.encode()


@dataclass(frozen=True, slots=True)
class Span:
    """A key, and for how many records its signature counts: from `since` to `until`, both included (null: no end)."""

    key: VerifierKey
    since: int = 0
    until: int | None = None

    def covers(self, size: int) -> bool:
        """Whether the key is in force for a checkpoint that counts so many records."""
        return self.since <= size and (self.until is None or size <= self.until)


@dataclass(frozen=True, slots=True)
class KeyLine:
    """The keys that a reader trusts, and those that followed them on record, each where it was in force.

    `broken` are the indexes of records that announce a key in the name of a trusted one that did not sign them, or had
    been replaced.
    """

    spans: tuple[Span, ...]
    broken: tuple[int, ...] = ()

    @staticmethod
    def of(trusted: Iterable[VerifierKey]) -> KeyLine:
        """Return the line of keys that are trusted, before any record was read."""
        return KeyLine(tuple(Span(key) for key in trusted))

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """All of them, witnesses' too."""
        return tuple(span.key for span in self.spans)

    def follow(self, index: int, body: bytes) -> KeyLine:
        """Return the line after one record of the chain `config`; most of those hold another document."""
        announced = _announced(body)
        if announced is None:
            return self
        match announced:
            case {
                "origin": str() as origin,
                "from": bytes() as current,
                "to": bytes() as following,
                "at": int() as at,
                "signature": bytes() as signature,
                **others,
            } if not others and type(at) is int and 0 <= at < 1 << 63:
                pass
            case _:
                return replace(self, broken=(*self.broken, index))
        mine = [span for span in self.spans if span.key.kind is KeyKind.LOG and span.key.name == origin]
        if not any(span.key.public == current for span in mine):
            return self  # of a key that nobody here trusts: nothing rests on it, and nothing follows from it
        holder = next((span for span in mine if span.key.public == current and span.until is None), None)
        holds = is_signed(current, signature, _message(origin, current, following, at))
        if holder is None or not holds or len(following) != len(current) or following == current:
            return replace(self, broken=(*self.broken, index))
        spans = [replace(span, until=index) if span is holder else span for span in self.spans]
        if not any(span.key.public == following for span in mine):
            spans.append(Span(VerifierKey(origin, KeyKind.LOG, following), index + 1))
        return replace(self, spans=tuple(spans))

    def flaw(self, size: int, origin: str, signers: Iterable[Signer]) -> str | None:
        """Say why a checkpoint that counts so many records is not to be believed; null where a key in force signed."""
        own = [one.key for one in signers if one.key.kind is KeyKind.LOG and one.key.name == origin]
        found = [span for span in self.spans if span.key in own]
        if any(span.covers(size) for span in found):
            return None
        for span in found:
            if span.until is not None and size > span.until:
                return f"it counts {size} records, and its key was replaced by record {span.until}"
            return f"it counts {size} records, and record {span.since - 1} announces its key only"
        return None  # no key of the ledger has signed: that is said elsewhere


def _announced(body: bytes) -> Data:
    """Return what a document of what `key` holds, an empty map where that is garbage; null for other documents."""
    try:
        content = parse(body).content
        document = content.get("bytes")
        if content.get("what") != WHAT or not isinstance(document, bytes):
            return None
        return canonical.decode(document) if content.get("digest") == canonical.digest(WHAT, document) else {}
    except LedgerFormatError:
        return None  # the verifier names it
    except canonical.CanonicalError:
        return {}


def followed(trusted: Iterable[VerifierKey], records: Iterable[tuple[int, bytes, bytes | None]]) -> KeyLine:
    """Return the line of keys after records, each with index, header and body; only chain `config` is looked into."""
    line = KeyLine.of(trusted)
    for index, header, body in records:
        if body is not None and is_configuration(header) and body_digest(body) == LAYOUT.unpack(header)[-1]:
            line = line.follow(index, body)
    return line


def is_configuration(header: bytes) -> bool:
    """Whether a header says that its record belongs to the chain `config`."""
    kind = ChainKind.CONFIG.to_bytes(2, "big")
    return len(header) == HEADER_SIZE and header[_KIND_OFFSET : _KIND_OFFSET + 2] == kind
