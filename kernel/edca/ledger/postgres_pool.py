"""Connections of one process to the database: each is used by one thread at a time, and thrown away once it is lost."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from edca.ledger.errors import LedgerError, StaleError
from edca.ledger.postgres_schema import Connection, connect, is_gone

_IDLE_MAX: Final = 8
_PAUSE_S: Final = 0.05


class Pool:
    """Connections that are open. Threads share it."""

    def __init__(self, dsn: str, schema: str, *, readonly: bool, reconnect_s: float) -> None:
        """Begin with none. `reconnect_s` is how long a database that is gone is waited for."""
        self._dsn = dsn
        self._schema = schema
        self._readonly = readonly
        self._reconnect_s = reconnect_s
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._is_closed = False

    def connect(self, *, waiting: bool = True) -> Connection:
        """Open one more connection, if need be `waiting` for a database that restarts. Raises `LedgerError`."""
        until = time.monotonic() + (self._reconnect_s if waiting else 0.0)
        while True:
            try:
                return connect(self._dsn, self._schema, readonly=self._readonly)
            except StaleError:
                if self._is_closed or time.monotonic() >= until:
                    raise
            time.sleep(_PAUSE_S)

    @contextmanager
    def use(self) -> Iterator[Connection]:
        """Lend one for the block. Raises `LedgerError` where there is none to be had."""
        if self._is_closed:
            raise LedgerError("the ledger is closed")
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self.connect()
        try:
            yield connection
        except BaseException as error:  # an interrupt, too, may have left a transaction open on it
            self._after(connection, error)
            raise
        self._give_back(connection)

    def _after(self, connection: Connection, error: BaseException) -> None:
        """Keep a connection on which something failed only where it is as good as new."""
        try:
            if not is_gone(connection, error):
                connection.execute("ROLLBACK")
                self._give_back(connection)
                return
        except psycopg.Error as another:
            error.add_note(f"and its connection is lost: {another}")
        connection.close()

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            if not self._is_closed and not connection.closed and len(self._idle) < _IDLE_MAX:
                self._idle.append(connection)
                return
        connection.close()

    def forget(self) -> None:
        """Close what is idle: after a restart of the database all of them are lost."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Close all that is idle; what is in use is closed when it is given back."""
        self._is_closed = True
        self.forget()
