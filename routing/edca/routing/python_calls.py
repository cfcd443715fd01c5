"""Python functions as routes: called with plain values, believed in nothing.

A function that reads gets all keys at once, as its route encodes them, and returns an iterable of documents: mappings
with texts as names, in which numbers aren't floats. One that makes an effect gets what the route sends and the effect's
key, and returns nothing once it is done; to say anything else it raises one of the errors below. Whatever else it
raises or returns, it may have acted.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from edca.kernel.values import Unknown, Value, ValueProblem
from edca.routing.codec import UnwritableError, read, write
from edca.routing.document_reading import Documents
from edca.routing.errors import RouteError
from edca.routing.model_documents import CallRoute, InvokeRoute
from edca.routing.sending import body_of, scope_of
from edca.runtime.ports import Performed, Report
from edca.runtime.reentry import ReentrantCallError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.kernel.facts import Key
    from edca.kernel.machine import Entity
    from edca.routing.reading import Found
    from edca.runtime.ports import Permit

Function: TypeAlias = Callable[..., Any]


class NotDoneError(Exception):
    """For a function that makes an effect: it did not happen, and nothing changed."""


class PreconditionLostError(NotDoneError):
    """It did not happen: the world is no longer as the decision read it."""


class TryAgainError(NotDoneError):
    """It did not happen, and trying again may help."""


@dataclass(frozen=True, slots=True)
class Functions:
    """The functions of one source, by the names that the routes give them; those with a `:` need not be given."""

    given: Mapping[str, Function]

    def named(self, name: str) -> Function:
        """Return a function. Raises `RouteError` where there is none of that name."""
        if name in self.given:
            return self.given[name]
        module, colon, attribute = name.partition(":")
        if not colon:
            raise RouteError(f"the host gives no function `{name}`; write `module:function` for one to import")
        try:
            found: Any = importlib.import_module(module)
            for part in attribute.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError, ValueError) as error:
            raise RouteError(f"there is no function `{name}` to import ({type(error).__name__})") from None
        if not callable(found):
            raise RouteError(f"`{name}` is no function")
        function: Function = found
        return function


@dataclass(frozen=True, slots=True)
class FunctionReader:
    """Reads one entity by calling a function."""

    documents: Documents
    function: Function
    allotting: Function | None

    @staticmethod
    def of(documents: Documents, functions: Functions) -> FunctionReader:
        """Find the functions that the entity's route names. Raises `RouteError`."""
        fetch, allot = documents.route.fetch, documents.route.allot
        if not isinstance(fetch, CallRoute):
            raise RouteError(f"`{documents.route.name}` isn't read by a function")
        allotting = functions.named(allot.function) if isinstance(allot, CallRoute) else None
        return FunctionReader(documents, functions.named(fetch.function), allotting)

    def read(self, keys: Sequence[Key], fields: Sequence[str]) -> dict[Key, Found | None]:
        """Return what is found, by key; a key that isn't in the answer isn't in the source.

        Raises what the function raises.
        """
        cells = self.documents.route.key
        asked: dict[Key, tuple[object, ...]] = {}
        for key in dict.fromkeys(keys):
            try:
                asked[key] = tuple(write(cell.codec, part) for cell, part in zip(cells, key, strict=True))
            except UnwritableError:
                continue  # the source can't hold such a key
        # One more than may be there shows that there are too many, however many the function would make.
        documents = [*islice(iter(self.function([*asked.values()])), len(asked) + 1)]
        found: dict[Key, Found | None] = {}
        for document in documents:
            key_ = self.documents.key(document)
            if key_ is None or key_ not in asked or key_ in found:
                self.documents.malformed("it is a document of a key that nobody asked for, or the second of one")
                return {key: self.documents.drifted(fields) for key in asked}
            found[key_] = self.documents.found(key_, document, fields, {})
        return found

    def allot(self) -> Key | None:
        """Return the key that the next created instance will have, or null. Raises what the function raises."""
        if self.allotting is None:
            return None
        value = read(self.documents.route.key[0].codec, self.allotting())
        return None if isinstance(value, Unknown) or value is None else (value,)


@dataclass(frozen=True, slots=True)
class Invoker:
    """Performs one effect by calling a function. `entities` are the machine's, by name."""

    route: InvokeRoute
    function: Function
    asking: Function | None
    entities: Mapping[str, Entity]

    @staticmethod
    def of(route: InvokeRoute, functions: Functions, entities: Mapping[str, Entity]) -> Invoker:
        """Find the functions that the effect's route names. Raises `RouteError`."""
        asking = None if route.asked is None else functions.named(route.asked)
        return Invoker(route, functions.named(route.function), asking, entities)

    def perform(self, permit: Permit) -> Report:
        """Call the function once; never raises for what it does."""
        try:
            scope: dict[str, Value] = scope_of(self.route.parameters, permit, self.entities)
            body = dict(permit.arguments) if self.route.body is None else body_of(self.route.body, scope)
        except (ValueProblem, KeyError, UnwritableError) as problem:
            return Report(Performed.FAILED, f"the arguments aren't those of the effect: {problem}")
        try:
            returned = self.function(body, permit.key)
        except ReentrantCallError as error:
            return Report(Performed.UNKNOWN, str(error))
        except PreconditionLostError as error:
            return Report(Performed.PRECONDITION_LOST, str(error))
        except TryAgainError as error:
            return Report(Performed.TRANSIENT, str(error))
        except NotDoneError as error:
            return Report(Performed.FAILED, str(error))
        except Exception as error:  # it may have acted before it raised
            return Report(Performed.UNKNOWN, f"the function raised {type(error).__name__}")
        if returned is not None:
            return Report(Performed.UNKNOWN, "the function returned something, and nothing is what means done")
        return Report(Performed.DONE)

    def performed(self, permit: Permit) -> Performed:
        """Tell whether the effect of the permit has happened; the asked function returns true or false."""
        if self.asking is None:
            return Performed.UNKNOWN
        try:
            answer = self.asking(permit.key)
        except Exception:  # whatever went wrong, nobody can tell now
            return Performed.UNKNOWN
        return (
            {True: Performed.DONE, False: Performed.FAILED}[answer] if isinstance(answer, bool) else Performed.UNKNOWN
        )
