"""The check of entity routes: every declared field leads to exactly one place that can give its type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.types import ListType, Type, describe
from edca.routing import tree
from edca.routing.codec import bare
from edca.routing.model import (
    AllotRoute,
    ColumnRoute,
    EntityRoute,
    FieldRoute,
    JoinRoute,
    ListField,
    Matching,
    OwnField,
    RowField,
    SourceRoute,
)
from edca.routing.shapes import Shapes, check_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.dsl.tree import Name
    from edca.kernel.machine import Entity
    from edca.routing.context import Context


def check_entity(context: Context, node: tree.Entity) -> EntityRoute | None:
    """Return the entity's route, or null where something about it was reported."""
    entity = context.machine.index.entities.get(node.name.text)
    if entity is None:
        known = tuple(context.machine.index.entities)
        context.unknown("R004", f"the machine has no entity `{node.name.text}`", node.name, known)
        return None
    return _EntityCheck(context, entity, node).check()


@dataclass(slots=True)
class _EntityCheck:
    context: Context
    entity: Entity
    node: tree.Entity

    def check(self) -> EntityRoute | None:
        """Check everything, so that all findings come in one run."""
        context, node = self.context, self.node
        count = len(context.found)
        source = context.source(node.source)
        if source is not None and not isinstance(source, SourceRoute):
            message = f"`{source.name}` has no tables"
            context.report("R015", message, node.table.span, 'write `from SOURCE get "/PATH"` or `call "FUNCTION"`')
            return None
        context.identifier(node.source.text, node.table)
        joins = self._joins()
        key = self._shapes.cells(node.key, self._key_types(), node.key_span, self.entity.name, self._own)
        fields = self._fields()
        state = check_state(context, node.states, self._own)
        if state is not None:
            context.states[self.entity.name] = (node.source.text, state)
        allot = self._allot()
        if len(context.found) > count or key is None:
            return None
        return EntityRoute(
            name=self.entity.name,
            source=node.source.text,
            table=node.table.text,
            key=key,
            joins=joins,
            allot=allot,
            state=state,
            fields=fields,
        )

    @property
    def _shapes(self) -> Shapes:
        return Shapes(self.context)

    def _key_types(self) -> tuple[Type, ...]:
        return tuple(part.type for part in self.entity.key)

    def _joins(self) -> tuple[JoinRoute, ...]:
        for index, join in enumerate(self.node.joins):
            others = (self.node.table, *(earlier.table for earlier in self.node.joins[:index]))
            for other in others:
                if other.text == join.table.text:
                    message = f"`{join.table.text}` is read already"
                    self.context.report("R002", message, join.table.span, before=other.span)
            self.context.identifier(self.node.source.text, join.table)
            for theirs, ours in join.on:
                self.context.identifier(self.node.source.text, join.table, theirs)
                self.context.identifier(self.node.source.text, self.node.table, ours)
        return tuple(
            JoinRoute(join.table.text, tuple((theirs.text, ours.text) for theirs, ours in join.on))
            for join in self.node.joins
        )

    def _allot(self) -> AllotRoute | None:
        context, allot = self.context, self.node.allot
        if allot is None:
            if any(t.creates and t.about == self.entity.name for t in context.machine.transitions):
                message = f"nothing allots the key of a new `{self.entity.name}`, which the machine creates"
                repair = "write `allot TABLE.COLUMN by COLUMN` behind the key"
                context.report("R001", message, self.node.name.span, repair)
            return None
        if len(self.entity.key) != 1:
            context.report("R011", "only a key of one part can be allotted", allot.span)
        source = self.node.source.text
        context.identifier(source, allot.table)
        for column in (allot.column, *allot.by):
            context.identifier(source, allot.table, column)
        return AllotRoute(allot.table.text, allot.column.text, tuple(name.text for name in allot.by))

    # --- fields ---

    def _fields(self) -> tuple[FieldRoute, ...]:
        declared = {field.name: field.type for field in self.entity.fields}
        context = self.context
        context.distinct([member.name for member in self.node.members], "the field")
        routes: dict[str, FieldRoute] = {}
        for member in self.node.members:
            type_ = declared.get(member.name.text)
            if type_ is None:
                message = f"`{self.entity.name}` has no field `{member.name.text}`"
                context.unknown("R004", message, member.name, tuple(declared))
                continue
            route = self._field(member.name.text, type_, member)
            if route is not None:
                routes.setdefault(route.name, route)
        written = {member.name.text for member in self.node.members}
        missing = [name for name in declared if name not in written]
        # A member that could not be read may be the missing one.
        if missing and not self.node.broken:
            said = ", ".join(f"`{name}`" for name in missing)
            message = f"no route for {said} of `{self.entity.name}`"
            context.report("R001", message, self.node.name.span, f"write `{missing[0]} = COLUMN`")
        return tuple(routes[name] for name in sorted(routes))

    def _field(self, name: str, type_: Type, member: tree.Member) -> FieldRoute | None:
        inner, optional = bare(type_)
        match member.place:
            case tree.OneRow() as place:
                rows = self._matching(place.table, place.where, place.by, place.last is True)
                shape = self._shapes.shape(type_, place.item, self._of(place.table))
                if rows is None or shape is None:
                    return None
                return RowField(name, rows, place.last is None, optional, shape)
            case tree.ManyRows() as place:
                rows = self._matching(place.table, place.where, place.by, False)
                if not isinstance(inner, ListType):
                    message = f"rows make a list, and `{name}` is a `{describe(type_)}`"
                    repair = "take one row: `TABLE.COLUMN where … first by COLUMN`"
                    self.context.report("R003", message, place.span, repair)
                    return None
                shape = self._shapes.shape(inner.of, place.item, self._of(place.table))
                if rows is None or shape is None:
                    return None
                return ListField(name, rows, inner.low, inner.high, shape)
            case tree.Elements(_, _, span):
                message = "a table has no arrays: `at` and `get` lead into documents of services and functions"
                self.context.report("R015", message, span, "write `rows TABLE where … by …`")
                return None
            case _:
                own = self._shapes.shape(type_, member.place, self._own)
                return None if own is None else OwnField(name, own)

    def _of(self, table: Name) -> _Other:
        return _Other(self.context, self.node.source.text, table)

    def _matching(
        self, table: Name, where: Sequence[tree.Match], by: Sequence[Name], descending: bool
    ) -> Matching | None:
        source = self.node.source.text
        self.context.identifier(source, table)
        same: list[tuple[str, ColumnRoute]] = []
        fixed: list[tuple[str, bool | int | str | None]] = []
        whole = True
        for match in where:
            self.context.identifier(source, table, match.column)
            if isinstance(match.equals, tree.Literal):
                fixed.append((match.column.text, match.equals.value))
                continue
            ours = self._own(match.equals)
            whole = whole and ours is not None
            if ours is not None:
                same.append((match.column.text, ours))
        for column in by:
            self.context.identifier(source, table, column)
        if whole and not same:
            message = f"nothing ties the rows of `{table.text}` to this `{self.entity.name}`"
            repair = "compare one of its columns with one of ours: `where THEIRS = OURS`"
            self.context.report("R011", message, table.span, repair)
        if not whole or not same:
            return None
        return Matching(table.text, tuple(same), tuple(fixed), tuple(name.text for name in by), descending)

    def _own(self, column: tree.Column) -> ColumnRoute | None:
        """Return a column of the entity's own table or a joined one."""
        table = column.table or self.node.table
        if len(column.leading) > 1:
            self.context.report("R015", "a column is `COLUMN` or `TABLE.COLUMN`", column.span)
            return None
        known = (self.node.table.text, *(join.table.text for join in self.node.joins))
        if table.text not in known:
            message = f"`{self.entity.name}` isn't read from `{table.text}`"
            repair = f"write `join {table.text} on …` behind the key, or `where …` behind the column"
            self.context.report("N001", message, table.span, repair)
            return None
        self.context.identifier(self.node.source.text, table, column.name)
        return ColumnRoute(table.text, column.name.text)


@dataclass(frozen=True, slots=True)
class _Other:
    """Resolves the columns of rows of another table."""

    context: Context
    source: str
    table: Name

    def __call__(self, column: tree.Column) -> ColumnRoute | None:
        if len(column.leading) > 1 or (column.table is not None and column.table.text != self.table.text):
            message = f"the rows are of `{self.table.text}`, and have no columns elsewhere"
            self.context.report("N001", message, column.leading[0].span)
            return None
        self.context.identifier(self.source, self.table, column.name)
        return ColumnRoute(self.table.text, column.name.text)
