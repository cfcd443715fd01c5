"""The comparison of routes with a service's description: OpenAPI 3.0 or 3.1, in JSON.

Every operation that a route asks for has to be described, and every member it reads or sends, with a type that fits.
What the description says beyond that is a finding where it would make an answer drift: members that nobody maps or
ignores, and values of an enum that have no code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.diagnostics import CODES, Diagnostic, Label, closest, ordered
from edca.kernel.types import BoolType, DecimalType, DurationType, EnumType, IntType, describe
from edca.routing.codec import scalars
from edca.routing.model import Codec, Encoding, Fixed, Given
from edca.routing.model_documents import (
    ArrayRoute,
    DocumentRoute,
    ElementsField,
    GetRoute,
    HTTPSource,
    MemberField,
    ObjectRoute,
    RequestRoute,
    Template,
    shown,
)
from edca.routing.templates import pointer_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edca.diagnostics import Span
    from edca.routing.model import ColumnRoute, Operand, Routes, Shape
    from edca.routing.model_documents import BodyRoute

_SLOT = re.compile(r"\{[^{}]*\}")
_REFERENCES_MAX = 50  # a description may refer to itself, and then never ends

Schema = dict[str, Any]


def check_openapi(routes: Routes, source: HTTPSource, description: object) -> tuple[Diagnostic, ...]:
    """Return what the routes want of a service and its description doesn't have (R016, R017)."""
    check = _Check(routes, source, description if isinstance(description, dict) else {}, [])
    for entity in routes.entities:
        if isinstance(entity, DocumentRoute) and entity.source == source.name:
            check.entity(entity)
    for effect in routes.effects:
        if isinstance(effect, RequestRoute) and effect.source == source.name:
            check.effect(effect)
    return ordered(check.found, cap=None).diagnostics


