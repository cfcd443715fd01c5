"""Many submissions taken by one thread: read for one after the other, decided each in a turn, committed together.

It is the way of `Runtime.submit`, for candidates that nothing is in the way of. Whatever is out of the ordinary with
one of them sends it back before anything is begun, to be submitted apart: its case is taken, it creates a case, its
source is slow, its turn wants what was not read. And what is accepted with effects is finished apart, since effects
take as long as they take.
"""

from __future__ import annotations

import enum
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from edca.kernel.candidate import Candidate
from edca.runtime import modes, rosters
from edca.runtime.answers import SPACE as KEYS
from edca.runtime.answers import Answer
from edca.runtime.cases import SPACE as CASES
from edca.runtime.counter_cells import HELD
from edca.runtime.counters import holder, is_limited
from edca.runtime.evidence import Evidence, UnreadError
from edca.runtime.gather import look_up, read_ahead
from edca.runtime.readers import LateError
from edca.runtime.recording import decide_and_record
from edca.runtime.turns import Needs
from edca.runtime.waiting import SPACE as INBOX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edca.kernel.candidate import Caller, Malformed
    from edca.kernel.inputs import Attestation
    from edca.runtime.addressing import Addressed
    from edca.runtime.answers import RecordReference
    from edca.runtime.context import Context
    from edca.runtime.gather import Ahead, LookedUp
    from edca.runtime.loop import Runtime
    from edca.runtime.question import Question
    from edca.runtime.recording import Recorded

PATIENCE_S = 0.05  # how long all wait for the sources of one


@dataclass(frozen=True, slots=True)
class Submission:
    """What somebody submits: see `Runtime.submit`."""

    payload: bytes | Candidate | Malformed
    caller: Caller
    attestations: Sequence[Attestation]


class Apart(enum.Enum):
    """Nothing was begun: submit it on its own."""

    APART = "apart"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """It is on record that a candidate was accepted with effects: `finish` carries them out. Its lane is held."""

    question: Question
    reference: RecordReference
    lane: str


Came: TypeAlias = Answer | Exception | Apart | Unfinished
"""What a submission has come to; an exception is what `Runtime.submit` would have raised."""


@dataclass(slots=True)
class _Going:
    """One submission under way, and what each stage has found; `came` is set once it goes on no further here."""

    submission: Submission
    came: Came | None = None
    addressed: Addressed | None = None
    lane: str | None = None
    looked_up: LookedUp | None = None
    ahead: Ahead | None = None
    begun: list[str] = field(default_factory=list)


def take_together(runtime: Runtime, submissions: Sequence[Submission]) -> tuple[list[Came], bool]:
    """Return what each submission has come to, and whether the sources of one kept the others waiting.

    Raises what isn't an `Exception`; then whatever was begun is gone on with as after any interruption.
    """
    context = runtime.context
    all_going = [_Going(one) for one in submissions]
    try:
        for going in all_going:
            _enter(runtime, going)
        evidence = Evidence(context.router, context.readers, None, context.lanes)
        inner = context.asking(evidence)
        is_late = _read(inner, _still(all_going))
        evidence.seal()
        _decide(runtime, inner, _still(all_going))
    except BaseException:
        context.interrupted.update(id_ for going in all_going for id_ in going.begun)
        raise
    finally:
        for going in all_going:
            if going.lane is not None and not isinstance(going.came, Unfinished):
                context.lanes.leave(going.lane)
    return [going.came or Apart.APART for going in all_going], is_late


def _still(all_going: Sequence[_Going]) -> list[_Going]:
    return [going for going in all_going if going.came is None]


def _enter(runtime: Runtime, going: _Going) -> None:
    """Find out what it is about, and take its lane if that is free."""
    context = runtime.context
    try:
        going.addressed = addressed = runtime.address(
            going.submission.payload, going.submission.caller, going.submission.attestations
        )
    except Exception as error:
        going.came = error
        return
    id_ = addressed.case_id
    if id_ is None or id_ in context.interrupted or not context.lanes.enter_free(id_):
        going.came = Apart.APART
        return
    going.lane = id_


