"""`edca mode`: which mode a machine is in, and people's beginning and ending of modes."""

from typing import Annotated, Final

import typer

from edca.api import LedgerOperator
from edca.cli.errors import CLIError
from edca.cli.operating import MachineName, Reason, operated, tell
from edca.cli.options import AsJSON, Ledger, Now, Tenant, command_app, examples
from edca.cli.output import document, line

app: Final = command_app()

_Enter = Annotated[str | None, typer.Option("--enter", metavar="NAME", help="Begin this mode.", show_default=False)]
_Leave = Annotated[bool, typer.Option("--leave", help="End the mode in force.")]
_By = Annotated[
    str | None, typer.Option("--as", metavar="PRINCIPAL", help="Who begins or ends it.", show_default=False)
]
_Role = Annotated[str | None, typer.Option("--role", metavar="ROLE", help="In which role.", show_default=False)]


@app.command(
    epilog=examples(
        "edca mode refunds.ledger",
        'edca mode refunds.ledger --enter degraded --as sven --role supervisor --reason "The bank is slow."',
        "edca mode refunds.ledger --leave --as sven --role supervisor",
    )
)
def mode(
    ledger: Ledger,
    enter: _Enter = None,
    leave: _Leave = False,
    principal: _By = None,
    role: _Role = None,
    reason: Reason = "",
    machine: MachineName = None,
    tenant: Tenant = "",
    now: Now = None,
    as_json: AsJSON = False,
) -> None:
    """Show which mode a machine is in, or begin or end one.

    Who may begin and end a mode stands in the spec, and who holds a role in the roster; both as the ledger holds them.
    This needs a ledger that no process has open: a running service calls `kernel.enter_mode`.
    """
    if enter is not None and leave:
        raise CLIError("a mode can't be begun and ended at once", "give --enter or --leave")
    with operated(ledger, machine, tenant, now) as operator:
        name = operator.context.machine.name
        if enter is None and not leave:
            _show(name, operator, as_json)
            return
        if principal is None or role is None:
            raise CLIError("who does that, and in which role?", "add --as PRINCIPAL and --role ROLE")
        if enter is not None:
            reference = operator.enter_mode(enter, by=principal, role=role, reason=reason)
        else:
            reference = operator.leave_mode(by=principal, role=role, reason=reason)
        mode_now = operator.mode
    tell(f"{name} is in mode {mode_now}", reference, {"machine": name, "mode": mode_now}, as_json=as_json)


def _show(name: str, operator: LedgerOperator, as_json: bool) -> None:
    declared = [found.name for found in operator.context.machine.modes]
    if as_json:
        document({"declared": declared, "machine": name, "mode": operator.mode})
        return
    line(f"{name} is in mode {operator.mode}")
    if declared:
        line(f"it declares {', '.join(declared)}")
