"""What is declared and never used.

A name has one meaning in the whole spec, so every mention of it outside its own declaration is a use. Scenarios don't
count: they are about the machine, no part of it.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from edca.diagnostics.diagnostic import Severity
from edca.dsl import tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edca.semantic.problems import Problems

# Nodes whose name says what they are called, not what they use; one that is missing here makes its name count as used.
_OWN_NAMES = frozenset(
    (
        tree.RoleDeclaration,
        tree.EnumDeclaration,
        tree.EnumValue,
        tree.TypeDeclaration,
        tree.RecordDeclaration,
        tree.EntityDeclaration,
        tree.ClaimDeclaration,
        tree.EffectDeclaration,
        tree.MemoryMember,
        tree.StateDeclaration,
        tree.CompositeState,
        tree.ModeDeclaration,
        tree.DefineDeclaration,
        tree.TableDeclaration,
        tree.TransitionDeclaration,
        tree.QueryDeclaration,
        tree.Returns,
        tree.Parameter,
        tree.Member,
        tree.Let,
        tree.Field,
    )
)

_MENTIONING: dict[type, tuple[str, ...]] = {}  # what `_mentioning` found, since asking each node is slow


def check(spec: tree.Spec, problems: Problems) -> None:
    """Report what no other line mentions."""
    used = mentioned(d for d in spec.declarations if not isinstance(d, tree.ScenarioDeclaration))
    for declaration in spec.declarations:
        for kind, name in _declared(declaration):
            if name.text not in used:
                _report(kind, name, problems)
        if isinstance(declaration, (tree.TransitionDeclaration, tree.QueryDeclaration)):
            inside = mentioned(declaration.clauses)
            for clause in declaration.clauses:
                if isinstance(clause, tree.Let) and clause.name.text not in inside:
                    _report("let", clause.name, problems)


def mentioned(nodes: Iterable[object]) -> set[str]:
    """Return every name that the nodes, or anything in them, mention."""
    found: set[str] = set()
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, tree.Name):
            found.add(node.text)
        elif isinstance(node, tuple):
            pending.extend(node)
        else:
            kind = type(node)
            if kind not in _MENTIONING:
                _MENTIONING[kind] = _mentioning(kind)
            pending.extend(getattr(node, name) for name in _MENTIONING[kind])
    return found


def _mentioning(kind: type) -> tuple[str, ...]:
    """Return the fields by which nodes of a kind mention others; none for what is no node."""
    if not dataclasses.is_dataclass(kind) or not kind.__module__.startswith(tree.__name__):
        return ()
    own = "name" if kind in _OWN_NAMES else ""
    return tuple(field.name for field in dataclasses.fields(kind) if field.name not in (own, "span"))


def _declared(declaration: tree.Declaration) -> Iterator[tuple[str, tree.Name]]:
    match declaration:
        case tree.RoleDeclaration(name):
            yield "role", name
        case tree.EnumDeclaration(name):
            yield "enum", name
        case tree.TypeDeclaration(name):
            yield "type", name
        case tree.RecordDeclaration(name):
            yield "record", name
        case tree.EntityDeclaration(name):
            yield "entity", name
        case tree.ClaimDeclaration(name):
            yield "claim", name
        case tree.EffectDeclaration(name):
            yield "effect", name
        case tree.MemoryDeclaration(members):
            yield from (("memory field", member.name) for member in members)
        case tree.DefineDeclaration(name):
            yield "define", name
        case tree.TableDeclaration(name):
            yield "table", name
        case _:
            # States, transitions and queries are used by being there; `graph` tells which of them can't occur.
            return


def _report(kind: str, name: tree.Name, problems: Problems) -> None:
    problems.add(
        "N014",
        name.span,
        f"the {kind} `{name.text}` is declared and never used",
        help="drop it, or use it: what decides nothing only misleads readers",
        severity=Severity.WARNING,
    )
