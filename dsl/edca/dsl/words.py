"""The words of the language: which begin something, which are reserved, and how messages name what was expected.

Most words are free to be names where the grammar leaves no doubt (`count: int(1 to 20)`, `order.status`). Reserved are
those at which reading starts again after an error, and those that hold an expression together; but after a `.` and
before a `:` even they are names.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType


class Follows(Enum):
    """What must stand behind a declaration's word for it to begin a declaration, as the word can also be a name."""

    WORD = "word"
    STRING = "string"
    NUMBER = "number"
    BRACE = "brace"


DECLARATIONS: Mapping[str, Follows] = MappingProxyType(
    {
        "edca": Follows.NUMBER,
        "machine": Follows.WORD,
        "vocabulary": Follows.WORD,
        "import": Follows.STRING,
        "role": Follows.WORD,
        "enum": Follows.WORD,
        "type": Follows.WORD,
        "record": Follows.WORD,
        "entity": Follows.WORD,
        "claim": Follows.WORD,
        "effect": Follows.WORD,
        "case": Follows.WORD,
        "memory": Follows.BRACE,
        "state": Follows.WORD,
        "define": Follows.WORD,
        "table": Follows.WORD,
        "forbid": Follows.WORD,
        "transition": Follows.WORD,
        "query": Follows.WORD,
        "mode": Follows.WORD,
        "never": Follows.WORD,
        "always": Follows.WORD,
        "release": Follows.WORD,
        "scenario": Follows.STRING,
    }
)
"""Words that begin a declaration, in the order in which a spec usually has them."""

CLAUSES: tuple[str, ...] = (
    "priority", "means", "by", "answers", "after", "unblockable", "let", "require", "forbid", "confirm", "sign",
    "limit", "set", "do", "on", "returns",
)  # fmt: skip
"""Words that begin a clause of a transition or a query."""

PARTS: tuple[str, ...] = ("given", "wait", "when", "then")
"""Words that begin a part of a scenario."""

MODE_PARTS: tuple[str, ...] = ("allow", "enter", "leave")
"""Words that begin a part of a mode."""

LINES: tuple[str, ...] = ("migrate", "state", "memory", "proposer", "signers", "limit", "forget")
"""Words that begin a line of a map; only in a map do they."""

VOCABULARY: frozenset[str] = frozenset(
    ("import", "role", "enum", "type", "record", "entity", "claim", "effect", "define", "table")
)
"""Words of the declarations that a vocabulary file may have."""

FUNCTIONS: frozenset[str] = frozenset(
    ("count", "sum", "min", "max", "collect", "first", "last", "distinct", "pairs", "zip", "before")
)
"""Words that are functions where a `(` follows in an expression, and names elsewhere."""

HISTORY: frozenset[str] = frozenset(("proposer", "signers"))
"""Words that ask for a case's history where an `of` follows, and are names elsewhere."""

UNITS: Mapping[str, str] = MappingProxyType(
    {
        form: unit
        for unit in ("second", "minute", "hour", "day", "week")
        for form in (unit, f"{unit}s")
    }
)  # fmt: skip
"""Units of time, in singular and plural, with their singular."""

_EXPRESSION_WORDS = frozenset(
    (
        "and", "or", "not", "in", "is", "if", "then", "else", "every", "some", "satisfies", "where", "for",
        "true", "false", "any", "lookup", "when", "from", "to",
    )
)  # fmt: skip

RESERVED: frozenset[str] = frozenset(DECLARATIONS) | frozenset(CLAUSES) | _EXPRESSION_WORDS
"""Words that can't be names, except after a `.` and before a `:`."""

