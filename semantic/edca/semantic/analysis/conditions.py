"""Clauses that decide nothing, clauses that nobody can pass, and effects before which nothing could say no."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from edca.diagnostics.diagnostic import Severity
from edca.kernel.machine import ClauseKind, OnFail
from edca.semantic import typed, walk
from edca.semantic.analysis.graph import alternatives
from edca.semantic.analysis.possible import Reach
from edca.semantic.analysis.ranges import ASKED_FOR, Between, truths
from edca.semantic.checked import CheckedQuery
from edca.semantic.clauses import TRUE
from edca.semantic.queries import holding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edca.semantic.analysis.possible import Within
    from edca.semantic.analysis.ranges import Possible
    from edca.semantic.checked import CheckedClause, CheckedLimit, CheckedNever, CheckedSpec, CheckedTransition
    from edca.semantic.problems import Problems

# What asks somebody, or counts, unless its `when` is false.
_UNLESS = (ClauseKind.CONFIRM, ClauseKind.SIGN, ClauseKind.LIMIT)


def check(spec: CheckedSpec, reach: Reach, problems: Problems) -> None:
    """Report what is certain of the clauses of all transitions and queries, and of what holds for all of them."""
    outside = reach.transition(())
    for forbid in spec.forbids:
        _report(forbid.clause, outside.of(forbid.clause.condition), problems)
    newborn = Reach(spec, begun=False).transition(())
    for never in spec.nevers:
        _never(never, outside.of(never.condition), problems)
        _never_at_first(spec, never, newborn.of(never.condition), problems)
    for item in spec.transitions:
        within = reach.transition(item.lets)
        exempt = item.creates or item.unblockable
        shared = [forbid.clause for forbid in spec.forbids if forbid.about == item.about and not exempt]
        _transition(spec, item, shared, within, problems)
    for query in spec.queries:
        within = reach.transition(query.lets)
        clauses = (*holding(query, spec.forbids), *query.clauses)
        found = {clause.code: within.of(clause.condition) for clause in clauses}
        for clause in query.clauses:
            _report(clause, found[clause.code], problems, all_="all that is asked")
        passing = [clause for clause in clauses if _passes(clause, found[clause.code])]
        _contradiction(query, passing, within, problems)


def _transition(
    spec: CheckedSpec,
    item: CheckedTransition,
    shared: list[CheckedClause],
    within: Within,
    problems: Problems,
) -> None:
    found = {clause.code: within.of(clause.condition) for clause in (*shared, *item.clauses)}
    for clause in item.clauses:
        _report(clause, found[clause.code], problems)
        if clause.limit is not None:
            _limit(clause, clause.limit, found[clause.code], within, problems)
    _contradiction(item, [c for c in (*shared, *item.clauses) if _passes(c, found[c.code])], within, problems)
    if item.acts and not _guarded(spec, item, shared, found):
        problems.add(
            "C022",
            item.span,
            f"no fact that is known could keep `{item.name}` from its effect, and nobody confirms it",
            help="require something that a fact can fail, or add `confirm CODE by ROLE`",
            severity=Severity.WARNING,
        )


def _guarded(
    spec: CheckedSpec, item: CheckedTransition, shared: list[CheckedClause], found: dict[str, Possible]
) -> bool:
    """Tell whether a fact can keep the transition from its effect, or a person's yes is always needed.

    A guard doesn't count: it chooses between branches, and another of them may have the same effect.
    """
    lets = dict(item.lets)
    for clause in (*shared, *item.clauses):
        possible = truths(found[clause.code].values)
        match clause.kind:
            case ClauseKind.CONFIRM | ClauseKind.SIGN:
                guarded = False not in possible
            case ClauseKind.REQUIRE | ClauseKind.FORBID:
                refusing = clause.kind is ClauseKind.FORBID
                guarded = refusing in possible and bool(walk.facts(clause.condition, spec.definitions, lets))
            case ClauseKind.LIMIT:
                guarded = False
            case _:
                assert_never(clause.kind)
        if guarded:
            return True
    return False


def _passes(clause: CheckedClause, found: Possible) -> bool:
    """Tell whether the clause has to pass, and can."""
    if clause.kind in _UNLESS or clause.on_fail is not OnFail.REFUSE:
        return False
    return (clause.kind is ClauseKind.REQUIRE) in truths(found.values)


def _contradiction(
    item: CheckedTransition | CheckedQuery, clauses: list[CheckedClause], within: Within, problems: Problems
) -> None:
    """Report the first clause that can't pass together with the guard and the clauses before it."""
    together = within.constraints()
    guard = None if isinstance(item, CheckedQuery) else item.guard
    if guard is not None:
        together.add(guard, True)
        if together.settled() is None:
            return  # the guard alone can't be true, which is a finding of `branches`
    for place, clause in enumerate(clauses):
        together.add(clause.condition, clause.kind is ClauseKind.REQUIRE)
        if together.settled() is not None:
            continue
        other = _partner(clause, clauses[:place], within)
        before = "those before it" if guard is None else f"the `when` of `{item.name}` and those before it"
        with_ = before if other is None else f"`{other.code}`"
        problems.add(
            "C019",
            clause.span,
            f"{'nothing asked' if isinstance(item, CheckedQuery) else 'no candidate'} passes `{clause.code}` together "
            f"with {with_}",
            help="they contradict each other: change one of them",
            declared=None if other is None else other.span,
            declared_label="what passes this can't pass the other",
            severity=Severity.WARNING,
        )
        return


