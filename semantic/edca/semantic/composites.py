"""States, and the composites that stand for several of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.kernel.machine import Composite, State

if TYPE_CHECKING:
    from edca.semantic.vocabulary import Vocabulary

DEPTH_MAX = 3


def declare(
    words: Vocabulary, node: tree.StateDeclaration | tree.CompositeState, within: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Declare a state, or a composite with all in it; return the states it stands for. `within` is outermost first."""
    if isinstance(node, tree.StateDeclaration):
        return _state(words, node, within)
    if len(within) == DEPTH_MAX:
        help_ = f"composites nest at most {DEPTH_MAX} deep: draw two of them together"
        words.problems.add("C035", node.name.span, f"`{node.name.text}` is nested too deep", help=help_)
    if not node.members:
        help_ = "declare states between its braces, or drop them"
        words.problems.add("C035", node.name.span, f"`{node.name.text}` holds no state", help=help_)
    declared = words.declare(node.name, "state")
    inside = [name for member in node.members for name in declare(words, member, (*within, node.name.text))]
    if declared:
        name = node.name.text
        words.composites[name] = Composite(name, node.text.value, within[-1] if within else None)
        words.inside[name] = tuple(inside)
    return tuple(inside)


def _state(words: Vocabulary, node: tree.StateDeclaration, within: tuple[str, ...]) -> tuple[str, ...]:
    about: str | None = None
    if node.initial_about is not None:
        entity = words.entity(node.initial_about)
        about = None if entity is None else entity.name
    elif node.initial and words.case is not None:
        about = words.case.entity.text
    if node.outcome is not None and not node.final:
        message = f"`{node.name.text}` isn't final, so it is neither success nor failure"
        words.problems.add("C027", node.outcome.span, message, help="drop the word, or mark the state `final`")
    elif node.final and node.outcome is None:
        message = f"`{node.name.text}` ends the case, and doesn't say whether that is good"
        help_ = "write `success` or `failure` behind its text"
        words.problems.add("C027", node.name.span, message, help=help_)
    if not words.declare(node.name, "state"):
        return ()
    words.states[node.name.text] = State(
        name=node.name.text,
        text=node.text.value,
        initial_about=about,
        final=node.final,
        success=node.outcome is not None and node.outcome.text == "success",
        within=within[-1] if within else None,
    )
    return (node.name.text,)
