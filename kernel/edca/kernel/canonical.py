"""Canonical bytes: one value, one byte string, and nothing else decodes.

Every digest in EDCA is taken over canonical bytes, so two writers that mean the same value must produce
the same bytes, and a reader must refuse every other spelling of it. The profile is a subset of MessagePack
(`docs/reference/ledger.md` gives it exactly enough to write again in another language):

- nil, booleans, integers from -2**63 to 2**64-1, text (UTF-8), bytes, arrays, maps with text keys;
- no floats, no extension types;
- every length and integer in its shortest form, a non-negative integer always in the unsigned family;
- map keys unique and sorted by their UTF-8 bytes.

Decimals travel as text and instants as integers; that is the business of whoever builds the value.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

import msgpack  # type: ignore[import-untyped]  # ships no types; every use below is annotated

Data: TypeAlias = "bool | int | str | bytes | list[Data] | tuple[Data, ...] | dict[str, Data] | None"
"""What canonical bytes can hold. Tuples and lists are the same array; decoding gives lists."""

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**64 - 1
_pack: Final = msgpack.Packer(use_bin_type=True).pack
"""One call into C, which no other thread can come between; to make a packer for each value would cost more than it."""
_FIXED_MAPS: Final = tuple(bytes((0x80 | size,)) for size in range(16))
_FIXED_ARRAYS: Final = tuple(bytes((0x90 | size,)) for size in range(16))
_SCALARS: Final = frozenset({str, bytes, bool, int, type(None)})
_TEXT: Final = frozenset({str})
_REFUSED: Final = (ValueError, OverflowError)  # what MessagePack raises for values it can't write
_NOT_CANONICAL: Final = "not the canonical spelling: keys unsorted or repeated, or a form too long"
DEPTH_MAX: Final = 64
"""Containers inside containers; a scalar has depth 0. Bounds recursion in every reader, ours or not."""
SIZE_MAX: Final = 1 << 20
"""Default limit of `decode`, in bytes (1 MiB), checked before anything is parsed."""


class CanonicalError(ValueError):
    """The value has no canonical bytes, or the bytes are not the canonical bytes of any value."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value that has been encoded already, to stand in several places: `encode` has made `canonical` of it."""

    canonical: bytes


Part: TypeAlias = "Data | Encoded"


def encode_map(parts: Mapping[str, Part]) -> bytes:
    """Return the canonical bytes of a map, some of whose values are encoded already. Raises as `encode` does.

    How deep those are nested is not counted: whoever encodes them leaves room for what is around them.
    """
    pieces = [_map_header(len(parts))]
    try:
        for key in _keys_in_order(parts) or parts:
            part = parts[key]
            pieces.append(_pack(key))
            if type(part) is Encoded:
                pieces.append(part.canonical)
            else:
                plain: Any = part
                pieces.append(_pack(plain if type(plain) in _SCALARS else _ordered(plain, DEPTH_MAX - 1)))
    except CanonicalError:
        raise
    except _REFUSED as error:
        raise _refusal(error) from error
    return b"".join(pieces)


def encode_list(items: Sequence[Encoded]) -> Encoded:
    """Return an array of values that are encoded already, encoded."""
    header = _FIXED_ARRAYS[len(items)] if len(items) < 16 else msgpack.Packer().pack_array_header(len(items))
    return Encoded(b"".join((header, *[item.canonical for item in items])))


def encode(data: Data, *, depth_max: int = DEPTH_MAX) -> bytes:
    """Return the canonical bytes of `data`.

    Raises `CanonicalError` for a type outside `Data` (subclasses too: an `IntEnum` or a named tuple is
    refused, because its name would be lost silently), an integer out of range, text with lone surrogates, or
    nesting over `depth_max`.
    """
    try:
        encoded: bytes = _pack(data if type(data) in _SCALARS else _ordered(data, depth_max))
    except CanonicalError:
        raise
    except _REFUSED as error:
        raise _refusal(error) from error
    return encoded


def decode(encoded: bytes, *, size_max: int = SIZE_MAX, depth_max: int = DEPTH_MAX) -> Data:
    """Return the value whose canonical bytes are exactly `encoded`.

    Strictness comes from one rule that needs no list of cases: what was decoded, encoded again, must be
    the input. Unsorted or duplicate keys, longer forms and trailing bytes all break it.

    Raises `CanonicalError` for anything else, whatever the input, and before parsing if it is over `size_max`
    bytes.
    """
    if len(encoded) > size_max:
        raise CanonicalError(f"{len(encoded)} bytes are over the limit of {size_max}")
    try:
        value = msgpack.unpackb(encoded, raw=False, strict_map_key=True, use_list=True)
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise CanonicalError(f"not MessagePack of this profile: {_reason(error)}") from error
    # What `_check_order` lets pass, MessagePack writes as `encode` would, without sorting it once more.
    _check_order(value, depth_max)
    if _pack(value) != encoded:
        raise CanonicalError(_NOT_CANONICAL)
    return value  # type: ignore[no-any-return]  # every type in it was just checked


