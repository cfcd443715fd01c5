"""The check of effect routes: every declared effect has one, and each value it writes comes from a typed parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.expression import Comparison
from edca.kernel.types import (
    DateType,
    DurationType,
    IntType,
    ListType,
    OptionalType,
    RecordType,
    ReferenceType,
    Type,
    describe,
)
from edca.routing import tree
from edca.routing.codec import bare
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
    StatementRoute,
    UpdateRows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edca.diagnostics import Span
    from edca.dsl.tree import Name
    from edca.kernel.machine import EffectDeclaration
    from edca.routing.context import Context

    Scope = Mapping[str, Type]

_COMPARISONS = {
    "=": Comparison.EQUAL,
    "!=": Comparison.UNEQUAL,
    "<": Comparison.LESS,
    "<=": Comparison.AT_MOST,
    ">": Comparison.GREATER,
    ">=": Comparison.AT_LEAST,
}
_NUMERIC = (Encoding.UNITS, Encoding.MICROS, Encoding.SECONDS, Encoding.DAYS)


def check_effect(context: Context, node: tree.Effect) -> EffectRoute | None:
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

    def check(self) -> EffectRoute | None:
        """Check everything, so that all findings come in one run."""
        context, node = self.context, self.node
        count = len(context.found)
        source = context.source(node.source)
        if source is not None and source.applied is None:
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
        scope = {part.name: part.type for part in self.effect.parameters}
        statements = self._statements(node.statements, scope)
        if len(context.found) > count:
            return None
        return EffectRoute(self.effect.name, node.source.text, self.effect.parameters, statements)

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

    def _loop(self, node: tree.Loop, scope: Scope) -> ForEach | None:
        if node.variable.text in scope:
            message = f"`{node.variable.text}` means something else here already"
            self.context.report("N003", message, node.variable.span, "use another name")
            return None
        led = self._path(node.over, scope)
        if led is None:
            return None
        steps, type_ = led
        if not isinstance(type_, ListType):
            message = f"only a list has elements, and this is a `{describe(type_)}`"
            self.context.report("T009", message, node.over.span)
            return None
        inside = {**scope, node.variable.text: type_.of}
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
                operand = self._operand(value, scope)
                if operand is None or not self._is_number(operand, value.span):
                    return None
                return Changed(column.text, add, operand)
            case tree.Numbered(prefix, start, where, _):
                return Numbered(prefix.value, start, self._conditions(table, where, scope))
            case _:
                return self._operand(node, scope)

    def _conditions(self, table: Name, tests: Sequence[tree.Test], scope: Scope) -> tuple[Condition, ...]:
        self.context.identifier(self.node.source.text, table)
        conditions: list[Condition] = []
        for test in tests:
            self.context.identifier(self.node.source.text, table, test.column)
            comparison = _COMPARISONS[test.comparison]
            operand = self._operand(test.value, scope)
            if operand is None:
                continue
            if comparison in (Comparison.EQUAL, Comparison.UNEQUAL) or self._has_order(operand, test):
                conditions.append(Condition(test.column.text, comparison, operand))
        return tuple(conditions)

    # --- values ---

    def _operand(self, node: tree.Value, scope: Scope) -> Operand | None:
        if isinstance(node, tree.Literal):
            return Fixed(node.value)
        led = self._path(node.path, scope)
        if led is None:
            return None
        steps, type_ = led
        codec = self.context.codec(type_, node.encoding, node.span)
        return None if codec is None else Given(node.path.names[0].text, steps, codec)

    def _path(self, path: tree.Path, scope: Scope) -> tuple[tuple[int, ...], Type] | None:
        """Return the positions that a path goes through and the type it ends at."""
        first, *rest = path.names
        type_ = scope.get(first.text)
        if type_ is None:
            message = f"`{first.text}` is no parameter of `{self.effect.name}`"
            self.context.unknown("N001", message, first, tuple(scope))
            return None
        steps: list[int] = []
        absent = False
        for name in rest:
            inner, optional = bare(type_)
            absent = absent or optional
            parts = self._parts(inner)
            names = [part for part, _ in parts]
            if name.text not in names:
                message = f"a `{describe(inner)}` has no part `{name.text}`"
                self.context.unknown("T003", message, name, names)
                return None
            steps.append(names.index(name.text))
            type_ = parts[steps[-1]][1]
        if absent and not isinstance(type_, OptionalType):
            type_ = OptionalType(type_)
        return tuple(steps), type_

    def _parts(self, type_: Type) -> Sequence[tuple[str, Type]]:
        match type_:
            case RecordType(_, parts):
                return parts
            case ReferenceType(entity):
                return [(part.name, part.type) for part in self.context.machine.index.entities[entity].key]
            case _:
                return ()

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
