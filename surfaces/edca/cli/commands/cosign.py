"""`edca cosign`: a witness's signature under a ledger's checkpoint."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.errors import CLIError, from_os_error
from edca.cli.loading import read_bytes
from edca.cli.options import AsJSON, command_app, examples
from edca.cli.output import document
from edca.cli.signing import Key, read_checkpoint, signing_key, trusted_keys
from edca.cli.writing import Output, write_text
from edca.ledger.growth import GROWTH_SIZE_MAX, Growth, cosigned
from edca.ledger.lock import WriterLock
from edca.ledger.note import KeyKind
from edca.ledger.publishing import write_whole

app: Final = command_app()

_Request = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="What `edca checkpoint --since` wrote; - reads standard input.", show_default=False
    ),
]
_Log = Annotated[
    str, typer.Option("--trust", metavar="KEY", help="The ledger's public key, `NAME+ID+KEY`.", show_default=False)
]
_Seen = Annotated[
    Path,
    typer.Option(
        "--seen",
        metavar="FILE",
        help="Where this witness keeps the last checkpoint that it signed.",
        show_default=False,
    ),
]

_First = Annotated[bool, typer.Option("--first", help="Begin: this witness has signed nothing of that ledger yet.")]


@app.command(
    epilog=examples(
        "edca checkpoint refunds.ledger --key desk.key --first -o ask",
        "edca cosign ask --key witness.key --trust desk.pub --seen refunds.seen --first",
    )
)
def cosign(
    request: _Request,
    key: Key,
    trust: _Log,
    seen: _Seen,
    first: _First = False,
    output: Output = None,
    as_json: AsJSON = False,
) -> None:
    """Sign a ledger's checkpoint as a witness, once it is shown that the ledger only grew.

    A witness is somebody other than the ledger's keeper. It remembers the last checkpoint that it signed, and signs no
    later one whose ledger does not begin with that one: who rewrites history finds no witness for it (exit code 2).
    """
    witness = signing_key(key, KeyKind.WITNESS)
    keys = trusted_keys([trust])
    if len(keys) != 1:
        raise CLIError("`--trust` names one ledger's key here", "give `NAME+ID+KEY`")
    raw = sys.stdin.buffer.read(GROWTH_SIZE_MAX + 1) if str(request) == "-" else read_bytes(request, GROWTH_SIZE_MAX)
    lock = WriterLock.acquire(seen)  # two requests at once must not both be compared with the same last one
    try:
        if first and os.path.lexists(seen):
            raise CLIError(f"`{seen}` is there already", "this witness has begun: leave `--first` out")
        if not first and not seen.exists():
            hint = "check that you are in the right folder; only a witness that has signed nothing yet gives `--first`"
            raise CLIError(f"`{seen}` is not there, so nobody knows what this witness has signed", hint)
        before = None if first else read_checkpoint(seen)[1]
        note = cosigned(Growth.parse(raw), keys[0], witness, before, int(time.time()))
        # Remembered before it is handed out: two different ledgers never get this witness's signature.
        write_whole(seen, note.to_bytes())
    except OSError as error:
        raise from_os_error(error, seen) from error
    finally:
        lock.release()
    if as_json:
        document({"witness": str(witness.verifier), "checkpoint": note.to_bytes().decode()})
        return
    write_text(note.to_bytes().decode(), output)
