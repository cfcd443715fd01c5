"""Sentences for what the parser couldn't read: what was found, what was expected, and how to repair it.

`failure` tries the particular explanations in order and falls back on the general one. Each explanation looks at one
mistake that people make and answers `None` if it isn't that one.
"""

from collections.abc import Callable, Iterable

from edca.diagnostics.codes import CODES
from edca.diagnostics.diagnostic import Diagnostic, Label
from edca.diagnostics.source import Source, Span
from edca.diagnostics.suggest import closest
from edca.dsl import grammar
from edca.dsl.grammar import Failure
from edca.dsl.scan import Lexeme, Sort
from edca.dsl.split import Chunk, closing, open_brackets
from edca.dsl.words import CLAUSES, DECLARATIONS, FORMS, HISTORY, RESERVED, UNITS, expected_phrase

_SHOWN_LENGTH_MAX = 30
_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">=", "in"))
_CLOSERS = frozenset(")]}")
# How a clause is written, by the word behind which its code is missing.
_CODE_FORMS = {
    "refuse": 'else refuse CODE "WHY NOT"',
    "escalate": 'else escalate ROLE CODE "WHY"',
    "forbid": 'forbid CODE "WHY NOT" when CONDITION',
    "confirm": "confirm CODE by ROLE",
    "sign": "sign CODE by 2 of ROLE",
    "limit": "limit CODE count to 20 per rolling 1 hour",
    "never": 'never CODE "WHY" when CONDITION',
    "always": 'always CODE "WHY" STATE leads to STATE',
}


def report(
    source: Source,
    code: str,
    message: str,
    place: Lexeme,
    label: str = "",
    *,
    secondary: Iterable[tuple[Lexeme, str]] = (),
    repair: str | None = None,
) -> Diagnostic:
    """A finding at a lexeme; `secondary` are other lexemes and what stands under them."""
    return Diagnostic(
        CODES[code],
        message,
        Label(_span(source, place), label),
        tuple(Label(_span(source, lexeme), text) for lexeme, text in secondary),
        repair,
    )


def failure(source: Source, failed: Failure) -> Diagnostic:
    """Why a chunk couldn't be read."""
    for explanation in _EXPLANATIONS:
        found = explanation(source, failed)
        if found is not None:
            return found
    return _unexpected(source, failed)


def unknown(source: Source, chunk: Chunk, what: str, beginnings: Iterable[str]) -> Diagnostic:
    """A chunk that begins with no word that could begin it.

    Args:
        source: the text.
        chunk: the chunk.
        what: what was expected, in one word: declaration, clause or part.
        beginnings: the words that could have begun it.
    """
    place = chunk.lexemes[0]
    words = tuple(beginnings)
    meant = closest(place.text, words) if place.sort is Sort.WORD else None
    repair = f"did you mean `{meant}`?" if meant else f"a {what} begins with {_or(words)}"
    message = f"no {what} begins with {_shown(place)}"
    if place.text in CLAUSES and "transition" in words:
        message, repair = (
            f"`{place.text}` stands outside of a transition",
            "clauses stand between a transition's braces",
        )
    elif place.text == "arp" and what == "declaration":
        message, repair = "this is a routes file", "check it with its spec: `edca check SPEC.edca --routes THIS.arp`"
    elif place.text in _CLOSERS:
        message, repair = f"`{place.text}` closes nothing", f"remove it, or look for a `{place.text}` too early above"
    return report(source, "P001", message, place, repair=repair)


def _unexpected(source: Source, failed: Failure) -> Diagnostic:
    expected = expected_phrase(failed.expected, grammar.texts())
    repair = f"it is written `{_form(failed)}`"
    if failed.index == len(failed.lexemes):
        last = failed.lexemes[-1]
        message = f"expected {expected} after {_shown(last)}"
        return report(source, "P001", message, last, f"expected {expected} after this", repair=repair)
    found = failed.lexemes[failed.index]
    meant = _misspelt(failed, found)
    if found.text in ("month", "months", "year", "years"):
        repair = "a duration is in `seconds`, `minutes`, `hours`, `days` or `weeks`: months and years differ in length"
    elif meant is not None:
        repair = f"did you mean `{meant}`?"
        expected = "a unit of time" if meant in UNITS else expected
    message = f"expected {expected}, found {_shown(found)}"
    return report(source, "P001", message, found, f"expected {expected}", repair=repair)


