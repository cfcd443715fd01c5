"""`AsyncKernel`: a kernel for programs that run on asyncio. Every method means what `Kernel`'s of that name means."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from edca.api.crowd import Crowd
from edca.api.kernel import Kernel
from edca.api.payloads import payload_of
from edca.api.session import AsyncSession
from edca.ledger.commitment import DELAY_US
from edca.runtime.entrance import WAITING_MAX, Entrance
from edca.runtime.reentry import check_outside
from edca.runtime.together import Submission

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from edca.kernel.candidate import Caller, Candidate, Malformed
    from edca.kernel.inputs import Attestation
    from edca.kernel.inquiry import Inquiry
    from edca.kernel.machine import Machine
    from edca.kernel.roster import Roster
    from edca.runtime.answers import Answer, RecordReference
    from edca.runtime.approving import Answered
    from edca.runtime.asking import QueryAnswer
    from edca.runtime.erasing import Erased
    from edca.runtime.inbox import OpenQuestion
    from edca.runtime.limit_use import LimitUse
    from edca.runtime.operating import Adopted
    from edca.runtime.question import Question
    from edca.runtime.reconcile import Reconciled
    from edca.runtime.retention import Kept
    from edca.runtime.retention_rules import RetentionRules
    from edca.runtime.scheduler import Fired
    from edca.semantic.handles import Handles
    from edca.semantic.view import View

WORKERS = 64  # candidates that are read for, decided about or acted on at one time
_URGENT_WORKERS = 2
_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Opening:
    """A kernel that is being opened in a thread, which cannot be stopped when nobody waits for it any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: Kernel | None = None
        self._is_abandoned = False

    @property
    def kernel(self) -> Kernel:
        """The kernel, once `run` has returned."""
        if self._opened is None:
            raise RuntimeError("the kernel is not open")
        return self._opened

    def run(self, open_kernel: Callable[[], Kernel]) -> None:
        """Open it, and close it again where it has been abandoned meanwhile."""
        kernel = open_kernel()
        with self._lock:
            self._opened = kernel
            is_abandoned = self._is_abandoned
        if is_abandoned:
            kernel.close()

    def abandon(self) -> None:
        """Close it as soon as it is open."""
        with self._lock:
            self._is_abandoned = True
            kernel = self._opened
        if kernel is not None:
            kernel.close()


