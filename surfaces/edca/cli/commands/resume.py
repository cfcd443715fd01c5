"""`edca resume`: the end of a halt."""

from typing import Final

from edca.cli.operating import By, MachineName, Reason, operated, tell
from edca.cli.options import AsJSON, Ledger, Now, Tenant, command_app, examples

app: Final = command_app()


@app.command(
    epilog=examples("edca resume refunds.ledger --as ops-anna", "edca resume refunds.ledger --as ops-anna --json")
)
def resume(
    ledger: Ledger,
    principal: By,
    reason: Reason = "",
    machine: MachineName = None,
    tenant: Tenant = "",
    now: Now = None,
    as_json: AsJSON = False,
) -> None:
    """End a halt.

    The mode that was in force before is in force again. What the halt held up is carried out as soon as a kernel opens
    the ledger, by `edca submit` or by a service. This needs a ledger that no process has open: a running service calls
    `kernel.resume`.
    """
    with operated(ledger, machine, tenant, now) as operator:
        reference = operator.resume(by=principal, reason=reason)
        name, mode = operator.context.machine.name, operator.mode
    tell(f"{name} goes on in mode {mode}", reference, {"machine": name, "mode": mode}, as_json=as_json)
