"""What became of effects, in words: what was called, what was read back, and why nothing stands where nothing does."""

from collections.abc import Iterator, Mapping
from typing import Any

from edca.cli.reading import Readable
from edca.cli.telling_clauses import postcondition
from edca.cli.telling_configuration import Kept
from edca.ledger.record import parse
from edca.ledger.store import StoredRecord
from edca.runtime.answers import Outcome
from edca.runtime.kinds import OUTCOME, VERDICT
from edca.runtime.ports import Performed
from edca.runtime.question import Question


def verdict_of(content: Mapping[str, Any], chain: str, ledger: Readable) -> StoredRecord | None:
    """Return the record of the verdict that an outcome belongs to, or null where the ledger does not hold it."""
    for stored in ledger.records(chain=chain):
        if stored.digest == content["record"] and parse(stored.body).kind == VERDICT:
            return stored
    return None


def outcome_of(verdict: StoredRecord, ledger: Readable) -> Mapping[str, Any] | None:
    """Return the content of the outcome's record that belongs to a verdict, or null where there is none."""
    digest = verdict.digest
    for stored in ledger.records(verdict.number + 1, parse(verdict.body).chain):
        record = parse(stored.body)
        if record.kind == OUTCOME and record.content["record"] == digest:
            return record.content
    return None


def question_of(content: Mapping[str, Any], kept: Kept) -> Question:
    """Return the question of a verdict's record. Raises as `Kept` and `Question.from_data` do."""
    return Question.from_data(content, kept.machine(content["machine"]), kept.roster(content["roster"]))


def reasons(question: Question, content: Mapping[str, Any]) -> Iterator[str]:
    """Yield why an outcome is none of confirmed: each call that failed, and what each false postcondition read."""
    if content["outcome"] == Outcome.CONFIRMED.value:
        return
    for step in content["effects"]:
        called = f"undoing with {step['effect']}" if step["undoing"] else f"effect {step['effect']}"
        if step["report"] != Performed.DONE.value:
            detail = f", {step['detail']}" if step["detail"] else ""
            yield f"{called}: {step['report']}{detail}"
        elif step["ensure"] not in (None, "passed"):
            yield f"{called}: done, and its postcondition {_judged(step['ensure'])}; read back:"
            yield from (f"  {line}" for line in postcondition(question, step["place"], step["after"]))


def _judged(ensure: str) -> str:
    return "could not be told" if ensure == "unknown" else "does not hold"
