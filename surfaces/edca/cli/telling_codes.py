"""The codes of verdicts that no clause of a spec declares: the early stages, and why a value is unknown.

The tables of docs/how-to/read-a-refusal.md say the same; a test compares them.
"""

from collections.abc import Mapping
from typing import Final

from edca.kernel.values import Unknown
from edca.kernel.verdict import OVERLOAD, PROPERTY_VIOLATED, Stage
from edca.runtime.approving import Void

OUT_OF_RANGE: Final = "out_of_range"
_REFUSALS: Final[Mapping[str, str]] = {
    OUT_OF_RANGE: "a computed value is outside the range of its type",
    PROPERTY_VIOLATED: "a `never … when` of the spec would be true of what came about, or nobody can tell; "
    "the detail names it",
    OVERLOAD: "people would have to answer, and as many questions wait for them as may",
}
"""Why a candidate is refused whose clauses all passed, or wait only for people."""

STAGES: Final[Mapping[Stage, tuple[str, str]]] = {
    Stage.MALFORMED: (
        "the bytes are no candidate",
        "send one JSON object with the members that the detail names",
    ),
    Stage.UNKNOWN_CASE: (
        "the arguments name no case, or its source can't tell its state",
        "check the key; ask the routes' owner",
    ),
    Stage.WRONG_MACHINE: (
        "the case runs under another version of the spec",
        "move it to this one with `edca migrate`, or submit to that version",
    ),
    Stage.UNKNOWN_PROPOSER: (
        "the roster has no such principal",
        "add it to the roster",
    ),
    Stage.WRONG_ROLE: (
        "the proposer doesn't hold the role, or the role may not propose this",
        "let somebody in one of the transition's `by` roles propose",
    ),
    Stage.MODEL_MISMATCH: (
        "the model isn't the one that the roster pins",
        "use that model, or change the roster",
    ),
    Stage.DUPLICATE: (
        "another candidate has used this idempotency key",
        "choose a new key",
    ),
    Stage.HALTED: (
        "the machine is halted, or in a mode that the spec doesn't have",
        "an operator ends that: `edca resume`",
    ),
    Stage.MODE: (
        "the mode in force doesn't allow the transition, or people have taken the case over",
        "wait until the mode ends (a person in one of its `leave by` roles can end it), or the case is handed back",
    ),
    Stage.CLOCK_WENT_BACK: (
        "the clock stands before the case's last record",
        "set the clock right",
    ),
    Stage.STALE_REVISION: (
        "the case has moved since the proposer saw it",
        "look at it again, and propose anew",
    ),
    Stage.EFFECT_PENDING: (
        "an effect of the case has no outcome yet",
        "wait; in a quarantine a person must look",
    ),
    Stage.STATE_DRIFT: (
        "ledger and source disagree about the case's state",
        "a person must look",
    ),
    Stage.NO_SUCH_TRANSITION: (
        "the case's state has no transition of this name",
        "propose one that the view offers",
    ),
    Stage.NO_SUCH_QUERY: (
        "the machine has no query of this name",
        "ask one that the view offers",
    ),
    Stage.BAD_ARGUMENT: (
        "an argument is missing, surplus or not of its type",
        "send what the view's schema says",
    ),
    Stage.NO_BRANCH: (
        "no branch's guard is true, or one that is tried first is unknown",
        "supply what the guard reads; propose something else where none is true",
    ),
    Stage.TOO_EARLY: (
        "the case hasn't been in its state for as long as the transition's `after` says",
        "wait until the time that the detail names",
    ),
    Stage.NO_ANCHOR: (
        "nobody answers for the transition now",
        "a person in the role gives a mandate, or proposes it",
    ),
}
"""Why each early stage stops a candidate, and what to do then."""

REASONS: Final[Mapping[Unknown, str]] = {
    Unknown.MISSING: "the source has no such instance, or nothing for a value that has to be there",
    Unknown.STALE: "the value is older than the case's `fresh` allows",
    Unknown.DRIFT: "the source holds what the declared type doesn't allow",
    Unknown.UNATTESTED: "nobody has attested the claim, or two attestations of one instant contradict each other",
    Unknown.UNSTATED: "the proposer gave no confidence, or the host no subject",
    Unknown.ABSENT: "an optional value is absent where one is needed",
    Unknown.EMPTY: "`first`, `last`, `min` or `max` of an empty list",
    Unknown.UNCOUNTED: "nothing tells how much a limit has counted so far",
    Unknown.ERASED: "what is personal of that case was erased, so no query looks anything of it up",
}
"""Why a value is unknown."""


VOIDS: Final[Mapping[Void, str]] = {
    Void.NO_SUCH_QUESTION: "there never was such a question, or it is answered or over",
    Void.EXPIRED: "it came when the question's time was over",
    Void.NOT_ASKED: "the question waits for no answer of that code",
    Void.WRONG_ROLE: "whoever answers may not speak in the role that the clause names",
    Void.SELF_APPROVAL: "nobody answers what they propose themselves, through whichever account",
    Void.UNSIGNED: "the roster has a key of theirs, and the answer is not signed",
    Void.BAD_SIGNATURE: "the signature is for something else, or by another key than the roster has",
    Void.REPLAYED: "the same person has answered the same already",
    Void.PREVIEW_CHANGED: "what would come about is no longer what they were shown",
    Void.OVERTAKEN: "the case has gone on, and the candidate is refused",
    Void.NOT_NOW: "nothing can be decided about the case at this time; the question stays open",
    Void.EXCLUDED: "the clause asks for somebody else",
}
"""Why an answer to an open question does not count."""


def code_lines(code: str) -> tuple[str, ...]:
    """Return a code of this module in words, empty for any other."""
    for stage, (why, what_to_do) in STAGES.items():
        if code == stage.value:
            early = f"{code} is the code of an early stage: the candidate was refused before any clause was looked at"
            return (early, f"why: {why}", f"what to do: {what_to_do}")
    for reason, why in REASONS.items():
        if code == reason.value:
            return (f"{code} is why a value is unknown, and nothing unknown lets anything through", f"why: {why}")
    for void, why in VOIDS.items():
        if code == void.value:
            return (f"{code} is why an answer to an open question is void", f"why: {why}")
    if code in _REFUSALS:
        return (f"{code} is the code of a refusal", f"why: {_REFUSALS[code]}")
    return ()


def all_codes() -> tuple[str, ...]:
    """Return every code of this module."""
    codes = (*(stage.value for stage in STAGES), *(reason.value for reason in REASONS), *_REFUSALS)
    return (*codes, *(void.value for void in VOIDS))
