"""Routes to what isn't a table: documents of HTTP services and of Python functions, and the calls that make effects.

Shapes, codecs and operands are those of `model.py`; only where a document comes from is new here.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from edca.kernel.machine import Parameter
    from edca.routing.model import Operand, Scalar, Shape, StateRoute

TIMEOUT_S = 10
ANSWER_BYTES = 1_000_000

# --- sources -------------------------------------------------------------------------------------------------------


class AuthKind(enum.Enum):
    """How a request says who asks: RFC 6750, RFC 7617, or a header of the service's own."""

    BEARER = "bearer"
    BASIC = "basic"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class Auth:
    """Where a service's credential is found: in the environment variable `env`, never in the file."""

    kind: AuthKind
    header: str
    env: str


@dataclass(frozen=True, slots=True)
class HTTPSource:
    """An HTTP service; its base URL stands in the environment variable `env`.

    `timeout_s` bounds a whole exchange, `answer_bytes` an answer's body. `redirects` are how many are followed when
    reading, within the same origin. `transient` are the status codes that mean "nothing has happened, try again".
    `idempotency` is the header that carries an effect's key, null where the service knows none.
    """

    name: str
    env: str
    auth: Auth | None
    timeout_s: int
    answer_bytes: int
    redirects: int
    transient: tuple[int, ...]
    idempotency: str | None
    openapi: str | None
    unencrypted: bool


@dataclass(frozen=True, slots=True)
class PythonSource:
    """Python functions, named as `module:function` or given by the host."""

    name: str


# --- reading -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Template:
    """A text with slots: literal texts, as they are sent, and operands, each percent-encoded as one segment."""

    parts: tuple[str | Operand, ...]


def shown(template: Template) -> str:
    """Return the address with its slots left empty, for operators."""
    return "".join(part if isinstance(part, str) else "{}" for part in template.parts)


@dataclass(frozen=True, slots=True)
class GetRoute:
    """One GET; `inside` is the JSON Pointer of what is wanted in the answer."""

    path: Template
    inside: str


@dataclass(frozen=True, slots=True)
class BatchRoute:
    """One GET for up to `up_to` instances: `prefix`, then `each` of every key with `between` in between.

    `inside` is the JSON Pointer of the array of documents.
    """

    prefix: str
    each: Template
    between: str
    up_to: int
    inside: str


@dataclass(frozen=True, slots=True)
class CallRoute:
    """A call of a Python function with all keys at once."""

    function: str


FetchRoute: TypeAlias = GetRoute | CallRoute


@dataclass(frozen=True, slots=True)
class MemberField:
    """From members of the entity's document."""

    name: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class ElementsField:
    """A list with one element for each of an array: of the document (`at`, a JSON Pointer), or of its own answer."""

    name: str
    at: str
    fetch: GetRoute | None
    low: int
    high: int
    shape: Shape


DocumentField: TypeAlias = MemberField | ElementsField


@dataclass(frozen=True, slots=True)
class DocumentRoute:
    """Where the documents of one entity come from, and which members its key, fields and state are.

    `ignoring` are names of members that mean nothing here; null: whatever isn't mapped is ignored.
    """

    name: str
    source: str
    fetch: FetchRoute
    batch: BatchRoute | None
    key: tuple[Scalar, ...]
    ignoring: tuple[str, ...] | None
    allot: FetchRoute | None
    state: StateRoute | None
    fields: tuple[DocumentField, ...]

    def field(self, name: str) -> DocumentField:
        """Return the field's route. Raises `KeyError` for a name the entity doesn't have."""
        for route in self.fields:
            if route.name == name:
                return route
        raise KeyError(name)


# --- effects -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SentMember:
    """A member of an object that is sent."""

    name: str
    body: BodyRoute


@dataclass(frozen=True, slots=True)
class ObjectRoute:
    """A JSON object that is sent."""

    members: tuple[SentMember, ...]


@dataclass(frozen=True, slots=True)
class ArrayRoute:
    """A JSON array: an object for each element of a list."""

    variable: str
    name: str
    steps: tuple[int, ...]
    members: tuple[SentMember, ...]


BodyRoute: TypeAlias = "Operand | ObjectRoute | ArrayRoute"


@dataclass(frozen=True, slots=True)
class RequestRoute:
    """One HTTP request that makes an effect.

    `done`, `lost`, `failed` and `transient` are the status codes that mean so. `asked` is where to find out whether it
    has happened: 200 says that it has, 404 that it has not.
    """

    name: str
    source: str
    parameters: tuple[Parameter, ...]
    method: str
    path: Template
    body: ObjectRoute | None
    done: tuple[int, ...]
    lost: tuple[int, ...]
    failed: tuple[int, ...]
    transient: tuple[int, ...]
    asked: Template | None


@dataclass(frozen=True, slots=True)
class InvokeRoute:
    """One call of a Python function that makes an effect; `asked` is the one that tells whether it has happened."""

    name: str
    source: str
    parameters: tuple[Parameter, ...]
    function: str
    body: ObjectRoute | None
    asked: str | None


IDEMPOTENCY_KEY = "key"
"""The slot that holds an effect's idempotency key in the templates of `asked`."""
