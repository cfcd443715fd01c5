"""The store for many nodes: one PostgreSQL database, any number of processes that write it.

A node keeps nothing of its own: whatever it decides on it reads in the transaction's snapshot, and what it commits
stands only if none of that has changed by then (`postgres_commit.py`); else `StaleError` has it decide again. The
commit makes a record durable and fixes its chain, entry and digest. Its place in the Merkle log is given afterwards, by
the one node that leads (`postgres_sequencing.py`). Who carries out effects or runs timers holds a lease
(`postgres_leases.py`).
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict

from edca.ledger.erasures import Erasures
from edca.ledger.errors import InDoubtError, LedgerError, StaleError
from edca.ledger.postgres_commit import begin, finish, is_on_record
from edca.ledger.postgres_leases import Leases
from edca.ledger.postgres_pool import Pool
from edca.ledger.postgres_reading import Session, fetch
from edca.ledger.postgres_schema import LOST, Connection, prepare, translated
from edca.ledger.postgres_sequencing import Sequencer
from edca.ledger.postgres_staging import Group
from edca.ledger.postgres_vault import PostgresDestroying, PostgresVault, list_of_erasures
from edca.ledger.record import Draft
from edca.ledger.rows import check_cell
from edca.ledger.store import Cell, Stored

LEASE_S: Final = 15.0
"""After how many seconds without a sign of life what a node was at may be gone on with by another."""

RECONNECT_S: Final = 30.0
"""How long a database that is gone is waited for."""

_NUMBERS_A_DRAW: Final = 16


class PostgresLedger(PostgresDestroying):
    """A ledger in a PostgreSQL database. Threads may share it; processes each open it for themselves."""

    def __init__(
        self,
        pool: Pool,
        path: str,
        schema: str,
        erasures: Erasures,
        *,
        readonly: bool,
        lease_s: float,
        reconnect_s: float,
    ) -> None:
        """Use `open`."""
        self.schema: Final = schema
        super().__init__(pool)
        self.path: Final = path
        self._readonly = readonly
        self._reconnect_s = reconnect_s
        self._process_id = os.getpid()
        self._leases = Leases(pool, lease_s)
        self._sequencer: Sequencer | None = None
        self._vault = PostgresVault(self, self._staged, erasures)

    @classmethod
    def open(
        cls,
        dsn: str,
        *,
        schema: str = "edca",
        create: bool = True,
        readonly: bool = False,
        durable: bool = True,
        sequences: bool = True,
        lease_s: float = LEASE_S,
        reconnect_s: float = RECONNECT_S,
        erasures: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Open the ledger in that schema of the database, made first if it isn't there and `create` allows it.

        `dsn` is what libpq takes, such as `postgresql://host/name`. `sequences`: this process takes its turn at giving
        records their places; at least one that is open must. `durable=False` accepts a server without `fsync`.
        `erasures` is the file with the list of erasures (else the environment's `EDCA_ERASURES`): without one nothing
        can be erased, and with one, what a restored dump has brought back is erased again before anything is read.

        Raises `LedgerFormatError` where the schema holds no ledger of this version, and `LedgerError` where the
        database can't be used.
        """
        pool = Pool(dsn, schema, readonly=readonly, reconnect_s=reconnect_s)
        listed = list_of_erasures(erasures)
        ledger = cls(pool, _path(dsn), schema, listed, readonly=readonly, lease_s=lease_s, reconnect_s=reconnect_s)
        try:
            connection = pool.connect(waiting=False)  # a wrong address is told at once
            try:
                prepare(connection, schema, create=create and not readonly, durable=durable and not readonly)
            finally:
                connection.close()
            if not readonly:
                ledger._leases.start()
                ledger.erase_again()
            if sequences and not readonly:
                ledger._sequencer = Sequencer(pool, schema)
        except BaseException:  # after an interrupt, too, nobody else has what to close: leases and connections
            ledger.close()
            raise
        return ledger

    def close(self) -> None:
        """Give up the connections, and what this node holds. Calling it again does nothing."""
        if self._sequencer is not None:
            self._sequencer.stop()
        self._leases.stop()
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Writing

    def commit(
        self, drafts: Sequence[Draft], cells: Sequence[Cell] | Callable[[tuple[Stored, ...]], Sequence[Cell]] = ()
    ) -> tuple[Stored, ...]:
        """Append `drafts` and write `cells`, in one transaction, durable on return, or when the `group` ends.

        `cells` may follow from the numbers that the records get. Nothing is written if this raises: `LedgerError` or
        `CanonicalError` for what can't be stored, `StaleError` where another node was quicker. Only where the database
        stays away for long after the commit was sent, is it unknown: that raises `InDoubtError`.
        """
        session = self._session
        if session is None or session.group is None:
            with self.group():
                return self.commit(drafts, cells)
        group = session.group
        with self.step():
            stored = tuple(self._place(session, group, draft) for draft in drafts)
            for cell in cells(stored) if callable(cells) else cells:
                check_cell(cell)
                if "\0" in cell.space + cell.key:
                    raise LedgerError("a cell's space and key hold no zero character")
                group.put(cell)
        return stored

    @contextmanager
    def group(self) -> Iterator[None]:
        """Let all commits of the block share one transaction, durable when the block ends: all of them or none.

        All that the block reads is of one moment. At its end it must still be so, or `StaleError` is raised and nothing
        is written; it raises that, too, where the database is gone before anything was sent. Raises as `commit` does.
        """
        self._check_writable()
        if self._session is not None:
            raise LedgerError("this thread has begun a group of commits, or a block of reads, already")
        group = Group()
        with self._connected() as connection:
            try:
                with self._snapshot(connection, group):
                    yield
            except LOST as error:
                raise StaleError(f"the database went away ({error}); nothing was written") from error
            if not group.is_empty:
                self._write(connection, group)

    @contextmanager
    def step(self) -> Iterator[None]:
        """Within a group: take back what is committed in the block, and nothing else, if the block raises."""
        session = self._session
        if session is None or session.group is None:
            raise LedgerError("a step is part of a group of commits")
        mark = session.group.mark()
        try:
            yield
        except BaseException:  # whoever catches an interrupt goes on with the group, and without the step
            session.group.back_to(mark)
            raise

    def _place(self, session: Session, group: Group, draft: Draft) -> Stored:
        if draft.key is not None:
            key = self._vault.needs_key_row(draft.key, draft.subject)
            if key is not None:
                group.put_key(draft.key.scope, key)
            group.seen_keys[draft.key.scope] = draft.key.fingerprint
        return group.add(draft, self._head(session.connection, group, draft.chain), self._number(session))

    def _staged(self) -> Group | None:
        session = self._session
        return None if session is None else session.group

    def _write(self, connection: Connection, group: Group) -> None:
        try:
            transaction = begin(connection, self.schema, group)
        except psycopg.Error as error:
            raise translated(error) from error
        for erasure in group.listed.values():
            self._vault.erasures.add(erasure)
        began = time.monotonic()
        try:
            finish(connection, group, self._leases.holder, self._leases.lease_s)
        except LOST as error:
            self._resolve(group, transaction, error)
        except psycopg.Error as error:
            raise translated(error) from error
        self._leases.took(group.holds, began)
        if self._sequencer is not None and group.rows:
            self._sequencer.wake()

    def _resolve(self, group: Group, transaction: int, error: psycopg.Error) -> None:
        """Find out what became of a commit whose answer was lost: return where it stands, raise where it doesn't."""
        until = time.monotonic() + self._reconnect_s
        stands: bool | None = None
        while stands is None and time.monotonic() < until:
            try:
                connection = self._pool.connect()
            except LedgerError:
                break
            try:
                stands = is_on_record(connection, group, transaction)
            except LOST:
                stands = None
            finally:
                connection.close()
            if stands is None:
                time.sleep(0.02)
        if stands is None:
            raise InDoubtError(
                f"the database went away while it committed ({error}), and has not come back within "
                f"{self._reconnect_s:g} s: what was sent may or may not stand"
            ) from error
        if not stands:
            raise StaleError(f"the database went away before it committed ({error}); nothing was written") from error

    def _number(self, session: Session) -> int:
        """Draw the next number. It is drawn after the chain's head was read, so numbers of one chain rise."""
        group = session.group
        if group is None:
            raise LedgerError("a number is drawn within a group")
        if not group.numbers:
            query = "SELECT nextval('numbers') FROM generate_series(1, %s)"
            drawn = [number for (number,) in fetch(session.connection, query, (_NUMBERS_A_DRAW,))]
            group.numbers = sorted(drawn, reverse=True)
        return group.numbers.pop()

    def _check_writable(self) -> None:
        if self._readonly:
            raise LedgerError("the ledger was opened read-only")
        if self._process_id != os.getpid():
            raise LedgerError("a ledger can't be used across a fork; open it in the process that writes it")

    # Leases

    def holds(self, name: str) -> bool:
        """Tell whether this node holds a lease, as far as it knows; when in doubt it says no."""
        return self._leases.holds(name)

    def hold(self, name: str) -> bool:
        """Take a lease, and tell whether it is to be had: another node that is alive may hold it.

        Within a group it is taken with the group's commit. Raises what `commit` raises.
        """
        session = self._session
        if session is None or session.group is None:
            with self.group():
                return self.hold(name)
        query = "SELECT 1 FROM leases WHERE name = %s AND holder <> %s AND until >= clock_timestamp()"
        if fetch(session.connection, query, (name, self._leases.holder)):
            return False
        session.group.hold(name, True)
        return True

    def let_go(self, name: str) -> None:
        """Let go of a lease: within a group with its commit. Raises what `commit` raises."""
        session = self._session
        if session is None or session.group is None:
            with self.group():
                self.let_go(name)
            return
        session.group.hold(name, False)

    def abandoned(self, prefix: str) -> tuple[str, ...]:
        """Return the leases, of names that begin so, whose holders have given no sign of life for too long, sorted."""
        query = "SELECT name FROM leases WHERE until < clock_timestamp() AND starts_with(name, %s) ORDER BY name"
        return tuple(name for (name,) in self._fetch(query, (prefix,)))


def _path(dsn: str) -> str:
    """Return how messages call the database: without a password."""
    try:
        parts = conninfo_to_dict(dsn)
    except psycopg.Error as error:
        raise LedgerError("that is no address of a PostgreSQL database") from error
    return f"postgresql://{parts.get('host', '')}/{parts.get('dbname', '')}"
