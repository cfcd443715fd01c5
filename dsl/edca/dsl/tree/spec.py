"""One file: its header, what it imports, its declarations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from edca.diagnostics.source import Span
from edca.dsl.tree.clauses import Forbid, QueryDeclaration, TransitionDeclaration
from edca.dsl.tree.declarations import (
    CaseDeclaration,
    ClaimDeclaration,
    CompositeState,
    DefineDeclaration,
    EffectDeclaration,
    EntityDeclaration,
    EnumDeclaration,
    MemoryDeclaration,
    RecordDeclaration,
    RoleDeclaration,
    StateDeclaration,
    TableDeclaration,
    TypeDeclaration,
)
from edca.dsl.tree.properties import AlwaysLeads, ModeDeclaration, NeverReaching, NeverWhen, Release
from edca.dsl.tree.scenarios import ScenarioDeclaration
from edca.dsl.tree.terms import Name, Text

Declaration: TypeAlias = (
    RoleDeclaration
    | EnumDeclaration
    | TypeDeclaration
    | RecordDeclaration
    | EntityDeclaration
    | ClaimDeclaration
    | EffectDeclaration
    | CaseDeclaration
    | MemoryDeclaration
    | StateDeclaration
    | CompositeState
    | DefineDeclaration
    | TableDeclaration
    | TransitionDeclaration
    | QueryDeclaration
    | Forbid
    | ModeDeclaration
    | NeverWhen
    | NeverReaching
    | AlwaysLeads
    | Release
    | ScenarioDeclaration
)


@dataclass(frozen=True, slots=True)
class Header:
    """`edca 1` and `machine refund version "3.1.0" "…" tier consequential`.

    In a vocabulary file, `vocabulary NAME` stands for the machine: then `version` is null.
    """

    language: int
    name: Name
    version: Text | None
    text: Text | None
    tier: Name | None
    span: Span


@dataclass(frozen=True, slots=True)
class Import:
    """`import "words/money.edca"`: a vocabulary file, by its path from the file that imports it."""

    path: Text
    span: Span


@dataclass(frozen=True, slots=True)
class Spec:
    """One `.edca` source: its header, what it imports, and its declarations in written order."""

    header: Header
    imports: tuple[Import, ...]
    declarations: tuple[Declaration, ...]
    span: Span
