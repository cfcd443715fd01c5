"""Parse trees of the parts of scenarios to nodes of the syntax tree."""

# ruff: noqa: D102 - a method is named after the rule whose node it makes; the rule says the rest

from lark import Token
from lark.tree import Meta
from lark.visitors import v_args

from edca.dsl import tree
from edca.dsl.build_clauses import ClauseBuilder


@v_args(meta=True, inline=True)
class ScenarioBuilder(ClauseBuilder):
    """One method for each rule of scenarios; see `ExpressionBuilder`."""

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

    def given_history(self, meta: Meta, history: tree.History, value: tree.Expression) -> tree.GivenHistory:
        return tree.GivenHistory(history, value, self._span(meta))

    def wait_part(self, meta: Meta, duration: tree.DurationLiteral) -> tree.Wait:
        return tree.Wait(duration, self._span(meta))

    def when_proposed(
        self,
        meta: Meta,
        role: tree.Name,
        principal: tree.Text | None,
        transition: tree.Name,
        arguments: tuple[tuple[tree.Name, tree.Expression], ...] | None,
        confidence: tree.Number | None,
    ) -> tree.Proposal:
        return tree.Proposal(role, principal, transition, arguments or (), confidence, self._span(meta))

    def when_asked(
        self,
        meta: Meta,
        role: tree.Name,
        principal: tree.Text | None,
        query: tree.Name,
        arguments: tuple[tuple[tree.Name, tree.Expression], ...] | None,
    ) -> tree.Asking:
        return tree.Asking(role, principal, query, arguments or (), self._span(meta))

    def when_answered(
        self, meta: Meta, role: tree.Name, principal: tree.Text | None, word: str, code: tree.Name
    ) -> tree.Answer:
        return tree.Answer(role, principal, word, code, self._span(meta))

    def answer(self, _meta: Meta, word: Token) -> str:
        return str(word)

    def when_happening(self, meta: Meta, effect: tree.Name, word: str) -> tree.Happening:
        return tree.Happening(effect, word, self._span(meta))

    def happening(self, _meta: Meta, word: Token, *_out: Token) -> str:
        return str(word)

    def then_refused(self, meta: Meta, codes: tuple[tree.Name, ...] | None) -> tree.Then:
        return tree.Then("refused", codes or (), None, (), self._span(meta))

    def codes(self, _meta: Meta, *codes: tree.Name) -> tuple[tree.Name, ...]:
        return codes

    def code(self, meta: Meta, code: tree.Name | Token) -> tree.Name:
        return code if isinstance(code, tree.Name) else tree.Name(str(code), self._span(meta))

    def then_escalated(self, meta: Meta, codes: tuple[tree.Name, ...] | None) -> tree.Then:
        return tree.Then("escalated", codes or (), None, (), self._span(meta))

    def then_accepted(
        self,
        meta: Meta,
        target: tree.Name | None,
        memory: tuple[tuple[tree.Name, tree.Expression], ...] | None,
    ) -> tree.Then:
        return tree.Then("accepted", (), target, memory or (), self._span(meta))

    def then_in(
        self, meta: Meta, state: tree.Name, memory: tuple[tuple[tree.Name, tree.Expression], ...] | None
    ) -> tree.Then:
        return tree.Then("in", (), state, memory or (), self._span(meta))

    def then_returned(self, meta: Meta, values: tuple[tuple[tree.Name, tree.Expression], ...] | None) -> tree.Then:
        return tree.Then("returned", (), None, values or (), self._span(meta))

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
