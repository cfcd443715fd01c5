"""Branches: transitions that share an offered name, told apart by their guards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.semantic.relations import same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.semantic.checked import CheckedClause, CheckedLimit, CheckedTransition
    from edca.semantic.vocabulary import Vocabulary


def id_of(declaration: tree.TransitionDeclaration) -> str:
    """Return the transition's id: `approve`, or `approve.small` for a branch."""
    name = declaration.name.text
    return name if declaration.branch is None else f"{name}.{declaration.branch.text}"


def declare(spec: tree.Spec, words: Vocabulary) -> list[tree.TransitionDeclaration]:
    """Declare every offered name; return the transitions whose id is new, reporting those that don't go together."""
    found: dict[str, tree.TransitionDeclaration] = {}
    firsts: dict[str, tree.TransitionDeclaration] = {}
    for declaration in spec.declarations:
        if not isinstance(declaration, tree.TransitionDeclaration):
            continue
        first = firsts.get(declaration.name.text)
        if first is None or (first.branch is None and declaration.branch is None):
            if not words.declare(declaration.name, "transition"):
                continue
            firsts[declaration.name.text] = declaration
        elif first.branch is None or declaration.branch is None:
            words.problems.add(
                "C028",
                declaration.name.span,
                f"`{declaration.name.text}` can't both have branches and be one transition",
                help=f"give each its branch: `{declaration.name.text}.BRANCH`",
                declared=first.name.span,
            )
        id_ = id_of(declaration)
        if id_ in found:
            words.problems.add(
                "N002",
                declaration.name.span,
                f"`{id_}` is declared twice",
                help="give each branch its own name",
                declared=found[id_].name.span,
                declared_label="first declared here",
            )
            continue
        found[id_] = declaration
    for declaration in found.values():
        _check_alone(declaration, words)
    return list(found.values())


def _check_alone(declaration: tree.TransitionDeclaration, words: Vocabulary) -> None:
    """Report what only branches can have."""
    if declaration.branch is not None:
        return
    add, name = words.problems.add, declaration.name.text
    if declaration.guard is not None:
        help_ = f"name the branch that it chooses: `{name}.BRANCH`, or write the condition as a `require`"
        add("C028", declaration.guard.span, f"`{name}` has a guard and is no branch", help=help_)
    for clause in declaration.clauses:
        if isinstance(clause, tree.Priority):
            help_ = f"drop it, or name the branch: `{name}.BRANCH`"
            add("C028", clause.span, f"`{name}` has a priority and is no branch", help=help_)


def check_even(transitions: Sequence[CheckedTransition], words: Vocabulary) -> None:
    """Report branches that candidates could not call in the same way."""
    firsts: dict[str, CheckedTransition] = {}
    for item in transitions:
        first = firsts.setdefault(item.offered, item)
        difference = _difference(first, item)
        if difference is not None:
            words.problems.add(
                "C028",
                item.span,
                f"`{item.name}` and `{first.name}` {difference}",
                help="candidates name the transition, not its branch: all branches are called alike",
                declared=first.span,
            )


def check_limits(transitions: Sequence[CheckedTransition], words: Vocabulary) -> None:
    """Report limits of one code in branches of one name that could not be one counter."""
    firsts: dict[tuple[str, str], CheckedClause] = {}
    for item in transitions:
        for clause in item.clauses:
            first = firsts.setdefault((item.offered, clause.code), clause)
            if clause.limit is None or first.limit is None or first is clause or _alike(first.limit, clause.limit):
                continue
            words.problems.add(
                "C030",
                clause.span,
                f"`{clause.code}` counts otherwise in another branch of `{item.offered}`",
                help="branches of one name share the counter: give it one window, one unit and the same keys in each, "
                "or another code",
                declared=first.span,
            )


def _alike(first: CheckedLimit, other: CheckedLimit) -> bool:
    keys = [key.type for key in first.keys], [key.type for key in other.keys]
    return first.window == other.window and same(first.type, other.type) and keys[0] == keys[1]


def _difference(first: CheckedTransition, item: CheckedTransition) -> str | None:
    if first.parameters != item.parameters:
        return "have different parameters"
    if (first.about, first.key) != (item.about, item.key):
        return "are about different cases"
    if first.creates != item.creates:
        return "differ in what they create"
    return None
