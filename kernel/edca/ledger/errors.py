"""What can go wrong with a ledger. Each has a stable code, which `edca explain` tells more about.

LedgerError              L001  the store can't do what was asked; the message says what to do
├── InDoubtError         L002  a commit may or may not be on disk: open the ledger again and look
├── UnsequencedError     L008  the record is durable, and its place in the ledger is not fixed yet
├── LedgerBusyError      L003  somebody else holds it now; nothing was written, trying again later is safe
│   └── StaleError       L009  nothing was written, for what it was decided on has changed: decide again
├── LedgerFormatError    L004  these bytes are not a ledger, record or header this version reads
│   └── SchemaError      L005  the file's tables are those of another version of EDCA
└── TamperedError        L006  stored bytes contradict each other: stop writing, run the verifier
    └── RolledBackError  L007  the ledger lacks, or has others than, records that a kept checkpoint counts
"""

from typing import ClassVar


class LedgerError(Exception):
    """The store can't do what was asked."""

    code: ClassVar[str] = "L001"


class InDoubtError(LedgerError):
    """A commit failed in a way that leaves its outcome unknown. Only opening the ledger again can tell."""

    code = "L002"


class UnsequencedError(LedgerError):
    """The record is durable, and has no place in the ledger yet; its store gives it one within a stated delay."""

    code = "L008"


class LedgerBusyError(LedgerError):
    """Another process holds the ledger now. Nothing was written."""

    code = "L003"


class StaleError(LedgerBusyError):
    """What a commit was decided on has changed, or the store was gone before it began. Nothing was written."""

    code = "L009"


class LedgerFormatError(LedgerError):
    """The bytes are not what this version of the format says they should be."""

    code = "L004"


class SchemaError(LedgerFormatError):
    """The file is a ledger whose tables another version of EDCA has made. Nothing was changed."""

    code = "L005"


class TamperedError(LedgerError):
    """Stored bytes contradict each other: they were damaged or altered after they were written."""

    code = "L006"


class RolledBackError(TamperedError):
    """What was kept elsewhere of this ledger shows that it is older, or another one, than it was."""

    code = "L007"
