"""A ledger's records as tables, for questions about the whole of it: in SQL, or in files for other tools.

Tables hold what people count by: verdicts, and answers to queries, by code, clause, role, model, version and day. They
are made from the records each time, kept nowhere, and are no evidence: `edca verify` and `edca replay` say whether the
records are sound.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from edca.kernel.calendar import time_text
from edca.kernel.values import TIME_MAX
from edca.ledger.errors import LedgerFormatError
from edca.ledger.record import Record, parse
from edca.ledger.store import StoredRecord
from edca.runtime.config import CHAIN, Configuration
from edca.runtime.opened import veiled
from edca.runtime.stamps import Kernel

Cell: TypeAlias = str | int | None
Row: TypeAlias = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `type` is `text` or `int`, and any may be null."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table, with what a row of it stands for."""

    name: str
    meaning: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.name for column in self.columns)


def _table(name: str, meaning: str, *columns: tuple[str, str, str]) -> Table:
    return Table(name, meaning, tuple(Column(*column) for column in columns))


_RECORD: Final = ("record", "int", "the record's index")
TABLES: Final = (
    _table(
        "records",
        "One record.",
        _RECORD,
        ("kind", "text", "`verdict`, `outcome`, `approval`, …"),
        ("chain", "text", "the case's id, `config` or `intake`"),
        ("entry", "int", "its place in that chain, from 0"),
        ("at", "int", "when, in microseconds UTC since the epoch"),
        ("time", "text", "the same, as RFC 3339 writes it"),
        ("day", "text", "the same, the day alone"),
        ("tenant", "text", "for whom"),
        ("size", "int", "how many bytes its body has"),
    ),
    _table(
        "verdicts",
        "One verdict, joined to `records` by `record`.",
        _RECORD,
        ("day", "text", "the day of its time"),
        ("outcome", "text", "`accepted`, `refused` or `escalated`"),
        ("code", "text", "the code of its stage, or of its first failed clause"),
        ("stage", "text", "the early stage that refused it; null where the clauses were evaluated"),
        ("transition", "text", "what was proposed: the branch's id where one was chosen"),
        ("machine", "text", "the digest of the machine, in hexadecimal"),
        ("name", "text", "the machine's name"),
        ("version", "text", "the machine's version"),
        ("proposer", "text", "who proposed"),
        ("role", "text", "in which role"),
        ("subject", "text", "on whose behalf"),
        ("model", "text", "the exact model behind the proposal"),
        ("confidence", "int", "in units of 1/10000"),
        ("anchor", "text", "who answers"),
        ("anchor_role", "text", "in which role"),
        ("mandate", "text", "by which mandate; null where they proposed it themselves"),
        ("mode", "text", "the mode in force"),
        ("state", "text", "the case's state before"),
        ("pending", "int", "1 where effects had to come out before it took hold, else 0"),
        ("kernel", "text", "the version of the kernel that decided; null in old records, which don't tell"),
        ("kernel_digest", "text", "the digest of that kernel's source, in hexadecimal"),
        ("labels", "text", "the labels that anything in the record carries, with a space between"),
        (
            "retention",
            "text",
            "the retention class that its case is in from then on; null: none, or no rules were told",
        ),
    ),
    _table(
        "queries",
        "One answer to a query, joined to `records` by `record`.",
        _RECORD,
        ("day", "text", "the day of its time"),
        ("outcome", "text", "`returned` or `refused`"),
        ("code", "text", "`returned`, the code of its stage or of its first failed clause, or why a value is unknown"),
        ("stage", "text", "the early stage that refused it; null where the clauses were evaluated"),
        ("query", "text", "what was asked"),
        ("machine", "text", "the digest of the machine, in hexadecimal"),
        ("name", "text", "the machine's name"),
        ("version", "text", "the machine's version"),
        ("proposer", "text", "who asked"),
        ("role", "text", "in which role"),
        ("subject", "text", "on whose behalf"),
        ("model", "text", "the exact model that asked"),
        ("mode", "text", "the mode in force"),
        ("kernel", "text", "the version of the kernel that answered"),
        ("kernel_digest", "text", "the digest of that kernel's source, in hexadecimal"),
        ("labels", "text", "the labels that anything in the record carries, with a space between"),
    ),
    _table(
        "clauses",
        "One clause's share in a verdict, or in the answer to a query.",
        _RECORD,
        ("place", "int", "the clause's place in its transition or query, from 0"),
        ("code", "text", "the clause's code"),
        ("kind", "text", "`require`, `forbid`, `confirm`, `sign` or `limit`"),
        ("result", "text", "`passed`, `waived`, `failed` or `unknown`"),
        ("reason", "text", "why it is unknown"),
        ("role", "text", "who may answer it"),
        ("withheld", "int", "1 where a model isn't told that it was this one, else 0"),
    ),
    _table(
        "readings",
        "One value that a clause which did not pass had read.",
        _RECORD,
        ("code", "text", "the clause's code"),
        ("name", "text", "what was read, by its abstract name"),
        ("value", "text", "the value, or why it is unknown"),
    ),
    _table(
        "moves",
        "What a verdict adds to the counter of a limit.",
        _RECORD,
        ("code", "text", "the limit's code"),
        ("used", "int", "what the counter held, in units of the limit's type"),
        ("amount", "int", "what is added"),
        ("bound", "int", "how far it may go"),
    ),
    _table(
        "effects",
        "One effect in the outcome of a verdict.",
        _RECORD,
        ("verdict", "int", "the index of the verdict's record"),
        ("day", "text", "the day of the outcome"),
        ("outcome", "text", "the whole outcome: `confirmed`, `failed`, `undone`, `timed_out` or `quarantined`"),
        ("place", "int", "the effect's place in its transition, from 0"),
        ("effect", "text", "the effect's name"),
        ("undoing", "int", "1 where it takes another back, else 0"),
        ("report", "text", "what its route reported"),
        ("attempts", "int", "how often the route was called"),
    ),
    _table(
        "approvals",
        "One answer of a person to an open question.",
        _RECORD,
        ("day", "text", "the day of the answer"),
        ("code", "text", "the clause that was answered"),
        ("by", "text", "who answered"),
        ("role", "text", "in which role"),
        ("yes", "int", "1 for yes, 0 for no"),
        ("authenticated", "text", "`signed` with a key of their own, or `asserted` by the host"),
        ("void", "text", "why it doesn't count; null where it does"),
    ),
)
_BY_NAME: Final[Mapping[str, Table]] = {table.name: table for table in TABLES}
_TYPES: Final = {"text": "TEXT", "int": "INTEGER"}
_INT_MAX: Final = 2**63 - 1
_TEXT_MAX: Final = 1 << 20  # bytes of one value: no function of a question makes more of it
_SLICE: Final = 512  # rows of a table that are written at once