FORMS: Mapping[str, str] = MappingProxyType(
    {
        "edca_declaration": "edca 1",
        "machine_declaration": 'machine NAME version "1.0.0" "WHAT IT IS FOR" tier NAME',
        "role_declaration": "role NAME model`, `role NAME human` or `role NAME clock",
        "enum_declaration": "enum NAME { one | two }",
        "vocabulary_declaration": "vocabulary NAME",
        "import_declaration": 'import "PATH.edca"',
        "type_declaration": "type NAME = TYPE",
        "record_declaration": "record NAME { field: TYPE, ... }",
        "entity_declaration": "entity NAME key (field: TYPE) { field: TYPE fixed, ... }",
        "claim_declaration": 'claim NAME : TYPE by ROLE "WHAT IS CLAIMED"',
        "effect_declaration": "effect NAME(field: TYPE, ...)",
        "case_declaration": "case about ENTITY by ARGUMENT fresh 5 minutes",
        "memory_declaration": "memory { field: TYPE = VALUE, ... }",
        "state_declaration": 'state NAME initial "WHAT IT MEANS"',
        "state_header": 'state NAME "WHAT IT MEANS" { state ... }',
        "define_declaration": "define NAME(field: TYPE) = VALUE",
        "table_declaration": "table NAME(field: TYPE, ...) gives TYPE { | CELL, ... => VALUE }",
        "forbid_declaration": 'forbid CODE "WHY NOT" when CONDITION',
        "transition_header": "transition NAME(field: TYPE, ...) from STATE to STATE { ... }",
        "query_header": "query NAME(field: TYPE) about ENTITY by ARGUMENT { ... }",
        "mode_header": 'mode NAME "WHAT IT MEANS" { allow ... enter ... leave ... }',
        "never_declaration": 'never CODE "WHY" while STATE when CONDITION` or '
        '`never CODE "WHY" reaching STATE without TRANSITION',
        "always_declaration": 'always CODE "WHY" STATE leads to STATE, STATE',
        "release_declaration": 'release ENTITY.FIELD to ROLE, EFFECT "WHY IT MAY"',
        "scenario_header": 'scenario "TITLE" { given ... when ... then ... }',
        "means_clause": 'means "WHAT IT MEANS"',
        "by_clause": "by ROLE, ROLE",
        "answers_clause": "answers ROLE",
        "let_clause": "let NAME = VALUE",
        "require_clause": 'require CONDITION else refuse CODE "WHY NOT"',
        "forbid_clause": 'forbid CODE "WHY NOT" when CONDITION',
        "confirm_clause": 'confirm CODE by ROLE within 30 minutes when CONDITION "WHAT IS CONFIRMED"',
        "sign_clause": 'sign CODE by 2 of ROLE distinct from proposer within 2 days when CONDITION "WHAT IS SIGNED"',
        "limit_clause": 'limit CODE count to 20 per rolling 1 hour per KEY "WHY NOT MORE"` or '
        '`limit CODE sum(VALUE) to VALUE per utc day per KEY "WHY NOT MORE"',
        "after_clause": "after 14 days",
        "unblockable_clause": "unblockable",
        "priority_clause": "priority 2",
        "set_clause": "set FIELD = VALUE",
        "do_clause": "do EFFECT(VALUE, ...) ensure CONDITION undo EFFECT(VALUE, ...)",
        "on_clause": 'on failed go STATE "WHAT IT MEANS"` or `on timeout 30 seconds go STATE "WHAT IT MEANS"',
        "returns_clause": "returns NAME = VALUE` or `returns NAME = each NAME in LIST where CONDITION { NAME = VALUE }",
        "allow_part": "allow TRANSITION, TRANSITION",
        "enter_part": "enter when failures > 5 per rolling 1 hour` or `enter by ROLE",
        "leave_part": "leave when failures <= 0 per rolling 10 minutes` or `leave by ROLE",
        "given_part": "given STATE`, `given NAME = VALUE` or `given ENTITY(KEY) { FIELD = VALUE }",
        "wait_part": "wait 10 minutes",
        "when_part": "when ROLE proposes TRANSITION(ARGUMENT: VALUE, ...)`, "
        "`when ROLE asks QUERY(ARGUMENT: VALUE, ...)`, `when ROLE confirms CODE` or `when EFFECT fails",
        "then_part": "then refused CODE`, `then escalated needs CODE`, `then accepted to STATE`, "
        "`then returned with NAME = VALUE` or `then in STATE",
        "migrate_line": 'migrate MACHINE from "1.0.0" to "1.1.0" "WHAT CHANGES"',
        "state_line": "state OLD to NEW keeping time`, `state OLD to NEW restarting time` or "
        '`state OLD needs person "WHY"',
        "memory_line": "memory NEW = VALUE",
        "proposer_line": "proposer of NEW = proposer of OLD",
        "signers_line": "signers of NEW = signers of OLD",
        "limit_line": "limit TRANSITION.CODE = TRANSITION.CODE",
        "forget_line": 'forget FIELD "WHY"`, `forget proposer of TRANSITION "WHY"` or '
        '`forget limit TRANSITION.CODE "WHY"',
    }
)
"""How each thing is written, by its start rule; capitals stand for what the author fills in."""

