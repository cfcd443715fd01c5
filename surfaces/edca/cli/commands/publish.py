"""`edca publish`: a ledger as files that never change, for monitors, witnesses and auditors."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.errors import from_os_error
from edca.cli.loading import open_to_read
from edca.cli.options import AsJSON, Ledger, command_app, examples
from edca.cli.output import document, line, progress
from edca.cli.signing import Key, checkpoint_of, signing_key
from edca.ledger.kept import counted
from edca.ledger.note import KeyKind
from edca.ledger.publishing import publish as publish_ledger

app: Final = command_app()

_Folder = Annotated[
    Path, typer.Option("--to", metavar="FOLDER", help="Where the files go; made if absent.", show_default=False)
]
_Bodies = Annotated[bool, typer.Option("--bodies", help="Also what was recorded, for an auditor; else headers only.")]


@app.command(
    epilog=examples(
        "edca publish refunds.ledger --key desk.key --to public/refunds",
        "edca publish refunds.ledger --key desk.key --to for-the-auditor --bodies",
    )
)
def publish(ledger: Ledger, key: Key, to: _Folder, bodies: _Bodies = False, as_json: AsJSON = False) -> None:
    """Write a ledger's tree and headers as tiles, with a signed checkpoint (c2sp.org/tlog-tiles).

    Headers hold digests and no content, so that anybody may have them: they show that and when something was recorded,
    and not what. With `--bodies` the records themselves are written as well: all that the independent verifiers need.
    Done again, it writes what is new, and refuses where the ledger is not the one that was published before.
    """
    signer = signing_key(key, KeyKind.LOG)
    with open_to_read(ledger) as opened, progress("publishing") as advance:
        made, note = checkpoint_of(opened, signer)
        try:
            count = publish_ledger(opened, note, to, bodies=bodies, progress=advance)
        except OSError as error:
            raise from_os_error(error) from error
    if as_json:
        document({"folder": str(to), "files": count, "size": made.size, "root": made.root.hex(), "bodies": bodies})
        return
    line(f"{counted(made.size)} in {to}: {count} new file{'' if count == 1 else 's'}, and the checkpoint")
