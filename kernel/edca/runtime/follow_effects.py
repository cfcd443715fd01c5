"""Following effects through a ledger, for its replay: what spending a permit and what a step of an outcome must say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edca.kernel.aftermath import confirmed, undo_intent
from edca.kernel.facts import Instance, table
from edca.ledger.errors import LedgerFormatError
from edca.runtime.differences import Pair
from edca.runtime.permits import permit_key

if TYPE_CHECKING:
    from edca.kernel.candidate import Candidate
    from edca.kernel.inputs import Case
    from edca.kernel.verdict import Accepted, Intent
    from edca.runtime.permits import Place
    from edca.runtime.question import Question


@dataclass(frozen=True, slots=True)
class Open:
    """An accepted verdict whose effects have no outcome yet; `spent` says until when each permit counts that was.

    `is_erased`: what it was decided on is not known any more, nor what its effects were told.
    """

    index: int
    digest: bytes
    question: Question
    case: Case
    candidate: Candidate
    verdict: Accepted
    spent: dict[Place, int | None] = field(default_factory=dict)
    is_erased: bool = False


def spent_pairs(open_: Open, content: Any) -> list[Pair]:
    """Return what a record of kind `spent` must say, and note that it was spent.

    Raises `LedgerFormatError` where the verdict entitles to no such effect, or the permit was spent before.
    """
    place: Place = content["place"], content["undoing"]
    effect = content["effect"] if open_.is_erased else _intent(open_, *place).effect
    if place in open_.spent:
        raise LedgerFormatError("a permit was spent twice")
    timeout = open_.question.machine.index.transitions[open_.verdict.transition].on_timeout
    expires = None if timeout is None else content["at"] + timeout.within_us
    open_.spent[place] = expires
    return [
        Pair("effect", content["effect"], effect),
        Pair("key", content["key"], permit_key(open_.digest, *place)),
        Pair("expires", content["expires"], expires),
    ]


def step_pairs(path: str, step: Any, open_: Open) -> list[Pair]:
    """Return what a step of an outcome must say. Raises `LedgerFormatError` for one that can't be."""
    question, place = open_.question, step["place"]
    intent, attempts = _intent(open_, place, step["undoing"]).to_raw(), step["attempts"]
    if (place, step["undoing"]) not in open_.spent:
        raise LedgerFormatError(f"{path}: nothing before it says that its permit was spent")
    pairs = [
        Pair(f"{path}.in_time", step["in_time"], all(attempt["report"] is not None for attempt in attempts)),
        Pair(f"{path}.effect", step["effect"], intent["effect"]),
        Pair(f"{path}.arguments", step["arguments"], intent["arguments"]),
        Pair(f"{path}.key", step["key"], permit_key(open_.digest, place, step["undoing"])),
        Pair(f"{path}.expires", step["expires"], open_.spent[place, step["undoing"]]),
    ]
    if step["ensure"] is not None:
        entities = question.machine.index.entities
        after = table(Instance.from_raw(raw, entities) for raw in step["after"])
        result = confirmed(question.machine, open_.case, open_.candidate, question.inputs, place, after)
        pairs.append(Pair(f"{path}.ensure", step["ensure"], result.value))
    return pairs


def _intent(open_: Open, place: int, undoing: bool) -> Intent:
    if place not in range(len(open_.verdict.intents)):
        raise LedgerFormatError("the verdict entitles to no such effect")
    if not undoing:
        return open_.verdict.intents[place]
    question = open_.question
    undo = undo_intent(question.machine, open_.case, open_.candidate, question.inputs, place)
    if undo is None:
        raise LedgerFormatError("an effect was undone that can't be")
    return undo
