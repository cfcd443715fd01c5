"""The question behind a recorded verdict, for those who want to tell people more than the verdict says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edca.kernel.values import ValueProblem
from edca.ledger.errors import LedgerFormatError
from edca.ledger.record import parse
from edca.runtime.config import CHAIN, Configuration
from edca.runtime.kinds import VERDICT
from edca.runtime.opened import opened
from edca.runtime.question import Question

if TYPE_CHECKING:
    from edca.ledger.opening import AnyLedger


def question_at(ledger: AnyLedger, index: int) -> Question:
    """Return what was put to `decide` for the verdict at `index`, from the ledger alone.

    Raises `LedgerFormatError` where that record is no verdict, or the ledger lacks what it was made under; and what
    reading the ledger raises.
    """
    seen = opened(ledger)
    record = parse(seen.read(seen.number_at(index)).body)
    if record.kind != VERDICT:
        raise LedgerFormatError(f"record {index} is no verdict, it is of kind `{record.kind}`")
    content: Any = record.content
    configuration = Configuration.of(ledger.records(chain=CHAIN))
    try:
        machine = configuration.machine(content["machine"])
        return Question.from_data(content, machine, configuration.roster(content["roster"]))
    except (KeyError, TypeError, ValueError, ValueProblem) as error:
        raise LedgerFormatError(f"record {index} does not hold what a verdict's record holds: {error}") from error
