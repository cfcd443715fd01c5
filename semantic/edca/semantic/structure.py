"""The shape of the whole: what states and transitions are missing, unreachable or at odds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.diagnostics.diagnostic import Severity
from edca.dsl import tree
from edca.kernel.machine import Tier
from edca.semantic.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.semantic.checked import CheckedTransition
    from edca.semantic.vocabulary import Vocabulary


def check(spec: tree.Spec, words: Vocabulary, transitions: Sequence[CheckedTransition]) -> None:
    """Report what is wrong with the machine as a whole."""
    add = words.problems.add
    header = spec.header
    if words.case is None and "case" not in words.problems.lost:
        help_ = "add `case about ENTITY by KEY`: it says what a case is, and which argument names it"
        add("C014", header.name.span, "nothing says what a case is about", help=help_)
    tiers = [tier.value for tier in Tier]
    if header.tier is not None and header.tier.text not in tiers:
        suggestion = did_you_mean(header.tier.text, tiers, "a tier is `advisory` or `consequential`")
        add("C009", header.tier.span, f"there is no tier `{header.tier.text}`", help=suggestion)
    if header.tier is not None and header.tier.text == "advisory":
        for declaration in spec.declarations:
            if isinstance(declaration, tree.TransitionDeclaration):
                for clause in declaration.clauses:
                    if isinstance(clause, tree.Perform):
                        help_ = "drop the effect, or raise the tier to `consequential`"
                        add("C009", clause.span, "an advisory machine may hold no effects", help=help_)
    _initial(words, transitions)
    declared = [d for d in spec.declarations if isinstance(d, tree.TransitionDeclaration)]
    if len(transitions) == len(declared):
        _reachable(words, transitions)


def targets_of(item: CheckedTransition) -> tuple[str, ...]:
    """Return every state that the transition can lead to: done, failed or timed out."""
    edges = (item.on_failed, item.on_timeout)
    return (item.target, *(edge.target for edge in edges if edge is not None))


def _initial(words: Vocabulary, transitions: Sequence[CheckedTransition]) -> None:
    starts: dict[str, str] = {}
    for state in words.states.values():
        if state.initial_about is None:
            continue
        if state.initial_about in starts:
            message = f"cases about `{state.initial_about}` start in two states"
            words.problems.add(
                "C001", words.spans[state.name], message, help="only one state is `initial` for an entity"
            )
        starts[state.initial_about] = state.name
    needed = {words.case.entity.text: words.case.span} if words.case is not None else {}
    for item in transitions:
        needed.setdefault(item.about, item.span)
    for entity, span in needed.items():
        # A state that could not be read may have been the initial one.
        if entity in words.entities and entity not in starts and not words.problems.damaged:
            help_ = f'write `state NAME initial about {entity} "…"`'
            words.problems.add("C001", span, f"cases about `{entity}` have no initial state", help=help_)


def _reachable(words: Vocabulary, transitions: Sequence[CheckedTransition]) -> None:
    """Report states that no path reaches, exits from final states, and ends that aren't final."""
    reached = {state.name for state in words.states.values() if state.initial_about is not None}
    edges = [(s, t) for item in transitions for s in item.sources for t in targets_of(item)]
    while True:
        more = {target for source, target in edges if source in reached} - reached
        if not more:
            break
        reached |= more
    for name, state in words.states.items():
        span = words.spans[name]
        exits = [target for source, target in edges if source == name]
        if name not in reached and not words.problems.fatal and not words.problems.lost:
            help_ = "add a transition that leads to it, or drop it"
            words.problems.add("C002", span, f"no path leads to `{name}`", help=help_, severity=Severity.WARNING)
        if state.final and exits:
            help_ = "a final state ends the case: drop `final`, or the transition"
            words.problems.add("C013", span, f"`{name}` is final but has a way out", help=help_)
        if not state.final and not exits and not words.problems.damaged:
            help_ = "mark it `final`, or add a transition out of it"
            message = f"`{name}` has no way out and is not final"
            words.problems.add("C016", span, message, help=help_, severity=Severity.WARNING)
