"""Telling quickly that a body is canonical: nearly all bodies of a ledger are of a few forms.

A form is what is left of a body once some of its scalars are cut out: the heads of arrays and maps, all keys, and the
scalars that have been the same in every body of the form so far. It is learned from bodies that were decoded strictly.

A body that consists of a form's pieces, with one canonical scalar in each gap, is canonical. For every byte of the
pieces has the meaning that it had in the body they were cut from, as no encoding of a value is the beginning of
another's; so there are the same arrays, maps and keys in the same order, and each scalar is one. Bodies that are
of no known form are decoded; so forms only ever save work, and what is learned changes no finding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, TypeAlias

from edca.kernel.canonical import decode, encode
from edca.ledger.errors import LedgerFormatError
from edca.ledger.leaf import HASH_SIZE, NO_HASH, ChainKind, chain_tag
from edca.ledger.record import CHAIN_SIZE_MAX, RECORD_SIZE_MAX, parse

FORMS_MAX: Final = 64
_LEARNED_SIZE_MAX: Final = 1 << 15  # bytes of a body; larger ones are rare, and would make forms take much memory
# Whoever writes records for it shall not make a check slower by much, nor take much memory.
_LESSONS_SIZE_MAX: Final = 1 << 23  # bytes of all bodies that are learned from
_SCALARS_MAX: Final = 1024  # of a body that is learned from
_GAPS_MAX: Final = 256  # of a form; also how many are gone past in vain before a body is decoded instead
_GAP_SIZE: Final = 4096  # bytes of a body that cost as much as one gap more

_MAPS: Final = {**{0x80 | size: (size, 0) for size in range(16)}, 0xDE: (0, 2), 0xDF: (0, 4)}
_ARRAYS: Final = {**{0x90 | size: (size, 0) for size in range(16)}, 0xDC: (0, 2), 0xDD: (0, 4)}
_WIDTHS: Final = {  # of scalars: how many bytes of length or number follow the head
    **dict.fromkeys((0xC4, 0xCC, 0xD0, 0xD9), 1),
    **dict.fromkeys((0xC5, 0xCD, 0xD1, 0xDA), 2),
    **dict.fromkeys((0xC6, 0xCE, 0xD2, 0xDB), 4),
    **dict.fromkeys((0xCF, 0xD3), 8),
}
_SIZED: Final = frozenset({0xC4, 0xC5, 0xC6, 0xD9, 0xDA, 0xDB})
_NAMED: Final = ("chain", "entry", "prev")
"""What every record has another of: never a part of a form's pieces."""
_NODES: Final = {b"intake": int(ChainKind.INTAKE), b"config": int(ChainKind.CONFIG)}
_CASE: Final = b"edca/case\0"  # what `case_tag` puts before a case's id
_A_HASH: Final = b"\xc4\x20"  # what stands before 32 bytes

Named: TypeAlias = tuple[int, bytes, int, bytes]
"""What a sound body says of its place: the kind and tag of its chain, its entry, and the digest of the body before."""


@dataclass(slots=True)
class _Form:
    """The pieces between all scalars, and the scalars, null for those that differ from body to body."""

    between: tuple[bytes, ...]
    scalars: list[bytes | None]
    pieces: tuple[bytes, ...] = ()
    """What stands before each gap, and after the last one."""
    places: tuple[int, ...] = ()
    """Which gaps hold `_NAMED`."""


@dataclass(slots=True)
class Forms:
    """The forms met so far, the one met last first. Memory is bounded: a few megabytes at most."""

    _forms: list[_Form] = field(default_factory=list)
    _known: dict[tuple[bytes, ...], _Form] = field(default_factory=dict)
    """By their records' kind and what is between their scalars."""
    _learned_size: int = 0

    def read(self, body: bytes) -> Named | None:
        """Return what a body says of its place, or null where `record.parse` would refuse it."""
        if len(body) <= RECORD_SIZE_MAX:
            in_vain = 0
            for number, form in enumerate(self._forms):
                starts: list[int] = []
                if _fits(body, form.pieces, starts):
                    if number:
                        self._forms.insert(0, self._forms.pop(number))
                    chain, entry, prev = form.places
                    return _named(body, starts[chain], starts[entry], starts[prev])
                if starts:
                    in_vain += len(starts) + len(body) // _GAP_SIZE
                    if in_vain > _GAPS_MAX:
                        break
        try:
            record = parse(body)
        except LedgerFormatError:
            return None
        self._learn(body)
        tag = chain_tag(record.chain)
        return int(tag.kind), tag.case_tag, record.entry, record.prev

    def _learn(self, body: bytes) -> None:
        """Make or widen the form of a body that is canonical and a record's."""
        if len(body) > min(_LEARNED_SIZE_MAX, _LESSONS_SIZE_MAX - self._learned_size):
            return
        self._learned_size += len(body)
        between, scalars, places = _cut(body)
        if len(scalars) > _SCALARS_MAX:
            return
        *places, kind = places  # what a record is about must be text: only the very same is of the same form
        known = (scalars[kind], *between)
        form = self._known.get(known)
        if form is None:
            if len(self._known) == FORMS_MAX:
                return
            form = self._known[known] = _Form(between, [*scalars])
            self._forms.append(form)
            for place in places:
                form.scalars[place] = None
        for place, scalar in enumerate(scalars):
            if form.scalars[place] != scalar:
                form.scalars[place] = None
        gaps = [place for place, scalar in enumerate(form.scalars) if scalar is None]
        form.pieces = _joined(form)
        form.places = tuple(gaps.index(place) for place in places)
        if len(gaps) > _GAPS_MAX:  # such bodies are decoded sooner; `_known` has it still, so that it doesn't come back
            self._forms = [one for one in self._forms if one is not form]


