"""The reference page is true: a ledger read with nothing but that page and a MessagePack library checks out."""

import hashlib
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import msgpack  # type: ignore[import-untyped]

from edca.kernel.canonical import encode
from edca.ledger.record import Draft
from edca.ledger.sqlite import SQLiteLedger


def digest(domain: bytes, data: bytes) -> bytes:
    return hashlib.sha256(b"edca/" + domain + b"\0" + data).digest()


def tree_hash(headers: list[bytes]) -> bytes:
    if len(headers) <= 1:
        return hashlib.sha256(b"\0" + headers[0] if headers else b"").digest()
    split = 1 << ((len(headers) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + tree_hash(headers[:split]) + tree_hash(headers[split:])).digest()


def test_the_example_of_canonical_bytes(repository: Path) -> None:
    page = (repository / "docs/reference/ledger.md").read_text(encoding="utf-8")
    example = encode({"b": -1, "a": [None, True, 200, "é", b"\0"]})
    assert f"`{example.hex(' ')}`" in page


def test_a_ledger_read_by_the_page_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    chains = ["c1", "intake", "c1", "config", "c2", "c1", "config"]
    with SQLiteLedger.open(path) as ledger:
        ledger.commit([Draft(chain, "note", {"n": number}) for number, chain in enumerate(chains)])
        root = ledger.root()
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT leaf, header, body FROM ledger ORDER BY leaf").fetchall()
        assert connection.execute("PRAGMA application_id").fetchone() == (0x45444341,)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)

    previous_leaf = bytes(32)
    newest: dict[str, tuple[int, bytes]] = {}
    for index, (leaf, header, raw) in enumerate(rows):
        body = msgpack.unpackb(raw)
        chain, body_digest = body["chain"], digest(b"record", raw)
        kind = {"intake": 1, "config": 2}.get(chain, 0)
        case_tag = bytes(32) if kind else digest(b"case", chain.encode())
        entry, prev = newest.get(chain, (-1, bytes(32)))
        assert leaf == index
        assert (body["schema"], body["kind"], body["entry"], body["prev"]) == ("edca.record/1", "note", entry + 1, prev)
        assert (
            header
            == b"EDCA"
            + struct.pack(">HHQ", 1, kind, index)
            + previous_leaf
            + case_tag
            + struct.pack(">Q", entry + 1)
            + body_digest
        )
        previous_leaf = hashlib.sha256(b"\0" + header).digest()
        newest[chain] = (entry + 1, body_digest)
    assert len(rows) == len(chains)
    assert root == tree_hash([header for _, header, _ in rows])
