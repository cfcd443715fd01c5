"""Parse trees of declarations, clauses and scenario parts to nodes of the syntax tree."""

# ruff: noqa: D102 - a method is named after the rule whose node it makes; the rule says the rest

from dataclasses import dataclass

from lark import Token
from lark.tree import Meta
from lark.visitors import v_args

from edca.dsl import tree
from edca.dsl.build_expressions import ExpressionBuilder


@dataclass(frozen=True, slots=True)
class MachineLine:
    """The second line of the header: `machine NAME version "…" "…" tier NAME`."""

    name: tree.Name
    version: tree.Text
    text: tree.Text | None
    tier: tree.Name | None


@dataclass(frozen=True, slots=True)
class TransitionHeader:
    """What stands before a transition's body."""

    name: tree.Name
    parameters: tuple[tree.Parameter, ...]
    about: tree.Name | None
    keys: tuple[tree.Name, ...]
    creates: tree.Name | None
    sources: tuple[tree.Name, ...]
    target: tree.Name


@dataclass(frozen=True, slots=True)
class _Subject:
    about: tree.Name | None
    keys: tuple[tree.Name, ...]
    creates: tree.Name | None


@dataclass(frozen=True, slots=True)
class _Initial:
    about: tree.Name | None


@v_args(meta=True, inline=True)
class TreeBuilder(ExpressionBuilder):
    """One method for each rule; see `ExpressionBuilder`."""

    # --- header ------------------------------------------------------------------------------------------------------

    def edca_declaration(self, _meta: Meta, language: Token) -> int:
        return int(language)

    def machine_declaration(
        self, _meta: Meta, name: tree.Name, version: tree.Text, text: tree.Text | None, tier: tree.Name | None
    ) -> MachineLine:
        return MachineLine(name, version, text, tier)

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
        self, meta: Meta, name: tree.Name, type_: tree.Type, by: tree.Name, text: tree.Text
    ) -> tree.ClaimDeclaration:
        return tree.ClaimDeclaration(name, type_, by, text, self._span(meta))

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
        self, meta: Meta, name: tree.Name, type_: tree.Type, initial: tree.Expression
    ) -> tree.MemoryMember:
        return tree.MemoryMember(name, type_, initial, self._span(meta))

    def state_declaration(
        self,
        meta: Meta,
        name: tree.Name,
        initial: _Initial | None,
        final: Token | None,
        text: tree.Text,
        success: Token | None,
    ) -> tree.StateDeclaration:
        return tree.StateDeclaration(
            name=name,
            initial=initial is not None,
            initial_about=None if initial is None else initial.about,
            final=final is not None,
            success=success is not None,
            text=text,
            span=self._span(meta),
        )

    def initial(self, _meta: Meta, about: tree.Name | None) -> _Initial:
        return _Initial(about)

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

    def parameter(self, meta: Meta, name: tree.Name, type_: tree.Type) -> tree.Parameter:
        return tree.Parameter(name, type_, self._span(meta))

    # --- transitions -------------------------------------------------------------------------------------------------

    def transition_header(
        self,
        _meta: Meta,
        name: tree.Name,
        parameters: tuple[tree.Parameter, ...] | None,
        subject: _Subject | None,
        sources: tuple[tree.Name, ...],
        target: tree.Name,
    ) -> TransitionHeader:
        subject = subject or _Subject(None, (), None)
        return TransitionHeader(name, parameters or (), subject.about, subject.keys, subject.creates, sources, target)

    def about(self, _meta: Meta, entity: tree.Name, keys: tuple[tree.Name, ...]) -> _Subject:
        return _Subject(entity, keys, None)

    def creates(self, _meta: Meta, entity: tree.Name) -> _Subject:
        return _Subject(None, (), entity)

    def means_clause(self, meta: Meta, text: tree.Text) -> tree.Means:
        return tree.Means(text, self._span(meta))

    def by_clause(self, meta: Meta, roles: tuple[tree.Name, ...]) -> tree.By:
        return tree.By(roles, self._span(meta))

    def answers_clause(self, meta: Meta, role: tree.Name) -> tree.Answers:
        return tree.Answers(role, self._span(meta))

    def let_clause(self, meta: Meta, name: tree.Name, value: tree.Expression) -> tree.Let:
        return tree.Let(name, value, self._span(meta))

    def require_or_refuse(
        self, meta: Meta, condition: tree.Expression, code: tree.Name, text: tree.Text
    ) -> tree.Require:
        return tree.Require(condition, None, code, text, self._span(meta))

    def require_or_escalate(
        self, meta: Meta, condition: tree.Expression, role: tree.Name, code: tree.Name, text: tree.Text
    ) -> tree.Require:
        return tree.Require(condition, role, code, text, self._span(meta))

    def forbid_clause(self, meta: Meta, code: tree.Name, text: tree.Text, condition: tree.Expression) -> tree.Forbid:
        return tree.Forbid(code, None, text, condition, self._span(meta))

    def confirm_clause(
        self,
        meta: Meta,
        code: tree.Name,
        by: tree.Name,
        within: tree.DurationLiteral | None,
        when: tree.Expression | None,
        text: tree.Text | None,
    ) -> tree.Confirm:
        return tree.Confirm(code, by, within, when, text, self._span(meta))

    def set_clause(self, meta: Meta, name: tree.Name, value: tree.Expression) -> tree.Assign:
        return tree.Assign(name, value, self._span(meta))

    def do_clause(
        self,
        meta: Meta,
        invocation: tree.Invocation,
        ensure: tree.Expression | None,
        undo: tree.Invocation | Token | None,
    ) -> tree.Perform:
        irreversible = isinstance(undo, Token)
        return tree.Perform(
            invocation, ensure, None if isinstance(undo, Token) else undo, irreversible, self._span(meta)
        )

    def invocation(
        self, meta: Meta, effect: tree.Name, arguments: tuple[tree.Expression, ...] | None
    ) -> tree.Invocation:
        return tree.Invocation(effect, arguments or (), self._span(meta))

    def on_failed(self, meta: Meta, event: Token, target: tree.Name) -> tree.OnFailure:
        return tree.OnFailure(tree.Name(str(event), self._span(event)), None, target, self._span(meta))

    def on_timeout(self, meta: Meta, event: Token, after: tree.DurationLiteral, target: tree.Name) -> tree.OnFailure:
        return tree.OnFailure(tree.Name(str(event), self._span(event)), after, target, self._span(meta))

    # --- scenarios ---------------------------------------------------------------------------------------------------

    def scenario_header(self, _meta: Meta, title: tree.Text) -> tree.Text:
        return title

    def given_state(self, meta: Meta, state: tree.Name) -> tree.GivenState:
        return tree.GivenState(state, self._span(meta))

    def given_value(self, meta: Meta, value: tuple[tree.Name, tree.Expression]) -> tree.GivenValue:
        return tree.GivenValue(value[0], value[1], self._span(meta))

    def given_entity(
        self,
        meta: Meta,
        entity: tree.Name,
        keys: tuple[tree.Expression, ...],
        fields: tuple[tuple[tree.Name, tree.Expression], ...] | None,
    ) -> tree.GivenEntity:
        return tree.GivenEntity(entity, keys, fields or (), self._span(meta))

    def when_part(
        self,
        meta: Meta,
        role: tree.Name,
        transition: tree.Name,
        arguments: tuple[tuple[tree.Name, tree.Expression], ...] | None,
        confidence: tree.Number | None,
    ) -> tree.When:
        return tree.When(role, transition, arguments or (), confidence, self._span(meta))

    def then_refused(self, meta: Meta, codes: tuple[tree.Name, ...] | None) -> tree.Then:
        return tree.Then("refused", codes or (), None, (), self._span(meta))

    def then_escalated(self, meta: Meta, codes: tuple[tree.Name, ...] | None) -> tree.Then:
        return tree.Then("escalated", codes or (), None, (), self._span(meta))

    def then_accepted(
        self,
        meta: Meta,
        target: tree.Name | None,
        memory: tuple[tuple[tree.Name, tree.Expression], ...] | None,
    ) -> tree.Then:
        return tree.Then("accepted", (), target, memory or (), self._span(meta))

    def assignments(
        self, _meta: Meta, *assignments: tuple[tree.Name, tree.Expression]
    ) -> tuple[tuple[tree.Name, tree.Expression], ...]:
        return assignments

    def fields(
        self, _meta: Meta, *fields: tuple[tree.Name, tree.Expression]
    ) -> tuple[tuple[tree.Name, tree.Expression], ...]:
        return fields

    def assignment(self, _meta: Meta, name: tree.Name, value: tree.Expression) -> tuple[tree.Name, tree.Expression]:
        return name, value

    def named_arguments(
        self, _meta: Meta, *arguments: tuple[tree.Name, tree.Expression]
    ) -> tuple[tuple[tree.Name, tree.Expression], ...]:
        return arguments

    def named_argument(self, _meta: Meta, name: tree.Name, value: tree.Expression) -> tuple[tree.Name, tree.Expression]:
        return name, value
