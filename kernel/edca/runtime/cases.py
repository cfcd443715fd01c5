"""Cases between decisions: their ids and their cells. `kernel.movement` says how each event moves them.

A case id is `TENANT/ENTITY:KEY`, where KEY is the key in raw form as JSON without spaces (`/order:["o1"]`). The tenant
holds no `/` and an entity's name no `:`, so no two cases share an id. An id too long for a chain's name becomes
`TENANT/#` and the hex digest of entity and key, which can't be mistaken for the long form: no entity's name starts
with `#`. Every id holds a `/`, so it never clashes with the chains `intake` and `config`.
"""

from __future__ import annotations

import dataclasses
import enum
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.kernel import canonical
from edca.kernel.inputs import Case
from edca.kernel.values import from_raw, to_raw
from edca.ledger.errors import TamperedError
from edca.ledger.record import CHAIN_SIZE_MAX
from edca.ledger.store import Cell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.canonical import Data
    from edca.kernel.facts import Key
    from edca.kernel.machine import Machine
    from edca.kernel.values import Value
    from edca.runtime.ports import Store

SPACE = "case"
TENANT_SIZE_MAX = 64


class Opened(enum.Enum):
    """How the case of a decision was found."""

    LEDGER = "ledger"  # the ledger holds it
    READ = "read"  # first met: opened from what its source says
    CREATED = "created"  # the transition creates it; its key was allotted


def check_tenant(tenant: str) -> None:
    """Raise `ValueError` for a tenant that would make case ids ambiguous or too long."""
    if "/" in tenant or not (tenant == "" or tenant.isprintable()) or len(tenant.encode()) > TENANT_SIZE_MAX:
        raise ValueError(f"a tenant is at most {TENANT_SIZE_MAX} bytes of printable text without `/`")


def is_of_tenant(tenant: str, id_: str) -> bool:
    """Tell whether a case's id is one of the tenant's; one that can't name a chain is nobody's."""
    return id_.startswith(f"{tenant}/") and len(id_.encode("utf-8", "replace")) <= CHAIN_SIZE_MAX


def case_id(machine: Machine, tenant: str, entity: str, key: Key) -> str:
    """Return the id of the case about that instance."""
    raw = key_to_raw(machine, entity, key)
    text = f"{tenant}/{entity}:{json.dumps(raw, ensure_ascii=False, separators=(',', ':'))}"
    if len(text.encode()) <= CHAIN_SIZE_MAX:
        return text
    return f"{tenant}/#{canonical.digest('case-key', canonical.encode([entity, raw])).hex()}"


def key_to_raw(machine: Machine, entity: str, key: Key) -> list[Data]:
    """Return a key in raw form."""
    entities = machine.index.entities
    return [to_raw(part.type, value, entities) for part, value in zip(entities[entity].key, key, strict=True)]


def key_from_raw(machine: Machine, entity: str, raw: object) -> Key:
    """Return a key. Raises `ValueProblem` or `ValueError` where `raw` is none of that entity."""
    if not isinstance(raw, (list, tuple)):
        raise ValueError("a key is a list")
    entities = machine.index.entities
    parts = zip(entities[entity].key, raw, strict=True)
    return tuple(from_raw(part.type, value, entities) for part, value in parts)


def value_to_data(value: Value) -> Data:
    """Return a value as canonical data whatever its type: memory outlives the machine that declared its types."""
    return [value_to_data(item) for item in value] if isinstance(value, tuple) else value


def value_from_data(data: Any) -> Value:
    """Return what `value_to_data` was given."""
    return tuple(value_from_data(item) for item in data) if isinstance(data, (list, tuple)) else data