_SORTS: Mapping[str, str] = MappingProxyType(
    {
        "NAME": "a name",
        "WHOLE_NUMBER": "a whole number",
        "POINT_NUMBER": "a number",
        "STRING": "text in double quotes",
        "DATE_LITERAL": "a date",
        "TIME_LITERAL": "a time",
        "UNIT": "a unit of time",
        "$END": "nothing more",
    }
)
_VALUE_STARTS = frozenset(
    (
        "NAME", "WHOLE_NUMBER", "POINT_NUMBER", "STRING", "DATE_LITERAL", "TIME_LITERAL", "LPAR", "LSQB", "MINUS",
        "NOT", "IF", "EVERY", "SOME", "TRUE", "FALSE", "LOOKUP", "PROPOSER", "SIGNERS",
    )
) | {word.upper() for word in FUNCTIONS}  # fmt: skip
# What can go on behind a complete value; of little help to an author who forgot something else.
_VALUE_GOES_ON = frozenset(
    (
        "PLUS", "MINUS", "STAR", "EQUALS", "DIFFERS", "LESSTHAN", "ABOVE", "AT_MOST", "AT_LEAST", "IN", "NOT", "IS",
        "AND", "OR", "DOT", "LPAR", "UNIT",
    )
)  # fmt: skip
_TYPE_STARTS = frozenset(
    ("BOOL", "ID", "HANDLE", "DATE", "TIME", "DURATION", "INT", "DECIMAL", "TEXT", "ONE", "PRINCIPAL", "LIST", "NAME")
)
# Beyond so many alternatives a list of them is no answer.
_ALTERNATIVE_COUNT_MAX = 6


def expected_phrase(terminals: frozenset[str], text_of: Mapping[str, str]) -> str:
    """What could have stood here, in the language's own words, as part of a sentence.

    Args:
        terminals: the grammar's terminals that would have been accepted.
        text_of: how each terminal with a fixed text is written.
    """
    rest = set(terminals)
    phrases: list[str] = []
    if {"TRUE", "LSQB"} <= rest:
        phrases.append("a value")
        rest -= _VALUE_STARTS
    elif {"AND", "EQUALS"} <= rest or {"PLUS", "STAR"} <= rest:
        rest -= _VALUE_GOES_ON
        if not rest - {"$END"}:
            return "an operator"
    if {"BOOL", "DECIMAL"} <= rest:
        phrases.append("a type")
        rest -= _TYPE_STARTS
    if {"WHOLE_NUMBER", "POINT_NUMBER"} <= rest:
        rest.discard("WHOLE_NUMBER")
    if "NAME" in rest:
        rest.discard("MODE")  # where both may stand, `mode` is one of many names
    if len(rest) > 1 or phrases:
        rest.discard("$END")
    phrases += sorted(_SORTS[terminal] for terminal in rest if terminal in _SORTS)
    # Signs stand before words: a missing comma is likelier than a missing modifier.
    written = {text_of[terminal] for terminal in rest if terminal not in _SORTS}
    phrases += [f"`{text}`" for text in sorted(written, key=lambda text: (text.isalpha(), text))]
    shown = phrases[:_ALTERNATIVE_COUNT_MAX]
    if len(phrases) > len(shown):
        return f"{', '.join(shown)} or something else"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
