#!/usr/bin/env python3
"""An independent verifier of EDCA ledgers, for an auditor who trusts none of EDCA's code.

One file; it needs Python 3.11 or newer and the package `cryptography`, for Ed25519 alone. It was written from
docs/reference/ledger.md and imports nothing of EDCA. It opens nothing but the files it is given, and no network.

    verify_ledger.py FOLDER --trust KEY           a ledger that `edca publish --bodies` wrote
    verify_ledger.py LEDGER                       the SQLite file itself
    verify_ledger.py --receipt FILE --trust KEY   one record's receipt

It exits with 0 if nothing was found, 1 if something was, 2 if it could not do its work. It says what it checked, what
it found, and what it could not check.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import functools
import hashlib
import json
import sqlite3
import struct
import sys
import unicodedata
from collections import namedtuple
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

HEADER = struct.Struct(">4sHHQ32s32sQ32s")
ZERO = bytes(32)
RECORD_MAX, NOTE_MAX = 1 << 20, 64 << 10
RECEIPT_MAX = 2 * (RECORD_MAX + NOTE_MAX)
TILE, DEPTH_MAX = 256, 64
LOG, WITNESS, CONFIG = 1, 4, 2
NODE_CHAINS = {"intake": 1, "config": 2}

Leaf = namedtuple("Leaf", "index previous kind tag entry body")  # a parsed header; `body` is a digest
Key = namedtuple("Key", "name id kind public since until", defaults=(0, None))  # trusted, for so many records
Checkpoint = namedtuple("Checkpoint", "origin size root")  # its signatures were checked
Receipt = namedtuple("Receipt", "leaf body checkpoint")  # it was checked


class Flaw(Exception):
    """Something that contradicts the format: `code` is one of a closed set, `index` the record's, if it is of one."""

    def __init__(self, code: str, text: str, index: int | None = None) -> None:
        super().__init__(text)
        self.code, self.text, self.index = code, text, index


def forbid(fault: bool, code: str, text: str) -> None:
    """Raise `Flaw` where there is a fault."""
    if fault:
        raise Flaw(code, text)


# --- section 1: canonical bytes ---


def decode(raw: bytes) -> Any:
    """Return the value of canonical bytes. Raises `Flaw` for anything that is not the one encoding of a value."""
    value, end = _value(raw, 0, 0)
    forbid(end != len(raw), "canonical", "bytes follow the value")
    return value


# First byte of a value -> what it is, how many bytes its number or length has, and the least that needs that many.
FORMS = {
    **{0xC4: ("bytes", 1, 0), 0xC5: ("bytes", 2, 1 << 8), 0xC6: ("bytes", 4, 1 << 16)},
    **{0xCC: ("int", 1, 1 << 7), 0xCD: ("int", 2, 1 << 8), 0xCE: ("int", 4, 1 << 16), 0xCF: ("int", 8, 1 << 32)},
    **{0xD9: ("text", 1, 32), 0xDA: ("text", 2, 1 << 8), 0xDB: ("text", 4, 1 << 16)},
    **{0xDC: ("array", 2, 16), 0xDD: ("array", 4, 1 << 16), 0xDE: ("map", 2, 16), 0xDF: ("map", 4, 1 << 16)},
}
NEGATIVE = {0xD0: (1, -32), 0xD1: (2, -(1 << 7)), 0xD2: (4, -(1 << 15)), 0xD3: (8, -(1 << 31))}
CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


def _take(raw: bytes, start: int, size: int) -> bytes:
    if start + size > len(raw):
        raise Flaw("canonical", "the bytes end inside a value")
    return raw[start : start + size]


