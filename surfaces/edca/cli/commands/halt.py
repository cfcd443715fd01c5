"""`edca halt`: nothing is decided or begun any more, until an operator resumes."""

from typing import Final

from edca.cli.operating import By, MachineName, Reason, operated, tell
from edca.cli.options import AsJSON, Ledger, Now, Tenant, command_app, examples

app: Final = command_app()


@app.command(epilog=examples('edca halt refunds.ledger --as ops-anna --reason "The bank reports double payments."'))
def halt(
    ledger: Ledger,
    principal: By,
    reason: Reason,
    machine: MachineName = None,
    tenant: Tenant = "",
    now: Now = None,
    as_json: AsJSON = False,
) -> None:
    """Refuse everything until an operator resumes.

    An operator is whom you say it is: no role of the spec can halt or resume. Effects that were accepted and have not
    begun wait for `edca resume`; taking back what had begun goes on. This needs a ledger that no process has open: a
    running service calls `kernel.halt`.
    """
    with operated(ledger, machine, tenant, now) as operator:
        reference = operator.halt(by=principal, reason=reason)
        name = operator.context.machine.name
    tell(f"{name} is halted", reference, {"machine": name, "mode": "halted"}, as_json=as_json)
