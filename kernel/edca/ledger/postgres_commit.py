"""The end of a group: lock, look once more, write.

A group has decided on one snapshot. Before it writes, it takes a lock for every chain and cell that it has read or will
write (shared where it only read), all in the one order of their numbers, so that no two groups can wait for each other.
Under these locks it reads them again. If anything is not as it was, nothing is written and it is decided anew.

So commits that touch the same things come one after the other, in the order of the places that they draw while they
hold their locks; that is the order in which the records are sequenced and replayed.
"""

import hashlib
from collections import Counter
from typing import Final

from psycopg import errors

from edca.ledger.errors import StaleError
from edca.ledger.postgres_schema import LOCK_TIMEOUT_MS, Connection
from edca.ledger.postgres_staging import Group, Head
from edca.ledger.postgres_vault import is_vault_stale, write_vault

_CELL_LOCKS_MAX: Final = 1000  # of one space in one group
_LOCK: Final = (
    "SELECT (CASE WHEN alone THEN pg_advisory_xact_lock(name) ELSE pg_advisory_xact_lock_shared(name) END)::text"
    " FROM unnest(%s::bigint[], %s::bool[]) AS wanted(name, alone)"
)
_CELLS: Final = (
    "SELECT space, key, value FROM cells JOIN unnest(%s::text[], %s::text[]) AS wanted(space, key) USING (space, key)"
)
_HEADS: Final = (
    "SELECT wanted.chain, newest.entry, newest.digest FROM unnest(%s::text[]) AS wanted(chain), LATERAL"
    " (SELECT entry, digest FROM records WHERE chain = wanted.chain ORDER BY entry DESC LIMIT 1) AS newest"
)
_HOLD: Final = (
    "INSERT INTO leases(name, holder, until) SELECT name, %s, clock_timestamp() + make_interval(secs => %s)"
    " FROM unnest(%s::text[]) AS name ORDER BY name ON CONFLICT (name) DO UPDATE"
    " SET holder = excluded.holder, until = excluded.until"
    " WHERE leases.holder = excluded.holder OR leases.until < clock_timestamp() RETURNING name"
)


def begin(connection: Connection, schema: str, group: Group) -> int:
    """Begin the transaction, take the locks, and look once more. Return the transaction's id, for who must ask for it.

    Raises `StaleError` where something is not as the group has read it, and what the database raises.
    """
    names, alone = _locks(schema, group)
    places, chains = sorted(group.seen_cells), sorted(group.seen_heads)
    with connection.pipeline():
        connection.execute("BEGIN")
        connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        connection.execute(_LOCK, (names, alone))
        # Statements of their own, so that each sees what was committed before the last lock was had.
        cells = connection.execute(_CELLS, ([space for space, _ in places], [key for _, key in places]))
        heads = connection.execute(_HEADS, (chains,))
        scans = {
            space: connection.execute("SELECT key, value FROM cells WHERE space = %s", (space,))
            for space in sorted(group.seen_spaces)
        }
        transaction = connection.execute("SELECT pg_current_xact_id()::text::bigint")
    held = {(space, key): value for space, key, value in cells.fetchall()}
    newest: dict[str, Head] = {chain: (entry, digest) for chain, entry, digest in heads.fetchall()}
    is_stale = (
        any(held.get(place) != value for place, value in group.seen_cells.items())
        or any(newest.get(chain) != head for chain, head in group.seen_heads.items())
        or any(dict(found.fetchall()) != group.seen_spaces[space] for space, found in scans.items())
        or is_vault_stale(connection, group)
    )
    if is_stale:
        connection.execute("ROLLBACK")
        raise StaleError("another node has moved what this was decided on; nothing was written")
    row = transaction.fetchone()
    return 0 if row is None else int(row[0])


