"""What the operators' commands share: a ledger opened to operate it, and what comes of an act."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from edca.api import FixedClock, LedgerOperator, SystemClock
from edca.cli.errors import CLIError
from edca.cli.loading import parse_instant
from edca.cli.output import document, line
from edca.cli.telling_records import record_data, record_line
from edca.runtime.answers import RecordReference

By = Annotated[str, typer.Option("--as", metavar="PRINCIPAL", help="Who does it.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is recorded.", show_default=False)]
MachineName = Annotated[
    str | None,
    typer.Option("--machine", metavar="NAME", help="Which, where the ledger holds several.", show_default=False),
]
Case = Annotated[str, typer.Argument(metavar="CASE", help="The case's id, as `edca log` shows it.", show_default=False)]


@contextmanager
def operated(ledger: Path, machine: str | None, tenant: str, now: str | None) -> Iterator[LedgerOperator]:
    """Open a ledger to operate it; what can't be done ends the command with its reason.

    Raises `CLIError`, and what `LedgerOperator.open` raises.
    """
    clock = SystemClock() if now is None else FixedClock(parse_instant(now))
    with LedgerOperator.open(ledger, machine=machine, tenant=tenant, clock=clock) as operator:
        try:
            yield operator
        except ValueError as error:
            raise CLIError(str(error)) from error


def tell(told: str, reference: RecordReference, data: dict[str, object], *, as_json: bool) -> None:
    """Write what was done, and its record."""
    if as_json:
        document(data | {"record": record_data(reference)})
        return
    line(told)
    line(record_line(reference))