@dataclass(frozen=True, slots=True)
class Row:
    """A case as its cell holds it.

    `record` is the number of the record whose effects are pending. `quarantined`: nobody can tell what those effects
    did, so the case stays pending until a person has looked (`Runtime.observe`).
    """

    case: Case
    record: int | None = None
    quarantined: bool = False

    @property
    def holds_state(self) -> bool:
        """Whether the ledger's state is what counts: it is, from the first transition that was accepted.

        Until then nothing was done in the ledger's name, and a case stands where its source says.
        """
        return self.case.revision > 0 or self.case.pending is not None

    def awaits(self, record: bytes) -> bool:
        """Tell whether the case still waits for the outcome of the verdict with that record's digest."""
        return self.case.pending == record and not self.quarantined

    def cell(self) -> Cell:
        """Return the write that keeps the row."""
        data: Data = {
            "case": case_to_data(self.case),
            "record": self.record,
            "quarantined": self.quarantined,
        }
        return Cell(SPACE, self.case.id, canonical.encode(data))


def load_row(store: Store, id_: str) -> Row | None:
    """Return the case's row, or null where the ledger holds no such case."""
    found = store.cell(SPACE, id_)
    return None if found is None else row_from_bytes(found)


def row_from_bytes(encoded: bytes) -> Row:
    """Return the row of a cell. Raises `TamperedError` for anything that no row is."""
    try:
        data: Any = canonical.decode(encoded)
        return Row(case_from_data(data["case"]), data["record"], data["quarantined"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TamperedError("a case's row can't be read; verify the ledger") from error


def case_to_data(case: Case) -> dict[str, Data]:
    """Return the case as it stands in records and cells."""
    return {
        "id": case.id,
        "entity": case.entity,
        "key": value_to_data(case.key),
        "state": case.state,
        "memory": {name: value_to_data(value) for name, value in case.memory.items()},
        "revision": case.revision,
        "entry": case.entry,
        "machine": case.machine,
        "pending": case.pending,
        "touched": case.touched,
        "entered": case.entered,
        "proposers": dict(case.proposers),
        "signers": {code: list(people) for code, people in case.signers.items()},
        "human_only": case.human_only,
    }


def case_from_data(data: Mapping[str, Any]) -> Case:
    """Return the case of a record or cell. Raises `KeyError` or `TypeError` for anything else."""
    key = value_from_data(data["key"])
    if not isinstance(key, tuple):
        raise TypeError("a case has a key")
    return Case(
        id=data["id"],
        entity=data["entity"],
        key=key,
        state=data["state"],
        memory={name: value_from_data(value) for name, value in data["memory"].items()},
        revision=data["revision"],
        entry=data["entry"],
        machine=data["machine"],
        pending=data["pending"],
        touched=data["touched"],
        entered=data["entered"],
        proposers=dict(data["proposers"]),
        signers={code: tuple(people) for code, people in data["signers"].items()},
        human_only=data["human_only"],
    )


def new_case(machine: Machine, id_: str, entity: str, key: Key, state: str, entry: int, at: int) -> Case:
    """Return a case that nothing has happened to: memory as declared, revision 0, in its state since `at`."""
    return Case(
        id=id_,
        entity=entity,
        key=key,
        state=state,
        memory={slot.name: slot.initial for slot in machine.memory},
        revision=0,
        entry=entry,
        machine=machine.digest,
        pending=None,
        touched=0,
        entered=at,
        proposers={},
        signers={},
    )


def touched(case: Case, entry: int, at: int) -> Case:
    """Return the case after a record of it at `entry`. Its time never goes back, whatever the clock said."""
    return dataclasses.replace(case, entry=entry + 1, touched=max(case.touched, at))


def change(machine: Machine, before: Case, after: Case) -> dict[str, Data]:
    """Return what differs, for people: each part as [before, after], memory in raw form."""
    entities = machine.index.entities
    memory: dict[str, Data] = {
        name: [to_raw(slot.type, before.memory[name], entities), to_raw(slot.type, after.memory[name], entities)]
        for name, slot in machine.index.memory.items()
        if before.memory[name] != after.memory[name]
    }
    parts: dict[str, Data] = {"revision": [before.revision, after.revision]}
    if before.state != after.state:
        parts["state"] = [before.state, after.state]
    return parts | ({"memory": memory} if memory else {})
