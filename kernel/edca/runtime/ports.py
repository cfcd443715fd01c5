"""What the runtime asks of the world: narrow protocols, so that it knows no SQL, no HTTP and no model."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from edca.kernel.facts import Instance, Key
    from edca.kernel.values import Raw
    from edca.ledger.record import Draft
    from edca.ledger.store import Cell, Stored, StoredRecord


class Clock(Protocol):
    """Where `now` comes from. The runtime stamps it; a proposer never does."""

    @property
    def source(self) -> str:
        """The name that records give as the clock's source."""
        ...

    def now(self) -> int:
        """Return microseconds since the epoch, UTC."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """One instance to read: the entity, its key, and exactly the fields that the transition's clauses name."""

    entity: str
    key: Key
    fields: tuple[str, ...]


class Performed(enum.Enum):
    """What a route knows about an effect it was asked to perform."""

    DONE = "done"  # it happened, now or under the same idempotency key before
    FAILED = "failed"  # it did not happen, and nothing changed
    PRECONDITION_LOST = "precondition_lost"  # it did not happen: the world is no longer as the decision read it
    TRANSIENT = "transient"  # it did not happen and nothing changed, but trying again may help
    UNKNOWN = "unknown"  # nobody can tell: a connection broke, an answer is missing


@dataclass(frozen=True, slots=True)
class Report:
    """A route's answer to a permit. `detail` is for operators and never reaches a model."""

    performed: Performed
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Permit:
    """Single-use authority for one effect: minted by the runtime from a durable record, spent by one call.

    `key` is the idempotency key handed to the route: derived from the record and the effect's place in it. It stays the
    same when a fault that the route called transient is tried again. `expires` is set when it is spent: the instant, in
    microseconds UTC, from which no call is made under it; null where the transition declares no deadline.
    """

    record: bytes
    case: str
    revision: int
    machine: bytes
    place: int
    effect: str
    arguments: Mapping[str, Raw]
    key: str
    expires: int | None = None


class Cells(Protocol):
    """What is kept beside the records, by space and key: a store's, or those that a replay builds from the records."""

    def cell(self, space: str, key: str) -> bytes | None:
        """Return the value of one cell, or null."""
        ...


class Store(Protocol):
    """The ledger as the runtime sees it: records and cells that move in one durable transaction.

    `edca.ledger.sqlite` describes each method and what it raises. Where several processes write one store, a commit may
    raise `StaleError`: what it was decided on has changed, nothing was written, and it is decided again.
    """

    @property
    def size(self) -> int:
        """How many records there are."""
        ...

    def head(self, chain: str) -> tuple[int, bytes] | None:
        """Return the newest entry of `chain` and its digest, or null where it has none."""
        ...

    def cell(self, space: str, key: str) -> bytes | None:
        """Return the value of one cell, or null."""
        ...

    def spaces(self) -> tuple[str, ...]:
        """Return the spaces that hold any cell, sorted."""
        ...

    def cells(self, space: str, *, exact: bool = True) -> Iterator[tuple[str, bytes]]:
        """Yield keys and values of a space in order of the keys.

        Unless `exact`, a group may be written though others have put or changed cells that it has only looked at here.
        """
        ...

    def any_cell(self, space: str) -> bytes | None:
        """Return the value of one of the cells of a space, whichever; null where there is none."""
        ...

    def commit(
        self, drafts: Sequence[Draft], cells: Sequence[Cell] | Callable[[tuple[Stored, ...]], Sequence[Cell]] = ()
    ) -> tuple[Stored, ...]:
        """Append the drafts and write the cells: all or nothing, durable on return, or at the end of a `group`.

        `cells` may follow from the places that the records get.
        """
        ...

    def group(self) -> AbstractContextManager[None]:
        """Let the commits of the block share one transaction; nobody else sees any of them before it is durable."""
        ...

    def step(self) -> AbstractContextManager[None]:
        """Within a group: take back what the block has committed, if it raises."""
        ...

    def reading(self) -> AbstractContextManager[None]:
        """Let the reads of the block see one moment: no commit comes between them."""
        ...

    def whole(self) -> AbstractContextManager[None]:
        """Let the reads of the block be of one moment, and of all that is committed then."""
        ...

    def holds(self, name: str) -> bool:
        """Tell whether this process may carry out what goes by that name, as far as it knows without asking."""
        ...

    def hold(self, name: str) -> bool:
        """Have what goes by that name to this process; tell whether it is to be had: no other that lives has it.

        Within a group it is had with the group's commit.
        """
        ...

    def let_go(self, name: str) -> None:
        """Leave what goes by that name to others."""
        ...

    def abandoned(self, prefix: str) -> tuple[str, ...]:
        """Return what goes by names that begin so and is had by a process that lives no more."""
        ...

    def fetch(self, cells: Iterable[tuple[str, str]], chains: Iterable[str]) -> None:
        """Look up these cells and heads of chains at once, for the reads of the rest of a `group` or `reading`."""
        ...

    def read(self, number: int) -> StoredRecord:
        """Return the record of that number."""
        ...

    def number_at(self, index: int) -> int:
        """Return the number of the record at `index` of the ledger."""
        ...

    def newest(self, chain: str) -> StoredRecord | None:
        """Return the newest record of `chain`, or null where it has none."""
        ...

    def records(self, start: int = 0, chain: str | None = None) -> Iterator[StoredRecord]:
        """Yield records in order: all from that index on, or those of one chain from that number on."""
        ...


class Router(Protocol):
    """The routing layer as the runtime sees it: abstract names in, abstract values out."""

    @property
    def digest(self) -> bytes:
        """The identity of the routes in force, 32 bytes."""
        ...

    @property
    def document(self) -> bytes:
        """The routes' canonical bytes, kept as a configuration record for auditors (never shown to a model)."""
        ...

    def read(self, requests: Sequence[Request], as_of: int) -> tuple[Instance, ...]:
        """Read the requested instances in as few round trips as the source allows; one answer a request, in order.

        Never raises for anything a source does or holds: what can't be read is unknown. `as_of` is the instant that
        freshly read instances carry.
        """
        ...

    def allot(self, entity: str) -> Key | None:
        """Return the key that the next created instance of `entity` will have, or null where none can be had."""
        ...

    def perform(self, permit: Permit) -> Report:
        """Perform the effect once: the same `permit.key` again answers DONE without a second effect.

        It may not act on the kernel that calls it, about whichever case (`ReentrantCallError`): only halt it, and look.
        """
        ...

    def performed(self, permit: Permit) -> Performed:
        """Tell whether the effect of this permit has happened: DONE, FAILED (it has not) or UNKNOWN.

        Both methods may be called from another thread than the one that opened the router.
        """
        ...
