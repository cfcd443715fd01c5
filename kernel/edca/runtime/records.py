"""Stage 4 and the last one: what the records of a verdict and of an outcome hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel import movement
from edca.kernel.candidate import Malformed
from edca.kernel.verdict import Accepted
from edca.runtime.answers import Outcome
from edca.runtime.cases import Opened, case_to_data, change
from edca.runtime.counters import reserved_until
from edca.runtime.kinds import INTAKE
from edca.runtime.retention_rules import with_class
from edca.runtime.stamps import stamped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.kernel.candidate import Candidate
    from edca.kernel.canonical import Data, Part
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


def after_verdict(machine: Machine, case: Case, candidate: Candidate | Malformed, verdict: Verdict, at: int) -> Case:
    """Return the case as the verdict alone leaves it; with effects, only who acted is noted before their outcome."""
    if not isinstance(verdict, Accepted) or isinstance(candidate, Malformed):
        return case
    if verdict.intents:
        return movement.begun(case, candidate, verdict)
    return movement.completed(machine, case, candidate, verdict, at)


def after_outcome(
    machine: Machine, case: Case, candidate: Candidate, verdict: Accepted, outcome: Outcome, at: int
) -> Case | None:
    """Return the case as the outcome leaves it at `at`, or null where nothing came of its creation.

    `case` is the one that the verdict was about.
    """
    match outcome:
        case Outcome.CONFIRMED:
            return movement.completed(machine, case, candidate, verdict, at)
        case Outcome.FAILED | Outcome.UNDONE:
            return movement.failed(machine, case, candidate, verdict, at)
        case Outcome.TIMED_OUT:
            return movement.timed_out(machine, case, candidate, verdict, at)
        case Outcome.QUARANTINED:
            return movement.begun(case, candidate, verdict)


def change_promised(question: Question, verdict: Verdict, after: Case | None) -> dict[str, Data] | None:
    """Return what an accepted verdict changes once all its effects are confirmed, null for any other.

    `after` is what `after_verdict` gave, which without effects is the change.
    """
    case, candidate = question.case, question.candidate
    if case is None or isinstance(candidate, Malformed) or not isinstance(verdict, Accepted):
        return None
    if after is None or verdict.intents:
        after = movement.completed(question.machine, case, candidate, verdict, question.inputs.now)
    return change(question.machine, case, after)


def verdict_content(
    context: Context, question: Question, verdict: Verdict, raw: Part, after: Case | None
) -> dict[str, Part]:
    """Return the content of a verdict's record: everything to decide it again, and what it changes.

    `raw` is the verdict in raw form, or encoded already; `after` where it leaves its case.
    """
    malformed = isinstance(question.candidate, Malformed)
    content: dict[str, Part] = {
        **question.to_data(),
        "tenant": context.tenant,
        "routes": context.router.digest,
        "verdict": raw,
        "pending": isinstance(verdict, Accepted) and bool(verdict.intents),
        "reserved_until": reserved_until(question.machine, verdict, question.inputs.now),
        "change": change_promised(question, verdict, after),
        "stages": ["admit"] if malformed else ["admit", "gather", "decide"],
    }
    state = None if after is None else after.state
    return with_class(stamped(question.machine, content), context.retention, question.machine, state)


def outcome_content(
    context: Context,
    question: Question,
    record: bytes,
    at: int,
    outcome: Outcome,
    steps: Sequence[Step],
    after: Case | None,
) -> dict[str, Part]:
    """Return the content of an outcome's record: `record` is the digest of the verdict's."""
    machine, before = question.machine, question.case
    content: dict[str, Part] = {
        "at": at,
        "clock": context.clock.source,
        "tenant": context.tenant,
        "machine": machine.digest,
        "routes": context.router.digest,
        "record": record,
        "outcome": outcome.value,
        "schedule": context.schedule.to_data(),
        "effects": [step.to_data(machine.index.entities) for step in steps],
        "after": None if after is None else standing(after),
        "change": None if before is None or after is None else change(machine, before, after),
        "stages": ["permit", "perform", "confirm"],
    }
    state = None if after is None else after.state
    return with_class(stamped(machine, content), context.retention, machine, state)


def standing(case: Case) -> dict[str, Data]:
    """Return where a case stands: the part of it that transitions move."""
    whole = case_to_data(case)
    return {
        name: whole[name] for name in ("state", "memory", "revision", "entered", "proposers", "signers", "human_only")
    }
