"""`edca routes`: check routes against their spec and what they lead to, and say what each transition will read."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.errors import CLIError
from edca.cli.loading import Policy, diagnostics_text, has_errors, load_policy, load_routes, open_sources, read_source
from edca.cli.options import FINDINGS, AsJSON, DiagnosticFormat, ErrorFormat, Sources, command_app, examples
from edca.cli.output import document, line, table
from edca.diagnostics import Diagnostic, to_json
from edca.routing import RouteError, Routes, check_descriptions, check_live, clashes, evidence_plan, load

app: Final = command_app()

_File = Annotated[Path, typer.Argument(metavar="ROUTES", help="The routes, an .arp file.", show_default=False)]
_Spec = Annotated[
    Path | None,
    typer.Option(
        "--spec",
        metavar="FILE",
        help="Their spec; without it the .edca file of the machine's name beside the routes.",
        show_default=False,
    ),
]
_Live = Annotated[
    bool,
    typer.Option(
        "--live", help="Also ask the sources: tables and columns, a service's description, functions to import."
    ),
]


@app.callback(epilog=examples("edca routes check specs/refund/refund.arp", "edca routes plan specs/refund/refund.arp"))
def routes() -> None:
    """Check routes, and say what each transition will read."""


@app.command(
    epilog=examples(
        "edca routes check specs/refund/refund.arp",
        "edca routes check specs/refund/refund.arp --live --source shop=sqlite:///shop.db",
        "edca routes check specs/refund/refund-http.arp --spec specs/refund/refund.edca --error-format concise",
    )
)
def check(
    file: _File,
    spec: _Spec = None,
    live: _Live = False,
    source: Sources = None,
    error_format: DiagnosticFormat = ErrorFormat.HUMAN,
    as_json: AsJSON = False,
) -> None:
    """Find the mistakes in routes: what they leave out, mistype, or call as the spec does.

    A service's description (OpenAPI 3) is compared where the routes name a file of it. With --live the sources
    themselves are asked; a database's URL comes from --source or the environment.
    """
    policy = _policy(file, spec)
    loaded = load(read_source(file), policy.machine)
    found: list[Diagnostic] = [*loaded.diagnostics]
    if loaded.routes is not None:
        found += clashes(policy.tree, loaded.routes)
        try:
            found += check_descriptions(loaded.routes, lambda name: (file.parent / name).read_bytes())
            if live:
                found += _live(loaded.routes, source or ())
        except RouteError as error:
            raise CLIError(str(error), "check its URL, and that it is there") from error
    wrong = has_errors(found)
    if as_json:
        digest = None if loaded.routes is None else loaded.routes.digest.hex()
        document({"diagnostics": to_json(found), "digest": digest, "live": live, "ok": not wrong})
    else:
        sys.stdout.write(diagnostics_text(found, error_format, color=sys.stdout.isatty()))
        if not found and error_format is ErrorFormat.HUMAN and loaded.routes is not None:
            asked = ", and the sources have what they name" if live else ""
            line(f"{loaded.routes.name} {loaded.routes.version} for {policy.machine.name}: no mistakes{asked}")
    if wrong:
        raise typer.Exit(FINDINGS)


@app.command(
    epilog=examples(
        "edca routes plan specs/refund/refund.arp",
        "edca routes plan specs/refund/refund-http.arp --spec specs/refund/refund.edca --json",
    )
)
def plan(file: _File, spec: _Spec = None, as_json: AsJSON = False) -> None:
    """Say what each transition and query reads, from where, and in how many round trips.

    A round trip is a statement, a request or a call. Where it says "for 50", so many instances are read in that many.
    This names tables and addresses: it is for operators.
    """
    policy = _policy(file, spec)
    lines = evidence_plan(policy.machine, load_routes(file, policy))
    if as_json:
        document(
            {
                "plan": [
                    {
                        "transition": each.transition,
                        "query": each.query,
                        "entity": each.entity,
                        "fields": list(each.fields),
                        "source": each.source,
                        "places": list(each.tables),
                        "round_trips": each.round_trips,
                        "together": each.together,
                    }
                    for each in lines
                ]
            }
        )
        return
    rows = [
        (
            each.transition or each.query,
            f"{each.entity}: {', '.join(each.fields) or 'whether it is there'}",
            f"{each.source}: {', '.join(each.tables)}",
            f"{each.round_trips} for {'all' if each.together is None else each.together}",
        )
        for each in lines
    ]
    table(("transition or query", "reads", "from", "round trips"), rows)


def _policy(file: Path, spec: Path | None) -> Policy:
    """Compile the routes' spec. Raises `CLIError` where it isn't said which that is."""
    if spec is not None:
        return load_policy(spec)
    beside = file.with_suffix(".edca")
    if not beside.is_file():
        raise CLIError(f"there is no spec at `{beside}`", "name it with `--spec FILE`")
    return load_policy(beside)


def _live(routes: Routes, given: "list[str] | tuple[()]") -> tuple[Diagnostic, ...]:
    with ExitStack() as stack:
        return check_live(routes, open_sources(routes, given, os.environ, stack))
