"""`edca reconcile`: the routes are asked again what became of effects that nobody could tell."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edca.api import FixedClock, Kernel, Reconciled, ReconciliationError, RosterError, SystemClock, load_roster
from edca.api.roster import check_roster
from edca.cli.errors import CLIError, from_os_error
from edca.cli.explanation import json_data
from edca.cli.loading import demand_ledger, load_policy, load_routes, open_router, parse_instant
from edca.cli.operating import By, Case
from edca.cli.options import AsJSON, LedgerOption, Now, Routes, Sources, Spec, Tenant, command_app, examples
from edca.cli.output import document, line
from edca.cli.telling_operations import known_text
from edca.cli.telling_records import record_data, record_line
from edca.kernel.machine import Machine
from edca.kernel.roster import Roster

app: Final = command_app()

_Roster = Annotated[
    Path, typer.Option("--roster", metavar="FILE", help="The roster, TOML or JSON.", show_default=False)
]


@app.command(
    epilog=examples(
        """edca reconcile refund.edca '/order:["o1"]' --routes refund.arp --roster roster.toml \\""",
        "    --ledger refunds.ledger --as sven",
    )
)
def reconcile(
    spec: Spec,
    case: Case,
    routes: Routes,
    roster: _Roster,
    ledger: LedgerOption,
    principal: By,
    source: Sources = None,
    tenant: Tenant = "",
    now: Now = None,
    as_json: AsJSON = False,
) -> None:
    """Ask the routes again what nobody could tell in time.

    Every effect that may have happened under the case's newest verdict whose outcome timed out or is quarantined is
    asked about, and what the routes say is recorded. It moves nothing: a person moves the case on, with the machine's
    own transitions.
    """
    policy = load_policy(spec)
    found_routes = load_routes(routes, policy)
    people = _people(roster, policy.machine)
    clock = SystemClock() if now is None else FixedClock(parse_instant(now))
    demand_ledger(ledger, "name the ledger that holds the case")
    with (
        open_router(found_routes, policy.machine, source or ()) as router,
        Kernel.open(policy.machine, routes=router, roster=people, ledger=ledger, clock=clock, tenant=tenant) as kernel,
    ):
        try:
            found = kernel.reconcile_case(case, by=principal)
        except ReconciliationError as error:
            raise CLIError(str(error), f"run `edca log {ledger}` for the cases and their outcomes") from error
    if as_json:
        document(_data(found))
        return
    for finding in found.findings:
        word = "undo" if finding.undoing else "effect"
        line(f"{word} {finding.permit.effect}: {known_text(finding.report.performed)}")
    line(record_line(found.record))


def _data(found: Reconciled) -> dict[str, object]:
    return {
        "effects": [json_data(finding.to_data()) for finding in found.findings],
        "record": record_data(found.record),
    }


def _people(path: Path, machine: Machine) -> Roster:
    try:
        roster = load_roster(path)
        check_roster(roster, machine)
    except RosterError as error:
        raise CLIError(str(error)) from error
    except OSError as error:
        raise from_os_error(error, path) from error
    return roster
