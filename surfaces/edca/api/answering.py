"""What people do who answer escalations: look at what waits for them, approve it or decline it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.ledger.ed25519 import sign
from edca.runtime.approving import Answered, AnswerError, Said
from edca.runtime.signatures import message

if TYPE_CHECKING:
    from edca.runtime.answers import RecordReference
    from edca.runtime.inbox import OpenQuestion
    from edca.runtime.loop import Runtime


class Answering:
    """The part of a kernel for people who answer. Who they are is your word, unless they sign with a key of theirs."""

    _runtime: Runtime

    def inbox(self) -> tuple[OpenQuestion, ...]:
        """Return what waits for people, the riskiest first; what nobody answered in time is closed before."""
        return self._runtime.open_questions()

    def close_overdue(self) -> tuple[RecordReference, ...]:
        """Put on record which questions nobody has answered in time. Nothing is approved by that."""
        return self._runtime.close_overdue()

    def approve(
        self,
        question: str,
        *,
        code: str,
        by: str,
        role: str,
        preview: bytes,
        signature: bytes | None = None,
        key: bytes | None = None,
    ) -> Answered:
        """Say yes for a person to what clause `code` of a question asks, or waive it, and decide the candidate again.

        `preview` is the digest of what they were shown. `signature` is theirs over `edca.runtime.signatures.message`;
        `key`, their private key, makes one here. An answer that can't count is void and on record: see `Answered`.

        Raises `AnswerError` for what no answer can hold, and what the ledger raises.
        """
        return self._answer(Said(question, by, role, code, True, preview, signature), key)

    def decline(
        self,
        question: str,
        *,
        code: str,
        by: str,
        role: str,
        preview: bytes,
        signature: bytes | None = None,
        key: bytes | None = None,
    ) -> Answered:
        """Say no for a person, which refuses the candidate: otherwise as `approve`."""
        return self._answer(Said(question, by, role, code, False, preview, signature), key)

    def _answer(self, said: Said, key: bytes | None) -> Answered:
        return self._runtime.answer(said if key is None else signed(said, key))


def signed(said: Said, key: bytes) -> Said:
    """Return the answer with a signature by that private key. Raises `AnswerError` for a key that is none."""
    try:
        signature = sign(key, message(said.question, said.preview, said.code, yes=said.yes))
    except ValueError as error:
        raise AnswerError("a private key has 32 bytes") from error
    return Said(said.question, said.by, said.role, said.code, said.yes, said.preview, signature)