@dataclass(frozen=True, slots=True)
class _Check:
    routes: Routes
    source: HTTPSource
    description: Mapping[str, Any]
    found: list[Diagnostic]

    def entity(self, route: DocumentRoute) -> None:
        if isinstance(route.fetch, GetRoute):
            answer = self._answer(route.fetch.path, route.fetch.inside)
            if answer is not None:
                self._document(route, answer, f"GET {shown(route.fetch.path)}")
        if route.batch is not None:
            answer = self._answer(Template((route.batch.prefix,)), route.batch.inside)
            items = None if answer is None else self._items(answer)
            if answer is not None and items is None:
                self._report("R017", "the description's answer is no array of documents", f"GET {route.batch.prefix}")
            elif items is not None:
                self._document(route, items, f"GET {route.batch.prefix}")
        for one in route.fields:
            if isinstance(one, ElementsField) and one.fetch is not None:
                answer = self._answer(one.fetch.path, one.fetch.inside)
                items = None if answer is None else self._items(answer)
                if items is not None:
                    self._members(one.shape, items, route.ignoring, f"GET {shown(one.fetch.path)}")

    def effect(self, route: RequestRoute) -> None:
        operation = self._operation(route.method, route.path)
        if route.asked is not None:
            self._operation("GET", route.asked)
        content = self._resolved((operation or {}).get("requestBody", {}))
        schema = _json(content)
        if operation is not None and route.body is not None and schema is not None:
            self._sent(route.body, schema, f"{route.method} {shown(route.path)}")

    # --- reading ---

    def _document(self, route: DocumentRoute, schema: Schema, where: str) -> None:
        mapped: dict[str, set[str]] = {}

        def note(at: ColumnRoute) -> None:
            names = pointer_names(at.table)
            for depth, name in enumerate((*names, at.column)):
                mapped.setdefault("/".join(names[:depth]), set()).add(name)

        for cell in route.key:
            note(cell.at)
            self._scalar(cell.at, cell.codec, schema)
        if route.state is not None:
            note(route.state.at)
            codec = Codec(EnumType("state", ()), False, Encoding.CODES, route.state.codes)
            self._scalar(route.state.at, codec, schema)
        for one in route.fields:
            match one:
                case MemberField(_, shape):
                    for at, codec in scalars(shape):
                        note(at)
                        self._scalar(at, codec, schema)
                case ElementsField(at=at_, fetch=None):
                    *names, last = pointer_names(at_)
                    mapped.setdefault("/".join(names), set()).add(last)
                    array = self._led(schema, pointer_names(at_), last)
                    items = None if array is None else self._items(array)
                    if items is not None:
                        self._members(one.shape, items, route.ignoring, where)
                case ElementsField():
                    pass  # it has an answer of its own
        for path, mapped_here in mapped.items():
            inner = self._quietly(schema, tuple(path.split("/")) if path else ())
            self._surplus(inner, mapped_here, route.ignoring, where)

    def _members(self, shape: Shape, schema: Schema, ignoring: tuple[str, ...] | None, where: str) -> None:
        names: set[str] = set()
        for at, codec in scalars(shape):
            names.add((*pointer_names(at.table), at.column)[0])
            if at.column:
                self._scalar(at, codec, schema)
            else:
                self._type(schema, codec, "an element")
        if names != {""}:
            self._surplus(schema, names, ignoring, where)

    def _surplus(self, schema: Schema | None, mapped: set[str], ignoring: tuple[str, ...] | None, where: str) -> None:
        """Report what would be answered besides: everything around it would be drift."""
        if schema is None or ignoring is None:
            return
        for name in self._properties(schema):
            if name not in mapped and name not in ignoring:
                message = f"the service answers `{name}` too, and nothing says what of it"
                self._report("R017", message, where, f"map it, or write `ignoring ({name})` behind the key")

    def _scalar(self, at: ColumnRoute, codec: Codec, schema: Schema) -> None:
        found = self._led(schema, (*pointer_names(at.table), at.column), at.column)
        if found is not None:
            self._type(found, codec, at.column)

    def _type(self, schema: Schema, codec: Codec, name: str) -> None:
        kinds, described = _kinds(codec), self._kinds_of(schema)
        wrong = sorted(described - kinds - {"null"})
        if wrong:
            message = f"`{name}` is described as `{wrong[0]}`, and is read as `{describe(codec.type) or 'a code'}`"
            self._report("R017", message, name, member=True)
        values = self._resolved(schema).get("enum")
        allowed = _codes(codec)
        unmapped = [value for value in values or () if allowed is not None and value is not None]
        unmapped = [value for value in unmapped if not any(_same(value, code) for code in allowed or ())]
        if unmapped:
            message = f"`{name}` may also be `{unmapped[0]}`, which has no code"
            self._report("R017", message, name, "give it one, or it is drift", member=True)

    # --- sending ---

    def _sent(self, body: BodyRoute, schema: Schema, where: str) -> None:
        match body:
            case ObjectRoute(members) | ArrayRoute(members=members):
                inner = self._items(schema) if isinstance(body, ArrayRoute) else schema
                if inner is None:
                    return
                properties = self._properties(inner)
                for member in members:
                    if properties and member.name not in properties:
                        likely = closest(member.name, tuple(properties))
                        repair = f"did you mean `{likely}`?" if likely else None
                        message = f"the request has no member `{member.name}`"
                        self._report("R017", message, where, repair)
                    elif member.name in properties:
                        self._sent(member.body, properties[member.name], where)
                missing = [name for name in self._required(inner) if name not in {each.name for each in members}]
                if missing:
                    self._report("R017", f"the request needs `{missing[0]}`, which isn't sent", where)
            case operand:
                described = self._kinds_of(schema)
                if described and not _sent_kinds(operand) <= described | (
                    {"integer"} if "number" in described else set()
                ):
                    told = ", ".join(sorted(described))
                    self._report("R017", f"a value is sent as {_told(operand)}, and described as {told}", where)

    # --- the description ---

    def _operation(self, method: str, path: Template) -> Schema | None:
        wanted = _bare(shown(path))
        paths = self.description.get("paths")
        known = {_SLOT.sub("{}", each): item for each, item in paths.items()} if isinstance(paths, dict) else {}
        item = self._resolved(known.get(wanted, {}))
        operation = item.get(method.lower())
        if isinstance(operation, dict):
            return operation
        said = f"no operation `{method} {wanted}`"
        others = [each.upper() for each in item if each in ("get", "post", "put", "patch", "delete")]
        likely = closest(wanted, tuple(known))
        repair = f"it has {', '.join(others)}" if others else f"did you mean `{likely}`?" if likely else None
        self._report("R016", f"the description has {said}", f"{method} {shown(path)}", repair)
        return None

    def _answer(self, path: Template, inside: str) -> Schema | None:
        """Return the schema of what a GET answers, null where nothing is described, or it was reported."""
        operation = self._operation("GET", path)
        responses = (operation or {}).get("responses", {})
        response = next((responses[each] for each in ("200", "2XX", "default") if each in responses), None)
        schema = None if response is None else _json(self._resolved(response))
        if schema is None:
            return None
        for name in pointer_names(inside):
            properties = self._properties(schema)
            if name not in properties:
                self._report("R017", f"the answer has no member `{name}`", f"GET {shown(path)}")
                return None
            schema = properties[name]
        return schema

    def _led(self, schema: Schema, path: Sequence[str], name: str) -> Schema | None:
        for step in path:
            properties = self._properties(schema)
            if step not in properties:
                likely = closest(step, tuple(properties))
                repair = f"did you mean `{likely}`?" if likely else None
                self._report("R017", f"the answer has no member `{step}`", name, repair, member=True)
                return None
            schema = properties[step]
        return schema

    def _quietly(self, schema: Schema, path: Sequence[str]) -> Schema | None:
        for step in path:
            found = self._properties(schema).get(step)
            if found is None:
                return None
            schema = found
        return schema

    def _resolved(self, schema: Any) -> Schema:
        """Return what a reference within the description leads to."""
        for _ in range(_REFERENCES_MAX):
            if not isinstance(schema, dict):
                return {}
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                return schema
            here: Any = self.description if reference.startswith("#") else {}
            for step in pointer_names(reference.removeprefix("#")):
                here = here.get(step, {}) if isinstance(here, dict) else {}
            schema = here
        return {}

    def _parts(self, schema: Any, depth: int = 0) -> Iterator[Schema]:
        """Yield a schema and all it is composed of (`allOf`)."""
        whole = self._resolved(schema)
        yield whole
        for part in whole.get("allOf", ()) if depth < _REFERENCES_MAX else ():
            yield from self._parts(part, depth + 1)

    def _properties(self, schema: Any) -> dict[str, Schema]:
        found: dict[str, Schema] = {}
        for part in self._parts(schema):
            properties = part.get("properties")
            found |= properties if isinstance(properties, dict) else {}
        return found

    def _required(self, schema: Any) -> list[str]:
        return [name for part in self._parts(schema) for name in part.get("required", ())]

    def _items(self, schema: Any) -> Schema | None:
        return next((part["items"] for part in self._parts(schema) if isinstance(part.get("items"), dict)), None)

    def _kinds_of(self, schema: Any) -> set[str]:
        """Return the JSON types that a schema allows, none where it doesn't say."""
        kinds: set[str] = set()
        for part in self._parts(schema):
            type_ = part.get("type")
            kinds |= {type_} if isinstance(type_, str) else set(type_ or ())
            for choice in (*part.get("oneOf", ()), *part.get("anyOf", ())):
                kinds |= self._kinds_of(choice)
        return kinds

    def _report(self, code: str, message: str, at: str, repair: str | None = None, *, member: bool = False) -> None:
        span = self._span(at, member=member)
        # What is wrong with a document is wrong with it in a batch as well.
        if not any(message == earlier.message for earlier in self.found):
            self.found.append(Diagnostic(CODES[code], message, Label(span), help=repair))

    def _span(self, at: str, *, member: bool) -> Span:
        own = [each for each in self.routes.identifiers if each.source == self.source.name]
        exact = [each for each in own if (each.column if member else each.table) == at]
        return (exact or own or [*self.routes.identifiers])[0].span