def _form(failed: Failure) -> str:
    """How the innermost thing that is missing something is written."""
    if "SATISFIES" in failed.expected:
        return "every NAME in LIST satisfies CONDITION"
    within_if = any(lexeme.text == "if" for lexeme in failed.lexemes[: failed.index])
    if within_if and failed.expected & {"THEN", "ELSE"}:
        return "if CONDITION then VALUE else VALUE"
    return FORMS[failed.start_rule]


def _misspelt(failed: Failure, found: Lexeme) -> str | None:
    if found.sort is not Sort.WORD or found.text in RESERVED:
        return None
    texts = grammar.texts()
    candidates = [texts[terminal] for terminal in failed.expected if terminal in texts]
    if "UNIT" in failed.expected:
        candidates += (unit for unit in UNITS if unit.endswith("s"))
    return closest(found.text, (word for word in candidates if word.isalpha()))


def _missing_code(source: Source, failed: Failure) -> Diagnostic | None:
    """`else refuse "…"`, `else escalate ROLE "…"`, `forbid "…"`, `confirm by …`: the clause has no code."""
    if failed.index == 0 or failed.expected != {"NAME"}:
        return None
    before = failed.lexemes[failed.index - 1].text
    found = _found(failed)
    escalates = failed.index > 1 and failed.lexemes[failed.index - 2].text == "escalate"
    form = _CODE_FORMS.get("escalate" if escalates else before)
    if form is None or not (found is None or found.sort is Sort.STRING or found.text in ("by", "when", "about")):
        return None
    place, label = (
        (failed.lexemes[-1], "expected a code after this") if found is None else (found, "expected a code before this")
    )
    message = f"the `{failed.lexemes[0].text}` clause has no code: its code is its id in every record"
    return report(source, "P008", message, place, label, repair=f"write `{form}`, with a short name for CODE")


def _limit_code(source: Source, failed: Failure) -> Diagnostic | None:
    """`limit count to 20`: what should be counted was read as the code."""
    if failed.start_rule != "limit_clause" or failed.index != 2 or failed.lexemes[1].text not in ("count", "sum"):
        return None
    message = "the `limit` clause has no code: its code is its id in every record"
    repair = f"write `{_CODE_FORMS['limit']}`, with a short name for CODE"
    return report(source, "P008", message, failed.lexemes[1], "expected a code before this", repair=repair)


def _no_window(source: Source, failed: Failure) -> Diagnostic | None:
    """`limit pace count to 20 "…"`, `enter when failures > 5`: nobody can tell within what time."""
    if failed.start_rule not in ("limit_clause", "enter_part", "leave_part") or "PER" not in failed.expected:
        return None
    found = _found(failed)
    if any(lexeme.text == "per" for lexeme in failed.lexemes) or not (found is None or found.sort is Sort.STRING):
        return None
    message, repair = "it isn't said within what time is counted", "add `per rolling 1 hour`, or `per utc day`"
    place, label = (failed.lexemes[-1], "after this") if found is None else (found, "before this")
    return report(source, "P001", message, place, f"expected `per` {label}", repair=repair)


def _vague_window(source: Source, failed: Failure) -> Diagnostic | None:
    """`per hour`, `per 3 days`: nobody can tell from when to when."""
    found = _found(failed)
    if found is None or not {"ROLLING", "UTC"} <= failed.expected:
        return None
    length, unit = "1", found
    if found.sort is Sort.WHOLE_NUMBER and failed.index + 1 < len(failed.lexemes):
        length, unit = found.text, failed.lexemes[failed.index + 1]
    if unit.text not in UNITS:
        return None
    singular = UNITS[unit.text]
    repair = f"write `per rolling {length} {unit.text}`"
    if length == "1" and singular in ("hour", "day", "week"):
        repair = f"write `per rolling 1 {singular}`, or `per utc {singular}` for whole ones of the clock"
    written = unit.text if unit is found else f"{length} {unit.text}"
    message = f"`per {written}` doesn't say from when to when"
    return report(source, "P001", message, found, "expected `rolling` or `utc` before this", repair=repair)


