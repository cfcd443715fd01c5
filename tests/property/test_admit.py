"""Goal: admission never raises, never guesses and never takes long, whatever the bytes."""

import json
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edca.kernel.candidate import Caller, Candidate, Malformed
from edca.kernel.canonical import encode
from edca.semantic.candidate import DEPTH_MAX, MEMBERS, SIZE_MAX, admit

CALLER = Caller("bot", "assistant", "carla", "a-model")
WHOLE = {
    "transition": "approve_refund",
    "arguments": {"order_id": "o1", "amount": 20, "picks": [{"sku": "a1", "count": 1}]},
    "revision": 3,
    "key": "call-17",
    "confidence": 0.91,
    "evidence": ["order.status"],
    "rationale": "Because.",
}
TEXT = json.dumps(WHOLE).encode()


def _problem(payload: bytes) -> str:
    found = admit(payload, CALLER)
    assert isinstance(found, Malformed)
    assert found.size == len(payload)
    assert (found.proposer, found.role, found.subject, found.model) == ("bot", "assistant", "carla", "a-model")
    encode(found.to_raw())
    return found.problem


def _admitted(payload: bytes) -> Candidate:
    found = admit(payload, CALLER)
    assert isinstance(found, Candidate), found
    encode(found.to_raw())
    return found


def test_a_whole_candidate_is_read_as_it_stands() -> None:
    found = _admitted(TEXT)
    assert (found.transition, found.revision, found.key, found.confidence) == ("approve_refund", 3, "call-17", 9_100)
    assert found.evidence == ("order.status",)
    assert found.rationale == "Because."
    assert found.arguments == WHOLE["arguments"]


@given(st.binary(max_size=200))
def test_random_bytes_never_raise(payload: bytes) -> None:
    admit(payload, CALLER)


@given(st.data())
def test_mutated_json_never_raises_and_what_is_admitted_has_canonical_bytes(data: st.DataObject) -> None:
    payload = bytearray(TEXT)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(payload) - 1))
        what = data.draw(st.sampled_from(["replace", "insert", "delete", "double"]))
        piece = data.draw(
            st.binary(min_size=1, max_size=3) | st.sampled_from([b"}", b'"', b"\\u", b"NaN", b",", b"[["])
        )
        if what == "replace":
            payload[place : place + len(piece)] = piece
        elif what == "insert":
            payload[place:place] = piece
        elif what == "delete":
            del payload[place]
        else:
            payload += payload[place:]
    found = admit(bytes(payload), CALLER)
    encode(found.to_raw())
    if isinstance(found, Candidate):
        strict = json.loads(payload)  # what we admit is JSON for everybody else, too
        assert set(strict) <= set(MEMBERS)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8),
    lambda of: st.lists(of, max_size=3) | st.dictionaries(st.sampled_from([*MEMBERS, "x", "", "#"]), of, max_size=4),
    max_leaves=8,
)


@given(_JSON, st.sampled_from(MEMBERS))
def test_any_json_in_any_member_is_read_or_refused(value: object, member: str) -> None:
    found = admit(json.dumps({"transition": "t", member: value}).encode(), CALLER)
    encode(found.to_raw())


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"", "not valid JSON"),
        (b"null", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b"1.5", "not a JSON object"),
        (b'{"transition": "t"} and more', "more stands behind"),
        (b'Sure! {"transition": "t"}', "text stands before"),
        (b'\xef\xbb\xbf{"transition": "t"}', "byte-order mark"),
        (b'{"transition": "t"}\x00', "more stands behind"),
        (b'{"transition": "t",}', "not valid JSON"),
        (b"{'transition': 't'}", "not valid JSON"),
        (b'{"transition": "t"}{"transition": "t"}', "more stands behind"),
        (b'{"transition": "\xff"}', "not valid UTF-8"),
        (b'{"transition": "\xed\xa0\x80"}', "not valid UTF-8"),
        (b'{"transition": "\\ud800"}', "lone surrogate"),
        (b'{"transition": "t", "rationale": "\\ud800"}', "lone surrogate"),
        (b'{"transition": "t", "transition": "t"}', "`transition` stands twice"),
        (b'{"transition": "t", "arguments": {"a": 1, "a": 1}}', "`a` stands twice"),
        (b'{"transition": "t", "arguments": {"a": [{"b": 1, "b": 2}]}}', "`b` stands twice"),
        (b'{"transition": "t", "arguments": {"a": NaN}}', "`NaN` is no number"),
        (b'{"transition": "t", "confidence": Infinity}', "`Infinity` is no number"),
        (b'{"transition": "t", "arguments": {"a": -Infinity}}', "`-Infinity` is no number"),
        (b'{"transition": "t", "arguments": {"a": 1e5}}', "exponent"),
        (b'{"transition": "t", "confidence": 9E-1}', "exponent"),
        (b'{"transition": "t", "arguments": {"a": ' + b"9" * 5_000 + b"}}", "too many digits"),
        (b'{"transition": "t", "arguments": {"a": 0.' + b"9" * 5_000 + b"}}", "too many digits"),
        (b'{"transition": "t", "arguments": {"#": "1.5"}}', "plain lower-case name"),
        (b'{"transition": "t", "arguments": {"A": 1}}', "plain lower-case name"),
        (b'{"transition": "t", "state": "paid"}', "unexpected member `state`"),
        (b'{"transition": "t", "proposer": "sven"}', "unexpected member `proposer`"),
        (b'{"transition": "t", "role": "supervisor"}', "unexpected member `role`"),
        (b'{"transition": "t", "subject": "carla"}', "unexpected member `subject`"),
        (b'{"arguments": {}}', "`transition` is missing"),
        (b'{"transition": ""}', "`transition` is missing"),
        (b'{"transition": 1}', "`transition` is not text"),
        (b'{"transition": "' + b"x" * 65 + b'"}', "longer than"),
        (b'{"transition": "t", "key": "' + b"x" * 129 + b'"}', "longer than"),
        (b'{"transition": "t", "rationale": "' + b"x" * 16_385 + b'"}', "longer than"),
        (b'{"transition": "t", "arguments": []}', "`arguments` is not an object"),
        (b'{"transition": "t", "arguments": 1.5}', "`arguments` is not an object"),
        (b'{"transition": "t", "revision": -1}', "`revision`"),
        (b'{"transition": "t", "revision": 1.0}', "`revision`"),
        (b'{"transition": "t", "revision": true}', "`revision`"),
        (b'{"transition": "t", "revision": 9007199254740993}', "`revision`"),
        (b'{"transition": "t", "confidence": true}', "`confidence`"),
        (b'{"transition": "t", "confidence": "0.9"}', "`confidence`"),
        (b'{"transition": "t", "confidence": 2}', "`confidence`"),
        (b'{"transition": "t", "confidence": 1.00001}', "`confidence`"),
        (b'{"transition": "t", "confidence": -1}', "`confidence`"),
        (b'{"transition": "t", "confidence": -0.00001}', "`confidence`"),
        (b'{"transition": "t", "confidence": 99999999999999999999}', "`confidence`"),
        (b'{"transition": "t", "evidence": "order"}', "`evidence`"),
        (b'{"transition": "t", "evidence": [1]}', "`evidence`"),
        (b'{"transition": "t", "evidence": [' + b'"e",' * 64 + b'"e"]}', "`evidence`"),
    ],
)
def test_what_is_no_candidate_is_named(payload: bytes, problem: str) -> None:
    assert problem in _problem(payload)


