"""`edca query`: questions about a whole ledger, in SQL."""

import sqlite3
import time
from typing import Annotated, Final

import typer

from edca.api.history import TABLES, History, as_database
from edca.cli.errors import CLIError
from edca.cli.loading import open_to_read
from edca.cli.options import AsJSON, Ledger, command_app, examples
from edca.cli.output import document, line, note, progress, table
from edca.cli.reading import note_unsequenced

app: Final = command_app()

_ROWS_MAX: Final = 10_000
_SIZE_MAX: Final = 4 << 20  # characters of an answer
_STEPS: Final = 100_000  # of SQLite's machine, between two looks at the time

_Question = Annotated[
    str | None,
    typer.Argument(metavar="SQL", help="One SELECT; without it, the tables are listed.", show_default=False),
]
_Rows = Annotated[int, typer.Option("--rows", metavar="COUNT", min=1, max=_ROWS_MAX, help="The most rows to show.")]
_Seconds = Annotated[int, typer.Option("--seconds", metavar="COUNT", min=1, help="How long an answer may take.")]


@app.command(
    epilog=examples(
        "edca query refunds.ledger \"select code, count(*) from verdicts where outcome = 'refused' group by code\"",
        "edca query refunds.ledger \"select model, avg(outcome = 'accepted') from verdicts group by model\" --json",
        "edca query refunds.ledger",
    )
)
def query(
    ledger: Ledger, sql: _Question = None, rows: _Rows = 1000, seconds: _Seconds = 60, as_json: AsJSON = False
) -> None:
    """Ask a question about all records of a ledger, in SQL (SQLite's).

    The tables are made from the records each time and thrown away: records, verdicts, queries, clauses, readings,
    moves, effects and approvals. A question can only read. What the tables say is no evidence: `edca verify` and `edca
    replay` say whether the records are sound.
    """
    if sql is None:
        _list_tables(as_json)
        return
    with open_to_read(ledger) as opened, progress("reading") as advance:
        note_unsequenced(opened)
        size, history = opened.size, History(opened.records())
        database = as_database(history, lambda done: advance(done, size))
    if history.unread:
        note(f"{history.unread} records hold what this version does not write; they stand in `records` alone")
    names, found = _answer(database, sql, rows, seconds)
    if as_json:
        document({"columns": names, "rows": [list(row) for row in found[:rows]], "more": len(found) > rows})
        return
    if not found:
        line("no rows")
        return
    table(names, [["" if cell is None else str(cell) for cell in row] for row in found[:rows]])
    if len(found) > rows:
        note(f"only the first {rows} rows are shown; ask for more with `--rows`")


def _answer(
    database: sqlite3.Connection, sql: str, rows: int, seconds: int
) -> tuple[list[str], list[tuple[object, ...]]]:
    """Return the names of the columns, and one row more than asked for, if there are as many."""
    until = time.monotonic() + seconds
    database.set_progress_handler(lambda: int(time.monotonic() > until), _STEPS)
    try:
        cursor = database.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        found: list[tuple[object, ...]] = []
        size = 0
        for row in cursor:
            found.append(tuple(cell.hex() if isinstance(cell, bytes) else cell for cell in row))
            size += sum(len(cell) for cell in found[-1] if isinstance(cell, str))
            if size > _SIZE_MAX:
                raise CLIError(f"the answer is longer than {_SIZE_MAX} characters", "ask for less")
            if len(found) > rows:
                break
        return names, found
    except sqlite3.ProgrammingError as error:
        raise CLIError(f"that is not one question: {error}", "give one SELECT") from error
    except sqlite3.DatabaseError as error:
        if str(error) == "interrupted":
            raise CLIError(
                f"no answer after {seconds} seconds", "ask for less, or allow more with `--seconds`"
            ) from error
        hint = "a question can only read the tables that `edca query LEDGER` lists"
        raise CLIError(f"the question can't be answered: {error}", hint) from error


def _list_tables(as_json: bool) -> None:
    if as_json:
        document({one.name: {column.name: column.type for column in one.columns} for one in TABLES})
        return
    rows = [(one.name, column.name, column.type, column.meaning) for one in TABLES for column in one.columns]
    table(("table", "column", "type", "holds"), rows)
