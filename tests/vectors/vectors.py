"""The test vectors of the ledger's format: what each holds, and the code of its one fault.

The files beside this one are written from it (`EDCA_UPDATE_GOLDEN=1 pytest tests/vectors`), so that any implementation
can run them without Python.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from canonical_bytes import CANONICAL, NOT_CANONICAL

from edca.kernel.canonical import decode, digest, encode
from edca.ledger.checkpoint import Checkpoint
from edca.ledger.leaf import NO_HASH, Leaf, chain_tag
from edca.ledger.note import KeyKind, Note, SigningKey
from edca.ledger.proof import inclusion_proof, subtree_hash
from edca.ledger.receipt import Receipt
from edca.ledger.record import SCHEMA, body_digest
from edca.ledger.rotation import announcement
from edca.ledger.store import StoredRecord
from edca.ledger.subtrees import StoredSubtrees
from edca.ledger.tree import EMPTY_ROOT, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edca.kernel.canonical import Data
    from edca.ledger.note import VerifierKey

LOG = SigningKey("refunds.example/desk", KeyKind.LOG, bytes(range(32)))
NEXT = SigningKey("refunds.example/desk", KeyKind.LOG, bytes(range(1, 33)))
OTHER = SigningKey("other.example/desk", KeyKind.LOG, bytes(range(2, 34)))
ONE = SigningKey("witness.example/one", KeyKind.WITNESS, bytes([1] * 32))
TWO = SigningKey("witness.example/two", KeyKind.WITNESS, bytes([2] * 32))
TIME = 1_774_008_000


@dataclass(frozen=True)
class Vector:
    """One file: what it holds, whom its reader trusts, and the code of its fault, or `ok`."""

    name: str
    expect: str
    kind: str
    payload: bytes
    about: str
    trust: tuple[VerifierKey, ...] = ()
    witnesses: int = 0

    def to_bytes(self) -> bytes:
        """The file."""
        lines = [f"about: {self.about}", f"kind: {self.kind}", f"expect: {self.expect}"]
        lines += [f"trust: {key}" for key in self.trust]
        lines += [f"witnesses: {self.witnesses}"] if self.witnesses else []
        return "\n".join(lines).encode() + b"\n\n" + self.payload


# --- canonical bytes ---


def canonical_vectors() -> Iterator[Vector]:
    for name, (text, about) in CANONICAL.items():
        yield Vector(f"canonical-{name}", "ok", "canonical", f"{text}\n".encode(), about)
    for name, (text, about) in NOT_CANONICAL.items():
        yield Vector(f"canonical-bad-{name}", "canonical", "canonical", f"{text}\n".encode(), about)


# --- checkpoints ---

CHECKPOINT = Checkpoint(LOG.name, 20_852_163, bytes(range(32)))


def _noted(text: str, *keys: SigningKey) -> bytes:
    note = Note(text)
    for key in keys:
        note = note.signed_by(key, time=TIME)
    return note.to_bytes()


def checkpoint_vectors() -> Iterator[Vector]:
    text = CHECKPOINT.text
    origin, size, root = text[:-1].split("\n")
    trust = (LOG.verifier, ONE.verifier, TWO.verifier)

    def vector(name: str, expect: str, payload: bytes, about: str, witnesses: int = 0) -> Vector:
        return Vector(f"checkpoint-{name}", expect, "checkpoint", payload, about, trust, witnesses)

    signed, cosigned = _noted(text, LOG), _noted(text, LOG, ONE, TWO)
    yield vector("signed", "ok", signed, "signed by its ledger")
    yield vector("empty-ledger", "ok", _noted(Checkpoint(LOG.name, 0, EMPTY_ROOT).text, LOG), "of no records")
    false = _noted(Checkpoint(LOG.name, 0, bytes(32)).text, LOG)
    yield vector("bad-empty-root", "format", false, "of no records, with another root than that of nothing")
    yield vector("cosigned", "ok", cosigned, "two witnesses have signed as well", 2)
    yield vector("other-keys", "ok", _noted(text, OTHER, LOG, NEXT), "lines of keys that nobody trusts are passed over")
    yield vector("extension", "ok", _noted(f"{text}more\n", LOG), "lines after the third are signed and passed over")
    flipped = bytearray(signed)
    flipped[flipped.index(b"20852163")] = ord("3")
    yield vector("bad-size-flipped", "signature", bytes(flipped), "another size than was signed")
    yield vector("bad-no-own", "signature", _noted(text, ONE, TWO), "witnesses alone don't make a checkpoint")
    yield vector("bad-other-log", "signature", _noted(text, OTHER), "signed by another ledger's key")
    unsure = Note.parse(cosigned)
    stamped = replace(unsure.signatures[1], data=bytes(8) + unsure.signatures[1].data[8:])
    other_time = Note(text, (unsure.signatures[0], stamped)).to_bytes()
    yield vector("bad-witness-time", "signature", other_time, "another time than the witness signed")
    short = replace(unsure.signatures[0], data=unsure.signatures[0].data[:-1])
    yield vector("bad-signature-short", "signature", Note(text, (short,)).to_bytes(), "a signature of 63 bytes")
    yield vector("bad-one-witness", "witness", _noted(text, LOG, ONE), "one witness where two are asked for", 2)
    yield vector("bad-witness-twice", "witness", _noted(text, LOG, ONE, ONE), "a witness does not count twice", 2)
    for name, changed, about in (
        ("leading-zero", f"{origin}\n0{size}\n{root}\n", "a size with a leading zero"),
        ("negative", f"{origin}\n-1\n{root}\n", "a size below zero"),
        ("huge", f"{origin}\n{2**63}\n{root}\n", "a size past 2^63 - 1"),
        ("digits", f"{origin}\n\u0661\n{root}\n", "digits of another script"),
        ("short-root", f"{origin}\n{size}\nAAAA\n", "a root of three bytes"),
        ("base64", f"{origin}\n{size}\n{root[:-2]}9=\n", "base64 with bits left over"),
        ("two-lines", f"{origin}\n{size}\n", "no root"),
        ("empty-line", f"{origin}\n{size}\n{root}\n\nmore\n", "an empty line among the others"),
        ("control", f"{origin}\n{size}\n{root}\na\tb\n", "a control character"),
        ("crlf", f"{origin}\r\n{size}\r\n{root}\r\n", "line ends of another system"),
    ):
        yield vector(f"bad-{name}", "format", _noted(changed, LOG), about)
    for name, about in (
        ("a\u00a0b", "a space of another kind"),
        ("a+b", "a plus"),
        ("a\u2028b", "a line separator"),
        ("a\x7fb", "a control character"),
    ):
        line = signed.decode().splitlines()[-1].replace(LOG.name, name)
        raw = signed + f"{line}\n".encode()
        yield vector(f"bad-name-{ord(name[1]):04x}", "format", raw, f"a signature by a name with {about} in it")
    many = signed + signed.split(b"\n\n")[1] * 64
    yield vector("bad-65-signatures", "format", many, "more signatures than a note may have")
    yield vector("bad-unsigned", "format", text.encode(), "no signatures at all")
    yield vector("bad-dash", "format", signed.replace("— ".encode(), b"- "), "a hyphen in the dash's place")
    yield vector("bad-utf8", "format", signed.replace(b"desk\n", b"desk\xff\n", 1), "not UTF-8")


# --- ledgers and receipts ---


@dataclass
class Rows:
    """A ledger under construction: header and body of each record, as bytes."""

    headers: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def copy(self) -> Rows:
        return Rows(list(self.headers), list(self.bodies))

    def payload(self, note: bytes = b"") -> bytes:
        rows = "\n".join(f"{header.hex()}/{body.hex()}" for header, body in zip(self.headers, self.bodies, strict=True))
        return rows.encode() + (b"\n\n" + note if note else b"\n")

    def relinked(self) -> Rows:
        """The same with headers that fit the bodies and each other again, as a forger with the whole file would."""
        rows, previous = Rows(), NO_HASH
        for header, body in zip(self.headers, self.bodies, strict=True):
            leaf = replace(Leaf.from_bytes(header), previous=previous, body_digest=body_digest(body))
            rows.headers.append(leaf.to_bytes())
            rows.bodies.append(body)
            previous = leaf.leaf_hash()
        return rows

    def checkpoint(self, *keys: SigningKey) -> bytes:
        hashes = [leaf_hash(header) for header in self.headers]
        root = subtree_hash(StoredSubtrees(lambda start, end: hashes[start:end]), 0, len(hashes))
        return _noted(Checkpoint(LOG.name, len(hashes), root).text, *keys)

    def receipt(self, index: int, *keys: SigningKey) -> Receipt:
        hashes = [leaf_hash(header) for header in self.headers]
        path = inclusion_proof(StoredSubtrees(lambda start, end: hashes[start:end]), index, len(hashes))
        stored = StoredRecord.of(Leaf.from_bytes(self.headers[index]), self.bodies[index])
        return Receipt(stored, path, self.checkpoint(*keys))


def body(chain: str, entry: int, prev: bytes, more: Mapping[str, Data]) -> bytes:
    """A record's body; `more` replaces or adds keys."""
    data: dict[str, Data] = {"schema": SCHEMA, "kind": "verdict", "chain": chain, "entry": entry, "prev": prev}
    return encode({**data, "outcome": "refused", **more})


