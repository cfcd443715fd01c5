"""The load of routes: `load(source, machine)` is total, typed, and says everything that is wrong in one run.

Routes exist only for one machine: every field of every entity and every effect has exactly one route, each of a kind
that can give the declared type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.diagnostics import Severity, ordered
from edca.routing import tree
from edca.routing.agreement import disagreements
from edca.routing.context import Context, enums_of, value_names
from edca.routing.documents import check_document_entity
from edca.routing.effects import check_effect
from edca.routing.entities import check_entity
from edca.routing.model import EffectRoute, EntityRoute, Routes
from edca.routing.parse import parse
from edca.routing.sources import check_source

if TYPE_CHECKING:
    from edca.diagnostics import Diagnostic, Source
    from edca.kernel.machine import Machine


@dataclass(frozen=True, slots=True)
class Loaded:
    """The routes, or null where any finding is an error; the findings in reading order."""

    routes: Routes | None
    diagnostics: tuple[Diagnostic, ...]


def load(source: Source, machine: Machine) -> Loaded:
    """Read and check a routes file for a machine. Never raises, whatever the text."""
    parsed = parse(source)
    file = parsed.file
    if file is None:
        return Loaded(None, ordered(parsed.diagnostics, cap=None).diagnostics)
    broken = {kind: {name for k, name in file.broken if k == kind} for kind, _ in file.broken}
    context = Context(
        machine,
        enums_of(machine),
        broken_codes=frozenset(broken.get("codes", ())),
        broken_sources=frozenset(broken.get("source", ())),
        found=[*parsed.diagnostics],
    )
    _check_header(context, file.header)
    for declared in file.sources:
        check_source(context, declared)
    context.distinct([node.name for node in file.codes], "the codes")
    for codes in file.codes:
        _check_codes(context, codes)
    context.distinct([node.name for node in file.entities], "the entity")
    context.distinct([node.name for node in file.effects], "the effect")
    entities = [
        check_entity(context, node) if isinstance(node, tree.Entity) else check_document_entity(context, node)
        for node in file.entities
    ]
    effects = [check_effect(context, node) for node in file.effects]
    _check_complete(context, file, broken)
    tables = [route for route in entities if isinstance(route, EntityRoute)]
    for node, route in zip(file.effects, effects, strict=True):
        for message in disagreements(tables, route) if isinstance(route, EffectRoute) else ():
            help_ = "write it as it is read: `as units` behind the value, for money in the smallest unit"
            context.report("R003", message, node.name.span, help_)
    diagnostics = ordered(context.found, cap=None).diagnostics
    if any(finding.severity is Severity.ERROR for finding in diagnostics):
        return Loaded(None, diagnostics)
    routes = Routes(
        name=file.header.name.text,
        version=file.header.version.value,
        machine=machine.name,
        sources=tuple(context.sources[name] for name in sorted(context.sources)),
        entities=tuple(sorted((route for route in entities if route is not None), key=lambda r: r.name)),
        effects=tuple(sorted((route for route in effects if route is not None), key=lambda r: r.name)),
        identifiers=tuple(context.identifiers),
    )
    return Loaded(routes, diagnostics)


def _check_header(context: Context, header: tree.Header) -> None:
    if header.machine.text != context.machine.name:
        message = f"these routes are for `{header.machine.text}`, and the machine is `{context.machine.name}`"
        context.report("R012", message, header.machine.span)


def _check_codes(context: Context, node: tree.Codes) -> None:
    enum = context.enums.get(node.enum.text)
    if enum is None:
        message = f"the machine has no enum `{node.enum.text}`"
        context.unknown("R004", message, node.enum, tuple(context.enums))
    else:
        context.code_pairs(node.map, value_names(enum), "R004", enum.name)
    context.codes.setdefault(node.name.text, node)


def _check_complete(context: Context, file: tree.RoutesFile, broken: dict[str, set[str]]) -> None:
    """Report entities and effects without a route, except those whose declaration could not be read."""
    for kind, declared, written in (
        ("entity", context.machine.index.entities, {node.name.text for node in file.entities}),
        ("effect", context.machine.index.effects, {node.name.text for node in file.effects}),
    ):
        for name in declared:
            if name not in written and name not in broken.get(kind, ()):
                context.report("R001", f"no route for the {kind} `{name}`", file.header.name.span)
