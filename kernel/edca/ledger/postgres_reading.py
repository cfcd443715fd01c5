"""Reading the PostgreSQL store: over whichever connection is free, or within the snapshot that a thread is in.

Within a group whatever is read is noted, since the group is written only if it still holds then.
"""

import select
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, LiteralString

import psycopg

from edca.ledger.errors import LedgerError, TamperedError
from edca.ledger.leaf import Leaf, chain_tag
from edca.ledger.postgres_pool import Pool
from edca.ledger.postgres_schema import LOST, Connection, translated
from edca.ledger.postgres_sequencing import sequenced_range
from edca.ledger.postgres_staging import Group, Head
from edca.ledger.record import body_digest
from edca.ledger.rows import leaf_of
from edca.ledger.store import StoredRecord
from edca.ledger.tree import CompactRange, leaf_hash
from edca.ledger.vault_staging import StoredKey

_ROWS_A_READ: Final = 64
_NUMBER_MAX: Final = 2**63 - 1
_ROW: Final[LiteralString] = (
    "SELECT r.number, r.entry, r.digest, r.body, l.header FROM records r LEFT JOIN leaves l USING (number) "
)


class Session:
    """What one thread is in the middle of: a snapshot, and the group that is decided on it, if it is one."""

    __slots__ = ("connection", "group", "key_rows", "tail")

    def __init__(self, connection: Connection, group: Group | None) -> None:
        self.connection = connection
        self.group = group
        self.key_rows: dict[str, StoredKey | None] = {}  # of the vault, as far as they were looked up
        self.tail: list[StoredRecord] = []  # what is not sequenced, in the order in which it would be


