"""Stage 4 and the last one: what the records of a verdict and of an outcome hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.candidate import Malformed
from edca.kernel.verdict import Accepted
from edca.runtime import cases
from edca.runtime.answers import Outcome
from edca.runtime.cases import Opened, change, completed, value_to_data
from edca.runtime.kinds import INTAKE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.kernel.canonical import Data
    from edca.kernel.inputs import Case
    from edca.kernel.machine import Machine
    from edca.kernel.verdict import Verdict
    from edca.runtime.context import Context
    from edca.runtime.effects import Step
    from edca.runtime.question import Question


def chain_of(question: Question, verdict: Verdict) -> str:
    """Return the chain of the verdict's record: the case's, or the node's intake where there is no case (yet)."""
    case = question.case
    uncreated = question.opened is Opened.CREATED and not isinstance(verdict, Accepted)
    return INTAKE if case is None or uncreated else case.id


def after_verdict(machine: Machine, case: Case, verdict: Verdict) -> Case:
    """Return the case as the verdict alone leaves it; one with effects moves nothing before their outcome."""
    if isinstance(verdict, Accepted) and not verdict.intents:
        return completed(machine, case, verdict)
    return case


def after_outcome(machine: Machine, case: Case, verdict: Accepted, outcome: Outcome) -> Case | None:
    """Return the case as the outcome leaves it, or null where nothing came of its creation."""
    match outcome:
        case Outcome.CONFIRMED:
            return completed(machine, case, verdict)
        case Outcome.FAILED | Outcome.UNDONE:
            return cases.failed(machine, case, verdict)
        case Outcome.QUARANTINED:
            return case


def verdict_content(context: Context, question: Question, verdict: Verdict) -> dict[str, Data]:
    """Return the content of a verdict's record: everything to decide it again, and what it changes."""
    case = question.case
    malformed = isinstance(question.candidate, Malformed)
    return question.to_data() | {
        "tenant": context.tenant,
        "routes": context.router.digest,
        "verdict": verdict.to_raw(),
        "pending": isinstance(verdict, Accepted) and bool(verdict.intents),
        "change": None
        if case is None or not isinstance(verdict, Accepted)
        else change(question.machine, case, completed(question.machine, case, verdict)),
        "stages": ["admit"] if malformed else ["admit", "gather", "decide"],
    }


def outcome_content(
    context: Context,
    question: Question,
    record: bytes,
    at: int,
    outcome: Outcome,
    steps: Sequence[Step],
    after: Case | None,
) -> dict[str, Data]:
    """Return the content of an outcome's record: `record` is the digest of the verdict's."""
    machine, before = question.machine, question.case
    return {
        "at": at,
        "clock": context.clock.source,
        "tenant": context.tenant,
        "machine": machine.digest,
        "routes": context.router.digest,
        "record": record,
        "outcome": outcome.value,
        "effects": [step.to_data(machine.index.entities) for step in steps],
        "after": None if after is None else standing(after),
        "change": None if before is None or after is None else change(machine, before, after),
        "stages": ["permit", "perform", "confirm"],
    }


def standing(case: Case) -> dict[str, Data]:
    """Return where a case stands: the part of it that transitions move."""
    return {
        "state": case.state,
        "memory": {name: value_to_data(value) for name, value in case.memory.items()},
        "revision": case.revision,
    }