def _joined(form: _Form) -> tuple[bytes, ...]:
    """Return the pieces between a form's gaps."""
    pieces = [bytearray(form.between[0])]
    for scalar, after in zip(form.scalars, form.between[1:], strict=True):
        if scalar is None:
            pieces.append(bytearray(after))
        else:
            pieces[-1] += scalar + after
    return tuple(bytes(piece) for piece in pieces)


def _fits(body: bytes, pieces: tuple[bytes, ...], starts: list[int]) -> bool:
    """Tell whether the body is of that form. `starts` gets where each gap begins on the way. Written for speed."""
    if not body.endswith(pieces[-1]):  # asked first: verdicts stand last, and tell most forms apart
        return False
    at = 0
    try:
        for piece in pieces[:-1]:
            if not body.startswith(piece, at):
                return False
            at += len(piece)
            starts.append(at)
            head = body[at]
            if head < 0x80:
                at += 1
            elif head == 0xC4:
                at += 2 + body[at + 1]
            elif 0xA0 <= head <= 0xBF:
                end = at + 1 + (head & 31)
                if not body[at + 1 : end].isascii():
                    body[at + 1 : end].decode()
                at = end
            elif head == 0xCF and body[at + 1 : at + 5] != b"\0\0\0\0":
                at += 9
            else:
                end = _scalar_end(body, at)
                decode(body[at:end])
                at = end
    except (IndexError, ValueError):  # it ends inside a scalar, or holds none or not a canonical one there
        return False
    # A scalar that reaches past the end, or into what stands there, makes this false, too.
    return at + len(pieces[-1]) == len(body)


def _scalar_end(body: bytes, at: int) -> int:
    """Return where the scalar at that place ends. Raises `IndexError` past the end, and `ValueError` for no scalar."""
    head = body[at]
    if head < 0x80 or head >= 0xE0 or head in (0xC0, 0xC2, 0xC3):
        return at + 1
    if 0xA0 <= head <= 0xBF:
        return at + 1 + (head & 31)
    width = _WIDTHS.get(head)
    if width is None:
        raise ValueError("no scalar begins so")
    end = at + 1 + width
    return end + int.from_bytes(body[at + 1 : end], "big") if head in _SIZED else end


def _cut(body: bytes) -> tuple[tuple[bytes, ...], list[bytes], list[int]]:
    """Return what stands between the scalars of a canonical map, the scalars, and where `_NAMED` and the kind are."""
    between, scalars, named = list[bytes](), list[bytes](), dict[str, int]()
    start = at = 0
    open_: list[tuple[int, bool]] = [(1, False)]  # of each container we are in: values left, and whether it is a map
    while open_:
        left, is_map = open_.pop()
        if left == 0:
            continue
        open_.append((left - 1, is_map))
        key = b""
        if is_map:
            key, at = body[at : _scalar_end(body, at)], _scalar_end(body, at)
        inner = _MAPS.get(body[at]) or _ARRAYS.get(body[at])
        if inner is not None:
            size, width = inner
            open_.append((size or int.from_bytes(body[at + 1 : at + 1 + width], "big"), body[at] in _MAPS))
            at += 1 + width
            continue
        end = _scalar_end(body, at)
        if len(open_) == 2:  # the body's own map
            named |= {name: len(scalars) for name in (*_NAMED, "kind") if encode(name) == key}
        between.append(body[start:at])
        scalars.append(body[at:end])
        start = at = end
    between.append(body[start:])
    return tuple(between), scalars, [named[name] for name in (*_NAMED, "kind")]


def _named(body: bytes, chain: int, entry: int, prev: int) -> Named | None:
    """Return what stands in these gaps, or null where a record's can't stand there."""
    end = prev + 2 + HASH_SIZE
    if body[prev : prev + 2] != _A_HASH:
        return None
    number = body[entry]
    if number >= 0x80:  # more than one byte, or none that counts
        found = decode(body[entry : _scalar_end(body, entry)])
        if type(found) is not int or found < 0:
            return None
        number = found
    size = body[chain]
    if 0xA0 < size <= 0xBF:
        name = body[chain + 1 : chain + 1 + (size & 31)]
    else:
        text = decode(body[chain : _scalar_end(body, chain)])
        if type(text) is not str or not 0 < len(name := text.encode()) <= CHAIN_SIZE_MAX:
            return None
    kind = _NODES.get(name)
    if kind is not None:
        return kind, NO_HASH, number, body[prev + 2 : end]
    return 0, sha256(_CASE + name).digest(), number, body[prev + 2 : end]
