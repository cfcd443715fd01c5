"""`edca restore`: a ledger from its backup, compared with what was kept elsewhere."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.errors import CLIError
from edca.cli.options import AsJSON, command_app, examples
from edca.cli.output import document, line, progress
from edca.cli.signing import Checkpoints, Receipts, Trusted, Witnesses, kept_files, trusted_keys
from edca.ledger.backup import restore as restore_ledger
from edca.ledger.kept import counted
from edca.ledger.opening import LedgerURL, ledger_path
from edca.ledger.verify import line_of

app: Final = command_app()

_Backup = Annotated[
    Path,
    typer.Argument(
        metavar="BACKUP",
        help="The copy that `edca backup` made.",
        parser=ledger_path,
        show_default=False,
    ),
]
_Ledger = Annotated[
    Path,
    typer.Argument(
        metavar="LEDGER",
        help="Where the ledger goes; nothing may be there.",
        parser=ledger_path,
        show_default=False,
    ),
]

_Erasures = Annotated[
    Path | None,
    typer.Option(
        "--erasures",
        metavar="FILE",
        help="The newest list of erasures, `LEDGER.erasures`; else the one where the ledger was, or beside the backup.",
        show_default=False,
    ),
]


@app.command(
    epilog=examples(
        "edca restore refunds.backup refunds.ledger --checkpoint refunds.checkpoint --trust desk.pub",
        "edca restore refunds.backup refunds.ledger --receipt order-o1.receipt --trust desk.pub",
        "edca restore refunds.backup refunds.ledger --checkpoint refunds.seen --trust desk.pub",
    )
)
def restore(
    backup: _Backup,
    ledger: _Ledger,
    checkpoint: Checkpoints = None,
    receipt: Receipts = None,
    trust: Trusted = None,
    witnesses: Witnesses = 0,
    erasures: _Erasures = None,
    as_json: AsJSON = False,
) -> None:
    """Put a ledger back from its backup, unless something kept elsewhere shows that records are missing.

    The backup is verified in full first. Give every checkpoint and receipt that is newer than it, also what a witness
    remembers (its `--seen` file): where one counts records that the backup lacks, or other ones, it says how many,
    writes nothing, and ends with exit code 2. Given none, it can't tell whether the backup is the newest, and says so.
    What was erased since the backup was made is erased again before anybody can read it.
    """
    if isinstance(backup, LedgerURL) or isinstance(ledger, LedgerURL):
        hint = "use the database's own tools, and compare with kept checkpoints by `edca verify`"
        raise CLIError("a ledger in PostgreSQL is not put back here", hint)
    keys = trusted_keys(trust or ())
    if (checkpoint or receipt) and not keys:
        raise CLIError(
            "what was kept is only worth its signatures, and no key is trusted",
            "give the ledger's public key with `--trust KEY`",
        )
    kept = kept_files(checkpoint or (), receipt or (), line_of(backup, keys), witnesses)
    with progress("copying, then verifying") as advance:
        made = restore_ledger(backup, ledger, kept=kept, erasures=erasures, progress=advance)
    found = made.verification
    if as_json:
        told = {"ledger": str(ledger), "size": made.size, "root": made.root.hex(), "tip": made.tip.hex()}
        document(told | {"checked": list(found.checked), "not_checked": list(found.not_checked)})
        return
    for checked in found.checked:
        line(f"checked: {checked}")
    for unchecked in found.not_checked:
        line(f"not checked: {unchecked}")
    line(f"{counted(made.size)} in {ledger}, root {made.root.hex()}")