def _value(raw: bytes, at: int, depth: int) -> tuple[Any, int]:
    head = _take(raw, at, 1)[0]
    at += 1
    if head <= 0x7F or head >= 0xE0:
        return head if head <= 0x7F else head - 256, at
    if head in CONSTANTS:
        return CONSTANTS[head], at
    if head in NEGATIVE:
        width, least = NEGATIVE[head]
        size = int.from_bytes(_take(raw, at, width), "big", signed=True)
        forbid(size >= least, "canonical", "a negative number is longer than it needs to be")
        return size, at + width
    if head < 0xC0:
        form = "map" if head <= 0x8F else "array" if head <= 0x9F else "text"
        size = head & (31 if form == "text" else 15)
    elif head in FORMS:
        form, width, least = FORMS[head]
        size = int.from_bytes(_take(raw, at, width), "big")
        at += width
        forbid(size < least, "canonical", "a number or length is longer than it needs to be")
    else:
        raise Flaw("canonical", f"byte {head:02x} begins no value")
    if form == "int":
        return size, at
    if form == "bytes":
        return _take(raw, at, size), at + size
    if form == "text":
        try:
            return _take(raw, at, size).decode("utf-8"), at + size
        except UnicodeDecodeError:
            raise Flaw("canonical", "text is not UTF-8") from None
    forbid(depth >= DEPTH_MAX, "canonical", "arrays and maps are nested too deep")
    if form == "map":
        return _map(raw, at, size, depth)
    items = []
    for _ in range(size):
        item, at = _value(raw, at, depth + 1)
        items.append(item)
    return items, at


def _map(raw: bytes, at: int, count: int, depth: int) -> tuple[dict[str, Any], int]:
    pairs: dict[str, Any] = {}
    before: bytes | None = None
    for _ in range(count):
        key, at = _value(raw, at, depth + 1)
        spelt = key.encode() if isinstance(key, str) else None
        if spelt is None or (before is not None and spelt <= before):
            raise Flaw("canonical", "the keys of a map are not text in order, each once")
        before = spelt
        pairs[key], at = _value(raw, at, depth + 1)
    return pairs, at


# --- sections 2 to 5: digests, chains, bodies, headers ---


def digest(domain: str, data: bytes) -> bytes:
    """SHA-256 under a domain's name."""
    return hashlib.sha256(b"edca/" + domain.encode() + b"\0" + data).digest()


def tag_of(chain: str) -> tuple[int, bytes]:
    """How a header names a chain: its kind, and the tag of a case."""
    return (NODE_CHAINS[chain], ZERO) if chain in NODE_CHAINS else (0, digest("case", chain.encode()))


def parse_header(raw: bytes) -> Leaf:
    """Read a header. Raises `Flaw`."""
    forbid(len(raw) != HEADER.size, "header", f"a header has {HEADER.size} bytes, not {len(raw)}")
    magic, version, kind, index, previous, tag, entry, body = HEADER.unpack(raw)
    forbid(magic != b"EDCA" or version != 1 or kind > 2, "header", "magic, version or chain kind is not known")
    forbid(kind != 0 and tag != ZERO, "header", "a record of the node's own chain has a case tag")
    return Leaf(index, previous, kind, tag, entry, body)


def parse_body(raw: bytes) -> dict[str, Any]:
    """Read a body and check its envelope. Raises `Flaw`."""
    forbid(len(raw) > RECORD_MAX, "body", f"a body has at most {RECORD_MAX} bytes")
    body = decode(raw)
    is_record = isinstance(body, dict) and body.get("schema") == "edca.record/1"
    forbid(not is_record, "body", "the body is no map of schema edca.record/1")
    kind, chain, entry, prev = (body.get(name) for name in ("kind", "chain", "entry", "prev"))
    is_named = type(kind) is str and kind and type(chain) is str and 0 < len(chain.encode()) <= 256
    is_placed = type(entry) is int and entry >= 0 and type(prev) is bytes and len(prev) == 32
    forbid(not (is_named and is_placed), "body", "kind, chain, entry or prev is not as it should be")
    return body


