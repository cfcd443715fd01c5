"""Where labelled values go: into effects only by a `release`, into memory only under the same label.

A value carries the labels of everything it was computed from: what was read on the way to it (a reference, a key), what
was compared, counted or summed, and what chose between two branches. So a truth value that tells something of a secret
is a secret itself. What isn't followed: that a transition was taken at all tells something of what its clauses read.
Which of its branches was taken is followed in `implicit`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from edca.kernel.expression import Input
from edca.semantic import typed, walk
from edca.semantic.analysis import written

if TYPE_CHECKING:
    from edca.diagnostics.source import Span
    from edca.dsl import tree
    from edca.semantic.checked import CheckedSpec, CheckedTransition
    from edca.semantic.problems import Problems


@dataclasses.dataclass(frozen=True, slots=True)
class Labelled:
    """A labelled value: a field of an entity, an argument of a transition, or (without an owner) memory or a claim."""

    owner: str | None
    name: str
    labels: tuple[str, ...]

    def __str__(self) -> str:
        """Return what it is called in a spec."""
        return self.name if self.owner is None else f"{self.owner}.{self.name}"


Origins: TypeAlias = frozenset[Labelled]
NONE: Origins = frozenset()
NO_LOCALS: Mapping[str, Origins] = {}


def check(tree_: tree.Spec, spec: CheckedSpec, problems: Problems) -> None:
    """Report each labelled value that a transition would hand to an effect, or keep, where it may not go."""
    released = {(one.owner, one.name, to) for one in spec.releases for to in one.to}
    declared = written.declarations(tree_)
    for item in spec.transitions:
        origins = Flow(spec, item)
        declaration = declared[item.name]
        for call, invocation in written.calls(item, declaration):
            for argument, node in zip(call.arguments, invocation.arguments, strict=True):
                for value in in_order(origins.of(argument)):
                    if (value.owner, value.name, call.effect) not in released:
                        to_effect(call.effect, value, node.span, problems)
        _in_the_open(item, origins, declaration, problems)
        spans = written.assignments(declaration)
        for name, expression in item.assignments:
            kept = spec.words.memory_labels.get(name, ())
            for value in in_order(origins.of(expression)):
                lacking = [label for label in value.labels if label not in kept]
                if lacking:
                    to_memory(name, value, lacking, spans[name], problems)


def _in_the_open(
    item: CheckedTransition, origins: Flow, declaration: tree.TransitionDeclaration, problems: Problems
) -> None:
    """Report what would be personal and can't be sealed: counters are shared by cases, and a case's key is its name."""
    for clause in item.clauses:
        if clause.limit is None:
            continue
        limit = clause.limit
        parts = (limit.bound, *limit.keys, *(() if limit.measure is None else (limit.measure,)))
        for value in in_order(NONE.union(*(origins.of(part) for part in parts))):
            if "personal" in value.labels:
                problems.add(
                    "C056",
                    clause.span,
                    f"the limit `{clause.code}` would count by `{value}`, which is personal",
                    help="count per an account, such as the owner of the case, or what is not personal: what a limit "
                    "counts outlasts every case, so it can't be erased with one",
                )
                break
    for parameter, node in zip(item.parameters, declaration.parameters, strict=True):
        if parameter.name in item.key and "personal" in parameter.labels:
            problems.add(
                "C056",
                node.span,
                f"`{parameter.name}` is the key of the case, and so part of its name in every record",
                help="find the case by an opaque id, and keep what is personal in a field of it",
            )


class Flow:
    """From which labelled values the expressions of one transition are computed."""

    def __init__(self, spec: CheckedSpec, item: CheckedTransition) -> None:
        """Follow the transition's lets, in their order."""
        self._spec = spec
        self._offered = item.offered
        self._arguments = {parameter.name: parameter.labels for parameter in item.parameters}
        self._key = frozenset().union(*(self._argument(name) for name in item.key))
        self._applied: dict[tuple[str, tuple[Origins, ...]], Origins] = {}
        self._lets: dict[str, Origins] = {}
        for name, value in item.lets:
            self._lets[name] = self.of(value)

    def of(self, node: typed.Expression, variables: Mapping[str, Origins] = NO_LOCALS) -> Origins:
        """Return the labelled values that the expression's value depends on."""
        match node:
            case typed.ArgumentRead(name):
                return self._argument(name)
            case typed.LetRead(name):
                return self._lets[name]
            case typed.LocalRead(name):
                return variables[name]
            case typed.MemoryRead(name):
                return _labelled(None, name, self._spec.words.memory_labels.get(name, ()))
            case typed.ClaimRead(name):
                return _labelled(None, name, self._spec.words.claims[name].labels)
            case typed.InputRead(Input.CASE):
                return self._key
            case typed.FactRead(base, entity, name, key_part):
                labels = () if key_part is not None else self._spec.words.entities[entity].field(name).labels
                return self.of(base, variables) | _labelled(entity, name, labels)
            case typed.Folded(_, variable, domain, condition, body):
                over = self.of(domain, variables)
                inner = {**variables, variable: over}
                return over.union(*(self.of(part, inner) for part in (condition, body) if part is not None))
            case typed.Applied(name, arguments):
                return self._define(name, tuple(self.of(argument, variables) for argument in arguments))
            case _:
                return NONE.union(*(self.of(part, variables) for part in walk.parts(node)))

    def _argument(self, name: str) -> Origins:
        return _labelled(self._offered, name, self._arguments.get(name, ()))

    def _define(self, name: str, arguments: tuple[Origins, ...]) -> Origins:
        key = (name, arguments)
        if key not in self._applied:
            definition = self._spec.definitions[name]
            names = (parameter for parameter, _ in definition.parameters)
            self._applied[key] = self.of(definition.body, dict(zip(names, arguments, strict=True)))
        return self._applied[key]


def _labelled(owner: str | None, name: str, labels: tuple[str, ...]) -> Origins:
    return frozenset((Labelled(owner, name, labels),)) if labels else NONE


def in_order(origins: Origins) -> list[Labelled]:
    """Return labelled values in one fixed order."""
    return sorted(origins, key=str)


def to_effect(effect: str, value: Labelled, span: Span, problems: Problems, *, by: str = "") -> None:
    """Report an effect that would be told of the value, `by` which branch of a transition is taken."""
    told = f"be told of `{value}`" if not by else f"tell which branch of `{by}` is taken, and so of `{value}`"
    problems.add(
        "C043",
        span,
        f"`{effect}` would {told}, which is {_and(value.labels)}, and nothing releases it",
        help=f'write `release {value} to {effect} "Why it may."`, or '
        f"{'call it alike in all branches' if by else 'leave it out'}",
    )


def to_memory(name: str, value: Labelled, lacking: list[str], span: Span, problems: Problems, *, by: str = "") -> None:
    """Report a memory field that would keep what the value tells, `by` which branch of a transition is taken."""
    kept = f"what `{value}` tells" if not by else f"which branch of `{by}` is taken, and so what `{value}` tells"
    problems.add(
        "C044",
        span,
        f"`{name}` would keep {kept}, which is {_and(value.labels)}",
        help=f"label the memory field too: `{name}: TYPE {' '.join(lacking)} = …`"
        f"{', or set it alike in all branches' if by else ''}",
    )


def _and(labels: tuple[str, ...] | list[str]) -> str:
    return " and ".join(labels)
