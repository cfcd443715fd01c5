"""Parse trees of transitions and their clauses to nodes of the syntax tree."""

# ruff: noqa: D102 - a method is named after the rule whose node it makes; the rule says the rest

from dataclasses import dataclass

from lark import Token
from lark.tree import Meta
from lark.visitors import v_args

from edca.dsl import tree
from edca.dsl.build_expressions import ExpressionBuilder
from edca.dsl.words import UNITS


@dataclass(frozen=True, slots=True)
class TransitionHeader:
    """What stands before a transition's body."""

    name: tree.Name
    branch: tree.Name | None
    parameters: tuple[tree.Parameter, ...]
    about: tree.Name | None
    keys: tuple[tree.Name, ...]
    creates: tree.Name | None
    sources: tuple[tree.Name, ...]
    target: tree.Name
    guard: tree.Expression | None


@dataclass(frozen=True, slots=True)
class QueryHeader:
    """What stands before a query's body."""

    name: tree.Name
    parameters: tuple[tree.Parameter, ...]
    about: tree.Name | None
    keys: tuple[tree.Name, ...]


@dataclass(frozen=True, slots=True)
class _Subject:
    about: tree.Name | None
    keys: tuple[tree.Name, ...]
    creates: tree.Name | None


@dataclass(frozen=True, slots=True)
class _Measure:
    """What a `limit` adds up; null for `count`."""

    summed: tree.Expression | None


@v_args(meta=True, inline=True)
class ClauseBuilder(ExpressionBuilder):
    """One method for each rule of transitions; see `ExpressionBuilder`."""

    def transition_header(
        self,
        _meta: Meta,
        name: tree.Name,
        branch: tree.Name | None,
        parameters: tuple[tree.Parameter, ...] | None,
        subject: _Subject | None,
        sources: tuple[tree.Name, ...],
        target: tree.Name,
        guard: tree.Expression | None,
    ) -> TransitionHeader:
        subject = subject or _Subject(None, (), None)
        return TransitionHeader(
            name, branch, parameters or (), subject.about, subject.keys, subject.creates, sources, target, guard
        )

    def query_header(
        self,
        _meta: Meta,
        name: tree.Name,
        parameters: tuple[tree.Parameter, ...] | None,
        about: tree.Name | None,
        keys: tuple[tree.Name, ...] | None,
    ) -> QueryHeader:
        return QueryHeader(name, parameters or (), about, keys or ())

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

    def sign_clause(
        self,
        meta: Meta,
        code: tree.Name,
        count: Token,
        by: tree.Name,
        distinct_from: tuple[tree.Expression, ...] | None,
        within: tree.DurationLiteral | None,
        when: tree.Expression | None,
        text: tree.Text | None,
    ) -> tree.Sign:
        return tree.Sign(code, int(count), by, distinct_from or (), within, when, text, self._span(meta))

    def limit_clause(
        self,
        meta: Meta,
        code: tree.Name,
        measure: _Measure,
        bound: tree.Expression,
        window: tree.Window,
        keys: tuple[tree.Expression, ...] | None,
        when: tree.Expression | None,
        text: tree.Text,
    ) -> tree.Limit:
        return tree.Limit(code, measure.summed, bound, window, keys or (), when, text, self._span(meta))

    def count_measure(self, _meta: Meta) -> _Measure:
        return _Measure(None)

    def sum_measure(self, _meta: Meta, summed: tree.Expression) -> _Measure:
        return _Measure(summed)

    def rolling_window(self, meta: Meta, length: tree.DurationLiteral) -> tree.Window:
        return tree.Window("rolling", length, self._span(meta))

    def utc_window(self, meta: Meta, unit: Token) -> tree.Window:
        length = tree.DurationLiteral(1, UNITS[unit], self._span(unit))
        return tree.Window("utc", length, self._span(meta))

    def after_clause(self, meta: Meta, duration: tree.DurationLiteral) -> tree.After:
        return tree.After(duration, self._span(meta))

    def unblockable_clause(self, meta: Meta) -> tree.Unblockable:
        return tree.Unblockable(self._span(meta))

    def priority_clause(self, meta: Meta, level: Token) -> tree.Priority:
        return tree.Priority(int(level), self._span(meta))

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

    def on_failed(self, meta: Meta, event: Token, target: tree.Name, text: tree.Text | None) -> tree.OnFailure:
        return tree.OnFailure(tree.Name(str(event), self._span(event)), None, target, text, self._span(meta))

    def on_timeout(
        self, meta: Meta, event: Token, after: tree.DurationLiteral, target: tree.Name, text: tree.Text | None
    ) -> tree.OnFailure:
        return tree.OnFailure(tree.Name(str(event), self._span(event)), after, target, text, self._span(meta))

    def returns_value(self, meta: Meta, name: tree.Name, value: tree.Expression) -> tree.Returns:
        return tree.Returns(name, value, None, self._span(meta))

    def returns_rows(
        self,
        meta: Meta,
        name: tree.Name,
        variable: tree.Name,
        domain: tree.Expression,
        where: tree.Expression | None,
        fields: tuple[tuple[tree.Name, tree.Expression], ...],
    ) -> tree.Returns:
        return tree.Returns(name, domain, tree.Rows(variable, where, fields), self._span(meta))