def finish(connection: Connection, group: Group, holder: str, lease_s: float) -> None:
    """Write what is staged, and commit.

    Raises `StaleError` where a lease is another's, and what the database raises.
    """
    kept = [(*place, value) for place, value in group.cells.items() if value is not None]
    dropped = [place for place, value in group.cells.items() if value is None]
    taken = sorted(name for name, is_taken in group.holds.items() if is_taken)
    left = sorted(name for name, is_taken in group.holds.items() if not is_taken)
    if taken:
        rows = connection.execute(_HOLD, (holder, lease_s, taken)).fetchall()
        if len(rows) != len(taken):
            connection.execute("ROLLBACK")
            raise StaleError("another node has begun to carry that out; nothing was written")
    with connection.pipeline():
        if group.rows:
            numbers = [row[0] for row in group.rows]
            connection.execute(
                "INSERT INTO records(number, chain, entry, digest, body)"
                " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bytea[], %s::bytea[])",
                (numbers, *(list(column) for column in list(zip(*group.rows, strict=True))[1:])),
            )
            connection.execute("INSERT INTO unsequenced(number) SELECT * FROM unnest(%s::bigint[])", (numbers,))
        if kept:
            connection.execute(
                "INSERT INTO cells(space, key, value) SELECT * FROM unnest(%s::text[], %s::text[], %s::bytea[])"
                " ON CONFLICT (space, key) DO UPDATE SET value = excluded.value",
                tuple(list(column) for column in zip(*kept, strict=True)),
            )
        if dropped:
            connection.execute(
                "DELETE FROM cells USING unnest(%s::text[], %s::text[]) AS gone(space, key)"
                " WHERE cells.space = gone.space AND cells.key = gone.key",
                tuple(list(column) for column in zip(*dropped, strict=True)),
            )
        if group.writes_vault:
            write_vault(connection, group)
        if left:
            connection.execute("DELETE FROM leases WHERE name = ANY(%s) AND holder = %s", (left, holder))
        connection.execute("COMMIT")


def is_on_record(connection: Connection, group: Group, transaction: int) -> bool | None:
    """Tell whether a commit of unknown outcome was made, by what stands; null as long as the server is still at it.

    A group is written whole or not at all, so its first record tells: its number was drawn for it alone.
    """
    try:
        row = connection.execute("SELECT pg_xact_status(%s::text::xid8)", (str(transaction),)).fetchone()
        status = None if row is None else row[0]
    except errors.Error:  # after a crash, the id may not have been given out yet
        status = None
    if status == "in progress":
        return None
    if not group.rows:
        return bool(status == "committed")
    number, chain, entry, digest, _ = group.rows[0]
    found = connection.execute("SELECT chain, entry, digest FROM records WHERE number = %s", (number,)).fetchone()
    return found == (chain, entry, digest)


def _locks(schema: str, group: Group) -> tuple[list[int], list[bool]]:
    """Return the numbers of all locks, sorted, and which of them nobody else may hold at the same time."""
    wanted: dict[int, bool] = {}

    def want(what: str, *names: str, alone: bool) -> None:
        # A clash of two names only makes them wait for each other.
        text = "\0".join((schema, what, *names)).encode()
        number = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big", signed=True)
        wanted[number] = wanted.get(number, False) or alone

    for chain in {*group.seen_heads, *group.heads}:
        want("chain", chain, alone=chain in group.heads)
    places = {*group.seen_cells, *group.cells}
    touched = Counter(space for space, _ in places)
    # The server has room for so many locks, and no more: beyond this, a whole space is locked instead of its cells.
    whole = {space for space, count in touched.items() if count > _CELL_LOCKS_MAX}
    for place in places:
        if place[0] not in whole:
            want("cell", *place, alone=place in group.cells)
    for scope in {*group.seen_keys, *group.keys}:
        want("key", scope, alone=scope in group.keys)
    for space in {*touched, *group.seen_spaces}:
        want("space", space, alone=space in group.seen_spaces or space in whole)
    names = sorted(wanted)
    return names, [wanted[name] for name in names]
