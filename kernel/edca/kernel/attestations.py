"""Whose word counts: who may attest, and what has been attested for each claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.values import Unknown, Value

if TYPE_CHECKING:
    from edca.kernel.inputs import Attestation, Inputs
    from edca.kernel.machine import Machine


def may_attest(machine: Machine, attestation: Attestation, subject: str | None, inputs: Inputs) -> bool:
    """Tell whether the attestor may speak in that role.

    Somebody on the roster speaks only in roles that the roster gives them now, and a model in none. Of others the host
    vouches, but they speak only for themselves: as the subject on whose behalf the candidate is, and never in a role
    that answers for anything, signs or waives.
    """
    found = inputs.roster.find(attestation.by)
    if found is None:
        return attestation.by == subject and attestation.role not in machine.index.staff
    return found.model is None and attestation.role in found.roles and found.is_valid(inputs.now)


def claims_of(machine: Machine, subject: str | None, inputs: Inputs) -> dict[str, Value | Unknown]:
    """Return the newest value attested for each claim, by somebody in the claim's role; others are left out."""
    claims: dict[str, Value | Unknown] = {}
    newest: dict[str, int] = {}
    for attestation in inputs.attestations:
        claim = machine.index.claims.get(attestation.name)
        if claim is None or attestation.role != claim.by or attestation.at > inputs.now:
            continue
        if not may_attest(machine, attestation, subject, inputs):
            continue
        if attestation.at > newest.get(claim.name, attestation.at - 1):
            newest[claim.name], claims[claim.name] = attestation.at, attestation.value
        elif attestation.at == newest[claim.name] and attestation.value != claims[claim.name]:
            claims[claim.name] = Unknown.UNATTESTED  # two answers at one instant cancel out, whatever their order
    return claims
