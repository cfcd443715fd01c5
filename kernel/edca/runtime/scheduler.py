"""The scheduler: what is due is proposed by the clock, and decided like any other candidate.

A candidate's idempotency key follows from the case, its revision, the transition and what stands in its way. So each
timer acts once, across restarts and however many schedulers there are, and what was refused is not proposed again
before something has changed: the case, or what its clauses read.
"""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel import canonical
from edca.kernel.candidate import Caller, Candidate
from edca.kernel.verdict import Accepted, Refused, Stage, failed
from edca.runtime.cases import key_to_raw, load_row
from edca.runtime.reentry import check_outside
from edca.runtime.timers import Timers, timed

if TYPE_CHECKING:
    from edca.kernel.canonical import Data
    from edca.kernel.inputs import Case
    from edca.kernel.verdict import Verdict
    from edca.runtime.answers import Answer
    from edca.runtime.loop import Runtime
    from edca.runtime.timers import Due

# Nothing is put on record where these stages would stop it: they say that it isn't the clock's turn.
_NOT_NOW = frozenset(
    {
        Stage.WRONG_MACHINE,
        Stage.HALTED,
        Stage.MODE,
        Stage.CLOCK_WENT_BACK,
        Stage.STALE_REVISION,
        Stage.EFFECT_PENDING,
        Stage.NO_SUCH_TRANSITION,
        Stage.TOO_EARLY,
    }
)
EVERY_S = 30.0


class NoClockError(ValueError):
    """Nobody on the roster holds the role in which the clock proposes; the message names it."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A timer that came to a decision just now."""

    case: str
    transition: str
    answer: Answer


class Scheduler:
    """Proposes what is due. Threads may share it, and several may serve one runtime."""

    def __init__(self, runtime: Runtime) -> None:
        """Build the timers. Raises `NoClockError`, and what reading the ledger raises."""
        context = runtime.context
        self._runtime = runtime
        self._lock = threading.Lock()
        self._callers = _callers(runtime)
        self._timed = timed(context.machine)
        self._timers = Timers(context.machine, context.store, context.tenant)

    def run_due(self) -> tuple[Fired, ...]:
        """Propose everything that is due now, oldest first, and return what was decided anew.

        A case that somebody is at is waited for shortly, and then passed over: it is due the next time. Effects that
        somebody was torn away from are gone on with, in any case. Questions that nobody has answered in time are closed
        besides, and what people have answered while nothing could be decided, such as in a mode that a trigger has
        ended since, is decided.

        Where another process runs the timers of this machine just now, nothing is proposed here.

        Raises what `Runtime.submit` raises, and `NoClockError` where nobody on a changed roster speaks for the clock;
        what was decided before stays decided, and the rest is due the next time.
        """
        check_outside(self._runtime.context.lanes)
        context = self._runtime.context
        lease = f"{context.tenant}/#timers:{context.machine.name}"
        if not context.turn(lambda: context.store.hold(lease)):
            self._runtime.carry_on_all_interrupted()  # what this process has begun is its own to go on with
            return ()
        try:
            return self._run_due()
        finally:
            context.turn(lambda: context.store.let_go(lease))

    def _run_due(self) -> tuple[Fired, ...]:
        with self._lock:
            self._callers = _callers(self._runtime)  # the roster may be another one by now
            found = self._timers.due(self._runtime.context.clock.now())
        fired = [self._propose(due) for due in found]  # not under the lock: an effect may take its time
        try:
            self._runtime.carry_on_all_interrupted()
        finally:
            self._runtime.close_overdue()
            self._runtime.resume_answers()
        return tuple(one for one in fired if one is not None)

    def next_at(self) -> int | None:
        """Return when the first timer is or was due, in microseconds UTC; null where there is none."""
        with self._lock:
            return self._timers.next_at()

    def _propose(self, due: Due) -> Fired | None:
        # The lane is held so that nothing comes between what is foreseen and what is decided.
        with self._runtime.context.lanes.try_hold(due.case) as is_held:
            if not is_held:
                return None
            self._runtime.carry_on_interrupted(due.case)
            row = load_row(self._runtime.context.store, due.case)
            role = None if row is None else self._role(row.case, due.transition)
            if row is None or role is None:
                return None  # the case has moved since
            candidate, caller = self._candidate(row.case, due.transition), self._callers[role]
            foreseen = self._runtime.foresee(candidate, caller)
            if isinstance(foreseen, Refused) and foreseen.stage in _NOT_NOW:
                return None
            answer = self._submit(row.case, candidate, caller, foreseen)
            return None if answer is None else Fired(due.case, due.transition, answer)

    def _submit(self, case: Case, candidate: Candidate, caller: Caller, foreseen: Verdict) -> Answer | None:
        """Submit the candidate, and return the answer where it was decided now and not before."""
        in_the_way = [clause.code for clause in failed(foreseen)] or [foreseen.code]
        attempt: bytes | None = None
        while True:
            parts: list[Data] = [case.id, case.revision, candidate.transition, list(in_the_way), attempt]
            key = canonical.digest("timer", canonical.encode(parts)).hex()
            head = self._runtime.context.store.head(case.id)
            answer = self._runtime.submit(dataclasses.replace(candidate, key=key), caller)
            if answer.record.chain != case.id or head is None or answer.record.entry > head[0]:
                return answer
            if isinstance(answer.verdict, Accepted) or not isinstance(foreseen, Accepted):
                return None
            # It looked acceptable once before, and was refused when it came to it: another try, known by that refusal.
            attempt = answer.record.digest

    def _role(self, case: Case, transition: str) -> str | None:
        rows = self._timed.get((case.entity, case.state), ())
        return next((row.role for row in rows if row.transition == transition), None)

    def _candidate(self, case: Case, offered: str) -> Candidate:
        machine = self._runtime.context.machine
        names = machine.index.offered[offered][0].key
        return Candidate(
            transition=offered,
            arguments=dict(zip(names, key_to_raw(machine, case.entity, case.key), strict=True)),
            proposer="",
            role="",
            subject=None,
            model=None,
            revision=case.revision,
            key="",
            confidence=None,
            evidence=(),
            rationale="",
        )


class TimerThread:
    """Runs a scheduler in the background until it is stopped. What goes wrong is kept and tried again the next time."""

    def __init__(self, scheduler: Scheduler, every_s: float = EVERY_S) -> None:
        """Start. `every_s` is how many seconds pass between two looks, and so how late a timer may be."""
        if not every_s > 0:
            raise ValueError("timers are looked at every so many seconds, more than zero")
        self.failure: Exception | None = None
        self._scheduler = scheduler
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edca-timers", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it has not been stopped."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Stop after what is being decided, and wait for it. Calling it again does nothing."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._scheduler.run_due()
            except Exception as error:  # a thread that dies unseen would let deadlines pass
                self.failure = error
            else:
                self.failure = None
            self._stopped.wait(self._every_s)


def _roles(runtime: Runtime) -> tuple[str, ...]:
    """Return the roles in which the clock has something to propose."""
    return tuple(sorted({row.role for rows in timed(runtime.context.machine).values() for row in rows}))


def _callers(runtime: Runtime) -> dict[str, Caller]:
    return {role: _caller(runtime, role) for role in _roles(runtime)}


def _caller(runtime: Runtime, role: str) -> Caller:
    holders = sorted(p.id for p in runtime.context.roster.principals if role in p.roles and p.model is None)
    if not holders:
        raise NoClockError(
            f"nobody on the roster holds the role `{role}`, in which the clock proposes; add a principal such as "
            f'`id = "timers"`, `roles = ["{role}"]`'
        )
    return Caller(holders[0], role)
