"""Properties: what must never, or always, come about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.kernel.expression import Input
from edca.kernel.machine import LeadsTo, NeverReached
from edca.semantic import structure, typed, walk
from edca.semantic.check import condition
from edca.semantic.checked import CheckedNever, CheckedPath
from edca.semantic.draft import usable
from edca.semantic.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edca.diagnostics.source import Span
    from edca.semantic.checked import CheckedTransition
    from edca.semantic.vocabulary import Vocabulary

Property = tree.NeverWhen | tree.NeverReaching | tree.AlwaysLeads


def properties(
    spec: tree.Spec, words: Vocabulary, definitions: Mapping[str, typed.Definition]
) -> tuple[tuple[CheckedNever, ...], tuple[CheckedPath, ...]]:
    """Return every property that checks: those that decisions are tested with, and those about the graph of states."""
    nevers: list[CheckedNever] = []
    paths: list[CheckedPath] = []
    codes: dict[str, Span] = {}
    for declaration in spec.declarations:
        if not isinstance(declaration, Property):
            continue
        _declare(declaration.code, codes, words)
        if isinstance(declaration, tree.NeverWhen):
            never = _never(declaration, words, definitions)
            nevers += [] if never is None else [never]
        else:
            path = _path(declaration, words)
            paths += [] if path is None else [CheckedPath(path, declaration.code.span)]
    return tuple(nevers), tuple(paths)


def _declare(code: tree.Name, codes: dict[str, Span], words: Vocabulary) -> None:
    earlier = codes.setdefault(code.text, code.span)
    if earlier is not code.span:
        words.problems.add(
            "N011",
            code.span,
            f"two properties have the code `{code.text}`",
            help="a code is its property's id: give each its own",
            declared=earlier,
            declared_label="first used here",
        )


def _path(declaration: tree.NeverReaching | tree.AlwaysLeads, words: Vocabulary) -> NeverReached | LeadsTo | None:
    code, text, targets = declaration.code.text, declaration.text.value, words.states_of(declaration.targets)
    if isinstance(declaration, tree.NeverReaching):
        without = words.transitions(declaration.without)
        if targets is None or without is None:
            return None
        return NeverReached(code, text, tuple(sorted(targets)), without)
    sources = words.states_of(declaration.sources)
    if targets is None or sources is None:
        return None
    assuming = None if declaration.assuming is None else declaration.assuming.value
    return LeadsTo(code, text, tuple(sorted(sources)), tuple(sorted(targets)), assuming)


def _never(
    declaration: tree.NeverWhen, words: Vocabulary, definitions: Mapping[str, typed.Definition]
) -> CheckedNever | None:
    named = declaration.about or (words.case.entity if words.case is not None else None)
    entity = None
    if named is not None:
        entity = words.entities.get(named.text) if declaration.about is None else words.entity(named)
    states = words.states_of(declaration.states) if declaration.states else tuple(words.states)
    if entity is None:
        return None
    scope = Scope(words=words, definitions=definitions, case_entities=(entity.name,), standing=True)
    found = usable(scope, condition(scope, declaration.condition), declaration.condition.span)
    if found is None or not _stands(scope, found, declaration.condition.span) or states is None:
        return None
    return CheckedNever(
        code=declaration.code.text,
        text=declaration.text.value,
        about=entity.name,
        states=tuple(sorted(states)),
        condition=found,
        span=declaration.code.span,
    )


def _stands(scope: Scope, found: typed.Expression, span: Span) -> bool:
    """Tell whether the condition reads nothing that a candidate brings, also through its defines."""
    for node in walk.nodes(found, scope.definitions):
        match node:
            case typed.ClaimRead(name):
                read = f"the claim `{name}`"
            case typed.InputRead(input_) if input_ not in (Input.NOW, Input.CASE):
                read = f"`{input_.value}`"
            case _:
                continue
        message = f"a define used here reads {read}, which only a candidate brings"
        help_ = "a property reads memory, facts, `now` and who acted before"
        scope.words.problems.add("N001", span, message, help=help_)
        return False
    return True


def check_creations(
    nevers: Sequence[CheckedNever],
    transitions: Sequence[CheckedTransition],
    definitions: Mapping[str, typed.Definition],
    words: Vocabulary,
) -> None:
    """Report properties that would have to be tested before there is anything to test."""
    for never in nevers:
        if not walk.reads_case(never.condition, definitions):
            continue
        for item in transitions:
            reached = [target for target in structure.targets_of(item) if target in never.states]
            if item.creates and item.about == never.about and reached:
                words.problems.add(
                    "C042",
                    never.span,
                    f"`{never.code}` reads facts of the {item.about} that `{item.name}` only creates",
                    help=f"say in which states it holds, with `while`, and leave `{reached[0]}` out",
                    declared=item.span,
                    declared_label="created here",
                )
                break
