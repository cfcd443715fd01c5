"""What came of a query in words: one evaluation, two readers, as `explain` is of a verdict on a candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.candidate import Malformed
from edca.kernel.gate import bind_arguments
from edca.kernel.inquiry import Returned
from edca.kernel.values import ValueProblem
from edca.kernel.verdict import Result, failed
from edca.runtime.probing import is_not_looked_at
from edca.semantic.explain import NOT_POSSIBLE, NOT_POSSIBLE_TEXT, failed_lines, is_withheld
from edca.semantic.unpublished import told

if TYPE_CHECKING:
    from edca.kernel.canonical import Data
    from edca.kernel.inquiry import Inquiry, QueryVerdict
    from edca.kernel.machine import Machine
    from edca.semantic.handles import Handles


@dataclass(frozen=True, slots=True)
class QueryTold:
    """What a model is told of a query: the values that it returns, or public codes and texts, and nothing else."""

    outcome: str
    values: dict[str, Data]
    codes: tuple[str, ...]
    texts: tuple[str, ...]

    def to_raw(self) -> dict[str, Data]:
        """Return it as the model sees it."""
        if self.outcome == "returned":
            return {"outcome": self.outcome, "values": self.values}
        return {"outcome": self.outcome, "codes": list(self.codes), "texts": list(self.texts)}


_NOTHING = QueryTold("refused", {}, (NOT_POSSIBLE,), (NOT_POSSIBLE_TEXT,))


def query_for_model(
    machine: Machine, inquiry: Inquiry | Malformed, verdict: QueryVerdict, handles: Handles | None = None
) -> QueryTold:
    """Return what a model may know of the verdict. `handles` are those of a session: see `unpublished.told`.

    What follows from the public spec alone comes first, whatever there is. After that, an instance that isn't there,
    one that isn't the subject's and one that can't be read are all the same answer.
    """
    if is_not_looked_at(verdict):  # first: it must be the same answer whatever was sent
        return _NOTHING
    if isinstance(inquiry, Malformed):
        return QueryTold("refused", {}, ("malformed",), (f"This is no query: {inquiry.problem}.",))
    query = machine.index.queries.get(inquiry.query)
    if query is None:
        return QueryTold("refused", {}, ("no_such_query",), ("There is no query of that name.",))
    try:
        bind_arguments(machine, query, inquiry)
    except ValueProblem as problem:
        return QueryTold("refused", {}, ("bad_argument",), (f"{problem.path}: {problem.problem}.",))
    if isinstance(verdict, Returned):
        values = {one.name: told(machine, one.type, verdict.values[one.name], handles) for one in query.returns}
        return QueryTold("returned", values, (), ())
    open_clauses = failed(verdict)
    if not open_clauses or any(is_withheld(clause) for clause in open_clauses):
        return _NOTHING
    texts = {clause.code: clause.text for clause in query.clauses}
    codes = tuple(clause.code for clause in open_clauses)
    return QueryTold("refused", {}, codes, tuple(texts[code] for code in codes))


def query_for_operator(machine: Machine, verdict: QueryVerdict) -> tuple[str, ...]:
    """Return the verdict as lines of text for the people who run the machine."""
    if isinstance(verdict, Returned):
        query = machine.index.queries[verdict.query]
        lines = [f"returned {query.name}: {query.text}"]
        lines += [f"  {one.name}{_count(verdict.values[one.name])}" for one in query.returns]
    else:
        lines = [f"refused {verdict.transition or 'what was sent'}: {verdict.code}"]
        lines += [f"  {verdict.detail}"] if verdict.detail else []
        declared = machine.index.queries.get(verdict.transition)
        lines += [f"  {line}" for result in failed(verdict) for line in failed_lines(machine, declared, result)]
    passed = sum(1 for result in verdict.clauses if result.result is Result.PASSED)
    return (*lines, *([f"  {passed} of {len(verdict.clauses)} clauses passed"] if verdict.clauses else []))


def _count(raw: Data) -> str:
    return f": {len(raw)}" if isinstance(raw, (list, tuple)) else ""