def _late_flag(source: Source, failed: Failure) -> Diagnostic | None:
    """`state paid "…" final`, and `initial` or `final` of a state with states in it."""
    found = _found(failed)
    if found is None or found.text not in ("initial", "final"):
        return None
    if failed.start_rule == "state_header":
        message, repair = f"a state with states in it isn't `{found.text}`", "say so of one of the states in it"
        return report(source, "P001", message, found, repair=repair)
    if failed.start_rule == "state_declaration" and failed.lexemes[failed.index - 1].sort is Sort.STRING:
        message, repair = f"`{found.text}` stands behind the state's text", f'write `state NAME {found.text} "…"`'
        return report(source, "P001", message, found, repair=repair)
    return None


def _early_guard(source: Source, failed: Failure) -> Diagnostic | None:
    """`transition t when c from a to b`."""
    found = _found(failed)
    if failed.start_rule != "transition_header" or "FROM" not in failed.expected:
        return None
    if found is None or found.text != "when":
        return None
    message, repair = "`when` stands before the transition's way", "write `from STATE to STATE when CONDITION`"
    return report(source, "P001", message, found, repair=repair)


def _missing_of(source: Source, failed: Failure) -> Diagnostic | None:
    """`proposer draft`."""
    found = _found(failed)
    if found is None or found.sort is not Sort.WORD or found.text in RESERVED or failed.index == 0:
        return None
    before = failed.lexemes[failed.index - 1]
    if before.text not in HISTORY or not failed.expected & {"EQUALS", "EQUAL"} or _misspelt(failed, found):
        return None
    message = f"expected `of` between {_shown(before)} and {_shown(found)}"
    return report(source, "P001", message, found, repair=f"write `{before.text} of {found.text}`")


def _missing_else(source: Source, failed: Failure) -> Diagnostic | None:
    if failed.start_rule != "require_clause" or "ELSE" not in failed.expected:
        return None
    at_end = failed.index == len(failed.lexemes)
    if any(lexeme.text == "if" for lexeme in failed.lexemes[: failed.index]) and not at_end:
        return None
    repair = 'add `else refuse CODE "WHY NOT"`, or `else escalate ROLE CODE "WHY"`'
    if at_end:
        message = "the `require` clause doesn't say what happens when it fails"
        last = failed.lexemes[-1]
        return report(source, "P001", message, last, "expected `else` after this", repair=repair)
    found = failed.lexemes[failed.index]
    if found.text in ("refuse", "escalate"):
        return report(
            source,
            "P001",
            f"expected `else`, found `{found.text}`",
            found,
            "expected `else`",
            repair=f"write `else {found.text}`",
        )
    return None


def _single_equals(source: Source, failed: Failure) -> Diagnostic | None:
    found = _found(failed)
    if found is None or found.text != "=" or "EQUALS" not in failed.expected:
        return None
    return report(source, "P001", "`=` doesn't compare", found, repair="to compare, write `==`")


def _chained_comparison(source: Source, failed: Failure) -> Diagnostic | None:
    found = _found(failed)
    if found is None or found.text not in _COMPARISONS or "AND" not in failed.expected:
        return None
    message = f"a second comparison, `{found.text}`, in a row"
    return report(source, "P001", message, found, repair="join two comparisons with `and`")


def _unclosed(source: Source, failed: Failure) -> Diagnostic | None:
    """A bracket is still open where the clause ends, goes on with its next word, or closes another bracket."""
    opened = open_brackets(failed.lexemes[: failed.index])
    texts = grammar.texts()
    if not opened or closing(opened[-1]) not in {texts.get(terminal) for terminal in failed.expected}:
        return None
    opener, closer = opened[-1], closing(opened[-1])
    found = _found(failed)
    place, label = failed.lexemes[-1], f"expected `{closer}` after this"
    if found is not None:
        if found.text not in RESERVED and found.text not in _CLOSERS:
            return None
        place, label = found, f"expected `{closer}` before this"
    message = f"`{opener.text}` is never closed"
    return report(source, "P001", message, place, label, secondary=((opener, "opened here"),))


