"""Limits that are counted per something which the proposer only says: whoever names another key has a fresh counter.

A key is more than a word where it is read from a source, where a clause that nothing passes without facts compares the
argument with one or looks something up by it, or where the argument says which case it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.diagnostics.diagnostic import Severity
from edca.dsl import tree
from edca.kernel.expression import Comparison
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.types import ReferenceType
from edca.semantic import typed, walk
from edca.semantic.analysis import written
from edca.semantic.clauses import TRUE
from edca.semantic.grounded import Ground

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.diagnostics.source import Span
    from edca.semantic.analysis.possible import Reach
    from edca.semantic.checked import CheckedClause, CheckedLimit, CheckedSpec, CheckedTransition
    from edca.semantic.problems import Problems


def check(tree_: tree.Spec, spec: CheckedSpec, reach: Reach, problems: Problems) -> None:
    """Report the first key of each limit that rests on the proposer's word alone, unless all of it is limited too."""
    declared = written.declarations(tree_)
    for item in spec.transitions:
        limits = [(clause, clause.limit) for clause in item.clauses if clause.limit is not None and clause.limit.keys]
        if not limits:
            continue
        nodes = {clause.code.text: clause for clause in declared[item.name].clauses if isinstance(clause, tree.Limit)}
        word = _Word(spec, item)
        whole = [clause.limit for clause in item.clauses if clause.limit is not None and _holds_alone(clause, word)]
        for clause, limit in limits:
            if any(_same(reach, limit, other) for other in whole):
                continue
            for key, node in zip(limit.keys, nodes[clause.code].keys, strict=True):
                name = word.behind(key)
                if name is not None:
                    _report(clause.code, name, node.span, problems)
                    break


class _Word:
    """Which expressions of a transition are only what its proposer says."""

    def __init__(self, spec: CheckedSpec, item: CheckedTransition) -> None:
        self._definitions = spec.definitions
        self._lets = dict(item.lets)
        self._ground = Ground(spec.definitions, self._lets)
        self._tied = set() if item.creates else set(item.key)
        shared = [one.clause for one in spec.forbids if one.about == item.about and not item.creates]
        for clause in (*([] if item.unblockable else shared), *item.clauses):
            if clause.kind is ClauseKind.FORBID or (
                clause.kind is ClauseKind.REQUIRE and clause.on_fail is OnFail.REFUSE
            ):
                for part in self._demanded(clause.condition, clause.kind is ClauseKind.REQUIRE):
                    self._tied |= set(self._tied_by(part))

    def behind(self, node: typed.Expression) -> str | None:
        """Return an argument that the value depends on and nothing ties to a fact, or null."""
        match node:
            case typed.ArgumentRead(name):
                return None if name in self._tied else name
            case typed.FactRead(_, _, _, None):
                return None  # a source's word, whichever instance was asked for
            case typed.LetRead(name):
                return self.behind(self._lets[name])
            case typed.Applied(name, arguments):
                parts = [*arguments, self._definitions[name].body]
                return next((found for part in parts if (found := self.behind(part)) is not None), None)
            case _:
                return next((found for part in walk.parts(node) if (found := self.behind(part)) is not None), None)

    def _demanded(self, node: typed.Expression, truth: bool) -> Iterator[typed.Expression]:
        """Yield the conditions that must each come out so, and can't where no fact is known."""
        match node:
            case typed.LetRead(name):
                yield from self._demanded(self._lets[name], truth)
            case typed.Applied(name, ()):
                yield from self._demanded(self._definitions[name].body, truth)
            case typed.Not(operand):
                yield from self._demanded(operand, not truth)
            case typed.Connective(every, operands) if every is truth:
                for operand in operands:
                    yield from self._demanded(operand, truth)
            case _ if not self._ground.could_be(truth, node):
                yield node
            case _:
                return

    def _tied_by(self, condition: typed.Expression) -> Iterator[str]:
        """Yield the arguments that the condition compares with something for equality, or looks something up by."""
        for node in walk.nodes(condition, self._definitions, self._lets):
            sides: tuple[typed.Expression, ...]
            match node:
                case typed.Comparing(Comparison.EQUAL, left, right):
                    sides = (left, right)
                case typed.Membership(element, _):
                    sides = (element,)
                case typed.FactRead(base, _, _, None):
                    sides = (base,)
                case typed.Listed(parts, ReferenceType()):
                    sides = parts
                case typed.Applied(_, arguments):
                    sides = arguments
                case _:
                    continue
            for side in sides:
                if isinstance(named := self._named(side), typed.ArgumentRead):
                    yield named.name

    def _named(self, node: typed.Expression) -> typed.Expression:
        while isinstance(node, typed.LetRead):
            node = self._lets[node.name]
        return node


def _holds_alone(clause: CheckedClause, word: _Word) -> bool:
    """Tell whether the limit counts everything, whatever the proposer says."""
    keys = () if clause.limit is None else clause.limit.keys
    return clause.condition == TRUE and all(word.behind(key) is None for key in keys)


def _same(reach: Reach, one: CheckedLimit, other: CheckedLimit) -> bool:
    """Tell whether two limits count the same."""
    if one.measure is None or other.measure is None:
        return one.measure is other.measure
    return reach.terms.number(one.measure) == reach.terms.number(other.measure)


def _report(code: str, name: str, span: Span, problems: Problems) -> None:
    problems.add(
        "C049",
        span,
        f"`{code}` counts per `{name}`, which is only what the proposer says: every other `{name}` begins at 0",
        help=f"count per a fact or the `proposer`, require `{name}` to be equal to a fact, or limit all of it as well",
        severity=Severity.WARNING,
    )
