"""Migrations in words: the records of one, what becomes of the cases, and what a checked map says."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from edca.api import CaseFate, Fate
from edca.cli.telling_records import record_data
from edca.kernel.calendar import time_text
from edca.kernel.expression import ReadMemory
from edca.kernel.migration import LimitName, Migration
from edca.runtime.kinds import MIGRATED, MIGRATION

KINDS = (MIGRATION, MIGRATED)


def migration_lines(kind: str, content: Mapping[str, Any]) -> list[str]:
    """Return what a record of one of `KINDS` says. Raises `KeyError` or `ValueError` for other contents."""
    if kind == MIGRATION:
        how = "signed" if content["authenticated"] == "signed" else "asserted by the host"
        return [
            "cases move to another version",
            f"by {content['by']} as {content['role']} ({how})",
            f"reason: {content['reason']}",
            f"from the machine {content['from'].hex()}",
            f"to the machine {content['machine'].hex()}",
            f"by the map {content['migration'].hex()}",
        ]
    change = content["change"]
    (version, target_version), (state, target) = change["version"], change["state"]
    lines = [
        f"the case moves from version {version} to {target_version}, and from {state} to {target}",
        f"by {content['by']}; its migration: {content['begun'].hex()}",
    ]
    before, after = change["memory"]
    lines += [
        f"memory {name}: {_value(before.get(name))} → {_value(after.get(name))}" for name in _changed(before, after)
    ]
    if change["entered"][0] != change["entered"][1]:
        lines.append(f"time in {target} begins anew: {time_text(change['entered'][1])}")
    lines += [f"not tested, as it reads facts: {code}" for code in content["untested"]]
    lines += [f"void: question {row['question']}" for row in content["void"]]
    return lines


def map_lines(migration: Migration) -> list[str]:
    """Return a checked map in words, as far as it does not only carry over what is alike."""
    lines = [f"{migration.text}", f"from {migration.source.hex()}", f"to {migration.target.hex()}"]
    for move in migration.states:
        time = "its time counts on" if move.keeps_time else "its time begins anew"
        lines.append(
            f"state {move.source}: a person must look: {move.text}"
            if move.target is None
            else f"state {move.source} → {move.target}, {time}"
        )
    for item in migration.memory:
        value = item.value.name if isinstance(item.value, ReadMemory) else "computed: see the map's text"
        lines.append(f"memory {item.name} = {value}")
    lines += [f"{one.history.value} of {one.name} = {one.history.value} of {one.source}" for one in migration.history]
    lines += [f"limit {_limit(one.limit)} has counted {_limit(one.source)}" for one in migration.limits]
    return lines + [f"forgotten: {one.what}: {one.text}" for one in migration.forgotten]


def fate_lines(fates: Iterable[CaseFate], *, planned: bool) -> Iterator[str]:
    """Yield how many cases go where, and which stay and why."""
    known = tuple(fates)
    moves = Counter((fate.state, fate.target) for fate in known if fate.fate is Fate.MOVES)
    word = "would move" if planned else "moved"
    yield f"{sum(moves.values())} of {len(known)} cases {word}"
    for (state, target), count in sorted(moves.items()):
        yield f"  {state} → {target}: {count}"
    void = sum(len(fate.void) for fate in known if fate.fate is Fate.MOVES)
    if void:
        yield f"open questions that {'would be' if planned else 'are'} void: {void}"
    untested = Counter(code for fate in known if fate.fate is Fate.MOVES for code in fate.untested)
    for code, count in sorted(untested.items()):
        yield f"not tested, as it reads facts: {code}, of {count} cases; each one's next decision tests it"
    for fate in known:
        if fate.fate is not Fate.MOVES:
            yield f"{fate.case} stays in {fate.state}: {fate.why}"


def fate_data(fate: CaseFate) -> dict[str, object]:
    """Return what becomes of a case as JSON-ready data."""
    record = fate.record
    return {
        "case": fate.case,
        "fate": fate.fate.value,
        "record": None if record is None else record_data(record),
        "state": fate.state,
        "target": fate.target or None,
        "untested": list(fate.untested),
        "void": [void.question for void in fate.void],
        "why": fate.why or None,
    }


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _value(value: object) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _limit(name: LimitName | None) -> str:
    return "nothing" if name is None else f"{name.transition}.{name.code}"
