"""`Session`: one caller's conversation with a kernel, in which a model never meets an identifier that isn't published.

The session is the host's. What goes to a model are the values that it returns (`View`, `Told`, and the tools and texts
made of them): plain data, from which nothing leads back to the session, its secret, the kernel or a source.
"""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any, cast

from edca.api.payloads import candidate_bytes
from edca.kernel.calendar import parse_time
from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.inputs import address
from edca.kernel.inquiry import Inquiry
from edca.kernel.values import ValueProblem
from edca.runtime.cases import key_from_raw, key_to_raw
from edca.semantic.candidates import about, from_json, inquiry_of
from edca.semantic.explain import for_model
from edca.semantic.explain_query import query_for_model
from edca.semantic.handles import SECRET_SIZE, Handles
from edca.semantic.inquiry import admit_inquiry
from edca.semantic.unpublished import handle_of, is_named, resolved, resolved_key
from edca.semantic.view import View
from edca.semantic.view_size import shown_digest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from edca.api.kernel import Kernel
    from edca.kernel.candidate import Caller
    from edca.kernel.facts import Key
    from edca.kernel.inputs import Attestation
    from edca.runtime.answers import Answer
    from edca.runtime.asking import QueryAnswer
    from edca.runtime.ports import Clock
    from edca.semantic.confidence import Bands
    from edca.semantic.explain import Told
    from edca.semantic.explain_query import QueryTold

VIEWS_MAX = 64
"""So many cases' last views are remembered for what a candidate cites."""
RECORD = "record"


@dataclasses.dataclass(frozen=True, slots=True)
class Came:
    """What became of a candidate: the answer is for the host, `told` and the handle of the record are for the model."""

    answer: Answer
    told: Told
    record: str


@dataclasses.dataclass(frozen=True, slots=True)
class Looked:
    """What became of an inquiry: the answer is for the host, `told` and the handle of the record are for the model."""

    answer: QueryAnswer
    told: QueryTold
    record: str


