"""What can go wrong with a ledger.

LedgerError                 the store can't do what was asked; the message says what to do
├── InDoubtError            a commit may or may not be on disk: open the ledger again and look
├── UnsealedError           the record is durable, and its place in the ledger is not fixed yet
├── LedgerBusyError         somebody else holds it now; nothing was written, trying again later is safe
├── LedgerFormatError       these bytes are not a ledger, record or header this version reads
└── TamperedError           stored bytes contradict each other: stop writing, run the verifier
"""


class LedgerError(Exception):
    """The store can't do what was asked."""


class InDoubtError(LedgerError):
    """A commit failed in a way that leaves its outcome unknown. Only opening the ledger again can tell."""


class UnsealedError(LedgerError):
    """The record is durable, and has no place in the ledger yet: the store seals it within the delay it promises."""


class LedgerBusyError(LedgerError):
    """Another process holds the ledger now. Nothing was written."""


class LedgerFormatError(LedgerError):
    """The bytes are not what this version of the format says they should be."""


class TamperedError(LedgerError):
    """Stored bytes contradict each other: they were damaged or altered after they were written."""
