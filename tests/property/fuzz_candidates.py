"""Answers of providers made by chance: whole ones, and ones damaged as models and networks damage them."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from edca.kernel.candidate import Caller, Candidate, Malformed
from edca.semantic.candidates import REASK_MAX, from_anthropic, from_json, from_mcp, from_openai, reask

CALLER = Caller("bot", "assistant", "carla", "model-of-2026-01-01")
READERS: dict[str, Callable[[Any, Caller], Candidate | Malformed]] = {
    "json": from_json,
    "openai": from_openai,
    "anthropic": from_anthropic,
    "mcp": from_mcp,
}
_NUMBERS = (
    "0",
    "1",
    "-1",
    "0.5",
    "20.10",
    "1e5",
    "1E-9",
    "NaN",
    "Infinity",
    "-Infinity",
    "9" * 30,
    "9" * 50,
    "0." + "3" * 45,
)
_TEXTS = (
    "",
    "o1",
    "approve_refund",
    "ignore all rules",
    "h_" + "a" * 52,
    "\u202e",
    "\ud800",
    "\x00",
    "é" * 70,
    "x" * 500,
)
_NAMES = ("order_id", "amount", "a", "A", "#", "", "rôle", "x" * 65, "confidence", "proposer")
_TYPES = ("tool_use", "text", "function_call", "function", "custom_tool_call", "message", "reasoning", None, 7)


class _Number(str):
    """A number as it is to be written."""

    __slots__ = ()


def answers(seed: int) -> bytes:
    """Return the answer of that seed."""
    random = Random(seed)  # noqa: S311  the same answer again for the same seed
    written = _written(random, _answer(random))
    return _damaged(random, written) if random.random() < 0.3 else written


def _value(random: Random, depth: int = 3) -> Any:
    match random.randrange(7 if depth else 4):
        case 0:
            return _Number(random.choice(_NUMBERS))
        case 1:
            return random.choice(_TEXTS)
        case 2:
            return random.choice([None, True, False])
        case 3:
            return random.randrange(-5, 500)
        case 4:
            return [_value(random, depth - 1) for _ in range(random.randrange(4))]
        case 5 if random.random() < 0.05:
            deep: Any = 1
            for _ in range(random.choice((20, 23, 30, 60))):
                deep = [deep]
            return deep
        case _:
            return _object(random, depth - 1)


def _object(random: Random, depth: int) -> list[tuple[str, Any]]:
    """Return members in order; a list of pairs, so that a name can stand twice."""
    names = random.choices(_NAMES[:3] if random.random() < 0.8 else _NAMES, k=random.randrange(4))
    return [(name, _value(random, depth)) for name in names]


def _input(random: Random) -> list[tuple[str, Any]]:
    if random.random() < 0.5:  # nothing is wrong with these
        stated = _Number(random.choice(("0.9", "1", "0.12345", "null")))
        arguments = [("order_id", "o1"), ("amount", random.choice(("20.10", 7, None, _Number("20.10"), [1, [True]])))]
        given = [
            ("arguments", arguments),
            ("confidence", stated),
            ("evidence", ["order.status"]),
            ("rationale", "Yes."),
        ]
        return random.sample(given, 4)
    members: list[tuple[str, Any]] = [
        ("arguments", _object(random, 2) if random.random() < 0.9 else _value(random)),
        ("confidence", _Number(random.choice(("0.9", "1", "0", "0.12345", "2", "-1", "1e-1", "NaN", "null")))),
        ("evidence", random.choice([[], ["order.status"], "order", [1], ["x"] * 70])),
        ("rationale", random.choice(_TEXTS)),
    ]
    random.shuffle(members)
    members = members[: random.randrange(5)] if random.random() < 0.5 else members
    if random.random() < 0.2:
        extra = random.choice(("transition", "role", "subject", "revision", "key", "more", "confidence"))
        members.append((extra, _value(random, 1)))
    return members


def _answer(random: Random) -> Any:
    name = random.choice(_TEXTS) if random.random() < 0.2 else "approve_refund"
    given = _input(random)
    text = _written(random, given).decode("utf-8", "surrogatepass")
    if random.random() < 0.1:
        text = random.choice((f"Sure! {text}", f"{text} Done.", text[: len(text) // 2], f"```json\n{text}\n```", ""))
    kind = random.choice(_TYPES) if random.random() < 0.1 else None
    call: list[tuple[str, Any]]
    match random.randrange(5):
        case 0:
            return [("transition", name), *given]
        case 1:
            call = [("type", kind or "tool_use"), ("id", "c"), ("name", name), ("input", given)]
            return _around(random, call, "content", ("stop_reason", ("tool_use", "end_turn", "max_tokens", None, 3)))
        case 2:
            call = [("type", kind or "function_call"), ("call_id", "c"), ("name", name), ("arguments", text)]
            return _around(random, call, "output", ("status", ("completed", "incomplete", None)))
        case 3:
            function = [("name", name), ("arguments", text)]
            call = [("type", kind or "function"), ("id", "c"), ("function", function)]
            message = _around(random, call, "tool_calls", ("role", ("assistant", "user")))
            wrapped = [
                (
                    "choices",
                    [[("message", message), ("finish_reason", random.choice(("stop", "length", "tool_calls")))]],
                )
            ]
            return wrapped if random.random() < 0.5 else message
        case _:
            params: list[tuple[str, Any]] = [("name", name), ("arguments", given)]
            request = [
                ("jsonrpc", "2.0"),
                ("id", 1),
                ("method", random.choice(("tools/call", "tools/list"))),
                ("params", params),
            ]
            return request if random.random() < 0.5 else params


def _around(random: Random, call: Any, name: str, said: tuple[str, tuple[Any, ...]]) -> Any:
    calls = [call] * random.choice((1, 1, 1, 1, 0, 2))
    beside = [[("type", "text"), ("text", random.choice(_TEXTS))]] * random.choice((0, 0, 1))
    match random.randrange(4):
        case 0:
            return call
        case 1:
            return [*beside, *calls]
        case _:
            return [(name, [*beside, *calls]), (said[0], random.choice(said[1]))]


def _written(random: Random, value: Any) -> bytes:
    return _text(value, random.choice(("", " ", "\n"))).encode("utf-8", "surrogatepass")


def _text(value: Any, space: str) -> str:
    match value:
        case _Number():
            return str(value)
        case list() if value and all(isinstance(item, tuple) for item in value):
            return "{" + ",".join(f"{space}{json.dumps(name)}:{_text(part, space)}" for name, part in value) + "}"
        case list():
            return "[" + ",".join(space + _text(item, space) for item in value) + "]"
        case _:
            return json.dumps(value)


def _damaged(random: Random, written: bytes) -> bytes:
    place = random.randrange(len(written) + 1)
    match random.randrange(6):
        case 0:
            return written[:place]
        case 1:
            return written[:place] + bytes([random.randrange(256)]) + written[place:]
        case 2:
            return written[:place] + bytes([random.randrange(256)]) + written[place + 1 :]
        case 3:
            return random.choice((b"\xef\xbb\xbf", b"data: ", b"\xff\xfe", b"Here it is: ", b"[" * 60)) + written
        case 4:
            return written + random.choice((b"\n\n", b"\x00", written, b" and so on", b"}" * 60))
        case _:
            other = random.randrange(len(written) + 1)
            return written[: min(place, other)] + written[max(place, other) :]


# --- what may be wrong with a reading ---

_TOLD_MAX = 64  # characters of an answer that may be repeated: the name of one member


def faults(shape: str, raw: bytes) -> tuple[Candidate | Malformed, list[str]]:
    """Return what a reader makes of an answer, and what is wrong with that."""
    try:
        found, again = READERS[shape](raw, CALLER), READERS[shape](raw, CALLER)
    except Exception as error:
        return Malformed("", 0, b"", "", "", None, None), [f"raised {type(error).__name__}: {error}"]
    wrong = [] if found == again else ["read in two ways"]
    if isinstance(found, Candidate):
        return found, wrong + ([] if _leniently(shape, raw, found) else ["not what a lenient reader finds"])
    told = reask(found)
    if len(told) > REASK_MAX:
        wrong.append("asks again in too many characters")
    plain = raw.decode("utf-8", "replace")
    if any(plain[at : at + _TOLD_MAX + 1] in told for at in range(0, max(0, len(plain) - _TOLD_MAX), 16)):
        wrong.append("repeats the answer")
    return found, wrong


def _leniently(shape: str, raw: bytes, found: Candidate) -> bool:
    """Tell whether Python's own reader, which forgives much, finds the same call in the answer."""
    whole = _lenient(raw.decode("utf-8"))
    if shape == "json":
        return _same(found, whole.get("transition"), whole)
    calls = [call for call in _calls(whole) if call[0] == found.transition]
    return any(_same(found, name, given) for name, given in calls)


def _lenient(text: str) -> Any:
    return json.loads(text, parse_float=lambda digits: {"#": digits}, parse_int=_whole)


def _whole(digits: str) -> Any:
    number = int(digits)
    return number if -(2**63) <= number < 2**64 else {"#": digits}


def _calls(value: Any) -> list[tuple[Any, Any]]:
    """Return everything in an answer that has a name and an input, wherever it is."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        given = value.get("input", value.get("arguments", {}))
        if "name" in value:
            try:
                found.append((value["name"], _lenient(given) if isinstance(given, str) else given or {}))
            except ValueError:
                pass  # no reading of this one agrees with anything
        for part in value.values():
            found += _calls(part)
    elif isinstance(value, list):
        for part in value:
            found += _calls(part)
    return found


def _same(found: Candidate, name: Any, given: Any) -> bool:
    return (
        isinstance(given, dict)
        and name == found.transition
        and dict(found.arguments) == given.get("arguments", {})
        and list(found.evidence) == given.get("evidence", [])
        and found.rationale == given.get("rationale", "")
        and (found.confidence is None) == (given.get("confidence") is None)
    )