class History:
    """The tables of a ledger, row by row; `unread` counts records whose content is none this version writes."""

    def __init__(self, records: Iterable[StoredRecord]) -> None:
        """Take the records, in order."""
        self._records = records
        self._configuration = Configuration()
        self._indexes: dict[bytes, int] = {}
        self.unread = 0

    def rows(self) -> Iterator[tuple[Table, Row]]:
        """Yield table and row, record by record. Raises `LedgerFormatError` for a body that can't be parsed."""
        for stored in (veiled(stored, "(sealed)") for stored in self._records):
            record = parse(stored.body)
            index, content = stored.leaf.index, record.content
            yield _BY_NAME["records"], _record_row(stored, record)
            try:
                found = [(name, _plain(row)) for name, row in self._about(index, stored, record, content)]
            except (KeyError, TypeError, ValueError, IndexError, AttributeError, LedgerFormatError):
                self.unread += 1
                continue
            for name, row in found:
                yield _BY_NAME[name], row

    def _about(self, index: int, stored: StoredRecord, record: Record, content: Any) -> Iterator[tuple[str, Row]]:
        match record.kind:
            case "verdict":
                self._indexes[stored.leaf.body_digest] = index
                yield from self._verdict(index, content)
            case "query":
                yield from self._query(index, content)
            case "outcome":
                yield from self._outcome(index, content)
            case "approval":
                yield "approvals", _approval_row(index, content)
            case _ if record.kind == CHAIN:
                self._configuration.take(content)
            case _:
                return

    def _verdict(self, index: int, content: Any) -> Iterator[tuple[str, Row]]:
        verdict, candidate = content["verdict"], content["candidate"] or content["malformed"] or {}
        anchor, machine = verdict.get("anchor") or {}, self._configuration.machine(content["machine"])
        yield (
            "verdicts",
            (
                index,
                _day(content["at"]),
                verdict["outcome"],
                verdict["code"],
                verdict.get("stage"),
                verdict["transition"],
                content["machine"].hex(),
                machine.name,
                machine.version,
                candidate.get("proposer"),
                candidate.get("role"),
                candidate.get("subject"),
                candidate.get("model"),
                candidate.get("confidence"),
                anchor.get("principal"),
                anchor.get("role"),
                anchor.get("mandate"),
                content["mode"],
                None if content["case"] is None else content["case"]["state"],
                int(content["pending"]),
                *_stamps(content),
                (content.get("retention") or {}).get("class"),
            ),
        )
        yield from _clauses(index, verdict["clauses"])
        for move in verdict.get("moves", ()):
            yield "moves", (index, move["code"], move["used"], move["amount"], move["bound"])

    def _query(self, index: int, content: Any) -> Iterator[tuple[str, Row]]:
        verdict, inquiry = content["verdict"], content["inquiry"] or content["malformed"] or {}
        machine = self._configuration.machine(content["machine"])
        yield (
            "queries",
            (
                index,
                _day(content["at"]),
                verdict["outcome"],
                verdict["code"],
                verdict.get("stage"),
                inquiry.get("query", ""),
                content["machine"].hex(),
                machine.name,
                machine.version,
                inquiry.get("proposer"),
                inquiry.get("role"),
                inquiry.get("subject"),
                inquiry.get("model"),
                content["mode"],
                *_stamps(content),
            ),
        )
        yield from _clauses(index, verdict["clauses"])

    def _outcome(self, index: int, content: Any) -> Iterator[tuple[str, Row]]:
        verdict, day = self._indexes.get(content["record"]), _day(content["at"])
        for one in content["effects"]:
            told = (one["place"], one["effect"], int(one["undoing"]), one["report"], len(one["attempts"]))
            yield "effects", (index, verdict, day, content["outcome"], *told)


