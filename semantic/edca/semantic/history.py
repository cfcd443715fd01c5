"""`proposer of TRANSITION` and `signers of CODE`: who acted in the case before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.expression import History
from edca.kernel.types import ListType, PrincipalType
from edca.semantic import typed
from edca.semantic.problems import did_you_mean, listing

if TYPE_CHECKING:
    from edca.dsl import tree
    from edca.semantic.scope import Scope

ANYBODY = PrincipalType("")
SIGNERS_MAX = 1_000  # answers of one acceptance: what any list may hold


def read(scope: Scope, node: tree.History) -> typed.Expression | None:
    """Return what is remembered of a case, or null with a finding."""
    words, name = scope.words, node.name
    if scope.constant:
        words.problems.add("T012", node.span, "only a constant may stand here", help="write the value")
        return None
    if scope.factless and not scope.ensure:
        message = "this transition creates the case: nobody has acted in it before"
        words.problems.add("N005", node.span, message, help="compare with `proposer` or `subject`")
        return None
    if node.word == History.PROPOSER.value:
        if name.text not in words.offered:
            help_ = did_you_mean(name.text, words.offered, f"its transitions are {listing(words.offered)}")
            words.problems.add("N015", name.span, f"there is no transition `{name.text}`", help=help_)
            return None
        return typed.HistoryRead(History.PROPOSER, name.text, ANYBODY)
    if name.text not in words.answered:
        if words.problems.damaged:
            return None  # what could not be read may have been the clause
        known = f"answered clauses are {listing(words.answered)}" if words.answered else "no clause asks anybody"
        help_ = did_you_mean(name.text, words.answered, known)
        words.problems.add("N022", name.span, f"no `confirm` or `sign` has the code `{name.text}`", help=help_)
        return None
    return typed.HistoryRead(History.SIGNERS, name.text, ListType(0, SIGNERS_MAX, ANYBODY))
