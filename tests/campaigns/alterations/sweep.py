"""Alters a ledger one byte at a time, and asks the verifier's own code about each alteration.

A pass over all records for each byte would take days. What the pass knows when it comes to a record follows from the
records before it, and those are not altered: so it begins there, from what it knew, and goes on until it finds
something, or to the end. Findings are never taken back, so one found so is found by the whole pass as well; `whole`
asks that of some alterations, on a copy of the file.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from edca.ledger.checks import Flaw
from edca.ledger.kept import Comparison, Kept
from edca.ledger.parts import Row
from edca.ledger.record import parse
from edca.ledger.scan import Finding, Scan
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verification import Verification
from edca.ledger.verify import compare_heads, verify
from edca.runtime.cell_differences import differences
from edca.runtime.config import Configuration
from edca.runtime.rebuild import Rebuilt, stored_cells

INTEGER_SIZE = 8  # bytes of an integer in a column
COLUMNS = ("index", "back", "header", "body")


@dataclass
class Tally:
    """How many alterations were tried, by part, and those that nothing was found of or that were named wrongly."""

    tried: dict[str, int] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)
    misnamed: list[str] = field(default_factory=list)

    def count(self, part: str, is_found: bool, is_named: bool, what: str) -> None:
        """Count one alteration."""
        self.tried[part] = self.tried.get(part, 0) + 1
        if not is_found:
            self.silent.append(f"{part}: {what}")
        elif not is_named:
            self.misnamed.append(f"{part}: {what}")

    def add(self, other: Tally) -> None:
        """Count the other's as well."""
        for part, count in other.tried.items():
            self.tried[part] = self.tried.get(part, 0) + count
        self.silent += other.silent
        self.misnamed += other.misnamed

    @property
    def is_clean(self) -> bool:
        """Whether every alteration was found and named."""
        return not self.silent and not self.misnamed


@dataclass(frozen=True)
class _Known:
    """What a pass knows before a record."""

    scan: Scan

    @classmethod
    def of(cls, scan: Scan) -> _Known:
        return cls(dataclasses.replace(scan, newest=dict(scan.newest), findings=[]))

    def resumed(self, kept: tuple[Kept, ...] = ()) -> Scan:
        return dataclasses.replace(
            self.scan, kept=Comparison(kept), newest=dict(self.scan.newest), findings=[], is_complete=False
        )


