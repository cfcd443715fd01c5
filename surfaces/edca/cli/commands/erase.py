"""`edca erase`: what is personal of a person, or of one case, is destroyed, and that is put on record."""

from typing import Annotated, Final

import typer

from edca.api import Erased
from edca.cli.operating import MachineName, operated
from edca.cli.options import AsJSON, Ledger, Now, Tenant, command_app, examples
from edca.cli.output import document, line, progress
from edca.cli.telling_records import record_data, record_line
from edca.runtime.erasing import Request
from edca.runtime.holds import CASE, SUBJECT

app: Final = command_app()

_Subject = Annotated[
    str,
    typer.Argument(
        metavar="SUBJECT",
        help="The person's account id; with --case a case's id, as `edca log` shows it.",
        show_default=False,
    ),
]
_By = Annotated[str, typer.Option("--by", metavar="PRINCIPAL", help="Who orders it.", show_default=False)]
_Because = Annotated[
    str, typer.Option("--because", metavar="TEXT", help="Why; it is recorded, so name nobody.", show_default=False)
]
_Case = Annotated[bool, typer.Option("--case", help="Erase one case instead of a person.")]
_EvenOpen = Annotated[
    bool, typer.Option("--even-open", help="Also cases that have not come to their end; nothing more is done in them.")
]


@app.command(
    epilog=examples(
        "edca erase mia complaints.ledger --by otto --because 'her request of 20 March'",
        """edca erase '/complaint:["c1"]' complaints.ledger --case --by otto --because 'a judgment'""",
    )
)
def erase(
    subject: _Subject,
    ledger: Ledger,
    by: _By,
    because: _Because,
    case: _Case = False,
    even_open: _EvenOpen = False,
    machine: MachineName = None,
    tenant: Tenant = "",
    now: Now = None,
    as_json: AsJSON = False,
) -> None:
    """Destroy what is personal of a person or a case, on record.

    The keys of their cases, and of what they asked for outside of any, are destroyed with all values kept under them.
    Records stay as they are: they hold commitments, and every hash, proof and verdict holds still. `edca replay` then
    says `input erased` of what can't be decided again. Who had it done, and why, is recorded.

    It is refused under a legal hold (`edca hold`), while a case waits for an effect or for people, and for cases that
    have not come to their end. Doing it again does nothing.

    The file `LEDGER.erasures` lists what was erased: keep it with every copy of the ledger, so that an old copy is
    erased again before it is read. This needs a ledger that no process has open: a running service calls
    `kernel.erase`. On PostgreSQL nodes may go on meanwhile, and `EDCA_ERASURES` names the list's file.
    """
    with operated(ledger, machine, tenant, now) as operator, progress("comparing the vault") as advance:
        done = operator.erase(Request(CASE if case else SUBJECT, subject, by, because, even_open), advance)
    if as_json:
        document(_data(done))
        return
    if done.record is None:
        line("there is nothing personal to erase (any more)")
        return
    line(f"erased {done.values} values of {done.records} records")
    for scope in done.scopes:
        line(f"destroyed the key of {scope}")
    line(record_line(done.record))


def _data(done: Erased) -> dict[str, object]:
    return {
        "record": None if done.record is None else record_data(done.record),
        "records": done.records,
        "scopes": list(done.scopes),
        "values": done.values,
    }
