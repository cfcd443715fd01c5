"""`edca keygen`: a key with which a person signs their answers."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edca.api.roster import KEY_PREFIX
from edca.cli.keys import write_key
from edca.cli.options import AsJSON, command_app, examples
from edca.cli.output import document, line
from edca.runtime.signatures import new_key

app: Final = command_app()

_File = Annotated[
    Path, typer.Argument(metavar="FILE", help="Where the private key goes; a new file.", show_default=False)
]


@app.command(epilog=examples("edca keygen sven.key", "edca keygen sven.key --json"))
def keygen(file: _File, as_json: AsJSON = False) -> None:
    """Make a key with which a person signs their answers.

    The private key is written to a file that its owner alone can read, and stays with that person. The public key is
    printed: put it into the roster. From then on, that person's answers count only with a signature.
    """
    private, public = new_key()
    write_key(file, private)
    if as_json:
        document({"file": str(file), "key": f"{KEY_PREFIX}{public.hex()}"})
        return
    line(f"the private key is in {file}; it is yours alone")
    line(f'key = "{KEY_PREFIX}{public.hex()}"')
