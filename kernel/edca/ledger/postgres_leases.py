"""Leases: who of several nodes carries something out. One that gives no sign of life for long enough has let go.

Times are the database's, so nodes' clocks don't matter. A lease is taken in the transaction that it belongs to, such as
that of the acceptance whose effects are to be carried out, and renewed in the background as long as the node lives.
"""

import secrets
import threading
import time
from collections.abc import Mapping
from typing import Final

import psycopg

from edca.ledger.errors import LedgerError
from edca.ledger.postgres_pool import Pool

_RENEWALS_A_LEASE: Final = 3


class Leases:
    """The leases of one node. Threads share it."""

    def __init__(self, pool: Pool, lease_s: float) -> None:
        """Begin with none."""
        self.holder: Final = secrets.token_hex(16)
        self.lease_s: Final = lease_s
        self.failure: Exception | None = None
        self._pool = pool
        self._lock = threading.Lock()
        self._held: dict[str, float] = {}  # until when, on this process's own clock
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Renew what is held, from now on."""
        self._thread = threading.Thread(target=self._run, name="edca-leases", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let go of everything, as far as the database is there to be told."""
        self._stopped.set()
        if self._thread is None:
            return
        self._thread.join()
        self._thread = None
        with self._lock:
            held, self._held = bool(self._held), {}
        if held:
            try:
                with self._pool.use() as connection:
                    connection.execute("DELETE FROM leases WHERE holder = %s", (self.holder,))
            except (LedgerError, psycopg.Error) as error:
                self.failure = error  # they run out by themselves

    def holds(self, name: str) -> bool:
        """Tell whether a lease is held, with time left to begin something under it."""
        with self._lock:
            return self._held.get(name, 0.0) > time.monotonic()

    def took(self, holds: Mapping[str, bool], began: float) -> None:
        """Note what a commit has taken or let go of; `began` is when it was sent, on this process's own clock."""
        # Not from now: finding out whether the commit stands may have taken longer than the lease lasts.
        until = began + self.lease_s * 2 / 3
        with self._lock:
            for name, is_taken in holds.items():
                if is_taken:
                    self._held[name] = until
                else:
                    self._held.pop(name, None)

    def _run(self) -> None:
        while not self._stopped.wait(self.lease_s / _RENEWALS_A_LEASE):
            try:
                self._renew()
            except (LedgerError, psycopg.Error) as error:
                self.failure = error  # what can't be renewed runs out, here first
            else:
                self.failure = None

    def _renew(self) -> None:
        with self._lock:
            names = sorted(self._held)
        if not names:
            return
        began = time.monotonic()
        with self._pool.use() as connection:
            rows = connection.execute(
                "UPDATE leases SET until = clock_timestamp() + make_interval(secs => %s)"
                " WHERE holder = %s AND name = ANY(%s) RETURNING name",
                (self.lease_s, self.holder, names),
            ).fetchall()
        renewed = {name for (name,) in rows}
        with self._lock:
            for name in names:
                if name in renewed and name in self._held:
                    self._held[name] = began + self.lease_s * 2 / 3
                elif name not in renewed:
                    self._held.pop(name, None)
