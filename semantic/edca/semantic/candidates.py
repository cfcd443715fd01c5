"""Candidates as providers' interfaces hand them over: one tool call, found in the shape around it, read strictly.

Whatever the shape, what the model wrote goes through the one grammar of `edca.semantic.candidate`. The envelope is the
provider's and may hold members that are not known here; the input of the call is the model's and may not. An answer
with no call, with several, or one that was cut off is `Malformed`. Nothing is repaired, and nothing here raises,
whatever the bytes: a `Malformed` is submitted like a candidate, and stands on record.

| shape | what may be handed over |
|---|---|
| JSON | the object alone |
| OpenAI | a response or its `output`, a chat completion or its message, `tool_calls`, or one call of either |
| Anthropic | a message, its `content`, or one `tool_use` block |
| MCP | a `tools/call` request, or its `params` |

Each as bytes, as text, or as the objects that the provider's library has made of them. Bytes are best: a library that
reads `20.10` as a binary fraction can't say whether `20.1` or `20.10` stood there, and it forgets that a member stood
twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from edca.kernel import canonical
from edca.kernel.candidate import Caller, Candidate, Malformed
from edca.kernel.inquiry import Inquiry
from edca.semantic.candidate import (
    DEPTH_MAX,
    NAME_MAX,
    MalformedError,
    candidate_of,
    constant,
    fraction,
    integer,
    malformed,
    members,
    nesting,
    parse_object,
    read_json,
)
from edca.semantic.tools import citable

if TYPE_CHECKING:
    from collections.abc import Callable

    from edca.semantic.confidence import Bands
    from edca.semantic.view import View

ENVELOPE_SIZE_MAX = 1 << 20  # bytes of a provider's whole answer, of which the call is a part
ENVELOPE_DEPTH_MAX = 48
REASK_MAX = 512  # characters
_PROBLEM_MAX = 256
_MCP_MEMBERS = {"name", "arguments", "_meta", "task", "inputResponses", "requestState"}  # of `CallToolRequestParams`
INPUT_MEMBERS = ("arguments", "confidence", "evidence", "rationale")

_CUT_OFF = "the answer was cut off before its end"
_NO_CALL = "the answer holds no call of a tool"
_SEVERAL = "the answer holds several calls of tools; one at a time is read"


@dataclass(frozen=True, slots=True)
class _Number:
    """A number of an envelope, as it was written."""

    digits: str


def from_json(
    raw: object, caller: Caller, *, view: View | None = None, bands: Bands | None = None, key: str = ""
) -> Candidate | Malformed:
    """Return the candidate that one JSON object is (see `edca.semantic.candidate`), or why it is none.

    `view` is what the model was shown: then the candidate is about that revision unless it names one, and may cite as
    evidence only what stood in it. `bands` say how a stated confidence counts. `key` is the idempotency key that the
    host gives; without one, the candidate's own counts.
    """
    return _read(raw, caller, parse_object, view, bands, key)


def from_openai(
    raw: object, caller: Caller, *, view: View | None = None, bands: Bands | None = None, key: str = ""
) -> Candidate | Malformed:
    """Return the candidate of OpenAI's answer (Responses or Chat Completions): otherwise as `from_json`.

    Nothing makes the provider's call id an idempotency key by itself: some servers count calls from zero each time.
    """
    return _read(raw, caller, _openai, view, bands, key)


def from_anthropic(
    raw: object, caller: Caller, *, view: View | None = None, bands: Bands | None = None, key: str = ""
) -> Candidate | Malformed:
    """Return the candidate of Anthropic's answer (Messages): otherwise as `from_openai`."""
    return _read(raw, caller, _anthropic, view, bands, key)


def from_mcp(
    raw: object, caller: Caller, *, view: View | None = None, bands: Bands | None = None, key: str = ""
) -> Candidate | Malformed:
    """Return the candidate of an MCP client's `tools/call`: otherwise as `from_openai`."""
    return _read(raw, caller, _mcp, view, bands, key)


