"""Lowering: the typed tree becomes the kernel's machine.

Defines are inlined (each parameter a `Bind`), decimal scales become multiplications, `let`s stay named. Variables are
numbered by their depth, so that two specs that differ only in the names of variables compile to the same machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, assert_never

from edca.kernel import expression as ir
from edca.kernel.evaluate import Frame, closure_of
from edca.kernel.machine import (
    LANGUAGE_VERSION,
    SEMANTICS_VERSION,
    Act,
    Assignment,
    Call,
    Clause,
    Evidence,
    Let,
    Limit,
    Machine,
    MemoryField,
    Never,
    Property,
    Query,
    ReturnedValue,
    Screen,
    Tier,
    Transition,
)
from edca.kernel.types import DecimalType, OptionalType, Type
from edca.kernel.values import Unknown
from edca.semantic import labels, queries, structure, typed, walk
from edca.semantic.checked import CheckedTransition
from edca.semantic.commit import wording
from edca.semantic.durations import UNITS
from edca.semantic.relations import plain
from edca.semantic.screens import screening
from edca.semantic.vocabulary import INT_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from edca.kernel.values import Value
    from edca.semantic.checked import (
        CheckedCall,
        CheckedClause,
        CheckedLimit,
        CheckedQuery,
        CheckedSpec,
    )

T = TypeVar("T")
TRUE = ir.Constant(True)
NO_FRAME = Frame(arguments={}, memory={}, claims={}, inputs={}, facts={})  # a constant reads none of it


@dataclass(frozen=True, slots=True)
class _Names:
    """The lowered names of the variables in force."""

    definitions: Mapping[str, typed.Definition]
    known: Mapping[str, str] = field(default_factory=dict)
    depth: int = 0

    def bind(self, name: str) -> tuple[str, _Names]:
        fresh = f"v{self.depth}"
        return fresh, _Names(self.definitions, {**self.known, name: fresh}, self.depth + 1)


def lower_expression(node: typed.Expression, definitions: Mapping[str, typed.Definition]) -> ir.Expression:
    """Return the kernel's form of a typed expression."""
    return _lower(node, _Names(definitions))


def _lower(node: typed.Expression, names: _Names) -> ir.Expression:
    match node:
        case typed.Literal(value):
            return ir.Constant(value)
        case typed.InputRead(input_):
            return ir.ReadInput(input_)
        case typed.ArgumentRead(name):
            return ir.ReadArgument(name)
        case typed.LetRead(name):
            return ir.ReadLet(name)
        case typed.LocalRead(name):
            return ir.ReadLocal(names.known[name])
        case typed.MemoryRead(name):
            return ir.ReadMemory(name)
        case typed.ClaimRead(name):
            return ir.ReadClaim(name)
        case typed.HistoryRead(history, name):
            return ir.ReadHistory(history, name)
        case typed.FactRead(base, entity, field_, key_part):
            inner = _lower(base, names)
            return ir.ReadFact(inner, entity, field_) if key_part is None else ir.ReadPart(inner, key_part)
        case typed.PartRead(base, _, index):
            return ir.ReadPart(_lower(base, names), index)
        case typed.Not(operand):
            return ir.Negation(_lower(operand, names))
        case typed.Connective(every, operands):
            parts = tuple(_lower(operand, names) for operand in operands)
            return ir.Conjunction(parts) if every else ir.Disjunction(parts)
        case typed.Comparing(comparison, left, right):
            return ir.Compare(comparison, _lower(left, names), _lower(right, names))
        case typed.Membership(element, domain):
            return ir.Contains(_lower(element, names), _lower(domain, names))
        case typed.Presence(operand):
            return ir.IsPresent(_lower(operand, names))
        case typed.Arithmetic(operation, left, right):
            return ir.Arithmetic(operation, _lower(left, names), _lower(right, names))
        case typed.Conditional(test, then, otherwise):
            return ir.Choice(_lower(test, names), _lower(then, names), _lower(otherwise, names))
        case typed.Folded():
            return _fold(node, names)
        case typed.Selected(selection, domain):
            return ir.Select(selection, _lower(domain, names))
        case typed.Zipped(left, right):
            return ir.Zip(_lower(left, names), _lower(right, names))
        case typed.Listed(parts):
            return ir.MakeTuple(tuple(_lower(part, names) for part in parts))
        case typed.Applied(name, arguments):
            return _inline(names.definitions[name], arguments, names)
        case typed.Earlier(operand):
            return ir.Before(_lower(operand, names))
        case typed.Converted(operand, type_):
            return _converted(operand, _scale(type_) - _scale(operand.type), names)
        case _:
            assert_never(node)


def _scale(type_: Type) -> int:
    of = plain(type_)
    return of.scale if isinstance(of, DecimalType) else 0


def _converted(operand: typed.Expression, places: int, names: _Names) -> ir.Expression:
    """Return the operand in smaller units; what is absent stays absent, and doesn't become unknown."""
    value = _lower(operand, names)
    if not isinstance(operand.type, OptionalType):
        return _scaled(value, places)
    variable, _ = names.bind("")
    read = ir.ReadLocal(variable)
    return ir.Bind(variable, value, ir.Choice(ir.IsPresent(read), _scaled(read, places), read))