def _bare(path: str) -> str:
    return _SLOT.sub("{}", path.partition("?")[0])


def _json(content: Schema) -> Schema | None:
    media = content.get("content")
    if not isinstance(media, dict):
        return None
    found = next((each for kind, each in media.items() if kind.partition(";")[0].endswith("json")), None)
    schema = found.get("schema") if isinstance(found, dict) else None
    return schema if isinstance(schema, dict) else None


def _kinds(codec: Codec) -> set[str]:
    """Return the JSON types that a codec reads."""
    match codec.encoding, codec.type:
        case Encoding.CODES, _:
            return {_kind(code) for _, code in codec.codes}
        case ((Encoding.UNITS | Encoding.MICROS | Encoding.SECONDS | Encoding.DAYS), _):
            return {"integer"}
        case _, BoolType():
            return {"boolean"}
        case _, IntType() | DurationType():
            return {"integer"}
        case _, DecimalType():
            return {"string", "number", "integer"}
        case _:
            return {"string"}


def _codes(codec: Codec) -> list[object] | None:
    if codec.encoding is Encoding.CODES:
        return [code for _, code in codec.codes]
    return [wire for _, wire in codec.type.values] if isinstance(codec.type, EnumType) else None


def _same(left: object, right: object) -> bool:
    return type(left) is type(right) and left == right


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case _:
            return "string"


def _sent_kinds(operand: Operand) -> set[str]:
    match operand:
        case Fixed(value):
            return {_kind(value)}
        case Given(_, _, codec):
            # A decimal is sent as text.
            plain = codec.encoding is Encoding.PLAIN and isinstance(codec.type, DecimalType)
            return {"string"} if plain else _kinds(codec)


def _told(operand: Operand) -> str:
    return ", ".join(sorted(_sent_kinds(operand)))
