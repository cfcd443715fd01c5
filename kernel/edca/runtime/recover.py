"""After a crash: every accepted verdict without an outcome gets one, before anything new is decided about its case.

A permit that was never spent means that its effect was not called: it was accepted, durably, so it is carried out now.
For a spent one the route is asked: what it did is confirmed, what it did not do is done under the same key, and where
it can't tell, or its time is over, the case goes where the spec says that it goes on a timeout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edca.ledger.errors import TamperedError
from edca.ledger.record import parse
from edca.runtime import approving, modes
from edca.runtime.cases import SPACE, row_from_bytes
from edca.runtime.config import CHAIN, Configuration
from edca.runtime.effects import Acceptance
from edca.runtime.question import Question
from edca.runtime.reentry import check_outside
from edca.runtime.standing import trusted_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.runtime.answers import Answer
    from edca.runtime.cases import Row
    from edca.runtime.loop import Runtime


def recover(runtime: Runtime) -> tuple[Answer, ...]:
    """Resume what dangles, in order of the cases' ids, and return how each came out.

    What was accepted under another machine or other routes than the ones in force is quarantined: its effect might now
    mean something else. What a halt holds up stays pending, and is no part of what is returned. Nor is what others are
    at: their case is waited for shortly, and if they leave it unfinished, the next tick goes on with it.

    Where one case raises, the others are gone on with all the same, and then the first error is raised; it is what the
    ledger raises. Only a ledger that was tampered with stops everything at once. Calling it again goes on with what is
    left. Raises `ReentrantCallError` within an effect.
    """
    check_outside(runtime.context.lanes)
    store, own = runtime.context.store, f"{runtime.context.tenant}/"
    with store.reading():
        pending = [
            id_
            for id_, value in store.cells(SPACE)
            if id_.startswith(own) and row_from_bytes(value).case.pending is not None
        ]
    answers, errors = _each_resumed(runtime, pending)
    try:
        # Last: what people have answered meanwhile may be about a case that had effects under way.
        answers.extend(approving.resume(runtime))
    except TamperedError:
        raise
    except Exception as error:
        errors.append(error)
    if errors:
        raise errors[0]
    return tuple(answers)


def carry_on_interrupted(runtime: Runtime, id_: str | None) -> None:
    """Go on with the effects of a case that somebody began in this process and was torn away from."""
    if id_ is not None and id_ in runtime.context.interrupted and not _is_halted(runtime):
        _resumed(runtime, id_)


def carry_on_all_interrupted(runtime: Runtime) -> None:
    """Go on with all such cases, as `recover` does with what dangles: for the clock, when nobody comes about them.

    So it does with those that another process had begun, and lives no more.
    """
    context = runtime.context
    context.interrupted.update(context.store.abandoned(f"{context.tenant}/"))
    if context.interrupted and not _is_halted(runtime):
        _, errors = _each_resumed(runtime, sorted(context.interrupted))
        if errors:
            raise errors[0]


def _is_halted(runtime: Runtime) -> bool:
    with runtime.context.store.reading():
        return modes.is_halted(runtime.context)


def _each_resumed(runtime: Runtime, ids: Sequence[str]) -> tuple[list[Answer], list[Exception]]:
    """Carry on with each case, whatever became of the one before."""
    answers: list[Answer] = []
    errors: list[Exception] = []
    for id_ in ids:
        try:
            answer = _resumed(runtime, id_)
        except TamperedError:
            raise
        except Exception as error:
            runtime.context.interrupted.add(id_)
            errors.append(error)
        else:
            answers.extend(() if answer is None else (answer,))
    return answers, errors


def _resumed(runtime: Runtime, id_: str) -> Answer | None:
    """Carry on with the case of that id, if it still dangles once whoever is at it has left."""
    context = runtime.context
    with context.lanes.try_hold(id_) as is_held:
        if not is_held:
            context.interrupted.add(id_)  # whoever is at it may leave it unfinished
            return None
        context.interrupted.discard(id_)
        try:
            return _resumed_in_lane(runtime, id_)
        except BaseException:
            context.interrupted.add(id_)  # the store was gone for a moment: whoever comes next goes on
            raise


def _resumed_in_lane(runtime: Runtime, id_: str) -> Answer | None:
    context = runtime.context
    with context.store.reading():
        row = trusted_row(context.store, context.machine, id_)
        if row is None or row.case.pending is None or row.quarantined:
            return None
        configuration = Configuration.of(context.store.records(chain=CHAIN))
    if not (context.store.holds(id_) or context.turn(lambda: context.store.hold(id_))):
        context.interrupted.add(id_)  # another process is at it, and may leave it unfinished
        return None
    return _carry_on(runtime, configuration, row)


def _carry_on(runtime: Runtime, configuration: Configuration, row: Row) -> Answer | None:
    context = runtime.context
    if row.record is None:
        raise ValueError(f"the pending case {row.case.id} names no record")
    stored = context.store.read(row.record)
    content: Any = parse(stored.body).content
    machine, roster = configuration.machine(content["machine"]), configuration.roster(content["roster"])
    acceptance = Acceptance.of(Question.from_data(content, machine, roster), stored)
    same = (content["machine"], content["routes"]) == (context.machine.digest, context.router.digest)
    return runtime.carry_on(acceptance) if same else runtime.quarantine(acceptance)
