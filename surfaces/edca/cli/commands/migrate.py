"""`edca migrate`: move the running cases of one version of a machine to another, by a map."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edca.api import CaseFate, Fate, FixedClock, MigrationError, MigrationStoppedError, PolicyError, SystemClock
from edca.api.migrating import LedgerMigrator, machine_held, ordered
from edca.cli.errors import CLIError
from edca.cli.keys import read_key
from edca.cli.loading import demand_ledger, load_policy, parse_instant, read_source, stop_on_errors
from edca.cli.options import FINDINGS, AsJSON, DiagnosticFormat, ErrorFormat, Now, Tenant, command_app, examples
from edca.cli.output import document, line, progress
from edca.cli.telling_migrations import fate_data, fate_lines, map_lines
from edca.cli.telling_records import record_data, record_line
from edca.kernel.machine import Machine
from edca.kernel.migration import Migration
from edca.ledger.opening import ledger_path
from edca.runtime.answers import RecordReference
from edca.semantic.migration import compile_map
from edca.semantic.migration_draft import draft_map

app: Final = command_app()

_Ledger = Annotated[
    Path | None,
    typer.Argument(
        metavar="LEDGER",
        help="The ledger, a file or `postgresql://…`; without it the map is only checked.",
        parser=ledger_path,
        show_default=False,
    ),
]
_New = Annotated[Path, typer.Option("--to", metavar="SPEC", help="The new version's spec.", show_default=False)]
_Old = Annotated[
    Path | None,
    typer.Option(
        "--from", metavar="SPEC", help="The old version's spec, if not the one in the ledger.", show_default=False
    ),
]
_Map = Annotated[
    Path | None, typer.Option("--map", metavar="FILE", help="The map, a .migration file.", show_default=False)
]
_Draft = Annotated[bool, typer.Option("--draft", help="Write a map to begin with, and stop.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would become of each case, and move none.")]
_By = Annotated[str | None, typer.Option("--as", metavar="PRINCIPAL", help="Who moves them.", show_default=False)]
_Role = Annotated[str | None, typer.Option("--role", metavar="ROLE", help="In which role.", show_default=False)]
_Key = Annotated[
    Path | None, typer.Option("--key", metavar="FILE", help="Their private key, to sign with.", show_default=False)
]
_Reason = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Why; it is recorded.", show_default=False)
]


@app.command(
    epilog=examples(
        "edca migrate --draft --from refund.edca --to next/refund.edca > refund.migration",
        "edca migrate refunds.ledger --to next/refund.edca --map refund.migration --dry-run",
        "edca migrate refunds.ledger --to next/refund.edca --map refund.migration \\",
        '    --as sven --role supervisor --reason "The new refund rules hold from today."',
    )
)
def migrate(
    to: _New,
    ledger: _Ledger = None,
    old: _Old = None,
    map_file: _Map = None,
    draft: _Draft = False,
    dry_run: _DryRun = False,
    principal: _By = None,
    role: _Role = None,
    key: _Key = None,
    reason: _Reason = None,
    tenant: Tenant = "",
    now: Now = None,
    error_format: DiagnosticFormat = ErrorFormat.HUMAN,
    as_json: AsJSON = False,
) -> None:
    """Move running cases to a new version of their machine.

    A case runs under the version that it began under until it is moved. The map says where the cases of each state go
    and what memory holds; what is alike in both versions needs no line. Cases with an effect under way stay, as do
    those of which the map or a property says that a person must look; open questions of a case that moves are void.
    Whoever moves them is a person in a role that answers for transitions; who has a key on the roster signs.

    This needs a ledger that no process has open: a running service calls `kernel.migrate`. Each case moves whole or not
    at all; run it again after an interruption. The exit code is 1 for a map with mistakes, and if any case stays.
    """
    new = load_policy(to, error_format).machine
    before = None if old is None else load_policy(old, error_format).machine
    if draft:
        if before is None:
            raise CLIError("`--draft` needs both versions", "name the old version's spec with --from")
        for text in draft_map(before, new).splitlines():
            line(text)
        return
    if map_file is None:
        raise CLIError("no map is named", "give one with --map, or begin with --draft")
    source = read_source(map_file)
    if ledger is None:
        if before is None:
            raise CLIError("neither a ledger nor the old version is named", "name the old version's spec with --from")
        _checked(map_file, before, new, error_format)
        line(f"{map_file}: no mistakes")
        return
    demand_ledger(ledger, "name the ledger that holds the cases")
    clock = SystemClock() if now is None else FixedClock(parse_instant(now))
    with LedgerMigrator.open(ledger, new, tenant=tenant, clock=clock) as migrator, progress("migrating") as advance:
        try:
            found = before or machine_held(migrator.context.store, source, new)
            migration = _checked(map_file, found, new, error_format)
            if dry_run:
                _write(None, migration, migrator.plan(found, migration, advance), planned=True, as_json=as_json)
                return
            if principal is None or role is None or reason is None:
                raise CLIError(
                    "a migration is somebody's act", "give --as, --role and --reason, or look with --dry-run"
                )
            private = None if key is None else read_key(key)
            order = ordered(tenant, migration, principal, role, reason, private)
            done = migrator.migrate(found, migration, source.text, order, advance)
        except PolicyError as error:
            stop_on_errors(error.diagnostics, error_format)
            raise
        except MigrationStoppedError as error:
            raise CLIError(str(error), "what has moved stays moved; `edca log` shows it") from error
        except MigrationError as error:
            raise CLIError(str(error), "run it with --dry-run to see what would become of each case") from error
    _write(done.record, migration, done.cases, planned=False, as_json=as_json)


def _checked(path: Path, old: Machine, new: Machine, format_: ErrorFormat) -> Migration:
    """Compile the map; its mistakes end the command with exit code 1."""
    compiled = compile_map(read_source(path), old, new)
    stop_on_errors(compiled.diagnostics, format_)
    if compiled.migration is None:
        raise CLIError(f"`{path}` does not compile, and the compiler does not say why", "please report this as a bug")
    return compiled.migration


def _write(
    record: RecordReference | None,
    migration: Migration,
    fates: tuple[CaseFate, ...],
    *,
    planned: bool,
    as_json: bool,
) -> None:
    if as_json:
        document(
            {
                "cases": [fate_data(fate) for fate in fates],
                "map": migration.digest.hex(),
                "planned": planned,
                "record": None if record is None else record_data(record),
            }
        )
    else:
        if planned:
            for text in map_lines(migration):
                line(text)
        for text in fate_lines(fates, planned=planned):
            line(text)
        if record is not None:
            line(record_line(record))
    if any(fate.fate is not Fate.MOVES for fate in fates):
        raise typer.Exit(FINDINGS)
