"""The check of entity routes: every declared field leads to exactly one place that can give its type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.types import ListType, RecordType, ReferenceType, Type, describe
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
    Record,
    Reference,
    RowField,
    Scalar,
    Shape,
    StateRoute,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.diagnostics import Span
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
        context.source(node.source)
        context.identifier(node.source.text, node.table)
        joins = self._joins()
        key = self._cells(node.key, self._key_types(), node.key_span, self.entity.name, self._own)
        fields = self._fields()
        state = self._state()
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

    def _state(self) -> StateRoute | None:
        context = self.context
        if not self.node.states:
            return None
        state, *others = self.node.states
        for other in others:
            context.report("R002", "the case's state has two routes", other.span, before=state.span)
        if state.word.text != "state":
            context.report("P001", f"`case {state.word.text}` means nothing", state.word.span, "write `state`")
        encoding = state.cell.encoding
        at = self._own(state.cell.column)
        if not isinstance(encoding, tree.CodesEncoding) or not isinstance(encoding.codes, tree.CodeMap):
            message = "the case's state is held in codes"
            context.report("R003", message, state.cell.span, "write `codes { STATE = CODE, … }` behind it")
            return None
        names = tuple(context.machine.index.states)
        pairs = context.code_pairs(encoding.codes, names, "N006", context.machine.name, total=False)
        return None if pairs is None or at is None else StateRoute(at, pairs)

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
                shape = self._other_shape(place.table, type_, place.item)
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
                shape = self._other_shape(place.table, inner.of, place.item)
                if rows is None or shape is None:
                    return None
                return ListField(name, rows, inner.low, inner.high, shape)
            case _:
                own = self._shape(type_, member.place, self._own)
                return None if own is None else OwnField(name, own)

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

    # --- shapes ---

    def _shape(self, type_: Type, item: tree.Item, resolve: _Resolve) -> Shape | None:
        match item:
            case tree.Cell():
                return self._scalar(type_, item, resolve)
            case tree.Reference(cells, span):
                return self._reference(type_, cells, span, resolve)
            case tree.Record():
                return self._record(type_, item, resolve)

    def _other_shape(self, table: Name, type_: Type, item: tree.Item) -> Shape | None:
        return self._shape(type_, item, _Other(self.context, self.node.source.text, table))

    def _scalar(self, type_: Type, cell: tree.Cell, resolve: _Resolve) -> Scalar | None:
        at = resolve(cell.column)
        codec = self.context.codec(type_, cell.encoding, cell.span)
        return None if at is None or codec is None else Scalar(at, codec)

    def _reference(self, type_: Type, cells: tuple[tree.Cell, ...], span: Span, resolve: _Resolve) -> Reference | None:
        inner, optional = bare(type_)
        if not isinstance(inner, ReferenceType):
            message = f"`ref` gives another entity's key, and this is a `{describe(type_)}`"
            self.context.report("R003", message, span)
            return None
        key = self.context.machine.index.entities[inner.entity].key
        scalars = self._cells(cells, tuple(part.type for part in key), span, inner.entity, resolve)
        return None if scalars is None else Reference(inner.entity, optional, scalars)

    def _cells(
        self,
        cells: tuple[tree.Cell, ...],
        types: tuple[Type, ...],
        span: Span,
        entity: str,
        resolve: _Resolve,
    ) -> tuple[Scalar, ...] | None:
        if len(cells) != len(types):
            parts = ", ".join(part.name for part in self.context.machine.index.entities[entity].key)
            message = f"the key of `{entity}` has {len(types)} parts ({parts}), not {len(cells)}"
            self.context.report("R011", message, span)
            return None
        scalars = [self._scalar(type_, cell, resolve) for type_, cell in zip(types, cells, strict=True)]
        whole = tuple(scalar for scalar in scalars if scalar is not None)
        return whole if len(whole) == len(cells) else None

    def _record(self, type_: Type, item: tree.Record, resolve: _Resolve) -> Record | None:
        inner, optional = bare(type_)
        if not isinstance(inner, RecordType):
            message = f"parts in braces make a record, and this is a `{describe(type_)}`"
            self.context.report("R003", message, item.span)
            return None
        self.context.distinct([part.name for part in item.parts], "the part")
        declared = dict(inner.parts)
        shapes: dict[str, Shape | None] = {}
        for part in item.parts:
            part_type = declared.get(part.name.text)
            if part_type is None:
                message = f"`{inner.name}` has no part `{part.name.text}`"
                self.context.unknown("R004", message, part.name, tuple(declared))
                continue
            shapes.setdefault(part.name.text, self._shape(part_type, part.item, resolve))
        missing = [name for name in declared if name not in {part.name.text for part in item.parts}]
        if missing:
            said = ", ".join(f"`{name}`" for name in missing)
            self.context.report("R001", f"no route for {said} of `{inner.name}`", item.span)
        ordered = [shapes.get(name) for name, _ in inner.parts]
        whole = tuple(shape for shape in ordered if shape is not None)
        return Record(optional, whole) if len(whole) == len(ordered) else None

    def _own(self, column: tree.Column) -> ColumnRoute | None:
        """Return a column of the entity's own table or a joined one."""
        table = column.table or self.node.table
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
        if column.table is not None and column.table.text != self.table.text:
            message = f"the rows are of `{self.table.text}`, not of `{column.table.text}`"
            self.context.report("N001", message, column.table.span)
            return None
        self.context.identifier(self.source, self.table, column.name)
        return ColumnRoute(self.table.text, column.name.text)


if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    _Resolve: TypeAlias = Callable[[tree.Column], ColumnRoute | None]
