"""The question put to `decide`, whole: from a record it can be asked again, years later, with nothing else at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.kernel import canonical
from edca.kernel.blinding import digest
from edca.kernel.candidate import Candidate, Malformed, Provenance
from edca.kernel.facts import Instance, facts_to_raw, table
from edca.kernel.inputs import Attestation, Authenticated, Inputs
from edca.kernel.values import ValueProblem, from_raw, to_raw
from edca.runtime.cases import Opened, case_from_data, case_to_data, value_from_data, value_to_data
from edca.runtime.opened import ERASED, blinding_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edca.kernel.blinding import Blinding
    from edca.kernel.canonical import Data
    from edca.kernel.inputs import Case, CounterKey
    from edca.kernel.machine import Machine
    from edca.kernel.roster import Roster
    from edca.kernel.values import Value


@dataclass(frozen=True, slots=True)
class Question:
    """All that a verdict depends on. `opened` says how the case was found, null where there is none."""

    machine: Machine
    case: Case | None
    opened: Opened | None
    candidate: Candidate | Malformed
    inputs: Inputs

    def to_data(self) -> dict[str, Data]:
        """Return the question as it stands in records; machine and roster stand there by digest."""
        candidate, inputs = self.candidate, self.inputs
        is_candidate = isinstance(candidate, Candidate)
        provenance = candidate.provenance
        return {
            **({} if provenance is None else {"provenance": provenance.to_raw()}),
            "at": inputs.now,
            "clock": inputs.clock,
            "machine": self.machine.digest,
            "roster": inputs.roster.digest,
            "candidate": candidate.to_raw() if is_candidate else None,
            "candidate_digest": candidate.digest,
            "malformed": None if is_candidate else candidate.to_raw(),
            "rationale": candidate.rationale if isinstance(candidate, Candidate) else "",
            "case": None if self.case is None else case_to_data(self.case),
            "opened": None if self.opened is None else self.opened.value,
            "facts": facts_to_raw(inputs.facts, self.machine.index.entities),
            "attestations": attestations_to_data(self.machine, inputs.attestations),
            "key_used_by": inputs.key_used_by,
            "mode": inputs.mode,
            "counters": counters_to_data(inputs.used),
            "mandate_uses": dict(inputs.mandate_uses),
            "overloaded": inputs.overloaded,
        }

    @staticmethod
    def from_data(data: Mapping[str, Any], machine: Machine, roster: Roster) -> Question:
        """Return the question of a record.

        Raises `KeyError`, `TypeError`, `ValueError` or `ValueProblem` for anything else.
        """
        candidate = data["candidate"]
        opened = data["opened"]
        return Question(
            machine=machine,
            case=None if data["case"] is None else case_from_data(data["case"]),
            opened=None if opened is None else Opened(opened),
            candidate=(
                Malformed(**data["malformed"], provenance=_provenance(data)) if candidate is None else _candidate(data)
            ),
            inputs=Inputs(
                now=data["at"],
                clock=data["clock"],
                facts=table(Instance.from_raw(raw, machine.index.entities) for raw in data["facts"]),
                attestations=tuple(_attestation(machine, raw) for raw in data["attestations"]),
                roster=roster,
                key_used_by=data["key_used_by"],
                mode=data["mode"],
                used={(row[0], row[1], _key(row[2])): row[3] for row in data["counters"]},
                mandate_uses=dict(data["mandate_uses"]),
                overloaded=data["overloaded"],
            ),
        )


def _candidate(data: Mapping[str, Any]) -> Candidate:
    raw: dict[str, Any] = data["candidate"]
    given = {"evidence": tuple(raw["evidence"]), "rationale": data["rationale"], "blinding": blinding_of(data)}
    candidate = Candidate(**raw | given, provenance=_provenance(data))
    return candidate.known_as(data["candidate_digest"]) if ERASED in data else candidate


def _provenance(data: Mapping[str, Any]) -> Provenance | None:
    return Provenance.from_raw(data["provenance"]) if "provenance" in data else None


def counters_to_data(used: Mapping[CounterKey, int]) -> list[Data]:
    """Return what the counters held, in one order: by transition, limit and key."""
    rows: list[Data] = []
    for counter in sorted(used, key=lambda counter: (counter[0], counter[1], repr(counter[2]))):
        transition, code, key = counter
        rows.append([transition, code, value_to_data(key), used[counter]])
    return rows


def _key(data: Any) -> tuple[Value, ...]:
    key = value_from_data(data)
    if not isinstance(key, tuple):
        raise TypeError("what a limit counts per is a list")
    return key


def attestations_to_data(machine: Machine, attestations: Sequence[Attestation]) -> list[Data]:
    """Return the attestations as they stand in records, a claim's value in raw form.

    Raises `ValueError` for a value that is not of its claim's type, or that is no `true` or `false` where there is no
    such claim: what a host attests must be right before anything is decided on it.
    """
    return [_attestation_to_data(machine, attestation) for attestation in attestations]


def check_vouched(attestations: Sequence[Attestation]) -> None:
    """Raise `ValueError` for what a host can't vouch for: an answer to a question, or a signature that it has seen."""
    for attestation in attestations:
        if attestation.source == "inbox" or attestation.authenticated is not Authenticated.ASSERTED:
            raise ValueError(
                f"`{attestation.name}`: signed answers, and those to open questions, come through the inbox"
            )


def attestations_digest(
    machine: Machine, attestations: Sequence[Attestation], blinding: Blinding | None = None
) -> bytes:
    """Return 32 bytes that stand for these attestations. Raises as `attestations_to_data` does."""
    return digest(blinding, "attestations", canonical.encode(attestations_to_data(machine, attestations)))


def given_digest(question: Question) -> bytes:
    """Return the digest of what the host attested with a candidate: without the answers given to its open question."""
    given = [one for one in question.inputs.attestations if one.source != "inbox"]
    blinding = question.candidate.blinding if isinstance(question.candidate, Candidate) else None
    return attestations_digest(question.machine, given, blinding)


def _attestation_to_data(machine: Machine, attestation: Attestation) -> Data:
    name, claim, value = attestation.name, machine.index.claims.get(attestation.name), attestation.value
    raw: Data
    if claim is None:
        if not isinstance(value, bool):
            raise ValueError(f"`{name}` is no claim, so what is attested must be true or false")
        raw = value
    else:
        try:
            raw = to_raw(claim.type, value, machine.index.entities)
            right = from_raw(claim.type, raw, machine.index.entities) == value
        except (ValueProblem, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"what is attested for `{name}` is not of its type") from error
        if not right:
            raise ValueError(f"what is attested for `{name}` is not of its type")
    return {
        "name": name,
        "value": raw,
        "by": attestation.by,
        "role": attestation.role,
        "source": attestation.source,
        "at": attestation.at,
        "binds": attestation.binds,
        "authenticated": attestation.authenticated.value,
    }


def _attestation(machine: Machine, raw: Mapping[str, Any]) -> Attestation:
    claim = machine.index.claims.get(raw["name"])
    value = raw["value"] if claim is None else from_raw(claim.type, raw["value"], machine.index.entities)
    return Attestation(
        name=raw["name"],
        value=value,
        by=raw["by"],
        role=raw["role"],
        source=raw["source"],
        at=raw["at"],
        binds=raw["binds"],
        authenticated=Authenticated(raw["authenticated"]),
    )