class Sweep:
    """A sound ledger in memory, and what the pass over it knows at each of its records."""

    def __init__(self, path: Path, *, has_hints: bool = True) -> None:
        """Read the ledger. `has_hints` is false to go through it as a published ledger is gone through."""
        self.path = path
        with closing(sqlite3.connect(path)) as connection:
            self.rows: list[Row] = connection.execute(
                "SELECT leaf, back, header, body FROM ledger ORDER BY leaf"
            ).fetchall()
            self.heads: list[Any] = connection.execute("SELECT chain, entry, leaf, head FROM chains").fetchall()
        scan = Scan(Comparison(()), has_hints=has_hints)
        self.known = [_Known.of(scan)]
        self.roots = [scan.range.root()]
        for row in self.rows:
            scan.take([row])
            self.known.append(_Known.of(scan))
            self.roots.append(scan.range.root())
        assert not scan.findings

    def findings(
        self, rows: Sequence[Row], start: int, kept: tuple[Kept, ...] = (), *, all_: bool = False
    ) -> list[Finding]:
        """Return what a pass finds first (`all_`: all that it finds) in rows that are the sound ones up to `start`."""
        scan = self.known[start].resumed(kept)
        for place in range(start, len(rows)):
            scan.take(rows[place : place + 1])
            if scan.findings and not all_:
                return scan.findings
        compare_heads(scan, self.heads)
        scan.compare_end()
        return scan.findings

    # One byte of one record

    def alter_record(self, index: int, random: Random, tally: Tally, *, every: int = 1) -> None:
        """Alter every byte (or every so many) of the row of one record in turn."""
        for column in range(len(COLUMNS)):
            original = self.rows[index][column]
            for place, value in altered_values(original, random, every):
                row = tuple(value if number == column else part for number, part in enumerate(self.rows[index]))
                self._alter_row(index, COLUMNS[column], place, row, tally)  # type: ignore[arg-type]

    def _alter_row(self, index: int, column: str, place: int, row: Row, tally: Tally) -> None:
        what = f"record {index}, byte {place}"
        if column != "index":
            found = self.findings(Replaced(self.rows, index, row), index)
            tally.count(column, bool(found), bool(found) and found[0].index == index, what)
            return
        others = [*self.rows[:index], *self.rows[index + 1 :]]
        if any(row[0] == other[0] for other in others):
            return  # the table can't hold two rows of one key
        rows = sorted([*others, row], key=lambda one: one[0])
        found = self.findings(rows, min(index, rows.index(row)))
        tally.count(column, bool(found), bool(found) and found[0].index in (index, row[0]), what)

    # One byte of a chain's head

    def alter_heads(self, random: Random, tally: Tally, *, every: int = 1) -> None:
        """Alter every byte of the table of the chains' newest records in turn."""
        for number, head in enumerate(self.heads):
            for column, original in enumerate(head):
                for place, value in altered_values(original, random, every):
                    changed = tuple(value if here == column else part for here, part in enumerate(head))
                    scan = self.known[-1].resumed()
                    compare_heads(scan, [*self.heads[:number], changed, *self.heads[number + 1 :]])
                    named = any(finding.what is Flaw.HEADS for finding in scan.findings)
                    tally.count("heads", bool(scan.findings), named, f"chain {head[0]}, column {column}, byte {place}")

    # One byte of a cell

    def alter_cells(self, random: Random, tally: Tally, *, every: int = 1) -> None:
        """Alter every byte of every cell, and of its space and key, in turn."""
        with SQLiteLedger.open(self.path, readonly=True) as ledger:
            sound = stored_cells(ledger)
            configuration = Configuration()
            rebuilt = Rebuilt(configuration)
            for stored in ledger.records():
                record = parse(stored.body)
                if record.kind == "config":
                    configuration.take(record.content)
                rebuilt.take(stored, record)
        assert rebuilt.differences(sound) == ()
        for (space, key), value in sound.items():
            for name, original in (("space", space), ("key", key), ("value", value)):
                for place, changed in altered_values(original, random, every):
                    cell = {"space": space, "key": key, "value": value} | {name: changed}
                    places = {(space, key), (cell["space"], cell["key"])}
                    wanted = {where: kept for where in places if (kept := rebuilt.cell(*where)) is not None}
                    found = differences({(cell["space"], cell["key"]): cell["value"]}, wanted)
                    named = (space, key) in [(one.space, one.key) for one in found]
                    tally.count("cells", bool(found), named, f"cell {space} {key}, {name}, byte {place}")


def altered_values(value: Any, random: Random, every: int = 1) -> Iterator[tuple[int, Any]]:
    """Yield for each byte of a column's value where it is, and the value with that byte altered."""
    match value:
        case None:
            yield 0, 0
        case int():
            raw = value.to_bytes(INTEGER_SIZE, "big", signed=True)
            for place in range(INTEGER_SIZE):
                yield place, int.from_bytes(altered_byte(raw, place, random), "big", signed=True)
        case str():
            raw = value.encode()
            for place in range(random.randrange(every), len(raw), every):
                yield place, altered_byte(raw, place, random).decode("utf-8", "replace")
        case bytes():
            for place in range(random.randrange(every), len(value), every):
                yield place, altered_byte(value, place, random)
        case _:
            raise AssertionError(value)


def altered_byte(raw: bytes, place: int, random: Random) -> bytes:
    """Return the bytes with another one at that place."""
    return b"%b%c%b" % (raw[:place], raw[place] ^ random.randint(1, 255), raw[place + 1 :])


class Replaced(Sequence[Row]):
    """Rows with one of them replaced, without copying the others."""

    def __init__(self, rows: list[Row], place: int, row: Row) -> None:
        self._rows, self._place, self._row = rows, place, row

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, which: Any) -> Any:
        if isinstance(which, slice):
            found = self._rows[which]
            if which.start <= self._place < which.stop:
                found[self._place - which.start] = self._row
            return found
        return self._row if which == self._place else self._rows[which]


def whole(path: Path, copy: Path, column: str, index: int, value: Any) -> Verification:
    """Alter one value in a copy of the file, and verify that as anybody would."""
    copy.write_bytes(path.read_bytes())
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("DROP TRIGGER IF EXISTS ledger_keeps_records_unchanged")
        connection.execute(f"UPDATE ledger SET {column} = ? WHERE leaf = ?", (value, index))
    return verify(copy)