def inquiry_of(read: Candidate | Malformed) -> Inquiry | Malformed:
    """Return the inquiry that a call of a query's tool is, by whichever function here it was read.

    A query takes arguments and nothing else: what a candidate says of itself makes it malformed.
    """
    if isinstance(read, Malformed):
        return read
    who = (read.proposer, read.role, read.subject, read.model)
    if read.confidence is None and not read.evidence and not read.rationale:
        return Inquiry(read.transition, read.arguments, *who)
    return malformed("a query takes arguments and nothing else", canonical.encode(read.to_raw()), Caller(*who))


def reask(wrong: Malformed) -> str:
    """Return what to tell a model whose answer was no candidate: what was wrong with its form, and what is expected.

    It has at most `REASK_MAX` characters. Of the answer it repeats the name of one member at most, and only a name that
    a candidate's member could have.
    """
    problem = wrong.problem if len(wrong.problem) <= _PROBLEM_MAX else "it is not in the form of a candidate"
    return (
        f"That was no candidate, and nothing has happened: {problem}. Call exactly one of the tools, once, with "
        "arguments that fit its schema; or, if you were given no tools, answer with one JSON object and no other text."
    )


def _read(
    raw: object,
    caller: Caller,
    parse: Callable[[bytes], dict[str, Any]],
    view: View | None,
    bands: Bands | None,
    key: str,
) -> Candidate | Malformed:
    payload = b""
    try:
        payload = _payload(raw)
        parsed = parse(payload)
        candidate = candidate_of(parsed | {"key": key} if key else parsed, caller)
        if view is not None:
            candidate = _about(candidate, view)
        return candidate if bands is None else replace(candidate, confidence=bands.counted(candidate.confidence))
    except MalformedError as error:
        return malformed(str(error), payload, caller)


def about(candidate: Candidate, view: View | None) -> Candidate | Malformed:
    """Return the candidate as a proposal about what the view showed, or that it cites what was not shown.

    Without a view nothing was shown, so nothing can be cited.
    """
    try:
        return _about(candidate, view)
    except MalformedError as error:
        caller = Caller(candidate.proposer, candidate.role, candidate.subject, candidate.model)
        return malformed(str(error), canonical.encode(candidate.to_raw()), caller)


def _about(candidate: Candidate, view: View | None) -> Candidate:
    shown = () if view is None else citable(view)
    for index, name in enumerate(candidate.evidence):
        if name not in shown:
            raise MalformedError(f"`evidence[{index}]` cites something that was not shown")
    if view is None or candidate.revision is not None:
        return candidate
    return replace(candidate, revision=view.revision)


def _payload(raw: object) -> bytes:
    """Return the bytes of what was handed over. Raises `MalformedError` for what JSON can't hold."""
    match raw:
        case bytes() | bytearray() | memoryview():
            return bytes(raw)
        case str():
            return raw.encode("utf-8", errors="surrogatepass")
        case _:
            try:
                return json.dumps(raw, default=_as_json, separators=(",", ":")).encode("ascii")
            except (TypeError, ValueError, RecursionError):
                raise MalformedError("holds something that JSON can't hold") from None


def _as_json(value: object) -> object:
    match value:
        case Decimal():
            return format(value, "f")
        case Mapping():
            return dict(value)
        case BaseModel():  # what providers' libraries make of an answer
            return value.model_dump(by_alias=True, exclude_unset=True)
        case _:
            raise TypeError(type(value).__name__)


# --- envelopes ---


def _openai(payload: bytes) -> dict[str, Any]:
    answer = _envelope(payload)
    match answer:
        case {"type": "function_call"} | {"type": "function"}:
            return _openai_call(answer)
        case {"output": list(items)}:
            if answer.get("status", "completed") != "completed":
                raise MalformedError(_CUT_OFF)
        case {"choices": [{"message": {"tool_calls": list(items)}} as choice]}:
            if choice.get("finish_reason", "tool_calls") not in ("tool_calls", "stop"):
                raise MalformedError(_CUT_OFF)
        case {"tool_calls": list(items)} | list(items):
            pass
        case _:
            raise MalformedError(_NO_CALL)
    kinds = ("function_call", "custom_tool_call", "function", "custom")
    return _openai_call(_only([item for item in items if isinstance(item, dict) and item.get("type") in kinds]))


