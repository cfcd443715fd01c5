"""`edca retention`: until when what is personal is kept, by class, and erasing it when that is over."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edca.api import RetentionError, load_retention
from edca.cli.errors import CLIError, from_os_error
from edca.cli.operating import MachineName, operated
from edca.cli.options import AsJSON, Ledger, Now, Tenant, command_app, examples
from edca.cli.output import document, line, progress
from edca.cli.telling_records import record_data, record_line
from edca.kernel.calendar import time_text
from edca.runtime.retention_rules import RetentionRules

app: Final = command_app()

_Rules = Annotated[Path, typer.Option("--rules", metavar="FILE", help="The rules, TOML.", show_default=False)]
_Due = Annotated[bool, typer.Option("--due", help="List only what is over by now.")]
_Purge = Annotated[bool, typer.Option("--purge", help="Erase what is over by now; each class is put on record.")]
_By = Annotated[str, typer.Option("--by", metavar="PRINCIPAL", help="Who has it erased.", show_default=False)]


@app.command(
    epilog=examples(
        "edca retention complaints.ledger --rules retention.toml",
        "edca retention complaints.ledger --rules retention.toml --due --json",
        "edca retention complaints.ledger --rules retention.toml --purge --by otto",
    )
)
def retention(
    ledger: Ledger,
    rules: _Rules,
    due: _Due = False,
    purge: _Purge = False,
    by: _By = "",
    machine: MachineName = None,
    tenant: Tenant = "",
    now: Now = None,
    as_json: AsJSON = False,
) -> None:
    """List until when what is personal is kept, or erase what is over.

    A rule names a class, the machine and the states that its cases end in, and for how many days they are kept after
    that. What stands against an erasure (a legal hold, an open question) is listed, and left alone. The rules that an
    erasure follows from are kept in the ledger. This needs a ledger that no process has open: a running service calls
    `kernel.purge`.
    """
    loaded = _load(rules)
    with operated(ledger, machine, tenant, now) as operator:
        if purge:
            with progress("comparing the vault") as advance:
                done = operator.purge(loaded, by=by, progress=advance)
            if as_json:
                document(
                    [{"record": record_data(one.record), "scopes": list(one.scopes)} for one in done if one.record]
                )
                return
            for one in done:
                line(f"erased {one.values} values of {len(one.scopes)} cases and the like")
                if one.record is not None:
                    line(record_line(one.record))
            if not done:
                line("nothing is over")
            return
        at = operator.context.clock.now()
        found = [one for one in operator.kept(loaded) if not due or one.until <= at]
    if as_json:
        document(
            [
                {"class": one.of_class, "obstacle": one.obstacle, "scope": one.scope, "until": time_text(one.until)}
                for one in found
            ]
        )
        return
    for kept in found:
        told = "" if kept.obstacle is None else f" ({kept.obstacle})"
        line(f"{time_text(kept.until)} {kept.of_class}: {kept.scope}{told}")
    if not found:
        line("nothing that is kept has a class" if not due else "nothing is over")


def _load(path: Path) -> RetentionRules:
    try:
        return load_retention(path)
    except RetentionError as error:
        raise CLIError(str(error), "`edca retention --help` says what a rule names") from error
    except OSError as error:
        raise from_os_error(error, path) from error
