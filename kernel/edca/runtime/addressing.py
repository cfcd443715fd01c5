"""Stage 1: an admitted candidate, which case it is about, and what is remembered of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.inputs import address
from edca.kernel.verdict import Accepted
from edca.ledger.vault import asker_scope
from edca.runtime.answers import SPACE as KEYS
from edca.runtime.answers import Answer, Remembered, idempotency_key, recall
from edca.runtime.cases import case_id
from edca.runtime.opened import is_erased_case, vault_of
from edca.runtime.personal import Plan
from edca.runtime.question import attestations_digest
from edca.runtime.waiting import key_of

if TYPE_CHECKING:
    from edca.kernel.blinding import Blinding
    from edca.kernel.inputs import Address, Attestation
    from edca.runtime.context import Context


@dataclass(frozen=True, slots=True)
class Admitted:
    """Stage 1's result: a candidate, or the note that these bytes are none."""

    candidate: Candidate | Malformed
    attestations: tuple[Attestation, ...]


@dataclass(frozen=True, slots=True)
class Addressed:
    """An admitted candidate, which case it is about, and what is remembered under its idempotency key.

    `about`, `case_id`, `key` and `question_key`, that of the question which an escalation opens, are null where the
    candidate names no case. A case yet to be created has no id, and a candidate without an idempotency key no `key`:
    each delivery of it is decided on its own.
    """

    admitted: Admitted
    about: Address | None
    case_id: str | None
    key: str | None
    question_key: str | None
    attestations_digest: bytes
    remembered: Remembered | None

    @property
    def settled(self) -> Answer | None:
        """The answer that stands for this very candidate, or null where it must be decided.

        What was accepted is never decided again. What was not is, once something else is attested with it: that is how
        a confirmation that was waited for arrives.
        """
        candidate, remembered = self.admitted.candidate, self.remembered
        if remembered is None or remembered.candidate != candidate.digest:
            return None
        same = remembered.attestations == self.attestations_digest
        return remembered.answer if same or isinstance(remembered.answer.verdict, Accepted) else None

    def lane(self, tenant: str) -> str | None:
        """Return the lane to hold while the candidate is taken: its case's, or that of all who create such a case.

        A source says which key comes next, and says the same until that case is there. Null where there is no case.
        """
        if self.about is None:
            return None
        return f"{tenant}/#create:{self.about.entity}" if self.case_id is None else self.case_id

    @property
    def key_used_by(self) -> bytes | None:
        """The digest of another candidate that has used the key."""
        if self.remembered is None or self.remembered.candidate == self.admitted.candidate.digest:
            return None
        return self.remembered.candidate


def find_address(context: Context, admitted: Admitted) -> Addressed:
    """Tell which case the candidate is about; `recalled` looks up what is remembered of it.

    Raises `ValueError` for attestations that are not of their types.
    """
    machine, candidate = context.machine, admitted.candidate
    about = address(machine, candidate) if isinstance(candidate, Candidate) else None
    if about is None or isinstance(candidate, Malformed):
        admitted, blinding = _blinded(context, admitted, None)
        attested = attestations_digest(machine, admitted.attestations, blinding)
        return Addressed(admitted, None, None, None, None, attested, None)
    id_ = None if about.key is None else case_id(machine, context.tenant, about.entity, about.key)
    admitted, blinding = _blinded(context, admitted, id_)
    attested = attestations_digest(machine, admitted.attestations, blinding)
    if blinding is not None:
        candidate = dataclasses.replace(candidate, blinding=blinding)
    key = idempotency_key(context.tenant, machine, candidate, about, id_) if candidate.key else None
    asked = key_of(context.tenant, id_, candidate.digest)
    return Addressed(admitted, about, id_, key, asked, attested, None)


def _blinded(context: Context, admitted: Admitted, id_: str | None) -> tuple[Admitted, Blinding | None]:
    """Return what was admitted, such that its digests give nothing personal away, and what they are made with."""
    vault, candidate = vault_of(context.store), admitted.candidate
    if vault is None or Plan.of(context.machine) is None:
        return admitted, None
    blinding = vault.key_for(scope_of(context, candidate, id_)).blinding
    if isinstance(candidate, Malformed):
        return admitted, blinding
    return dataclasses.replace(admitted, candidate=dataclasses.replace(candidate, blinding=blinding)), blinding


def scope_of(context: Context, candidate: Candidate | Malformed, id_: str | None) -> str:
    """Return the scope that a candidate's digests are made in: its case's, or where that can't be, the asker's."""
    if id_ is None or is_erased_case(context.store, id_):
        return asker_scope(context.tenant, candidate.subject or candidate.proposer)
    return id_


def recalled(context: Context, addressed: Addressed) -> Addressed:
    """Look its idempotency key up."""
    candidate = addressed.admitted.candidate
    if addressed.key is None or isinstance(candidate, Malformed):
        return addressed
    remembered = None
    if context.store.cell(KEYS, addressed.key) is not None:
        with context.store.reading():
            remembered = recall(context.store, addressed.key, context.tenant, candidate)
    return addressed if remembered is addressed.remembered else dataclasses.replace(addressed, remembered=remembered)
