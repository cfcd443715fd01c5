"""The rows of a ledger in a PostgreSQL database that contradicts itself: see `edca.ledger.remains`."""

from typing import Any, Final

from edca.ledger.postgres_reading import fetch
from edca.ledger.postgres_schema import connect

_ROWS_A_READ: Final = 64


class DatabaseRows:
    """What has a place in the ledger, by its headers; a body that is gone is null."""

    def __init__(self, dsn: str, schema: str = "edca") -> None:
        """Open the database for reading. Raises `LedgerError`."""
        self._connection = connect(dsn, schema, readonly=True)

    def last(self) -> int | None:
        """Return the last index, null where there is none. Raises `LedgerError`."""
        last: int | None = fetch(self._connection, "SELECT max(leaf) FROM leaves", ())[0][0]
        return last

    def at(self, start: int) -> list[tuple[int, Any, Any]]:
        """Return some rows from that index on, in order. Raises `LedgerError`."""
        query = (
            "SELECT l.leaf, l.header, r.body FROM leaves l LEFT JOIN records r USING (number) WHERE l.leaf >= %s"
            " ORDER BY l.leaf LIMIT %s"
        )
        return fetch(self._connection, query, (start, _ROWS_A_READ))

    def close(self) -> None:
        """Give up the connection. Calling it again does nothing."""
        self._connection.close()
