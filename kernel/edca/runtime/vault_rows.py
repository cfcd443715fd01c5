"""Whose a row of the vault is, reckoned from the records: what its columns must say, whatever they do say.

A row's values are authenticated by the commitments of its record. Whose they are is told by columns that no digest
covers, and that what is erased is found by. Each is a function of the records, computed here as the runtime has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import Candidate
from edca.kernel.facts import Instance, table
from edca.kernel.inputs import address
from edca.ledger.vault import asker_scope
from edca.runtime.cases import case_from_data, case_id
from edca.runtime.kinds import APPROVAL, INTAKE, QUERY, VERDICT
from edca.runtime.personal import owner_of, subject_of

if TYPE_CHECKING:
    from edca.kernel.facts import Facts
    from edca.kernel.machine import Machine
    from edca.ledger.record import Record

Place = tuple[str, str]
"""What a row of values says of itself: the scope that it is sealed in, and who handed it over (empty in a case)."""


Asked = dict[bytes, frozenset[Place]]
"""Where people's answers are sealed to what was escalated outside of any case, by the digest of the verdict."""


def places_of(record: Record, machine: Machine, asked: Asked) -> frozenset[Place]:
    """Return what the row of a record's values may say: one place, or one of few where only the key can tell which.

    `record` is opened. Raises what reading its parts raises, where it isn't one that this version writes.
    """
    content: Any = record.content
    if record.kind == QUERY:
        return _places_of_query(content, machine)
    if record.chain != INTAKE:
        return frozenset(((record.chain, ""),))
    if record.kind == APPROVAL:
        return asked.get(content["opened"], frozenset())
    sent = content["candidate"] or content["malformed"]
    asker = sent["subject"] or sent["proposer"]
    scopes = {asker_scope(content["tenant"], asker)}
    if content["candidate"] is not None:
        about = address(machine, Candidate(**sent | {"evidence": (), "rationale": ""}))
        if about is not None and about.key is not None:
            scopes.add(case_id(machine, content["tenant"], about.entity, about.key))
    return frozenset((scope, asker) for scope in scopes)


def take_asked(asked: Asked, digest: bytes, record: Record, machine: Machine) -> None:
    """Note a record, of that digest, that people may answer to outside of any case. Raises as `places_of`."""
    content: Any = record.content
    if record.kind == VERDICT and record.chain == INTAKE and content["verdict"]["outcome"] == "escalated":
        proposer = content["candidate"]["proposer"]
        asked[digest] = frozenset((scope, proposer) for scope, _ in places_of(record, machine, asked))


def _places_of_query(content: Any, machine: Machine) -> frozenset[Place]:
    facts, tenant = _facts(content, machine), content["tenant"]
    sent = content["inquiry"] or content["malformed"]
    owners = (owner_of(machine, *handle, facts) for handle in sorted(facts, key=repr))
    asker = next((owner for owner in owners if owner), None) or sent["subject"] or sent["proposer"]
    cases = ((case_id(machine, tenant, entity, key), "") for entity, key in facts)
    return frozenset((*cases, (asker_scope(tenant, asker), asker)))


def subject_told(record: Record, machine: Machine) -> str:
    """Return whose case it is, as far as a record of it tells; empty where it doesn't. Raises as `places_of`."""
    content: Any = record.content
    if record.kind != VERDICT or record.chain == INTAKE:
        return ""
    sent = content["candidate"] or content["malformed"]
    return subject_of(machine, case_from_data(content["case"]), _facts(content, machine), sent["subject"])


def _facts(content: Any, machine: Machine) -> Facts:
    return table(Instance.from_raw(raw, machine.index.entities) for raw in content["facts"])
