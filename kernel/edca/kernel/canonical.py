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
from typing import Any, Final, TypeAlias

import msgpack  # type: ignore[import-untyped]  # ships no types; every use below is annotated

Data: TypeAlias = "bool | int | str | bytes | list[Data] | tuple[Data, ...] | dict[str, Data] | None"
"""What canonical bytes can hold. Tuples and lists are the same array; decoding gives lists."""

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**64 - 1
_SCALARS: Final = frozenset({str, bytes, bool, int, type(None)})
DEPTH_MAX: Final = 64
"""Containers inside containers; a scalar has depth 0. Bounds recursion in every reader, ours or not."""
SIZE_MAX: Final = 1 << 20
"""Default limit of `decode`, in bytes (1 MiB), checked before anything is parsed."""


class CanonicalError(ValueError):
    """The value has no canonical bytes, or the bytes are not the canonical bytes of any value."""


def encode(data: Data, *, depth_max: int = DEPTH_MAX) -> bytes:
    """Return the canonical bytes of `data`.

    Raises `CanonicalError` for a type outside `Data` (subclasses too: an `IntEnum` or a named tuple is
    refused, because its name would be lost silently), an integer out of range, text with lone surrogates, or
    nesting over `depth_max`.
    """
    ordered = data if type(data) in _SCALARS else _ordered(data, depth_max)
    try:
        encoded: bytes = msgpack.packb(ordered, use_bin_type=True)
    except UnicodeEncodeError as error:
        raise CanonicalError("text holds a lone surrogate, which UTF-8 cannot carry") from error
    except OverflowError as error:
        raise CanonicalError("an integer is outside -2**63 to 2**64-1") from error
    except ValueError as error:
        # Past 2**32-1 items or bytes MessagePack has no header; memory usually ends first.
        raise CanonicalError(f"the value does not fit MessagePack: {error}") from error
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
    if encode(value, depth_max=depth_max) != encoded:
        raise CanonicalError("not the canonical spelling: keys unsorted or repeated, or a form too long")
    return value  # type: ignore[no-any-return]  # `encode` has just checked every type in it


def digest(domain: str, encoded: bytes) -> bytes:
    """Return the 32-byte digest `SHA-256("edca/" + domain + 0x00 + encoded)`.

    The domain says what kind of thing the bytes are, so that no record body can pass for a machine or the
    other way round. It is a constant of the program, printable ASCII; anything else raises `CanonicalError`.
    """
    if not (domain and domain.isascii() and domain.isprintable()):
        raise CanonicalError(f"a digest domain is non-empty printable ASCII, not {domain!r}")
    return hashlib.sha256(b"edca/" + domain.encode("ascii") + b"\0" + encoded).digest()


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
        for key in data:
            if type(key) is not str:
                raise CanonicalError(f"a map key is {type(key).__name__}, not text")
        # Python orders text by code point, which is the order of its UTF-8 bytes.
        return {key: value if type(value := data[key]) in _SCALARS else _ordered(value, inside) for key in sorted(data)}
    return [item if type(item) in _SCALARS else _ordered(item, inside) for item in data]


def _reason(error: Exception) -> str:
    """Say in words what MessagePack's reader disliked; some of its errors carry no text."""
    return str(error) or type(error).__name__
