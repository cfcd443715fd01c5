"""The check of effect routes: every declared effect has one, and each value it writes comes from a typed parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.expression import Comparison
from edca.kernel.types import DateType, DurationType, IntType
from edca.routing import tree
from edca.routing.calls import CallCheck
from edca.routing.model import (
    Changed,
    CheckRows,
    Condition,
    DeleteRows,
    EffectRoute,
    Encoding,
    Fixed,
    ForEach,
    Given,
    InsertRow,
    Numbered,
    Operand,
    Setting,
    SourceRoute,
    StatementRoute,
    UpdateRows,
)
from edca.routing.model_documents import HTTPSource, InvokeRoute, PythonSource, RequestRoute
from edca.routing.operands import Operands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.diagnostics import Span
    from edca.dsl.tree import Name
    from edca.kernel.machine import EffectDeclaration
    from edca.routing.context import Context
    from edca.routing.operands import Scope

_COMPARISONS = {
    "=": Comparison.EQUAL,
    "!=": Comparison.UNEQUAL,
    "<": Comparison.LESS,
    "<=": Comparison.AT_MOST,
    ">": Comparison.GREATER,
    ">=": Comparison.AT_LEAST,
}
_NUMERIC = (Encoding.UNITS, Encoding.MICROS, Encoding.SECONDS, Encoding.DAYS)


def check_effect(context: Context, node: tree.Effect) -> EffectRoute | RequestRoute | InvokeRoute | None:
    """Return the effect's route, or null where something about it was reported."""
    effect = context.machine.index.effects.get(node.name.text)
    if effect is None:
        known = tuple(context.machine.index.effects)
        context.unknown("R004", f"the machine has no effect `{node.name.text}`", node.name, known)
        return None
    return _EffectCheck(context, effect, node).check()


@dataclass(slots=True)
class _EffectCheck:
    context: Context
    effect: EffectDeclaration
    node: tree.Effect

    def check(self) -> EffectRoute | RequestRoute | InvokeRoute | None:
        """Check everything, so that all findings come in one run."""
        context, node = self.context, self.node
        count = len(context.found)
        source = context.source(node.source)
        if isinstance(source, SourceRoute) and source.applied is None:
            message = f"`{source.name}` doesn't say where performed effects are remembered"
            repair = "write `applied TABLE (KEY, BODY)` behind the source's `env`"
            context.report("R001", message, node.source.span, repair)
        declared = tuple(part.name for part in self.effect.parameters)
        if tuple(name.text for name in node.parameters) != declared:
            said = f"{node.name.text}({', '.join(declared)})"
            context.report("R003", "the parameters aren't those the spec declares", node.name.span, f"write `{said}`")
            return None
        if not node.statements:
            context.report("R001", f"nothing stands for the effect `{node.name.text}`", node.name.span)
        scope: Scope = {part.name: part.type for part in self.effect.parameters}
        if isinstance(source, (HTTPSource, PythonSource)):
            return CallCheck(context, self.effect, node, self._operands, scope).check(source)
        statements = self._statements(node.statements, scope)
        if len(context.found) > count:
            return None
        return EffectRoute(self.effect.name, node.source.text, self.effect.parameters, statements)

    @property
    def _operands(self) -> Operands:
        return Operands(self.context, self.effect.name, self.node.source.text)

    # --- statements ---

    def _statements(self, nodes: Sequence[tree.Statement], scope: Scope) -> tuple[StatementRoute, ...]:
        checked = [self._statement(node, scope) for node in nodes]
        return tuple(statement for statement in checked if statement is not None)

    def _statement(self, node: tree.Statement, scope: Scope) -> StatementRoute | None:
        match node:
            case tree.Insert(table, assignments):
                return InsertRow(table.text, self._settings(table, assignments, scope, new=True))
            case tree.Update(table, assignments, where, expect):
                settings = self._settings(table, assignments, scope, new=False)
                return UpdateRows(table.text, settings, self._conditions(table, where, scope), expect)
            case tree.Delete(table, where, expect):
                return DeleteRows(table.text, self._conditions(table, where, scope), expect)
            case tree.Check(table, where, expect_exactly):
                return CheckRows(table.text, self._conditions(table, where, scope), expect_exactly)
            case tree.Loop():
                return self._loop(node, scope)
            case tree.Request() | tree.Invoke():
                message = "a database is changed by `insert`, `update`, `delete` and `check`"
                self.context.report("R015", message, node.span)
                return None

    def _loop(self, node: tree.Loop, scope: Scope) -> ForEach | None:
        found = self._operands.elements(node.variable, node.over, scope)
        if found is None:
            return None
        steps, inside = found
        statements = self._statements(node.statements, inside)
        return ForEach(node.variable.text, node.over.names[0].text, steps, statements)

    def _settings(
        self, table: Name, nodes: Sequence[tree.Assignment], scope: Scope, *, new: bool
    ) -> tuple[Setting, ...]:
        source = self.node.source.text
        self.context.identifier(source, table)
        self.context.distinct([node.column for node in nodes], "the column")
        settings: list[Setting] = []
        for node in nodes:
            self.context.identifier(source, table, node.column)
            value = self._assigned(table, node.value, scope, new=new)
            if value is not None:
                settings.append(Setting(node.column.text, value))
        return tuple(settings)

    def _assigned(
        self, table: Name, node: tree.Value | tree.Change | tree.Numbered, scope: Scope, *, new: bool
    ) -> Operand | Changed | Numbered | None:
        match node:
            case tree.Change(column, add, value, span):
                self.context.identifier(self.node.source.text, table, column)
                if new:
                    message = "a new row has no value to change yet"
                    self.context.report("R003", message, span)
                    return None
                operand = self._operands.operand(value, scope)
                if operand is None or not self._is_number(operand, value.span):
                    return None
                return Changed(column.text, add, operand)
            case tree.Numbered(prefix, start, where, _):
                return Numbered(prefix.value, start, self._conditions(table, where, scope))
            case _:
                return self._operands.operand(node, scope)

    def _conditions(self, table: Name, tests: Sequence[tree.Test], scope: Scope) -> tuple[Condition, ...]:
        self.context.identifier(self.node.source.text, table)
        conditions: list[Condition] = []
        for test in tests:
            self.context.identifier(self.node.source.text, table, test.column)
            comparison = _COMPARISONS[test.comparison]
            operand = self._operands.operand(test.value, scope)
            if operand is None:
                continue
            if comparison in (Comparison.EQUAL, Comparison.UNEQUAL) or self._has_order(operand, test):
                conditions.append(Condition(test.column.text, comparison, operand))
        return tuple(conditions)

    def _is_number(self, operand: Operand, span: Span) -> bool:
        if not _numeric(operand):
            message = "a column is changed only by a whole number"
            self.context.report("R003", message, span, "hold decimals `as units`, times `as micros`")
        return _numeric(operand)

    def _has_order(self, operand: Operand, test: tree.Test) -> bool:
        """Tell whether the column's own order is the value's: digits of decimals, as text, have another."""
        if isinstance(operand, Given) and isinstance(operand.codec.type, DateType):
            return True
        if isinstance(operand, Fixed) and isinstance(operand.value, str):
            return True
        if not _numeric(operand):
            message = f"`{test.comparison}` would compare texts, not values"
            self.context.report("R003", message, test.span, "hold decimals `as units`, times `as micros`")
        return _numeric(operand)


def _numeric(operand: Operand) -> bool:
    match operand:
        case Fixed(value):
            return isinstance(value, int) and not isinstance(value, bool)
        case Given(_, _, codec):
            return codec.encoding in _NUMERIC or isinstance(codec.type, (IntType, DurationType))
