"""What an outcome hangs on: the expressions that decide it, and what can be changed in a world to turn it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.machine import ClauseKind, Never
from edca.semantic import typed, walk
from edca.semantic.checked import CheckedQuery
from edca.semantic.coverage_goals import Goal, Part, clauses_of, ends_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edca.kernel import expression as ir
    from edca.kernel.machine import Clause, Machine
    from edca.semantic.checked import CheckedClause, CheckedSpec, CheckedTransition

GUARD = "guard of "  # no code of a clause holds a blank
NEVER = "never "


@dataclass(frozen=True, slots=True)
class Subject:
    """Something of a transition or query that has outcomes.

    `condition` is what is true, false or unknown, `lowered` all expressions that bear on it; `reads` is what these
    read, each once, facts first. `property_` tells that the condition is tested on what would come about.
    """

    name: str
    kind: ClauseKind | None
    condition: ir.Expression
    lowered: tuple[ir.Expression, ...]
    reads: tuple[typed.Expression, ...]
    after_us: int | None = None
    property_: bool = False


def subjects_of(checked: CheckedSpec, machine: Machine, item: CheckedTransition | CheckedQuery) -> dict[str, Subject]:
    """Return by name all that can keep a transition from being accepted: guards, clauses, and properties.

    Of a query, it is clauses alone that can keep it from being answered.
    """
    if isinstance(item, CheckedQuery):
        return _clauses(checked, item, machine.index.queries[item.name].clauses)
    return _of_transition(checked, machine, item)


def _clauses(
    checked: CheckedSpec, item: CheckedTransition | CheckedQuery, lowered: tuple[Clause, ...]
) -> dict[str, Subject]:
    written, lets = clauses_of(checked, item), dict(item.lets)
    return {
        clause.code: Subject(
            clause.code,
            clause.kind,
            clause.condition,
            _lowered(clause),
            _reads(checked, _written(written[clause.code]), lets),
        )
        for clause in lowered
    }


def _of_transition(checked: CheckedSpec, machine: Machine, transition: CheckedTransition) -> dict[str, Subject]:
    lets = dict(transition.lets)
    lowered = machine.index.transitions[transition.name]
    found: dict[str, Subject] = {}
    for branch in machine.index.offered[lowered.offered]:
        written = next(item for item in checked.transitions if item.name == branch.name)
        if branch.guard is not None and written.guard is not None:
            name = GUARD + branch.name
            found[name] = Subject(
                name, None, branch.guard, (branch.guard,), _reads(checked, (written.guard,), {}), lowered.after_us
            )
    found |= _clauses(checked, transition, lowered.clauses)
    assigned = tuple(value for _, value in transition.assignments)
    for never, written_never in zip(_nevers(machine), _written_nevers(checked), strict=True):
        if never.about == transition.about and ends_in(lowered, never.states):
            reads = _reads(checked, (written_never, *assigned), lets)
            parts = (never.condition, *(item.value for item in lowered.assignments))
            found[NEVER + never.code] = Subject(NEVER + never.code, None, never.condition, parts, reads, property_=True)
    return found


def subject_name(goal: Goal) -> str:
    """Return the name of the subject whose outcome the goal is."""
    if goal.part is Part.GUARD:
        return GUARD + goal.transition
    return NEVER + goal.code if goal.part is Part.PROPERTY else goal.code


def _nevers(machine: Machine) -> list[Never]:
    return sorted((one for one in machine.properties if isinstance(one, Never)), key=lambda one: one.code)


def _written_nevers(checked: CheckedSpec) -> list[typed.Expression]:
    return [never.condition for never in sorted(checked.nevers, key=lambda never: never.code)]


def _lowered(clause: Clause) -> tuple[ir.Expression, ...]:
    limit = clause.limit
    counted = () if limit is None else (limit.measure, limit.bound, *limit.keys)
    return (clause.condition, *clause.distinct_from, *counted)


def _written(clause: CheckedClause) -> tuple[typed.Expression, ...]:
    limit = clause.limit
    measured = () if limit is None or limit.measure is None else (limit.measure,)
    counted = () if limit is None else (*measured, limit.bound, *limit.keys)
    return (clause.condition, *clause.distinct_from, *counted)


def _reads(
    checked: CheckedSpec, parts: tuple[typed.Expression, ...], lets: Mapping[str, typed.Expression]
) -> tuple[typed.Expression, ...]:
    """Return what the expressions read, each once; facts first, since they are what a rule is about."""
    found: dict[tuple[int, str, str], typed.Expression] = {}
    for part in parts:
        for key, node in _each_read(checked, part, lets):
            found.setdefault(key, node)
    return tuple(found[key] for key in sorted(found))


def _each_read(
    checked: CheckedSpec, part: typed.Expression, lets: Mapping[str, typed.Expression]
) -> Iterator[tuple[tuple[int, str, str], typed.Expression]]:
    for node in walk.nodes(part, checked.definitions, lets):
        match node:
            case typed.FactRead(_, entity, field, None):
                yield (0, entity, field), node
            case typed.ArgumentRead(name) | typed.MemoryRead(name) | typed.ClaimRead(name):
                yield (1, type(node).__name__, name), node
            case typed.InputRead(input_):
                yield (2, input_.value, ""), node
            case typed.HistoryRead(history, name):
                yield (3, history.value, name), node
            case _:
                pass
