"""`edca log`: a ledger's records, one a line."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from edca.cli.loading import open_to_read, parsed
from edca.cli.options import AsJSON, Ledger, command_app, examples
from edca.cli.output import document, table
from edca.kernel.calendar import time_text
from edca.kernel.values import TIME_MAX
from edca.ledger.record import Record
from edca.ledger.sqlite import SQLiteLedger

app: Final = command_app()

_Case = Annotated[
    str | None,
    typer.Option("--case", metavar="TEXT", help="Only cases whose id holds this text.", show_default=False),
]
_Outcome = Annotated[
    str | None,
    typer.Option("--outcome", metavar="WORD", help="Only this outcome, such as `refused`.", show_default=False),
]
_Code = Annotated[
    str | None, typer.Option("--code", metavar="CODE", help="Only verdicts with this code.", show_default=False)
]
_HEADINGS: Final = ("index", "time", "case", "entry", "kind", "outcome", "code", "transition")


@dataclass(frozen=True, slots=True)
class _Line:
    """What the list says of one record; what its kind does not have is empty."""

    index: int
    time: str
    case: str
    entry: int
    kind: str
    outcome: str
    code: str
    transition: str


@app.command(epilog=examples("edca log refunds.ledger", "edca log refunds.ledger --outcome refused --case o1 --json"))
def log(
    ledger: Ledger,
    case: _Case = None,
    outcome: _Outcome = None,
    code: _Code = None,
    as_json: AsJSON = False,
) -> None:
    """List the records of a ledger.

    A verdict's outcome is `accepted`, `refused` or `escalated`; that of its effects stands in a record of its own.
    """
    with open_to_read(ledger) as opened:
        lines = [
            found
            for found in _lines(opened)
            if (case is None or case in found.case)
            and (outcome is None or outcome == found.outcome)
            and (code is None or code == found.code)
        ]
    if as_json:
        document([{name: getattr(found, name) for name in _HEADINGS} for found in lines])
        return
    table(_HEADINGS, [[str(getattr(found, name)) for name in _HEADINGS] for found in lines])


def _lines(ledger: SQLiteLedger) -> Iterator[_Line]:
    for stored in ledger.records():
        record = parsed(stored)
        yield _line(stored.leaf.index, record)


def _line(index: int, record: Record) -> _Line:
    content: Any = record.content
    verdict = content.get("verdict")
    told = verdict if isinstance(verdict, dict) else content
    at = content.get("at")
    return _Line(
        index=index,
        time=time_text(at) if isinstance(at, int) and abs(at) <= TIME_MAX else "",
        case=record.chain,
        entry=record.entry,
        kind=record.kind,
        outcome=str(told.get("outcome", "")),
        code=str(told.get("code", "")),
        transition=str(told.get("transition", "")),
    )
