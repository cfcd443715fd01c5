"""Documents to values: each one is validated whole by its model, then its members are read as columns are.

What a source holds can be anything. A member that isn't as the route says is drift, and so is all that an object with a
surplus member holds: a service that says more than it used to may mean something else by the rest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from edca.kernel.types import describe
from edca.kernel.values import Unknown, Value
from edca.routing.codec import read, read_shape, same_code, scalars, worst
from edca.routing.document_models import elements_of, model_of
from edca.routing.drift import Drift, Notice, kind_of
from edca.routing.model import ColumnRoute, Scalar, Shape
from edca.routing.model_documents import DocumentRoute, ElementsField, MemberField
from edca.routing.reading import Found
from edca.routing.templates import pointer_names, pointer_step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edca.kernel.facts import Key

_NUMBER_LENGTH_MAX = 64
_PLACE_LENGTH_MAX = 200  # a surplus member's name is the source's own
_DRIFTS_MAX = 20  # of one document, for operators: enough to see what happened

Path = tuple[str | int, ...]


class MalformedError(ValueError):
    """An answer that is no JSON document, or an ambiguous one; the message says what is wrong, without its content."""


class _Nothing:
    """Content that no codec accepts."""


_NOTHING = _Nothing()


def parse_json(content: bytes) -> object:
    """Return a JSON document (RFC 8259) with exact numbers. Raises `MalformedError` for anything else.

    Members that stand twice, numbers that are none and texts that are no UTF-8 are refused: readers differ on them.
    """
    try:
        parsed: object = json.loads(
            content.decode("utf-8"),
            parse_float=_decimal,
            parse_int=_whole,
            parse_constant=_refuse,
            object_pairs_hook=_members,
        )
    except MalformedError:
        raise
    except UnicodeDecodeError:
        raise MalformedError("it is no UTF-8") from None
    except RecursionError:
        raise MalformedError("it is nested too deeply") from None
    except ValueError:
        raise MalformedError("it is no JSON") from None
    return parsed


def _decimal(text: str) -> Decimal:
    if len(text) > _NUMBER_LENGTH_MAX:
        raise MalformedError("a number is too long")
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond what decimals can have, which is no `ValueError`
        raise MalformedError("a number is too large") from None


def _whole(text: str) -> int:
    if len(text) > _NUMBER_LENGTH_MAX:
        raise MalformedError("a number is too long")
    return int(text)


def _refuse(text: str) -> object:
    raise MalformedError("it holds a number that is none")


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedError("a member stands twice")
    return found


def inside(document: object, pointer: str) -> object:
    """Return what a JSON Pointer leads to. Raises `MalformedError` where it leads nowhere."""
    for name in pointer_names(pointer):
        if not isinstance(document, dict) or name not in document:
            raise MalformedError(f"nothing is at `{pointer}`")
        document = document[name]
    return document


@dataclass(frozen=True, slots=True)
class Documents:
    """Reads the documents of one entity by its route."""

    route: DocumentRoute
    model: type[BaseModel]
    elements: Mapping[str, TypeAdapter[Any]]
    notice: Notice

    @staticmethod
    def of(route: DocumentRoute, notice: Notice) -> Documents:
        """Generate the models of a route. Raises `DocumentError` for one that contradicts itself."""
        fetched = [one for one in route.fields if isinstance(one, ElementsField) and one.fetch is not None]
        return Documents(route, model_of(route), {one.name: elements_of(route, one) for one in fetched}, notice)

    def key(self, document: object) -> Key | None:
        """Return the key that a document says it has, null where it can't be told."""
        if not isinstance(document, dict):
            return None
        parts = [read(cell.codec, _content(document, cell)) for cell in self.route.key]
        known = tuple(part for part in parts if not isinstance(part, Unknown))
        return known if len(known) == len(parts) else None

    def found(
        self, key: Key, document: object, fields: Sequence[str], arrays: Mapping[str, object], age_us: int = 0
    ) -> Found:
        """Return what the document says of the instance; `arrays` are the answers that its lists have of their own.

        An array that could not be had isn't in `arrays`; then the list is missing. `age_us` is how long ago all that
        was so, in microseconds.
        """
        if self.key(document) != key:
            self._drifted(None, "", "the document of the key that was asked for", kind_of(document))
            return self.drifted(fields)
        wrong = self._wrong(self.model, document, "")

        def content(at: ColumnRoute) -> object:
            return _at(document, (*pointer_names(at.table), at.column))

        values: dict[str, Value | Unknown] = {}
        for name in fields:
            match self.route.field(name):
                case MemberField(_, shape):
                    values[name] = self._value(name, shape, content, wrong)
                case ElementsField(fetch=None) as one:
                    path = pointer_names(one.at)
                    values[name] = Unknown.DRIFT if _hits(wrong, path) else _list(one, _at(document, path))
                case one:
                    values[name] = self._fetched(one, arrays)
        return Found(self._state(content, wrong), values, age_us)

    def drifted(self, fields: Sequence[str]) -> Found:
        """Return what is said of an instance of which nothing can be believed."""
        return Found(None if self.route.state is None else Unknown.DRIFT, dict.fromkeys(fields, Unknown.DRIFT))

    def malformed(self, problem: str) -> None:
        """Tell whoever wants to know of an answer that is no document at all."""
        self._drifted(None, "", "a JSON document", problem)

    def _value(
        self, name: str, shape: Shape, content: Callable[[ColumnRoute], object], wrong: Sequence[Path]
    ) -> Value | Unknown:
        if any(_hits(wrong, (*pointer_names(at.table), at.column)) for at, _ in scalars(shape)):
            return Unknown.DRIFT
        value = read_shape(shape, content)
        if value is Unknown.DRIFT:
            for at, codec in scalars(shape):
                if read(codec, content(at)) is Unknown.DRIFT:
                    self._drifted(name, f"{at.table}/{at.column}", describe(codec.type), kind_of(content(at)))
        return value

    def _fetched(self, one: ElementsField, arrays: Mapping[str, object]) -> Value | Unknown:
        if one.name not in arrays:
            return Unknown.MISSING
        wrong = self._wrong(self.elements[one.name], arrays[one.name], f"{one.name}:")
        return Unknown.DRIFT if wrong else _list(one, arrays[one.name])

    def _state(self, content: Callable[[ColumnRoute], object], wrong: Sequence[Path]) -> str | Unknown | None:
        state = self.route.state
        if state is None:
            return None
        at = state.at
        if _hits(wrong, (*pointer_names(at.table), at.column)):
            return Unknown.DRIFT
        stored = content(at)
        if stored is None:
            return Unknown.MISSING
        found = next((name for name, code in state.codes if same_code(code, stored)), None)
        if found is None:
            self._drifted(None, f"{at.table}/{at.column}", "the code of a state", kind_of(stored))
        return Unknown.DRIFT if found is None else found

    def _wrong(self, model: type[BaseModel] | TypeAdapter[Any], document: object, prefix: str) -> tuple[Path, ...]:
        """Return where a document isn't as its model: the innermost place of which nothing can be believed."""
        try:
            if isinstance(model, TypeAdapter):
                model.validate_python(document)
            else:
                model.model_validate(document)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            for each in found[:_DRIFTS_MAX]:
                place = prefix + "".join(pointer_step(str(step)) for step in each["loc"])
                self._drifted(None, place[:_PLACE_LENGTH_MAX], "as the route says", each["msg"])
            # A surplus member says that the object around it has changed.
            return tuple(each["loc"][:-1] if each["type"] == "extra_forbidden" else each["loc"] for each in found)
        return ()

    def _drifted(self, name: str | None, place: str, expected: str, found: str) -> None:
        self.notice(Drift(self.route.name, name, self.route.source, place, expected, found))


def _hits(wrong: Sequence[Path], path: tuple[str, ...]) -> bool:
    """Tell whether any place that is wrong holds the path, or is within it."""
    return any(path[: len(each)] == each or each[: len(path)] == path for each in wrong)


def _content(document: object, cell: Scalar) -> object:
    return _at(document, (*pointer_names(cell.at.table), cell.at.column))


def _at(document: object, path: Sequence[str]) -> object:
    """Return what is at a path: nothing where the member is left out, and what no codec accepts where none can be."""
    for name in path:
        if document is None:
            return None
        if not isinstance(document, dict):
            return _NOTHING
        document = document.get(name)
    return document


def _list(one: ElementsField, array: object) -> Value | Unknown:
    if array is None:
        return Unknown.MISSING
    if not isinstance(array, list):
        return Unknown.DRIFT
    shape = one.shape
    values: list[Value] = []
    reasons: list[Unknown] = []
    for element in array:

        def content(at: ColumnRoute, element: object = element) -> object:
            path = () if not at.column and not at.table else (*pointer_names(at.table), at.column)
            return _at(element, path)

        value = read_shape(shape, content)
        if isinstance(value, Unknown):
            reasons.append(value)
        else:
            values.append(value)
    return worst(reasons) if reasons else tuple(values)
