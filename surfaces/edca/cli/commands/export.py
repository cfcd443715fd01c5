"""`edca export`: a ledger's tables as files, for other tools."""

from __future__ import annotations

import importlib
import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol

import typer

from edca.api.history import TABLES, History, Table, slices
from edca.cli.errors import CLIError, from_os_error
from edca.cli.loading import open_to_read
from edca.cli.options import AsJSON, Ledger, command_app, examples
from edca.cli.output import document, line, note, progress
from edca.cli.reading import note_unsequenced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.api.history import Row

app: Final = command_app()


class Form(StrEnum):
    """How the files are written."""

    JSONL = "jsonl"
    PARQUET = "parquet"


_Folder = Annotated[
    Path, typer.Option("--to", metavar="FOLDER", help="Where the files go; a new or empty folder.", show_default=False)
]
_Format = Annotated[Form, typer.Option("--format", help="JSON Lines, or Parquet, which needs `edca[parquet]`.")]


@app.command(
    epilog=examples(
        "edca export refunds.ledger --to tables",
        "edca export refunds.ledger --to tables --format parquet",
    )
)
def export(ledger: Ledger, to: _Folder, form: _Format = Form.JSONL, as_json: AsJSON = False) -> None:
    """Write a ledger's tables as files, one a table, for DuckDB, Spark and the like.

    The tables are those of `edca query`. A file is written whole or not at all. The same ledger gives the same bytes
    with the same version of the tools.
    """
    writer: _Writer = _Lines(to) if form is Form.JSONL else _Parquet(to)
    counts = dict.fromkeys((table.name for table in TABLES), 0)
    try:
        to.mkdir(parents=True, exist_ok=True)
        if any(to.iterdir()):
            raise CLIError(f"`{to}` is not empty", "name a new folder")
        with open_to_read(ledger) as opened, progress("exporting") as advance:
            note_unsequenced(opened)
            size, history = opened.size, History(opened.records())
            for found in slices(history):
                for table in TABLES:
                    writer.write(table, found.get(table.name, ()))
                    counts[table.name] += len(found.get(table.name, ()))
                advance(counts["records"], size)
        writer.finish()
    except OSError as error:
        raise from_os_error(error, to) from error
    if history.unread:
        note(f"{history.unread} records hold what this version does not write; they stand in `records` alone")
    if as_json:
        document({"folder": str(to), "format": form.value, "rows": counts, "unread": history.unread})
        return
    for name, count in counts.items():
        line(f"{to / name}.{form.value}: {count} row{'' if count == 1 else 's'}")


class _Writer(Protocol):
    def write(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows to a table's file."""

    def finish(self) -> None:
        """Give the files their names."""


class _Lines:
    """One JSON object a line, its keys in the columns' order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Any] = {}

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        if table.name not in self._files:
            self._files[table.name] = (self._folder / f"{table.name}.jsonl.unfinished").open("w", encoding="utf-8")
        file = self._files[table.name]
        for row in rows:
            pairs = dict(zip(table.names, row, strict=True))
            file.write(json.dumps(pairs, ensure_ascii=False, separators=(",", ":")) + "\n")

    def finish(self) -> None:
        for table in TABLES:
            self.write(table, ())
            self._files[table.name].close()
            (self._folder / f"{table.name}.jsonl.unfinished").replace(self._folder / f"{table.name}.jsonl")


class _Parquet:
    """Parquet, with the columns' own types."""

    def __init__(self, folder: Path) -> None:
        try:
            self._arrow: Any = importlib.import_module("pyarrow")
            self._parquet: Any = importlib.import_module("pyarrow.parquet")
        except ImportError as error:
            raise CLIError("Parquet files need `pyarrow`", "install it with `pip install 'edca[parquet]'`") from error
        self._folder = folder
        self._files: dict[str, Any] = {}

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        types = {"text": self._arrow.string(), "int": self._arrow.int64()}
        schema = self._arrow.schema([(column.name, types[column.type]) for column in table.columns])
        if table.name not in self._files:
            path = self._folder / f"{table.name}.parquet.unfinished"
            self._files[table.name] = self._parquet.ParquetWriter(path, schema)
        if rows:
            columns = list(zip(*rows, strict=True))
            self._files[table.name].write_table(self._arrow.table(dict(zip(table.names, columns, strict=True)), schema))

    def finish(self) -> None:
        for table in TABLES:
            self.write(table, ())
            self._files[table.name].close()
            (self._folder / f"{table.name}.parquet.unfinished").replace(self._folder / f"{table.name}.parquet")
