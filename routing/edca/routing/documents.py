"""The check of routes to documents: what an HTTP service answers, or a Python function returns, for each key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.types import ListType, describe
from edca.routing import tree
from edca.routing.codec import bare
from edca.routing.model import ColumnRoute, Identifier, Scalar, SourceRoute
from edca.routing.model_documents import (
    BatchRoute,
    CallRoute,
    DocumentField,
    DocumentRoute,
    ElementsField,
    FetchRoute,
    GetRoute,
    HTTPSource,
    MemberField,
    PythonSource,
    shown,
)
from edca.routing.shapes import Shapes, check_state
from edca.routing.templates import check_pointer, check_template, key_operand

if TYPE_CHECKING:
    from edca.dsl.tree import Text
    from edca.kernel.machine import Entity
    from edca.kernel.types import Type
    from edca.routing.context import Context

BATCH_MAX = 200


def check_document_entity(context: Context, node: tree.DocumentEntity) -> DocumentRoute | None:
    """Return the entity's route, or null where something about it was reported."""
    entity = context.machine.index.entities.get(node.name.text)
    if entity is None:
        known = tuple(context.machine.index.entities)
        context.unknown("R004", f"the machine has no entity `{node.name.text}`", node.name, known)
        return None
    return _DocumentCheck(context, entity, node).check()


@dataclass(frozen=True, slots=True)
class _Members:
    """Resolves the members of a document, or of an element of one of its arrays."""

    context: Context
    source: str
    is_public: bool  # the members of what a function returns are names of the routing layer itself

    def __call__(self, column: tree.Column) -> ColumnRoute:
        for name in (*column.leading, column.name):
            if name.text and not self.is_public:
                self.context.identifiers.append(Identifier(self.source, "", name.text, name.span))
        return ColumnRoute(check_pointer(column.leading), column.name.text)


