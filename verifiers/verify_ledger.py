#!/usr/bin/env python3
"""An independent verifier of EDCA ledgers, for an auditor who trusts none of EDCA's code.

One file; it needs Python 3.11 or newer and the package `cryptography`, for Ed25519 alone. It was written from
docs/reference/ledger.md and imports nothing of EDCA. It opens nothing but the files it is given, and no network.

    verify_ledger.py FOLDER --trust KEY           a ledger that `edca publish --bodies` wrote
    verify_ledger.py LEDGER                       the SQLite file itself
    verify_ledger.py --receipt FILE --trust KEY   one record's receipt

It says what it checked, found and could not check, and exits with 0 if nothing was found, 1 if something was, else 2.
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
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

HEADER, ZERO = struct.Struct(">4sHHQ32s32sQ32s"), bytes(32)
TABLE = "CREATE TABLE ledger(leaf INTEGER PRIMARY KEY, back INTEGER, header BLOB NOT NULL, body BLOB NOT NULL) STRICT"
RECORD_MAX, NOTE_MAX, TILE, DEPTH_MAX, LOG, WITNESS, CONFIG = 1 << 20, 64 << 10, 256, 64, 1, 4, 2
NODE_CHAINS, PLACE = {"intake": 1, "config": 2}, ("chain", "entry", "prev")  # every body has another place

Leaf = namedtuple("Leaf", "index previous kind tag entry body")  # a parsed header; `body` is a digest
Key = namedtuple("Key", "name id kind public since until", defaults=(0, None))  # trusted, for so many records
Checkpoint = namedtuple("Checkpoint", "origin size root")  # its signatures were checked


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


def decode(raw: bytes, scalars: list[tuple[int, int, str]] | None = None) -> Any:
    """The value of canonical bytes; `scalars` gets where each begins and ends, and its key in the outermost map."""
    try:
        value, end = _value(raw, 0, 0, scalars)
    except (IndexError, UnicodeDecodeError):
        raise Flaw("canonical", "the bytes end inside a value, or text is not UTF-8") from None
    forbid(end != len(raw), "canonical", "the bytes end inside a value, or after it")
    return value


# First byte of a value -> what it is, how many bytes its number or length has, and the bound from where it needs them.
FORMS = {
    **{0xC4: ("bytes", 1, 0), 0xC5: ("bytes", 2, 1 << 8), 0xC6: ("bytes", 4, 1 << 16)},
    **{0xCC: ("int", 1, 1 << 7), 0xCD: ("int", 2, 1 << 8), 0xCE: ("int", 4, 1 << 16), 0xCF: ("int", 8, 1 << 32)},
    **{0xD9: ("text", 1, 32), 0xDA: ("text", 2, 1 << 8), 0xDB: ("text", 4, 1 << 16)},
    **{0xDC: ("array", 2, 16), 0xDD: ("array", 4, 1 << 16), 0xDE: ("map", 2, 16), 0xDF: ("map", 4, 1 << 16)},
    **{0xD0: ("int", 1, -32), 0xD1: ("int", 2, -(1 << 7)), 0xD2: ("int", 4, -(1 << 15)), 0xD3: ("int", 8, -(1 << 31))},
}
CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


def _value(raw: bytes, at: int, depth: int, scalars: list[tuple[int, int, str]] | None) -> tuple[Any, int]:
    """The value that begins there, and where it ends: past the end of the bytes, if they end inside of it."""
    head = raw[at]
    at += 1
    if head <= 0x7F or head >= 0xE0:
        return head if head <= 0x7F else head - 256, at
    if head in CONSTANTS:
        return CONSTANTS[head], at
    if head < 0xC0:
        form = "map" if head <= 0x8F else "array" if head <= 0x9F else "text"
        size = head & (31 if form == "text" else 15)
    elif head in FORMS:
        form, width, bound = FORMS[head]
        size = int.from_bytes(raw[at : at + width], "big", signed=bound < 0)
        at += width
        is_long = size >= bound if bound < 0 else size < bound
        forbid(is_long, "canonical", "a number or length is longer than it needs to be")
    else:
        raise Flaw("canonical", f"byte {head:02x} begins no value")
    if form == "int":
        return size, at
    if form in ("bytes", "text"):
        held = raw[at : at + size]
        return held if form == "bytes" else held.decode("utf-8"), at + size
    forbid(depth >= DEPTH_MAX, "canonical", "arrays and maps are nested too deep")
    items: dict[Any, Any] = {}
    key: Any = None
    for place in range(size):
        before, key = key, place
        if form == "map":
            key, at = _value(raw, at, depth + 1, None)
            is_next = isinstance(key, str) and (before is None or before.encode() < key.encode())
            forbid(not is_next, "canonical", "the keys of a map are not text in order, each once")
        start = at
        items[key], at = _value(raw, at, depth + 1, scalars)
        if scalars is not None and not isinstance(items[key], (dict, list)):
            scalars.append((start, at, "" if depth else key))
    return items if form == "map" else list(items.values()), at


class Forms:
    """Nearly all bodies of a ledger are of a few forms: the pieces of a canonical body, with other scalars in its gaps.

    Such bytes are canonical if each gap holds a canonical scalar. For no encoding of a value begins another's, so every
    byte of the pieces means what it meant where they were cut from. Bodies of no known form are decoded.
    """

    def __init__(self) -> None:
        # What stands between all scalars, and the kind -> the scalars, null for gaps; the pieces; the gaps of `PLACE`.
        self.known: dict[tuple[bytes, ...], tuple[list[bytes | None], list[bytes], list[int]]] = {}

    def read(self, raw: bytes) -> list[Any]:
        """Return chain, entry and prev of a body. Raises `Flaw` for anything that is none."""
        forbid(len(raw) > RECORD_MAX, "body", f"a body has at most {RECORD_MAX} bytes")
        tried: list[int] = []
        for _, pieces, places in self.known.values():
            if at := gaps(raw, pieces, tried):
                return check_place(*(_value(raw, at[gap], 0, None)[0] for gap in places))
        scalars: list[tuple[int, int, str]] = []
        body = decode(raw, scalars)
        is_record = isinstance(body, dict) and body.get("schema") == "edca.record/1"
        forbid(not is_record or type(body.get("kind")) is not str, "body", "the body is no map of schema edca.record/1")
        place = check_place(*map(body.get, PLACE), body["kind"])
        if len(raw) < 1 << 15 and len(scalars) <= 512 and len(self.known) < 64:
            starts, ends, _ = zip(*scalars, strict=True)
            between = [raw[end:start] for end, start in zip((0, *ends), (*starts, len(raw)), strict=True)]
            form = (*between, body["kind"].encode())
            seen = self.known[form][0] if form in self.known else [raw[start:end] for start, end, _ in scalars]
            pieces, names = between[:1], []
            for number, (start, end, name) in enumerate(scalars):
                if name in PLACE or seen[number] != raw[start:end]:
                    seen[number], names = None, [*names, name]
                    pieces.append(b"")
                pieces[-1] += (seen[number] or b"") + between[number + 1]
            self.known[form] = seen, pieces, [names.index(name) for name in PLACE]
        return place


def gaps(raw: bytes, pieces: list[bytes], tried: list[int]) -> list[int] | None:
    """Where each gap begins in bytes that are these pieces with canonical scalars between them, else null."""
    at = 0
    try:
        for piece in pieces[:-1] if raw.endswith(pieces[-1]) and len(tried) < 256 else ():
            if not raw.startswith(piece, at):
                return None
            tried.append(at := at + len(piece))
            if 0 <= (size := raw[at] - 0xA0) <= 31 and raw[at + 1 : at + 1 + size].isascii():
                at += 1 + size
            else:
                forbid(0x80 <= raw[at] <= 0x9F or 0xDC <= raw[at] <= 0xDF, "canonical", "it is no scalar")
                _, at = _value(raw, at, 0, None)
    except (Flaw, IndexError, UnicodeDecodeError):
        return None
    return tried[1 - len(pieces) :] if at and at + len(pieces[-1]) == len(raw) else None


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


def check_place(chain: Any, entry: Any, prev: Any, kind: str = "known") -> list[Any]:
    """Return what a body says of its place. Raises `Flaw` where that can't be said."""
    is_named = kind and type(chain) is str and 0 < len(chain.encode()) <= 256
    is_placed = type(entry) is int and entry >= 0 and type(prev) is bytes and len(prev) == 32
    forbid(not (is_named and is_placed), "body", "kind, chain, entry or prev is not as it should be")
    return [chain, entry, prev]