@pytest.mark.parametrize(
    ("text", "units"),
    [("0", 0), ("1", 10_000), ("1.0", 10_000), ("0.5", 5_000), ("0.99999", 9_999), ("0.00009", 0), ("0.85", 8_500)],
)
def test_confidence_is_rounded_down(text: str, units: int) -> None:
    assert _admitted(f'{{"transition": "t", "confidence": {text}}}'.encode()).confidence == units


@given(st.text(max_size=50))
def test_the_rationale_changes_no_digest(rationale: str) -> None:
    silent = _admitted(json.dumps(WHOLE | {"rationale": ""}).encode())
    talking = _admitted(json.dumps(WHOLE | {"rationale": rationale}).encode())
    assert talking == silent
    assert talking.digest == silent.digest
    assert talking.to_raw() == silent.to_raw()


@given(st.sampled_from([name for name in MEMBERS if name != "rationale"]))
def test_everything_else_changes_the_digest(name: str) -> None:
    other = {"transition": "x", "arguments": {}, "revision": 4, "key": "k", "confidence": 0.5, "evidence": []}
    assert _admitted(json.dumps(WHOLE | {name: other[name]}).encode()).digest != _admitted(TEXT).digest


_FULL = SIZE_MAX - 64
HOSTILE = {
    "deep lists": b"[" * _FULL,
    "deep objects": b'{"a":' * (_FULL // 5),
    "deep, then closed": b'{"transition":"t","arguments":{"a":' + b"[" * DEPTH_MAX + b"]" * DEPTH_MAX + b"}}",
    "closers": b"]" * _FULL,
    "one long string": b'{"transition": "' + b"x" * _FULL,
    "escaped quotes, never closed": b'"' + b'\\"' * (_FULL // 2),
    "escaped quotes and a lone backslash": b'"' + b'\\"' * 20_000 + b"\\",  # 3 s where a scan is quadratic
    "backslashes": b'"' + b"\\" * _FULL,
    "quotes": b'"' * _FULL,
    "brackets in strings": b'{"a":"' + b"[" * (_FULL - 20) + b'"}',
    "many members": b"{" + b",".join(b'"a%d":1' % n for n in range(20_000)) + b"}",
    "digits": b'{"a":' + b"1" * _FULL + b"}",
    "escapes": b'{"a":"' + b"\\u0041" * (_FULL // 7) + b'"}',
    "white space": b" " * _FULL,
    "nul": b"\0" * _FULL,
}


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bytes_are_refused_at_once(payload: bytes) -> None:
    start = time.perf_counter()
    _problem(payload)
    assert time.perf_counter() - start < 1.5  # slow machines included; a quadratic scan takes minutes


@pytest.mark.parametrize("unit", [b"[", b'{"a":', b"\xff", b" "], ids=["lists", "objects", "no text", "spaces"])
def test_a_hundred_megabytes_are_refused_at_once(unit: bytes) -> None:
    payload = (unit * (100_000_000 // len(unit) + 1))[:100_000_000]
    tracemalloc.start()
    start = time.perf_counter()
    try:
        assert "larger than" in _problem(payload)
        assert time.perf_counter() - start < 3
        assert tracemalloc.get_traced_memory()[1] < 1.5 * len(payload)  # at most one copy, to hash it
    finally:
        tracemalloc.stop()


def test_nesting_up_to_the_limit_is_admitted() -> None:
    inside = DEPTH_MAX - 2  # the candidate and its arguments are the first two
    _admitted(b'{"transition":"t","arguments":{"a":' + b"[" * inside + b"]" * inside + b"}}")
    deeper = b'{"transition":"t","arguments":{"a":' + b"[" * (inside + 1) + b"]" * (inside + 1) + b"}}"
    assert "nested deeper" in _problem(deeper)
