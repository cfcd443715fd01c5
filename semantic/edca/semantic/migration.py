"""Compiling a map: a text, and the two versions it stands between, become a checked `Migration` or findings.

What stands in both versions just as it was carries over in silence. Everything else has a line of the map, or a finding
says that it has none: a state, a field of memory, who acted, a limit. So the map is total, and reads as the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.dsl.parse_migration import parse_map
from edca.kernel.migration import Migration
from edca.semantic import migration_history, migration_limits, migration_memory, migration_states
from edca.semantic.migration_changes import changed_keys, entities_used
from edca.semantic.problems import Problems

if TYPE_CHECKING:
    from edca.diagnostics.diagnostic import Diagnostic
    from edca.diagnostics.source import Source
    from edca.dsl.tree.migration import Map
    from edca.kernel.machine import Machine


_OMISSIONS = frozenset(("M002", "M003", "M004", "M007", "M008"))


@dataclass(frozen=True, slots=True)
class CompiledMap:
    """What became of a map: the migration where it has no mistake, and what was found."""

    migration: Migration | None
    diagnostics: tuple[Diagnostic, ...]


def compile_map(source: Source, old: Machine, new: Machine) -> CompiledMap:
    """Compile a map from one version of a machine to another. Never raises for anything a source can hold."""
    parsed = parse_map(source)
    if parsed.map is None:
        return CompiledMap(None, parsed.diagnostics)
    problems = Problems(damaged=bool(parsed.diagnostics))
    _check_versions(parsed.map, old, new, problems)
    states = migration_states.states(parsed.map, old, new, problems)
    memory, forgotten_memory = migration_memory.memory(parsed.map, old, new, problems)
    history, forgotten_history = migration_history.history(parsed.map, old, new, problems)
    limits, forgotten_limits = migration_limits.limits(parsed.map, old, new, problems)
    # A line that could not be read may have been the one that is missed.
    told = (one for one in problems.found if not (parsed.diagnostics and one.code.id in _OMISSIONS))
    found = (*parsed.diagnostics, *told)
    if found:
        return CompiledMap(None, found)
    forgotten = (*forgotten_memory, *forgotten_history, *forgotten_limits)
    migration = Migration(
        machine=new.name,
        source=old.digest,
        target=new.digest,
        text=parsed.map.header.text.value,
        states=states,
        memory=memory,
        history=history,
        limits=limits,
        forgotten=tuple(sorted(forgotten, key=lambda one: one.what)),
    )
    return CompiledMap(migration, ())


def _check_versions(written: Map, old: Machine, new: Machine, problems: Problems) -> None:
    header = written.header
    if old.digest == new.digest:
        message = f"both versions are one: {old.name} {old.version}"
        problems.add(
            "M001", header.span, message, help="name the version that the cases are in, and the one they go to"
        )
    for machine, version, which in ((old, header.source, "old"), (new, header.target, "new")):
        if (machine.name, machine.version) != (header.machine.text, version.value):
            place = header.machine.span if machine.name != header.machine.text else version.span
            message = f"the {which} machine is {machine.name} {machine.version}"
            problems.add("M001", place, message, help="write the names and versions that the specs have")
    if not header.text.value.strip():
        problems.add("C024", header.text.span, "the map doesn't say what changes", help="write what people should know")
    used = entities_used(old)
    for entity in changed_keys(old, new):
        if entity in used:
            message = f"`{entity}` is not found by the same key in both versions"
            help_ = "cases are found by it: keep the key, and let the old cases end under the old version"
            problems.add("M010", header.span, message, help=help_)