def as_database(history: History, progress: Callable[[int], None] | None = None) -> sqlite3.Connection:
    """Return the tables as a database that can only be read; `progress` is told how many records are in it.

    It lives in memory and, where that is short, in a temporary file of its own. Raises as `History.rows` does.
    """
    connection = sqlite3.connect("")
    for table in TABLES:
        columns = ", ".join(f'"{column.name}" {_TYPES[column.type]}' for column in table.columns)
        connection.execute(f'CREATE TABLE "{table.name}" ({columns})')
    inserts = {table.name: _insert(table) for table in TABLES}
    count = 0
    for slice_ in slices(history):
        for name, rows in slice_.items():
            connection.executemany(inserts[name], rows)
        count += len(slice_.get("records", ()))
        if progress is not None:
            progress(count)
    for table in TABLES[1:]:
        connection.execute(f'CREATE INDEX "by_{table.name}" ON "{table.name}" (record)')
    connection.commit()
    # From here on only questions: nothing a question says can change a file, or open another one.
    connection.execute("PRAGMA query_only = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _TEXT_MAX)
    connection.set_authorizer(_only_reading)
    return connection


def slices(history: History) -> Iterator[Mapping[str, Sequence[Row]]]:
    """Yield the rows of some records at a time, by table."""
    found: dict[str, list[Row]] = {}
    count = 0
    for table, row in history.rows():
        found.setdefault(table.name, []).append(row)
        count += 1
        if count >= _SLICE:
            yield found
            found, count = {}, 0
    if found:
        yield found


def _insert(table: Table) -> str:
    return f'INSERT INTO "{table.name}" VALUES ({", ".join("?" * len(table.columns))})'  # noqa: S608  our own names


_READING: Final = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, 33})  # 33: recursive
_UNSAFE: Final = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"})


def _only_reading(action: int, _first: str | None, second: str | None, _database: str | None, _by: str | None) -> int:
    is_unsafe = action == sqlite3.SQLITE_FUNCTION and second in _UNSAFE
    return sqlite3.SQLITE_OK if action in _READING and not is_unsafe else sqlite3.SQLITE_DENY


def _clauses(index: int, clauses: Iterable[Any]) -> Iterator[tuple[str, Row]]:
    for place, clause in enumerate(clauses):
        told = (clause["kind"], clause["result"], clause["reason"], clause["role"], int(clause["withheld"]))
        yield "clauses", (index, place, clause["code"], *told)
        for name, value in clause["readings"]:
            yield "readings", (index, clause["code"], name, value)


def _record_row(stored: StoredRecord, record: Record) -> Row:
    found, tenant = record.content.get("at"), record.content.get("tenant")
    at = found if isinstance(found, int) and abs(found) <= TIME_MAX else None
    return (
        stored.leaf.index,
        record.kind,
        record.chain,
        record.entry,
        at,
        None if at is None else time_text(at),
        None if at is None else _day(at),
        tenant if isinstance(tenant, str) else None,
        len(stored.body),
    )


def _approval_row(index: int, content: Any) -> Row:
    told = (content["code"], content["by"], content["role"], int(content["yes"]))
    return (index, _day(content["at"]), *told, content["authenticated"], content["void"])


def _stamps(content: Any) -> Row:
    """Return the kernel's version and digest, and the labels; null each where an old record doesn't tell."""
    kernel, labels = Kernel.of(content), content.get("labels")
    digest = None if kernel is None or kernel.digest is None else kernel.digest.hex()
    return None if kernel is None else kernel.version, digest, None if labels is None else " ".join(labels)


def _day(at: int) -> str:
    return time_text(at)[:10]


def _plain(row: Row) -> Row:
    """Return a row as it is. Raises `ValueError` for what no column holds, such as a number of more than 63 bits."""
    for cell in row:
        if (cell is not None and type(cell) not in (str, int)) or (isinstance(cell, int) and abs(cell) > _INT_MAX):
            raise ValueError(f"{type(cell).__name__} stands where text or a number is due")
    return row
