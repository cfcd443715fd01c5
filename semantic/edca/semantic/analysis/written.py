"""Where the parts of a checked transition stand in its source, for findings that point at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl import tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edca.diagnostics.source import Span
    from edca.semantic.checked import CheckedCall, CheckedTransition


def declarations(spec: tree.Spec) -> Mapping[str, tree.TransitionDeclaration]:
    """Return each transition's declaration by its id."""
    found: dict[str, tree.TransitionDeclaration] = {}
    for one in spec.declarations:
        if isinstance(one, tree.TransitionDeclaration):
            found[one.name.text if one.branch is None else f"{one.name.text}.{one.branch.text}"] = one
    return found


def calls(
    item: CheckedTransition, declaration: tree.TransitionDeclaration
) -> Iterator[tuple[CheckedCall, tree.Invocation]]:
    """Yield every call of an effect that a transition without errors can make, undos too, with where it stands."""
    performs = [clause for clause in declaration.clauses if isinstance(clause, tree.Perform)]
    for act, perform in zip(item.acts, performs, strict=True):
        yield act.call, perform.invocation
        if act.undo is not None and perform.undo is not None:
            yield act.undo, perform.undo


def assignments(declaration: tree.TransitionDeclaration) -> Mapping[str, Span]:
    """Return where the value of each `set` stands, by the memory field."""
    return {clause.name.text: clause.value.span for clause in declaration.clauses if isinstance(clause, tree.Assign)}
