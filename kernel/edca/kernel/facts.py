"""Facts: what was read through routes for one decision, kept as a table of entity instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from edca.kernel.values import Unknown, Value, from_raw, to_raw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edca.kernel.canonical import Data
    from edca.kernel.machine import Entity

Key: TypeAlias = "tuple[Value, ...]"
Handle: TypeAlias = "tuple[str, Key]"  # an entity's name and the key of one instance


@dataclass(frozen=True, slots=True)
class Instance:
    """What a source said of one entity instance.

    `found` false: the source knows no such instance (or it isn't the subject's: nobody can tell the two apart).
    `state` is the abstract state the source's own status code maps to, null where none is mapped; `mapped` are all
    states that have such a code: only for those can the ledger and the source disagree.
    `as_of` is in microseconds since the epoch, UTC. A field of `fields` is a value or the reason why it is not known.
    """

    entity: str
    key: Key
    source: str
    as_of: int
    found: bool
    state: str | Unknown | None
    fields: Mapping[str, Value | Unknown]
    mapped: tuple[str, ...] = ()

    def to_raw(self, entities: Mapping[str, Entity]) -> dict[str, Data]:
        """Return the instance as it stands in records."""
        entity = entities[self.entity]
        fields: dict[str, Data] = {}
        for name in sorted(self.fields):
            value = self.fields[name]
            fields[name] = (
                {"unknown": value.value}
                if isinstance(value, Unknown)
                else {"is": to_raw(entity.field(name).type, value, entities)}
            )
        return {
            "entity": self.entity,
            "key": [to_raw(p.type, k, entities) for p, k in zip(entity.key, self.key, strict=True)],
            "source": self.source,
            "as_of": self.as_of,
            "found": self.found,
            "state": {"unknown": self.state.value} if isinstance(self.state, Unknown) else self.state,
            "mapped": list(self.mapped),
            "fields": fields,
        }

    @staticmethod
    def from_raw(raw: Mapping[str, Data], entities: Mapping[str, Entity]) -> Instance:
        """Return the instance of a record. Raises `KeyError`, `TypeError` or `ValueProblem` for anything else."""
        entity = entities[str(raw["entity"])]
        key, fields, state, as_of, mapped = (raw[name] for name in ("key", "fields", "state", "as_of", "mapped"))
        if not (
            isinstance(key, list) and isinstance(fields, dict) and isinstance(as_of, int) and isinstance(mapped, list)
        ):
            raise TypeError("an instance has a time and the states that have a code")
        return Instance(
            entity=entity.name,
            key=tuple(from_raw(p.type, k, entities) for p, k in zip(entity.key, key, strict=True)),
            source=str(raw["source"]),
            as_of=as_of,
            found=raw["found"] is True,
            state=Unknown(state["unknown"]) if isinstance(state, dict) else state if state is None else str(state),
            fields={name: _known(entity, name, field, entities) for name, field in fields.items()},
            mapped=tuple(str(name) for name in mapped),
        )


def _known(entity: Entity, name: str, raw: Data, entities: Mapping[str, Entity]) -> Value | Unknown:
    if not isinstance(raw, dict):
        raise TypeError("a field is known or unknown")
    if "unknown" in raw:
        return Unknown(raw["unknown"])
    return from_raw(entity.field(name).type, raw["is"], entities)


Facts: TypeAlias = "Mapping[Handle, Instance]"


def table(instances: Iterable[Instance]) -> dict[Handle, Instance]:
    """Return the instances by handle."""
    return {(instance.entity, instance.key): instance for instance in instances}


def facts_to_raw(facts: Facts, entities: Mapping[str, Entity]) -> list[Data]:
    """Return all instances in one order: by entity, then by the canonical text of the key."""
    return [facts[handle].to_raw(entities) for handle in sorted(facts, key=lambda h: (h[0], repr(h[1])))]


def usable(facts: Facts, now: int, fresh_us: int | None) -> dict[Handle, Mapping[str, Value | Unknown]]:
    """Return each instance's fields; those of a stale instance, or of one from the future, are unknown."""
    fields: dict[Handle, Mapping[str, Value | Unknown]] = {}
    for handle, instance in facts.items():
        stale = instance.as_of > now or (fresh_us is not None and now - instance.as_of > fresh_us)
        fields[handle] = dict.fromkeys(instance.fields, Unknown.STALE) if stale else instance.fields
    return fields
