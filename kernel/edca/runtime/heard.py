"""Answers as they stand in a ledger: following open questions in a replay, and checking signatures again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edca.kernel.candidate import Candidate
from edca.kernel.canonical import encode
from edca.kernel.inputs import Authenticated, address
from edca.ledger.record import parse
from edca.runtime.cases import case_id
from edca.runtime.config import CHAIN, Configuration
from edca.runtime.differences import Pair
from edca.runtime.kinds import APPROVAL, CLOSED, INTAKE, OBSERVED
from edca.runtime.signatures import is_signed, observation
from edca.runtime.waiting import SOURCE, Waiting, after_answer, after_verdict, id_of, is_heard, is_signed_answer, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edca.kernel.canonical import Data
    from edca.kernel.verdict import Verdict
    from edca.ledger.record import Record
    from edca.ledger.store import StoredRecord
    from edca.runtime.question import Question


class Heard:
    """The questions that the records so far have left open, and what was answered to each."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open: dict[str, Waiting] = {}
        self._ids: dict[str, str] = {}  # by the question's key
        self._answers: dict[int, Any] = {}  # the contents of the records of answers to what is open

    def take(self, stored: StoredRecord, record: Record, configuration: Configuration) -> list[Pair]:
        """Take in a record that moves no state; of an answer, or a question's end, return what it must say."""
        content: Any = record.content
        if record.kind == CLOSED:
            return self._closed(content)
        if record.kind != APPROVAL:
            return []
        roster = configuration.roster(content["roster"])
        keys = () if content["void"] is not None else roster.keys(content["by"], content["at"])
        proven = Authenticated.SIGNED if keys else Authenticated.ASSERTED
        pairs = [Pair("authenticated", content["authenticated"], proven.value)]
        if keys:
            pairs.append(Pair("signature", "holds", "holds" if is_signed_answer(content, keys) else "does not hold"))
        if content["void"] is not None:
            return pairs
        chain = None if record.chain == INTAKE else record.chain
        key = key_of(content["tenant"], chain, content["candidate"])
        pairs.append(Pair("question", content["question"], self._ids.get(key)))
        if key in self._open:
            self._open[key] = after_answer(self._open[key], stored.number)
            self._answers[stored.number] = content
        return pairs

    def verdict(self, stored: StoredRecord, content: Any, question: Question, verdict: Verdict) -> list[Pair]:
        """Return the answers that a verdict heard beside those it must have heard, and move its question by it.

        Every answer that counted is heard by every verdict on its candidate until the question ends. One that was left
        out is a no that got lost, or a yes.
        """
        key = _key(question, content["tenant"])
        if key is None:
            return []
        now, before = question.inputs.now, self._open.get(key)
        heard: list[Data] = [raw for raw in content["attestations"] if raw["source"] == SOURCE]
        counted = [] if before is None else [self._answers[number] for number in before.answers]
        due: list[Data] = [_as_attestation(one) for one in counted if is_heard(one, question.inputs.roster)]
        # The time of a question may come to its end while facts are gathered: then nothing is heard, and it is closed.
        over = before is not None and before.is_over(now) and not heard
        after = after_verdict(before, key, question.machine, verdict, now, stored.number)
        if after is None:
            self._end(key)
        else:
            self._open[key] = after
            self._ids.setdefault(key, id_of(stored.digest))
        return [] if over else [Pair("answers heard", heard, due)]

    def moved(self, record: Record) -> None:
        """Note that a case moved to another version: its questions end, and what was answered to them is void."""
        content: Any = record.content
        for void in content["void"]:
            self._end(key_of(content["tenant"], record.chain, void["candidate"]))

    def _closed(self, content: Any) -> list[Pair]:
        key = next((key for key, id_ in self._ids.items() if id_ == content["question"]), None)
        if key is None:
            return [Pair("question", content["question"], None)]
        question = self._open[key]
        self._end(key)
        return [Pair("due", content["due"], question.due), Pair("over", question.is_over(content["at"]), True)]

    def _end(self, key: str) -> None:
        ended = self._open.pop(key, None)
        self._ids.pop(key, None)
        for number in () if ended is None else ended.answers:
            del self._answers[number]


def _is_signed(record: Record, keys: tuple[bytes, ...]) -> bool:
    content: Any = record.content
    if record.kind == APPROVAL:
        return is_signed_answer(content, keys)
    found = observation(content["case"]["id"], content["case"]["entry"], content["after"]["state"])
    return is_signed(keys, content["signature"], found)


def _key(question: Question, tenant: str) -> str | None:
    """Return the key of the question that the candidate has or would have; null where it names no case."""
    machine, candidate = question.machine, question.candidate
    about = address(machine, candidate) if isinstance(candidate, Candidate) else None
    if about is None or not isinstance(candidate, Candidate):
        return None
    case = None if about.key is None else case_id(machine, tenant, about.entity, about.key)
    return key_of(tenant, case, candidate.digest)


def _as_attestation(content: Any) -> dict[str, Data]:
    """Return the answer of a record as it stands in the record of a verdict that heard it."""
    names = (("name", "code"), ("value", "yes"), ("by", "by"), ("role", "role"), ("at", "at"), ("binds", "preview"))
    return {
        **{name: content[part] for name, part in names},
        "source": SOURCE,
        "authenticated": content["authenticated"],
    }


@dataclass(frozen=True, slots=True)
class CheckedAnswers:
    """What checking the signatures of all answers and observations came to, by the records' indexes.

    `signed` hold; `broken` do not, or can't be checked as a key is missing. For `asserted` the host's word stands.
    """

    signed: tuple[int, ...]
    broken: tuple[int, ...]
    asserted: tuple[int, ...]


NO_ANSWERS: Final = CheckedAnswers((), (), ())

# In canonical bytes a key stands right before its value. So a body without any of these is of no kind that is looked
# at, and need not be decoded to know that.
_MARKS: Final = tuple(encode("kind") + encode(kind) for kind in (CHAIN, APPROVAL, OBSERVED))


def check_answers(records: Iterable[StoredRecord]) -> CheckedAnswers:
    """Check the signature of every answer that counted, and of every observation, by the roster that was in force.

    Never raises for them.
    """
    configuration = Configuration()
    signed: list[int] = []
    broken: list[int] = []
    asserted: list[int] = []
    for stored in records:
        if not any(mark in stored.body for mark in _MARKS):
            continue
        index = stored.leaf.index
        try:
            record = parse(stored.body)
            content: Any = record.content
            if record.kind == CHAIN:
                configuration.take(content)
            if not (record.kind == OBSERVED or (record.kind == APPROVAL and content["void"] is None)):
                continue
            keys = configuration.roster(content["roster"]).keys(content["by"], content["at"])
            if not keys and content["signature"] is None and content["authenticated"] == "asserted":
                asserted.append(index)
            elif _is_signed(record, keys):
                signed.append(index)
            else:
                broken.append(index)
        except (KeyError, TypeError, ValueError, AttributeError):
            broken.append(index)
    return CheckedAnswers(tuple(signed), tuple(broken), tuple(asserted))
