"""The check of shapes: how columns of a row, or members of a document, make one value of a declared type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from edca.kernel.types import RecordType, ReferenceType, Type, describe
from edca.routing import tree
from edca.routing.codec import bare
from edca.routing.model import ColumnRoute, Record, Reference, Scalar, Shape, StateRoute

if TYPE_CHECKING:
    from edca.diagnostics import Span
    from edca.routing.context import Context

Resolve: TypeAlias = Callable[[tree.Column], ColumnRoute | None]
"""Returns where a written column or member is, or null where something about it was reported."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """Checks shapes, and reports to the context what can't be one."""

    context: Context

    def shape(self, type_: Type, item: tree.Item, resolve: Resolve) -> Shape | None:
        """Return the shape that makes a value of the type, or null where something was reported."""
        match item:
            case tree.Cell():
                return self._scalar(type_, item, resolve)
            case tree.Reference(cells, span):
                return self._reference(type_, cells, span, resolve)
            case tree.Record():
                return self._record(type_, item, resolve)

    def _scalar(self, type_: Type, cell: tree.Cell, resolve: Resolve) -> Scalar | None:
        at = resolve(cell.column)
        codec = self.context.codec(type_, cell.encoding, cell.span)
        return None if at is None or codec is None else Scalar(at, codec)

    def _reference(self, type_: Type, cells: tuple[tree.Cell, ...], span: Span, resolve: Resolve) -> Reference | None:
        inner, optional = bare(type_)
        if not isinstance(inner, ReferenceType):
            message = f"`ref` gives another entity's key, and this is a `{describe(type_)}`"
            self.context.report("R003", message, span)
            return None
        key = self.context.machine.index.entities[inner.entity].key
        scalars = self.cells(cells, tuple(part.type for part in key), span, inner.entity, resolve)
        return None if scalars is None else Reference(inner.entity, optional, scalars)

    def cells(
        self,
        cells: tuple[tree.Cell, ...],
        types: tuple[Type, ...],
        span: Span,
        entity: str,
        resolve: Resolve,
    ) -> tuple[Scalar, ...] | None:
        """Return how the columns of a key are read."""
        if len(cells) != len(types):
            parts = ", ".join(part.name for part in self.context.machine.index.entities[entity].key)
            message = f"the key of `{entity}` has {len(types)} parts ({parts}), not {len(cells)}"
            self.context.report("R011", message, span)
            return None
        scalars = [self._scalar(type_, cell, resolve) for type_, cell in zip(types, cells, strict=True)]
        whole = tuple(scalar for scalar in scalars if scalar is not None)
        return whole if len(whole) == len(cells) else None

    def _record(self, type_: Type, item: tree.Record, resolve: Resolve) -> Record | None:
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
            shapes.setdefault(part.name.text, self.shape(part_type, part.item, resolve))
        missing = [name for name in declared if name not in {part.name.text for part in item.parts}]
        if missing:
            said = ", ".join(f"`{name}`" for name in missing)
            self.context.report("R001", f"no route for {said} of `{inner.name}`", item.span)
        ordered = [shapes.get(name) for name, _ in inner.parts]
        whole = tuple(shape for shape in ordered if shape is not None)
        return Record(optional, whole) if len(whole) == len(ordered) else None


def check_state(context: Context, states: tuple[tree.CaseState, ...], resolve: Resolve) -> StateRoute | None:
    """Return where the case's state is held and by which codes; null where nowhere, or where that was reported."""
    if not states:
        return None
    state, *others = states
    for other in others:
        context.report("R002", "the case's state has two routes", other.span, before=state.span)
    if state.word.text != "state":
        context.report("P001", f"`case {state.word.text}` means nothing", state.word.span, "write `state`")
    encoding = state.cell.encoding
    at = resolve(state.cell.column)
    if not isinstance(encoding, tree.CodesEncoding) or not isinstance(encoding.codes, tree.CodeMap):
        message = "the case's state is held in codes"
        context.report("R003", message, state.cell.span, "write `codes { STATE = CODE, … }` behind it")
        return None
    names = tuple(context.machine.index.states)
    pairs = context.code_pairs(encoding.codes, names, "N006", context.machine.name, total=False)
    return None if pairs is None or at is None else StateRoute(at, pairs)