def _read(context: Context, all_going: Sequence[_Going]) -> bool:
    """Look all of them up in the store, and then read what each wants; tell whether somebody's sources are slow."""
    with context.store.reading():
        needs = _needs(context, all_going)
        context.store.fetch(needs.cells, needs.chains)
        for going in all_going:
            if going.addressed is None:
                continue
            try:
                going.looked_up = look_up(context, going.addressed, context.clock.now())
            except Exception as error:
                going.came = error
    reading = _Reading(context, _still(all_going))
    try:
        is_late = not context.readers.call_while(reading.run, reading.has_gone_on, PATIENCE_S)
    except LateError:
        is_late = True
    reading.stop()
    for going in _still(all_going):
        if going.ahead is None:
            going.came = Apart.APART
    return is_late


class _Reading:
    """Reads for one after the other, in a thread that is left behind where one of them takes too long."""

    def __init__(self, context: Context, all_going: Sequence[_Going]) -> None:
        self._is_over = threading.Event()
        self._context = context
        self._all_going = all_going
        self._done = 0
        self._seen = -1

    def run(self) -> None:
        for going in self._all_going:
            if self._is_over.is_set() or going.addressed is None or going.looked_up is None:
                return
            try:
                ahead = read_ahead(self._context, going.addressed, going.looked_up)
            except Exception:
                ahead = None  # whatever it is, it will happen again where it is submitted apart, and be told there
            if self._is_over.is_set():
                return
            going.ahead = ahead
            self._done += 1

    def stop(self) -> None:
        """Leave the rest unread, and keep nothing of what comes now."""
        self._is_over.set()

    def has_gone_on(self) -> bool:
        """Tell whether any more has been read since this was last asked."""
        before, self._seen = self._seen, self._done
        return self._seen > before


def _decide(runtime: Runtime, context: Context, all_going: Sequence[_Going]) -> None:
    """Decide and record each in a turn of its own."""
    works = [partial(_decided, context, going) for going in all_going]
    read = _needs(context, all_going)
    needs = Needs([*read.cells, *_held(context, all_going)], read.chains)
    for going, came in zip(all_going, context.turns_for(works, needs), strict=True):
        going.came = _came_of(runtime, going, came)


def _decided(context: Context, going: _Going) -> Recorded:
    if going.addressed is None or going.ahead is None:
        raise AssertionError("what was not read is not decided on")
    return decide_and_record(context, going.addressed, going.ahead, going.begun)


def _came_of(runtime: Runtime, going: _Going, came: Recorded | Exception) -> Came:
    if isinstance(came, UnreadError):
        return Apart.APART
    if isinstance(came, Exception):
        # Where the commit's fate is not known, its acceptance may stand: whoever comes next about the case looks.
        runtime.context.interrupted.update(going.begun)
        return came
    if came.question is None or going.lane is None:
        runtime.note(going.submission.caller, came.answer)
        return came.answer
    return Unfinished(came.question, came.answer.record, going.lane)


def _held(context: Context, all_going: Sequence[_Going]) -> Iterator[tuple[str, str]]:
    """Yield the cells that say what each candidate, if it has been escalated before, holds reserved of limits."""
    machine = context.machine
    for going in all_going:
        candidate = None if going.addressed is None else going.addressed.admitted.candidate
        if isinstance(candidate, Candidate) and is_limited(machine, candidate.transition):
            yield HELD, holder(context.tenant, machine.name, candidate.digest)


def _needs(context: Context, all_going: Sequence[_Going]) -> Needs:
    """Return what deciding on them will read."""
    cells: list[tuple[str, str]] = []
    name = context.machine.name
    chains = [modes.chain_of_modes(context.tenant, name), rosters.chain_of_rosters(context.tenant, name)]
    for going in all_going:
        addressed = going.addressed
        if addressed is None or addressed.case_id is None or addressed.question_key is None:
            continue
        cells += ((CASES, addressed.case_id), (INBOX, addressed.question_key))
        if addressed.key is not None:
            cells.append((KEYS, addressed.key))
        chains.append(addressed.case_id)
    return Needs(cells, chains)
