"""`edca bundle`: all that an auditor needs to check a ledger far from where it is kept."""

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
from edca.ledger.publishing import publish, write_whole

app: Final = command_app()

_Folder = Annotated[
    Path, typer.Option("--to", metavar="FOLDER", help="Where the bundle goes; made if absent.", show_default=False)
]
_README: Final = """# The ledger {origin}

{counted}, Merkle root {root}.

| file | holds |
|---|---|
| `checkpoint` | who keeps the ledger, how many records it has and the root over them, signed |
| `ledger.pub` | the key that signed, as the keeper gave it: compare it with one that you had from elsewhere |
| `tile/entries` | the records' headers, 256 to a file |
| `tile/bodies` | the records themselves: who proposed what, what was read, every clause's result, who answers |
| `tile/0`, `tile/1`, ... | hashes of the Merkle tree, for whoever makes proofs of their own |

Every spec, all routes and rosters that were ever in force are records too. The format is written down byte by byte in
EDCA's `docs/reference/ledger.md`. Two verifiers that share no code with EDCA or each other check all of it, offline:

    python verify_ledger.py THIS_FOLDER --trust {key}
    node verify-ledger.mjs THIS_FOLDER --trust {key}

They say what they checked, what they found, and what they could not check. That no record was cut off at the end shows
only against a checkpoint or receipt that you, or a witness, kept from earlier: give each with `--checkpoint` or
`--receipt`.
"""


@app.command(epilog=examples("edca bundle refunds.ledger --key desk.key --to for-the-auditor"))
def bundle(ledger: Ledger, key: Key, to: _Folder, as_json: AsJSON = False) -> None:
    """Pack what an auditor needs: the records, the signed checkpoint, the key, and how to check them.

    The folder is what `edca publish --bodies` writes, with the public key and a page that says what is what. It holds
    the records in the clear: hand it only to somebody who may read them.
    """
    signer = signing_key(key, KeyKind.LOG)
    with open_to_read(ledger) as opened, progress("packing") as advance:
        made, note = checkpoint_of(opened, signer)
        page = _README.format(
            origin=made.origin, counted=counted(made.size), root=made.root.hex(), key=str(signer.verifier)
        )
        try:
            publish(opened, note, to, bodies=True, progress=advance)
            write_whole(to / "ledger.pub", f"{signer.verifier}\n".encode())
            write_whole(to / "README.md", page.encode())
        except OSError as error:
            raise from_os_error(error) from error
    if as_json:
        document({"folder": str(to), "size": made.size, "root": made.root.hex(), "key": str(signer.verifier)})
        return
    line(f"{counted(made.size)} in {to}; begin with {to / 'README.md'}")
