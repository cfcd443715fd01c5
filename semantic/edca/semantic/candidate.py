"""Admission: bytes become a candidate, or a named reason why they are none. The first stage of every submission.

One strict grammar: a single JSON object (RFC 8259) with the members below and no others. Duplicate members, NaN and
infinities, exponents, invalid UTF-8, lone surrogates, prose around the object, and anything too large or too deep are
`Malformed`. Nothing is guessed or repaired.

```json
{"transition": "approve_refund", "arguments": {"order_id": "o1", "amount": 20.00},
 "revision": 3, "key": "call-17", "confidence": 0.91, "evidence": ["order.status"], "rationale": "…"}
```

Only `transition` is required. Without a `key` a submission is its own: sent twice, it is decided twice.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from edca.kernel import canonical
from edca.kernel.candidate import CONFIDENCE_SCALE, Caller, Candidate, Malformed
from edca.kernel.values import DECIMAL_TAG, parse_decimal

if TYPE_CHECKING:
    from edca.kernel.values import Raw

SIZE_MAX = 256 * 1024
DEPTH_MAX = 24
DIGITS_MAX = 40
NAME_MAX = 64
KEY_MAX = 128
EVIDENCE_MAX = 64
RATIONALE_MAX = 16_384
REVISION_MAX = 2**53
MEMBERS = ("transition", "arguments", "revision", "key", "confidence", "evidence", "rationale")

_SPACE = " \t\n\r"  # what RFC 8259 calls whitespace
_NAME = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)
_FRACTION = re.compile(r"-?[0-9]+\.[0-9]+", re.ASCII)
# Possessive, and an unclosed string runs to the end: each byte is looked at once, however hostile.
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)


class MalformedError(Exception):
    """Why something is no candidate; caught where admission begins, and never seen outside."""


def admit(payload: bytes, caller: Caller) -> Candidate | Malformed:
    """Return the candidate that `payload` is, or why it is none. Never raises, whatever the bytes."""
    try:
        return candidate_of(parse_object(payload), caller)
    except MalformedError as error:
        return malformed(str(error), payload, caller)


def malformed(problem: str, payload: bytes, caller: Caller) -> Malformed:
    """Return the note that these bytes are no candidate, and why."""
    return Malformed(
        problem=problem,
        size=len(payload),
        digest=canonical.digest("payload", payload),
        proposer=caller.proposer,
        role=caller.role,
        subject=caller.subject,
        model=caller.model,
    )


def parse_object(payload: bytes) -> dict[str, Any]:
    """Return the one JSON object that the bytes are, its fractions as `{"#": digits}`.

    Raises `MalformedError` for everything else.
    """
    if len(payload) > SIZE_MAX:
        raise MalformedError(f"larger than {SIZE_MAX} bytes")
    if nesting(payload) > DEPTH_MAX:
        raise MalformedError(f"nested deeper than {DEPTH_MAX}")
    parsed = read_json(payload, _CANDIDATE)
    if not isinstance(parsed, dict) or set(parsed) == {DECIMAL_TAG}:
        raise MalformedError("not a JSON object")
    return parsed


def read_json(payload: bytes, decoder: json.JSONDecoder) -> Any:
    """Return the one JSON value that the bytes are. Raises `MalformedError` where they are none, or hold more than it.

    What Python's own messages say of broken JSON changes with its version, so none of it is told or recorded.
    """
    try:
        text = payload.decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        raise MalformedError("not valid UTF-8") from None
    if text.startswith("\ufeff"):
        raise MalformedError("begins with a byte-order mark")
    text = text.strip(_SPACE)
    try:
        parsed, end = decoder.raw_decode(text)
    except json.JSONDecodeError:
        around = "{" in text and not text.startswith(("{", "["))
        raise MalformedError("text stands before the JSON" if around else "not valid JSON") from None
    if end != len(text):
        raise MalformedError("more stands behind the JSON")
    return parsed


def nesting(payload: bytes) -> int:
    """Return how deep brackets nest outside of strings, without recursion."""
    depth = deepest = 0
    for byte in _STRINGS.sub(b"", payload):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of an object. Raises `MalformedError` for a name that is none, or stands twice."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if len(name) > NAME_MAX or _NAME.fullmatch(name) is None:
            raise MalformedError("a member's name is not a plain lower-case name")
        if name in found:
            raise MalformedError(f"the member `{name}` stands twice")
        found[name] = value
    return found


def integer(digits: str) -> Raw:
    """Return the raw form of a whole JSON number. Raises `MalformedError` for one with too many digits."""
    if len(digits) > DIGITS_MAX:
        raise MalformedError("a number has too many digits")
    number = int(digits)
    in_range = canonical.INT_MIN <= number <= canonical.INT_MAX
    return number if in_range else {DECIMAL_TAG: digits}


def fraction(digits: str) -> Raw:
    """Return the raw form of a JSON number that is not whole. Raises `MalformedError` for an exponent."""
    if len(digits) > DIGITS_MAX or _FRACTION.fullmatch(digits) is None:
        raise MalformedError("a number has an exponent or too many digits")
    return {DECIMAL_TAG: digits}


def constant(name: str) -> Raw:
    """Refuse `NaN` and the infinities, which JSON does not have."""
    raise MalformedError(f"`{name}` is no number")


_CANDIDATE = json.JSONDecoder(
    object_pairs_hook=members, parse_float=fraction, parse_int=integer, parse_constant=constant
)


def candidate_of(parsed: dict[str, Any], caller: Caller) -> Candidate:
    """Return the candidate whose members these are. Raises `MalformedError` where it is none."""
    surplus = sorted(set(parsed) - set(MEMBERS))
    if surplus:
        raise MalformedError(f"unexpected member `{surplus[0]}`; allowed are {', '.join(MEMBERS)}")
    candidate = Candidate(
        transition=text_of(parsed, "transition", NAME_MAX, required=True),
        arguments=arguments_of(parsed),
        proposer=caller.proposer,
        role=caller.role,
        subject=caller.subject,
        model=caller.model,
        revision=_revision(parsed.get("revision")),
        key=text_of(parsed, "key", KEY_MAX),
        confidence=_confidence(parsed.get("confidence")),
        evidence=_evidence(parsed.get("evidence", [])),
        rationale=text_of(parsed, "rationale", RATIONALE_MAX),
    )
    try:
        canonical.encode([candidate.to_raw(), candidate.rationale])
    except canonical.CanonicalError:
        raise MalformedError("a text holds a lone surrogate, or the arguments nest too deep") from None
    return candidate


def arguments_of(parsed: dict[str, Any]) -> dict[str, Raw]:
    """Return the arguments, none where none are given. Raises `MalformedError` where they are no object."""
    arguments = parsed.get("arguments", {})
    if not isinstance(arguments, dict) or set(arguments) == {DECIMAL_TAG}:
        raise MalformedError("`arguments` is not an object")
    return arguments


def text_of(parsed: dict[str, Any], name: str, length_max: int, *, required: bool = False) -> str:
    """Return the text of a member, empty where there is none. Raises `MalformedError` for anything but a short text."""
    value = parsed.get(name, "")
    if not isinstance(value, str):
        raise MalformedError(f"`{name}` is not text")
    if len(value) > length_max:
        raise MalformedError(f"`{name}` is longer than {length_max} characters")
    if required and not value:
        raise MalformedError(f"`{name}` is missing")
    return value


def _revision(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= REVISION_MAX:
        raise MalformedError("`revision` is not a whole number")
    return value


def _confidence(value: Any) -> int | None:
    """Return confidence in 10^-4, rounded down: what is finer can only lower authority."""
    match value:
        case None:
            return None
        case bool():
            raise MalformedError("`confidence` is not a number")
        case int():
            units = parse_decimal(str(value), CONFIDENCE_SCALE)
        case dict() if set(value) == {DECIMAL_TAG}:
            exact = parse_decimal(value[DECIMAL_TAG], DIGITS_MAX)
            if exact is None or not 0 <= exact <= int(10**DIGITS_MAX):
                raise MalformedError("`confidence` is not between 0 and 1")
            units = exact // int(10 ** (DIGITS_MAX - CONFIDENCE_SCALE))
        case _:
            raise MalformedError("`confidence` is not a number")
    if units is None or not 0 <= units <= 10**CONFIDENCE_SCALE:
        raise MalformedError("`confidence` is not between 0 and 1")
    return units


def _evidence(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > EVIDENCE_MAX:
        raise MalformedError(f"`evidence` is not a list of at most {EVIDENCE_MAX} names")
    if not all(isinstance(item, str) and len(item) <= KEY_MAX for item in value):
        raise MalformedError("`evidence` holds something that is not a short text")
    return tuple(value)