def _closes_nothing(source: Source, failed: Failure) -> Diagnostic | None:
    found = _found(failed)
    if found is None or found.text not in _CLOSERS or found.sort is not Sort.SIGN:
        return None
    if open_brackets(failed.lexemes[: failed.index]):
        return None
    return report(source, "P001", f"`{found.text}` closes nothing", found, repair=f"remove the `{found.text}`")


def _missing_comma(source: Source, failed: Failure) -> Diagnostic | None:
    found = _found(failed)
    if found is None or "COMMA" not in failed.expected or not open_brackets(failed.lexemes[: failed.index]):
        return None
    if found.sort is Sort.SIGN and found.text != ";":
        return None
    if found.text in RESERVED or _misspelt(failed, found) is not None:
        return None
    last = failed.lexemes[failed.index - 1]
    message = f"expected `,` between {_shown(last)} and {_shown(found)}"
    return report(source, "P001", message, found, "expected `,` before this", repair=f"write `,` after {_shown(last)}")


def _reserved(source: Source, failed: Failure) -> Diagnostic | None:
    found = _found(failed)
    if found is None or found.sort is not Sort.WORD or found.text not in RESERVED or "NAME" not in failed.expected:
        return None
    names_only = failed.expected <= {"NAME", "RBRACE", "LPAR"}
    if not names_only and found.text not in DECLARATIONS and found.text not in CLAUSES:
        return None
    message = f"`{found.text}` is a word of the language and can't be a name here"
    return report(source, "N012", message, found, repair="choose another name")


def _no_entity_key(source: Source, failed: Failure) -> Diagnostic | None:
    if failed.start_rule != "entity_declaration" or "KEY" not in failed.expected:
        return None
    name = failed.lexemes[failed.index - 1]
    found = _found(failed)
    if found is not None and found.text != "{":
        return None
    message = f"entity `{name.text}` doesn't say how it is found"
    return report(source, "C011", message, name, repair=f"write `entity {name.text} key (FIELD: TYPE) {{ ... }}`")


def _no_case_key(source: Source, failed: Failure) -> Diagnostic | None:
    if failed.start_rule != "case_declaration" or failed.expected != {"BY"}:
        return None
    found = _found(failed)
    if found is not None and found.text != "fresh":
        return None
    name = failed.lexemes[failed.index - 1]
    message = f"the case doesn't say how its `{name.text}` is found"
    return report(source, "C011", message, name, repair=f"write `case about {name.text} by ARGUMENT`")


_EXPLANATIONS: tuple[Callable[[Source, Failure], Diagnostic | None], ...] = (
    _no_entity_key,
    _no_case_key,
    _missing_code,
    _limit_code,
    _no_window,
    _vague_window,
    _late_flag,
    _early_guard,
    _missing_of,
    _missing_else,
    _single_equals,
    _chained_comparison,
    _reserved,
    _unclosed,
    _closes_nothing,
    _missing_comma,
)


def _found(failed: Failure) -> Lexeme | None:
    return failed.lexemes[failed.index] if failed.index < len(failed.lexemes) else None


def _span(source: Source, lexeme: Lexeme) -> Span:
    return Span(source, lexeme.start, lexeme.end)


def _shown(lexeme: Lexeme) -> str:
    text = lexeme.text if len(lexeme.text) <= _SHOWN_LENGTH_MAX else f"{lexeme.text[:_SHOWN_LENGTH_MAX]}…"
    return f'`"{text}"`' if lexeme.sort is Sort.STRING else f"`{text}`"


def _or(words: tuple[str, ...]) -> str:
    quoted = [f"`{word}`" for word in words]
    if len(quoted) == 1:
        return quoted[0]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"
