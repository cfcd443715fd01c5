"""Key files: a person's private Ed25519 key on one line, readable by its owner alone."""

import os
from pathlib import Path
from typing import Final

from edca.api.roster import KEY_PREFIX
from edca.cli.errors import CLIError, from_os_error
from edca.cli.loading import read_bytes
from edca.ledger.ed25519 import KEY_SIZE

_HEAD: Final = "edca private key, keep it secret: "
_FILE_SIZE_MAX: Final = 4096


def write_key(path: Path, private: bytes) -> None:
    """Write a person's private key to a new file. Raises as `write_secret` does."""
    write_secret(path, f"{_HEAD}{KEY_PREFIX}{private.hex()}")


def write_secret(path: Path, text: str) -> None:
    """Write one line to a new file that its owner alone can read.

    Raises `CLIError` where there is such a file already, or it can't be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
    except FileExistsError as error:
        raise CLIError(f"`{path}` is there already", "a lost key can't be made again: choose another name") from error
    except OSError as error:
        raise from_os_error(error, path) from error


def read_key(path: Path) -> bytes:
    """Return the private key of a file. Raises `CLIError` where it holds none."""
    text = read_bytes(path, _FILE_SIZE_MAX).decode("utf-8", "replace").strip()
    try:
        key = bytes.fromhex(text.removeprefix(f"{_HEAD}{KEY_PREFIX}"))
    except ValueError:
        key = b""
    if len(key) != KEY_SIZE:
        raise CLIError(f"`{path}` holds no private key", "make one with `edca keygen`")
    return key