def _openai_call(call: dict[str, Any]) -> dict[str, Any]:
    match call:
        case {"type": "function_call", "name": str(name), "arguments": str(written)}:
            if call.get("status") not in (None, "completed"):
                raise MalformedError(_CUT_OFF)
        case {"type": "function", "function": {"name": str(name), "arguments": str(written)}}:
            pass
        case _:
            raise MalformedError(_NO_CALL)
    return _proposal(name, parse_object(written.encode("utf-8", errors="surrogatepass")))


def _anthropic(payload: bytes) -> dict[str, Any]:
    answer = _envelope(payload)
    match answer:
        case {"type": "tool_use"}:
            blocks: list[Any] = [answer]
        case {"content": list(blocks)}:
            if answer.get("stop_reason") not in (None, "tool_use", "end_turn"):
                raise MalformedError(_CUT_OFF)
        case list(blocks):
            pass
        case _:
            raise MalformedError(_NO_CALL)
    calls = [block for block in blocks if isinstance(block, dict) and block.get("type") == "tool_use"]
    match _only(calls):
        case {"name": str(name), "input": dict(given)}:
            return _proposal(name, _strict_object(given))
        case _:
            raise MalformedError(_NO_CALL)


def _mcp(payload: bytes) -> dict[str, Any]:
    request = _envelope(payload)
    if isinstance(request, dict) and "jsonrpc" in request:
        if request.get("method") != "tools/call":
            raise MalformedError(_NO_CALL)
        request = request.get("params")
    match request:
        # Not lenient as with others: a call in another shape would be read as one without its input.
        case {"name": str(name)} if request.keys() <= _MCP_MEMBERS:
            given = request.get("arguments")
            if given is not None and not isinstance(given, dict):
                raise MalformedError("the input of the call is not an object")
            return _proposal(name, _strict_object(given or {}))
        case _:
            raise MalformedError(_NO_CALL)


def _only(calls: list[dict[str, Any]]) -> dict[str, Any]:
    if not calls:
        raise MalformedError(_NO_CALL)
    if len(calls) > 1:
        raise MalformedError(_SEVERAL)
    return calls[0]


def _proposal(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a candidate: what the model gave, for the tool it called."""
    surplus = sorted(set(given) - set(INPUT_MEMBERS))
    if surplus:
        raise MalformedError(f"unexpected member `{surplus[0]}`; allowed are {', '.join(INPUT_MEMBERS)}")
    if not 1 <= len(name) <= NAME_MAX:
        raise MalformedError("the tool's name is empty or too long")
    return {**given, "transition": name}


def _envelope(payload: bytes) -> Any:
    if len(payload) > ENVELOPE_SIZE_MAX:
        raise MalformedError(f"larger than {ENVELOPE_SIZE_MAX} bytes")
    if nesting(payload) > ENVELOPE_DEPTH_MAX:
        raise MalformedError(f"nested deeper than {ENVELOPE_DEPTH_MAX}")
    return read_json(payload, _ENVELOPE)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedError("a member stands twice")
    return found


_ENVELOPE = json.JSONDecoder(object_pairs_hook=_once, parse_float=_Number, parse_int=_Number, parse_constant=constant)


def _strict_object(given: dict[str, Any]) -> dict[str, Any]:
    """Return what stands in an envelope as the grammar of candidates reads it, with its bounds."""
    return members([(name, _strict(value, 2)) for name, value in given.items()])


def _strict(value: Any, depth: int) -> Any:
    """Return a value that stands within `depth - 1` objects and lists of a candidate, as its grammar reads it."""
    if depth > DEPTH_MAX and isinstance(value, (dict, list)):
        raise MalformedError(f"nested deeper than {DEPTH_MAX}")
    match value:
        case dict():
            return members([(name, _strict(part, depth + 1)) for name, part in value.items()])
        case list():
            return [_strict(part, depth + 1) for part in value]
        case _Number(digits):
            return fraction(digits) if set(digits) - set("-0123456789") else integer(digits)
        case _:
            return value
