"""Damages bytes: what a hostile client makes of a message that was good."""

from __future__ import annotations

import json
import random
from typing import Any

TOKENS = (
    b"null", b"NaN", b"Infinity", b"-0", b"1e400", b"1e-400", b"\\ud800", b"\\u0000", b"\x00", b"\xff\xfe",
    b"\xef\xbb\xbf",
    b'"', b"'", b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\n", b"\r\n", b"```json", b"{}" * 40,
    b"[" * 80, b"9" * 400,
    b'"transition":"pay",', b'"role":"supervisor",', b'"subject":"dora",', b'"model":"latest",', b'"confidence":1.0,',
    b'"__proto__":{},', b"\xe2\x80\xae", b"\xf0\x9f\x92\xb8", b"true", b"%s%n", b"' OR 1=1 --", b"${jndi:x}",
    b"../" * 9,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, -(2**63) - 1, 10**40, 0.1, "", "-", "0" * 200, "\u202e", [], {}, [[]], {"": {}},
    "NaN", "1e5", "-0.00", "²", "o1", "o3", ["o1"], {"sku": "a1"}, "\ud800",
)  # fmt: skip

NAMES = ("x", "role", "proposer", "subject", "", "key", "revision", "id")


def damaged(chance: random.Random, message: Any) -> bytes:
    """Return the message with something wrong: a value or member exchanged, then mostly bytes too."""
    data = json.dumps(_changed(chance, message)).encode()
    for _ in range(chance.choice((0, 0, 1, 1, 2, 5))):
        data = _bytes_changed(chance, data)
    return data


def _changed(chance: random.Random, value: Any) -> Any:
    if chance.random() < 0.12:
        return chance.choice(VALUES)
    if isinstance(value, dict):
        found = {name: _changed(chance, part) for name, part in value.items()}
        if found and chance.random() < 0.1:
            found.pop(chance.choice(list(found)))
        if chance.random() < 0.1:
            found[chance.choice(("x", "role", "proposer", "subject", "", "key", "revision", "id"))] = chance.choice(
                VALUES
            )
        return found
    if isinstance(value, list):
        found_list = [_changed(chance, part) for part in value]
        return found_list * chance.choice((1, 1, 1, 2, 60)) if found_list else found_list
    return value


def _bytes_changed(chance: random.Random, data: bytes) -> bytes:
    place, other = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    match chance.randrange(6):
        case 0:
            return data[:place] + data[other:]
        case 1:
            return data[:place] + chance.choice(TOKENS) + data[place:]
        case 2:
            return data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
        case 3:
            return data[:place]
        case 4:
            return data[:place] + data[place:other] * 2 + data[other:]
        case _:
            return data + data[place:other]
