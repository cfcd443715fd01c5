"""`edca hold`: a person or a case is put on legal hold, so that nothing of theirs is erased, or that is lifted."""

from typing import Annotated, Final

import typer

from edca.cli.operating import MachineName, operated, tell
from edca.cli.options import AsJSON, Ledger, Now, Tenant, command_app, examples
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
_Because = Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; it is recorded.", show_default=False)]
_Case = Annotated[bool, typer.Option("--case", help="Hold one case instead of a person.")]
_Release = Annotated[bool, typer.Option("--release", help="Lift the hold.")]


@app.command(
    epilog=examples(
        "edca hold mia complaints.ledger --by otto --because 'a suit, 7 C 112/26'",
        "edca hold mia complaints.ledger --release --by otto --because 'it was settled'",
    )
)
def hold(
    subject: _Subject,
    ledger: Ledger,
    by: _By,
    because: _Because,
    case: _Case = False,
    release: _Release = False,
    machine: MachineName = None,
    tenant: Tenant = "",
    now: Now = None,
    as_json: AsJSON = False,
) -> None:
    """Put a person or a case on legal hold, or lift that.

    While it stands, `edca erase` and `edca retention --purge` destroy nothing of theirs. Who had it done, and why, is
    recorded. This needs a ledger that no process has open: a running service calls `kernel.hold_subject` or
    `kernel.hold_case`.
    """
    of = CASE if case else SUBJECT
    with operated(ledger, machine, tenant, now) as operator:
        reference = operator.hold(of, subject, by=by, reason=because, on=not release)
    told = f"{of} {subject} is {'on hold no more' if release else 'on hold'}"
    tell(told, reference, {"about": subject, "holds": not release, "of": of}, as_json=as_json)
