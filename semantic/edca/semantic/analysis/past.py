"""What asks who acted before, where nobody can have acted yet.

`proposer of X` is unknown until X was accepted in the case, and `signers of C` until a transition with that clause was.
Every transition is accepted for a first time, or never. Where no path on which it wasn't accepted before leads from
there to the transition that asks, what it asks is unknown for certain.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeAlias

from edca.diagnostics.diagnostic import Severity
from edca.kernel.expression import History
from edca.kernel.machine import ClauseKind
from edca.kernel.movement import ASKING
from edca.semantic import structure, typed, walk
from edca.semantic.analysis import written
from edca.semantic.analysis.graph import Ending, alternatives, graph_of, reached, spread
from edca.semantic.analysis.possible import Reach
from edca.semantic.analysis.ranges import NOTHING, truths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edca.diagnostics.source import Span
    from edca.dsl import tree
    from edca.semantic.analysis.graph import Graph, Place
    from edca.semantic.analysis.possible import Within
    from edca.semantic.checked import CheckedClause, CheckedNever, CheckedSpec, CheckedTransition
    from edca.semantic.problems import Problems

Past: TypeAlias = tuple[History, str]  # who proposed a transition, or who signed a clause


def check(tree_: tree.Spec, spec: CheckedSpec, reach: Reach, problems: Problems) -> None:
    """Report what can't pass, because it asks for something that can't have happened by then."""
    everywhere: dict[str, set[Past]] = {}
    for about, condition in (
        *((forbid.about, forbid.clause.condition) for forbid in spec.forbids),
        *((never.about, never.condition) for never in spec.nevers),
    ):
        everywhere.setdefault(about, set()).update(_pasts(condition, spec, {}))
    asked = {item.name: everywhere.get(item.about, set()) | _asked(item, spec) for item in spec.transitions}
    if not any(asked.values()):
        return
    graph = graph_of(spec)
    somewhere = reached(graph)
    declared = written.declarations(tree_)
    reported: set[Span] = set()
    for item in spec.transitions:
        places = [(item.about, source) for source in item.sources if (item.about, source) in somewhere]
        if not asked[item.name] or not places:
            continue  # where no case ever is, that is a finding already
        before = _without(graph, item)
        gone = frozenset(past for past in asked[item.name] if _behind(spec, before, past).isdisjoint(places))
        for span, what, read in _Transition(spec, item, declared[item.name], reach, gone).found():
            if span not in reported:
                reported.add(span)
                later = [past for past in read if not _behind(spec, graph, past).isdisjoint(places)]
                _report(span, what, item, read, later=bool(later), problems=problems)


def _asked(item: CheckedTransition, spec: CheckedSpec) -> set[Past]:
    """Return all that the transition's expressions ask of the past."""
    lets = dict(item.lets)
    return {past for expression in _expressions(item) for past in _pasts(expression, spec, lets)}


def _without(graph: Graph, item: CheckedTransition) -> Graph:
    """Return the graph as it is before the transition was ever accepted."""
    ways = {place: tuple(way for way in ways if way.by.name != item.name) for place, ways in graph.ways.items()}
    leads = {place: tuple(dict.fromkeys(way.target for way in found)) for place, found in ways.items()}
    return dataclasses.replace(graph, ways=ways, leads=leads)


def _expressions(item: CheckedTransition) -> Iterator[typed.Expression]:
    yield from () if item.guard is None else (item.guard,)
    yield from (value for _, value in item.assignments)
    for clause in item.clauses:
        yield from (clause.condition, *clause.distinct_from, *_counted(clause))
    for act in item.acts:
        yield from act.call.arguments


def _counted(clause: CheckedClause) -> tuple[typed.Expression, ...]:
    if clause.limit is None:
        return ()
    measure = () if clause.limit.measure is None else (clause.limit.measure,)
    return (*measure, clause.limit.bound, *clause.limit.keys)


def _pasts(expression: typed.Expression, spec: CheckedSpec, lets: dict[str, typed.Expression]) -> set[Past]:
    read = walk.nodes(expression, spec.definitions, lets)
    return {(node.history, node.name) for node in read if isinstance(node, typed.HistoryRead)}


def _behind(spec: CheckedSpec, graph: Graph, past: Past) -> set[Place]:
    """Return the places that a case can be in once it has happened: at the acceptance, however the effects end."""
    accepted = {item.name for item in spec.transitions if _is(past, item)}
    starts = [
        way.target
        for place in reached(graph)
        for way in graph.ways.get(place, ())
        if way.by.name in accepted and not (way.by.creates and way.ending is Ending.FAILED)
    ]
    return set(spread(starts, graph.leads))


def _is(past: Past, item: CheckedTransition) -> bool:
    """Tell whether it happens when the transition is accepted."""
    history, name = past
    if history is History.PROPOSER:
        return item.offered == name
    return any(clause.kind in ASKING and clause.code == name for clause in item.clauses)


