"""The history of a map: by which names the new version remembers who acted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl.tree.migration import ForgetHistory, HistoryLine
from edca.kernel.expression import History
from edca.kernel.migration import Forgotten, HistoryMove
from edca.semantic.migration_changes import known_history, read_history
from edca.semantic.migration_memory import check_why
from edca.semantic.problems import did_you_mean, listing

if TYPE_CHECKING:
    from edca.diagnostics.source import Span
    from edca.dsl.tree import Name
    from edca.dsl.tree.migration import Map
    from edca.kernel.machine import Machine
    from edca.semantic.problems import Problems

_CODES = {History.PROPOSER: ("N015", "transition"), History.SIGNERS: ("N022", "`confirm` or `sign`")}


def history(
    written: Map, old: Machine, new: Machine, problems: Problems
) -> tuple[tuple[HistoryMove, ...], tuple[Forgotten, ...]]:
    """Return which names take over which, and what is let go of. What has one name in both versions carries over."""
    moves: dict[tuple[History, str], HistoryMove] = {}
    for line in written.lines:
        if isinstance(line, HistoryLine):
            kind = History(line.word)
            if _exists(kind, line.name, new, "new", problems) and _exists(kind, line.source, old, "old", problems):
                key = (kind, line.name.text)
                if key in moves:
                    _twice(line.name.span, f"{line.word} of {line.name.text}", problems)
                moves[key] = HistoryMove(kind, line.name.text, line.source.text)
    forgotten = _forgotten(written, old, problems)
    kept = {(kind, move.source) for (kind, _), move in moves.items()}
    for kind, name in sorted(read_history(old), key=lambda one: (one[0].value, one[1])):
        key = (kind, name)
        phrase = f"{kind.value} of {name}"
        if key in kept or phrase in forgotten or (key not in moves and name in known_history(new, kind)):
            continue
        message = f"the old version asks for the {phrase}, and the new one takes it over under no name"
        help_ = f'write `{kind.value} of NEW = {phrase}`, or `forget {phrase} "WHY"`'
        problems.add("M007", written.header.span, message, help=help_)
    ordered = sorted(moves.values(), key=lambda move: (move.history.value, move.name))
    return tuple(ordered), tuple(forgotten.values())


def _forgotten(written: Map, old: Machine, problems: Problems) -> dict[str, Forgotten]:
    found: dict[str, Forgotten] = {}
    for line in written.lines:
        if not isinstance(line, ForgetHistory):
            continue
        kind = History(line.history.word)
        what = f"{kind.value} of {line.history.name.text}"
        if not _exists(kind, line.history.name, old, "old", problems):
            continue
        if what in found:
            _twice(line.history.span, what, problems)
        found[what] = Forgotten(what, line.text.value)
        check_why(line.text.value, line.text.span, problems)
    return found


def _exists(kind: History, name: Name, machine: Machine, which: str, problems: Problems) -> bool:
    known = known_history(machine, kind)
    if name.text in known:
        return True
    code, what = _CODES[kind]
    help_ = did_you_mean(name.text, sorted(known), f"it has {listing(known)}" if known else "it has none")
    problems.add(code, name.span, f"the {which} version has no {what} `{name.text}`", help=help_)
    return False


def _twice(span: Span, what: str, problems: Problems) -> None:
    problems.add("M005", span, f"`{what}` stands in two lines", help="leave one")
