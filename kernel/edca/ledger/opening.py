"""Which store a ledger is in: a file, or a PostgreSQL database by its URL. The second needs `edca[postgres]`."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from edca.ledger.errors import LedgerError
from edca.ledger.kept import Kept
from edca.ledger.remains import Remains
from edca.ledger.rotation import followed
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verify import line_of, verify, wrong_announcements

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edca.ledger.note import VerifierKey
    from edca.ledger.postgres import PostgresLedger
    from edca.ledger.rotation import KeyLine
    from edca.ledger.verification import Progress, Verification

AnyLedger: TypeAlias = "SQLiteLedger | PostgresLedger"

_SCHEMES = ("postgresql://", "postgres://")
_PASSWORD: Final = re.compile(r"(?<=[^/]):[^:/@]*(?=@)|(?<=[?&])password=[^&]*&?")


class LedgerURL(type(Path())):  # type: ignore[misc]  # what a path is, only the system it runs on says
    """The URL of a ledger's database, where a path is taken: as text, a path would lose a slash of it.

    Its own text, which messages show, is without a password.
    """

    url: str

    def __new__(cls, url: str) -> LedgerURL:
        """Keep the URL beside what a path makes of it."""
        made: LedgerURL = super().__new__(cls, url)
        made.url = url
        return made

    def __str__(self) -> str:
        """Return the URL as it may be shown."""
        return _PASSWORD.sub("", self.url)


def ledger_path(text: str) -> Path:
    """Return what names a ledger: a file, or the URL of a database."""
    return LedgerURL(text) if text.startswith(_SCHEMES) else Path(text)


def open_ledger(where: str | os.PathLike[str], *, create: bool = True, readonly: bool = False) -> AnyLedger:
    """Open the ledger in that file, or at that URL. Raises what the store's own `open` raises.

    Raises `LedgerError` for a URL where the library is not installed that it takes.
    """
    named = ledger_path(where) if isinstance(where, str) else where
    if not isinstance(named, LedgerURL):
        return SQLiteLedger.open(named, create=create, readonly=readonly)
    return _postgres().open(named.url, create=create, readonly=readonly)


def open_remains(where: str | os.PathLike[str]) -> Remains:
    """Open what can still be read of the ledger in that file, or at that URL. Raises `LedgerError`."""
    named = ledger_path(where) if isinstance(where, str) else where
    if not isinstance(named, LedgerURL):
        return Remains.open(named)
    _postgres()
    from edca.ledger.postgres_remains import DatabaseRows  # noqa: PLC0415  # an extra: it is there by now

    return Remains(DatabaseRows(named.url))


def verify_ledger(
    where: str | os.PathLike[str],
    *,
    expect_size: int | None = None,
    expect_root: bytes | None = None,
    checkpoints: Sequence[Kept] = (),
    fast: bool = False,
    line: KeyLine | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Verification:
    """Check the ledger in that file or at that URL: see `edca.ledger.verify.verify`, also for what it raises."""
    named = ledger_path(where) if isinstance(where, str) else where
    if not isinstance(named, LedgerURL):
        return verify(
            named,
            expect_size=expect_size,
            expect_root=expect_root,
            checkpoints=checkpoints,
            fast=fast,
            line=line,
            jobs=jobs,
            progress=progress,
        )
    told = () if expect_size is None and expect_root is None else (Kept(expect_size, expect_root),)
    with _postgres().open(named.url, create=False, readonly=True) as ledger:
        found = verify_open(ledger, checkpoints=(*told, *checkpoints), fast=fast, progress=progress)
    return dataclasses.replace(found, findings=(*found.findings, *wrong_announcements(line)))


def followed_keys(where: str | os.PathLike[str], trusted: Iterable[VerifierKey]) -> KeyLine:
    """Follow the changes of its key through a ledger, from keys that are trusted.

    Raises what opening a database raises; a file that can't be read changes nothing: verifying it says so.
    """
    named = ledger_path(where) if isinstance(where, str) else where
    if not isinstance(named, LedgerURL):
        return line_of(named, trusted)
    with _postgres().open(named.url, create=False, readonly=True) as ledger:
        return line_of_open(ledger, trusted)


def line_of_open(ledger: AnyLedger, trusted: Iterable[VerifierKey]) -> KeyLine:
    """Follow the changes of its key through a ledger that is open."""
    if isinstance(ledger, SQLiteLedger):
        return line_of(ledger.path, trusted)
    from edca.ledger.postgres_verify import config_rows  # noqa: PLC0415  # an extra: it is there by now

    return followed(trusted, config_rows(ledger))


def verify_open(
    ledger: AnyLedger, *, checkpoints: Sequence[Kept] = (), fast: bool = False, progress: Progress | None = None
) -> Verification:
    """Check a ledger that is open, as `verify_ledger` does."""
    if isinstance(ledger, SQLiteLedger):
        return verify(ledger, checkpoints=checkpoints, fast=fast, progress=progress)
    from edca.ledger.postgres_verify import verify_postgres  # noqa: PLC0415  # an extra: it is there by now

    return verify_postgres(ledger, checkpoints=checkpoints, fast=fast, progress=progress)


def _postgres() -> type[PostgresLedger]:
    try:
        from edca.ledger.postgres import PostgresLedger  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise LedgerError(
            "a ledger in PostgreSQL needs the library `psycopg` with libpq: run `pip install 'edca[postgres]'`"
        ) from error
    return PostgresLedger