def leaf_hash(header: bytes) -> bytes:
    """The hash under which a header stands in the tree."""
    return hashlib.sha256(b"\0" + header).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


def grow(parts: list[tuple[int, bytes]], leaf: bytes) -> None:
    """Append a leaf to a tree (RFC 9162, section 2.1.1), kept as the complete subtrees, the largest first."""
    width = 1
    while parts and parts[-1][0] == width:
        leaf, width = node(parts.pop()[1], leaf), 2 * width
    parts.append((width, leaf))


def root_over(parts: list[tuple[int, bytes]]) -> bytes:
    """The root of such a tree."""
    hashes = [part for _, part in reversed(parts)] or [hashlib.sha256(b"").digest()]
    return functools.reduce(lambda right, left: node(left, right), hashes)


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """RFC 9162, section 2.1.3.1, backwards: where an inclusion path leads, or null where it is none."""
    if not 0 <= index < size or bool(path) != (size > 1):
        return None
    if size == 1:
        return leaf
    left = 1 << ((size - 1).bit_length() - 1)
    is_left = index < left
    below = root_of(leaf, index if is_left else index - left, left if is_left else size - left, path[:-1])
    return below and (node(below, path[-1]) if is_left else node(path[-1], below))


def unbase64(text: str) -> bytes:
    """Standard base64, in its only form. Raises `Flaw`."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        data = None
    forbid(data is None or base64.b64encode(data).decode() != text, "format", "that is not the base64 of any bytes")
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
    with suppress(InvalidSignature, ValueError):
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        return True
    return False


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


def check_receipt(raw: bytes, trusted: list[Key], witnesses: int = 0) -> tuple[Leaf, dict[str, Any], Checkpoint]:
    """Check a receipt: c2sp.org/tlog-proof. Raises `Flaw`."""
    forbid(len(raw) > 2 * (RECORD_MAX + NOTE_MAX), "format", "the receipt is too long")
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
    check_body(leaf, held["body"], Forms())
    checkpoint = parse_checkpoint(note, trusted, witnesses)
    root = root_of(leaf_hash(held["header"]), leaf.index, checkpoint.size, path)
    forbid(root != checkpoint.root, "proof", "the proof does not lead to the checkpoint's root")
    return leaf, decode(held["body"]), checkpoint


def check_body(leaf: Leaf, raw: bytes, forms: Forms | None) -> bytes | None:
    """Check a body against its header; return the digest that it names, if `forms` are to read it. Raises `Flaw`."""
    forbid(digest("record", raw) != leaf.body, "body", "the body is not the one its header was made for")
    if forms is None:
        return None
    chain, entry, prev = forms.read(raw)
    is_same = (leaf.kind, leaf.tag, leaf.entry) == (*tag_of(chain), entry)
    forbid(not is_same, "header", "the header names another chain or entry than the body")
    return prev


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
        made = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'ledger'").fetchone()
        forbid(made != (TABLE,), "format", "it has no table of records, or one that is not made as section 7 says")
        for index, header, body in connection.execute("SELECT leaf, header, body FROM ledger ORDER BY leaf"):
            yield index, header if isinstance(header, bytes) else b"", body if isinstance(body, bytes) else b""


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
        self.decoding, self.keys, self.forms, self.size, self.bodies = decoding, trusted, Forms(), 0, 0
        self.tree: list[tuple[int, bytes]] = []
        self.findings: list[Flaw] = []
        self.tip: bytes | None = ZERO
        self.newest: dict[tuple[int, bytes], tuple[int, bytes | None]] = {}
        self.roots: dict[int, bytes] = {0: root_over([])}

    def run(self, records: Iterator[tuple[int, bytes, bytes | None]], sizes: set[int]) -> None:
        """Check each record; keep the roots at `sizes` for what is compared with them."""
        try:
            for index, header, body in records:
                if index != self.size:
                    raise Flaw("missing" if index > self.size else "order", f"not {index} is due, but {self.size}")
                self.size += 1
                self.record(index, header, body)
                if self.size in sizes:
                    self.roots[self.size] = root_over(self.tree)
        except Flaw as flaw:
            self.findings.append(flaw)

    def compare(self, checkpoint: Checkpoint) -> None:
        """Compare with a checkpoint. Raises `Flaw`."""
        size, root = checkpoint.size, self.roots.get(checkpoint.size)
        forbid(size > self.size, "missing", f"it counts {size} records, and {self.size} are there")
        forbid(root != checkpoint.root, "root", f"the root over the first {size} records is another")

    def record(self, index: int, header: bytes, raw: bytes | None) -> None:
        """Check one record against its header, the record before it, and its chain's record before it."""
        previous, self.tip = self.tip, leaf_hash(header)
        grow(self.tree, self.tip)
        try:
            leaf = parse_header(header)
            forbid(leaf.index != index, "header", f"the header is that of record {leaf.index}")
        except Flaw as flaw:
            flaw.index, self.tip = index, None
            self.findings.append(flaw)
            return
        if previous is not None and leaf.previous != previous:
            self.findings.append(Flaw("order", "it does not follow the record before it", index))
        chain = leaf.kind, leaf.tag
        entry, digest_before = self.newest.get(chain, (-1, ZERO))
        self.newest[chain] = leaf.entry, leaf.body
        if leaf.entry != entry + 1:
            self.findings.append(Flaw("gap", f"it is entry {leaf.entry} of its chain: {entry + 1} is due", index))
            return
        if raw is not None:
            self.body(index, leaf, raw, digest_before)

    def body(self, index: int, leaf: Leaf, raw: bytes, before: bytes | None) -> None:
        """Check a record's body, decoded only where that was asked for."""
        self.bodies += 1
        try:
            prev = check_body(leaf, raw, self.forms if self.decoding or leaf.kind == CONFIG else None)
            forbid(bool(prev and before) and prev != before, "chain", "it names another body of its chain before it")
            if leaf.kind == CONFIG and decode(raw).get("what") == "key":
                self.keys = handed_over(index, decode(raw), self.keys)
        except Flaw as flaw:
            flaw.index = index
            self.findings.append(flaw)
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
            leaf, body, checkpoint = check_receipt(raws[path], run.keys, arguments.witnesses)
            checkpoints.append((path, checkpoint))  # its proof leads to the root, so its record is among them
            where = f"{body['kind']} in {body['chain']}, entry {leaf.entry}"
            report.checked.append(f"{path} is of record {leaf.index} of {checkpoint.origin}: {where}")
    if folder and (not checkpoints or checkpoints[0][0] != kept[0]):
        report.open.append("any record: no checkpoint that holds says how many there are")
    if source is None or report.open:
        return report.document()
    for path, checkpoint in checkpoints:
        with report.asking(f"the first {checkpoint.size} records are those of {path}"):
            run.compare(checkpoint)
    if folder:
        report.open.append("the hashes in tile/0 and above: the tree was reckoned from the headers instead")
    counted = max((one.size for _, one in checkpoints), default=None)
    return report.document(run, fast=arguments.fast, counted=counted)


