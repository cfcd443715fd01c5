"""`edca explain`: one record of a ledger in words, or what a code means."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from edca.cli.errors import CLIError
from edca.cli.explanation import explained, json_data
from edca.cli.loading import parsed
from edca.cli.options import FINDINGS, AsJSON, command_app, examples
from edca.cli.output import document, line
from edca.cli.reading import Readable, read
from edca.cli.telling_clauses import mending_data
from edca.cli.telling_codes import all_codes, code_lines
from edca.cli.telling_configuration import Kept
from edca.cli.telling_effects import question_of
from edca.cli.telling_machine import property_line
from edca.diagnostics import CODES, Code, closest, find_code, page
from edca.kernel.machine import Query, Transition
from edca.ledger.opening import ledger_path
from edca.ledger.record import Record
from edca.runtime.config import CHAIN
from edca.runtime.kinds import VERDICT
from edca.runtime.opened import ERASED
from edca.runtime.verdicts import verdict_from_raw
from edca.semantic.notation_clauses import clause_notation

app: Final = command_app()

_What = Annotated[
    str,
    typer.Argument(metavar="RECORD", help="A record's index, or a code.", show_default=False),
]
_Ledger = Annotated[
    Path | None,
    typer.Option(
        "--ledger",
        metavar="LEDGER",
        help="The ledger that holds the record, a file or `postgresql://…`.",
        parser=ledger_path,
        show_default=False,
    ),
]


@app.command(
    epilog=examples("edca explain 12 --ledger refunds.ledger", "edca explain T003", "edca explain stale_revision")
)
def explain(record: _What, ledger: _Ledger = None, as_json: AsJSON = False) -> None:
    """Say in words what one record holds, or what a code means.

    A record's text comes from the ledger alone: who proposed what, every clause with what it read, what changed, and
    who answers; or the machine, the routes or the roster that verdicts were made under. A code is a diagnostic's, or
    that of a verdict; --ledger finds those that the ledger's specs declare.
    """
    if record.isascii() and record.isdigit():
        if ledger is None:
            raise CLIError("which ledger holds the record?", f"run `edca explain {record} --ledger FILE`")
        _explain_record(int(record), ledger, as_json)
    else:
        _explain_code(record, ledger, as_json)


def _explain_record(index: int, path: Path, as_json: bool) -> None:
    (record, lines, more), is_sound = read(path, lambda ledger: _told(index, path, ledger))
    if as_json:
        told = {
            "chain": record.chain,
            "content": json_data(record.content),
            "entry": record.entry,
            "index": index,
            "kind": record.kind,
            "text": list(lines),
        }
        document(told | more)
    else:
        for text in lines:
            line(text)
    if not is_sound:
        raise typer.Exit(FINDINGS)


def _told(index: int, path: Path, ledger: Readable) -> tuple[Record, tuple[str, ...], dict[str, object]]:
    """Return a record, its text, and what its JSON has besides.

    That is the document where it is a part of one, and of a verdict what is missing and the nearest legal changes.
    """
    if index >= ledger.size:
        raise CLIError(f"there is no record {index}; the ledger has {ledger.size}", f"run `edca log {path}` for them")
    record = parsed(ledger.read(ledger.number_at(index)))
    lines = explained(index, record, ledger)  # first: it refuses contents that are none of the record's kind
    content: Any = record.content
    if record.kind == CHAIN:
        return record, lines, {"document": json_data(Kept(ledger).document(content["what"], content["digest"]))}
    if record.kind == VERDICT and ERASED not in content:
        question = question_of(content, Kept(ledger))
        return record, lines, mending_data(question, verdict_from_raw(content["verdict"]))
    return record, lines, {}


def _explain_code(text: str, ledger: Path | None, as_json: bool) -> None:
    code = find_code(text)
    if code is not None:
        _explain_diagnostic(code, as_json)
        return
    lines = code_lines(text) or (
        () if ledger is None else read(ledger, lambda opened: _declared(text, opened, ledger))[0]
    )
    if not lines:
        near = closest(text.upper(), CODES) or closest(text, all_codes())
        hint = "give a record's index, or a code such as T003; for a spec's own codes add `--ledger FILE`"
        raise CLIError(
            f"`{text}` is neither a record's index nor a code that is known here",
            hint if near is None else f"did you mean `{near}`?",
        )
    if as_json:
        document({"code": text, "text": list(lines)})
        return
    for told in lines:
        line(told)


def _declared(code: str, ledger: Readable, path: Path) -> tuple[str, ...]:
    """Return where the ledger's machines declare a clause or a property of that code, its text and what it tests."""
    found: list[str] = []
    for machine in Kept(ledger).machines():
        items: list[Transition | Query] = [*machine.transitions, *machine.queries]
        for item in items:
            what = "the query " if isinstance(item, Query) else ""
            for clause in item.clauses:
                if clause.code == code:
                    where = f"{what}{item.name} in {machine.name} {machine.version}"
                    found.append(f"{code} is a clause of {where}: {clause.text}")
                    found += [f"  {text}" for text in clause_notation(machine, item, clause)]
        for never in machine.properties:
            if never.code == code:
                found.append(f"{code} is a property of {machine.name} {machine.version}: {never.text}")
                found.append(f"  {property_line(machine, never)}")
    return (*found, f"verdicts with it: `edca log {path} --code {code}`") if found else ()


def _explain_diagnostic(code: Code, as_json: bool) -> None:
    text_of_page = page(code)
    if as_json:
        document({"code": code.id, "name": code.name, "page": text_of_page, "summary": code.summary})
        return
    for text_line in (text_of_page or f"# {code.id} {code.name}\n\n{code.summary}").splitlines():
        line(text_line)