@dataclass(slots=True)
class _DocumentCheck:
    context: Context
    entity: Entity
    node: tree.DocumentEntity

    def check(self) -> DocumentRoute | None:
        """Check everything, so that all findings come in one run."""
        context, node = self.context, self.node
        count = len(context.found)
        source = context.source(node.source)
        if isinstance(source, SourceRoute):
            context.report(
                "R015", f"`{source.name}` has tables, and they are named", node.source.span, "write `SOURCE.TABLE`"
            )
            return None
        shapes, members = Shapes(context), _Members(context, node.source.text, isinstance(source, PythonSource))
        types = tuple(part.type for part in self.entity.key)
        key = shapes.cells(node.key, types, node.key_span, self.entity.name, members)
        if key is None:
            return None
        fetch = self._fetch(source, node.fetch, key)
        batch = self._batch(key)
        state = check_state(context, node.states, members)
        if state is not None:
            context.states[self.entity.name] = (node.source.text, state)
        fields = self._fields(source, shapes, members, key)
        allot = self._allot(source)
        ignoring = None if node.ignoring is None else tuple(sorted({name.text for name in node.ignoring}))
        if len(context.found) > count or fetch is None:
            return None
        return DocumentRoute(self.entity.name, node.source.text, fetch, batch, key, ignoring, allot, state, fields)

    # --- where documents come from ---

    def _fetch(
        self, source: HTTPSource | PythonSource | None, fetch: tree.Fetch, key: tuple[Scalar, ...] | None
    ) -> FetchRoute | None:
        """Return how one document is got; `key` null: it is the same for all (`allot`)."""
        match fetch:
            case tree.Called(function):
                if isinstance(source, HTTPSource):
                    self.context.report("R015", f"`{source.name}` is a service: it is asked by `get`", function.span)
                self._named(function.value, function)
                return CallRoute(function.value)
            case tree.Got(text, inside):
                if isinstance(source, PythonSource):
                    self.context.report("R015", f'`{source.name}` is Python: write `call "FUNCTION"`', text.span)
                    return None
                template = self._template(text, key)
                if template is None:
                    return None
                self._named(f"GET {shown(template)}", text)
                return GetRoute(template, check_pointer(inside))

    def _named(self, name: str, text: Text) -> None:
        """Remember an operation or a function, and where it stands."""
        self.context.identifiers.append(Identifier(self.node.source.text, name, None, text.span, is_call=True))

    def _template(self, text: Text, key: tuple[Scalar, ...] | None, *, is_path: bool = True) -> Template | None:
        parts = () if key is None else tuple(part.name for part in self.entity.key)
        codecs = () if key is None else tuple(cell.codec for cell in key)
        seen: set[str] = set()
        operand = key_operand(self.context, text, parts, codecs, seen)
        template = check_template(self.context, text, operand, is_path=is_path)
        missing = [part for part in parts if part not in seen]
        if template is not None and missing:
            message = f"the address is the same whatever `{missing[0]}` is"
            self.context.report("R013", message, text.span, f"write `{{{missing[0]}}}` where it belongs")
        return template

    def _batch(self, key: tuple[Scalar, ...]) -> BatchRoute | None:
        batch, context = self.node.batch, self.context
        if batch is None:
            return None
        if not 2 <= batch.up_to <= BATCH_MAX:
            context.report("R013", f"a batch is up to 2 to {BATCH_MAX} instances", batch.span)
        prefix = check_template(context, batch.prefix, lambda *_: None)
        each = self._template(batch.each, key, is_path=False)
        between = check_template(context, batch.between, lambda *_: None, is_path=False)
        if prefix is None or each is None or between is None:
            return None
        self._named(f"GET {batch.prefix.value}", batch.prefix)
        return BatchRoute(batch.prefix.value, each, batch.between.value, batch.up_to, check_pointer(batch.inside))

    def _allot(self, source: HTTPSource | PythonSource | None) -> FetchRoute | None:
        allot = self.node.allot
        if allot is not None:
            if len(self.entity.key) != 1:
                self.context.report("R011", "only a key of one part can be allotted", self.node.key_span)
            return self._fetch(source, allot, None)
        if any(t.creates and t.about == self.entity.name for t in self.context.machine.transitions):
            message = f"nothing allots the key of a new `{self.entity.name}`, which the machine creates"
            self.context.report("R001", message, self.node.name.span, 'write `allot get "/PATH"` behind the key')
        return None

    # --- fields ---

    def _fields(
        self,
        source: HTTPSource | PythonSource | None,
        shapes: Shapes,
        members: _Members,
        key: tuple[Scalar, ...],
    ) -> tuple[DocumentField, ...]:
        declared = {field.name: field.type for field in self.entity.fields}
        context = self.context
        context.distinct([member.name for member in self.node.members], "the field")
        routes: dict[str, DocumentField] = {}
        for member in self.node.members:
            type_ = declared.get(member.name.text)
            if type_ is None:
                message = f"`{self.entity.name}` has no field `{member.name.text}`"
                context.unknown("R004", message, member.name, tuple(declared))
                continue
            route = self._field(member, type_, source, shapes, members, key)
            if route is not None:
                routes.setdefault(route.name, route)
        written = {member.name.text for member in self.node.members}
        missing = [name for name in declared if name not in written]
        # A member that could not be read may be the missing one.
        if missing and not self.node.broken:
            said = ", ".join(f"`{name}`" for name in missing)
            message = f"no route for {said} of `{self.entity.name}`"
            context.report("R001", message, self.node.name.span, f"write `{missing[0]} = MEMBER`")
        return tuple(routes[name] for name in sorted(routes))

    def _field(
        self,
        member: tree.Member,
        type_: Type,
        source: HTTPSource | PythonSource | None,
        shapes: Shapes,
        members: _Members,
        key: tuple[Scalar, ...],
    ) -> DocumentField | None:
        inner, _ = bare(type_)
        name = member.name.text
        match member.place:
            case tree.Elements(among, item, span):
                if not isinstance(inner, ListType):
                    message = f"an array makes a list, and `{name}` is a `{describe(type_)}`"
                    self.context.report("R003", message, span)
                    return None
                fetch: FetchRoute | None = None
                at = ""
                if isinstance(among, tree.Got):
                    fetch = self._fetch(source, among, key)
                else:
                    last = among[-1]
                    at = check_pointer(among)
                    members(tree.Column(among[:-1], last, last.span))
                shape = shapes.shape(inner.of, item, members)
                if shape is None or isinstance(fetch, CallRoute) or (isinstance(among, tree.Got) and fetch is None):
                    return None
                return ElementsField(name, at, fetch, inner.low, inner.high, shape)
            case tree.OneRow(table=table) | tree.ManyRows(table=table):
                message = "documents have no tables"
                self.context.report("R015", message, table.span, "write `rows at MEMBER { … }` for an array of it")
                return None
            case item:
                shape = shapes.shape(type_, item, members)
                return None if shape is None else MemberField(name, shape)


if TYPE_CHECKING:
    from edca.routing.model_documents import Template
