"""`edca verify`: whether a ledger's records are as they were written, for somebody who does not trust the operator."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.errors import CLIError
from edca.cli.findings import cell_lines, cells_data, verification_data
from edca.cli.loading import open_to_read
from edca.cli.options import FINDINGS, AsJSON, command_app, examples
from edca.cli.output import document, line, progress
from edca.cli.receipts import is_receipt, verify_receipt
from edca.cli.signing import Checkpoints, Receipts, Trusted, Witnesses, kept_files, trusted_keys
from edca.cli.telling_erasures import vault_data, vault_findings, vault_lines
from edca.ledger.checks import BESIDE, Flaw
from edca.ledger.errors import LedgerBusyError, LedgerFormatError, TamperedError
from edca.ledger.folder import line_of_folder, verify_folder
from edca.ledger.kept import counted
from edca.ledger.note import VerifierKey
from edca.ledger.opening import followed_keys, ledger_path, verify_ledger
from edca.ledger.scan import Finding
from edca.ledger.verification import Verification
from edca.runtime.cell_differences import CellDifference
from edca.runtime.heard import NO_ANSWERS, CheckedAnswers, check_answers
from edca.runtime.rebuild import compare_cells
from edca.runtime.replayed import UNREADABLE
from edca.runtime.vault_check import NO_VAULT, CheckedVault, check_vault

app: Final = command_app()

_SIGNED: Final = "every answer of somebody who has a key is signed with it, over what they were shown"
_NOT_ASKED: Final = "who answered or looked: the signatures inside the records were not asked about"
_NOT_OPENED: Final = "personal values beside the records: the vault was not compared with what they commit to"
_BROKEN: Final = "the answer is not signed by whom it names, or not over this"
_NAMED_MAX: Final = 10

_REBUILT: Final = "every cell beside the records, such as where a case stands, is what they add up to"

_What = Annotated[
    Path,
    typer.Argument(
        metavar="LEDGER",
        help="A ledger's file or `postgresql://…`, a folder that `edca publish` wrote, or a receipt.",
        parser=ledger_path,
        show_default=False,
    ),
]
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
_RecordsOnly = Annotated[
    bool,
    typer.Option(
        "--records",
        help="Check all of the records and nothing else: no cells, no personal values, no signatures of answers.",
    ),
]
_Fast = Annotated[
    bool,
    typer.Option("--fast", help="As `--records`, without looking into them: compare their digests and the tree only."),
]

_Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="COUNT",
        min=1,
        help="How many processes look at the records of a large file; else as many as there are processors.",
        show_default=False,
    ),
]


@app.command(
    epilog=examples(
        "edca verify refunds.ledger",
        "edca verify refunds.ledger --checkpoint refunds.checkpoint --trust desk.pub --trust witness.pub --witnesses 1",
        "edca verify refunds.ledger --records",
        "edca verify refunds.ledger --receipt order-o1.receipt --trust desk.pub",
        "edca verify refunds.ledger --expect-size 812 --expect-root 9f86d081884c7d65…",
        "edca verify order-o1.receipt --trust desk.pub",
        "edca verify for-the-auditor --trust desk.pub",
    )
)
def verify(
    ledger: _What,
    checkpoint: Checkpoints = None,
    receipt: Receipts = None,
    trust: Trusted = None,
    witnesses: Witnesses = 0,
    expect_size: _Size = None,
    expect_root: _Root = None,
    records: _RecordsOnly = False,
    fast: _Fast = False,
    jobs: _Jobs = None,
    as_json: AsJSON = False,
) -> None:
    """Check that no record of a ledger was altered.

    Reads the files only, and needs no spec. Every record of a ledger is read whole and compared with the others, and
    what lies beside the records with what they add up to. `--records` leaves out the second, which takes most of the
    time where there are many, and `--fast` also what stands inside the records.

    It says as loudly what it could not check as what it found: that the newest records were not cut off, and who wrote
    them, shows only against checkpoints and receipts kept elsewhere. A published folder and a receipt bring a
    checkpoint of their own, which a key of `--trust` must have signed. What is no ledger at all ends with exit code 2.
    """
    keys = trusted_keys(trust or ())
    told = {"--expect-size": expect_size is not None, "--expect-root": expect_root is not None}
    leaving = {"--records": records, "--fast": fast}
    if is_receipt(ledger):
        _refuse("a receipt", told | leaving | {"--checkpoint": bool(checkpoint), "--receipt": bool(receipt)})
        _demand(keys, "a receipt's checkpoint")
        if not verify_receipt(ledger, keys, witnesses, as_json=as_json):
            raise typer.Exit(FINDINGS)
        return
    if checkpoint or receipt:
        _demand(keys, "a checkpoint" if checkpoint else "a receipt")
    line = line_of_folder(ledger, keys) if ledger.is_dir() and keys else followed_keys(ledger, keys)
    kept = kept_files(checkpoint or (), receipt or (), line, witnesses)
    if ledger.is_dir():
        _refuse("a published ledger", told | {"--records": records})
        _demand(keys, "the folder's checkpoint")
        with progress("verifying") as advance:
            found = verify_folder(ledger, keys, witnesses=witnesses, checkpoints=kept, fast=fast, progress=advance)
        _report(found, None, NO_ANSWERS, as_json=as_json)
        return
    if not kept and ledger.exists():
        _refuse(
            "a ledger without `--checkpoint FILE` or `--receipt FILE`",
            {"--trust": bool(keys), "--witnesses": witnesses > 0},
        )
    root = None if expect_root is None else _hash(expect_root)
    with progress("verifying") as advance:
        found = verify_ledger(
            ledger,
            expect_size=expect_size,
            expect_root=root,
            checkpoints=kept,
            fast=fast,
            line=line,
            jobs=jobs or os.cpu_count() or 1,
            progress=advance,
        )
    if not found.is_ledger:
        raise LedgerFormatError(found.findings[0].detail)
    if fast or records:
        found = dataclasses.replace(found, not_checked=(*found.not_checked, _NOT_ASKED, _NOT_OPENED))
    is_whole = found.is_sound and not fast and not records
    cells = _cells(ledger) if is_whole else None
    if cells is not None:  # what the file alone leaves open was looked at besides
        found = dataclasses.replace(found, not_checked=tuple(open_ for open_ in found.not_checked if open_ != BESIDE))
    vault = _vault(ledger) if is_whole else NO_VAULT
    _report(found, cells, _answers(ledger) if is_whole else NO_ANSWERS, vault, as_json=as_json)


def _report(
    found: Verification,
    cells: tuple[CellDifference, ...] | None,
    answers: CheckedAnswers,
    vault: CheckedVault = NO_VAULT,
    *,
    as_json: bool,
) -> None:
    """Write what was found, and end the command with exit code 1 if anything was."""
    if as_json:
        told = None if cells is None else cells_data(cells)
        whole = verification_data(found) | {
            "cells": told,
            "answers": _answers_data(answers),
            "personal": vault_data(vault),
        }
        document(whole if not cells and not answers.broken and not vault.findings else whole | {"ok": False})
    else:
        _write(found, cells, answers, vault)
    if not found.is_sound or cells or answers.broken or vault.findings:
        raise typer.Exit(FINDINGS)


def _refuse(what: str, given: dict[str, bool]) -> None:
    """Raise `CLIError` for an option that says nothing about what is verified."""
    for option, is_given in given.items():
        if is_given:
            raise CLIError(f"`{option}` is not for {what}", "leave it out; `edca verify --help` has an example of each")


def _demand(keys: Sequence[VerifierKey], what: str) -> None:
    if not keys:
        message = f"{what} is only worth its signatures, and no key is trusted"
        raise CLIError(message, "give the ledger's public key with `--trust KEY`, from somebody else than its keeper")


def _cells(path: Path) -> tuple[CellDifference, ...] | None:
    """Return the cells that are not what the records add up to; null where nobody can tell.

    Raises `LedgerError` where they can't be read for another reason than what they hold.
    """
    try:
        with open_to_read(path) as ledger, ledger.whole(), progress("building the cells anew") as advance:
            return compare_cells(ledger, advance)
    except (LedgerBusyError, *UNREADABLE):
        return None  # it is written too fast, or sound bytes of records that this version does not write
    except TamperedError as error:  # one cell that can't be read must not hide what was done to others
        return (CellDifference("", "", "the table of cells", f"what can't be read ({error})", "what can be"),)


def _answers(path: Path) -> CheckedAnswers:
    with open_to_read(path) as ledger, ledger.whole():
        return check_answers(ledger.records())


def _vault(path: Path) -> CheckedVault:
    with open_to_read(path) as ledger, ledger.whole(), progress("comparing the vault") as advance:
        return check_vault(ledger, progress=advance)


def _answers_data(answers: CheckedAnswers) -> dict[str, object]:
    return {"asserted": list(answers.asserted), "broken": list(answers.broken), "signed": list(answers.signed)}


def _write(
    found: Verification, cells: tuple[CellDifference, ...] | None, answers: CheckedAnswers, vault: CheckedVault
) -> None:
    for finding in found.findings:
        line(_told(finding))
    for text in vault_findings(vault.findings):
        line(text)
    for told in cell_lines(cells or ()):
        line(told)
    for index in answers.broken:
        line(f"record {index}: signature: {_BROKEN}")
    for failed in (*found.failed, *((_REBUILT,) if cells else ()), *((_SIGNED,) if answers.broken else ())):
        line(f"failed: {failed}")
    proven = answers.signed and not answers.broken
    for checked in (*found.checked, *((_REBUILT,) if cells == () else ()), *((_SIGNED,) if proven else ())):
        line(f"checked: {checked}")
    for text in vault_lines(vault):
        line(text)
    for unchecked in found.not_checked:
        line(f"not checked: {unchecked}")
    if answers.asserted:
        where = _records(answers.asserted)
        line(f"not checked: who answered or looked in {where}: the host's word stands for it, no signature")
    if found.size or found.is_sound:
        line(f"{counted(found.size)}, root {found.root.hex()}")
    count = len(found.findings) + len(cells or ()) + len(answers.broken) + len(vault.findings)
    line("nothing was found" if not count else f"{count} finding{'' if count == 1 else 's'}")


def _told(finding: Finding) -> str:
    if finding.what is Flaw.MISSING:
        return finding.detail  # it names the records itself
    where = "ledger" if finding.index is None else f"record {finding.index}"
    return f"{where}: {finding.what.value}: {finding.detail}"


def _records(indexes: tuple[int, ...]) -> str:
    named = ", ".join(str(index) for index in indexes[:_NAMED_MAX])
    more = f" and {len(indexes) - _NAMED_MAX} more" if len(indexes) > _NAMED_MAX else ""
    return f"record{'' if len(indexes) == 1 else 's'} {named}{more}"


def _hash(text: str) -> bytes:
    try:
        root = bytes.fromhex(text)
    except ValueError:
        root = b""
    if len(root) != 32:
        raise CLIError("`--expect-root` takes 64 hexadecimal digits", "copy the root that `edca verify` printed")
    return root
