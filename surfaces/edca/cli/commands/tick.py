"""`edca tick`: what is due by the clock, proposed and decided once."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edca.api import FixedClock, Kernel, NoClockError, RosterError, SystemClock, load_roster
from edca.api.roster import check_roster
from edca.cli.errors import CLIError, from_os_error
from edca.cli.explanation import json_data
from edca.cli.loading import demand_ledger, load_policy, load_routes, open_router, parse_instant
from edca.cli.options import AsJSON, LedgerOption, Now, Routes, Sources, Spec, Tenant, command_app, examples
from edca.cli.output import document, line
from edca.cli.telling_records import record_data, record_name
from edca.kernel.machine import Machine
from edca.kernel.roster import Roster
from edca.kernel.verdict import Accepted, failed
from edca.runtime.scheduler import Fired

app: Final = command_app()

_Roster = Annotated[
    Path, typer.Option("--roster", metavar="FILE", help="The roster, TOML or JSON.", show_default=False)
]


@app.command(
    epilog=examples(
        "edca tick refund.edca --routes refund.arp --roster roster.toml --ledger refunds.ledger",
        "edca tick refund.edca --routes refund.arp --roster roster.toml --ledger refunds.ledger \\",
        "    --now 2026-04-03T12:00:00Z --json",
    )
)
def tick(
    spec: Spec,
    routes: Routes,
    roster: _Roster,
    ledger: LedgerOption,
    tenant: Tenant = "",
    now: Now = None,
    source: Sources = None,
    as_json: AsJSON = False,
) -> None:
    """Propose what is due by the clock, once, and print what came of it.

    Every case in the ledger that has been long enough in a state which the clock may end gets its transition, decided
    and recorded like any other candidate. Running it again changes nothing until something else is due; what was
    refused is proposed again only once something has changed. Run it from a timer of the system, as often as a
    deadline may be late; a service calls `start_timers` instead.
    """
    policy = load_policy(spec)
    found_routes = load_routes(routes, policy)
    people = _people(roster, policy.machine)
    clock = SystemClock() if now is None else FixedClock(parse_instant(now))
    demand_ledger(ledger, "name the ledger whose cases are to be looked at")
    with (
        open_router(found_routes, policy.machine, source or ()) as router,
        Kernel.open(policy.machine, routes=router, roster=people, ledger=ledger, clock=clock, tenant=tenant) as kernel,
    ):
        try:
            fired = kernel.tick()
        except NoClockError as error:
            raise CLIError(str(error)) from error
    if as_json:
        document([_data(one) for one in fired])
        return
    for one in fired:
        line(_told(one))
    if not fired:
        line("nothing is due")


def _data(fired: Fired) -> dict[str, object]:
    answer = fired.answer
    return {
        "case": fired.case,
        "outcome": None if answer.outcome is None else answer.outcome.value,
        "record": record_data(answer.record),
        "revision": answer.revision,
        "state": answer.state,
        "transition": fired.transition,
        "verdict": json_data(answer.verdict.to_raw()),
    }


def _told(fired: Fired) -> str:
    answer, verdict = fired.answer, fired.answer.verdict
    outcome = str(verdict.to_raw()["outcome"])
    codes = ", ".join(clause.code for clause in failed(verdict)) or verdict.code
    why = "" if isinstance(verdict, Accepted) else f" ({codes})"
    effects = "" if answer.outcome is None else f", effects {answer.outcome.value}"
    state = "" if answer.state is None else f"; the case is in {answer.state}"
    return f"{fired.case}: {fired.transition} {outcome}{why}{effects}{state}; record {record_name(answer.record)}"


def _people(path: Path, machine: Machine) -> Roster:
    try:
        roster = load_roster(path)
        check_roster(roster, machine)
    except RosterError as error:
        raise CLIError(str(error)) from error
    except OSError as error:
        raise from_os_error(error, path) from error
    return roster