def _scaled(value: ir.Expression, places: int) -> ir.Expression:
    factor = int(10**places)
    if isinstance(value, ir.Constant) and isinstance(value.value, int) and abs(value.value) * factor <= INT_MAX:
        return ir.Constant(value.value * factor)
    return ir.Arithmetic(ir.Operation.MULTIPLY, value, ir.Constant(factor))


def _fold(node: typed.Folded, names: _Names) -> ir.Expression:
    variable, inner = names.bind(node.variable)
    return ir.Reduce(
        node.fold,
        variable,
        _lower(node.domain, names),
        TRUE if node.condition is None else _lower(node.condition, inner),
        TRUE if node.body is None else _lower(node.body, inner),
    )


def _inline(definition: typed.Definition, arguments: tuple[typed.Expression, ...], names: _Names) -> ir.Expression:
    """Return the define's body with its parameters bound to the arguments, which see the names outside it."""
    inner = _Names(names.definitions, {}, names.depth)
    binds: list[tuple[str, ir.Expression]] = []
    for offset, ((name, _), argument) in enumerate(zip(definition.parameters, arguments, strict=True)):
        outer = _Names(names.definitions, names.known, names.depth + offset)
        variable, inner = inner.bind(name)
        binds.append((variable, _lower(argument, outer)))
    body = _lower(definition.body, inner)
    for variable, value in reversed(binds):
        body = ir.Bind(variable, value, body)
    return body


# --- declarations ---


def lower(spec: CheckedSpec) -> Machine:
    """Return the machine of a checked spec."""
    words, definitions = spec.words, spec.definitions
    case = words.case
    if case is None:
        raise ValueError("a checked spec has a case")
    return Machine(
        name=spec.name,
        version=spec.version,
        text=spec.text,
        tier=Tier.ADVISORY if spec.advisory else Tier.CONSEQUENTIAL,
        language=LANGUAGE_VERSION,
        semantics=SEMANTICS_VERSION,
        case_about=case.entity.text,
        case_key=tuple(name.text for name in case.keys),
        fresh_us=_fresh(spec),
        roles=_sorted(words.roles),
        entities=_sorted(words.entities),
        claims=_sorted(words.claims),
        effects=_sorted(words.effects),
        memory=tuple(
            MemoryField(
                name, words.memory[name], constant(spec.memory[name], definitions), words.memory_labels.get(name, ())
            )
            for name in sorted(words.memory)
        ),
        states=_sorted(words.states),
        composites=tuple(sorted(spec.composites, key=lambda c: c.name)),
        transitions=tuple(_transition(item, spec) for item in sorted(spec.transitions, key=lambda t: t.name)),
        screens=tuple(
            Screen(
                about,
                roles,
                clause.code,
                lower_expression(clause.condition, definitions),
                _evidence([clause.condition], definitions),
            )
            for about, roles, clause in screening(spec)
        ),
        modes=tuple(sorted(spec.modes, key=lambda m: m.name)),
        properties=_properties(spec),
        releases=tuple(sorted(spec.releases, key=lambda r: (r.owner or "", r.name, r.to, r.text))),
        wording=wording(spec),
        queries=tuple(_query(item, spec) for item in sorted(spec.queries, key=lambda q: q.name)),
    )


def _sorted(declared: Mapping[str, T]) -> tuple[T, ...]:
    return tuple(declared[name] for name in sorted(declared))


def _fresh(spec: CheckedSpec) -> int | None:
    case = spec.words.case
    return None if case is None or case.fresh is None else case.fresh.count * UNITS[case.fresh.unit]


def constant(node: typed.Expression, definitions: Mapping[str, typed.Definition]) -> Value:
    """Return the value of an expression that reads nothing. Raises `ValueError` where it is unknown all the same."""
    lowered = lower_expression(node, definitions)
    value = closure_of(lowered)(NO_FRAME)
    if isinstance(value, Unknown):
        raise ValueError("a constant is known")
    return value  # type: ignore[no-any-return]  # the checker saw to its type


def _guards(item: CheckedTransition, spec: CheckedSpec) -> list[typed.Expression]:
    """Return the guards of a transition's branches: which clauses are looked at tells how they came out."""
    return [other.guard for other in spec.transitions if other.offered == item.offered and other.guard is not None]


def _query(item: CheckedQuery, spec: CheckedSpec) -> Query:
    """Return the query; forbids about its entity come first, since they outrank its own clauses."""
    definitions = spec.definitions
    clauses = (*queries.holding(item, spec.forbids), *item.clauses)
    return Query(
        name=item.name,
        text=item.text,
        parameters=item.parameters,
        about=item.about,
        key=item.key,
        by=tuple(sorted(item.by)),
        lets=tuple(Let(name, lower_expression(value, definitions)) for name, value in item.lets),
        clauses=tuple(_clause(clause, item, spec) for clause in clauses),
        returns=tuple(
            ReturnedValue(one.name, one.value.type, lower_expression(one.value, definitions), one.labels)
            for one in item.returns
        ),
        evidence=_evidence(
            (
                *(value for _, value in item.lets),
                *(clause.condition for clause in clauses),
                *(one.value for one in item.returns),
            ),
            definitions,
        ),
    )


