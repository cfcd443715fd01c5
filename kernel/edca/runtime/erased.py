"""Reading records whose personal values were erased: what is left of them still has a form that can be followed.

Each erased value gets a stand-in: memory what it holds in a new case, text the word `erased`, facts are unknown, and an
attested claim is left out. Nobody decides on these: what a decision was, and what it led to, is then taken from the
record, and everything that no erased value is needed for is still compared.
"""

from __future__ import annotations

import dataclasses
from itertools import repeat
from typing import TYPE_CHECKING, Any

from edca.kernel.values import Unknown, to_raw
from edca.ledger.record import parse
from edca.ledger.sealing import is_sealed, may_commit, uncover
from edca.runtime.cases import value_to_data
from edca.runtime.kinds import MIGRATED
from edca.runtime.opened import ERASED, is_erased

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.machine import Machine
    from edca.ledger.record import Record
    from edca.ledger.store import StoredRecord
    from edca.runtime.config import Configuration


def readable(stored: StoredRecord, configuration: Configuration) -> Record:
    """Return a stored record as it can be followed: see `with_stand_ins`, also for what it raises besides `parse`."""
    record = parse(stored.body)
    return with_stand_ins(record, configuration) if may_commit(stored.body) else record


def with_stand_ins(record: Record, configuration: Configuration) -> Record:
    """Return the record with stand-ins for what was erased; itself where nothing was.

    Raises `KeyError` or `ValueError` where `configuration` does not hold its machine.
    """
    content: Any = record.content
    if not is_erased(content):
        return record
    kept = dict(content)
    machine = configuration.machine(content["machine"])
    found_under = configuration.machine(content["from"]) if record.kind == MIGRATED else machine
    for name, of in (("case", found_under), ("after", machine)):
        if isinstance(kept.get(name), dict) and "memory" in kept[name]:
            kept[name] = {**kept[name], "memory": _memory(kept[name]["memory"], of, raw=False)}
    if isinstance(kept.get("verdict"), dict) and "memory" in kept["verdict"]:
        kept["verdict"] = {**kept["verdict"], "memory": _memory(kept["verdict"]["memory"], machine, raw=True)}
    if "facts" in kept:
        kept["facts"] = [_instance(instance) for instance in kept["facts"]]
    if isinstance(kept.get("instance"), dict):
        kept["instance"] = _instance(kept["instance"])
    if "attestations" in kept:
        kept["attestations"] = [one for one in kept["attestations"] if is_sealed(one["value"]) is None]
    if isinstance(kept.get("candidate"), dict):
        kept["candidate"] = {**kept["candidate"], "evidence": []}
    if isinstance(kept.get("malformed"), dict):
        kept["malformed"] = {**kept["malformed"], "digest": bytes(32)}
        kept["candidate_digest"] = bytes(32)
    if "effects" in kept:
        kept["effects"] = [
            {**step, "after": [_instance(one) for one in step["after"]]} if "after" in step else step
            for step in kept["effects"]
        ]
    kept = uncover(kept, repeat(f"({ERASED})"))
    kept[ERASED] = True
    return dataclasses.replace(record, content=kept)


def _memory(memory: Mapping[str, Any], machine: Machine, *, raw: bool) -> dict[str, Any]:
    entities, kept = machine.index.entities, dict(memory)
    for name, value in memory.items():
        slot = machine.index.memory.get(name)
        if is_sealed(value) is not None and slot is not None:
            kept[name] = to_raw(slot.type, slot.initial, entities) if raw else value_to_data(slot.initial)
    return kept


def _instance(instance: Mapping[str, Any]) -> dict[str, Any]:
    unknown = {"unknown": Unknown.MISSING.value}
    fields = {
        name: unknown if isinstance(field, dict) and is_sealed(field.get("is")) is not None else field
        for name, field in instance["fields"].items()
    }
    return {**instance, "fields": fields}