def ledger(chains: Sequence[str], contents: Mapping[int, Mapping[str, Data]] | None = None) -> Rows:
    """A ledger with one record after another in these chains; `contents` replaces or adds keys of some."""
    rows, previous, newest = Rows(), NO_HASH, dict[str, tuple[int, bytes]]()
    for index, chain in enumerate(chains):
        entry, prev = newest.get(chain, (0, NO_HASH))
        raw = body(chain, entry, prev, {"about": f"number {index}", **(contents or {}).get(index, {})})
        leaf = Leaf(index, previous, chain_tag(chain), entry, body_digest(raw))
        rows.headers.append(leaf.to_bytes())
        rows.bodies.append(raw)
        previous, newest[chain] = leaf.leaf_hash(), (entry + 1, body_digest(raw))
    return rows


CHAINS = ("config", "config", "/order:o1", "/order:o2", "/order:o1", "intake", "/order:o1", "/order:o2", "/order:ö3")


def _ledger(name: str, expect: str, rows: Rows, about: str, note: bytes = b"") -> Vector:
    return Vector(f"ledger-{name}", expect, "ledger", rows.payload(note), about, (LOG.verifier,))


def ledger_vectors() -> Iterator[Vector]:
    sound = ledger(CHAINS)
    kept = sound.checkpoint(LOG)
    yield _ledger("sound", "ok", sound, "nine records of six chains, and their checkpoint", kept)
    yield _ledger("one", "ok", ledger(CHAINS[:1]), "one record")
    stamps: dict[str, Data] = {"kernel": {"version": "0.1.0", "digest": bytes(32)}, "labels": ["personal"]}
    stamped = ledger(CHAINS, {4: {**stamps, "of tomorrow": [None, {"any": -1}]}})
    yield _ledger(
        "unknown-keys", "ok", stamped, "a body with keys that a reader may not know, which it must not refuse"
    )
    longer = ledger((*CHAINS, "/order:o1"))
    yield _ledger("grown", "ok", longer, "the checkpoint of its first nine records still holds", kept)
    cut = Rows(sound.headers[:-1], sound.bodies[:-1])
    yield _ledger("bad-truncated", "missing", cut, "the newest record is gone, and a checkpoint is kept", kept)
    other = ledger((*CHAINS[:-1], "/order:o9"))
    yield _ledger("bad-forked", "root", other, "another last record than the kept checkpoint's", kept)
    forged = sound.copy()
    forged.bodies[6] = forged.bodies[6].replace(b"refused", b"allowed")
    yield _ledger("bad-rewritten", "root", forged.relinked(), "rewritten with all its links", kept)
    yield from rotated_ledgers(kept)
    yield from damaged_ledgers(sound)
    yield from forged_ledgers(sound)


