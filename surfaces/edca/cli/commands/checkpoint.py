"""`edca checkpoint`: a signed statement of a ledger's size and root, to be kept where its keeper can't reach it."""

import base64
from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.loading import open_to_read
from edca.cli.options import AsJSON, Ledger, command_app, examples
from edca.cli.output import document
from edca.cli.signing import Key, checkpoint_of, read_checkpoint, signing_key
from edca.cli.writing import Output, write_text
from edca.ledger.errors import RolledBackError
from edca.ledger.growth import Growth
from edca.ledger.note import KeyKind
from edca.ledger.proof import consistency_proof, is_consistent
from edca.ledger.publishing import subtrees_of
from edca.ledger.tree import EMPTY_ROOT

app: Final = command_app()

_Since = Annotated[
    Path | None,
    typer.Option(
        "--since",
        metavar="FILE",
        help="The checkpoint a witness signed last: what is written shows that the ledger only grew since.",
        show_default=False,
    ),
]
_First = Annotated[bool, typer.Option("--first", help="Write what a witness takes that has not signed one before.")]


@app.command(
    epilog=examples(
        "edca checkpoint refunds.ledger --key desk.key > refunds.checkpoint",
        "edca checkpoint refunds.ledger --key desk.key --since refunds.checkpoint | edca cosign - …",
    )
)
def checkpoint(
    ledger: Ledger,
    key: Key,
    since: _Since = None,
    first: _First = False,
    output: Output = None,
    as_json: AsJSON = False,
) -> None:
    """Sign how many records a ledger has, and the Merkle root over them.

    Kept where the ledger's keeper can't reach it, a checkpoint shows any change to those records, and that none of them
    is gone. It is a signed note (c2sp.org/tlog-checkpoint). With `--since`, it comes with the proof that a witness asks
    for before it signs too.
    """
    signer = signing_key(key, KeyKind.LOG)
    with open_to_read(ledger) as opened:
        made, note = checkpoint_of(opened, signer)
        old_size, old_root = 0, EMPTY_ROOT
        if since is not None:
            old = read_checkpoint(since)[1]
            old_size, old_root = old.size, old.root
        if old_size > made.size:
            raise RolledBackError(f"`{since}` counts {old_size} records, and the ledger has {made.size}: some are gone")
        path = consistency_proof(subtrees_of(opened), old_size, made.size)
    if not is_consistent(old_size, old_root, made.size, made.root, path):
        raise RolledBackError(f"the first {old_size} records are not those that `{since}` was signed for")
    grown = Growth(old_size, path, note.to_bytes())
    if as_json:
        root = base64.b64encode(made.root).decode()
        document({"origin": made.origin, "size": made.size, "root": root, "checkpoint": note.to_bytes().decode()})
        return
    write_text((grown.to_bytes() if since is not None or first else note.to_bytes()).decode(), output)
