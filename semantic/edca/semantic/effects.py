"""What a transition changes: memory, the outside world, and where the case goes if that fails."""

from __future__ import annotations

import dataclasses

from edca.diagnostics.diagnostic import Severity
from edca.dsl import tree
from edca.kernel.machine import Edge, Timeout
from edca.semantic import typed
from edca.semantic.check import check, condition
from edca.semantic.checked import CheckedAct, CheckedCall
from edca.semantic.draft import Draft, no_confidence, usable
from edca.semantic.durations import lasting
from edca.semantic.grounded import Ground
from edca.semantic.problems import did_you_mean


def assign(draft: Draft, clause: tree.Assign) -> None:
    """Read a `set`."""
    words, name = draft.scope.words, clause.name
    type_ = words.memory.get(name.text)
    if type_ is None:
        help_ = did_you_mean(name.text, words.memory, "declare it in `memory`; nothing else can be set")
        words.problems.add("N001", name.span, f"there is no memory field `{name.text}`", help=help_)
        return
    if name.text in draft.assignments:
        words.problems.add("N002", clause.span, f"`{name.text}` is set twice")
    value = usable(draft.scope, check(draft.scope, clause.value, type_), clause.value.span)
    if value is not None:
        no_confidence(draft.scope, value, clause.value.span)
        draft.assignments[name.text] = value


def perform(draft: Draft, clause: tree.Perform) -> None:
    """Read a `do` with its postcondition and its undo."""
    words, name = draft.scope.words, clause.invocation.effect
    call = _call(draft, clause.invocation)
    ensure = None
    if clause.ensure is None:
        help_ = "write what is true once it has happened: `ensure CONDITION`; `before(…)` is what the decision read"
        words.problems.add("C006", clause.span, f"nothing says what `{name.text}` leaves true", help=help_)
    else:
        after = dataclasses.replace(draft.scope, ensure=True)
        ensure = usable(after, condition(after, clause.ensure), clause.ensure.span)
        if ensure is not None and Ground(after.definitions, draft.lets).could_be(True, ensure):
            help_ = "compare a fact that the effect changes: `ensure order.refunded == before(order.refunded) + amount`"
            message = f"this could be true whatever became of `{name.text}`"
            words.problems.add("C006", clause.ensure.span, message, help=help_, severity=Severity.WARNING)
    undo = None if clause.undo is None else _call(draft, clause.undo)
    if clause.undo is None and not clause.irreversible:
        help_ = "name the effect that takes it back: `undo …`, or write `irreversible`"
        words.problems.add("C005", clause.span, f"nothing says how `{name.text}` is undone", help=help_)
    if call is not None and ensure is not None and (clause.undo is None or undo is not None):
        draft.acts.append(CheckedAct(call, ensure, undo))


def _call(draft: Draft, invocation: tree.Invocation) -> CheckedCall | None:
    words = draft.scope.words
    effect = words.effects.get(invocation.effect.text)
    if effect is None:
        help_ = did_you_mean(invocation.effect.text, words.effects, "declare it with `effect`")
        words.problems.add(
            "N008",
            invocation.effect.span,
            f"there is no effect `{invocation.effect.text}`",
            label="not declared",
            help=help_,
        )
        return None
    if len(invocation.arguments) != len(effect.parameters):
        message = f"`{effect.name}` takes {len(effect.parameters)} arguments, found {len(invocation.arguments)}"
        help_ = f"it is `{effect.name}({', '.join(parameter.name for parameter in effect.parameters)})`"
        words.problems.add("T004", invocation.span, message, help=help_)
        return None
    arguments: list[typed.Expression] = []
    for argument, parameter in zip(invocation.arguments, effect.parameters, strict=True):
        checked = usable(draft.scope, check(draft.scope, argument, parameter.type), argument.span)
        if checked is not None:
            no_confidence(draft.scope, checked, argument.span)
            arguments.append(checked)
    return CheckedCall(effect.name, tuple(arguments)) if len(arguments) == len(effect.parameters) else None


def on_failure(draft: Draft, clause: tree.OnFailure) -> None:
    """Read where the case goes when an effect failed or has no outcome in time."""
    words = draft.scope.words
    if not draft.first(f"on {clause.event.text}", clause):
        return
    target = words.state(clause.target)
    text = "" if clause.text is None else clause.text.value
    if clause.after is None:
        if draft.creates:
            message = "where a creation fails there is no case, so none goes anywhere"
            words.problems.add("C026", clause.span, message, help="drop the line")
        elif target is not None:
            draft.on_failed = Edge(target.name, text)
    else:
        within_us = lasting(clause.after, words.problems)
        if target is not None:
            draft.on_timeout = Timeout(within_us, target.name, text)


def check_edges(draft: Draft, declaration: tree.TransitionDeclaration) -> None:
    """Report a transition with effects that does not say where their failures lead, and one without that does."""
    add, name = draft.scope.words.problems.add, declaration.name
    edges = {word: clause for word, clause in draft.once.items() if word.startswith("on ")}
    performs = next((word for word in declaration.clauses if isinstance(word, tree.Perform)), None)
    if performs is None and name.text in draft.scope.words.problems.lost:
        return  # what could not be read in it may have been the effect
    if performs is None:
        for word, clause in edges.items():
            message = f"`{name.text}` has no effect that could make `{word}` happen"
            add("C026", clause.span, message, help="drop the line, or add the effect with `do`")
        return
    state = declaration.sources[0].text
    if "on failed" not in edges and not draft.creates:
        help_ = f'add `on failed go {state} "…"`, with the state in which it can be taken up again'
        add("C025", name.span, f"nothing says where a case goes when an effect of `{name.text}` fails", help=help_)
    if "on timeout" not in edges:
        help_ = 'add `on timeout 30 seconds go STATE "…"`, with a state in which a person looks'
        message = f"nothing says where a case goes when nobody knows what became of `{name.text}`"
        add("C025", name.span, message, help=help_)
