"""The limits of a map: whether what the old version has counted counts on.

Counters belong to a limit's name and not to a version: a limit that counts the same goes on by itself, however its
bound has changed. Only of one that is gone, or counts something else, the map has to say what becomes of its counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl.tree.migration import ForgetLimit, LimitLine
from edca.kernel.migration import Forgotten, LimitMove, LimitName
from edca.semantic import migration_changes as changes
from edca.semantic.migration_memory import check_why
from edca.semantic.problems import did_you_mean, listing

if TYPE_CHECKING:
    from edca.diagnostics.source import Span
    from edca.dsl.tree import Name
    from edca.dsl.tree.migration import Map
    from edca.kernel.machine import Limit, Machine
    from edca.semantic.problems import Problems


def limits(
    written: Map, old: Machine, new: Machine, problems: Problems
) -> tuple[tuple[LimitMove, ...], tuple[Forgotten, ...]]:
    """Return which limits take over which, and which are let go of."""
    before, after = changes.limits(old), changes.limits(new)
    moves: dict[LimitName, LimitMove] = {}
    for line in written.lines:
        if not isinstance(line, LimitLine):
            continue
        limit = _found(line.transition, line.code, after, "new", problems)
        source = _found(line.source_transition, line.source_code, before, "old", problems)
        if limit is None or source is None:
            continue
        if limit in moves:
            problems.add("M005", line.span, f"`{_text(limit)}` stands in two lines", help="leave one")
        elif not changes.can_count_for(before[source], after[limit]):
            message = f"what `{_text(source)}` has counted can't count for `{_text(limit)}`"
            help_ = f'write `forget limit {_text(source)} "WHY"`: the two count something else, or per something else'
            problems.add("M011", line.span, message, help=help_)
        moves[limit] = LimitMove(limit, source)
    forgotten = _forgotten(written, before, problems)
    taken = {move.source for move in moves.values()}
    for name in sorted(before, key=_text):
        # Where another one takes its place, what it has counted itself counts on only if a line says for which.
        kept = name in taken or (name not in moves and changes.is_limit_kept(old, new, name))
        if name in forgotten:
            _check_forgotten(name, forgotten[name][1], kept, problems)
            # A new limit of the same name must not find what the old one has counted.
            if name in after and name not in moves:
                moves[name] = LimitMove(name, None)
        elif not kept:
            _unmapped(name, name in after, written, problems)
    ordered = sorted((move for move in moves.values() if move.source != move.limit), key=lambda one: _text(one.limit))
    return tuple(ordered), tuple(Forgotten(f"limit {_text(name)}", text) for name, (text, _) in forgotten.items())


def _forgotten(written: Map, before: dict[LimitName, Limit], problems: Problems) -> dict[LimitName, tuple[str, Span]]:
    found: dict[LimitName, tuple[str, Span]] = {}
    for line in written.lines:
        if isinstance(line, ForgetLimit):
            name = _found(line.transition, line.code, before, "old", problems)
            if name is None:
                continue
            if name in found:
                problems.add("M005", line.span, f"`limit {_text(name)}` stands in two lines", help="leave one")
            found[name] = (line.text.value, line.span)
            check_why(line.text.value, line.text.span, problems)
    return found


def _check_forgotten(name: LimitName, span: Span, kept: bool, problems: Problems) -> None:
    if kept:
        message = f"`limit {_text(name)}` is not forgotten: what it has counted counts on"
        problems.add("M009", span, message, help="leave this line out")


def _unmapped(name: LimitName, exists: bool, written: Map, problems: Problems) -> None:
    text = _text(name)
    if exists:
        why, target = f"the limit `{text}` does not count the same in both versions", text
    else:
        why, target = f"the new version has no limit `{text}`", "TRANSITION.CODE"
    help_ = f'write `limit {target} = {text}`, or `forget limit {text} "WHY"`'
    message = f"{why}, and no line says what becomes of what it has counted"
    problems.add("M008", written.header.span, message, help=help_)


def _found(
    transition: Name, code: Name, known: dict[LimitName, Limit], which: str, problems: Problems
) -> LimitName | None:
    name = LimitName(transition.text, code.text)
    if name in known:
        return name
    texts = [_text(one) for one in known]
    help_ = did_you_mean(_text(name), texts, f"its limits are {listing(texts)}" if texts else "it has no limits")
    problems.add("M012", code.span, f"the {which} version has no limit `{_text(name)}`", help=help_)
    return None


def _text(name: LimitName) -> str:
    return f"{name.transition}.{name.code}"