class Report:
    """What was checked, what was found, and what could not be checked."""

    def __init__(self) -> None:
        self.checked, self.findings, self.open = list[str](), list[Flaw](), list[str]()

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Note `what` as checked, or the flaw that keeps it from being so."""
        try:
            yield
        except Flaw as flaw:
            self.findings.append(Flaw(flaw.code, f"not so: {what}: {flaw.text}", flaw.index))
        else:
            self.checked.append(what)

    def document(self, run: Ledger | None = None, *, fast: bool = False, counted: int | None = None) -> dict[str, Any]:
        """The report as plain data, of a pass over a ledger too; `counted` is the size of the largest checkpoint."""
        if run is not None:
            self.findings += run.findings
            if not run.findings:
                chains = f"{len(run.newest)} chains without a gap"
                self.checked.append(f"{run.size} headers: form, order, links, tree, {chains}")
            if not run.findings and run.bodies == run.size:
                self.checked.append("every body has the digest its header carries" + ("" if fast else ", is canonical,"
                    " and names the digest of its chain's record before it"))  # fmt: skip
            if run.bodies < run.size:
                self.open.append(f"{run.size - run.bodies} bodies: they are not there")
            if fast:
                self.open.append("what stands inside the bodies: they were not decoded")
            if counted is None:
                self.open += ["deletion of the newest records: no checkpoint was given", "who wrote the records"]
            elif counted < run.size:
                self.open.append(f"deletion of records after the {counted} of the newest checkpoint")
            self.open.append("whether the verdicts are right: `edca replay` decides them again")
        found = [{"code": one.code, "index": one.index, "text": one.text} for one in self.findings]
        told = {"checked": self.checked, "findings": found, "not_checked": self.open, "ok": not found}
        return told | ({"size": run.size, "root": root_over(run.tree).hex()} if run else {"size": None, "root": None})


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
    except (Flaw, OSError, sqlite3.Error) as error:
        print(f"verify_ledger: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(found, sort_keys=True, indent=2))
        return int(not found["ok"])
    for one in found["findings"]:
        print(f"found: record {one['index']}: {one['code']}: {one['text']}".replace("record None: ", ""))
    for label, texts in (("checked", found["checked"]), ("not checked", found["not_checked"])):
        print(*(f"{label}: {text}\n" for text in texts), sep="", end="")
    print("nothing was found" if found["ok"] else f"{len(found['findings'])} found", end="")
    print("" if found["size"] is None else f" in {found['size']} records, root {found['root']}")
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
