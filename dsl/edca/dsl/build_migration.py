"""Parse trees of a map's lines to nodes of the syntax tree."""

# ruff: noqa: D102 - a method is named after the rule whose node it makes; the rule says the rest

from lark import Token
from lark.tree import Meta
from lark.visitors import v_args

from edca.dsl import tree
from edca.dsl.build_expressions import ExpressionBuilder
from edca.dsl.tree import migration


@v_args(meta=True, inline=True)
class MapBuilder(ExpressionBuilder):
    """One method for each rule of maps; see `ExpressionBuilder`."""

    def edca_declaration(self, _meta: Meta, language: Token) -> int:
        return int(language)

    def migrate_line(
        self, meta: Meta, machine: tree.Name, source: tree.Text, target: tree.Text, text: tree.Text
    ) -> migration.MigrateLine:
        return migration.MigrateLine(machine, source, target, text, self._span(meta))

    def state_to(
        self, meta: Meta, sources: tuple[tree.Name, ...], target: tree.Name, keeps_time: bool | None
    ) -> migration.StateTo:
        return migration.StateTo(sources, target, keeps_time, self._span(meta))

    def state_needs_person(
        self, meta: Meta, sources: tuple[tree.Name, ...], text: tree.Text
    ) -> migration.StateNeedsPerson:
        return migration.StateNeedsPerson(sources, text, self._span(meta))

    def time_kept(self, _meta: Meta, word: Token, _time: Token) -> bool:
        return str(word) == "keeping"

    def memory_line(self, meta: Meta, name: tree.Name, value: tree.Expression) -> migration.MemoryLine:
        return migration.MemoryLine(name, value, self._span(meta))

    def proposer_line(self, meta: Meta, name: tree.Name, source: tree.Name) -> migration.HistoryLine:
        return migration.HistoryLine("proposer", name, source, self._span(meta))

    def signers_line(self, meta: Meta, name: tree.Name, source: tree.Name) -> migration.HistoryLine:
        return migration.HistoryLine("signers", name, source, self._span(meta))

    def limit_line(self, meta: Meta, *names: tree.Name) -> migration.LimitLine:
        transition, code, source_transition, source_code = names
        return migration.LimitLine(transition, code, source_transition, source_code, self._span(meta))

    def forget_memory(self, meta: Meta, name: tree.Name, text: tree.Text) -> migration.ForgetMemory:
        return migration.ForgetMemory(name, text, self._span(meta))

    def forget_history(self, meta: Meta, history: tree.History, text: tree.Text) -> migration.ForgetHistory:
        return migration.ForgetHistory(history, text, self._span(meta))

    def forget_limit(
        self, meta: Meta, transition: tree.Name, code: tree.Name, text: tree.Text
    ) -> migration.ForgetLimit:
        return migration.ForgetLimit(transition, code, text, self._span(meta))
