"""`edca roster`: who holds which role, which mandates are in force, and putting a changed roster in force."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edca.api import RosterError, SystemClock, load_roster
from edca.api.roster import KEY_PREFIX, check_roster, likely_meant, several_accounts
from edca.cli.errors import CLIError, from_os_error
from edca.cli.loading import load_policy, open_to_read, parse_instant
from edca.cli.operating import MachineName, Reason, operated, tell
from edca.cli.options import AsJSON, Now, Tenant, command_app, examples
from edca.cli.output import document, line, note, table
from edca.kernel.calendar import time_text
from edca.kernel.roster import Mandate, Principal, Roster
from edca.ledger.opening import ledger_path
from edca.runtime.mandates import counted

app: Final = command_app()

_File = Annotated[Path, typer.Argument(metavar="ROSTER", help="The roster, TOML or JSON.", show_default=False)]
_Spec = Annotated[
    Path | None,
    typer.Option("--spec", metavar="FILE", help="A spec that the roster has to fit.", show_default=False),
]
_Ledger = Annotated[
    Path | None,
    typer.Option(
        "--ledger",
        metavar="LEDGER",
        help="The ledger that tells how often mandates were used.",
        parser=ledger_path,
        show_default=False,
    ),
]
_Adopt = Annotated[bool, typer.Option("--adopt", help="Put it in force in the ledger, from the next decision on.")]
_By = Annotated[str | None, typer.Option("--as", metavar="PRINCIPAL", help="Who has it adopted.", show_default=False)]
_ENDLESS: Final = "without end"


@app.command(
    epilog=examples(
        "edca roster roster.toml --spec refund.edca",
        "edca roster roster.toml --ledger refunds.ledger --json",
        'edca roster roster.toml --ledger refunds.ledger --adopt --as ops-anna --reason "Sam has left."',
    )
)
def roster(
    file: _File,
    spec: _Spec = None,
    ledger: _Ledger = None,
    adopt: _Adopt = False,
    principal: _By = None,
    reason: Reason = "",
    machine: MachineName = None,
    tenant: Tenant = "",
    now: Now = None,
    as_json: AsJSON = False,
) -> None:
    """Say who holds which role, and which mandates are in force.

    Accounts of one person stand together: they count as one when people answer. With --spec it is an error if the
    roster names a role or a transition that the spec does not have; with --ledger each mandate tells how many
    acceptances rest on it.

    Every verdict names the roster it was made under. With --adopt the roster is put in force, on record under the name
    of the operator who has it so: what it takes from somebody counts no more, and the ledger opens with no other one.
    That needs a ledger that no process has open: a running service calls `kernel.adopt_roster`.
    """
    if adopt:
        _adopt(file, ledger, principal, reason, machine, tenant, now, as_json=as_json)
        return
    at = SystemClock().now() if now is None else parse_instant(now)
    people = _load(file, spec)
    uses: dict[str, int] = {}
    if ledger is not None:
        with open_to_read(ledger) as opened:
            uses = {mandate.id: counted(opened, tenant, mandate.machine, mandate.id) for mandate in people.mandates}
    if as_json:
        document(
            {
                "mandates": [_mandate(row, people, at, uses) for row in people.mandates],
                "principals": [_principal(row, people, at) for row in people.principals],
            }
        )
        return
    accounts = sorted(people.principals, key=lambda row: (people.person(row.id), row.id))
    rows = [[str(_principal(row, people, at)[name]) for name in _ACCOUNT] for row in accounts]
    table(_ACCOUNT, rows)
    if people.mandates:
        line()
        table(_MANDATE, [[str(_mandate(row, people, at, uses)[name]) for name in _MANDATE] for row in people.mandates])


def _adopt(
    file: Path,
    ledger: Path | None,
    principal: str | None,
    reason: str,
    machine: str | None,
    tenant: str,
    now: str | None,
    *,
    as_json: bool,
) -> None:
    if ledger is None or principal is None:
        raise CLIError("where is it put in force, and who has it so?", "add --ledger FILE and --as PRINCIPAL")
    people = _load(file, None)
    with operated(ledger, machine, tenant, now) as operator:
        reference = operator.adopt_roster(people, by=principal, reason=reason)
        name = operator.context.machine.name
    told = f"{name} goes on with {file.name}"
    tell(told, reference, {"machine": name, "roster": people.digest.hex()}, as_json=as_json)


_ACCOUNT: Final = ("person", "id", "roles", "model", "answers", "now", "until")
_MANDATE: Final = ("id", "principal", "role", "machine", "transitions", "now", "until", "uses")


def _principal(row: Principal, people: Roster, at: int) -> dict[str, object]:
    begun = row.starts is None or row.starts <= at
    standing = "holds its roles" if row.is_valid(at) else "is over" if begun else "has not begun"
    answers = "never" if row.model is not None else "signed" if people.keys(row.id, at) else "asserted"
    return {
        "answers": answers,
        "id": row.id,
        "key": None if row.key is None else f"{KEY_PREFIX}{row.key.hex()}",
        "model": row.model or "",
        "now": standing,
        "person": "" if row.model is not None else people.person(row.id),
        "roles": ", ".join(row.roles),
        "until": _ENDLESS if row.ends is None else time_text(row.ends),
    }


def _mandate(row: Mandate, people: Roster, at: int, uses: dict[str, int]) -> dict[str, object]:
    holder, used = people.find(row.principal), uses.get(row.id)
    if row.revoked_at is not None and row.revoked_at <= at:
        standing = "taken back"
    elif row.uses_max is not None and used is not None and used >= row.uses_max:
        standing = "used up"
    elif not row.is_valid(at):
        standing = "is over" if row.starts <= at else "has not begun"
    elif holder is None or not holder.is_valid(at) or row.role not in holder.roles:
        standing = "its giver holds the role no more"
    else:
        standing = "in force"
    bound = "" if row.uses_max is None else f" of {row.uses_max}"
    return {
        "id": row.id,
        "machine": row.machine,
        "now": standing,
        "principal": row.principal,
        "role": row.role,
        "transitions": ", ".join(row.transitions) or "all",
        "until": time_text(row.ends),
        "uses": f"{'not asked' if used is None else used}{bound}",
    }


def _load(path: Path, spec: Path | None) -> Roster:
    try:
        people = load_roster(path)
        if spec is not None:
            machine = load_policy(spec).machine
            check_roster(people, machine)
            for hint in likely_meant(people, machine):
                note(f"edca: hint: {hint}")
    except RosterError as error:
        raise CLIError(str(error)) from error
    except OSError as error:
        raise from_os_error(error, path) from error
    for hint in several_accounts(people):
        note(f"edca: hint: {hint}")
    return people
