"""`edca backup`: a verified copy of a ledger, made while it is in use."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.errors import CLIError
from edca.cli.options import AsJSON, Ledger, command_app, examples
from edca.cli.output import document, line, progress
from edca.cli.signing import signing_key
from edca.cli.writing import write_text
from edca.ledger.backup import back_up
from edca.ledger.checkpoint import Checkpoint
from edca.ledger.kept import counted
from edca.ledger.note import KeyKind
from edca.ledger.opening import LedgerURL

app: Final = command_app()

_Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="Where the copy goes; a new file.", show_default=False)
]
_Key = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="FILE",
        help="The ledger's private key: a signed checkpoint of the copy is written to FILE.checkpoint.",
        show_default=False,
    ),
]


@app.command(
    epilog=examples(
        "edca backup refunds.ledger -o refunds-2026-03-20.backup",
        "edca backup refunds.ledger -o refunds-2026-03-20.backup --key desk.key",
    )
)
def backup(ledger: Ledger, output: _Output, key: _Key = None, as_json: AsJSON = False) -> None:
    """Copy a ledger to a new file while it may be in use, and verify the copy.

    The copy holds what the ledger held at one moment: size, root and newest record are printed. Nothing inside a file
    shows later that it is old, so keep a checkpoint or receipt in another place than the copy: `edca restore` compares
    the two. A copy that doesn't verify is not kept (exit code 2).
    """
    if isinstance(ledger, LedgerURL):
        hint = "use the database's own tools, and compare with kept checkpoints by `edca verify`"
        raise CLIError("a ledger in PostgreSQL is not backed up here", hint)
    signer = None if key is None else signing_key(key, KeyKind.LOG)
    signed = output.with_name(f"{output.name}.checkpoint")
    if signer is not None and signed.exists():
        raise CLIError(f"`{signed}` is there already", "name another file for the copy")
    with progress("copying, then verifying") as advance:
        made = back_up(ledger, output, progress=advance)
    if signer is not None:
        note = Checkpoint(signer.name, made.size, made.root).signed(signer)
        write_text(note.to_bytes().decode(), signed)
    if as_json:
        told = {"file": str(output), "size": made.size, "root": made.root.hex(), "tip": made.tip.hex()}
        document(told | {"checkpoint": None if signer is None else str(signed)})
        return
    line(f"{counted(made.size)} in {output}, verified; root {made.root.hex()}, newest leaf {made.tip.hex()}")
    if signer is None:
        line("no checkpoint was signed: give `--key`, or keep one from `edca checkpoint` in another place")
    else:
        line(f"the signed checkpoint of this copy is {signed}; keep it in another place than the copy")
