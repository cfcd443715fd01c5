"""Keys that sign and keys that are trusted, as commands are given them, and signed checkpoints as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from edca.cli.errors import CLIError
from edca.cli.loading import read_bytes
from edca.ledger.checkpoint import Checkpoint
from edca.ledger.errors import LedgerFormatError
from edca.ledger.kept import Kept
from edca.ledger.note import NOTE_SIZE_MAX, KeyKind, Note, SigningKey, VerifierKey
from edca.ledger.opening import line_of_open
from edca.ledger.receipt import RECEIPT_SIZE_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edca.ledger.opening import AnyLedger
    from edca.ledger.rotation import KeyLine

_KEY_SIZE_MAX: Final = 4096  # bytes of a key's file

Key = Annotated[
    Path, typer.Option("--key", metavar="FILE", help="The private key, as `edca keygen` made it.", show_default=False)
]
Trust = Annotated[
    list[str],
    typer.Option(
        "--trust",
        metavar="KEY",
        help="A public key, `NAME+ID+KEY`, or a file of them. May be given several times.",
        show_default=False,
    ),
]

Checkpoints = Annotated[
    list[Path] | None,
    typer.Option(
        "--checkpoint",
        metavar="FILE",
        help="A signed checkpoint of it that you kept. May be given several times.",
        show_default=False,
    ),
]
Receipts = Annotated[
    list[Path] | None,
    typer.Option(
        "--receipt",
        metavar="FILE",
        help="A receipt from it that somebody kept: the checkpoint in it counts too. May be given several times.",
        show_default=False,
    ),
]
Trusted = Annotated[
    list[str] | None,
    typer.Option(
        "--trust",
        metavar="KEY",
        help="A public key that may sign for it, `NAME+ID+KEY`, or a file of them. May be given several times.",
        show_default=False,
    ),
]
Witnesses = Annotated[
    int,
    typer.Option("--witnesses", metavar="COUNT", min=0, help="How many trusted witnesses must have signed as well."),
]


def signing_key(path: Path, kind: KeyKind) -> SigningKey:
    """Read a named private key. Raises `CLIError` where the file holds none of that kind."""
    text = read_bytes(path, _KEY_SIZE_MAX).decode("utf-8", "replace").strip()
    flag = {KeyKind.LOG: "--ledger", KeyKind.WITNESS: "--witness"}[kind]
    try:
        key = SigningKey.parse(text)
    except LedgerFormatError as error:
        raise CLIError(f"`{path}`: {error}", f"make one with `edca keygen {path} {flag} NAME`") from error
    if key.kind is not kind:
        raise CLIError(f"`{path}` holds the key of a {key.kind.name.lower()}", f"`edca keygen` with `{flag}` makes it")
    return key


def trusted_keys(given: Iterable[str]) -> tuple[VerifierKey, ...]:
    """Return the public keys that `--trust` names, in its text or in a file. Raises `CLIError` for one that is none."""
    keys: list[VerifierKey] = []
    for text in given:
        path = Path(text)
        lines = [text]
        if "+" not in text or path.is_file():
            lines = read_bytes(path, NOTE_SIZE_MAX).decode("utf-8", "replace").split("\n")
        for line in lines:
            if not line.strip() or line.startswith("#"):
                continue
            try:
                keys.append(VerifierKey.parse(line.strip()))
            except LedgerFormatError as error:
                raise CLIError(f"`--trust`: {error}", "copy the key that `edca keygen` printed") from error
    return tuple(keys)


def read_checkpoint(path: Path) -> tuple[Note, Checkpoint]:
    """Read a signed checkpoint; whether its signatures hold is not asked. Raises `CLIError` where the file is none."""
    try:
        note = Note.parse(read_bytes(path, NOTE_SIZE_MAX))
        return note, Checkpoint.parse(note.text)
    except LedgerFormatError as error:
        raise CLIError(f"`{path}` is no checkpoint: {error}", "`edca checkpoint` makes one") from error


def kept_files(
    checkpoints: Iterable[Path], receipts: Iterable[Path], keys: KeyLine, witnesses: int = 0
) -> tuple[Kept, ...]:
    """Read checkpoints and receipts that somebody kept. Raises `CLIError` for a file that is neither.

    `keys` are the trusted ones, and those that followed them on record.
    One whose signatures don't hold is not refused here: it is its `flaw`.
    """
    kinds = (
        (checkpoints, Kept.signed, NOTE_SIZE_MAX, "checkpoint"),
        (receipts, Kept.received, RECEIPT_SIZE_MAX, "receipt"),
    )
    kept: list[Kept] = []
    for paths, read, size_max, called in kinds:
        for path in paths:
            try:
                kept.append(read(read_bytes(path, size_max), f"`{path}`", keys, witnesses=witnesses))
            except LedgerFormatError as error:
                raise CLIError(f"`{path}` is no {called}: {error}", f"`edca {called}` makes one") from error
    return tuple(kept)


def checkpoint_of(ledger: AnyLedger, key: SigningKey) -> tuple[Checkpoint, Note]:
    """Return a checkpoint of the whole ledger, and the same with its key's signature.

    Raises `CLIError` for a key that another one has followed on record.
    """
    (span,) = line_of_open(ledger, (key.verifier,)).spans[:1]
    if span.until is not None:
        raise CLIError(f"record {span.until} has replaced `{key.verifier}`", "sign with the key that follows it")
    checkpoint = Checkpoint(key.name, ledger.size, ledger.root())
    return checkpoint, checkpoint.signed(key)