def _announced(current: SigningKey, following: SigningKey, signer: SigningKey | None = None) -> dict[str, Data]:
    """The content of a record by which a key hands over to the next one, perhaps signed by somebody else."""
    document = announcement(current, following.verifier, at=TIME * 1_000_000)
    if signer is not None:
        named = decode(announcement(signer, following.verifier, at=TIME * 1_000_000))
        assert isinstance(named, dict)
        document = encode({**named, "from": current.verifier.public})
    place: dict[str, Data] = {"what": "key", "part": 0, "parts": 1, "bytes": document}
    return {"kind": "config", **place, "digest": digest("key", document)}


def rotated_ledgers(kept: bytes) -> Iterator[Vector]:
    """Ledgers whose key changed at record 9; `kept` is a checkpoint of the nine before that."""
    chains, thief = (*CHAINS, "config", "/order:o1"), SigningKey(LOG.name, KeyKind.LOG, bytes([7] * 32))
    rotated = ledger(chains, {9: _announced(LOG, NEXT)})
    yield _ledger(
        "rotated", "ok", rotated, "the trusted key hands over to the one that signs", rotated.checkpoint(NEXT)
    )
    yield _ledger("rotated-before", "ok", rotated, "the trusted key signed before it handed over", kept)
    old = "the trusted key signs after it has handed over"
    yield _ledger("bad-rotated-old", "signature", rotated, old, rotated.checkpoint(LOG))
    nine = Rows(rotated.headers[:9], rotated.bodies[:9])
    early = "the next key signs for records before it was announced"
    yield _ledger("bad-rotated-early", "signature", rotated, early, nine.checkpoint(NEXT))
    unknown = "a key that nobody announced signs"
    yield _ledger("bad-rotated-unannounced", "signature", rotated, unknown, rotated.checkpoint(thief))
    forged = ledger(chains, {9: _announced(LOG, NEXT, thief)})
    yield _ledger("bad-rotated-forged", "signature", forged, "an announcement that the key in force has not signed")
    twice = ledger((*chains, "config"), {9: _announced(LOG, NEXT), 11: _announced(LOG, thief)})
    yield _ledger("bad-rotated-twice", "signature", twice, "a key that was replaced announces another one")


