"""Checking the vault against the records: what they commit to is there, is what was sealed, or was erased on record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edca.ledger.errors import LedgerError, TamperedError
from edca.ledger.record import parse
from edca.ledger.sealing import commitments
from edca.runtime.kinds import ERASED
from edca.runtime.opened import Vaulted

if TYPE_CHECKING:
    from edca.runtime.ports import Store


@dataclass(frozen=True, slots=True)
class VaultFinding:
    """A record whose personal values are not what it commits to, or are gone without a record of that."""

    index: int
    detail: str


@dataclass(frozen=True, slots=True)
class CheckedVault:
    """What checking the vault came to: how many records have personal values, and of how many these were erased.

    `unread` says why nobody could look, null where somebody could.
    """

    sealed: int
    erased: int
    findings: tuple[VaultFinding, ...]
    unread: str | None = None


NO_VAULT: Final = CheckedVault(0, 0, ())


def check_vault(ledger: Store) -> CheckedVault:
    """Open every value of a ledger, and compare it with its commitment. Raises what reading the ledger raises."""
    if not isinstance(ledger, Vaulted):
        return CheckedVault(0, 0, ())
    vault, sealed, gone, findings = ledger.vault, 0, [], list[VaultFinding]()
    scopes: set[str] = set()
    places: set[tuple[str, int]] = set()
    for stored in ledger.records():
        record = parse(stored.body)
        content: Any = record.content
        if record.kind == ERASED:
            scopes.update(scope for scope, _ in content["keys"])
            places.update((chain, entry) for chain, entry in content["outside"])
        commits = next(commitments(content), None) is not None
        if not commits:
            if vault.has_values(stored.number):
                what = "it commits to nothing personal, and the vault keeps values for it"
                findings.append(VaultFinding(stored.leaf.index, what))
            continue
        sealed += 1
        try:
            found = vault.opened(stored)
        except TamperedError as error:
            findings.append(VaultFinding(stored.leaf.index, str(error).removeprefix(f"record {stored.number}: ")))
        except LedgerError as error:
            return CheckedVault(sealed, 0, (), str(error))
        else:
            if found.erased:
                gone.append((stored.leaf.index, record.chain, record.entry))
    lost = [index for index, chain, entry in gone if chain not in scopes and (chain, entry) not in places]
    findings += [
        VaultFinding(index, "its personal values are gone, and no record says that they were erased") for index in lost
    ]
    return CheckedVault(sealed, len(gone) - len(lost), tuple(sorted(findings, key=lambda one: one.index)))
