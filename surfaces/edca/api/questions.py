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

_ABSENT = "there is no record {}"


def question_at(ledger: AnyLedger, index: int, tenant: str) -> Question:
    """Return what was put to `decide` for the tenant's verdict at `index`, from the ledger alone.

    Raises `LedgerFormatError` where there is no such record or it is another tenant's, which look the same; where it is
    no verdict; and where the ledger lacks what it was made under. Raises what reading the ledger raises.
    """
    if not 0 <= index < ledger.size:
        raise LedgerFormatError(_ABSENT.format(index))
    seen = opened(ledger)
    record = parse(seen.read(seen.number_at(index)).body)
    if record.content.get("tenant", tenant) != tenant:
        raise LedgerFormatError(_ABSENT.format(index))
    if record.kind != VERDICT:
        raise LedgerFormatError(f"record {index} is no verdict, it is of kind `{record.kind}`")
    content: Any = record.content
    configuration = Configuration.of(ledger.records(chain=CHAIN))
    try:
        machine = configuration.machine(content["machine"])
        return Question.from_data(content, machine, configuration.roster(content["roster"]))
    except (KeyError, TypeError, ValueError, ValueProblem) as error:
        raise LedgerFormatError(f"record {index} does not hold what a verdict's record holds: {error}") from error
