"""Canonical bytes: one value has one byte string, and every other spelling of it is refused."""

import math
import struct
import subprocess
import sys
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, NamedTuple

import msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from edca.kernel.canonical import (
    INT_MAX,
    INT_MIN,
    CanonicalError,
    Data,
    Encoded,
    decode,
    digest,
    encode,
    encode_list,
    encode_map,
)

integers = st.integers(INT_MIN, INT_MAX) | st.sampled_from(
    [sign * (1 << bits) + step for bits in (5, 7, 8, 15, 16, 31, 32) for sign in (1, -1) for step in (-1, 0, 1)]
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
scalars = st.none() | st.booleans() | integers | texts | st.binary(max_size=40)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)


@given(values)
def test_decode_undoes_encode(value: Data) -> None:
    assert decode(encode(value)) == value


@given(st.dictionaries(texts, st.tuples(values, st.booleans()), max_size=20))
def test_a_map_is_the_same_whatever_was_encoded_before(drawn: dict[str, tuple[Any, bool]]) -> None:
    parts = {key: Encoded(encode(value)) if early else value for key, (value, early) in drawn.items()}
    assert encode_map(parts) == encode({key: value for key, (value, _) in drawn.items()})


@given(st.lists(values, max_size=20))
def test_a_list_is_the_same_whatever_was_encoded_before(items: list[Any]) -> None:
    assert encode_list([Encoded(encode(item)) for item in items]).canonical == encode(items)


class _Word(str):
    """Text that means more than its letters."""

    __slots__ = ()


@pytest.mark.parametrize("parts", [{1: Encoded(b"")}, {1: 2, "a": 3}, {_Word("a"): 1}, {"a": {_Word("b"): 1}}])
def test_a_key_that_is_not_plain_text_is_refused_whatever_was_seen_before(parts: Any) -> None:
    encode({"a": {"b": 1}})  # the same keys as text
    with pytest.raises(CanonicalError):
        encode_map(parts)


@given(values, values)
@example(True, 1)
@example(b"a", "a")
@example([], {})
@example("", None)
def test_equal_bytes_mean_the_same_value_of_the_same_types(left: Data, right: Data) -> None:
    assert (encode(left) == encode(right)) == (_typed(left) == _typed(right))


