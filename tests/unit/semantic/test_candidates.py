"""Goal: what a model proposes is the same candidate through every provider's shape, and nothing but one call is one."""

import dataclasses
import json
from decimal import Decimal
from typing import Any

import pytest
import worlds

from edca.kernel.candidate import Caller, Candidate, Malformed
from edca.semantic.candidates import from_anthropic, from_json, from_mcp, from_openai
from edca.semantic.confidence import Bands
from edca.semantic.view import View, view

CALLER = Caller("bot", "assistant", "carla", worlds.MODEL)
INPUT: dict[str, Any] = {
    "arguments": {"order_id": "o1", "amount": "20.00", "picks": [{"sku": "a1", "count": 1}]},
    "confidence": 0.93,
    "evidence": ["order.status"],
    "rationale": "It was delivered.",
}
NAME = "approve_refund"
RESPONSES = {"type": "function_call", "call_id": "c1", "name": NAME, "arguments": json.dumps(INPUT)}
CHAT = {"id": "c1", "type": "function", "function": {"name": NAME, "arguments": json.dumps(INPUT)}}
BLOCK = {"type": "tool_use", "id": "c1", "name": NAME, "input": INPUT}
PARAMS = {"name": NAME, "arguments": INPUT}
SHAPES: dict[str, tuple[Any, Any]] = {
    "json": (from_json, {"transition": NAME, **INPUT}),
    "a call of Responses": (from_openai, RESPONSES),
    "a response": (
        from_openai,
        {
            "object": "response",
            "status": "completed",
            "output": [{"type": "reasoning", "summary": []}, RESPONSES],
            "usage": {"share": 1e-05},
        },
    ),
    "the output of a response": (from_openai, [{"type": "message", "content": []}, RESPONSES]),
    "a call of Chat Completions": (from_openai, CHAT),
    "a message of Chat Completions": (from_openai, {"role": "assistant", "content": None, "tool_calls": [CHAT]}),
    "a chat completion": (
        from_openai,
        {"choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"tool_calls": [CHAT]}}]},
    ),
    "a block of Messages": (from_anthropic, BLOCK),
    "a message of Messages": (
        from_anthropic,
        {"role": "assistant", "stop_reason": "tool_use", "content": [{"type": "text", "text": "Let me."}, BLOCK]},
    ),
    "the content of a message": (from_anthropic, [BLOCK]),
    "the params of tools/call": (from_mcp, PARAMS),
    "a request of MCP": (from_mcp, {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": PARAMS}),
}


def _candidate(found: Candidate | Malformed) -> Candidate:
    assert isinstance(found, Candidate), found
    return found


def _problem(found: Candidate | Malformed) -> str:
    assert isinstance(found, Malformed), found
    return found.problem


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("form", ["bytes", "text", "object"])
def test_every_shape_gives_the_same_candidate(shape: str, form: str) -> None:
    read, around = SHAPES[shape]
    written = json.dumps(around)
    raw = {"bytes": written.encode(), "text": written, "object": around}[form]
    expected = _candidate(from_json({"transition": NAME, **INPUT}, CALLER))
    found = _candidate(read(raw, CALLER))
    assert (found, found.rationale, found.digest) == (expected, "It was delivered.", expected.digest)
    assert (found.transition, found.confidence, found.evidence) == (NAME, 9_300, ("order.status",))


def test_who_proposes_is_never_read_from_what_was_written() -> None:
    for member in ("proposer", "role", "subject", "model", "transition", "revision", "key"):
        for read, around in (
            (from_anthropic, {**BLOCK, "input": {**INPUT, member: "sven"}}),
            (from_mcp, {**PARAMS, "arguments": {**INPUT, member: "sven"}}),
            (from_openai, {**RESPONSES, "arguments": json.dumps({**INPUT, member: "sven"})}),
        ):
            assert _problem(read(around, CALLER)).startswith(f"unexpected member `{member}`")
    found = _candidate(from_anthropic({**BLOCK, "role": "supervisor"}, CALLER))
    assert (found.proposer, found.role, found.subject, found.model) == ("bot", "assistant", "carla", worlds.MODEL)


@pytest.mark.parametrize(
    ("read", "around", "problem"),
    [
        (from_openai, {**RESPONSES, "arguments": json.dumps(INPUT) + " as you asked"}, "more stands behind the JSON"),
        (from_openai, {**RESPONSES, "arguments": "Sure! " + json.dumps(INPUT)}, "text stands before the JSON"),
        (from_openai, {**RESPONSES, "arguments": json.dumps(INPUT)[:40]}, "not valid JSON"),
        (from_openai, {**RESPONSES, "arguments": ""}, "not valid JSON"),
        (from_openai, {**RESPONSES, "arguments": '{"confidence": 1, "confidence": 0.1}'}, "stands twice"),
        (from_openai, {**RESPONSES, "arguments": '{"confidence": NaN}'}, "`NaN` is no number"),
        (from_openai, {**RESPONSES, "arguments": INPUT}, "no call"),
        (from_openai, {**RESPONSES, "name": "x" * 65}, "name is empty or too long"),
        (from_openai, {**RESPONSES, "status": "in_progress"}, "cut off"),
        (from_openai, {"status": "incomplete", "output": [RESPONSES]}, "cut off"),
        (from_openai, {"status": "completed", "output": []}, "no call"),
        (from_openai, [RESPONSES, RESPONSES], "several calls"),
        (from_openai, [RESPONSES, {"type": "custom_tool_call", "name": "x", "input": "y"}], "several calls"),
        (from_openai, [{"type": "custom_tool_call", "name": NAME, "input": "y"}], "no call"),
        (from_openai, {"role": "assistant", "content": "I would refund it."}, "no call"),
        (from_openai, {"tool_calls": [CHAT, CHAT]}, "several calls"),
        (from_openai, {"choices": [{"finish_reason": "length", "message": {"tool_calls": [CHAT]}}]}, "cut off"),
        (
            from_openai,
            {"object": "chat.completion.chunk", "choices": [{"delta": {"tool_calls": [CHAT]}}]},
            "no call",
        ),
        (from_openai, {"type": "response.function_call_arguments.delta", "delta": '{"arg'}, "no call"),
        (from_openai, b'data: {"choices": []}\n\ndata: [DONE]\n\n', "text stands before the JSON"),
        (from_anthropic, {"content": [BLOCK, BLOCK], "stop_reason": "tool_use"}, "several calls"),
        (from_anthropic, {"content": [{"type": "text", "text": json.dumps(INPUT)}]}, "no call"),
        (from_anthropic, {"content": [BLOCK], "stop_reason": "max_tokens"}, "cut off"),
        (from_anthropic, {"type": "content_block_delta", "delta": {"partial_json": "{"}}, "no call"),
        (from_anthropic, {**BLOCK, "input": json.dumps(INPUT)}, "no call"),
        (from_anthropic, {**BLOCK, "input": {"arguments": {"Amount": 1}}}, "plain lower-case name"),
        (from_anthropic, {**BLOCK, "input": {"arguments": {"#": "1.5"}}}, "plain lower-case name"),
        (from_anthropic, {**BLOCK, "input": {"arguments": {"a": 1e300}}}, "exponent"),
        (from_anthropic, {**BLOCK, "input": {"arguments": {"a": float("nan")}}}, "`NaN` is no number"),
        (from_anthropic, {**BLOCK, "input": {"arguments": {"a": 10**5000}}}, "JSON can't hold"),
        (from_anthropic, {**BLOCK, "input": {"arguments": {"a": 10**50}}}, "too many digits"),
        (from_anthropic, {**BLOCK, "input": {"arguments": {"a": "\ud800"}}}, "lone surrogate"),
        (from_anthropic, {**BLOCK, "input": {"arguments": {"a": object()}}}, "JSON can't hold"),
        (from_mcp, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, "no call"),
        (from_mcp, {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}, "no call"),
        (from_mcp, {"name": NAME, "arguments": [1]}, "not an object"),
        (from_mcp, BLOCK, "no call"),
        (from_mcp, {"name": "", "arguments": INPUT}, "name is empty or too long"),
        (from_mcp, b'{"name": "a", "name": "b"}', "a member stands twice"),
        (from_mcp, b'{"name": "a", "arguments": {"confidence": 0.1, "confidence": 0.9}}', "a member stands twice"),
        (from_mcp, b"\xef\xbb\xbf{}", "byte-order mark"),
        (from_mcp, b'{"name": "\xff"}', "not valid UTF-8"),
        (from_mcp, b"[" * 100 + b"]" * 100, "nested deeper than 48"),
        (from_mcp, b'"' + b"x" * (1 << 20) + b'"', "larger than 1048576 bytes"),
    ],
)
def test_what_is_not_one_whole_call_is_malformed(read: Any, around: object, problem: str) -> None:
    assert problem in _problem(read(around, CALLER))


def test_what_nests_too_deep_within_an_envelope_is_malformed() -> None:
    value: Any = 1
    for _ in range(23):
        value = [value]
    assert "nested deeper than 24" in _problem(
        from_mcp({"name": NAME, "arguments": {"arguments": {"a": value}}}, CALLER)
    )
    _candidate(from_mcp({"name": NAME, "arguments": {"arguments": {"a": value[0]}}}, CALLER))


def test_numbers_stay_exact_when_bytes_are_handed_over() -> None:
    raw = b'{"name": "t", "arguments": {"arguments": {"a": 20.10, "b": 3, "c": 0.10000000000000000000001}}}'
    assert _candidate(from_mcp(raw, CALLER)).arguments == {
        "a": {"#": "20.10"},
        "b": 3,
        "c": {"#": "0.10000000000000000000001"},
    }
    exact = {"name": "t", "arguments": {"arguments": {"a": Decimal("20.10")}}}
    assert _candidate(from_mcp(exact, CALLER)).arguments == {"a": "20.10"}


# --- what was shown ---


def _seen() -> View:
    setup = worlds.approval()
    return view(setup.machine, setup.case, setup.inputs.facts, CALLER, setup.inputs.now)


def test_evidence_must_have_been_shown() -> None:
    cited = {**PARAMS, "arguments": {**INPUT, "evidence": ["order.status", "order.frozen"]}}
    assert _problem(from_mcp(cited, CALLER, view=_seen())) == "`evidence[1]` cites something that was not shown"
    # Whether a hidden field exists is not told: what never was is answered alike.
    invented = {**PARAMS, "arguments": {**INPUT, "evidence": ["order.status", "order.no_such"]}}
    assert _problem(from_mcp(invented, CALLER, view=_seen())) == _problem(from_mcp(cited, CALLER, view=_seen()))
    assert _candidate(from_mcp(PARAMS, CALLER, view=_seen())).evidence == ("order.status",)


def test_a_candidate_is_about_the_revision_that_was_shown() -> None:
    seen = dataclasses.replace(_seen(), revision=41)
    assert _candidate(from_mcp(PARAMS, CALLER, view=seen)).revision == 41
    stated = {"transition": NAME, **INPUT, "revision": 3}
    assert _candidate(from_json(stated, CALLER, view=seen)).revision == 3
    assert _candidate(from_mcp(PARAMS, CALLER)).revision is None


def test_the_hosts_key_counts() -> None:
    assert _candidate(from_mcp(PARAMS, CALLER, key="turn-4")).key == "turn-4"
    assert _candidate(from_openai(RESPONSES, CALLER)).key == ""
    assert _candidate(from_json({"transition": NAME, "key": "own"}, CALLER, key="turn-4")).key == "turn-4"
    assert _problem(from_mcp(PARAMS, CALLER, key="x" * 129)) == "`key` is longer than 128 characters"


def test_bands_lower_what_was_stated() -> None:
    bands = Bands.of({"0.50": "0.30", "0.90": "0.85"})
    found = [
        _candidate(from_json({"transition": NAME, "confidence": stated}, CALLER, bands=bands)).confidence
        for stated in (0.2, 0.5, 0.89, 0.93, 1, None)
    ]
    assert found == [0, 3_000, 3_000, 8_500, 8_500, None]