def _partner(clause: CheckedClause, others: Iterable[CheckedClause], within: Within) -> CheckedClause | None:
    """Return the one clause that contradicts it by itself, if there is one."""
    for other in others:
        pair = within.constraints()
        for one in (other, clause):
            pair.add(one.condition, one.kind is ClauseKind.REQUIRE)
        if pair.settled() is None:
            return other
    return None


def _report(clause: CheckedClause, found: Possible, problems: Problems, all_: str = "every candidate") -> None:
    """Report a clause whose condition always comes out the same way."""
    possible, code = truths(found.values), clause.code
    match clause.kind:
        case ClauseKind.REQUIRE if True not in possible:
            if clause.on_fail is OnFail.ESCALATE:
                _add(problems, "C019", clause, f"`{code}` can't be true: {all_} is escalated")
            else:
                _add(problems, "C019", clause, f"`{code}` can't be true: {all_} is refused")
        case ClauseKind.FORBID if False not in possible:
            _add(problems, "C019", clause, f"`{code}` can't be false: {all_} is refused")
        case ClauseKind.REQUIRE if False not in possible:
            _never_fails(clause, found, f"`{code}` is always true", f"`{code}` can't be false, only unknown", problems)
        case ClauseKind.FORBID if True not in possible:
            _never_fails(clause, found, f"`{code}` is always false", f"`{code}` can't be true, only unknown", problems)
        case kind if kind not in _UNLESS or clause.condition == TRUE or found.doubts:
            return  # it can come out both ways, or no `when` was written, or the `when` asks for something
        case _ if possible == {True}:
            _add(problems, "C020", clause, f"the `when` of `{code}` is always true", help_="drop the `when`")
        case ClauseKind.LIMIT if possible == {False}:
            _add(problems, "C020", clause, f"`{code}` never counts: its `when` is always false")
        case _ if possible == {False}:
            _add(problems, "C020", clause, f"`{code}` is never asked for: its `when` is always false")
        case _:
            return


def _never_fails(clause: CheckedClause, found: Possible, always: str, unless_unknown: str, problems: Problems) -> None:
    if not found.doubts:
        _add(problems, "C020", clause, always)
    elif not found.doubts & ASKED_FOR:
        _add(problems, "C020", clause, unless_unknown)


def _limit(clause: CheckedClause, limit: CheckedLimit, when: Possible, within: Within, problems: Problems) -> None:
    """Report a limit that nothing passes even while nothing is used up, or that nothing can use up."""
    bound = within.of(limit.bound).values
    counted = Between(1, 1) if limit.measure is None else within.of(limit.measure).values
    if not (isinstance(bound, Between) and isinstance(counted, Between)):
        return
    if bound.high is not None and counted.low is not None and counted.low > bound.high:
        asked = "every candidate is refused" if truths(when.values) == {True} else "whatever it counts is refused"
        message = f"`{clause.code}` can't pass, even while nothing is used up: {asked}"
        _add(problems, "C019", clause, message, help_="raise the bound, or drop the clause")
    elif counted.high == 0 and bound.low is not None and bound.low >= 0:
        _add(problems, "C020", clause, f"`{clause.code}` only ever counts 0, so its bound is never reached")


def _never(never: CheckedNever, found: Possible, problems: Problems) -> None:
    """Report a `never` that nothing can break, or that everything breaks."""
    possible = truths(found.values)
    if True not in possible and not found.doubts & ASKED_FOR:
        only = "can't be true, only unknown" if found.doubts else "is always false"
        help_ = "change the condition, or drop the property"
        problems.add("C020", never.span, f"`{never.code}` {only}", help=help_, severity=Severity.WARNING)
    elif False not in possible:
        message = f"`{never.code}` can't be false: no case can get into its states"
        help_ = "change the condition, or drop the property"
        problems.add("C019", never.span, message, help=help_, severity=Severity.WARNING)


def _never_at_first(spec: CheckedSpec, never: CheckedNever, found: Possible, problems: Problems) -> None:
    """Report a `never` that a case breaks before anything has been decided about it, whatever the facts are."""
    if found.doubts or truths(found.values) != {True}:
        return
    state = next((name for name in never.states if spec.words.states[name].initial_about == never.about), None)
    if state is None:
        return
    read = walk.nodes(never.condition, spec.definitions)
    held = sorted({node.name for node in read if isinstance(node, typed.MemoryRead)})
    if not held:
        return  # it can't be false anywhere, which is a finding already
    rest = [name for name in never.states if name != state]
    others = "" if not rest else f", or leave `{state}` out: `while {', '.join(rest)}`"
    problems.add(
        "C047",
        never.span,
        f"`{never.code}` is broken from the start: every new case in `{state}` has {alternatives(held, 'and')} so",
        help=f"begin with another value of `{held[0]}`{others}",
        declared=spec.words.spans.get(held[0]),
        declared_label="begins so",
    )


def _add(
    problems: Problems,
    code: str,
    clause: CheckedClause,
    message: str,
    help_: str = "change the condition, or drop the clause",
) -> None:
    problems.add(code, clause.span, message, help=help_, severity=Severity.WARNING)
