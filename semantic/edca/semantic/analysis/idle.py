"""What is read for nothing: facts that can't change how a condition comes out, and clauses that another one implies.

Reading has a price: a fact that is stale or missing makes a clause fail. So a clause should read what it needs.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeAlias

from edca.diagnostics.diagnostic import Severity
from edca.kernel.machine import ClauseKind, OnFail
from edca.semantic import typed, walk
from edca.semantic.analysis import written
from edca.semantic.analysis.ranges import ASKED_FOR, Among, Between, Doubt, truths
from edca.semantic.checked import CheckedQuery
from edca.semantic.queries import holding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.diagnostics.source import Span
    from edca.dsl import tree
    from edca.semantic.analysis.possible import Reach, Within
    from edca.semantic.analysis.ranges import Possible
    from edca.semantic.checked import CheckedClause, CheckedSpec, CheckedTransition
    from edca.semantic.problems import Problems

Fact: TypeAlias = tuple[str, str]  # entity, field

OPERANDS_MAX = 30  # of one `and` or `or`: each is weighed against all others
_TESTS = (ClauseKind.REQUIRE, ClauseKind.FORBID)


def check(tree_: tree.Spec, spec: CheckedSpec, reach: Reach, problems: Problems) -> None:
    """Report facts and clauses that decide nothing, of each transition and query and of what holds for all of them."""
    outside = reach.transition(())
    for forbid in spec.forbids:
        _reads(spec, outside, forbid.clause.code, forbid.clause.condition, forbid.clause.span, problems)
    for never in spec.nevers:
        _reads(spec, outside, never.code, never.condition, never.span, problems)
    declared = written.declarations(tree_)
    for item in spec.transitions:
        guard = declared[item.name].guard
        if item.guard is not None and guard is not None:
            _reads(spec, outside, f"when` of `{item.name}", item.guard, guard.span, problems)
        within = reach.transition(item.lets)
        for clause in item.clauses:
            _reads(spec, within, clause.code, clause.condition, clause.span, problems)
        shared = [one.clause for one in spec.forbids if one.about == item.about and not item.creates]
        _Implied(spec, item, [] if item.unblockable else shared, within).report(problems)
    for query in spec.queries:
        within = reach.transition(query.lets)
        for clause in query.clauses:
            _reads(spec, within, clause.code, clause.condition, clause.span, problems)
        _Implied(spec, query, list(holding(query, spec.forbids)), within).report(problems)


# --- facts ---


def _reads(
    spec: CheckedSpec, within: Within, code: str, condition: typed.Expression, span: Span, problems: Problems
) -> None:
    """Report the facts that a condition reads and does not depend on."""
    if len(truths(within.of(condition).values)) < 2:
        return  # it always comes out the same way, which is a finding of its own
    read = walk.facts(condition, spec.definitions, within.lets)
    for entity, field in sorted(read - Live(within, spec.definitions).of(condition)):
        problems.add(
            "C045",
            span,
            f"`{code}` reads `{entity}.{field}`, whose value can't change how it comes out",
            help="leave it out: where it isn't known, it would make the condition unknown for nothing",
            severity=Severity.WARNING,
        )


class Live:
    """The facts that the values of expressions depend on."""

    def __init__(self, within: Within, definitions: Mapping[str, typed.Definition]) -> None:
        """Take what expressions can yield here, and the defines."""
        self._within = within
        self._definitions = definitions

    def of(self, node: typed.Expression) -> set[Fact]:
        """Return them; where an expression can't be followed, every fact that it reads."""
        if _is_one_value(self._within.of(node)):
            return set()
        match node:
            case typed.FactRead(base, entity, field, key_part):
                return self.of(base) | ({(entity, field)} if key_part is None else set())
            case typed.LetRead(name):
                return self.of(self._within.lets[name])
            case typed.Applied(name, ()):
                return self.of(self._definitions[name].body)
            case typed.Applied() | typed.Folded():
                # What is inside may read variables, whose values aren't known outside.
                return walk.facts(node, self._definitions, self._within.lets)
            case typed.Conditional(test, then, otherwise):
                return self._conditional(test, then, otherwise)
            case typed.Connective(every, operands):
                return set[Fact]().union(*(self.of(one) for one in self._needed(every, operands)))
            case _:
                return set[Fact]().union(*(self.of(part) for part in walk.parts(node)))

    def _conditional(self, test: typed.Expression, then: typed.Expression, otherwise: typed.Expression) -> set[Fact]:
        number, possible = self._within.reach.terms.number, truths(self._within.of(test).values)
        if number(then) == number(otherwise):
            return self.of(then)
        found = self.of(test)
        if True in possible:
            found |= self.of(then)
        return found | self.of(otherwise) if False in possible else found

    def _needed(self, every: bool, operands: tuple[typed.Expression, ...]) -> list[typed.Expression]:
        """Return the operands without those that follow from the rest of them."""
        needed = list(operands)
        if len(operands) > OPERANDS_MAX:
            return needed
        for operand in reversed(operands):
            others = [one for one in needed if one is not operand]
            if not others or not walk.facts(operand, self._definitions, self._within.lets):
                continue
            against = self._within.constraints()
            for other in others:
                against.add(other, every)
            against.add(operand, not every)
            if against.settled() is None:
                needed = others
        return needed


