"""`edca keygen`: a key with which a person signs their answers."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edca.api.roster import KEY_PREFIX
from edca.cli.errors import CLIError
from edca.cli.keys import write_key, write_secret
from edca.cli.options import AsJSON, command_app, examples
from edca.cli.output import document, note
from edca.cli.writing import Output, write_text
from edca.ledger.ed25519 import new_key
from edca.ledger.note import KeyKind, SigningKey, is_key_name

app: Final = command_app()

_File = Annotated[
    Path, typer.Argument(metavar="FILE", help="Where the private key goes; a new file.", show_default=False)
]


_Log = Annotated[
    str | None,
    typer.Option(
        "--ledger", metavar="NAME", help="Make the key of a ledger, such as refunds.example/desk.", show_default=False
    ),
]
_Witness = Annotated[
    str | None,
    typer.Option("--witness", metavar="NAME", help="Make the key of a witness of ledgers.", show_default=False),
]


@app.command(
    epilog=examples(
        "edca keygen sven.key",
        "edca keygen desk.key --ledger refunds.example/desk -o desk.pub",
        "edca keygen witness.key --witness witness.example",
    )
)
def keygen(
    file: _File, ledger: _Log = None, witness: _Witness = None, output: Output = None, as_json: AsJSON = False
) -> None:
    """Make a key with which a person signs their answers, or a ledger or a witness its checkpoints.

    The private key is written to a file that its owner alone can read, and stays with its owner. The public key is
    printed. A person's goes into the roster: from then on, that person's answers count only with a signature. That of
    a ledger or a witness goes to whoever is to check what it signs.
    """
    if ledger is not None and witness is not None:
        raise CLIError("`--ledger` and `--witness` can't both be given", "make two keys: nobody witnesses themselves")
    private, public = new_key()
    if ledger is not None or witness is not None:
        name, kind = (witness or "", KeyKind.WITNESS) if ledger is None else (ledger, KeyKind.LOG)
        _named(file, SigningKey(name, kind, private), output, as_json)
        return
    write_key(file, private)
    if as_json:
        document({"file": str(file), "key": f"{KEY_PREFIX}{public.hex()}"})
        return
    note(f"the private key is in {file}; it is yours alone")
    write_text(f'key = "{KEY_PREFIX}{public.hex()}"\n', output)


def _named(file: Path, key: SigningKey, output: Path | None, as_json: bool) -> None:
    if not is_key_name(key.name):
        raise CLIError(f"`{key.name}` can't be the name of a key", "it is without spaces and plus signs")
    write_secret(file, key.to_secret())
    if as_json:
        document({"file": str(file), "key": str(key.verifier)})
        return
    note(f"the private key is in {file}; it is yours alone")
    write_text(f"{key.verifier}\n", output)
