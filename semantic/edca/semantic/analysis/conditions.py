"""Clauses that decide nothing, clauses that nobody can pass, and effects before which nothing could say no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.diagnostics.diagnostic import Severity
from edca.kernel.machine import ClauseKind, OnFail
from edca.semantic import walk
from edca.semantic.analysis.possible import Reach
from edca.semantic.analysis.ranges import Doubt, truths
from edca.semantic.clauses import TRUE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edca.semantic.analysis.possible import Within
    from edca.semantic.analysis.ranges import Possible
    from edca.semantic.checked import CheckedClause, CheckedSpec, CheckedTransition
    from edca.semantic.problems import Problems

# A condition that fails only where these are missing asks for them, which is a use of its own.
_ASKED_FOR = frozenset((Doubt.CLAIM, Doubt.INPUT))


def check(spec: CheckedSpec, problems: Problems) -> None:
    """Report what is certain of the clauses of all transitions, and of the forbids for all of them."""
    reach = Reach(spec)
    outside = reach.transition(())
    for forbid in spec.forbids:
        _report(forbid.clause, outside.of(forbid.clause.condition), problems)
    for item in spec.transitions:
        within = reach.transition(item.lets)
        shared = [forbid.clause for forbid in spec.forbids if forbid.about == item.about and not item.creates]
        _transition(spec, item, shared, within, problems)


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
    _contradiction([c for c in (*shared, *item.clauses) if _passes(c, found[c.code])], within, problems)
    if not item.acts:
        return
    lets = dict(item.lets)
    for clause in (*shared, *item.clauses):
        possible = truths(found[clause.code].values)
        if clause.kind is ClauseKind.CONFIRM:
            guarded = False not in possible
        else:
            refusing = clause.kind is ClauseKind.FORBID
            guarded = refusing in possible and bool(walk.facts(clause.condition, spec.definitions, lets))
        if guarded:
            return
    problems.add(
        "C022",
        item.span,
        f"no fact that is known could keep `{item.name}` from its effect, and nobody confirms it",
        help="require something that a fact can fail, or add `confirm CODE by ROLE`",
        severity=Severity.WARNING,
    )


def _passes(clause: CheckedClause, found: Possible) -> bool:
    """Tell whether the clause has to pass, and can."""
    if clause.kind is ClauseKind.CONFIRM or clause.on_fail is not OnFail.REFUSE:
        return False
    return (clause.kind is ClauseKind.REQUIRE) in truths(found.values)


def _contradiction(clauses: list[CheckedClause], within: Within, problems: Problems) -> None:
    """Report the first clause that can't pass together with those before it."""
    together = within.constraints()
    for place, clause in enumerate(clauses):
        together.add(clause.condition, clause.kind is ClauseKind.REQUIRE)
        if not together.contradictory:
            continue
        other = _partner(clause, clauses[:place], within)
        with_ = "those before it" if other is None else f"`{other.code}`"
        problems.add(
            "C019",
            clause.span,
            f"no candidate passes `{clause.code}` together with {with_}",
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
        if pair.contradictory:
            return other
    return None


def _report(clause: CheckedClause, found: Possible, problems: Problems) -> None:
    """Report a clause whose condition always comes out the same way."""
    possible, code = truths(found.values), clause.code
    match clause.kind:
        case ClauseKind.REQUIRE if True not in possible:
            if clause.on_fail is OnFail.ESCALATE:
                _add(problems, "C019", clause, f"`{code}` can't be true: every candidate is escalated")
            else:
                _add(problems, "C019", clause, f"`{code}` can't be true: every candidate is refused")
        case ClauseKind.FORBID if False not in possible:
            _add(problems, "C019", clause, f"`{code}` can't be false: every candidate is refused")
        case ClauseKind.REQUIRE if False not in possible:
            _never_fails(clause, found, f"`{code}` is always true", f"`{code}` can't be false, only unknown", problems)
        case ClauseKind.FORBID if True not in possible:
            _never_fails(clause, found, f"`{code}` is always false", f"`{code}` can't be true, only unknown", problems)
        case ClauseKind.CONFIRM if clause.condition == TRUE:
            return  # no `when` was written
        case ClauseKind.CONFIRM if possible == {True} and not found.doubts:
            _add(problems, "C020", clause, f"the `when` of `{code}` is always true", help_="drop the `when`")
        case ClauseKind.CONFIRM if possible == {False} and not found.doubts:
            _add(problems, "C020", clause, f"`{code}` is never asked for: its `when` is always false")
        case _:
            return


def _never_fails(clause: CheckedClause, found: Possible, always: str, unless_unknown: str, problems: Problems) -> None:
    if not found.doubts:
        _add(problems, "C020", clause, always)
    elif not found.doubts & _ASKED_FOR:
        _add(problems, "C020", clause, unless_unknown)


def _add(
    problems: Problems,
    code: str,
    clause: CheckedClause,
    message: str,
    help_: str = "change the condition, or drop the clause",
) -> None:
    problems.add(code, clause.span, message, help=help_, severity=Severity.WARNING)
