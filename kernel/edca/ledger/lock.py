"""The right to write a ledger: a lock on a side file that ends with the process that holds it.

SQLite's own lock is held only during a transaction, so two writers would take turns, each with a stale idea
of the newest record. This lock is held as long as the ledger is open for writing, and is refused at once,
never waited for. The side file stays: deleting it would let two processes lock two different files of one
name.
"""

import errno
import os
import sys
from pathlib import Path
from typing import Final, Self

from edca.ledger.errors import LedgerBusyError, LedgerError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HELD: Final = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK})
"""What the systems answer when somebody else holds the lock; anything else is a failure of locking itself."""


class WriterLock:
    """Held from `acquire` to `release`, or until the process is gone, however it went."""

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        """Use `acquire`."""
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, ledger: Path) -> Self:
        """Take the lock of the ledger at `ledger`. Raises `LedgerBusyError` if anybody holds it."""
        path = ledger.with_name(ledger.name + ".lock")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise LedgerError(f"can't open the lock file `{path}`: {error.strerror}") from error
        try:
            # flock rather than POSIX record locks: those vanish when any other descriptor of the file is
            # closed, and don't exclude a second writer in the same process.
            if sys.platform == "win32":
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if error.errno not in _HELD:
                raise LedgerError(f"this file system can't lock `{path}`: {error.strerror}") from error
            raise LedgerBusyError(
                f"another process is writing the ledger `{ledger}`; stop it first, or open it read-only"
            ) from error
        return cls(descriptor)

    def release(self) -> None:
        """Let the next writer in; closing the descriptor ends the lock. Calling it again does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
