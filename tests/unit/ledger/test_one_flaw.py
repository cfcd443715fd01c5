"""Ledgers whose writer knows the format and got one thing wrong: everything else fits, so nothing but that is named.

Each flaw is tried where the chain's record before stands close by and where it stands far away, as a pass over many
records compares these in different places.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from test_parallel import at_once

from edca.kernel.canonical import encode
from edca.ledger.checks import Flaw
from edca.ledger.leaf import Leaf, chain_tag
from edca.ledger.record import SCHEMA, body_digest
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verify import verify

SIZE = 300
FLAWED = 200
CLOSE, FAR = 5, 150  # how many chains take turns: their records stand so far apart


@dataclass(frozen=True)
class Written:
    """What a writer puts down for one record; `named` is the chain that its header names, `said` its body's entry."""

    chain: str
    named: str
    entry: int
    said: int
    prev: bytes
    back: int | None
    previous: bytes


Wrong = Callable[[Written], Written]


def ledger_with(path: Path, apart: int, wrong: Wrong, at: int = FLAWED) -> Path:
    """Write a ledger whose record at that index is as `wrong` makes it, and all else follows from what was written."""
    SQLiteLedger.open(path, durable=False).close()
    tip, newest, rows = bytes(32), dict[str, tuple[int, int, bytes]](), list[tuple[Any, ...]]()
    for index in range(SIZE):
        chain = f"c{index % apart}"
        back, entry, prev = newest.get(chain, (None, -1, bytes(32)))
        one = Written(chain, chain, entry + 1, entry + 1, prev, back, tip)
        one = wrong(one) if index == at else one
        envelope = {"schema": SCHEMA, "kind": "note", "chain": one.chain, "entry": one.said, "prev": one.prev}
        body = encode({**envelope, "n": index})
        header = Leaf(index, one.previous, chain_tag(one.named), one.entry, body_digest(body)).to_bytes()
        tip = Leaf.from_bytes(header).leaf_hash()
        newest[one.named] = index, one.entry, body_digest(body)
        rows.append((index, one.back, header, body))
    with closing(sqlite3.connect(path)) as file:
        file.executemany("INSERT INTO ledger(leaf, back, header, body) VALUES(?, ?, ?, ?)", rows)
        heads = [(chain, entry, index, head) for chain, (index, entry, head) in newest.items()]
        file.executemany("INSERT INTO chains(chain, entry, leaf, head) VALUES(?, ?, ?, ?)", heads)
        file.commit()
    return path


FLAWS: dict[str, tuple[Wrong, Flaw]] = {
    "the body it names before it": (lambda one: replace(one, prev=bytes(range(32))), Flaw.CHAIN),
    "the hint": (lambda one: replace(one, back=FLAWED - 1), Flaw.CHAIN),
    "no hint": (lambda one: replace(one, back=None), Flaw.CHAIN),
    "the leaf it follows": (lambda one: replace(one, previous=bytes(range(32))), Flaw.ORDER),
    "the entry in the body": (lambda one: replace(one, said=one.entry + 7), Flaw.HEADER),
}


@pytest.mark.parametrize("apart", [CLOSE, FAR])
@pytest.mark.parametrize("at", [FLAWED, 192])  # the second is the first one of those that are read together
@pytest.mark.parametrize("what", FLAWS)
def test_one_thing_that_is_wrong_is_named_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, at: int, apart: int
) -> None:
    wrong, flaw = FLAWS[what]
    path = ledger_with(tmp_path / "one.db", apart, wrong, at)
    found = verify(path)
    assert flaw in {one.what for one in found.findings if one.index == at}
    assert {one.index for one in found.findings} <= {at, at + apart, None}
    at_once(monkeypatch)
    assert verify(path, jobs=2) == found


@pytest.mark.parametrize("apart", [CLOSE, FAR])
def test_where_nothing_is_wrong_nothing_is_found(tmp_path: Path, apart: int) -> None:
    assert verify(ledger_with(tmp_path / "none.db", apart, lambda one: one)).is_sound


@pytest.mark.parametrize("apart", [CLOSE, FAR])
@pytest.mark.parametrize("skipped", [1, 1000])
def test_an_entry_that_is_skipped_is_named_where_it_is(tmp_path: Path, apart: int, skipped: int) -> None:
    def wrong(one: Written) -> Written:
        return replace(one, entry=one.entry + skipped, said=one.entry + skipped)

    found = verify(ledger_with(tmp_path / "gap.db", apart, wrong))
    assert [(one.index, one.what) for one in found.findings] == [(FLAWED, Flaw.CHAIN)]