def _clause(clause: CheckedClause, item: CheckedTransition | CheckedQuery, spec: CheckedSpec) -> Clause:
    definitions, lets = spec.definitions, dict(item.lets)
    guards = _guards(item, spec) if isinstance(item, CheckedTransition) else []
    return Clause(
        code=clause.code,
        kind=clause.kind,
        text=clause.text,
        condition=lower_expression(clause.condition, definitions),
        on_fail=clause.on_fail,
        role=clause.role,
        within_us=clause.within_us,
        count=clause.count,
        distinct_from=tuple(lower_expression(part, definitions) for part in clause.distinct_from),
        limit=None if clause.limit is None else _limit(clause.limit, definitions),
        withheld=labels.withheld(clause, item.by, spec.words, spec.releases, definitions, lets)
        or labels.hides(guards, item.by, spec.words, spec.releases, definitions),
    )


def _transition(item: CheckedTransition, spec: CheckedSpec) -> Transition:
    """Return the transition; forbids for cases of its entity come first, since they outrank its own clauses."""
    definitions = spec.definitions
    blocked = not item.creates and not item.unblockable
    holding = [forbid.clause for forbid in spec.forbids if blocked and forbid.about == item.about]
    clauses = (*holding, *item.clauses)
    return Transition(
        name=item.name,
        offered=item.offered,
        text=item.text,
        parameters=item.parameters,
        about=item.about,
        key=item.key,
        creates=item.creates,
        sources=tuple(sorted(item.sources)),
        target=item.target,
        guard=None if item.guard is None else lower_expression(item.guard, definitions),
        priority=item.priority or 0,
        after_us=item.after_us,
        unblockable=item.unblockable,
        by=tuple(sorted(item.by)),
        answers=item.answers,
        lets=tuple(Let(name, lower_expression(value, definitions)) for name, value in item.lets),
        clauses=tuple(_clause(clause, item, spec) for clause in clauses),
        assignments=tuple(
            Assignment(name, lower_expression(value, definitions)) for name, value in sorted(item.assignments)
        ),
        acts=tuple(
            Act(
                _call(act.call, definitions),
                lower_expression(act.ensure, definitions),
                None if act.undo is None else _call(act.undo, definitions),
            )
            for act in item.acts
        ),
        on_failed=item.on_failed,
        on_timeout=item.on_timeout,
        evidence=_evidence(_read_by(item, clauses, spec), definitions),
    )


def _read_by(
    item: CheckedTransition, clauses: Iterable[CheckedClause], spec: CheckedSpec
) -> Iterator[typed.Expression]:
    """Yield every expression that a decision about the transition, or what comes of it, evaluates."""
    for branch in spec.transitions:
        if branch.offered == item.offered and branch.guard is not None:
            yield branch.guard  # which of the branches it is must be decided first
    yield from (value for _, value in (*item.lets, *item.assignments))
    for clause in clauses:
        yield from (clause.condition, *clause.distinct_from)
        if clause.limit is not None:
            yield from (clause.limit.bound, *clause.limit.keys)
            yield from () if clause.limit.measure is None else (clause.limit.measure,)
    for act in item.acts:
        yield from (act.ensure, *act.call.arguments, *(act.undo.arguments if act.undo is not None else ()))
    reached = set(structure.targets_of(item))
    yield from (never.condition for never in spec.nevers if never.about == item.about and reached & set(never.states))


def _limit(limit: CheckedLimit, definitions: Mapping[str, typed.Definition]) -> Limit:
    return Limit(
        measure=ir.Constant(1) if limit.measure is None else lower_expression(limit.measure, definitions),
        bound=lower_expression(limit.bound, definitions),
        type=limit.type,
        window=limit.window,
        keys=tuple(lower_expression(key, definitions) for key in limit.keys),
        key_types=tuple(key.type for key in limit.keys),
    )


def _properties(spec: CheckedSpec) -> tuple[Property, ...]:
    found: list[Property] = [
        Never(never.code, never.text, never.about, never.states, lower_expression(never.condition, spec.definitions))
        for never in spec.nevers
    ]
    found += [path.property for path in spec.paths]
    return tuple(sorted(found, key=lambda item: item.code))


def _call(call: CheckedCall, definitions: Mapping[str, typed.Definition]) -> Call:
    return Call(call.effect, tuple(lower_expression(argument, definitions) for argument in call.arguments))


def _evidence(read: Iterable[typed.Expression], definitions: Mapping[str, typed.Definition]) -> tuple[Evidence, ...]:
    """Return exactly the fields that the expressions read, by entity."""
    fields: dict[str, set[str]] = {}
    for expression in read:
        for entity, name in walk.facts(expression, definitions):
            fields.setdefault(entity, set()).add(name)
    return tuple(Evidence(entity, tuple(sorted(fields[entity]))) for entity in sorted(fields))
