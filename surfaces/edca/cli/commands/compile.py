"""`edca compile`: a spec's artefact, the bytes whose digest is the machine's identity."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.errors import from_os_error
from edca.cli.loading import load_policy
from edca.cli.options import AsJSON, DiagnosticFormat, ErrorFormat, Spec, command_app, examples
from edca.cli.output import document, line

app: Final = command_app()

_Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where to write the artefact.", show_default=False),
]


@app.command("compile", epilog=examples("edca compile specs/refund/refund.edca --output refund.machine"))
def compile_(
    spec: Spec,
    output: _Output = None,
    error_format: DiagnosticFormat = ErrorFormat.HUMAN,
    as_json: AsJSON = False,
) -> None:
    """Compile a spec to its artefact, and print the digest.

    The artefact is canonical: the same spec gives the same bytes everywhere.
    """
    machine = load_policy(spec, error_format).machine
    artefact = machine.to_bytes()
    if output is not None:
        try:
            output.write_bytes(artefact)
        except OSError as error:
            raise from_os_error(error, output) from error
    if as_json:
        document(
            {
                "digest": machine.digest.hex(),
                "machine": machine.name,
                "output": None if output is None else output.as_posix(),
                "size": len(artefact),
                "version": machine.version,
            }
        )
        return
    line(f"{machine.digest.hex()}  {machine.name} {machine.version}")
