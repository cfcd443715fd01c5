"""`edca check`: every mistake of a spec, and of its routes, in one run."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.loading import compile_file, diagnostics_text, has_errors, read_source
from edca.cli.options import FINDINGS, AsJSON, DiagnosticFormat, ErrorFormat, Spec, command_app, examples
from edca.cli.output import document, line
from edca.diagnostics import to_json
from edca.routing import clashes, load
from edca.semantic.compile import Compiled
from edca.semantic.scenario import run_scenarios

app: Final = command_app()

_OptionalRoutes = Annotated[
    Path | None,
    typer.Option("--routes", metavar="FILE", help="The routes to check with it, an .arp file.", show_default=False),
]


@app.command(
    epilog=examples(
        "edca check specs/refund/refund.edca",
        "edca check specs/airline/airline.edca --routes specs/airline/airline.arp --error-format concise",
    )
)
def check(
    spec: Spec,
    routes: _OptionalRoutes = None,
    error_format: DiagnosticFormat = ErrorFormat.HUMAN,
    as_json: AsJSON = False,
) -> None:
    """Find the mistakes in a spec, and in its routes.

    All in one run, those in scenarios too, each with its code and place. Warnings alone don't count as findings.
    A vocabulary file is checked as what it is: no machine has to come of it.
    """
    compiled = compile_file(spec)
    found = list(compiled.diagnostics)
    if compiled.machine is not None and compiled.spec is not None and compiled.checked is not None:
        # What is wrong in a scenario itself; how scenarios come out is for `edca test` to say.
        found += run_scenarios(compiled.spec, compiled.checked, compiled.machine)[1]
    # Routes are read against the machine, so without one there is nothing to say about them.
    if routes is not None and compiled.machine is not None:
        loaded = load(read_source(routes), compiled.machine)
        found += loaded.diagnostics
        if loaded.routes is not None and compiled.spec is not None:
            found += clashes(compiled.spec, loaded.routes)
    wrong = has_errors(found)
    digest = None if compiled.machine is None else compiled.machine.digest.hex()
    if as_json:
        document({"diagnostics": to_json(found), "digest": digest, "ok": not wrong})
    else:
        sys.stdout.write(diagnostics_text(found, error_format, color=sys.stdout.isatty()))
        if not found and error_format is ErrorFormat.HUMAN:
            line(f"{_named(compiled)}: no mistakes")
    if wrong:
        raise typer.Exit(FINDINGS)


def _named(compiled: Compiled) -> str:
    """Return what was checked by name: a machine with its version, a vocabulary without one."""
    if compiled.machine is not None:
        return f"{compiled.machine.name} {compiled.machine.version}"
    return "nothing" if compiled.spec is None else compiled.spec.header.name.text
