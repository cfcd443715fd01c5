"""`edca takeover`: people take a case into their own hands, and give it back."""

from typing import Annotated, Final

import typer

from edca.cli.operating import By, Case, MachineName, Reason, operated, tell
from edca.cli.options import AsJSON, Ledger, Now, Tenant, command_app, examples

app: Final = command_app()

_HandBack = Annotated[bool, typer.Option("--hand-back", help="Give the case back, as it was found.")]


@app.command(
    epilog=examples(
        """edca takeover refunds.ledger '/order:["o1"]' --as sven --reason "The customer called." """.rstrip(),
        """edca takeover refunds.ledger '/order:["o1"]' --as sven --hand-back""",
    )
)
def takeover(
    ledger: Ledger,
    case: Case,
    principal: By,
    hand_back: _HandBack = False,
    reason: Reason = "",
    machine: MachineName = None,
    tenant: Tenant = "",
    now: Now = None,
    as_json: AsJSON = False,
) -> None:
    """Let only people act on a case, or hand it back.

    While people have it, what models and clocks propose about the case is refused. Its state and memory stay as they
    are. This needs a ledger that no process has open: a running service calls `kernel.take_over`.
    """
    with operated(ledger, machine, tenant, now) as operator:
        act = operator.hand_back if hand_back else operator.take_over
        reference = act(case, by=principal, reason=reason)
    told = f"{case} is handed back" if hand_back else f"{case} is in people's hands"
    tell(told, reference, {"case": case, "human_only": not hand_back}, as_json=as_json)
