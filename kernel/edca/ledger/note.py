"""Signed notes: text with signature lines, as c2sp.org/signed-note defines them.

A key is known by its name and a short id, so that a note may carry signatures of several keys and kinds, and whoever
reads it looks only at those of keys that they trust. Two kinds are made and read here: Ed25519 over the text (the
ledger's own), and the timestamped cosignature of c2sp.org/tlog-cosignature (a witness's).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from edca.ledger.ed25519 import KEY_SIZE, SIGNATURE_SIZE, is_signed, public_key, sign
from edca.ledger.errors import LedgerFormatError

NOTE_SIZE_MAX: Final = 64 << 10  # bytes
SIGNATURES_MAX: Final = 64
_ID_SIZE: Final = 4  # bytes
_TIME_SIZE: Final = 8  # bytes
_TIME_MAX: Final = 2**63 - 1
_PRIVATE: Final = "PRIVATE+KEY+"
_DASH: Final = "\N{EM DASH} "


class KeyKind(IntEnum):
    """What a key signs, by the identifier byte that the specification assigns."""

    LOG = 0x01  # the note's text
    WITNESS = 0x04  # a time, and the note's text


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under the name by which signature lines call it.

    Raises `ValueError` for a name with a space or a plus, or a key of another size than 32 bytes.
    """

    name: str
    kind: KeyKind
    public: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise ValueError(f"`{self.name}` can't be the name of a key: it is empty, or has a space or a plus in it")
        if len(self.public) != KEY_SIZE:
            raise ValueError(f"a public key has {KEY_SIZE} bytes, not {len(self.public)}")

    @property
    def id(self) -> bytes:
        """The 4 bytes that stand for name, kind and key in signature lines."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:_ID_SIZE]

    def __str__(self) -> str:
        """Return the key as people hand it on: `NAME+ID+KEY`."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read what `str` gives. Raises `LedgerFormatError` for anything else."""
        name, id_, kind, public = _key_parts(text)
        if not is_key_name(name):
            raise LedgerFormatError(f"`{name}` can't be the name of a key")
        key = cls(name, kind, public)
        if id_ != key.id:
            raise LedgerFormatError(f"the id of `{name}` is not that of its key: one of the two was altered")
        return key


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key under its name. Its bytes never stand in a representation."""

    name: str
    kind: KeyKind
    private: bytes

    def __repr__(self) -> str:
        return f"SigningKey({str(self.verifier)!r})"

    @property
    def verifier(self) -> VerifierKey:
        """Its public half."""
        return VerifierKey(self.name, self.kind, public_key(self.private))

    def to_secret(self) -> str:
        """Return the key as its owner keeps it: `PRIVATE+KEY+NAME+ID+KEY`."""
        encoded = base64.b64encode(bytes([self.kind]) + self.private).decode()
        return f"{_PRIVATE}{self.name}+{self.verifier.id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """Read what `to_secret` gives. Raises `LedgerFormatError` for anything else; the text is not repeated."""
        if not text.startswith(_PRIVATE):
            raise LedgerFormatError("a private key is written PRIVATE+KEY+NAME+ID+KEY")
        name, id_, kind, private = _key_parts(text.removeprefix(_PRIVATE))
        key = cls(name, kind, private)
        if not is_key_name(name) or id_ != key.verifier.id:
            raise LedgerFormatError("the id of the private key is not that of its name and bytes")
        return key


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: whose it says it is, and its bytes."""

    name: str
    id: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """Text that ends in a newline, and the signatures that stand below it; nothing is said about whether they hold."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def to_bytes(self) -> bytes:
        """Return the note as it is stored and handed on."""
        lines = [f"{_DASH}{one.name} {base64.b64encode(one.id + one.data).decode()}\n" for one in self.signatures]
        return f"{self.text}\n{''.join(lines)}".encode()

    @classmethod
    def parse(cls, raw: bytes) -> Note:
        """Read a note. Raises `LedgerFormatError` for bytes that are none, or that other bytes would say as well."""
        if len(raw) > NOTE_SIZE_MAX:
            raise LedgerFormatError(f"a note has at most {NOTE_SIZE_MAX} bytes, not {len(raw)}")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise LedgerFormatError("a note is UTF-8 text") from error
        if any(character < " " and character != "\n" for character in text):
            raise LedgerFormatError("a note has no control characters but newlines")
        body, blank, below = text.rpartition("\n\n")
        if not blank or not below.endswith("\n"):
            raise LedgerFormatError("a note is text, an empty line, and signature lines")
        lines = below[:-1].split("\n")
        if len(lines) > SIGNATURES_MAX:
            raise LedgerFormatError(f"a note has at most {SIGNATURES_MAX} signatures, not {len(lines)}")
        return cls(f"{body}\n", tuple(_signature(line) for line in lines))

    def signed_by(self, key: SigningKey, *, time: int = 0) -> Note:
        """Return the note with one more signature. `time`, in seconds since the epoch, stands in a witness's.

        Raises `ValueError` for a time that can't be written.
        """
        if not 0 <= time <= _TIME_MAX:
            raise ValueError(f"{time} is no time that a signature can carry")
        stamp = time.to_bytes(_TIME_SIZE, "big") if key.kind is KeyKind.WITNESS else b""
        data = stamp + sign(key.private, _message(key.kind, self.text, time))
        return Note(self.text, (*self.signatures, Signature(key.name, key.verifier.id, data)))

    def signers(self, trusted: tuple[VerifierKey, ...]) -> tuple[Signer, ...]:
        """Return which of the trusted keys have signed, in the order of the lines. Others' lines are passed over.

        Raises `LedgerFormatError` where a line of a trusted key doesn't hold: then nothing of the note can be believed.
        """
        keys = {(key.name, key.id): key for key in trusted}
        found: list[Signer] = []
        for one in self.signatures:
            key = keys.get((one.name, one.id))
            if key is None:
                continue
            time = _time(key.kind, one.data)
            message = b"" if time is None else _message(key.kind, self.text, time)
            if time is None or not is_signed(key.public, one.data[-SIGNATURE_SIZE:], message):
                raise LedgerFormatError(f"the signature of `{one.name}` does not hold: text or signature was altered")
            found.append(Signer(key, time if key.kind is KeyKind.WITNESS else None))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Signer:
    """A trusted key whose signature holds; `time` is when a witness signed, in seconds since the epoch."""

    key: VerifierKey
    time: int | None


def _key_parts(text: str) -> tuple[str, bytes, KeyKind, bytes]:
    """Return name, id, kind and the 32 bytes of `NAME+ID+KEY`. Raises `LedgerFormatError` for any other text."""
    name, _, rest = text.partition("+")
    id_, _, encoded = rest.partition("+")
    data = from_base64(encoded) or b""
    if len(data) != 1 + KEY_SIZE or not re.fullmatch("[0-9a-f]{8}", id_):
        raise LedgerFormatError(
            "a key is written NAME+ID+KEY: 8 hexadecimal digits, and base64 of its kind and 32 bytes"
        )
    if data[0] not in frozenset(KeyKind):
        raise LedgerFormatError(f"kind {data[0]} of key is not known")
    return name, bytes.fromhex(id_), KeyKind(data[0]), data[1:]


def is_key_name(name: str) -> bool:
    """Tell whether signature lines can call a key so."""
    return bool(name) and not any(
        character == "+" or character.isspace() or unicodedata.category(character) in ("Cc", "Zs", "Zl", "Zp", "Cs")
        for character in name
    )


def from_base64(text: str) -> bytes | None:
    """Return the bytes of standard base64, or null where it isn't their only form (RFC 4648, section 4)."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    data = from_base64(encoded)
    if not line.startswith(_DASH) or not is_key_name(name) or data is None or len(data) <= _ID_SIZE:
        raise LedgerFormatError("a signature line is an em dash, the key's name, and base64 of its id and signature")
    return Signature(name, data[:_ID_SIZE], data[_ID_SIZE:])


def _message(kind: KeyKind, text: str, time: int) -> bytes:
    match kind:
        case KeyKind.LOG:
            return text.encode()
        case KeyKind.WITNESS:
            return f"cosignature/v1\ntime {time}\n{text}".encode()


def _time(kind: KeyKind, data: bytes) -> int | None:
    """Return the time in a signature, 0 where its kind carries none, or null where it has another size."""
    stamp_size = _TIME_SIZE if kind is KeyKind.WITNESS else 0
    if len(data) != stamp_size + SIGNATURE_SIZE:
        return None
    time = int.from_bytes(data[:stamp_size], "big")
    return time if time <= _TIME_MAX else None