def damaged_ledgers(sound: Rows) -> Iterator[Vector]:
    """Ledgers that were altered by somebody who did not mend what the alteration breaks."""

    def header(name: str, expect: str, index: int, start: int, new: bytes, about: str) -> Vector:
        rows = sound.copy()
        old = rows.headers[index]
        rows.headers[index] = old[:start] + new + old[start + len(new) :]
        return _ledger(f"bad-{name}", expect, rows, about)

    yield header("magic", "header", 4, 0, b"EDCB", "a header that begins otherwise")
    yield header("version", "header", 4, 5, b"\x02", "a header of a version that is not known")
    yield header("kind", "header", 4, 7, b"\x03", "a chain of a kind that is not known")
    yield header("index", "header", 4, 15, b"\x05", "the header of another record")
    yield header("link", "order", 2, 16, bytes(32), "a header that names another record before it")
    yield header("node-tag", "header", 5, 48, b"\x01", "a record of the node's own chain with a case tag")
    yield header("header-digest", "body", 4, 119, b"\x00", "a header with another digest of its body")
    rows = sound.copy()
    rows.headers[3] = rows.headers[3][:119]
    yield _ledger("bad-header-short", "header", rows, "a header of 119 bytes")
    rows = sound.copy()
    rows.bodies[4] = rows.bodies[4].replace(b"refused", b"allowed")
    yield _ledger("bad-body", "body", rows, "an altered body")
    for name, order, about in (
        ("dropped", (0, 1, 2, 3, 5, 6, 7, 8), "a record is gone from the middle"),
        ("repeated", (0, 1, 2, 3, 4, 4, 5, 6, 7, 8), "a record twice"),
        ("reordered", (0, 1, 2, 4, 3, 5, 6, 7, 8), "two records in each other's place"),
    ):
        rows = Rows([sound.headers[place] for place in order], [sound.bodies[place] for place in order])
        yield _ledger(f"bad-{name}", "header", rows, about)


