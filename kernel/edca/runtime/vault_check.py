"""Checking the vault against the records: every column of every row, values and whose they are.

Values and keys are authenticated by the commitments in the records. Scopes, askers and subjects, by which an erasure
finds what it destroys, and the rows that say that a key was destroyed, no digest covers: they are reckoned again from
the records (`edca.runtime.vault_rows`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edca.kernel.canonical import encode
from edca.ledger.errors import LedgerError, TamperedError
from edca.ledger.record import Record, parse
from edca.ledger.sealing import commitments, may_commit
from edca.ledger.vault import is_of_asker
from edca.runtime.config import CHAIN, Configuration
from edca.runtime.erased import with_stand_ins
from edca.runtime.kinds import ERASED, INTAKE, QUERY, VERDICT
from edca.runtime.opened import Vaulted
from edca.runtime.replayed import UNREADABLE
from edca.runtime.vault_rows import Asked, places_of, subject_told, take_asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edca.ledger.store import StoredRecord
    from edca.ledger.vault import Vault
    from edca.runtime.ports import Store

_READS_MAX = 5  # how often what lies in the tables is read anew because a writer went on meanwhile
# In canonical bytes a key stands right before its value: a body without any of these is of neither kind.
_MARKS: Final = tuple(encode("kind") + encode(kind) for kind in (CHAIN, ERASED))
_GONE: Final = "its personal values are gone, and no record says that they were erased"
_KEPT: Final = "its personal values were erased on record, and the vault keeps a row for it"


@dataclass(frozen=True, slots=True)
class VaultFinding:
    """What in the vault is not what the records say: of the record at `index`, or of the key of `scope`.

    Both are null for a row that no record has. Where `misleads`, an erasure that believes the vault would destroy
    somebody else's values, or miss some.
    """

    index: int | None
    detail: str
    scope: str | None = None
    misleads: bool = False


@dataclass(frozen=True, slots=True)
class CheckedVault:
    """What checking the vault came to: how many records have personal values, and of how many these were erased.

    `unread` says why not all of it could be looked at, null where it was.
    """

    sealed: int
    erased: int
    findings: tuple[VaultFinding, ...]
    unread: str | None = None


NO_VAULT: Final = CheckedVault(0, 0, ())


def check_vault(
    ledger: Store, *, values: bool = True, progress: Callable[[int, int], None] | None = None
) -> CheckedVault:
    """Compare every row of the vault with the records.

    Every value is opened and compared with its commitment; without `values` only those are opened that tell whose a row
    is. `progress` is called with (done, total). Raises what reading the ledger raises.
    """
    if not isinstance(ledger, Vaulted):
        return NO_VAULT
    check, taken = _Check(ledger.vault, values=values), 0
    for _ in range(_READS_MAX):
        for stored in ledger.records(taken):
            check.take(stored)
            taken = stored.leaf.index + 1
            if progress is not None:
                progress(taken, ledger.size)
        found = check.checked()
        if ledger.size == taken:  # else a writer went on while the tables were read
            return found
    raise TamperedError("the ledger is written too fast to be compared with its vault; try again when it is quiet")


class _Check:
    """Takes the records in order, and says then what is wrong with the rows."""

    def __init__(self, vault: Vault, *, values: bool) -> None:
        self._vault = vault
        self._values = values
        self._configuration = Configuration()
        self._asked: Asked = {}
        self._sealed = 0
        self._found: list[VaultFinding] = []
        self._unread: str | None = None
        self._locked: str | None = None  # why keys can't be had at all: there is no master key
        self._subjects: dict[str, str] = {}  # whose they are, by the scopes that anything is sealed in
        self._maybe: set[str] = set()  # scopes that what can't be opened any more may have been sealed in
        self._untold: set[str] = set()  # scopes of which nobody can tell whose they are
        self._destroyed: set[tuple[str, bytes]] = set()  # scopes and names of keys, as records say
        self._places: set[tuple[str, int]] = set()  # records in none of these scopes whose values were erased
        self._gone: list[tuple[StoredRecord, str]] = []  # records that can't be opened, and their chains
        self._outside: dict[tuple[str, int], StoredRecord] = {}  # those of no case that can

    def take(self, stored: StoredRecord) -> None:
        """Compare the row of one record."""
        row = self._vault.row(stored.number)
        is_looked_at = may_commit(stored.body) or any(mark in stored.body for mark in _MARKS)
        record = parse(stored.body) if is_looked_at else None
        content: Any = None if record is None else record.content
        if record is not None and record.kind == CHAIN:
            self._configuration.take(content)
        if record is not None and record.kind == ERASED:
            self._destroyed.update((scope, name) for scope, name in content["keys"])
            self._places.update((chain, entry) for chain, entry in content["outside"])
        if record is None or next(commitments(content), None) is None:
            if row is not None:
                self._note(stored, "it commits to nothing personal, and the vault keeps values for it", misleads=True)
            return
        self._sealed += 1
        try:
            self._compare(stored, record, row)
        except TamperedError as error:
            self._note(stored, str(error).removeprefix(f"record {stored.number}: "))
        except UNREADABLE as error:
            self._unread = f"record {stored.leaf.index} is none that this version writes ({error})"
            self._untold.update(() if row is None else (row[0],))

    def _compare(self, stored: StoredRecord, record: Record, row: tuple[str, str, bytes] | None) -> None:
        readable = with_stand_ins(record, self._configuration)
        content: Any = readable.content
        machine = self._configuration.machine(content["machine"])
        take_asked(self._asked, stored.digest, readable, machine)
        opened = None if row is None else self._opened(stored, record, row)
        if row is None or (opened is None and self._locked is None):
            self._gone.append((stored, record.chain))
            if record.chain != INTAKE and record.kind != QUERY:
                self._untold.add(record.chain)
            elif record.kind != QUERY:
                self._maybe.update(scope for scope, _ in places_of(readable, machine, self._asked))
            return
        scope, asker, _ = row
        if record.chain == INTAKE or record.kind == QUERY:
            self._outside[record.chain, record.entry] = stored
        if opened is None and record.kind == QUERY:
            return
        places = places_of(opened or readable, machine, self._asked)
        if (scope, asker) not in places:
            due = " or ".join(sorted(_told(*place) for place in places)) or "nowhere"
            self._note(stored, f"the vault keeps its values {_told(scope, asker)}: they belong {due}", misleads=True)
            return
        if opened is None:
            self._subjects.setdefault(scope, "")
            self._untold.update((scope,) if scope == record.chain else ())
        elif not self._subjects.get(scope):
            self._subjects[scope] = subject_told(opened, machine) if scope == record.chain else ""

    def _opened(self, stored: StoredRecord, record: Record, row: tuple[str, str, bytes]) -> Record | None:
        """Return the record with its values, as far as they are needed; null where there is no key for them."""
        try:
            if self._vault.key(row[0]) is None:
                return None
            tells = record.kind == QUERY or (record.kind == VERDICT and not self._subjects.get(row[0]))
            if not (self._values or tells):
                return with_stand_ins(record, self._configuration)
            found = self._vault.opened(stored)
        except TamperedError:
            raise
        except LedgerError as error:
            self._locked = str(error)
            return None
        return None if found.erased else parse(found.record.body)

    def _note(self, stored: StoredRecord, detail: str, *, misleads: bool = False) -> None:
        self._found.append(VaultFinding(stored.leaf.index, detail, misleads=misleads))

    def checked(self) -> CheckedVault:
        """Return what was found, with what the tables hold besides now."""
        rows, strays = self._vault.key_rows(), self._vault.strays()
        erased, of_records = 0, list(self._found)
        scopes = {scope for scope, _ in self._destroyed}
        for stored, chain in self._gone:
            is_on_record = chain in scopes or (chain, stored.entry) in self._places
            erased += is_on_record
            if not is_on_record:
                of_records.append(VaultFinding(stored.leaf.index, _GONE))
            elif self._vault.row(stored.number) is not None:
                of_records.append(VaultFinding(stored.leaf.index, _KEPT))
        for place in sorted(self._places & self._outside.keys()):
            stored = self._outside[place]
            if self._vault.row(stored.number) is not None:
                of_records.append(VaultFinding(stored.leaf.index, _KEPT))
        of_records.sort(key=lambda one: one.index or 0)
        others = (
            VaultFinding(None, f"values are kept under number {number}, and no record has that", misleads=True)
            for number in strays
        )
        found = (*of_records, *self._of_keys(rows), *others)
        return CheckedVault(self._sealed, erased, found, self._locked or self._unread)

    def _of_keys(self, rows: list[tuple[str, str, bytes, bytes]]) -> Iterator[VaultFinding]:
        """Yield what is wrong with the table of keys."""
        destroyed = {scope for scope, _ in self._destroyed if not is_of_asker(scope)}
        for scope, subject, key, name in rows:
            found = self._of_key(scope, subject, key, name, was_destroyed=scope in destroyed)
            if found is not None:
                yield VaultFinding(None, found[0], scope, misleads=found[1])
        for scope in sorted(destroyed - {row[0] for row in rows}):
            yield VaultFinding(None, "its key was destroyed on record, and the row that says so is gone", scope)

    def _of_key(
        self, scope: str, subject: str, key: bytes, name: bytes, *, was_destroyed: bool
    ) -> tuple[str, bool] | None:
        """Return what is wrong with one row of that table, and whether it misleads; null: nothing."""
        if not key:
            if not was_destroyed:
                return "its key is gone, and no record says that it was destroyed", False
            return ("its key was destroyed, and its row says more than that", False) if subject or name else None
        if was_destroyed or (scope, name) in self._destroyed:
            return "its key was destroyed on record, and there is one", False
        try:
            known = self._vault.key(scope)
        except TamperedError as error:
            return str(error), False
        except LedgerError as error:
            self._locked, known = str(error), None
        if known is not None and known.fingerprint != name:
            return "the key is not the one that its row names", False
        if scope in self._untold:
            return None
        is_ahead = self._vault.makes_keys_first and not subject
        if not (scope in self._subjects or scope in self._maybe or is_ahead):
            return "nothing that any record commits to is sealed under its key", True
        told = self._subjects.get(scope, "")
        if subject != told:
            return f"the vault says that it is {_whose(subject)}, and the records say {_whose(told)}", True
        return None


def _told(scope: str, asker: str) -> str:
    return f"in scope `{scope}`" + (f", handed over by `{asker}`" if asker else "")


def _whose(subject: str) -> str:
    return f"`{subject}`'s" if subject else "nobody's"