def leaf_hash(header: bytes) -> bytes:
    """The hash under which a header stands in the tree."""
    return hashlib.sha256(b"\0" + header).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """RFC 9162, section 2.1.1, over leaves that come one after another."""

    def __init__(self) -> None:
        self.size = 0
        self.parts: list[bytes] = []  # roots of complete subtrees, the largest first

    def add(self, leaf: bytes) -> None:
        """Append a leaf hash."""
        size = self.size
        self.size += 1
        while size & 1:
            leaf = node(self.parts.pop(), leaf)
            size >>= 1
        self.parts.append(leaf)

    def root(self) -> bytes:
        """The root over all leaves so far."""
        first, *others = self.parts[::-1] or [hashlib.sha256(b"").digest()]
        return functools.reduce(lambda root, part: node(part, root), others, first)


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """RFC 9162, section 2.1.3.2: where an inclusion path leads, or null where it is none."""
    if not 0 <= index < size:
        return None
    first, last = index, size - 1
    for sibling in path:
        if last == 0:
            return None
        if first & 1 or first == last:
            leaf = node(sibling, leaf)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            leaf = node(leaf, sibling)
        first, last = first >> 1, last >> 1
    return leaf if last == 0 else None


def unbase64(text: str) -> bytes:
    """Standard base64, in its only form. Raises `Flaw`."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Flaw("format", "that is not base64") from None
    forbid(base64.b64encode(data).decode() != text, "format", "that is not the only base64 of its bytes")
    return data


def is_name(name: str) -> bool:
    """Whether a key can be called so: no plus, no separators, no control characters."""
    return bool(name) and not any(c == "+" or unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp", "Zs") for c in name)


def parse_key(text: str) -> Key:
    """Read `NAME+ID+KEY`. Raises `Flaw`."""
    name, _, rest = text.strip().partition("+")
    id_, _, encoded = rest.partition("+")
    data = unbase64(encoded)
    is_key = is_name(name) and len(data) == 33 and data[0] in (LOG, WITNESS)
    forbid(not is_key, "format", "a key is written NAME+ID+KEY")
    found = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    forbid(found.hex() != id_, "format", f"the id of {name} is not that of its key")
    return Key(name, found, data[0], data[1:])


def size_of(raw: bytes) -> int:
    """How many records a checkpoint or receipt says that there are, before anything of it is checked; 0 for garbage."""
    count = (raw[raw.find(b"\n\n") + 2 :] if raw.startswith(b"c2sp.org/") else raw).split(b"\n")[1:2]
    return int(count[0]) if count and count[0].isdigit() and len(count[0]) < 19 else 0


def parse_checkpoint(raw: bytes, trusted: list[Key], witnesses: int = 0) -> Checkpoint:
    """Read a checkpoint, and check its signatures (c2sp.org/tlog-checkpoint, tlog-cosignature). Raises `Flaw`."""
    forbid(len(raw) > NOTE_MAX, "format", "the checkpoint is too long")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Flaw("format", "a checkpoint is UTF-8") from None
    forbid(any(c < " " and c != "\n" for c in text), "format", "a checkpoint has no control characters")
    body, blank, below = text.rpartition("\n\n")
    forbid(not blank or not below.endswith("\n"), "format", "a checkpoint is text, an empty line, and signature lines")
    signed, lines = body + "\n", body.split("\n")
    forbid(len(lines) < 3 or not all(lines), "format", "a checkpoint has three lines or more, none empty")
    size = int(lines[1][:20]) if lines[1].isascii() and lines[1].isdigit() else -1
    root = unbase64(lines[2])
    is_size = 0 <= size < 1 << 63 and str(size) == lines[1]
    forbid(not is_size or len(root) != 32, "format", "the checkpoint's size or root is not as it should be")
    keys = {(key.name, key.id): key for key in trusted}
    forbid(size == 0 and root != hashlib.sha256(b"").digest(), "format", "the root of no records is another")
    own, outside = False, set()
    forbid(below.count("\n") > 64, "format", "a checkpoint has at most 64 signatures")
    for line in below[:-1].split("\n"):
        name, _, encoded = line.removeprefix("— ").partition(" ")
        data = unbase64(encoded)
        is_line = line.startswith("— ") and is_name(name) and len(data) > 4
        forbid(not is_line, "format", "a signature line is not as it should be")
        key = keys.get((name, data[:4]))
        if key is None:
            continue
        forbid(not _holds(key, data[4:], signed), "signature", f"the signature of {name} does not hold")
        if key.kind == LOG and name == lines[0] and key.since <= size and (key.until is None or size <= key.until):
            own = True
        if key.kind == WITNESS:
            outside.add(key.public)
    forbid(not own, "signature", f"no trusted key of {lines[0]} that was in force has signed the checkpoint")
    forbid(len(outside) < witnesses, "witness", f"{len(outside)} trusted witnesses have signed, and {witnesses} must")
    return Checkpoint(lines[0], size, root)


def _holds(key: Key, data: bytes, signed: str) -> bool:
    message = signed.encode()
    if key.kind == WITNESS:
        stamp = int.from_bytes(data[:8], "big")
        data, message = data[8:], f"cosignature/v1\ntime {stamp}\n{signed}".encode()
    is_sized = len(data) == 64 and (key.kind == LOG or stamp < 1 << 63)
    return is_sized and _verifies(key.public, data, message)


def _verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def handed_over(index: int, body: dict[str, Any], keys: list[Key]) -> list[Key]:
    """The trusted keys after a record that announces the next one, each where it is in force. Raises `Flaw`."""
    is_held = type(body.get("bytes")) is bytes and digest("key", body["bytes"]) == body.get("digest")
    said = decode(body["bytes"]) if is_held else None
    types = {"at": int, "from": bytes, "origin": str, "signature": bytes, "to": bytes}
    is_whole = isinstance(said, dict) and {name: type(value) for name, value in said.items()} == types
    forbid(not is_whole or not 0 <= said["at"] < 1 << 63, "signature", "it announces a key, and has other fields")
    old = [one for one in keys if one.kind == LOG and (one.name, one.public) == (said["origin"], said["from"])]
    if not old:
        return keys  # nobody here trusts that key, so nothing follows from it
    message = b"edca/key\0" + said["from"] + said["to"] + said["at"].to_bytes(8, "big") + said["origin"].encode()
    is_next = old[0].until is None and len(said["to"]) == 32 and said["to"] != said["from"]
    holds = is_next and _verifies(old[0].public, said["signature"], message)
    forbid(not holds, "signature", "it announces a key, and the key in force has not signed it")
    rest = [one._replace(until=index) if one is old[0] else one for one in keys]
    id_ = hashlib.sha256(said["origin"].encode() + b"\n" + bytes([LOG]) + said["to"]).digest()[:4]
    is_known = any(one.name == said["origin"] and one.public == said["to"] for one in keys)
    return rest if is_known else [*rest, Key(said["origin"], id_, LOG, said["to"], index + 1)]


def check_receipt(raw: bytes, trusted: list[Key], witnesses: int = 0) -> Receipt:
    """Check a receipt: c2sp.org/tlog-proof. Raises `Flaw`."""
    forbid(len(raw) > RECEIPT_MAX, "format", "the receipt is too long")
    head, blank, note = raw.partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    is_receipt = len(lines) > 2 and lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("extra ")
    forbid(not blank or not is_receipt, "format", "that is no receipt")
    held = decode(unbase64(lines[1].removeprefix("extra ")))
    is_record = isinstance(held, dict) and set(held) == {"header", "body"}
    forbid(not is_record or not all(type(v) is bytes for v in held.values()), "format", "it holds no record")
    leaf = parse_header(held["header"])
    path = [unbase64(line) for line in lines[3:]]
    is_path = len(path) <= 64 and all(len(item) == 32 for item in path)
    forbid(not is_path or lines[2] != f"index {leaf.index}", "format", "its index or proof is not as it should be")
    body = check_body(leaf, held["body"])
    checkpoint = parse_checkpoint(note, trusted, witnesses)
    root = root_of(leaf_hash(held["header"]), leaf.index, checkpoint.size, path)
    forbid(root != checkpoint.root, "proof", "the proof does not lead to the checkpoint's root")
    return Receipt(leaf, body, checkpoint)


def check_body(leaf: Leaf, raw: bytes) -> dict[str, Any]:
    """Check a body against its header. Raises `Flaw`."""
    forbid(digest("record", raw) != leaf.body, "body", "the body is not the one its header was made for")
    body = parse_body(raw)
    is_same = (leaf.kind, leaf.tag, leaf.entry) == (*tag_of(body["chain"]), body["entry"])
    forbid(not is_same, "header", "the header names another chain or entry than the body")
    return body


# --- sections 7 and 8: a whole ledger ---


def pages(source: Path, size: int | None) -> Iterator[tuple[int, bytes, bytes | None]]:
    """Yield index, header and body of each record of a SQLite file, or of the first `size` of a folder, in order."""
    if size is not None:
        for start in range(0, size, TILE):
            width = min(TILE, size - start)
            headers = _tile(source, "entries", start // TILE, width, 2 + HEADER.size)
            forbid(headers is None, "missing", f"the headers from record {start} on are not there")
            bodies = _tile(source, "bodies", start // TILE, width, 4 + RECORD_MAX)
            yield from zip(range(start, start + width), headers, bodies or [None] * width, strict=True)
        return
    with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        real = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name = 'ledger'"
        forbid(connection.execute(real).fetchone() != (1,), "format", "it has no table of records")
        for index, header, body in connection.execute("SELECT leaf, header, body FROM ledger ORDER BY leaf"):
            yield index, header if isinstance(header, bytes) else b"", body if isinstance(body, bytes) else None


def _tile(folder: Path, kind: str, place: int, width: int, item_max: int) -> list[bytes] | None:
    """Return the first `width` entries of a tile, each behind its length in 2 or 4 bytes; null where it isn't there."""
    text = str(place).zfill(-(-len(str(place)) // 3) * 3)
    groups = [text[at : at + 3] for at in range(0, len(text), 3)]
    full = folder / "tile" / kind / "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    path, count = (full.with_name(full.name + ".p") / str(width), width) if width < TILE else (full, TILE)
    path, count = (path, count) if path.is_file() else (full, TILE)
    if not path.is_file():
        return None
    forbid(path.stat().st_size > count * item_max, "missing", f"{path} is longer than {count} entries can be")
    data, at, found, size_width = path.read_bytes(), 0, [], 2 if kind == "entries" else 4
    while at < len(data):
        size = int.from_bytes(data[at : at + size_width], "big")
        at += size_width + size
        forbid(at > len(data) or len(found) == count, "missing", f"{path} does not hold {count} entries")
        found.append(data[at - size : at])
    forbid(len(found) != count, "missing", f"{path} does not hold {count} entries")
    return found[:width]


class Ledger:
    """One pass over all records, in order."""

    def __init__(self, *, decoding: bool, trusted: list[Key]) -> None:
        self.decoding, self.keys, self.tree = decoding, trusted, Tree()
        self.findings: list[Flaw] = []
        self.tip: bytes | None = ZERO
        self.newest: dict[tuple[int, bytes], tuple[int, bytes | None]] = {}
        self.roots: dict[int, bytes] = {0: self.tree.root()}
        self.bodies = 0

    def run(self, records: Iterator[tuple[int, bytes, bytes | None]], sizes: set[int]) -> None:
        """Check each record; keep the roots at `sizes` for what is compared with them."""
        try:
            for index, header, body in records:
                due = self.tree.size
                if index != due:
                    raise Flaw("missing" if index > due else "order", f"record {index} stands where {due} is due")
                self.record(index, header, body)
                if self.tree.size in sizes:
                    self.roots[self.tree.size] = self.tree.root()
        except Flaw as flaw:
            self.find(flaw, None)

    def find(self, flaw: Flaw, index: int | None) -> None:
        """Keep a flaw, and the record it is about."""
        flaw.index = index
        self.findings.append(flaw)

    def compare(self, checkpoint: Checkpoint) -> None:
        """Compare with a checkpoint. Raises `Flaw`."""
        size, root = checkpoint.size, self.roots.get(checkpoint.size)
        forbid(size > self.tree.size, "missing", f"it counts {size} records, and {self.tree.size} are there")
        forbid(root != checkpoint.root, "root", f"the root over the first {size} records is another")

    def record(self, index: int, header: bytes, raw: bytes | None) -> None:
        """Check one record against its header, the record before it, and its chain's record before it."""
        previous, self.tip = self.tip, leaf_hash(header)
        self.tree.add(self.tip)
        try:
            leaf = parse_header(header)
            forbid(leaf.index != index, "header", f"the header is that of record {leaf.index}")
        except Flaw as flaw:
            self.find(flaw, index)
            self.tip = None
            return
        if previous is not None and leaf.previous != previous:
            self.find(Flaw("order", "it does not follow the record before it"), index)
        chain = leaf.kind, leaf.tag
        entry, digest_before = self.newest.get(chain, (-1, ZERO))
        self.newest[chain] = leaf.entry, leaf.body
        if leaf.entry != entry + 1:
            self.find(Flaw("gap", f"it is entry {leaf.entry} of its chain, where {entry + 1} is due"), index)
            return
        if raw is not None:
            self.body(index, leaf, raw, digest_before)

    def body(self, index: int, leaf: Leaf, raw: bytes, before: bytes | None) -> None:
        """Check a record's body, decoded only where that was asked for."""
        self.bodies += 1
        try:
            if not self.decoding and leaf.kind != CONFIG:
                forbid(digest("record", raw) != leaf.body, "body", "the body is not the one its header was made for")
                return
            body = check_body(leaf, raw)
            forbid(body["prev"] != (before or body["prev"]), "chain", "it names another body of its chain before it")
            is_key = leaf.kind == CONFIG and body.get("what") == "key"
            self.keys = handed_over(index, body, self.keys) if is_key else self.keys
        except Flaw as flaw:
            self.find(flaw, index)
            self.newest[leaf.kind, leaf.tag] = leaf.entry, None if flaw.code == "body" else leaf.body


def verify(arguments: argparse.Namespace, trusted: list[Key]) -> dict[str, Any]:
    """Do what the command line asks, and return what was checked, found and left open."""
    source, kept = arguments.ledger, list(arguments.checkpoint)
    folder = source is not None and source.is_dir()
    kept = [source / "checkpoint", *kept] if folder else kept
    report, run = Report(), Ledger(decoding=not arguments.fast, trusted=trusted)
    raws = {path: path.read_bytes() for path in (*kept, *arguments.receipt) if path.is_file()}
    if source is not None:
        # What is kept is checked once the pass has followed the ledger's keys; here it only says where to look.
        size = size_of(raws.get(kept[0], b"")) if folder else None
        run.run(pages(source, size), {size_of(raw) for raw in raws.values()})
    checkpoints: list[tuple[Path, Checkpoint]] = []
    for path in kept:
        with report.asking(f"{path}: its signatures hold"):
            forbid(path not in raws, "missing", "there is no such file")
            checkpoints.append((path, parse_checkpoint(raws[path], run.keys, arguments.witnesses)))
    for path in arguments.receipt:
        with report.asking(f"{path}: its signatures and its proof hold"):
            forbid(path not in raws, "missing", "there is no such file")
            found = check_receipt(raws[path], run.keys, arguments.witnesses)
            checkpoints.append((path, found.checkpoint))  # its proof leads to the root, so its record is among them
            where = f"{found.body['kind']} in {found.body['chain']}, entry {found.leaf.entry}"
            report.checked.append(f"{path} is of record {found.leaf.index} of {found.checkpoint.origin}: {where}")
    if folder and (not checkpoints or checkpoints[0][0] != kept[0]):
        report.open.append("any record: no checkpoint that holds says how many there are")
    if source is None or report.open:
        return report.document()
    for path, checkpoint in checkpoints:
        with report.asking(f"the first {checkpoint.size} records are those of {path}"):
            run.compare(checkpoint)
    if folder:
        report.open.append("the hashes in tile/0 and above: the tree was reckoned from the headers instead")
    report.about(run, fast=arguments.fast, counted=max((one.size for _, one in checkpoints), default=None))
    return report.document()


class Report:
    """What was checked, what was found, and what could not be checked."""

    def __init__(self) -> None:
        self.checked, self.findings, self.open = list[str](), list[Flaw](), list[str]()
        self.size: int | None = None
        self.root: str | None = None

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Note `what` as checked, or the flaw that keeps it from being so."""
        try:
            yield
        except Flaw as flaw:
            self.findings.append(Flaw(flaw.code, f"not so: {what}: {flaw.text}", flaw.index))
        else:
            self.checked.append(what)

    def about(self, run: Ledger, *, fast: bool, counted: int | None) -> None:
        """Take in a pass over a ledger; `counted` is the size of the largest checkpoint."""
        self.size, self.root = run.tree.size, run.tree.root().hex()
        self.findings += run.findings
        if not run.findings:
            chains = f"{len(run.newest)} chains without a gap"
            self.checked.append(f"{self.size} headers: form, order, links, tree, {chains}")
        if not run.findings and run.bodies == self.size:
            self.checked.append("every body has the digest its header carries" + ("" if fast else ", is canonical, and"
                " names the digest of its chain's record before it"))  # fmt: skip
        if run.bodies < self.size:
            self.open.append(f"{self.size - run.bodies} bodies: they are not there")
        if fast:
            self.open.append("what stands inside the bodies: they were not decoded")
        if counted is None:
            self.open += ["deletion of the newest records: no checkpoint was given", "who wrote the records"]
        elif counted < self.size:
            self.open.append(f"deletion of records after the {counted} of the newest checkpoint")
        self.open.append("whether the verdicts are right: `edca replay` decides them again")

    def document(self) -> dict[str, Any]:
        """The report as plain data."""
        found = [{"code": one.code, "index": one.index, "text": one.text} for one in self.findings]
        whole = {"checked": self.checked, "findings": found, "not_checked": self.open}
        return {"ok": not found, "size": self.size, "root": self.root, **whole}


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ledger", type=Path, nargs="?", help="a published folder, or a ledger's SQLite file")
    parser.add_argument("--trust", action="append", default=[], metavar="KEY", help="a public key, NAME+ID+KEY")
    parser.add_argument("--witnesses", type=int, default=0, help="how many trusted witnesses must have signed")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], help="a checkpoint kept elsewhere")
    parser.add_argument("--receipt", type=Path, action="append", default=[], help="a record's receipt")
    parser.add_argument("--fast", action="store_true", help="do not decode the bodies, only compare their digests")
    parser.add_argument("--json", action="store_true", help="write one JSON document")
    arguments = parser.parse_args()
    try:
        if arguments.ledger is None and not arguments.receipt and not arguments.checkpoint:
            parser.error("name a ledger, a receipt or a checkpoint")
        if arguments.witnesses and not (arguments.receipt or arguments.checkpoint or arguments.ledger.is_dir()):
            parser.error("--witnesses needs a checkpoint or a receipt that they can have signed")
        found = verify(arguments, [parse_key(text) for text in arguments.trust])
    except Flaw as flaw:
        print(f"--trust: {flaw.text}", file=sys.stderr)
        return 2
    except (OSError, sqlite3.Error) as error:
        print(f"verify_ledger: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(found, sort_keys=True, indent=2))
        return 0 if found["ok"] else 1
    for one in found["findings"]:
        print(f"found: record {one['index']}: {one['code']}: {one['text']}".replace("record None: ", ""))
    for label, texts in (("checked", found["checked"]), ("not checked", found["not_checked"])):
        print(*(f"{label}: {text}\n" for text in texts), sep="", end="")
    print("nothing was found" if found["ok"] else f"{len(found['findings'])} found", end="")
    print("" if found["size"] is None else f" in {found['size']} records, root {found['root']}")
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
