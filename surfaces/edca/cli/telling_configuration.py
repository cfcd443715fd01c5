"""Configuration records in words: the machine, the routes and the roster that verdicts were made under."""

from collections.abc import Iterator, Mapping
from typing import Any

from edca.cli.reading import Readable
from edca.cli.telling_machine import machine_lines
from edca.cli.telling_migrations import map_lines
from edca.kernel import canonical
from edca.kernel.calendar import time_text
from edca.kernel.machine import Machine
from edca.kernel.migration import Migration
from edca.kernel.roster import Mandate, Principal, Roster
from edca.ledger.errors import LedgerFormatError
from edca.ledger.record import parse
from edca.runtime.config import CHAIN, DOCUMENT_SIZE_MAX, Configuration


class Kept:
    """The configuration that a ledger holds, and which record each document begins in."""

    def __init__(self, ledger: Readable) -> None:
        """Read the chain of configuration; what of it is not there or can't be read is left out."""
        self._configuration = Configuration()
        self._indexes: dict[tuple[str, bytes], int | None] = {}  # null as long as it has no place
        for stored in ledger.records(chain=CHAIN):
            content: Any = parse(stored.body).content
            try:
                self._configuration.take(content)
                index = None if stored.header is None else stored.header.index
                self._indexes.setdefault((content["what"], content["digest"]), index)
            except (KeyError, TypeError, ValueError):
                continue  # what needs this document says that it is not there

    def machines(self) -> Iterator[Machine]:
        """Yield every machine that the ledger holds whole, oldest first."""
        for what, digest in self._indexes:
            if what != "machine":
                continue
            try:
                yield self.machine(digest)
            except LedgerFormatError:
                continue  # a part of it is lost

    def machine(self, digest: bytes) -> Machine:
        """Return a machine. Raises `LedgerFormatError` where the ledger does not hold it."""
        try:
            return self._configuration.machine(digest)
        except (KeyError, ValueError) as error:
            raise LedgerFormatError(f"the ledger does not hold the machine {digest.hex()}") from error

    def roster(self, digest: bytes) -> Roster:
        """Return a roster. Raises `LedgerFormatError` where the ledger does not hold it."""
        try:
            return self._configuration.roster(digest)
        except (KeyError, TypeError, ValueError) as error:
            raise LedgerFormatError(f"the ledger does not hold the roster {digest.hex()}") from error

    def document(self, what: str, digest: bytes) -> Any:
        """Return a document as data. Raises `LedgerFormatError` where the ledger does not hold it whole."""
        try:
            document = self._configuration.document(what, digest)
            return canonical.decode(document, size_max=DOCUMENT_SIZE_MAX, depth_max=256)
        except (KeyError, ValueError) as error:
            raise LedgerFormatError(f"the ledger does not hold the {what} {digest.hex()}") from error

    def place(self, what: str, digest: bytes) -> str:
        """Return where a document stands, such as `record 0`."""
        if (what, digest) not in self._indexes:
            return "not in this ledger"
        index = self._indexes[what, digest]
        return "a record that has no place yet" if index is None else f"record {index}"

    def title(self, content: Mapping[str, Any]) -> str:
        """Return what a configuration record holds, such as `machine seats 1.0.0`, as far as it can be told."""
        what, digest = content["what"], content["digest"]
        part = "" if content["parts"] == 1 else f", part {content['part'] + 1} of {content['parts']}"
        if what == "roster":
            return f"roster{part}"
        try:
            document = self.document(what, digest)
            return f"{what} {document['name']} {document['version']}{part}"
        except (LedgerFormatError, KeyError, TypeError):
            return f"{what}{part}"

    def told(self, content: Mapping[str, Any]) -> list[str]:
        """Return a configuration record in words. Raises `LedgerFormatError` where the document is not whole."""
        what, digest = content["what"], content["digest"]
        lines = [self.title(content), f"digest, by which verdicts name it: {digest.hex()}"]
        match what:
            case "machine":
                return lines + machine_lines(self.machine(digest))
            case "roster":
                return lines + _roster(self.roster(digest))
            case "migration":
                return lines + map_lines(Migration.from_bytes(self._configuration.document(what, digest)))
            case "map":
                return lines + str(self.document(what, digest)).splitlines()
            case _:
                return lines + _routes(self.document(what, digest))


def _roster(roster: Roster) -> list[str]:
    return [_principal(row) for row in roster.principals] + [_mandate(row) for row in roster.mandates]


def _principal(row: Principal) -> str:
    model = "" if row.model is None else f", model {row.model}"
    person = "" if row.person is None else f", account of {row.person}"
    key = "" if row.key is None else ", answers signed"
    starts = "" if row.starts is None else f", from {time_text(row.starts)}"
    ends = "" if row.ends is None else f", until {time_text(row.ends)}"
    return f"principal {row.id}: {', '.join(row.roles)}{model}{person}{key}{starts}{ends}"


def _mandate(row: Mandate) -> str:
    scope = ", ".join(row.transitions) or f"whatever {row.role} answers for"
    when = f"from {time_text(row.starts)} until {time_text(row.ends)}"
    uses = "" if row.uses_max is None else f", at most {row.uses_max} times"
    revoked = "" if row.revoked_at is None else f", taken back {time_text(row.revoked_at)}"
    return (
        f"mandate {row.id}: {row.principal} answers as {row.role} for {scope} in {row.machine}, {when}{uses}{revoked}"
    )


def _routes(document: Mapping[str, Any]) -> list[str]:
    lines = [f"for the machine {document['machine']}"]
    lines += [f"source {row['name']}: its address is in the variable {row['env']}" for row in document["sources"]]
    lines += [f"entity {row['name']} from {row['source']}.{row['table']}" for row in document["entities"]]
    for row in document["effects"]:
        tables = dict.fromkeys(f"{row['source']}.{statement['table']}" for statement in row["statements"])
        lines.append(f"effect {row['name']} on {', '.join(tables)}")
    return [*lines, "columns, codes and statements: `--json`"]