def forged_ledgers(sound: Rows) -> Iterator[Vector]:
    """Ledgers whose headers and links were all made to fit an alteration again."""

    def with_body(name: str, expect: str, raw: bytes, about: str) -> Vector:
        rows = sound.copy()
        rows.bodies[6] = raw
        return _ledger(f"bad-{name}", expect, rows.relinked(), about)

    def like(**more: Data) -> bytes:
        return body("/order:o1", 2, body_digest(sound.bodies[4]), more)

    yield with_body("prev", "chain", like(prev=bytes(32)), "a body that names another before it")
    yield with_body("entry", "header", like(entry=3), "a body with another entry than its header")
    yield with_body("chain-name", "header", like(chain="/order:o7"), "a body of another chain than its header")
    yield with_body("schema", "body", like(schema="edca.record/2"), "another schema")
    yield with_body("no-kind", "body", like(kind=""), "no kind")
    yield with_body("no-chain", "body", like(chain=""), "no chain")
    yield with_body("long-chain", "body", like(chain="x" * 257), "a chain's name of 257 bytes")
    yield with_body("prev-short", "body", like(prev=bytes(31)), "a digest of 31 bytes")
    yield with_body("entry-true", "body", like(entry=True), "an entry that is no number")
    yield with_body("entry-negative", "body", like(entry=-1), "an entry below zero")
    yield with_body("list", "body", encode([SCHEMA]), "a body that is no map")
    yield with_body("not-canonical", "canonical", sound.bodies[6] + b"\xc0", "bytes after the body's map")
    gap = sound.copy()
    gap.headers[6] = replace(Leaf.from_bytes(gap.headers[6]), entry=3).to_bytes()
    gap.bodies[6] = like(entry=3)
    yield _ledger("bad-gap", "gap", gap.relinked(), "an entry is missing in a chain")


def receipt_vectors() -> Iterator[Vector]:
    sound = ledger(CHAINS)
    trust = (LOG.verifier, ONE.verifier)

    def vector(name: str, expect: str, payload: bytes, about: str, witnesses: int = 0) -> Vector:
        return Vector(f"receipt-{name}", expect, "receipt", payload, about, trust, witnesses)

    for index in (0, 4, 8):
        yield vector(f"of-{index}", "ok", sound.receipt(index, LOG).to_bytes(), f"record {index} of nine")
    yield vector("of-one", "ok", ledger(CHAINS[:1]).receipt(0, LOG).to_bytes(), "the only record: its proof is empty")
    yield vector("cosigned", "ok", sound.receipt(4, LOG, ONE).to_bytes(), "with a witness's signature", 1)
    good = sound.receipt(4, LOG)
    raw = good.to_bytes()

    def proved(name: str, path: Sequence[bytes], about: str) -> Vector:
        return vector(f"bad-{name}", "proof", replace(good, path=tuple(path)).to_bytes(), about)

    yield proved("path-flipped", [bytes(32), *good.path[1:]], "a hash of the proof is another")
    yield proved("path-short", good.path[:-1], "a hash of the proof is missing")
    yield proved("path-long", [*good.path, bytes(32)], "a hash too many")
    yield proved("path-of-other", sound.receipt(5, LOG).path, "the proof of the next record")
    longer = ledger((*CHAINS, "/order:o1"))
    yield vector("bad-size", "proof", replace(good, checkpoint=longer.checkpoint(LOG)).to_bytes(), "a later checkpoint")
    yield vector("bad-index", "format", raw.replace(b"index 4\n", b"index 5\n"), "another index than the record's")
    yield vector("bad-extra", "format", raw.replace(b"\nextra ", b"\n"), "the record without the word before it")
    yield vector("bad-first-line", "format", raw.replace(b"@v1", b"@v2"), "a version that is not known")
    yield vector("bad-hash-size", "format", replace(good, path=(bytes(31), *good.path[1:])).to_bytes(), "a short hash")
    altered = good.stored.body.replace(b"refused", b"allowed")
    stored = replace(good.stored, body=altered)
    yield vector("bad-body", "body", replace(good, stored=stored).to_bytes(), "an altered record")
    leaf = replace(good.stored.leaf, body_digest=body_digest(altered))
    rehashed = replace(good, stored=StoredRecord.of(leaf, altered))
    yield vector("bad-body-and-header", "proof", rehashed.to_bytes(), "an altered record with a header that fits")
    unsigned = replace(good, checkpoint=sound.checkpoint(OTHER))
    yield vector("bad-unsigned", "signature", unsigned.to_bytes(), "a checkpoint that nobody trusted has signed")
    yield vector("bad-witness", "witness", raw, "a witness is asked for", 1)
    yield vector("bad-cut", "format", raw[: raw.index(b"\n\n")], "no checkpoint")


def vectors() -> list[Vector]:
    """All of them."""
    return [*canonical_vectors(), *checkpoint_vectors(), *ledger_vectors(), *receipt_vectors()]
