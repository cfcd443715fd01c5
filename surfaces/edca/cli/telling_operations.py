"""Records that move no case, in words: modes, rosters, takeovers, spent permits, late answers, later findings."""

from collections.abc import Mapping
from typing import Any

from edca.cli.telling_erasures import KINDS as ERASURES
from edca.cli.telling_erasures import erasure_lines
from edca.cli.telling_migrations import KINDS as MIGRATIONS
from edca.cli.telling_migrations import migration_lines
from edca.kernel.calendar import duration_text, time_text
from edca.runtime.kinds import LATE, MODE, RECONCILED, ROSTER, SPENT, TAKEOVER
from edca.runtime.mode_changes import Act
from edca.runtime.ports import Performed

KINDS = (MODE, ROSTER, TAKEOVER, SPENT, LATE, RECONCILED, *MIGRATIONS, *ERASURES)


def operation_lines(kind: str, content: Mapping[str, Any]) -> list[str]:
    """Return what a record of one of `KINDS` says. Raises `KeyError` or `ValueError` for other contents."""
    if kind == MODE:
        return _mode(content)
    if kind in ERASURES:
        return erasure_lines(kind, content)
    if kind in MIGRATIONS:
        return migration_lines(kind, content)
    if kind == ROSTER:
        return [
            f"roster {content['adopts'].hex()} is in force from here on, in the place of {content['roster'].hex()}",
            f"by {content['by']} as an operator ({content['authenticated']} by the host)",
            *_reason(content),
        ]
    if kind == TAKEOVER:
        told = "people have taken the case over" if content["human_only"] else "the case is handed back"
        return [told, f"by {content['by']} ({content['authenticated']} by the host)", *_reason(content)]
    if kind == SPENT:
        call = "undo" if content["undoing"] else "effect"
        until = [] if content["expires"] is None else [f"until: {time_text(content['expires'])}"]
        return [f"the permit for {call} {content['effect']} is spent", *until, f"verdict: {content['record'].hex()}"]
    if kind == LATE:
        call = "undo" if content["undoing"] else "effect"
        return [
            f"{call} {content['effect']}: {content['report']}, after its deadline; nothing was done on that",
            *([f"  {content['detail']}"] if content["detail"] else []),
            f"verdict: {content['record'].hex()}",
        ]
    return [
        f"asked by {content['by']}",
        *(_found(step) for step in content["effects"]),
        f"verdict: {content['record'].hex()}",
    ]


def _mode(content: Mapping[str, Any]) -> list[str]:
    lines = [_act(content)]
    if content["by"] is not None:
        role = "an operator" if content["role"] is None else content["role"]
        lines.append(f"by {content['by']} as {role} ({content['authenticated']} by the host)")
    trigger = content["trigger"]
    if trigger is not None:
        bound = f"{'more than' if trigger['exceeds'] else 'at most'} {trigger['count']} {trigger['signal']}"
        counted = f"; counted: {content['counted']}"
        lines.append(f"by its trigger: {bound} per {trigger['window']} {duration_text(trigger['length_us'])}{counted}")
    return lines + _reason(content)


def _act(content: Mapping[str, Any]) -> str:
    match Act(content["act"]):
        case Act.ENTER:
            return f"mode {content['mode']} begins"
        case Act.LEAVE:
            return f"mode {content['mode']} ends"
        case Act.HALT:
            return "everything is halted"
        case Act.RESUME:
            return f"the halt ends; in force is {content['to']}"
        case Act.IGNORED:
            return f"mode {content['mode']} would begin, but {content['from']} is in force"


def _found(step: Mapping[str, Any]) -> str:
    call = f"undo {step['effect']}" if step["undoing"] else f"effect {step['effect']}"
    return f"{call}: {known_text(Performed(step['report']))}"


def known_text(performed: Performed) -> str:
    """Return what a route's answer means, when it is asked again."""
    match performed:
        case Performed.DONE:
            return "it has happened"
        case Performed.UNKNOWN | Performed.TRANSIENT:
            return "the route still can't tell"
        case Performed.FAILED | Performed.PRECONDITION_LOST:
            return "it has not happened"


def _reason(content: Mapping[str, Any]) -> list[str]:
    return [f"reason: {content['reason']}"] if content["reason"] else []
