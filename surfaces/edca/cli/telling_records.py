"""Which record, in words and as data: by its index in the ledger where the commit fixes that, else by its chain."""

from edca.runtime.answers import RecordReference


def record_data(reference: RecordReference) -> dict[str, object]:
    """Return a reference as JSON-ready data; `index` is null where the store sequences its records after the commit."""
    return {
        "chain": reference.chain,
        "digest": reference.digest.hex(),
        "entry": reference.entry,
        "index": reference.index,
    }


def record_name(reference: RecordReference) -> str:
    """Return how people call the record."""
    return f"entry {reference.entry} of {reference.chain}" if reference.index is None else str(reference.index)


def record_line(reference: RecordReference) -> str:
    """Return the line that names the record and its digest."""
    return f"record: {record_name(reference)} ({reference.digest.hex()})"
