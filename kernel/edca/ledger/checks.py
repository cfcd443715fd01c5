"""What the verifier asks of a ledger, and which flaws answer each question with no, or leave it open."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Flaw(StrEnum):
    """What is wrong with a record, or with the ledger."""

    UNREADABLE = "unreadable"
    NOT_A_LEDGER = "not-a-ledger"
    MISSING = "missing"
    HEADER = "header"
    ORDER = "order"
    BODY = "body"
    CHAIN = "chain"
    HEADS = "heads"
    TILE = "tile"
    CHECKPOINT = "checkpoint"
    SIGNATURE = "signature"
    RECEIPT = "receipt"


@dataclass(frozen=True, slots=True)
class Check:
    """One question put to every record. It is answered with yes only if no flaw of either kind was found.

    `broken_by` answer it with no. `cut_short_by` leave it open: a record that can't be relied on is not
    compared with its neighbours.
    """

    what: str
    broken_by: frozenset[Flaw]
    cut_short_by: frozenset[Flaw] = frozenset()


_ORDER: Final = Check(
    "every record follows the one before it, by leaf hash",
    frozenset({Flaw.ORDER, Flaw.MISSING}),
    frozenset({Flaw.HEADER, Flaw.BODY}),
)
HEADS: Final = Check(
    "the table of the chains' newest records agrees with the records",
    frozenset({Flaw.HEADS}),
    frozenset({Flaw.HEADER, Flaw.BODY}),
)
TILES: Final = Check(
    "every file of the tree is there, and holds the hashes that the headers yield",
    frozenset({Flaw.TILE, Flaw.MISSING}),
)

DECODED: Final = (
    Check(
        "every header has the form of this version, and names its place and the chain and entry of its body",
        frozenset({Flaw.HEADER}),
        frozenset({Flaw.BODY}),
    ),
    _ORDER,
    Check(
        "every body is canonical, and has the digest its header carries",
        frozenset({Flaw.BODY}),
        frozenset({Flaw.HEADER}),
    ),
    Check(
        "the entries of every chain have no gap, and each names the digest of the one before it",
        frozenset({Flaw.CHAIN, Flaw.MISSING}),
        frozenset({Flaw.HEADER, Flaw.BODY}),
    ),
)
"""What is asked where bodies are decoded."""

_HEADERS: Final = (
    Check("every header has the form of this version, and names its place", frozenset({Flaw.HEADER})),
    _ORDER,
    Check(
        "the entries of every chain have no gap, by the headers",
        frozenset({Flaw.CHAIN, Flaw.MISSING}),
        frozenset({Flaw.HEADER, Flaw.BODY}),
    ),
)
_DIGESTS: Final = Check(
    "every body has the digest its header carries", frozenset({Flaw.BODY}), frozenset({Flaw.HEADER})
)


def asked_of_records(*, decoding: bool, bodies: bool) -> tuple[Check, ...]:
    """Return what is asked of records; `bodies` is whether all of them are there."""
    if not bodies:
        return _HEADERS
    return DECODED if decoding else (*_HEADERS[:2], _DIGESTS, *_HEADERS[2:])


CHECKS: Final = (*DECODED, HEADS)
"""What is asked of a ledger's file."""

# What can't be known from the file alone, or from what was given of a kept checkpoint.
WHO_WROTE: Final = "who wrote the records: no signed checkpoint was given"
NO_SIGNED: Final = "who wrote the records: no signed checkpoint that was given is shown to be theirs"
NOT_READ: Final = "what the records say: verdicts are checked by replay, not here"
BESIDE: Final = "the cells beside the records, such as where a case stands: only building them anew tells"
CELLS_ELSEWHERE: Final = "the cells beside the records, such as where a case stands: they are not published"
NOT_DECODED: Final = "what stands inside the bodies, such as the chain and entry they name: they were not decoded"
TAIL: Final = "deletion of the newest records: no checkpoint kept elsewhere was given"
TAIL_OF_FOLDER: Final = "deletion of records newer than the folder's own checkpoint: none kept elsewhere was given"
PAST_CHECKPOINT: Final = "deletion of records newer than the kept checkpoint"
NO_ROOT: Final = "whether the records are those of the kept checkpoint: its size was given, and no root"
NOTHING_READ: Final = "any record: none can be read"
