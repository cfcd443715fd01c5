"""Configuration in the ledger: machine, routes and roster, by digest, so that a replay finds what was in force.

A document is cut into parts that fit a record; all parts of one go into one commit. Chain `config`, kind `config`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edca.kernel import canonical
from edca.kernel.machine import Machine
from edca.kernel.roster import Roster
from edca.ledger.errors import LedgerError, TamperedError
from edca.ledger.record import Draft, parse
from edca.ledger.store import Cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edca.kernel.canonical import Data
    from edca.ledger.store import StoredRecord
    from edca.runtime.ports import Router, Store

CHAIN = "config"
SPACE = "config"
PART_SIZE_MAX = 512 << 10  # bytes; half of what a record may hold
DOCUMENT_SIZE_MAX = 16 << 20  # bytes; as much as a machine's artefact may have


def ensure(store: Store, machine: Machine, router: Router, roster: Roster) -> None:
    """Append what the ledger does not hold yet. Raises `ValueError` where a document is not what its digest says."""
    keep(
        store,
        (
            ("machine", machine.digest, machine.to_bytes()),
            ("routes", router.digest, router.document),
            ("roster", roster.digest, canonical.encode(roster.to_raw())),
        ),
    )


def keep(store: Store, documents: Iterable[tuple[str, bytes, bytes]]) -> None:
    """Append those documents, each with what it is and its digest, that the ledger does not hold yet.

    Raises `ValueError` where a document is not what its digest says.
    """
    drafts: list[Draft] = []
    ends: list[tuple[str, int]] = []  # each document's cell, and where its last part stands among the drafts
    for what, digest, document in documents:
        if canonical.digest(what, document) != digest:
            raise ValueError(f"the {what} document does not have the digest it is known by")
        if not is_held(store, what, digest):
            drafts += _drafts(what, digest, document)
            ends.append((key_of(what, digest), len(drafts) - 1))
    if drafts:
        store.commit(drafts, lambda stored: [cell(key, stored[place].number) for key, place in ends])


def is_held(store: Store, what: str, digest: bytes) -> bool:
    """Tell whether a document is on record. Raises `TamperedError` where its cell says something else than the records.

    Without its cell the records are gone through: that is seldom, as only a new document has none.
    """
    found = store.cell(SPACE, key_of(what, digest))
    if found is None:
        contents = (parse(stored.body).content for stored in store.records(chain=CHAIN))
        if any((content.get("what"), content.get("digest")) == (what, digest) for content in contents):
            raise TamperedError(f"the cell is gone that says where the {what} stands; verify the ledger")
        return False
    if not _is_last_part(store, found, what, digest):
        raise TamperedError(f"the cell that says where the {what} stands names another record; verify the ledger")
    return True


def _is_last_part(store: Store, named: bytes, what: str, digest: bytes) -> bool:
    try:
        number: Any = canonical.decode(named)
        content: Any = parse(store.read(number).body).content
        return (content["what"], content["digest"], content["part"] + 1) == (what, digest, content["parts"])
    except (LedgerError, KeyError, TypeError, ValueError):
        return False


def cell(key: str, number: int) -> Cell:
    """Return the write that notes a document as being on record: `number` is that of its last part."""
    return Cell(SPACE, key, canonical.encode(number))


def key_of(what: str, digest: bytes) -> str:
    """Return the key of the cell that notes a document as being on record."""
    return f"{what}:{digest.hex()}"


def _drafts(what: str, digest: bytes, document: bytes) -> list[Draft]:
    if len(document) > DOCUMENT_SIZE_MAX:
        raise ValueError(f"the {what} document has {len(document)} bytes, over the limit of {DOCUMENT_SIZE_MAX}")
    parts = [document[start : start + PART_SIZE_MAX] for start in range(0, len(document), PART_SIZE_MAX)]
    return [
        Draft(
            CHAIN,
            CHAIN,
            {"what": what, "digest": digest, "part": place, "parts": len(parts), "bytes": part},
        )
        for place, part in enumerate(parts)
    ]


class Configuration:
    """The documents met so far while reading a ledger, by what they are and their digest."""

    def __init__(self) -> None:
        """Start with none."""
        self._parts: dict[tuple[str, bytes], list[bytes]] = {}
        self._machines: dict[bytes, Machine] = {}
        self._rosters: dict[bytes, Roster] = {}

    @staticmethod
    def of(records: Iterable[StoredRecord]) -> Configuration:
        """Return the configuration of those records."""
        configuration = Configuration()
        for record in records:
            configuration.take(parse(record.body).content)
        return configuration

    def take(self, content: Mapping[str, Any]) -> None:
        """Take in the content of one configuration record. Raises `KeyError` or `ValueError` for a wrong one."""
        parts = self._parts.setdefault((content["what"], content["digest"]), [])
        if content["part"] != len(parts):
            raise ValueError(f"part {content['part']} of the {content['what']} is out of order")
        parts.append(content["bytes"])
        if len(parts) == content["parts"]:
            self.document(content["what"], content["digest"])

    def document(self, what: str, digest: bytes) -> bytes:
        """Return a document's bytes. Raises `KeyError` where there is none, `ValueError` for a wrong digest."""
        document = b"".join(self._parts[what, digest])
        if canonical.digest(what, document) != digest:
            raise ValueError(f"the {what} in the ledger is not what its digest says")
        return document

    def machine(self, digest: bytes) -> Machine:
        """Return the machine of that digest. Raises as `document` does, or `CanonicalError`."""
        if digest not in self._machines:
            self._machines[digest] = Machine.from_bytes(self.document("machine", digest))
        return self._machines[digest]

    def roster(self, digest: bytes) -> Roster:
        """Return the roster of that digest. Raises as `document` does, or as `Roster.from_raw`."""
        if digest not in self._rosters:
            raw: Data = canonical.decode(self.document("roster", digest), size_max=DOCUMENT_SIZE_MAX)
            if not isinstance(raw, dict):
                raise ValueError("the roster in the ledger is not a map")
            self._rosters[digest] = Roster.from_raw(raw)
        return self._rosters[digest]
