"""What a command says when it can't do its work: one line that names the problem, one that says what to do next."""

from pathlib import Path

from edca.kernel.canonical import CanonicalError
from edca.ledger.errors import (
    InDoubtError,
    LedgerBusyError,
    LedgerError,
    LedgerFormatError,
    RolledBackError,
    SchemaError,
    TamperedError,
)


class CLIError(Exception):
    """The tool can't do what was asked; it ends with exit code 2.

    `message` is one line, lower case first, no full stop; `hint` says what to do next; `code` is a ledger error's.
    """

    def __init__(self, message: str, hint: str | None = None, code: str | None = None) -> None:
        """Keep what is wrong and what to do about it."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


def from_failure(error: Exception) -> CLIError | None:
    """Return what to tell the user about a failure of the world, or null where the failure is a bug of ours."""
    match error:
        case CLIError():
            return error
        case LedgerError():
            return CLIError(str(error), _hint(error), error.code)
        case CanonicalError():
            return CLIError(f"the bytes are not canonical: {error}", "run `edca verify` on the ledger")
        case OSError():
            return from_os_error(error)
        case _:
            return _from_api(error)


def _hint(error: LedgerError) -> str | None:
    match error:
        case LedgerBusyError():
            return "wait until the other process has closed the ledger, then try again"
        case InDoubtError():
            return "run `edca verify` on it, then try again"
        case RolledBackError():
            return "run `edca verify` on it with the same `--checkpoint` or `--receipt`, and look for a newer copy"
        case TamperedError():
            return "run `edca verify` on it: it names every record that does not fit"
        case SchemaError():
            return "`edca explain L005` tells which version reads it"
        case LedgerFormatError():
            return "check that the path is that of a ledger EDCA has written"
        case _:
            return None


def _from_api(error: Exception) -> CLIError | None:
    # Here and not above, so that `edca --help` need not load the parser and all that goes with it.
    from edca.api.errors import RosterError  # noqa: PLC0415

    return CLIError(str(error)) if isinstance(error, RosterError) else None


def from_os_error(error: OSError, path: Path | None = None) -> CLIError:
    """Return what to tell the user when a file can't be read or written."""
    name = error.filename if path is None else path
    where = "" if name is None else f"`{name}`: "
    match error:
        case FileNotFoundError():
            return CLIError(f"{where}no such file", "check the spelling, and the folder you are in")
        case IsADirectoryError():
            return CLIError(f"{where}this is a folder", "name a file in it")
        case PermissionError():
            return CLIError(f"{where}permission denied", "check who owns the file, and its mode")
        case _:
            return CLIError(f"{where}{(error.strerror or str(error)).lower()}")
