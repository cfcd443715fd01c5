"""Decoding the bodies of a ledger's file in several processes, which is most of the work of checking one.

A worker reads some rows for itself and says of each which body it has seen there, and which body of its chain that one
names before it: where the row is sound in itself, and nothing otherwise. The pass over all records goes on in order, in
one process, and needs no more of a body than that. Where it is told nothing, it looks for itself.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from edca.ledger.errors import LedgerError, LedgerFormatError
from edca.ledger.leaf import HASH_SIZE, HEADER_SIZE, LAYOUT, chain_tag
from edca.ledger.record import body_digest, parse
from edca.ledger.schema import READ_ERRORS, connect

ROWS_A_CHUNK: Final = 2048
_CLAIM_SIZE: Final = 2 * HASH_SIZE
_NOTHING: Final = bytes(_CLAIM_SIZE)
_AHEAD: Final = 3  # chunks that each worker may be ahead of the pass


def claims(path: Path, first: int) -> bytes:
    """Return for each of the rows from `first` on, one chunk of them, the body's digest and the one it names before it.

    Both are zeros for a row that is not there or not sound in itself: canonical, under its header's chain and entry.
    """
    found = bytearray(_NOTHING * ROWS_A_CHUNK)
    query = "SELECT leaf, header, body FROM ledger WHERE leaf >= ? AND leaf < ? ORDER BY leaf"
    try:
        with closing(connect(path, "ro")) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            for index, header, body in connection.execute(query, (first, first + ROWS_A_CHUNK)):
                if type(header) is bytes and len(header) == HEADER_SIZE and type(body) is bytes:
                    start = (index - first) * _CLAIM_SIZE
                    found[start : start + _CLAIM_SIZE] = _claim(header, body)
    except (LedgerError, *READ_ERRORS):
        return bytes(found)  # the pass meets the same, and says so
    return bytes(found)


def _claim(header: bytes, body: bytes) -> bytes:
    _, _, kind, _, _, tag, entry, digest = LAYOUT.unpack(header)
    if body_digest(body) != digest:
        return _NOTHING
    try:
        record = parse(body)
    except LedgerFormatError:
        return _NOTHING
    named = chain_tag(record.chain)
    is_its = (int(named.kind), named.case_tag, record.entry) == (kind, tag, entry)
    return bytes(digest + record.prev) if is_its else _NOTHING


class Decoders:
    """What workers claim of each record, handed out as the pass comes to it."""

    def __init__(self, pool: ProcessPoolExecutor, path: Path, size: int, jobs: int) -> None:
        """Use `decoders`."""
        self._pool, self._path = pool, path
        self._places = iter(range(0, size, ROWS_A_CHUNK))
        self._waiting: dict[int, Future[bytes]] = {}
        self._place, self._chunk = -1, b""
        for _ in range(jobs * _AHEAD):
            self._submit()

    def __call__(self, index: int) -> bytes | None:
        """Return the claim about a record, null where there is none. Indexes are asked for in rising order."""
        place = index - index % ROWS_A_CHUNK
        if place != self._place:
            for passed in [one for one in self._waiting if one < place]:
                self._waiting.pop(passed).cancel()
                self._submit()
            waiting = self._waiting.pop(place, None)
            self._place, self._chunk = place, b"" if waiting is None else waiting.result()
            self._submit()
        start = (index - place) * _CLAIM_SIZE
        claim = self._chunk[start : start + _CLAIM_SIZE]
        return claim if claim and claim != _NOTHING else None

    def _submit(self) -> None:
        place = next(self._places, None)
        if place is not None:
            self._waiting[place] = self._pool.submit(claims, self._path, place)


@contextmanager
def decoders(path: Path, size: int, jobs: int) -> Iterator[Decoders]:
    """Start so many workers on a file of `size` records, and end them with the block."""
    # Not forked: the caller may have threads, and SQLite's connections don't survive a fork.
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"))
    try:
        yield Decoders(pool, path, size, jobs)
    finally:
        pool.shutdown(cancel_futures=True)