class _Transition:
    """What of one transition can't pass, since what is `gone` can't have happened before it."""

    def __init__(
        self,
        spec: CheckedSpec,
        item: CheckedTransition,
        declaration: tree.TransitionDeclaration,
        reach: Reach,
        gone: frozenset[Past],
    ) -> None:
        self._spec = spec
        self._item = item
        self._declaration = declaration
        self._lets = dict(item.lets)
        self._gone = gone
        self._any: Within = reach.transition(item.lets)
        self._then: Within = Reach(spec, gone=gone).transition(item.lets)

    def found(self) -> Iterator[tuple[Span, str, set[Past]]]:
        """Yield where it stands, what comes of it, and what it asks for."""
        item, guard = self._item, self._declaration.guard
        if not self._gone:
            return
        if item.guard is not None and guard is not None and self._never(item.guard, True):
            yield guard.span, f"the `when` of `{item.name}` can't be true", self._read((item.guard,))
        exempt = item.creates or item.unblockable
        shared = [one.clause for one in self._spec.forbids if one.about == item.about and not exempt]
        for clause in (*shared, *item.clauses):
            found = self._clause(clause)
            if found is not None:
                yield clause.span, *found
        spans = written.assignments(self._declaration)
        for name, value in item.assignments:
            if self._unknown(value):
                yield spans[name], f"what `{item.name}` sets `{name}` to can't be known", self._read((value,))
        for call, invocation in written.calls(item, self._declaration):
            for argument, node in zip(call.arguments, invocation.arguments, strict=True):
                if self._unknown(argument) and call in [act.call for act in item.acts]:
                    message = f"what `{item.name}` tells `{call.effect}` can't be known"
                    yield node.span, message, self._read((argument,))
        for never in self._spec.nevers:
            yield from self._property(never)

    def _clause(self, clause: CheckedClause) -> tuple[str, set[Past]] | None:
        code = clause.code
        match clause.kind:
            case ClauseKind.REQUIRE if self._never(clause.condition, True):
                return f"`{code}` can't be true", self._read((clause.condition,))
            case ClauseKind.FORBID if self._never(clause.condition, False):
                return f"`{code}` can't be false", self._read((clause.condition,))
            case ClauseKind.SIGN if any(self._unknown(part) for part in clause.distinct_from):
                unknown = [part for part in clause.distinct_from if self._unknown(part)]
                return f"nobody's answer to `{code}` can count", self._read(unknown)
            case ClauseKind.LIMIT if any(self._unknown(part) for part in _counted(clause)):
                unknown = [part for part in _counted(clause) if self._unknown(part)]
                return f"`{code}` can't pass", self._read(unknown)
            case _:
                return None

    def _property(self, never: CheckedNever) -> Iterator[tuple[Span, str, set[Past]]]:
        """Yield a `never` that asks, of what would come about, for something that is still to happen."""
        item = self._item
        if never.about != item.about or not set(structure.targets_of(item)) & set(never.states):
            return
        by_then = frozenset(past for past in self._gone if not _is(past, item))
        then = Reach(self._spec, gone=by_then).transition(())
        before = truths(self._any.of(never.condition).values)
        if False in before and False not in truths(then.of(never.condition).values):
            read = _pasts(never.condition, self._spec, {}) & by_then
            yield never.span, f"`{never.code}` can't be false when `{item.name}` is decided", read

    def _never(self, condition: typed.Expression, truth: bool) -> bool:
        """Tell whether the condition could come out so, and can't because of what is gone."""
        return truth in truths(self._any.of(condition).values) and truth not in truths(self._then.of(condition).values)

    def _unknown(self, value: typed.Expression) -> bool:
        found = self._then.of(value)
        return found.values == NOTHING and not found.absent and bool(self._read((value,)))

    def _read(self, expressions: Iterable[typed.Expression]) -> set[Past]:
        return {past for one in expressions for past in _pasts(one, self._spec, self._lets)} & self._gone


def _report(
    span: Span, what: str, item: CheckedTransition, read: set[Past], *, later: bool, problems: Problems
) -> None:
    """Say what can't pass, and what would have to come first."""
    pasts = sorted(read, key=lambda past: (past[0].value, past[1]))
    names = [f"{history.value} of {name}" for history, name in pasts]
    if later:
        why, help_ = f" until `{item.name}` itself was accepted", "ask for somebody who has acted by then"
    else:
        first = " and ".join(
            f"a way from `{name}`" if history is History.PROPOSER else f"a way from a transition with `{name}`"
            for history, name in pasts
        )
        why = f", as no way leads from there to `{item.name}`"
        help_ = f"add {first} to {alternatives(item.sources)}, or ask for somebody who has acted by then"
    problems.add(
        "C048",
        span,
        f"{what}: {alternatives(names, 'and')} is unknown{why}",
        help=help_,
        severity=Severity.WARNING,
    )