class Session:
    """One caller's handles, what the caller was shown, and what its last proposal came to. Use `Kernel.session`.

    It belongs to one conversation: threads take turns with it.
    """

    def __init__(
        self, kernel: Kernel, caller: Caller, *, tenant: str, clock: Clock, secret: bytes | None, until: str | None
    ) -> None:
        """Use `Kernel.session`."""
        self.secret = os.urandom(SECRET_SIZE) if secret is None else secret
        self.caller = caller
        self._kernel = kernel
        self._clock = clock
        self._until = None if until is None else parse_time(until)
        if until is not None and self._until is None:
            raise ValueError(f"`{until}` is no RFC 3339 time")
        self._handles = Handles(self.secret, tenant=tenant, machine=kernel.machine.name, caller=caller)
        self._views: dict[tuple[str, Key | None], View] = {}
        self._last: Told | None = None

    @property
    def handles(self) -> Handles:
        """The handles of the session: for the host, never for a model."""
        return self._handles

    def view(self, entity: str, key: Sequence[object] | str) -> View:
        """Return what the caller may see of a case; `key` is its key in raw form, part by part, or its handle.

        Raises as `Kernel.view` does. A handle that is none here gives the view of nothing, read as any other.
        """
        raw = key
        if isinstance(key, str):
            raw = resolved_key(self._kernel.machine, entity, key, self._handles, expired=self._is_over())
        seen = self._kernel.view(entity, raw, caller=self.caller, handles=self._handles)
        seen = dataclasses.replace(seen, last=self._last)
        named = self._key(entity, raw)
        if named is not None:
            self._remember(entity, named, seen)
        return seen

    def creation_view(self) -> View:
        """Return what the caller may propose where there is no case yet."""
        seen = self._kernel.creation_view(caller=self.caller, handles=self._handles)
        seen = dataclasses.replace(seen, last=self._last)
        for transition in self._kernel.machine.transitions:
            if transition.creates:
                self._remember(transition.about, None, seen)
        return seen

    def submit(
        self,
        candidate: Mapping[str, Any] | str | bytes | Candidate | Malformed,
        *,
        attestations: Sequence[Attestation] = (),
        bands: Bands | None = None,
        citable: Collection[str] | None = None,
    ) -> Came:
        """Take one candidate all the way: its handles are read back, its evidence must have been shown.

        `citable` is what may be cited where nobody knows what was shown, and when: without it, what this session has
        shown of the case, and the candidate is about the revision that it showed.
        The record holds the digest of the view that was shown, unless the caller names its prompt's.
        What `edca.api.candidates` has read is taken as it is; `bands` are for the rest. Raises as `Kernel.submit` does.
        """
        read = candidate if isinstance(candidate, (Candidate, Malformed)) else from_json(candidate, self.caller)
        if isinstance(read, Candidate):
            if bands is not None and read is not candidate:
                read = dataclasses.replace(read, confidence=bands.counted(read.confidence))
            read = self._meant(read, citable)
        caller, seen = self.caller, self._shown(read)
        if caller.prompt is None and seen is not None:
            caller = dataclasses.replace(caller, prompt=shown_digest(seen))
        answer = self._kernel.submit(read, caller=caller, attestations=attestations)
        self._last = for_model(self._kernel.machine, read, answer.verdict)
        return Came(answer, self._last, self._handles.shown(RECORD, answer.record.digest))

    def query(self, inquiry: Mapping[str, Any] | str | bytes | Inquiry | Candidate | Malformed) -> Looked:
        """Look something up: handles in the arguments are read back, and what comes of it is told with handles.

        The call of a tool, as `edca.api.candidates` has read it, is taken too. Raises as `Kernel.query` does.
        """
        machine = self._kernel.machine
        read = inquiry_of(inquiry) if isinstance(inquiry, (Candidate, Malformed)) else inquiry
        if not isinstance(read, (Inquiry, Malformed)):
            read = admit_inquiry(candidate_bytes(read), self.caller)
        query = machine.index.queries.get(read.query) if isinstance(read, Inquiry) else None
        if isinstance(read, Inquiry) and query is not None:
            arguments = resolved(machine, query.parameters, read.arguments, self._handles, expired=self._is_over())
            read = dataclasses.replace(read, arguments=arguments)
        answer = self._kernel.query(read, caller=self.caller)
        told = query_for_model(machine, read, answer.verdict, self._handles)
        return Looked(answer, told, self._handles.shown(RECORD, answer.record.digest))

    def handle(self, entity: str, key: Sequence[object]) -> str:
        """Return the handle of an instance, to be named to the model. Raises `ValueError` where it can have none."""
        machine = self._kernel.machine
        if entity not in machine.index.entities:
            raise ValueError(f"the machine has no entity `{entity}`")
        if not is_named(machine.index.entities, entity):
            raise ValueError(f"nothing in the key of `{entity}` is an id, a handle or a principal")
        named = self._key(entity, key)
        if named is None:
            raise ValueError(f"that is no key of `{entity}`")
        return handle_of(machine.index.entities, entity, key_to_raw(machine, entity, named), self._handles)

    def record(self, handle: str) -> bytes | None:
        """Return the digest of the record whose handle a model quotes; null where it is none of this session."""
        found = self._handles.meant(RECORD, handle, expired=self._is_over())
        return found if isinstance(found, bytes) else None

    def _meant(self, candidate: Candidate, citable: Collection[str] | None) -> Candidate | Malformed:
        machine = self._kernel.machine
        branches = machine.index.offered.get(candidate.transition, ())
        if branches:  # of all branches, since they have the same parameters
            arguments = resolved(
                machine, branches[0].parameters, candidate.arguments, self._handles, expired=self._is_over()
            )
            candidate = dataclasses.replace(candidate, arguments=arguments)
        if citable is not None:
            return about(candidate, View(machine.name, None, "", None, dict.fromkeys(citable), {}, ()))
        return about(candidate, self._shown(candidate))

    def _shown(self, read: Candidate | Malformed) -> View | None:
        """Return the view of the case that a candidate is about, as it was shown last."""
        case = None if isinstance(read, Malformed) else address(self._kernel.machine, read)
        return None if case is None else self._views.get((case.entity, case.key))

    def _key(self, entity: str, raw: Sequence[object]) -> Key | None:
        try:
            return key_from_raw(self._kernel.machine, entity, list(raw))
        except (ValueProblem, ValueError):
            return None

    def _remember(self, entity: str, key: Key | None, seen: View) -> None:
        self._views.pop((entity, key), None)
        self._views[entity, key] = seen
        if len(self._views) > VIEWS_MAX:
            del self._views[next(iter(self._views))]

    def _is_over(self) -> bool:
        return self._until is not None and self._clock.now() >= self._until


class AsyncSession:
    """A session in which nothing holds up the event loop: see `Session`. Use `AsyncKernel.session`."""

    def __init__(self, session: Session, run: Callable[..., Awaitable[Any]]) -> None:
        """Use `AsyncKernel.session`."""
        self.session = session
        self._run = run

    async def view(self, entity: str, key: Sequence[object] | str) -> View:
        """Return what the caller may see of a case."""
        return cast("View", await self._run(self.session.view, entity, key))

    async def creation_view(self) -> View:
        """Return what the caller may propose where there is no case yet."""
        return cast("View", await self._run(self.session.creation_view))

    async def submit(
        self,
        candidate: Mapping[str, Any] | str | bytes | Candidate | Malformed,
        *,
        attestations: Sequence[Attestation] = (),
        bands: Bands | None = None,
    ) -> Came:
        """Take one candidate all the way."""
        return cast("Came", await self._run(self.session.submit, candidate, attestations=attestations, bands=bands))

    async def query(self, inquiry: Mapping[str, Any] | str | bytes | Inquiry | Candidate | Malformed) -> Looked:
        """Look something up."""
        return cast("Looked", await self._run(self.session.query, inquiry))