@given(st.dictionaries(texts, scalars, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_keys_never_matters(value: dict[str, Any], random: Any) -> None:
    items = list(value.items())
    random.shuffle(items)
    assert encode(dict(items)) == encode(value)


@given(st.dictionaries(texts, st.none(), min_size=2, max_size=8))
def test_keys_are_ordered_by_their_bytes(value: dict[str, Data]) -> None:
    keys = [key.encode() for key in _as_dict(decode(encode(value)))]
    assert keys == sorted(keys)


@given(values, st.data())
def test_every_other_spelling_is_refused(value: Data, data: st.DataObject) -> None:
    canonical = encode(value)
    spellings = [spelling for spelling in _spellings(value) if spelling != canonical]
    other = data.draw(st.sampled_from(spellings))
    # The other spelling is sound MessagePack of the same value; only canonical form tells them apart.
    assert msgpack.unpackb(other, strict_map_key=False) == msgpack.unpackb(canonical)
    with pytest.raises(CanonicalError):
        decode(other)


@given(values, st.binary(min_size=1, max_size=3))
def test_trailing_bytes_are_refused(value: Data, tail: bytes) -> None:
    with pytest.raises(CanonicalError):
        decode(encode(value) + tail)


@given(values)
def test_cut_bytes_are_refused(value: Data) -> None:
    with pytest.raises(CanonicalError):
        decode(encode(value)[:-1])


@given(st.binary(max_size=60))
@example(b"\xff" * 8)
@example(b"\xdd\xff\xff\xff\xff")
@example(b"\x91" * 5000 + b"\xc0")
@example(b"\xc7\x00\xff")
@example(b"\xd6\xff\x00\x00\x00\x00")
@example(b"\x81\xc4\x01a\x01")
def test_any_bytes_decode_canonically_or_are_refused(raw: bytes) -> None:
    try:
        value = decode(raw)
    except CanonicalError:
        return
    assert encode(value) == raw


@given(values, st.data())
def test_a_changed_byte_changes_the_value_or_is_refused(value: Data, data: st.DataObject) -> None:
    raw = bytearray(encode(value))
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= data.draw(st.integers(1, 255))
    try:
        changed = decode(bytes(raw))
    except CanonicalError:
        return
    assert _typed(changed) != _typed(value)


def test_known_bytes() -> None:
    assert encode({"b": -1, "a": [None, True, 200, "é", b"\x00"]}) == bytes.fromhex(
        "82 a161 95 c0 c3 cc c8 a2 c3a9 c401 00 a162 ff"
    )
    assert encode(INT_MAX) == bytes.fromhex("cf ffffffffffffffff")
    assert encode(INT_MIN) == bytes.fromhex("d3 8000000000000000")


def test_keys_beyond_the_basic_plane_sort_by_utf8_not_utf16() -> None:
    assert list(_as_dict(decode(encode({"\U0001f600": 1, "\uffee": 2})))) == ["\uffee", "\U0001f600"]


class _Number(IntEnum):
    ONE = 1


class _Pair(NamedTuple):
    left: int
    right: int


class _Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        math.nan,
        INT_MAX + 1,
        INT_MIN - 1,
        "\ud800",
        {1: 2},
        {b"k": 1},
        {None: 1},
        {"k": {1, 2}},
        object(),
        bytearray(b"x"),
        _Number.ONE,
        _Pair(1, 2),
        {_Text("k"): 1},
        msgpack.ExtType(1, b"x"),
        {"\ud800": 1},
    ],
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(CanonicalError):
        encode(value)


def test_depth_is_bounded_both_ways() -> None:
    deepest: Data = None
    for _ in range(64):
        deepest = [deepest]
    assert decode(encode(deepest)) == deepest
    with pytest.raises(CanonicalError, match="nested too deeply"):
        encode([deepest])
    with pytest.raises(CanonicalError, match="nested too deeply"):
        decode(b"\x91" + encode(deepest))


def test_size_is_checked_before_parsing() -> None:
    assert decode(encode("abc"), size_max=4) == "abc"
    with pytest.raises(CanonicalError, match="4 bytes are over the limit of 3"):
        decode(encode("abc"), size_max=3)


def test_digests_of_two_domains_differ() -> None:
    assert digest("record", b"x") != digest("machine", b"x")
    # printf 'edca/record\0x' | sha256sum
    assert digest("record", b"x").hex() == "e60e6bca61ccec3fc2fb53c2a49eef3023950deef9616e7c16d57d7d4c08c8d4"


@pytest.mark.parametrize("domain", ["", "a\0b", "é", "a\n"])
def test_a_digest_domain_is_plain(domain: str) -> None:
    with pytest.raises(CanonicalError):
        digest(domain, b"")


def test_bytes_do_not_depend_on_the_hash_seed() -> None:
    program = (
        "from edca.kernel.canonical import encode;"
        "print(encode({k: {j: 1 for j in {'x', 'yy', 'é'}} for k in {'a', 'bb', 'ccc', 'd'}}).hex())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(outputs) == 1


def _as_dict(value: Data) -> dict[str, Data]:
    assert isinstance(value, dict)
    return value


def _typed(value: Any) -> Any:
    """Make `True` and `1`, and maps of any order, comparable the way the profile means it."""
    if isinstance(value, list):
        return ("list", [_typed(item) for item in value])
    if isinstance(value, dict):
        return ("map", {key: _typed(item) for key, item in value.items()})
    return (type(value).__name__, value)


def _spellings(value: Any) -> Iterator[bytes]:
    """Yield other MessagePack spellings of `value`, changing its outermost level or its first item."""
    match value:
        case None | bool():
            # One byte each: only a container can spell it otherwise, so there is nothing but padding to try.
            assume(False)
        case int():
            forms = [
                ("B", 0xCC),
                ("H", 0xCD),
                ("I", 0xCE),
                ("Q", 0xCF),
                ("b", 0xD0),
                ("h", 0xD1),
                ("i", 0xD2),
            ]
            for form, head in [*forms, ("q", 0xD3)]:
                try:
                    yield bytes([head]) + struct.pack(">" + form, value)
                except struct.error:
                    continue
        case str():
            raw = value.encode()
            yield b"\xda" + struct.pack(">H", len(raw)) + raw
            yield b"\xdb" + struct.pack(">I", len(raw)) + raw
        case bytes():
            yield b"\xc5" + struct.pack(">H", len(value)) + value
            yield b"\xc6" + struct.pack(">I", len(value)) + value
        case list():
            items = [encode(item) for item in value]
            yield b"\xdc" + struct.pack(">H", len(items)) + b"".join(items)
            yield b"\xdd" + struct.pack(">I", len(items)) + b"".join(items)
        case dict():
            pairs = [encode(key) + encode(item) for key, item in sorted(value.items())]
            yield b"\xde" + struct.pack(">H", len(pairs)) + b"".join(pairs)
            yield bytes([0x80 | len(pairs)]) + b"".join(reversed(pairs))
            if pairs:
                yield bytes([0x80 | (len(pairs) + 1)]) + pairs[0] + b"".join(pairs)
        case _:
            raise AssertionError(value)
