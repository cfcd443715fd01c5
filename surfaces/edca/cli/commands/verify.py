"""`edca verify`: whether a ledger's records are as they were written, for somebody who does not trust the operator."""

from typing import Annotated, Final

import typer

from edca.cli.errors import CLIError
from edca.cli.findings import verification_data
from edca.cli.options import FINDINGS, AsJSON, Ledger, command_app, examples
from edca.cli.output import document, line, progress
from edca.ledger.checks import Flaw
from edca.ledger.errors import LedgerFormatError
from edca.ledger.verify import Finding, Verification, counted
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
    records were not cut off shows only against a size and root kept elsewhere. A file that is no ledger at all ends
    with exit code 2.
    """
    root = None if expect_root is None else _hash(expect_root)
    with progress("verifying") as advance:
        found = verify_ledger(ledger, expect_size=expect_size, expect_root=root, progress=advance)
    if not found.is_ledger:
        raise LedgerFormatError(found.findings[0].detail)
    if as_json:
        document(verification_data(found))
    else:
        _write(found)
    if not found.is_sound:
        raise typer.Exit(FINDINGS)


def _write(found: Verification) -> None:
    for finding in found.findings:
        line(_told(finding))
    for failed in found.failed:
        line(f"failed: {failed}")
    for checked in found.checked:
        line(f"checked: {checked}")
    for unchecked in found.not_checked:
        line(f"not checked: {unchecked}")
    if found.size or found.is_sound:
        line(f"{counted(found.size)}, root {found.root.hex()}")
    count = len(found.findings)
    line("nothing was found" if found.is_sound else f"{count} finding{'' if count == 1 else 's'}")


def _told(finding: Finding) -> str:
    if finding.what is Flaw.MISSING:
        return finding.detail  # it names the records itself
    where = "ledger" if finding.index is None else f"record {finding.index}"
    return f"{where}: {finding.what.value}: {finding.detail}"


def _hash(text: str) -> bytes:
    try:
        root = bytes.fromhex(text)
    except ValueError:
        root = b""
    if len(root) != 32:
        raise CLIError("`--expect-root` takes 64 hexadecimal digits", "copy the root that `edca verify` printed")
    return root
