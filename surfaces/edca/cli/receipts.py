"""Checking a receipt, and telling what it shows and what not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edca.cli.loading import read_bytes
from edca.cli.output import document, line
from edca.ledger.checks import NOT_READ, Flaw
from edca.ledger.errors import LedgerFormatError
from edca.ledger.kept import Kept
from edca.ledger.receipt import FIRST_LINE, RECEIPT_SIZE_MAX, Receipt

if TYPE_CHECKING:
    from pathlib import Path

    from edca.ledger.note import VerifierKey
    from edca.ledger.receipt import Shown

_HOLDS: Final = "the receipt's record, proof and signatures hold"
_ELSEWHERE: Final = "any other record: a receipt shows its own"


def is_receipt(path: Path) -> bool:
    """Whether there is a file that begins as receipts do."""
    if not path.is_file():
        return False
    first = f"{FIRST_LINE}\n".encode()
    with path.open("rb") as file:
        return file.read(len(first)) == first


def verify_receipt(path: Path, keys: tuple[VerifierKey, ...], witnesses: int, *, as_json: bool) -> bool:
    """Check a receipt, write what it shows, and return whether it holds. Raises `CLIError` for a file too large."""
    raw = read_bytes(path, RECEIPT_SIZE_MAX)
    shown: Shown | None = None
    flaw: str | None = None
    try:
        shown = Receipt.parse(raw).check(keys, witnesses=witnesses)
    except LedgerFormatError as error:
        flaw = str(error)
    checked = () if shown is None else _checked(shown)
    failed = () if shown is not None else (_HOLDS,)
    left_open = (NOT_READ, _ELSEWHERE)
    if as_json:
        finding = {"detail": flaw, "index": None, "what": Flaw.RECEIPT.value}
        document(
            {
                "checked": list(checked),
                "failed": list(failed),
                "findings": [] if flaw is None else [finding],
                "not_checked": list(left_open),
                "ok": flaw is None,
                "receipt": None if shown is None else _data(shown),
            }
        )
        return flaw is None
    if flaw is not None:
        line(f"receipt: {flaw}")
    for what, texts in (("failed", failed), ("checked", checked), ("not checked", left_open)):
        for text in texts:
            line(f"{what}: {text}")
    if shown is not None:
        record, checkpoint = shown.record, shown.attested.checkpoint
        line(
            f"record {shown.leaf.index} of `{checkpoint.origin}`: {record.kind}, entry {record.entry} of {record.chain}"
        )
    line("nothing was found" if flaw is None else "1 finding")
    return flaw is None


def _checked(shown: Shown) -> tuple[str, ...]:
    checkpoint = shown.attested.checkpoint
    signed = Kept(checkpoint.size, checkpoint.root, signers=shown.attested.signers)
    return (
        "the record is canonical, and has the digest, chain and entry that its header names",
        f"record {shown.leaf.index} is this one, among the {checkpoint.size} that the receipt's checkpoint counts",
        f"the receipt's checkpoint is signed by {signed.signing}",
    )


def _data(shown: Shown) -> dict[str, object]:
    checkpoint = shown.attested.checkpoint
    return {
        "chain": shown.record.chain,
        "entry": shown.record.entry,
        "index": shown.leaf.index,
        "kind": shown.record.kind,
        "origin": checkpoint.origin,
        "root": checkpoint.root.hex(),
        "signers": [str(one.key) for one in shown.attested.signers],
        "size": checkpoint.size,
    }
