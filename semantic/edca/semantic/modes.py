"""Modes: smaller sets of transitions for worse times, and how they begin and end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.kernel.inputs import HALTED, NORMAL
from edca.kernel.machine import Mode, RoleKind, Signal, Trigger
from edca.semantic.limits import window_of
from edca.semantic.problems import did_you_mean, listing

if TYPE_CHECKING:
    from edca.semantic.vocabulary import Vocabulary

SIGNALS = {signal.value: signal for signal in Signal}
COUNT_MAX = 2**31 - 1


def modes(spec: tree.Spec, words: Vocabulary) -> tuple[Mode, ...]:
    """Return every mode that checks."""
    found = []
    for declaration in spec.declarations:
        if isinstance(declaration, tree.ModeDeclaration) and _declared(declaration, words):
            found.append(_mode(declaration, words))
    return tuple(found)


def _declared(declaration: tree.ModeDeclaration, words: Vocabulary) -> bool:
    name = declaration.name
    if name.text in (NORMAL, HALTED):
        help_ = "choose another name: every machine has this mode already"
        words.problems.add("N012", name.span, f"`{name.text}` has a fixed meaning", help=help_)
        return False
    return words.declare(name, "mode")


def _mode(declaration: tree.ModeDeclaration, words: Vocabulary) -> Mode:
    allow: set[str] = set()
    triggers: dict[str, list[Trigger]] = {"enter": [], "leave": []}
    people: dict[str, set[str]] = {"enter": set(), "leave": set()}
    whole = True
    for part in declaration.parts:
        match part:
            case tree.Allow(names, _):
                allowed = words.transitions(names)
                whole = whole and allowed is not None
                allow |= set(allowed or ())
            case tree.ModeTrigger():
                trigger = _trigger(part, words)
                if trigger is not None:
                    triggers[part.word].append(trigger)
            case tree.ModeBy(word, roles, _):
                for role in roles:
                    if _is_human(role, words):
                        people[word].add(role.text)
    if whole:
        _check_allowed(declaration, allow, words)
    _check_ends(declaration, words)
    return Mode(
        name=declaration.name.text,
        text=declaration.text.value,
        allow=tuple(sorted(allow)),
        enter=_ordered(triggers["enter"]),
        enter_by=tuple(sorted(people["enter"])),
        leave=_ordered(triggers["leave"]),
        leave_by=tuple(sorted(people["leave"])),
    )


def _ordered(triggers: list[Trigger]) -> tuple[Trigger, ...]:
    # Any of them is enough, so the order in which they are written means nothing.
    found = dict.fromkeys(triggers)
    return tuple(sorted(found, key=_place))


def _place(trigger: Trigger) -> tuple[str, bool, int, str, int]:
    window = trigger.window
    return trigger.signal.value, trigger.exceeds, trigger.count, window.kind.value, window.length_us


def _trigger(part: tree.ModeTrigger, words: Vocabulary) -> Trigger | None:
    window = window_of(part.window, words)
    signal = SIGNALS.get(part.signal.text)
    if signal is None:
        help_ = did_you_mean(part.signal.text, SIGNALS, f"what is counted is {listing(SIGNALS)}")
        words.problems.add("N023", part.signal.span, f"there is no signal `{part.signal.text}`", help=help_)
        return None
    if part.count > COUNT_MAX:
        words.problems.add("T008", part.span, f"a count is at most {COUNT_MAX}")
    return Trigger(signal, part.operator == ">", part.count, window)


def _is_human(name: tree.Name, words: Vocabulary) -> bool:
    role = words.role(name)
    if role is not None and role.kind is not RoleKind.HUMAN:
        help_ = "name a `human` role: a signal begins or ends a mode by itself"
        words.problems.add("C010", name.span, f"`{role.name}` can't begin or end a mode", help=help_)
    return role is not None and role.kind is RoleKind.HUMAN


def _check_allowed(declaration: tree.ModeDeclaration, allow: set[str], words: Vocabulary) -> None:
    name, add = declaration.name, words.problems.add
    if not any(isinstance(part, tree.Allow) for part in declaration.parts):
        help_ = "add `allow TRANSITION, …`; to refuse everything there is `halted`"
        add("C034", name.span, f"`{name.text}` doesn't say what it allows", help=help_)
    elif allow == set(words.offered):
        help_ = "leave out of `allow` what may not happen then"
        add("C033", name.span, f"`{name.text}` allows every transition, so it restricts nothing", help=help_)


def _check_ends(declaration: tree.ModeDeclaration, words: Vocabulary) -> None:
    name, add = declaration.name, words.problems.add
    begins = {part.word for part in declaration.parts if isinstance(part, (tree.ModeTrigger, tree.ModeBy))}
    if "enter" not in begins:
        help_ = "add `enter when failures > 5 per rolling 1 hour`, or `enter by ROLE`"
        add("C034", name.span, f"`{name.text}` never begins", help=help_)
    if not any(isinstance(part, tree.ModeBy) and part.word == "leave" for part in declaration.parts):
        help_ = "add `leave by ROLE`: a person can always end a mode"
        add("C034", name.span, f"nobody can end `{name.text}`", help=help_)
