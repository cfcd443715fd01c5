"""`edca explain`: one record of a ledger in words, or what a diagnostic's code means."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.errors import CLIError
from edca.cli.explanation import explained, json_data
from edca.cli.loading import open_to_read, parsed
from edca.cli.options import AsJSON, command_app, examples
from edca.cli.output import document, line
from edca.diagnostics import CODES, closest, find_code

app: Final = command_app()

_What = Annotated[
    str,
    typer.Argument(metavar="RECORD", help="A record's index, or a diagnostic's code.", show_default=False),
]
_Ledger = Annotated[
    Path | None,
    typer.Option("--ledger", metavar="FILE", help="The ledger that holds the record.", show_default=False),
]


@app.command(epilog=examples("edca explain 12 --ledger refunds.ledger", "edca explain T003"))
def explain(record: _What, ledger: _Ledger = None, as_json: AsJSON = False) -> None:
    """Say in words what one record holds, or what a diagnostic's code means.

    A record's text comes from the ledger alone: who proposed what, the clauses that failed and what they read, what
    changed, and who answers.
    """
    if record.isascii() and record.isdigit():
        if ledger is None:
            raise CLIError("which ledger holds the record?", f"run `edca explain {record} --ledger FILE`")
        _explain_record(int(record), ledger, as_json)
    else:
        _explain_code(record, as_json)


def _explain_record(index: int, path: Path, as_json: bool) -> None:
    with open_to_read(path) as ledger:
        if index >= ledger.size:
            hint = f"run `edca log {path}` for the records"
            raise CLIError(f"there is no record {index}; the ledger has {ledger.size}", hint)
        record = parsed(ledger.read(index))
        lines = explained(index, record, ledger)
    if not as_json:
        for text in lines:
            line(text)
        return
    document(
        {
            "chain": record.chain,
            "content": json_data(record.content),
            "entry": record.entry,
            "index": index,
            "kind": record.kind,
            "text": list(lines),
        }
    )


def _explain_code(text: str, as_json: bool) -> None:
    code = find_code(text)
    if code is None:
        near = closest(text.upper(), CODES)
        hint = "give a record's index, or a code such as T003" if near is None else f"did you mean `{near}`?"
        raise CLIError(f"`{text}` is neither a record's index nor a diagnostic's code", hint)
    if as_json:
        document({"code": code.id, "name": code.name, "summary": code.summary})
        return
    line(f"{code.id} {code.name}")
    line(code.summary)