class AsyncKernel:
    """Runs a kernel in threads of its own, so that nothing holds up the event loop.

    Whoever stops waiting, because a task is cancelled or a timeout is over, takes nothing back: what had been begun
    comes to its verdict, record and outcome all the same, and the same candidate with the same key then gets that
    answer. What had not been begun is not begun. Use it as an async context manager, or await `close`.
    """

    def __init__(self, kernel: Kernel, *, workers: int = WORKERS, waiting_max: int = WAITING_MAX) -> None:
        """Serve `kernel`, which `close` closes.

        `workers` is how many candidates are taken at one time, and how many other calls run besides; `waiting_max` how
        many may run or wait: beyond it they raise `OverloadedError` at once. `halt` never waits for any of them.
        """
        self.kernel = kernel
        self._entrance = Entrance(waiting_max)
        self._crowd = Crowd(kernel._runtime, workers, self._entrance)
        self._pool = ThreadPoolExecutor(workers, "edca-async-call")
        self._urgent = ThreadPoolExecutor(_URGENT_WORKERS, "edca-urgent")

    @classmethod
    async def open(cls, *args: Any, workers: int = WORKERS, waiting_max: int = WAITING_MAX, **options: Any) -> Self:
        """Do what `Kernel.open` does with the same arguments, and raise what it raises.

        Raises `ValueError` for no workers at all. Where it raises, or is cancelled, the ledger does not stay open.
        """
        opening = _Opening()
        try:
            await asyncio.to_thread(opening.run, partial(Kernel.open, *args, waiting_max=waiting_max, **options))
            return cls(opening.kernel, workers=workers, waiting_max=waiting_max)
        except BaseException:
            opening.abandon()
            raise

    @property
    def machine(self) -> Machine:
        """The machine in force."""
        return self.kernel.machine

    async def submit(
        self,
        candidate: Mapping[str, Any] | str | bytes | Candidate | Malformed,
        *,
        caller: Caller,
        attestations: Sequence[Attestation] = (),
    ) -> Answer:
        """Take one candidate all the way."""
        check_outside(self.kernel._runtime.context.lanes)
        submission = Submission(payload_of(candidate), caller, attestations)
        self._entrance.enter()
        try:
            future = self._crowd.submit(submission, asyncio.get_running_loop())
        except BaseException:
            self._entrance.leave()
            raise
        return await future

    async def query(
        self, inquiry: Mapping[str, Any] | str | bytes | Inquiry | Malformed, *, caller: Caller
    ) -> QueryAnswer:
        """Look something up, and return what came of it once it is on record."""
        return await self._run(self.kernel.query, inquiry, caller=caller)

    async def view(self, entity: str, key: Sequence[object], *, caller: Caller, handles: Handles | None = None) -> View:
        """Return what `caller` may see of a case."""
        return await self._run(self.kernel.view, entity, key, caller=caller, handles=handles)

    async def creation_view(self, *, caller: Caller, handles: Handles | None = None) -> View:
        """Return what `caller` may propose where there is no case yet."""
        return await self._run(self.kernel.creation_view, caller=caller, handles=handles)

    def session(self, caller: Caller, *, secret: bytes | None = None, until: str | None = None) -> AsyncSession:
        """Return a session of `caller`. Making one reads and writes nothing, so there is nothing to await."""
        return AsyncSession(self.kernel.session(caller, secret=secret, until=until), self._run)

    def attest(self, name: str, value: object, *, by: str, role: str, source: str = "host") -> Attestation:
        """Return an attestation made now. It reads and writes nothing, so there is nothing to await."""
        return self.kernel.attest(name, value, by=by, role=role, source=source)

    async def inbox(self) -> tuple[OpenQuestion, ...]:
        """Return what waits for people."""
        return await self._run(self.kernel.inbox)

    async def close_overdue(self) -> tuple[RecordReference, ...]:
        """Put on record which questions nobody has answered in time."""
        return await self._run(self.kernel.close_overdue)

    async def approve(
        self,
        question: str,
        *,
        code: str,
        by: str,
        role: str,
        preview: bytes,
        signature: bytes | None = None,
        key: bytes | None = None,
    ) -> Answered:
        """Say yes for a person to what a clause of a question asks."""
        answer = partial(self.kernel.approve, question, code=code, by=by, role=role, preview=preview)
        return await self._run(answer, signature=signature, key=key)

    async def decline(
        self,
        question: str,
        *,
        code: str,
        by: str,
        role: str,
        preview: bytes,
        signature: bytes | None = None,
        key: bytes | None = None,
    ) -> Answered:
        """Say no for a person to what a clause of a question asks."""
        answer = partial(self.kernel.decline, question, code=code, by=by, role=role, preview=preview)
        return await self._run(answer, signature=signature, key=key)

    async def observe(
        self,
        entity: str,
        key: Sequence[object],
        *,
        by: str,
        state: str | None = None,
        signature: bytes | None = None,
        private_key: bytes | None = None,
    ) -> RecordReference:
        """Put on record that a person has looked."""
        act = partial(self.kernel.observe, by=by, state=state, signature=signature, private_key=private_key)
        return await self._run(act, entity, key)

    async def reconcile(self, entity: str, key: Sequence[object], *, by: str) -> Reconciled:
        """Ask the routes again what nobody could tell in time."""
        return await self._run(self.kernel.reconcile, entity, key, by=by)

    async def observation_message(self, entity: str, key: Sequence[object], *, state: str | None = None) -> bytes:
        """Return what somebody signs who observes that case now."""
        return await self._run(self.kernel.observation_message, entity, key, state=state)

    async def reconcile_case(self, case: str, *, by: str) -> Reconciled:
        """Do what `reconcile` does, for the case of that id."""
        return await self._run(self.kernel.reconcile_case, case, by=by)

    async def settle(self, record: RecordReference | int, code: str, amount: object) -> RecordReference:
        """Put the actual amount of what a limit counted in its estimate's place."""
        return await self._run(self.kernel.settle, record, code, amount)

    async def adopt_roster(self, roster: str | os.PathLike[str] | Roster, *, by: str, reason: str) -> Adopted:
        """Put another roster in force, from the next decision on: see `Kernel.adopt_roster`."""
        return await self._run(self.kernel.adopt_roster, roster, by=by, reason=reason)

    async def take_over(self, entity: str, key: Sequence[object], *, by: str, reason: str = "") -> RecordReference:
        """Let only people's candidates be decided about a case."""
        return await self._run(self.kernel.take_over, entity, key, by=by, reason=reason)

    async def hand_back(self, entity: str, key: Sequence[object], *, by: str, reason: str = "") -> RecordReference:
        """End a takeover."""
        return await self._run(self.kernel.hand_back, entity, key, by=by, reason=reason)

    async def enter_mode(self, name: str, *, by: str, role: str, reason: str = "") -> RecordReference:
        """Let a person begin a mode."""
        return await self._run(self.kernel.enter_mode, name, by=by, role=role, reason=reason)

    async def leave_mode(self, *, by: str, role: str, reason: str = "") -> RecordReference:
        """Let a person end the mode in force."""
        return await self._run(self.kernel.leave_mode, by=by, role=role, reason=reason)

    async def halt(self, *, by: str, reason: str) -> RecordReference:
        """Refuse everything, and begin no effect, from now on."""
        return await self._at_once(partial(self.kernel.halt, by=by, reason=reason))

    async def resume(self, *, by: str, reason: str = "") -> tuple[Answer, ...]:
        """End a halt, and carry on with the effects that it held up."""
        # In a thread apart: it waits for effects that are under way, and a halt must find one free all the same.
        return await asyncio.to_thread(self.kernel.resume, by=by, reason=reason)

    async def recover(self) -> tuple[Answer, ...]:
        """Carry on with accepted verdicts whose effects have no outcome yet."""
        return await asyncio.to_thread(self.kernel.recover)

    async def mode(self) -> str:
        """Return the mode in force now."""
        return await self._at_once(lambda: self.kernel.mode)

    async def limits(self) -> tuple[LimitUse, ...]:
        """Return what each limit has counted so far."""
        return await self._run(self.kernel.limits)

    async def question(self, record: int) -> Question:
        """Return what was decided in a verdict."""
        return await self._run(self.kernel.question, record)

    def commitment(self, record: RecordReference, key: str, *, within_s: float = DELAY_US / 1_000_000) -> bytes:
        """Return the ledger's signed promise of a record's place. It reads and writes nothing, as `attest`."""
        return self.kernel.commitment(record, key, within_s=within_s)

    async def erase(self, subject: str, *, by: str, reason: str, even_open: bool = False) -> Erased:
        """Destroy what is personal of a person."""
        return await self._run(self.kernel.erase, subject, by=by, reason=reason, even_open=even_open)

    async def erase_case(self, case: str, *, by: str, reason: str, even_open: bool = False) -> Erased:
        """Destroy what is personal of one case."""
        return await self._run(self.kernel.erase_case, case, by=by, reason=reason, even_open=even_open)

    async def kept(self, rules: RetentionRules) -> tuple[Kept, ...]:
        """Return what has a class and still its personal values, in order of when its time is over."""
        return await self._run(self.kernel.kept, rules)

    async def purge(self, rules: RetentionRules, *, by: str) -> tuple[Erased, ...]:
        """Erase everything whose time is over and that nothing stands against."""
        return await self._run(self.kernel.purge, rules, by=by)

    async def hold_subject(self, subject: str, *, by: str, reason: str, on: bool = True) -> RecordReference:
        """Put a person on legal hold, or lift that."""
        return await self._run(self.kernel.hold_subject, subject, by=by, reason=reason, on=on)

    async def hold_case(self, case: str, *, by: str, reason: str, on: bool = True) -> RecordReference:
        """Put one case on legal hold, or lift that."""
        return await self._run(self.kernel.hold_case, case, by=by, reason=reason, on=on)

    async def tick(self) -> tuple[Fired, ...]:
        """Propose what is due in the clock's name, once."""
        return await self._run(self.kernel.tick)

    async def close(self) -> None:
        """Wait for what has been begun, and close the kernel. Calling it again does nothing."""
        await asyncio.to_thread(self._close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _run(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run `work` in a thread. Who is cancelled leaves; the place is taken until the thread is done."""
        self._entrance.enter()
        try:
            future = self._pool.submit(copy_context().run, partial(work, *args, **kwargs))
        except BaseException:
            self._entrance.leave()
            raise
        future.add_done_callback(lambda _: self._entrance.leave())
        return await asyncio.wrap_future(future)

    async def _at_once(self, work: Callable[[], _T]) -> _T:
        return await asyncio.wrap_future(self._urgent.submit(copy_context().run, work))

    def _close(self) -> None:
        self._crowd.close()
        self._pool.shutdown()
        self._urgent.shutdown()
        self.kernel.close()
