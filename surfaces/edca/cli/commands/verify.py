"""`edca verify`: whether a ledger's records are as they were written, for somebody who does not trust the operator."""

from typing import Annotated, Final

import typer

from edca.cli.errors import CLIError
from edca.cli.findings import verification_data
from edca.cli.options import FINDINGS, AsJSON, Ledger, command_app, examples
from edca.cli.output import document, line, progress
from edca.ledger.verify import verify as verify_ledger

app: Final = command_app()

_Size = Annotated[
    int | None,
    typer.Option(
        "--expect-size", metavar="COUNT", min=0, help="The size that a kept checkpoint holds.", show_default=False
    ),
]
_Root = Annotated[
    str | None,
    typer.Option("--expect-root", metavar="HEX", help="The root that a kept checkpoint holds.", show_default=False),
]


@app.command(
    epilog=examples(
        "edca verify refunds.ledger",
        "edca verify refunds.ledger --expect-size 812 --expect-root 9f86d081884c7d65…",
    )
)
def verify(ledger: Ledger, expect_size: _Size = None, expect_root: _Root = None, as_json: AsJSON = False) -> None:
    """Check that no record of a ledger was altered.

    Reads the file only, and needs no spec. It says as loudly what it could not check as what it found: that the newest
    records were not cut off shows only against a size and root kept elsewhere.
    """
    root = None if expect_root is None else _hash(expect_root)
    with progress("verifying") as advance:
        found = verify_ledger(ledger, expect_size=expect_size, expect_root=root, progress=advance)
    if as_json:
        document(verification_data(found))
    else:
        for finding in found.findings:
            where = "ledger" if finding.index is None else f"record {finding.index}"
            line(f"{where}: {finding.what.value}: {finding.detail}")
        for checked in found.checked:
            line(f"checked: {checked}")
        for unchecked in found.not_checked:
            line(f"not checked: {unchecked}")
        line(f"{found.size} records, root {found.root.hex()}")
        count = len(found.findings)
        line("nothing was found" if found.is_sound else f"{count} finding{'' if count == 1 else 's'}")
    if not found.is_sound:
        raise typer.Exit(FINDINGS)


def _hash(text: str) -> bytes:
    try:
        root = bytes.fromhex(text)
    except ValueError:
        root = b""
    if len(root) != 32:
        raise CLIError("`--expect-root` takes 64 hexadecimal digits", "copy the root that `edca verify` printed")
    return root
