"""What a page says of one clause: its code, its condition, and what happens when it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from edca.kernel.calendar import duration_text
from edca.kernel.expression import Input
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.types import BoolType, ListType
from edca.semantic import typed
from edca.semantic.notation_clauses import window_text
from edca.semantic.render.page import Entry
from edca.semantic.render.phrase import articled, code, listed, plain, quote, say

if TYPE_CHECKING:
    from edca.semantic.checked import CheckedClause, CheckedLimit
    from edca.semantic.render.phrase import Phrase
    from edca.semantic.render.prose import Outline, Prose

_WITHHELD = "A model is told of it only that this is not possible."


def clause(node: CheckedClause, prose: Prose, *, withheld: bool) -> Entry:
    """Return a clause. `withheld`: a model isn't told which clause it was."""
    key, called = f"clause {node.code}", code(node.code)
    match node.kind:
        case ClauseKind.REQUIRE:
            entry = announced(key, say("{} requires: ", called), prose.outline(node.condition))
            then = [say("Otherwise {}: {}", _fate(node), quote(node.text))]
        case ClauseKind.FORBID:
            head = say("{} forbids it where this is true or unknown: ", called)
            entry = announced(key, head, prose.outline(node.condition))
            then = [say("Then {}: {}", _fate(node), quote(node.text))]
        case ClauseKind.CONFIRM | ClauseKind.SIGN:
            entry = _demanded(key, _asked(node, prose), node, prose)
            then = _answers(node)
        case ClauseKind.LIMIT:
            if node.limit is None:
                raise ValueError(f"the limit {node.code} counts nothing")
            entry = _demanded(key, _limited(called, node.limit, prose), node, prose)
            then = [
                say("With more, or where nobody can tell what has been counted, it is refused: {}", quote(node.text))
            ]
        case _:
            assert_never(node.kind)
    return Entry(key, entry.text, entry.parts, (*then, plain(_WITHHELD)) if withheld else tuple(then))


def defined(key: str, what: Phrase, value: typed.Expression, prose: Prose) -> Entry:
    """Return what a name stands for: a condition, or a value."""
    if isinstance(value.type, BoolType):
        return announced(key, say("{} means: ", what), prose.outline(value))
    return Entry(key, say("{} is {}.", what, prose.thing(value)))


def announced(key: str, head: Phrase, found: Outline) -> Entry:
    """Return what a line announces, and the condition: behind it, or below in its parts."""
    if found.parts:
        return Entry(key, say("{}{}:", head, found.text), found.parts)
    return Entry(key, say("{}{}.", head, found.text))


def _fate(node: CheckedClause) -> Phrase:
    match node.on_fail:
        case OnFail.REFUSE:
            return plain("it is refused")
        case OnFail.ESCALATE:
            return say("it is escalated to {}", articled(node.role or ""))
        case _:
            assert_never(node.on_fail)


def _demanded(key: str, what: Phrase, node: CheckedClause, prose: Prose) -> Entry:
    """Return what a clause demands, and when it doesn't."""
    if isinstance(node.condition, typed.Literal) and node.condition.value is True:
        return Entry(key, say("{}.", what))
    return announced(key, say("{}, unless this is false: ", what), prose.outline(node.condition))


def _asked(node: CheckedClause, prose: Prose) -> Phrase:
    age = "" if node.within_us is None else f" no older than {duration_text(node.within_us)}"
    who = articled(node.role or "")
    if node.kind is ClauseKind.SIGN and node.count > 1:
        who = say("{} different people, each {}", str(node.count), who)
    # The proposer's own answer never counts, whether the author says so or not.
    others = [part for part in node.distinct_from if not _is_proposer(part)]
    other = listed([plain("the proposer"), *(_excluded(part, prose) for part in others)], "or")
    apart = "none of them" if node.count > 1 else "other than"
    return say(f"{{}} asks {{}}, {apart} {{}}, for a yes{age}", code(node.code), who, other)


def _is_proposer(node: typed.Expression) -> bool:
    return isinstance(node, typed.InputRead) and node.input is Input.PROPOSER


def _excluded(node: typed.Expression, prose: Prose) -> Phrase:
    return say("one of {}", prose.thing(node)) if isinstance(node.type, ListType) else prose.thing(node)


def _answers(node: CheckedClause) -> list[Phrase]:
    waits = "Until they have answered" if node.count > 1 else "Without an answer"
    return [
        plain(f"{waits} it is escalated; with a no it is refused."),
        say("They are told: {}", quote(node.text)),
    ]


def _limited(called: Phrase, limit: CheckedLimit, prose: Prose) -> Phrase:
    """Return how much may be counted: `at most 20 of these within any 1 hour, for each proposer by itself`."""
    bound, window = prose.thing(limit.bound), window_text(limit.window)
    if limit.measure is None:
        what = say("at most {} of these {}", bound, window)
    else:
        what = say("that {}, added up, is at most {} {}", prose.thing(limit.measure), bound, window)
    return say("{} allows {}, {}", called, what, _per(limit, prose))


def _per(limit: CheckedLimit, prose: Prose) -> Phrase:
    match [prose.thing(key) for key in limit.keys]:
        case []:
            return plain("whatever the case")
        case [key]:
            return say("counted for each {} by itself", _bare(key))
        case keys:
            return say("counted for each combination of {} by itself", listed(keys))


def _bare(phrase: Phrase) -> Phrase:
    """Return a noun phrase without the article in front."""
    first, *rest = phrase
    return (*plain(first.text.removeprefix("the ")), *rest) if first.text.startswith("the ") else phrase
