"""The codes of verdicts that no clause of a spec declares: the early stages, and why a value is unknown.

The tables of docs/how-to/read-a-refusal.md say the same; a test compares them.
"""

from collections.abc import Mapping
from typing import Final

from edca.kernel.values import Unknown
from edca.kernel.verdict import Stage

OUT_OF_RANGE: Final = "out_of_range"

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
        "submit to that version",
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
    Stage.BAD_ARGUMENT: (
        "an argument is missing, surplus or not of its type",
        "send what the view's schema says",
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
}
"""Why a value is unknown."""


def code_lines(code: str) -> tuple[str, ...]:
    """Return a code of this module in words, empty for any other."""
    for stage, (why, what_to_do) in STAGES.items():
        if code == stage.value:
            early = f"{code} is the code of an early stage: the candidate was refused before any clause was looked at"
            return (early, f"why: {why}", f"what to do: {what_to_do}")
    for reason, why in REASONS.items():
        if code == reason.value:
            return (f"{code} is why a value is unknown, and nothing unknown lets anything through", f"why: {why}")
    if code == OUT_OF_RANGE:
        return (f"{code} is the code of a refusal", "why: a computed value is outside the range of its type")
    return ()


def all_codes() -> tuple[str, ...]:
    """Return every code of this module."""
    return (*(stage.value for stage in STAGES), *(reason.value for reason in REASONS), OUT_OF_RANGE)
