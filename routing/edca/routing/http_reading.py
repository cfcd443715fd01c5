"""Reading documents from an HTTP service: one request for many instances where it takes such, else one for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.calendar import SECOND
from edca.kernel.values import Unknown
from edca.routing.codec import read
from edca.routing.document_reading import Documents, MalformedError, inside, parse_json
from edca.routing.http import BadAnswerError, NoAnswerError, NotSentError, Service
from edca.routing.model_documents import ElementsField, GetRoute
from edca.routing.templates import filled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.kernel.facts import Key
    from edca.routing.http import Answer
    from edca.routing.model_documents import BatchRoute
    from edca.routing.reading import Found

_ABSENT = (404, 410)
_OK = 200
_AGE_DIGITS_MAX = 9
_AGES_US = 10**_AGE_DIGITS_MAX * SECOND


@dataclass(frozen=True, slots=True)
class ServiceReader:
    """Reads one entity of an HTTP service."""

    documents: Documents
    service: Service

    def read(self, keys: Sequence[Key], fields: Sequence[str]) -> dict[Key, Found | None]:
        """Return what is found, by key; a key that isn't in the answer isn't in the source, and null is unknown."""
        distinct = list(dict.fromkeys(keys))
        batch = self.documents.route.batch
        if batch is None or len(distinct) == 1:
            bodies = {key: body for key in distinct if (body := self._one(key)) is not None}
        else:
            bodies = {}
            for start in range(0, len(distinct), batch.up_to):
                bodies |= self._many(batch, distinct[start : start + batch.up_to])
        found: dict[Key, Found | None] = {}
        for key in distinct:
            # Also where nothing is found: what isn't there must take as long to ask for as what is.
            arrays, older_us = self._arrays(key, fields)
            match bodies.get(key):
                case None:
                    pass
                case _Failed():
                    found[key] = None
                case _Drifted():
                    found[key] = self.documents.drifted(fields)
                case _Document(content, age_us):
                    found[key] = self.documents.found(key, content, fields, arrays, max(age_us, older_us))
        return found

    def allot(self) -> Key | None:
        """Return the key that the service offers to the next created instance, or null."""
        route = self.documents.route
        if not isinstance(route.allot, GetRoute):
            return None
        path = filled(route.allot.path, {})
        try:
            stored = None if path is None else self._document(path, route.allot.inside).content
        except (NotSentError, NoAnswerError, BadAnswerError, MalformedError, _AbsentError):
            return None
        value = read(route.key[0].codec, stored)
        return None if isinstance(value, Unknown) or value is None else (value,)

    def _one(self, key: Key) -> _Failed | _Drifted | _Document | None:
        """Return one document, null where there is none."""
        fetch = self.documents.route.fetch
        path = filled(fetch.path, {"key": key}) if isinstance(fetch, GetRoute) else None
        if path is None or not isinstance(fetch, GetRoute):
            return None
        return self._asked(path, fetch.inside)

    def _asked(self, path: str, pointer: str) -> _Failed | _Drifted | _Document | None:
        try:
            return self._document(path, pointer)
        except (NotSentError, NoAnswerError):
            return _Failed()
        except _AbsentError:
            return None
        except (BadAnswerError, MalformedError) as error:
            self.documents.malformed(str(error))
            return _Drifted()

    def _many(self, batch: BatchRoute, keys: Sequence[Key]) -> dict[Key, _Failed | _Drifted | _Document]:
        slots = {key: slot for key in keys if (slot := filled(batch.each, {"key": key})) is not None}
        if not slots:
            return {}
        answer = self._asked(batch.prefix + batch.between.join(slots.values()), batch.inside)
        match answer:
            case None:
                return {}
            case _Document(list() as documents, age_us) if len(documents) <= len(slots):
                return self._by_key(slots, documents, age_us)
            case _Document():
                self.documents.malformed("it is no array of as many documents as were asked for, or fewer")
                return {key: _Drifted() for key in slots}
            case _:
                return dict.fromkeys(slots, answer)

    def _by_key(
        self, asked: dict[Key, str], documents: list[object], age_us: int
    ) -> dict[Key, _Failed | _Drifted | _Document]:
        found: dict[Key, _Failed | _Drifted | _Document] = {}
        for document in documents:
            key = self.documents.key(document)
            if key is None or key not in asked:
                # Whose it is can't be told, so that any of them might be missing for it.
                self.documents.malformed("it holds a document of a key that nobody asked for")
                return {key: _Drifted() for key in asked}
            if key in found:
                self.documents.malformed("it holds two documents of one key")
                found[key] = _Drifted()
            else:
                found[key] = _Document(document, age_us)
        return found

    def _arrays(self, key: Key, fields: Sequence[str]) -> tuple[dict[str, object], int]:
        """Return the arrays that lists have answers of their own for, and the age of the oldest.

        One that can't be had is left out.
        """
        arrays: dict[str, object] = {}
        oldest_us = 0
        for name in fields:
            one = self.documents.route.field(name)
            if not isinstance(one, ElementsField) or one.fetch is None:
                continue
            path = filled(one.fetch.path, {"key": key})
            match None if path is None else self._asked(path, one.fetch.inside):
                case _Document(content, age_us):
                    arrays[name] = content
                    oldest_us = max(oldest_us, age_us)
                case _Drifted():
                    arrays[name] = _NO_ARRAY
                case _:
                    pass
        return arrays, oldest_us

    def _document(self, path: str, pointer: str) -> _Document:
        """Ask for a document. Raises `_AbsentError`, `MalformedError`, and what `Service.get` raises."""
        answer = self.service.get(path)
        if answer.status in _ABSENT:
            raise _AbsentError
        if answer.status != _OK:
            raise NoAnswerError(f"status {answer.status}")
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            raise BadAnswerError("its content type isn't JSON")
        return _Document(inside(parse_json(answer.body), pointer), _age_us(answer))


def _age_us(answer: Answer) -> int:
    """Return how old the answer was when it came: a cache on the way says so (RFC 9111 §5.1)."""
    age = answer.headers.get("age", "0")
    # What can't be read is older than anything may be.
    return int(age) * SECOND if age.isascii() and age.isdecimal() and len(age) <= _AGE_DIGITS_MAX else _AGES_US


class _AbsentError(Exception):
    """The service has nothing there."""


@dataclass(frozen=True, slots=True)
class _Document:
    content: object
    age_us: int


@dataclass(frozen=True, slots=True)
class _Failed:
    """Nobody can tell."""


@dataclass(frozen=True, slots=True)
class _Drifted:
    """There was an answer, and nothing of it can be believed."""


_NO_ARRAY = object()
