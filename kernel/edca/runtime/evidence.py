"""What the routes answer, read before a turn and given out again within it.

No source may hold up the store, so nothing is read in a turn (`edca.runtime.turns`). What a decision reads is read
before, and the decision is then worked out anew in its turn from the very same answers. Where it turns out there that
it wants something else, because the case has moved meanwhile, the turn is given up and comes again once that is read.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from edca.kernel.facts import Instance
from edca.kernel.values import Unknown
from edca.runtime.readers import LateError
from edca.runtime.reentry import within_read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edca.kernel.facts import Key
    from edca.runtime.context import Context
    from edca.runtime.lanes import Lanes
    from edca.runtime.ports import Performed, Permit, Report, Request, Router
    from edca.runtime.readers import Readers

NOT_IN_TIME = "no answer in time"
"""What stands in a record as the source of an instance that no source has told in time: everything is unknown of it."""
_TURNS_MAX = 12  # how often one may ask for more; what is still unread then stays unknown
_R = TypeVar("_R")
_T = TypeVar("_T")


class UnreadError(Exception):
    """A turn wants what was not read before it."""


class OutdatedError(Exception):
    """Another process has moved the case since the facts about it were read."""


class Evidence:
    """A router that asks each question once, and within a turn none. It performs nothing."""

    def __init__(
        self, router: Router, readers: Readers, within_us: int | None, lanes: Lanes, *, is_last: bool = False
    ) -> None:
        """Begin with nothing read. All reading may take `within_us` in real time; null: as long as it takes.

        `lanes` are the ledger's: a route that is read may not call its kernel back. `is_last`: what is read counts,
        whatever has moved since.
        """
        self._lanes = lanes
        self._is_last = is_last
        self.digest = router.digest
        self.document = router.document
        self._router = router
        self._readers = readers
        self._until = None if within_us is None else time.monotonic() + within_us / 1_000_000
        self._read: dict[Request, Instance] = {}
        self._allotted: dict[str, Key | None] = {}
        self._lacking: tuple[list[Request], list[str]] = ([], [])
        self._is_sealed = False

    def read(self, requests: Sequence[Request], as_of: int) -> tuple[Instance, ...]:
        """Return what was read, and read the rest. Raises `UnreadError` for a rest within a turn."""
        unread = [request for request in requests if request not in self._read]
        if unread:
            if self._is_sealed:
                self._lacking[0].extend(unread)
                raise UnreadError
            found = self._within(lambda: self._router.read(unread, as_of))
            answers = [_untold(request, as_of) for request in unread] if found is None else found
            self._read.update(zip(unread, answers, strict=True))
        return tuple(self._read[request] for request in requests)

    def allot(self, entity: str) -> Key | None:
        """Return the key allotted before, or have one allotted. Raises `UnreadError` for a new one within a turn."""
        if entity not in self._allotted:
            if self._is_sealed:
                self._lacking[1].append(entity)
                raise UnreadError
            self._allotted[entity] = self._within(lambda: self._router.allot(entity))
        return self._allotted[entity]

    def seal(self) -> None:
        """Ask nothing more: a turn begins."""
        self._is_sealed = True
        self._lacking = ([], [])

    def outdated(self) -> None:
        """Have everything read again, since the case has moved; the last time it counts all the same."""
        if self._is_sealed and not self._is_last:
            raise OutdatedError

    def fetch(self, as_of: int, *, is_last: bool) -> None:
        """Read what the turn that was given up lacked; the last time it stays unknown, so that there is an end."""
        requests, entities = self._lacking
        self._is_sealed = False
        if is_last:
            self._read.update((request, _untold(request, as_of)) for request in requests)
            self._allotted.update(dict.fromkeys(entities))
            return
        self.read(tuple(dict.fromkeys(requests)), as_of)
        for entity in entities:
            self.allot(entity)

    def perform(self, permit: Permit) -> Report:
        """Raise `RuntimeError`: nothing is done in a turn."""
        raise RuntimeError(f"`{permit.effect}` can't be performed in a turn")

    def performed(self, permit: Permit) -> Performed:
        """Raise `RuntimeError`: no route is asked in a turn what it did."""
        raise RuntimeError(f"no route can be asked about `{permit.effect}` in a turn")

    def _within(self, work: Callable[[], _T]) -> _T | None:
        """Return what `work` returns, or null where that is not in time."""
        work = within_read(self._lanes, work)
        if self._until is None:
            return work()
        try:
            return self._readers.call(work, self._until - time.monotonic())
        except LateError:
            return None


def informed(context: Context, read: Callable[[Context], _R], act: Callable[[Context, _R], _T]) -> _T:
    """Run `read`, which reads and writes nothing, and then `act` in a turn, on what was read; return what that returns.

    Both get a context whose router is the evidence, and `act` what `read` returned. Where `act` wants more, that is
    read, and it runs again, anew. Where another process has moved the case since, all is read again. Raises what they
    raise, and as `Context.turn`.
    """
    for moved in range(_TURNS_MAX):
        evidence = _evidence(context, is_last=moved + 1 == _TURNS_MAX)
        inner = context.asking(evidence)
        try:
            return _informed(context, inner, evidence, read(inner), act)
        except OutdatedError:
            continue
    raise AssertionError("the last evidence is never outdated")


def _informed(context: Context, inner: Context, evidence: Evidence, ahead: _R, act: Callable[[Context, _R], _T]) -> _T:
    tried = 0
    while True:
        evidence.seal()
        try:
            return context.turn(lambda: act(inner, ahead))
        except UnreadError:
            tried += 1
            evidence.fetch(context.clock.now(), is_last=tried >= _TURNS_MAX)


def outdated(router: Router) -> None:
    """Have everything read again that a turn rests on, as far as it can be: see `Evidence.outdated`."""
    if isinstance(router, Evidence):
        router.outdated()


def reading_within(context: Context) -> Context:
    """Return the context with a router that asks as long as it may: for looking, outside of turns."""
    return context.asking(_evidence(context))


def _evidence(context: Context, *, is_last: bool = False) -> Evidence:
    return Evidence(context.router, context.readers, context.read_within_us, context.lanes, is_last=is_last)


def _untold(request: Request, as_of: int) -> Instance:
    return Instance(request.entity, request.key, NOT_IN_TIME, as_of, False, Unknown.MISSING, {})