def digest(domain: str, encoded: bytes) -> bytes:
    """Return the 32-byte digest `SHA-256("edca/" + domain + 0x00 + encoded)`.

    The domain says what kind of thing the bytes are, so that no record body can pass for a machine or the
    other way round. It is a constant of the program, printable ASCII; anything else raises `CanonicalError`.
    """
    if not (domain and domain.isascii() and domain.isprintable()):
        raise CanonicalError(f"a digest domain is non-empty printable ASCII, not {domain!r}")
    return hashlib.sha256(b"edca/" + domain.encode("ascii") + b"\0" + encoded).digest()


def _refusal(error: Exception) -> CanonicalError:
    """Say why MessagePack writes no such value."""
    match error:
        case UnicodeEncodeError():
            return CanonicalError("text holds a lone surrogate, which UTF-8 cannot carry")
        case OverflowError():
            return CanonicalError("an integer is outside -2**63 to 2**64-1")
        case _:
            # Past 2**32-1 items or bytes MessagePack has no header; memory usually ends first.
            return CanonicalError(f"the value does not fit MessagePack: {error}")


def _ordered(data: Any, depth_left: int) -> Any:
    """Check a container and return it with every map's keys in canonical order. MessagePack checks integers' range."""
    # By type, not isinstance: subclasses carry meaning that the bytes would lose.
    kind = type(data)
    if kind is not dict and kind is not list and kind is not tuple:
        raise CanonicalError(f"{kind.__name__} has no canonical form")
    if depth_left == 0:
        raise CanonicalError("the value is nested too deeply")
    inside = depth_left - 1
    if kind is dict:
        order = _keys_in_order(data)
        if {*map(type, data.values())} <= _SCALARS:
            return data if order is None else {key: data[key] for key in order}
        ordered = {}
        for key in order or data:
            value = data[key]
            ordered[key] = value if type(value) in _SCALARS else _ordered(value, inside)
        return ordered
    if {*map(type, data)} <= _SCALARS:
        return data
    return [item if type(item) in _SCALARS else _ordered(item, inside) for item in data]


def _check_order(data: Any, depth_max: int) -> None:
    """Raise `CanonicalError` unless what was decoded has only types of `Data`, and every map's keys in order.

    Goes down level by level instead of value by value: a reader of many records spends most of its time here.
    """
    level = [] if type(data) in _SCALARS else [data]
    for _ in range(depth_max):
        if not level:
            return
        below: list[Any] = []
        for one in level:
            kind = type(one)
            if kind is dict:
                _check_keys(tuple(one))
            elif kind is not list:
                raise CanonicalError(f"{kind.__name__} has no canonical form")
            for value in one.values() if kind is dict else one:
                if type(value) not in _SCALARS:
                    below.append(value)
        level = below
    if level:
        raise CanonicalError("the value is nested too deeply")


def _keys_in_order(data: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return a map's keys in canonical order, or null where they stand in it already."""
    if not {*map(type, data)} <= _TEXT:
        raise CanonicalError("a map key is not text")
    return _in_order(tuple(data))


@lru_cache(maxsize=256)  # of few shapes, too
def _in_order(keys: tuple[str, ...]) -> tuple[str, ...] | None:
    # Python orders text by code point, which is the order of its UTF-8 bytes.
    ordered = tuple(sorted(keys))
    return None if ordered == keys else ordered


@lru_cache(maxsize=256)  # records have few shapes; few are kept, as a forger chooses how long keys are
def _check_keys(keys: tuple[Any, ...]) -> None:
    if not {*map(type, keys)} <= _TEXT:
        raise CanonicalError("a map key is bytes, not text")
    if list(keys) != sorted(keys):
        raise CanonicalError(_NOT_CANONICAL)


def _map_header(size: int) -> bytes:
    header: bytes = _FIXED_MAPS[size] if size < 16 else msgpack.Packer().pack_map_header(size)
    return header


def _reason(error: Exception) -> str:
    """Say in words what MessagePack's reader disliked; some of its errors carry no text."""
    return str(error) or type(error).__name__
