"""`edca rotate-key`: the next key of a ledger, announced on record by the present one."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edca.api.clocks import SystemClock
from edca.cli.errors import CLIError
from edca.cli.loading import parse_instant
from edca.cli.options import AsJSON, Ledger, Now, command_app, examples
from edca.cli.output import document, line
from edca.cli.signing import signing_key, trusted_keys
from edca.kernel import canonical
from edca.ledger.note import KeyKind
from edca.ledger.opening import followed_keys, open_ledger
from edca.ledger.rotation import WHAT, announcement
from edca.runtime.config import keep

app: Final = command_app()

_Current = Annotated[
    Path, typer.Option("--key", metavar="FILE", help="The private key that is in force.", show_default=False)
]
_Next = Annotated[
    str,
    typer.Option("--to", metavar="KEY", help="The next public key, `NAME+ID+KEY`, or its file.", show_default=False),
]


@app.command(
    name="rotate-key",
    epilog=examples(
        "edca keygen desk-2.key --ledger refunds.example/desk -o desk-2.pub",
        "edca rotate-key refunds.ledger --key desk.key --to desk-2.pub",
        "edca checkpoint refunds.ledger --key desk-2.key -o refunds.checkpoint",
    ),
)
def rotate_key(ledger: Ledger, key: _Current, to: _Next, now: Now = None, as_json: AsJSON = False) -> None:
    """Put on record that another key signs for the ledger from now on.

    The record is signed by the key in force. So whoever trusts that one follows to the next without being told: the
    ledger tells, offline. From the next checkpoint on, only the next key counts. No other process may be writing the
    ledger meanwhile. Destroy the old private key when the checkpoint after this record is where it should be.
    """
    current, keys = signing_key(key, KeyKind.LOG), trusted_keys([to])
    if len(keys) != 1:
        raise CLIError("`--to` names one key", "give the public key that `edca keygen --ledger` printed")
    at = SystemClock().now() if now is None else parse_instant(now)
    announced = announcement(current, keys[0], at=at)
    line_now = followed_keys(ledger, (current.verifier,))
    replaced = [span.until for span in line_now.spans if span.key == current.verifier and span.until is not None]
    if replaced:
        raise CLIError(f"record {replaced[0]} has replaced `{current.verifier}`", "give the key that follows it")
    with open_ledger(ledger, create=False) as opened:
        keep(opened, [(WHAT, canonical.digest(WHAT, announced), announced)])
    spans = followed_keys(ledger, (current.verifier,)).spans
    index = next((span.since - 1 for span in spans if span.key == keys[0]), None)
    if as_json:
        document({"index": index, "from": str(current.verifier), "to": str(keys[0])})
        return
    line(
        f"{'a record' if index is None else f'record {index}'} announces {keys[0]}: it signs for the ledger from now on"
    )
    line("sign a checkpoint with it now, and keep that elsewhere: `edca checkpoint`")