def _is_one_value(found: Possible) -> bool:
    if found.absent:
        return False
    match found.values:
        case Among(values):
            return len(values) < 2
        case Between(low, high):
            return low is not None and low == high
        case _:
            return False


# --- clauses ---


@dataclasses.dataclass(frozen=True, slots=True)
class _Test:
    """A condition that must come out one way for a candidate to be accepted; a null clause is the guard."""

    condition: typed.Expression
    passes: bool
    clause: CheckedClause | None


class _Implied:
    """The clauses of one transition or query that can't come out as a failure where another passes."""

    def __init__(
        self, spec: CheckedSpec, item: CheckedTransition | CheckedQuery, shared: list[CheckedClause], within: Within
    ) -> None:
        self._spec, self._within, self._name = spec, within, item.name
        guarding = None if isinstance(item, CheckedQuery) else item.guard
        guard = [] if guarding is None else [_Test(guarding, True, None)]
        self._own = [_test(clause) for clause in item.clauses if clause.kind in _TESTS]
        self._all = [*guard, *(_test(clause) for clause in shared), *self._own]
        self._read = {id(test): self._leaves(test.condition) for test in self._all}

    def report(self, problems: Problems) -> None:
        """Report them; where clauses contradict each other, which is a finding of its own, anything would follow."""
        together = self._within.constraints()
        for test in self._all:
            if test.clause is None or test.clause.on_fail is OnFail.REFUSE:
                together.add(test.condition, test.passes)
        if together.settled() is None:
            return
        for test in self._own:
            other = next((other for other in self._all if self._is_idle(test, other)), None)
            if other is None or test.clause is None:
                continue
            by = f"the `when` of `{self._name}`" if other.clause is None else f"`{other.clause.code}`"
            problems.add(
                "C045",
                test.clause.span,
                f"`{test.clause.code}` can't be {'false' if test.passes else 'true'} where {by} passes",
                help="it decides nothing beside that: drop it, or say what it should demand",
                declared=None if other.clause is None else other.clause.span,
                declared_label="implies it",
                severity=Severity.WARNING,
            )

    def _is_idle(self, test: _Test, other: _Test) -> bool:
        """Tell whether the test decides nothing beside the other, and the other is the one to keep."""
        if other is test or not self._read[id(test)] & self._read[id(other)] or not _counts_as_much(other, test):
            return False
        if not (self._comparable(test, other) and self._implies(other, test)):
            return False
        return self._all.index(other) < self._all.index(test) or not self._implies(test, other)

    def _comparable(self, test: _Test, other: _Test) -> bool:
        """Tell whether both can come out both ways, and the test asks for nothing that the other doesn't."""
        one, two = self._within.of(test.condition), self._within.of(other.condition)
        if len(truths(one.values)) < 2 or len(truths(two.values)) < 2:
            return False
        # Where a value is absent, the other fails as unknown: the test may be there to say so in its own words.
        return (one.doubts & ASKED_FOR) <= two.doubts and (Doubt.GAP in one.doubts or Doubt.GAP not in two.doubts)

    def _implies(self, one: _Test, other: _Test) -> bool:
        together = self._within.constraints()
        together.add(one.condition, one.passes)
        together.add(other.condition, not other.passes)
        return together.settled() is None

    def _leaves(self, condition: typed.Expression) -> set[tuple[type, str, str]]:
        """Return what the condition reads: conditions that read nothing in common can't imply each other."""
        found: set[tuple[type, str, str]] = set()
        for node in walk.nodes(condition, self._spec.definitions, self._within.lets):
            match node:
                case typed.FactRead(_, entity, field):
                    found.add((typed.FactRead, entity, field))
                case typed.ArgumentRead(name) | typed.MemoryRead(name) | typed.ClaimRead(name):
                    found.add((type(node), "", name))
                case typed.HistoryRead(history, name):
                    found.add((type(node), history.value, name))
                case typed.InputRead(input_):
                    found.add((type(node), "", input_.value))
                case _:
                    continue
        return found


def _test(clause: CheckedClause) -> _Test:
    return _Test(clause.condition, clause.kind is ClauseKind.REQUIRE, clause)


def _counts_as_much(other: _Test, test: _Test) -> bool:
    """Tell whether a candidate that fails the other comes out no better than one that fails the test."""
    if other.clause is None or test.clause is None or other.clause.on_fail is OnFail.REFUSE:
        return True
    return test.clause.on_fail is OnFail.ESCALATE and other.clause.role == test.clause.role
