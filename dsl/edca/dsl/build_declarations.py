"""Parse trees of the header and of declarations to nodes of the syntax tree.

Those with clauses or parts are in `build_clauses` and `build_scenarios`.
"""

# ruff: noqa: D102 - a method is named after the rule whose node it makes; the rule says the rest

from dataclasses import dataclass

from lark import Token
from lark.tree import Meta
from lark.visitors import v_args

from edca.dsl import tree
from edca.dsl.build_expressions import LabelledType
from edca.dsl.build_scenarios import ScenarioBuilder


@dataclass(frozen=True, slots=True)
class MachineLine:
    """The second line of the header: `machine NAME version "…" "…" tier NAME`."""

    name: tree.Name
    version: tree.Text
    text: tree.Text | None
    tier: tree.Name | None


@dataclass(frozen=True, slots=True)
class VocabularyLine:
    """The second line of a vocabulary file's header: `vocabulary NAME`."""

    name: tree.Name


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """What stands before the body of a mode or composite state: its name and text."""

    name: tree.Name
    text: tree.Text


@dataclass(frozen=True, slots=True)
class _Initial:
    about: tree.Name | None


@v_args(meta=True, inline=True)
class TreeBuilder(ScenarioBuilder):
    """One method for each rule; see `ExpressionBuilder`."""

    # --- header ------------------------------------------------------------------------------------------------------

    def edca_declaration(self, _meta: Meta, language: Token) -> int:
        return int(language)

    def machine_declaration(
        self, _meta: Meta, name: tree.Name, version: tree.Text, text: tree.Text | None, tier: tree.Name | None
    ) -> MachineLine:
        return MachineLine(name, version, text, tier)

    def vocabulary_declaration(self, _meta: Meta, name: tree.Name) -> VocabularyLine:
        return VocabularyLine(name)

    def import_declaration(self, meta: Meta, path: tree.Text) -> tree.Import:
        return tree.Import(path, self._span(meta))

    # --- declarations ------------------------------------------------------------------------------------------------

    def role_declaration(self, meta: Meta, name: tree.Name, kind: tree.Name) -> tree.RoleDeclaration:
        return tree.RoleDeclaration(name, kind, self._span(meta))

    def role_kind(self, meta: Meta, word: Token) -> tree.Name:
        return tree.Name(str(word), self._span(meta))

    def enum_declaration(self, meta: Meta, name: tree.Name, *values: tree.EnumValue) -> tree.EnumDeclaration:
        return tree.EnumDeclaration(name, values, self._span(meta))

    def type_declaration(self, meta: Meta, name: tree.Name, type_: tree.Type) -> tree.TypeDeclaration:
        return tree.TypeDeclaration(name, type_, self._span(meta))

    def record_declaration(
        self, meta: Meta, name: tree.Name, members: tuple[tree.Member, ...]
    ) -> tree.RecordDeclaration:
        return tree.RecordDeclaration(name, members, self._span(meta))

    def entity_declaration(
        self, meta: Meta, name: tree.Name, key: tuple[tree.Parameter, ...], members: tuple[tree.Member, ...]
    ) -> tree.EntityDeclaration:
        return tree.EntityDeclaration(name, key, members, self._span(meta))

    def members(self, _meta: Meta, *members: tree.Member) -> tuple[tree.Member, ...]:
        return members

    def member(self, meta: Meta, name: tree.Name, type_: tree.Type, *modifiers: tree.Name) -> tree.Member:
        return tree.Member(name, type_, modifiers, self._span(meta))

    def modifier(self, meta: Meta, word: Token) -> tree.Name:
        return tree.Name(str(word), self._span(meta))

    def claim_declaration(
        self, meta: Meta, name: tree.Name, labelled: LabelledType, by: tree.Name, text: tree.Text
    ) -> tree.ClaimDeclaration:
        return tree.ClaimDeclaration(name, labelled.type, labelled.labels, by, text, self._span(meta))

    def effect_declaration(
        self, meta: Meta, name: tree.Name, parameters: tuple[tree.Parameter, ...] | None
    ) -> tree.EffectDeclaration:
        return tree.EffectDeclaration(name, parameters or (), self._span(meta))

    def case_declaration(
        self, meta: Meta, entity: tree.Name, keys: tuple[tree.Name, ...], fresh: tree.DurationLiteral | None
    ) -> tree.CaseDeclaration:
        return tree.CaseDeclaration(entity, keys, fresh, self._span(meta))

    def memory_declaration(self, meta: Meta, *members: tree.MemoryMember) -> tree.MemoryDeclaration:
        return tree.MemoryDeclaration(members, self._span(meta))

    def memory_member(
        self, meta: Meta, name: tree.Name, labelled: LabelledType, initial: tree.Expression
    ) -> tree.MemoryMember:
        return tree.MemoryMember(name, labelled.type, labelled.labels, initial, self._span(meta))

    def state_declaration(
        self,
        meta: Meta,
        name: tree.Name,
        initial: _Initial | None,
        final: Token | None,
        text: tree.Text,
        outcome: tree.Name | None,
    ) -> tree.StateDeclaration:
        about = initial.about if initial else None
        return tree.StateDeclaration(
            name, initial is not None, about, final is not None, outcome, text, self._span(meta)
        )

    def initial(self, _meta: Meta, about: tree.Name | None) -> _Initial:
        return _Initial(about)

    def outcome(self, meta: Meta, word: Token) -> tree.Name:
        return tree.Name(str(word), self._span(meta))

    def state_header(self, _meta: Meta, name: tree.Name, text: tree.Text) -> BlockHeader:
        return BlockHeader(name, text)

    def define_declaration(
        self,
        meta: Meta,
        name: tree.Name,
        parameters: tuple[tree.Parameter, ...] | None,
        body: tree.Expression,
    ) -> tree.DefineDeclaration:
        return tree.DefineDeclaration(name, parameters or (), body, self._span(meta))

    def table_declaration(
        self,
        meta: Meta,
        name: tree.Name,
        parameters: tuple[tree.Parameter, ...],
        gives: tree.Type,
        *rows: tree.TableRow,
    ) -> tree.TableDeclaration:
        return tree.TableDeclaration(name, parameters, gives, rows, self._span(meta))

    def table_row(self, meta: Meta, cells: tuple[tree.TableCell | None, ...], result: tree.Expression) -> tree.TableRow:
        return tree.TableRow(cells, result, self._span(meta))

    def table_cells(self, _meta: Meta, *cells: tree.TableCell | None) -> tuple[tree.TableCell | None, ...]:
        return cells

    def any_cell(self, _meta: Meta) -> None:
        return None

    def range_cell(self, meta: Meta, low: tree.Expression, high: tree.Expression) -> tree.RangeCell:
        return tree.RangeCell(low, high, self._span(meta))

    def forbid_declaration(
        self,
        meta: Meta,
        code: tree.Name,
        about: tree.Name | None,
        text: tree.Text,
        condition: tree.Expression,
    ) -> tree.Forbid:
        return tree.Forbid(code, about, text, condition, self._span(meta))

    def parameters(self, _meta: Meta, *parameters: tree.Parameter) -> tuple[tree.Parameter, ...]:
        return parameters

    def parameter(self, meta: Meta, name: tree.Name, labelled: LabelledType) -> tree.Parameter:
        return tree.Parameter(name, labelled.type, labelled.labels, self._span(meta))

    # --- modes, properties, releases ---------------------------------------------------------------------------------

    def mode_header(self, _meta: Meta, name: tree.Name, text: tree.Text) -> BlockHeader:
        return BlockHeader(name, text)

    def allow_part(self, meta: Meta, transitions: tuple[tree.Name, ...]) -> tree.Allow:
        return tree.Allow(transitions, self._span(meta))

    def enter_when(
        self, meta: Meta, signal: tree.Name, operator: Token, count: Token, window: tree.Window
    ) -> tree.ModeTrigger:
        return tree.ModeTrigger("enter", signal, str(operator), int(count), window, self._span(meta))

    def enter_by(self, meta: Meta, roles: tuple[tree.Name, ...]) -> tree.ModeBy:
        return tree.ModeBy("enter", roles, self._span(meta))

    def leave_when(
        self, meta: Meta, signal: tree.Name, operator: Token, count: Token, window: tree.Window
    ) -> tree.ModeTrigger:
        return tree.ModeTrigger("leave", signal, str(operator), int(count), window, self._span(meta))

    def leave_by(self, meta: Meta, roles: tuple[tree.Name, ...]) -> tree.ModeBy:
        return tree.ModeBy("leave", roles, self._span(meta))

    def never_when(
        self,
        meta: Meta,
        code: tree.Name,
        about: tree.Name | None,
        text: tree.Text,
        states: tuple[tree.Name, ...] | None,
        condition: tree.Expression,
    ) -> tree.NeverWhen:
        return tree.NeverWhen(code, about, text, states or (), condition, self._span(meta))

    def never_reaching(
        self,
        meta: Meta,
        code: tree.Name,
        text: tree.Text,
        targets: tuple[tree.Name, ...],
        without: tuple[tree.Name, ...],
    ) -> tree.NeverReaching:
        return tree.NeverReaching(code, text, targets, without, self._span(meta))

    def always_declaration(
        self,
        meta: Meta,
        code: tree.Name,
        text: tree.Text,
        sources: tuple[tree.Name, ...],
        targets: tuple[tree.Name, ...],
        assuming: tree.Text | None,
    ) -> tree.AlwaysLeads:
        return tree.AlwaysLeads(code, text, sources, targets, assuming, self._span(meta))

    def release_declaration(
        self, meta: Meta, name: tree.Name, field: tree.Name | None, to: tuple[tree.Name, ...], text: tree.Text
    ) -> tree.Release:
        return tree.Release(name, field, to, text, self._span(meta))