class Reading:
    """The reads of a ledger in a PostgreSQL database."""

    def __init__(self, pool: Pool) -> None:
        """Read over the connections of `pool`."""
        self._pool = pool
        self._local = threading.local()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let all reads of the block see one moment."""
        if self._session is not None:
            yield
            return
        with self._connected() as connection, self._snapshot(connection, None):
            yield

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Lend a connection whose reads are of one moment. Raises what the database raises."""
        with self._connected() as connection, self._snapshot(connection, None):
            yield connection

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Let reads see one moment, and what is committed then and not sequenced as if it were sequenced.

        It stands after what is, in the order in which the leader takes it. So a replay meets all that the cells of that
        moment follow from; nothing gets its place by that, and `root` is that of what has one.
        """
        with self.reading():
            session = self._session
            if session is not None:
                session.tail = _tail(session.connection)
            yield

    @property
    def size(self) -> int:
        """How many records have their place in the ledger."""
        session = self._session
        return self._range().size + (0 if session is None else len(session.tail))

    def root(self) -> bytes:
        """Return the Merkle root over those."""
        return self._range().root()

    def unsequenced_count(self) -> int:
        """Return how many records are committed and have no place in the ledger yet."""
        return int(self._fetch("SELECT count(*) FROM unsequenced", ())[0][0])

    def wait_sequenced(self, within_s: float) -> bool:
        """Wait until every record that is committed now has its place; tell whether that came about in time."""
        until = time.monotonic() + within_s
        last = self._fetch("SELECT coalesce(max(place), 0) FROM unsequenced", ())[0][0]
        while self._fetch("SELECT 1 FROM unsequenced WHERE place <= %s LIMIT 1", (last,)):
            if time.monotonic() >= until:
                return False
            time.sleep(0.01)
        return True

    def head(self, chain: str) -> tuple[int, bytes] | None:
        """Return the newest entry of `chain` and the digest of its body, or None if it has no record."""
        with self._read() as (connection, group):
            return self._head(connection, group, chain)

    def cell(self, space: str, key: str) -> bytes | None:
        """Return the value of one cell, or None."""
        place = space, key
        with self._read() as (connection, group):
            if group is not None and place in group.cells:
                return group.cells[place]
            if group is not None and place in group.seen_cells:
                return group.seen_cells[place]
            rows = fetch(connection, "SELECT value FROM cells WHERE space = %s AND key = %s", place)
            value: bytes | None = rows[0][0] if rows else None
            if group is not None:
                group.seen_cells[place] = value
            return value

    def fetch(self, cells: Iterable[tuple[str, str]], chains: Iterable[str]) -> None:
        """Look up cells, by space and key, and heads of chains, for the rest of a `group`: in two queries for all."""
        with self._read() as (connection, group):
            if group is None:
                return
            places = sorted(set(cells).difference(group.seen_cells))
            query: LiteralString = (
                "SELECT space, key, value FROM cells"
                " WHERE (space, key) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
            )
            held = fetch(connection, query, ([space for space, _ in places], [key for _, key in places]))
            values: dict[tuple[str, str], bytes] = {(space, key): value for space, key, value in held}
            group.seen_cells.update((place, values.get(place)) for place in places)
            names = sorted(set(chains).difference(group.seen_heads))
            query = (
                "SELECT DISTINCT ON (chain) chain, entry, digest FROM records WHERE chain = ANY(%s)"
                " ORDER BY chain, entry DESC"
            )
            newest = fetch(connection, query, (names,))
            heads: dict[str, Head] = {chain: (entry, digest) for chain, entry, digest in newest}
            group.seen_heads.update((name, heads.get(name)) for name in names)

    def spaces(self) -> tuple[str, ...]:
        """Return the spaces that hold any cell, sorted."""
        return tuple(space for (space,) in self._fetch("SELECT DISTINCT space FROM cells ORDER BY space", ()))

    def cells(self, space: str, *, exact: bool = True) -> Iterator[tuple[str, bytes]]:
        """Yield the keys and values of a space in the order of the keys' UTF-8 bytes.

        In a group all of it must be as it was when the group ends; unless `exact` only what the group writes of it.
        """
        with self._read() as (connection, group):
            found: dict[str, bytes] = dict(
                fetch(connection, "SELECT key, value FROM cells WHERE space = %s ORDER BY key", (space,))
            )
            if group is None:
                staged: dict[str, bytes | None] = {}
            else:
                staged = {key: value for (where, key), value in group.cells.items() if where == space}
                if exact:
                    group.seen_spaces.setdefault(space, dict(found))
                else:
                    group.scanned.update({(space, key): value for key, value in found.items()})
        both: dict[str, bytes | None] = {**found, **staged}
        yield from ((key, value) for key in sorted(both) if (value := both[key]) is not None)

    def any_cell(self, space: str) -> bytes | None:
        """Return the value of one of the stored cells of a space, whichever is found first; None where it has none."""
        rows = self._fetch("SELECT value FROM cells WHERE space = %s LIMIT 1", (space,))
        return rows[0][0] if rows else None

    def read(self, number: int) -> StoredRecord:
        """Return the record of that number.

        Raises `LedgerError` if there is none, `TamperedError` if header and body contradict each other.
        """
        if not 0 <= number <= _NUMBER_MAX:
            raise LedgerError(f"there is no record of number {number}")
        with self._read() as (connection, group):
            staged = None if group is None else group.record(number)
            if staged is not None:
                return staged
            rows = fetch(connection, _ROW + "WHERE r.number = %s", (number,))
        if not rows:
            raise LedgerError(f"there is no record of number {number}")
        return _stored(rows[0])

    def number_at(self, index: int) -> int:
        """Return the number of the record at `index` of the ledger. Raises `LedgerError` where there is none."""
        in_range = 0 <= index <= _NUMBER_MAX
        rows = self._fetch("SELECT number FROM leaves WHERE leaf = %s", (index,)) if in_range else []
        if not rows:
            raise LedgerError(f"there is no record {index}; the ledger has {self.size}")
        return int(rows[0][0])

    def headers(self, start: int, end: int) -> list[bytes]:
        """Return the headers of the records from index `start` up to `end`, without their bodies."""
        query = "SELECT header FROM leaves WHERE leaf >= %s AND leaf < %s ORDER BY leaf"
        return [header for (header,) in self._fetch(query, (start, end))]

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        """Return under which hashes those records stand in the tree."""
        return [leaf_hash(header) for header in self.headers(start, end)]

    def newest(self, chain: str) -> StoredRecord | None:
        """Return the newest record of `chain`, or null where it has none. Raises as `read` does."""
        with self._read() as (connection, group):
            if self._head(connection, group, chain) is None:
                return None
            staged = [] if group is None else group.of_chain(chain, 0)
            if staged:
                return staged[-1]
            query = _ROW + "WHERE r.chain = %s ORDER BY r.entry DESC LIMIT 1"
            return _stored(fetch(connection, query, (chain,))[0])

    def records(self, start: int = 0, chain: str | None = None) -> Iterator[StoredRecord]:
        """Yield records in order: those that have a place in the ledger, or those of `chain`, sequenced or not.

        `start` is an index, and with a chain the number of a record. Raises as `read` does.
        """
        if chain is None:
            due = max(start, 0)
            where: LiteralString = "WHERE l.leaf >= %s ORDER BY l.leaf LIMIT %s"
            for stored in self._pages(where, (), start, lambda row: row.leaf.index):
                if stored.leaf.index != due:
                    raise TamperedError(f"record {due} is not there; verify the ledger")
                due += 1
                yield stored
            session = self._session
            tail = [] if session is None else session.tail
            yield from (stored for stored in tail if stored.leaf.index >= start)
            return
        with self._read() as (connection, group):
            self._head(connection, group, chain)  # what is read of a chain is all there is of it
            staged = [] if group is None else group.of_chain(chain, start)
        after = "WHERE r.chain = %s AND r.number >= %s ORDER BY r.entry LIMIT %s"
        yield from self._pages(after, (chain,), start, lambda row: row.number)
        yield from staged

    def _pages(
        self, where: LiteralString, fixed: tuple[Any, ...], start: int, place: Callable[[StoredRecord], int]
    ) -> Iterator[StoredRecord]:
        while rows := self._fetch(_ROW + where, (*fixed, start, _ROWS_A_READ)):
            stored = None
            for row in rows:
                stored = _stored(row)
                yield stored
            start = start if stored is None else place(stored) + 1

    def _head(self, connection: Connection, group: Group | None, chain: str) -> Head | None:
        if group is not None:
            if chain in group.heads:
                return group.heads[chain]
            if chain in group.seen_heads:
                return group.seen_heads[chain]
        query = "SELECT entry, digest FROM records WHERE chain = %s ORDER BY entry DESC LIMIT 1"
        rows = fetch(connection, query, (chain,))
        head: Head | None = rows[0] if rows else None
        if group is not None:
            group.seen_heads[chain] = head
        return head

    def _range(self) -> CompactRange:
        with self._read() as (connection, _):
            try:
                return sequenced_range(connection)[0]
            except psycopg.Error as error:
                raise translated(error) from error

    # Connections

    @property
    def _session(self) -> Session | None:
        found: Session | None = getattr(self._local, "session", None)
        return found

    @contextmanager
    def _snapshot(self, connection: Connection, group: Group | None) -> Iterator[None]:
        """Let this thread's reads see one moment."""
        _run(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ")
        self._local.session = Session(connection, group)
        try:
            yield
        finally:
            self._local.session = None
        _run(connection, "ROLLBACK")  # nothing was written but that numbers were drawn, which nothing undoes

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Lend a connection that is alive: those that were lost while they were idle are replaced."""
        with self._pool.use() as connection:
            if _is_alive(connection):
                yield connection
                return
            connection.close()
            self._pool.forget()
        with self._pool.use() as connection:
            yield connection

    @contextmanager
    def _read(self) -> Iterator[tuple[Connection, Group | None]]:
        session = self._session
        if session is not None:
            yield session.connection, session.group
            return
        with self._connected() as connection:
            yield connection, None

    @contextmanager
    def apart(self) -> Iterator[Connection]:
        """Lend a connection on which each statement is a transaction of its own, whatever this thread is in."""
        with self._connected() as connection:
            yield connection

    def key_rows(self) -> dict[str, StoredKey | None]:
        """Return what this thread's moment has looked up of the vault's keys; outside of any, nothing is remembered."""
        session = self._session
        return {} if session is None else session.key_rows

    def fetch_rows(self, query: LiteralString, parameters: tuple[Any, ...]) -> list[Any]:
        """Return the rows of a query, of this thread's moment if it is in one. Raises `LedgerError`."""
        return self._fetch(query, parameters)

    def _fetch(self, query: LiteralString, parameters: tuple[Any, ...]) -> list[Any]:
        with self._read() as (connection, _):
            return fetch(connection, query, parameters)


def _tail(connection: Connection) -> list[StoredRecord]:
    """Return what is not sequenced as it would be sequenced now."""
    tree, tip = sequenced_range(connection)
    query: LiteralString = (
        "SELECT r.number, r.chain, r.entry, r.digest, r.body"
        " FROM unsequenced JOIN records r USING (number) ORDER BY place"
    )
    tail: list[StoredRecord] = []
    for offset, (number, chain, entry, digest, body) in enumerate(fetch(connection, query, ())):
        leaf = Leaf(tree.size + offset, tip, chain_tag(chain), entry, digest)
        tip = leaf.leaf_hash()
        tail.append(StoredRecord(number, entry, digest, body, leaf))
    return tail


def _run(connection: Connection, statement: LiteralString) -> None:
    try:
        connection.execute(statement)
    except psycopg.Error as error:
        raise translated(error) from error


def fetch(connection: Connection, query: LiteralString, parameters: tuple[Any, ...]) -> list[Any]:
    """Return the rows of a query. Raises `LedgerError`, as `translated` has it."""
    try:
        return connection.execute(query, parameters).fetchall()
    except psycopg.Error as error:
        raise translated(error) from error


def _stored(row: tuple[int, int, bytes, bytes, bytes | None]) -> StoredRecord:
    """Return the record of a row. Raises `TamperedError` where its columns, body and header contradict each other."""
    number, entry, digest, body, header = row
    leaf: Leaf | None = None if header is None else leaf_of(int.from_bytes(header[8:16], "big"), header)
    if body_digest(body) != digest:
        raise TamperedError(f"the body of the record of number {number} is not the one its digest was made of")
    if leaf is not None and (leaf.entry, leaf.body_digest) != (entry, digest):
        raise TamperedError(f"record {leaf.index} is sequenced as another than it is; verify the ledger")
    return StoredRecord(number, entry, digest, body, leaf)


def _is_alive(connection: Connection) -> bool:
    """Tell whether a connection that was idle is still there: an end of it has made its socket readable."""
    try:
        waiting = select.poll()
        waiting.register(connection.fileno(), select.POLLIN)
        if waiting.poll(0):
            connection.execute("")
    except (*LOST, ValueError):
        return False
    return not connection.closed
