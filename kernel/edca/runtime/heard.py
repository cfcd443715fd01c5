"""Answers as they stand in a ledger: following them in a replay, and checking their signatures again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edca.kernel import canonical
from edca.kernel.inputs import Authenticated
from edca.ledger.record import parse
from edca.runtime.config import CHAIN, Configuration
from edca.runtime.differences import Pair
from edca.runtime.inbox import SOURCE
from edca.runtime.kinds import APPROVAL
from edca.runtime.signatures import is_signed, message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edca.kernel.canonical import Data
    from edca.ledger.record import Record
    from edca.ledger.store import StoredRecord
    from edca.runtime.question import Question


class Heard:
    """The answers on record so far that counted, each once for the candidate it belongs to."""

    def __init__(self) -> None:
        """Begin with none."""
        self._counted: set[bytes] = set()

    def take(self, record: Record, configuration: Configuration) -> list[Pair]:
        """Take in a record that moves no state; of one of an answer, return what it must say."""
        if record.kind != APPROVAL:
            return []
        content: Any = record.content
        if content["void"] is None:
            self._counted.add(_known_by(content["candidate"], content))
        roster = configuration.roster(content["roster"])
        found = roster.find(content["by"])
        key = None if found is None or content["void"] is not None else found.key
        proven = Authenticated.ASSERTED if key is None else Authenticated.SIGNED
        pairs = [Pair("authenticated", content["authenticated"], proven.value)]
        if key is not None:
            pairs.append(Pair("signature", "holds", "holds" if _holds(key, content) else "does not hold"))
        return pairs

    def verdict(self, question: Question, attestations: Iterable[Any]) -> list[Pair]:
        """Return the answers that a verdict heard beside those that are on record as counted."""
        pairs: list[Pair] = []
        for place, raw in enumerate(attestations):
            if raw["source"] != SOURCE:
                continue
            known = _known_by(question.candidate.digest, _as_approval(raw)) in self._counted
            pairs.append(Pair(f"attestations[{place}]", raw, raw if known else None))
        return pairs


@dataclass(frozen=True, slots=True)
class CheckedAnswers:
    """What checking the signatures of all answers came to, by the records' indexes.

    `signed` hold; `broken` do not, or can't be checked as a key is missing. For `asserted` the host's word stands.
    """

    signed: tuple[int, ...]
    broken: tuple[int, ...]
    asserted: tuple[int, ...]


NO_ANSWERS: Final = CheckedAnswers((), (), ())


def check_answers(records: Iterable[StoredRecord]) -> CheckedAnswers:
    """Check the signature of every answer that counted, against the roster that was in force. Never raises for them."""
    configuration = Configuration()
    signed: list[int] = []
    broken: list[int] = []
    asserted: list[int] = []
    for stored in records:
        index = stored.leaf.index
        try:
            record = parse(stored.body)
            content: Any = record.content
            if record.kind == CHAIN:
                configuration.take(content)
            if record.kind != APPROVAL or content["void"] is not None:
                continue
            found = configuration.roster(content["roster"]).find(content["by"])
            key = None if found is None else found.key
            if key is None and content["signature"] is None and content["authenticated"] == "asserted":
                asserted.append(index)
            elif key is not None and _holds(key, content):
                signed.append(index)
            else:
                broken.append(index)
        except (KeyError, TypeError, ValueError, AttributeError):
            broken.append(index)
    return CheckedAnswers(tuple(signed), tuple(broken), tuple(asserted))


def _holds(key: bytes, content: Any) -> bool:
    signed = message(content["question"], content["preview"], content["code"], yes=content["yes"])
    return content["signature"] is not None and is_signed(key, content["signature"], signed)


_PARTS: Final = ("code", "yes", "by", "role", "at", "preview", "authenticated")


def _known_by(candidate: bytes, content: Any) -> bytes:
    parts: list[Data] = [candidate, *(content[name] for name in _PARTS)]
    return canonical.encode(parts)


def _as_approval(raw: Any) -> dict[str, Any]:
    """Return an attestation by the names that the record of an answer has for its parts."""
    return {**raw, "code": raw["name"], "yes": raw["value"], "preview": raw["binds"]}
