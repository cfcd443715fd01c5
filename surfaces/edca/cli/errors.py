"""What a command says when it can't do its work: one line that names the problem, one that says what to do next."""

from pathlib import Path

from edca.kernel.canonical import CanonicalError
from edca.ledger.errors import InDoubtError, LedgerBusyError, LedgerError, LedgerFormatError, TamperedError


class CLIError(Exception):
    """The tool can't do what was asked; it ends with exit code 2.

    `message` is one line, lower case first, no full stop; `hint` says what to do next.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        """Keep what is wrong and what to do about it."""
        super().__init__(message)
        self.message = message
        self.hint = hint


def from_failure(error: Exception) -> CLIError | None:
    """Return what to tell the user about a failure of the world, or null where the failure is a bug of ours."""
    match error:
        case CLIError():
            return error
        case LedgerBusyError():
            return CLIError(str(error), "wait until the other process has closed the ledger, then try again")
        case InDoubtError():
            return CLIError(str(error), "run `edca verify` on it, then try again")
        case TamperedError():
            return CLIError(str(error), "run `edca verify` on it: it names every record that does not fit")
        case LedgerFormatError():
            return CLIError(str(error), "check that the path is that of a ledger EDCA has written")
        case LedgerError():
            return CLIError(str(error))
        case CanonicalError():
            return CLIError(f"the bytes are not canonical: {error}", "run `edca verify` on the ledger")
        case OSError():
            return from_os_error(error)
        case _:
            return _from_api(error)


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
