"""Open questions in words: what was proposed, what an acceptance would do, what is asked, and of whom."""

from collections.abc import Iterator
from typing import Final

from edca.api import OpenQuestion
from edca.cli.explanation import json_data, value_text
from edca.kernel.calendar import time_text
from edca.kernel.machine import Clause, ClauseKind
from edca.kernel.verdict import Need, Preview, failed
from edca.runtime.inbox import Risk

RISKS: Final = {
    Risk.IRREVERSIBLE: "has an effect that can't be taken back",
    Risk.EFFECT: "has effects",
    Risk.NO_EFFECT: "has no effect outside",
}


def told(found: OpenQuestion, now: int) -> Iterator[str]:
    """Yield a question as lines of text; the first begins with its id."""
    candidate, machine = found.candidate, found.question.machine
    transition = machine.index.transitions[found.verdict.transition]
    arguments = ", ".join(f"{name}: {value_text(value)}" for name, value in sorted(candidate.arguments.items()))
    subject = "" if candidate.subject is None else f" for {candidate.subject}"
    yield f"{found.id}  {transition.offered}({arguments})"
    yield f"  {transition.text}"
    yield f"  proposed by {candidate.proposer} as {candidate.role}{subject}; case {found.chain}"
    if candidate.rationale:
        yield f"  rationale, which no verdict depends on: {value_text(candidate.rationale)}"
    yield f"  answers for it: {found.verdict.anchor.principal} as {found.verdict.anchor.role}"
    yield f"  {RISKS[found.risk]}; {'over since' if now >= found.due else 'due'} {time_text(found.due)}"
    yield from (f"  {line}" for line in _consequences(found.preview))
    for need in found.verdict.needs:
        yield from (f"  {line}" for line in _need(found, need))
    yield f"  preview: {found.preview.digest.hex()}"


def data(found: OpenQuestion, now: int) -> dict[str, object]:
    """Return a question as JSON-ready data."""
    candidate, clauses = found.candidate, {clause.code: clause for clause in failed(found.verdict)}
    return {
        "answered": [
            {"at": time_text(one.at), "by": one.by, "code": one.name, "how": one.authenticated.value, "yes": one.value}
            for one in found.answers
        ],
        "candidate": json_data(candidate.to_raw()),
        "case": found.chain,
        "due": time_text(found.due),
        "id": found.id,
        "needs": [
            {
                "code": need.code,
                "count": need.count,
                "kind": "waiver" if need.kind is ClauseKind.REQUIRE else need.kind.value,
                "readings": {reading.name: reading.value for reading in clauses[need.code].readings},
                "role": need.role,
                "text": _clause(found, need).text,
            }
            for need in found.verdict.needs
        ],
        "opened": time_text(found.opened_at),
        "overdue": now >= found.due,
        "owner": json_data(found.verdict.anchor.to_raw()),
        "preview": json_data(found.preview.to_raw()),
        "preview_digest": found.preview.digest.hex(),
        "rationale": candidate.rationale,
        "record": found.waiting.newest,
        "risk": found.risk.name.lower(),
    }


def _consequences(preview: Preview) -> Iterator[str]:
    yield f"if accepted: {preview.source} → {preview.target}"
    for name, value in sorted(preview.memory.items()):
        yield f"  {name} = {_shown(value)}"
    for intent in preview.intents:
        arguments = ", ".join(f"{name}: {_shown(value)}" for name, value in intent.arguments.items())
        yield f"  does {intent.effect}({arguments})"


def _shown(value: object) -> str:
    match value:
        case {"unknown": str(reason)}:
            return f"unknown ({reason})"
        case {"from_decision_us": int(micros)}:
            return f"the time of the decision {micros:+} microseconds"
        case _:
            return value_text(json_data(value))  # type: ignore[arg-type]  # raw values are canonical data


def _need(found: OpenQuestion, need: Need) -> Iterator[str]:
    people = f"{need.count} of {need.role}" if need.count > 1 else need.role
    match need.kind:
        case ClauseKind.CONFIRM:
            asked = f"to be confirmed by {people}"
        case ClauseKind.SIGN:
            asked = f"to be signed by {people}"
        case _:
            asked = f"not met; {people} may waive it"
    yield f"needs {need.code}, {asked}: {_clause(found, need).text}"
    result = next(clause for clause in found.verdict.clauses if clause.code == need.code)
    yield from (f"  {reading.name} = {reading.value}" for reading in result.readings)
    if result.answered_by:
        yield f"  answered so far: {', '.join(result.answered_by)}"


def _clause(found: OpenQuestion, need: Need) -> Clause:
    transition = found.question.machine.index.transitions[found.verdict.transition]
    return next(clause for clause in transition.clauses if clause.code == need.code)
