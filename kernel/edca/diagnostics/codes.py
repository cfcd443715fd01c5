"""The closed list of diagnostic codes.

A code is the letter of its phase and three digits: `P` parse, `N` names, `T` types, `C` coverage and
structure, `K` evaluation, `R` routing, `M` migration, `L` ledger, `I` internal. Numbers are never reused; a retired
code stays in the list.

To add one: append a line at the end of its phase, and write `docs/errors/<ID>.md`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_ID = re.compile(r"[PNTCKRMLI][0-9]{3}")
_NAME = re.compile(r"[a-z]+(-[a-z]+)*")


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of finding: its stable `id`, a kebab-case `name`, and a one-line `summary` of what it means."""

    id: str
    name: str
    summary: str


_ALL = (
    # P: the text isn't the language's
    Code("P001", "unexpected-token", "The text can't go on like this here."),
    Code("P002", "unterminated-string", "A string is opened and never closed."),
    Code(
        "P003",
        "bad-literal",
        "A number, time, duration or string is written in a way the language doesn't have.",
    ),
    Code("P004", "unknown-character", "A character that the language doesn't use."),
    Code("P005", "not-yet-supported", "Part of the language that this version can't compile yet."),
    Code("P006", "too-large", "The text is larger, or nested deeper, than the language allows."),
    Code("P007", "missing-version", "The file doesn't begin with its language version."),
    Code("P008", "missing-clause-code", "A clause has no code; the code is its identity."),
    Code("P009", "malformed-name", "A name isn't written in snake_case."),
    Code("P010", "mixed-vocabulary", "A vocabulary file holds what only a machine can have."),
    # N: a name doesn't lead where it should
    Code("N001", "unknown-name", "Nothing of this name is known here."),
    Code("N002", "duplicate-name", "The name is declared twice."),
    Code("N003", "ambiguous-name", "The name has two meanings here."),
    Code("N004", "unknown-type", "No type of this name is declared."),
    Code("N005", "unknown-field", "The entity or record has no field of this name."),
    Code("N006", "unknown-state", "The machine has no state of this name."),
    Code("N007", "unknown-role", "No role of this name is declared."),
    Code("N008", "unknown-effect", "No effect of this name is declared."),
    Code("N009", "unknown-entity", "No entity of this name is declared."),
    Code("N010", "unknown-enum-value", "The enum has no such value."),
    Code("N011", "duplicate-code", "Two clauses of one transition have the same code."),
    Code("N012", "reserved-name", "The name belongs to the language and can't be declared."),
    Code("N013", "internal-name", "The spec names something that only the routes may know."),
    Code("N014", "unused-name", "The name is declared and never used."),
    Code("N015", "unknown-transition", "The machine has no transition of this name."),
    Code("N016", "unknown-claim", "No claim of this name is declared."),
    Code("N017", "import-not-found", "There is no file to import at this path."),
    Code("N018", "import-cycle", "A file imports itself, directly or through others."),
    Code("N019", "import-outside", "The path of an import doesn't lead to a file below the spec's folder."),
    Code("N020", "not-a-vocabulary", "A machine stands where a vocabulary is needed, or a vocabulary for a machine."),
    Code("N022", "unknown-code", "No clause that people answer has this code."),
    Code("N023", "unknown-signal", "Nothing of this name is counted to begin or end a mode."),
    # T: an expression means nothing
    Code("T001", "type-mismatch", "A value of one type stands where another type is needed."),
    Code("T002", "not-boolean", "A condition must be true or false, and this is neither."),
    Code("T003", "unknown-attribute", "The value has no attribute of this name."),
    Code("T004", "wrong-argument-count", "A call has too few or too many arguments."),
    Code("T005", "not-comparable", "Values of these types can't be equal or unequal."),
    Code("T006", "not-ordered", "Values of these types have no order."),
    Code("T007", "not-numeric", "Arithmetic needs numbers, dates or durations."),
    Code("T008", "bad-bounds", "The lower bound lies above the upper one, or a bound is impossible."),
    Code("T009", "not-a-list", "Only a list can be counted, searched or summed."),
    Code("T010", "out-of-range", "The value lies outside the range of its type."),
    Code("T011", "unbounded-type", "Every number, text and list has stated bounds, and this one has none."),
    Code("T012", "constant-required", "Only a constant may stand here."),
    Code("T013", "not-optional", "Only an optional value can be present or absent."),
    Code("T014", "scale-loss", "The result has more decimal places than its place can keep."),
    Code("T015", "cyclic-define", "A `define` uses itself, directly or through others."),
    Code("T016", "table-too-wide", "A table has too many combinations to check, or a column that can't be listed."),
    Code("T017", "before-outside-ensure", "`before(...)` has a meaning only inside `ensure`."),
    Code("T018", "table-gap", "No row of the table covers some combination of values."),
    Code("T019", "table-overlap", "Two rows of the table cover the same combination of values."),
    Code("T020", "nesting-too-deep", "Quantifiers or expressions are nested deeper than the language allows."),
    Code("T021", "unit-mismatch", "Numbers in different units are mixed."),
    # C: the machine has a hole
    Code("C001", "no-initial-state", "The machine doesn't have exactly one initial state."),
    Code("C002", "unreachable-state", "No path leads to the state."),
    Code("C003", "no-proposer", "Nobody may propose the transition."),
    Code("C004", "no-anchor", "Nobody answers for the transition."),
    Code("C005", "effect-without-undo", "The effect has neither an `undo` nor the word `irreversible`."),
    Code("C006", "effect-without-ensure", "Nothing says how the effect's success is seen."),
    Code("C007", "irreversible-without-human", "An irreversible effect needs a human `confirm` or `sign`."),
    Code("C008", "rests-on-word-alone", "The effect rests on the proposer's word alone."),
    Code("C009", "advisory-with-effect", "An advisory machine may hold no effects."),
    Code("C010", "model-cannot-answer", "A model can only propose; it can't answer, approve or sign."),
    Code("C011", "missing-key", "An entity, or the case, doesn't say how it is found."),
    Code("C012", "missing-means", "The transition doesn't say what it means."),
    Code("C013", "final-has-exit", "A transition leaves a final state."),
    Code("C014", "no-case", "The spec doesn't say what its case is about."),
    Code("C015", "anchor-not-human", "Only a human can answer for a transition."),
    Code("C016", "dead-end-state", "No transition leaves the state, and it isn't final."),
    Code("C017", "confidence-raises-authority", "More confidence could turn an acceptance into something else."),
    Code("C018", "trapped-state", "A case that gets into the state can never end."),
    Code("C019", "never-passes", "No candidate can pass the clause, alone or together with another."),
    Code("C020", "constant-condition", "The clause's condition always comes out the same way, so it decides nothing."),
    Code("C021", "unreachable-row", "No combination of values fits the row of the table."),
    Code("C022", "unguarded-effect", "No known fact could keep the effect from happening, and nobody confirms it."),
    Code("C023", "never-proposed", "No case is ever in a state from which the transition starts."),
    Code("C024", "missing-text", "A text that people or models read is missing or blank."),
    Code("C025", "missing-failure-edge", "Nothing says where a case goes when an effect fails or has no outcome."),
    Code("C026", "edge-without-effect", "A failure edge stands where no effect can fail."),
    Code("C027", "final-without-outcome", "A final state doesn't say whether it is a success, or another state does."),
    Code("C028", "uneven-branches", "Transitions that share a name can't be called alike."),
    Code("C030", "bad-limit", "The limit counts what can't be counted, or lets somebody set their own bound."),
    Code("C031", "unblockable-by-model", "A model may propose what no `forbid` holds up."),
    Code("C033", "mode-restricts-nothing", "The mode allows every transition."),
    Code("C034", "incomplete-mode", "The mode never begins, never ends, or doesn't say what it allows."),
    Code("C035", "bad-composite", "A composite state is empty, too deep, or stands where one state is needed."),
    Code("C036", "nothing-to-release", "What is released has no label, so nothing keeps it back."),
    Code("C040", "path-without", "A path reaches the state without any of the transitions that must come before."),
    Code("C041", "not-inevitable", "A case can go on for ever, or end, without getting where the spec says it does."),
    Code("C042", "property-before-facts", "A property reads facts of what a transition only creates."),
    Code("C043", "labelled-to-effect", "A labelled value would be handed to an effect that it isn't released to."),
    Code("C044", "labelled-to-memory", "A labelled value would be kept in a memory field without the label."),
    Code("C045", "idle-read", "A clause reads a fact that it doesn't depend on, or says only what another one says."),
    Code("C046", "overlapping-branches", "Two branches of one transition can both be meant."),
    Code("C047", "broken-from-the-start", "Every new case breaks a property before anything is decided about it."),
    Code("C048", "not-yet-happened", "A clause asks who did something that can't have happened before."),
    Code("C049", "key-by-word-alone", "A limit counts per something that its proposer is free to name."),
    Code("C050", "query-changes", "A query does or asks for something: it can only look."),
    Code("C051", "query-without-case", "A query reads what only a case or a candidate has."),
    Code("C052", "labelled-returned", "A query would give a labelled value to somebody it isn't released to."),
    Code("C053", "query-for-anybody", "Nothing tests that what a query gives is the asker's own."),
    Code("C054", "returns-misplaced", "A query returns nothing, or a transition returns something."),
    Code("C055", "answer-too-large", "What a query gives could be more than one answer may hold."),
    Code(
        "C056",
        "personal-in-the-open",
        "A limit counts, or a case is found by, something personal.",
    ),
    Code("C057", "secret-by-trying", "A query would let a model find out a secret by asking again and again."),
    # R: the routes don't fit the spec
    Code("R001", "missing-route", "The spec uses a name that no route maps."),
    Code("R002", "duplicate-route", "Two routes map the same name."),
    Code("R003", "mistyped-route", "The route's type can't give what the spec declares."),
    Code("R004", "unknown-route-name", "The route maps a name that the spec doesn't have."),
    Code("R005", "unknown-table", "The source has no table of this name."),
    Code("R006", "unknown-column", "The table has no column of this name."),
    Code("R007", "missing-code", "An enum value or state has no internal code."),
    Code("R008", "duplicate-code-map", "One internal code stands for two values."),
    Code("R009", "name-clash", "A public name is also an internal one."),
    Code("R010", "unknown-source", "No source of this name is declared."),
    Code("R011", "bad-key", "The route's key doesn't fit the entity's key."),
    Code("R012", "wrong-machine", "The routes are written for another machine."),
    Code("R013", "bad-request", "The request that a route describes can't be sent, or is the same for different keys."),
    Code("R014", "no-idempotency-rule", "Nothing says how an effect of a service is kept from happening twice."),
    Code("R015", "wrong-kind-of-route", "The route is of another kind than its source."),
    Code("R016", "unknown-operation", "The service's description has no such operation."),
    Code("R017", "unknown-member", "The service's description and the route disagree about a member."),
    Code("R018", "unknown-function", "There is no Python function of this name."),
    # M: the map leaves something out
    Code("M001", "wrong-version", "The map is written for other versions, or for one."),
    Code("M002", "unmapped-state", "No line says where the cases in a state go."),
    Code("M003", "unfilled-memory", "No line says what a field of memory holds in the new version."),
    Code("M004", "dropped-memory", "Nothing takes over a field of the old version's memory."),
    Code("M005", "mapped-twice", "Two lines of the map speak of one thing."),
    Code("M006", "unsaid-time", "The map doesn't say whether the time in a state counts on."),
    Code("M007", "dropped-history", "The new version has no name for somebody that the old one asks for."),
    Code("M008", "unmapped-limit", "No line says what becomes of what a limit has counted."),
    Code("M009", "kept-and-forgotten", "The map forgets what it keeps."),
    Code("M010", "changed-key", "Cases would not be found again: their entity has another key."),
    Code("M011", "uncountable", "What one limit has counted can't count for the other."),
    Code("M012", "unknown-limit", "The version has no limit of this name."),
    # L: what can go wrong with a ledger
    Code("L001", "unusable-ledger", "The ledger can't do what was asked."),
    Code("L002", "commit-in-doubt", "A commit failed, and may or may not be on disk."),
    Code("L003", "ledger-in-use", "Somebody else is writing the ledger."),
    Code("L004", "not-a-ledger", "The bytes are no ledger, record or proof that this version reads."),
    Code("L005", "other-schema", "The ledger's tables are those of another version."),
    Code("L006", "contradictory-ledger", "What stands in the ledger contradicts itself."),
    Code("L007", "rolled-back-ledger", "The ledger lacks what a kept checkpoint counts."),
    Code("L008", "no-place-yet", "The record is durable, and its place in the ledger is not fixed yet."),
    Code("L009", "overtaken-commit", "What a commit was decided on has changed; nothing was written."),
)


def _registry(codes: tuple[Code, ...]) -> Mapping[str, Code]:
    registry: dict[str, Code] = {}
    names: set[str] = set()
    for code in codes:
        if not _ID.fullmatch(code.id) or not _NAME.fullmatch(code.name):
            raise ValueError(f"malformed diagnostic code {code.id} {code.name}")
        if code.id in registry or code.name in names:
            raise ValueError(f"diagnostic code {code.id} {code.name} is listed twice")
        registry[code.id] = code
        names.add(code.name)
    return MappingProxyType(registry)


CODES: Mapping[str, Code] = _registry(_ALL)
"""Every code by its id, in the order of the list."""


def find_code(id_or_name: str) -> Code | None:
    """The code with this id (`T003`, in any case) or name (`unknown-attribute`), or nothing."""
    return CODES.get(id_or_name.upper()) or next((c for c in CODES.values() if c.name == id_or_name), None)
