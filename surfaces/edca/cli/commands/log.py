"""`edca log`: a ledger's records, one a line."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from edca.cli.errors import CLIError
from edca.cli.loading import parsed
from edca.cli.options import FINDINGS, AsJSON, Ledger, command_app, examples
from edca.cli.output import document, line, table
from edca.cli.reading import Readable, read
from edca.cli.telling_configuration import Kept
from edca.cli.telling_operations import KINDS as OPERATIONS
from edca.cli.telling_operations import operation_lines
from edca.diagnostics import closest
from edca.kernel.calendar import time_text
from edca.kernel.values import TIME_MAX
from edca.ledger.record import Record
from edca.ledger.remains import Remains
from edca.runtime.answers import Outcome
from edca.runtime.config import CHAIN

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
_HEADINGS: Final = ("index", "time", "case", "entry", "kind", "outcome", "code", "by", "what")
_OUTCOMES: Final = ("accepted", "refused", "escalated", "returned", *(outcome.value for outcome in Outcome))


@dataclass(frozen=True, slots=True)
class _Line:
    """What the list says of one record; what its kind does not have is empty.

    `by` is who proposed, or looked. `what` is the transition, or what a record of configuration holds.
    """

    index: int
    time: str
    case: str
    entry: int
    kind: str
    outcome: str
    code: str
    by: str
    what: str


@app.command(epilog=examples("edca log refunds.ledger", "edca log refunds.ledger --outcome refused --case o1 --json"))
def log(
    ledger: Ledger,
    case: _Case = None,
    outcome: _Outcome = None,
    code: _Code = None,
    as_json: AsJSON = False,
) -> None:
    """List the records of a ledger.

    A verdict's outcome is `accepted`, `refused` or `escalated`, a query's `returned` or `refused`; that of a verdict's
    effects stands in a record of its own. A
    case's id is TENANT/ENTITY:KEY, so it begins with a slash where there are no tenants. What belongs to no case
    stands under `intake`, and the machine, the routes and the roster under `config`. Of a ledger that does not verify,
    what can be read is listed, and the exit code is 1.
    """
    if outcome is not None and outcome not in _OUTCOMES:
        near = closest(outcome, _OUTCOMES)
        hint = f"they are {', '.join(_OUTCOMES)}" if near is None else f"did you mean `{near}`?"
        raise CLIError(f"`--outcome` takes an outcome, and `{outcome}` is none", hint)
    (lines, losses), is_sound = read(ledger, lambda opened: (list(_lines(opened)), _losses(opened)))
    lines = [
        found
        for found in lines
        if (case is None or case in found.case)
        and (outcome is None or outcome == found.outcome)
        and (code is None or code == found.code)
    ]
    if as_json:
        document([{name: getattr(found, name) for name in _HEADINGS} for found in lines])
    else:
        if lines:
            table(_HEADINGS, [[str(getattr(found, name)) for name in _HEADINGS] for found in lines])
        else:
            line("no records match" if case or outcome or code else "no records")
        for loss in losses:
            line(loss)
    if not is_sound:
        raise typer.Exit(FINDINGS)


def _losses(ledger: Readable) -> list[str]:
    return list(ledger.losses()) if isinstance(ledger, Remains) else []


def _lines(ledger: Readable) -> Iterator[_Line]:
    kept = Kept(ledger)
    for stored in ledger.records():
        yield _line(stored.leaf.index, parsed(stored), kept)


def _line(index: int, record: Record, kept: Kept) -> _Line:
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
        by=_by(content),
        what=_what(record, kept, str(told.get("transition", told.get("query", "")))),
    )


def _by(content: Any) -> str:
    """Return who proposed, sent or looked."""
    for name in ("candidate", "inquiry", "malformed"):
        sent = content.get(name)
        if isinstance(sent, dict):
            return str(sent.get("proposer", ""))
    return str(content.get("by", ""))


def _what(record: Record, kept: Kept, transition: str) -> str:
    if record.kind not in (CHAIN, *OPERATIONS):
        return transition
    try:
        if record.kind in OPERATIONS:
            return operation_lines(record.kind, record.content)[0]
        return kept.title(record.content)
    except (KeyError, TypeError, ValueError):
        return ""  # nothing as this version writes it: `edca verify` and `edca replay` judge it
