"""After a crash: every accepted verdict without an outcome gets one, before anything new is decided about its case.

A permit that was never spent means that its effect was not called: it was accepted, durably, so it is carried out now.
For a spent one the route is asked: what it did is confirmed, what it did not do is done under the same key, and where
it can't tell, or its time is over, the case goes where the spec says that it goes on a timeout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edca.ledger.record import parse
from edca.runtime import approving
from edca.runtime.cases import SPACE, row_from_bytes
from edca.runtime.config import CHAIN, Configuration
from edca.runtime.effects import Acceptance
from edca.runtime.question import Question
from edca.runtime.standing import trusted_row

if TYPE_CHECKING:
    from edca.runtime.answers import Answer
    from edca.runtime.cases import Row
    from edca.runtime.loop import Runtime


def recover(runtime: Runtime) -> tuple[Answer, ...]:
    """Resume what dangles, in order of the cases' ids, and return how each came out.

    What was accepted under another machine or other routes than the ones in force is quarantined: its effect might now
    mean something else. What a halt holds up stays pending, and is no part of what is returned. Raises what the ledger
    raises; calling it again goes on where it stopped.
    """
    with runtime.lock:
        store = runtime.context.store
        own = f"{runtime.context.tenant}/"
        pending = [
            id_
            for id_, value in store.cells(SPACE)
            if id_.startswith(own) and row_from_bytes(value).case.pending is not None
        ]
        rows = [trusted_row(store, runtime.context.machine, id_) for id_ in pending]
        dangling = [row for row in rows if row is not None and not row.quarantined]
        answers: list[Answer | None] = []
        if dangling:
            configuration = Configuration.of(store.records(chain=CHAIN))
            answers = [_carry_on(runtime, configuration, row) for row in dangling]
        # Last: what people have answered meanwhile may be about a case that had effects under way.
        return (*(answer for answer in answers if answer is not None), *approving.resume(runtime))


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
