"""Sequencing: committed records get their places in the Merkle log, in batches, from the one node that leads.

The leader holds an advisory lock of the database as long as its connection lives; when it dies, the next node that asks
gets it. Leading is only a matter of not getting in each other's way: what keeps two leaders from sequencing one index,
or one record twice, is the locked row of `tip` and the keys of `leaves`.
"""

import threading
from typing import Final

import psycopg

from edca.ledger.errors import LedgerError, TamperedError
from edca.ledger.leaf import HASH_SIZE, Leaf, chain_tag
from edca.ledger.postgres_pool import Pool
from edca.ledger.postgres_schema import Connection
from edca.ledger.tree import CompactRange

BATCH_MAX: Final = 1000
_LOOK_EVERY_S: Final = 0.05
_ASK_EVERY_S: Final = 0.5
_AFTER_FAILURE_S: Final = 0.2


def sequenced_range(connection: Connection, *, locked: bool = False) -> tuple[CompactRange, bytes]:
    """Return the tree over what is sequenced, and its newest leaf's hash. Raises `TamperedError` for none."""
    query = "SELECT size, hash, subtrees FROM tip FOR UPDATE" if locked else "SELECT size, hash, subtrees FROM tip"
    row = connection.execute(query).fetchone()
    if row is None:
        raise TamperedError("the ledger has lost its tip; verify it")
    size, tip, joined = row
    subtrees = tuple(joined[start : start + HASH_SIZE] for start in range(0, len(joined), HASH_SIZE))
    if len(subtrees) != size.bit_count() or len(joined) % HASH_SIZE:
        raise TamperedError("the ledger's tip is none; verify it")
    return CompactRange(size, subtrees), tip


def sequence_batch(connection: Connection, most: int = BATCH_MAX) -> int:
    """Give the oldest records without a place theirs, durably, and return how many they were.

    Raises `TamperedError` where the newest leaf is not the one that the tip was made of, and what the database raises.
    """
    with connection.transaction():
        tree, tip = sequenced_range(connection, locked=True)
        newest = connection.execute("SELECT leaf, header FROM leaves ORDER BY leaf DESC LIMIT 1").fetchone()
        if (0 if newest is None else newest[0] + 1) != tree.size:
            raise TamperedError("the newest leaf is not the one that the ledger's tip names; verify it")
        if newest is not None and Leaf.from_bytes(newest[1]).leaf_hash() != tip:
            raise TamperedError("the newest leaf was altered; verify the ledger")
        rows = connection.execute(
            "SELECT u.place, r.number, r.chain, r.entry, r.digest FROM unsequenced u JOIN records r USING (number)"
            " ORDER BY u.place LIMIT %s",
            (most,),
        ).fetchall()
        if not rows:
            return 0
        leaves: list[Leaf] = []
        for offset, (_, _, chain, entry, digest) in enumerate(rows):
            leaf = Leaf(tree.size + offset, tip, chain_tag(chain), entry, digest)
            tip = leaf.leaf_hash()
            leaves.append(leaf)
        hashes = [*(leaf.previous for leaf in leaves[1:]), tip]
        grown = tree.extend(hashes)
        connection.execute(
            "INSERT INTO leaves(leaf, number, header) SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[])",
            ([leaf.index for leaf in leaves], [row[1] for row in rows], [leaf.to_bytes() for leaf in leaves]),
        )
        connection.execute("DELETE FROM unsequenced WHERE place = ANY(%s)", ([row[0] for row in rows],))
        connection.execute(
            "UPDATE tip SET size = %s, hash = %s, subtrees = %s", (grown.size, tip, b"".join(grown.subtrees))
        )
        return len(rows)


class Sequencer:
    """Sequences in the background whenever this node leads."""

    def __init__(self, pool: Pool, schema: str) -> None:
        """Start."""
        self.failure: Exception | None = None
        self.is_leading = False
        self._pool = pool
        self._schema = schema
        self._woken = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="edca-sequencer", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Have it look now: there is something to sequence."""
        self._woken.set()

    def stop(self) -> None:
        """Stop after the batch at hand, and let another node lead."""
        self._stopped = True
        self._woken.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped:
            try:
                connection = self._pool.connect()
                try:
                    self._lead(connection)
                finally:
                    self.is_leading = False
                    connection.close()
            except (LedgerError, psycopg.Error) as error:
                self.failure = error
            self._wait(_AFTER_FAILURE_S)

    def _lead(self, connection: Connection) -> None:
        """Ask for the lead until it is had, then sequence whatever comes, until it is over. Raises what goes wrong."""
        ask = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
        while not self._stopped:
            if not self.is_leading:
                row = connection.execute(ask, (f"edca:sequence:{self._schema}",)).fetchone()
                self.is_leading = bool(row and row[0])
            if not self.is_leading:
                self._wait(_ASK_EVERY_S)
            elif not sequence_batch(connection):
                self.failure = None
                self._wait(_LOOK_EVERY_S)

    def _wait(self, within_s: float) -> None:
        self._woken.wait(within_s)
        if not self._stopped:
            self._woken.clear()
