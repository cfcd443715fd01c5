"""Screens: which forbids a view applies, so that what can't be acted on can't be seen either.

Two kinds of forbids close a case to whoever looks: those for every transition, to everybody; and those that stand in
each transition that a model's role may propose, to that role. Both only where the condition needs no candidate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.machine import ClauseKind, RoleKind
from edca.semantic import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.semantic.checked import CheckedClause, CheckedSpec


def screening(spec: CheckedSpec) -> Iterator[tuple[str, tuple[str, ...], CheckedClause]]:
    """Yield the entity whose cases are closed, the roles they are closed to (none: all), and the forbid."""
    for forbid in spec.forbids:
        if not walk.needs_candidate(forbid.clause.condition, spec.definitions):
            yield forbid.about, (), forbid.clause
    for role in sorted(spec.words.roles.values(), key=lambda role: role.name):
        if role.kind is RoleKind.MODEL:
            for about in sorted({item.about for item in spec.transitions}):
                for clause in _shared(spec, role.name, about):
                    yield about, (role.name,), clause


def _shared(spec: CheckedSpec, role: str, about: str) -> Iterator[CheckedClause]:
    """Yield the forbids that stand in every transition of such cases that the role may propose."""
    own = [item for item in spec.transitions if item.about == about and role in item.by and not item.creates]
    forbids = [[clause for clause in item.clauses if clause.kind is ClauseKind.FORBID] for item in own]
    for clause in sorted(forbids[0], key=lambda clause: clause.code) if forbids else ():
        everywhere = all(any(other.condition == clause.condition for other in others) for others in forbids)
        if everywhere and not walk.needs_candidate(clause.condition, spec.definitions):
            yield clause
