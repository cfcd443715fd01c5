"""Forms save decoding and change nothing: what they say of any bytes is what the strict decoder says."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edca.kernel.canonical import Data, encode
from edca.ledger import forms as module
from edca.ledger.errors import LedgerFormatError
from edca.ledger.forms import FORMS_MAX, Forms, Named
from edca.ledger.leaf import chain_tag
from edca.ledger.record import CHAIN_SIZE_MAX, RECORD_SIZE_MAX, Draft, parse, seal

SCALARS: st.SearchStrategy[Data] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.sampled_from([0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, -1, -32, -33, -129, 2**63])
    | st.text(max_size=40)
    | st.binary(max_size=40)
)
CONTENT = st.dictionaries(
    st.text("abcxyzé", min_size=1, max_size=4),
    SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text("ab", max_size=2), SCALARS, max_size=3),
    max_size=5,
)
HEADS = bytes(range(0xC0, 0xE0)) + bytes((0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xE0, 0xFF))


def strictly(body: bytes) -> Named | None:
    """Say the same by the strict decoder."""
    try:
        record = parse(body)
    except LedgerFormatError:
        return None
    tag = chain_tag(record.chain)
    return int(tag.kind), tag.case_tag, record.entry, record.prev


def sealed(content: dict[str, Data], chain: str = "c", entry: int = 0, kind: str = "note", prev: bytes = b"") -> bytes:
    return seal(Draft(chain, kind, content), entry, prev or bytes(32))


def widened(body: bytes) -> Forms:
    """Return forms that know the form of a body, with every scalar a gap that can be one."""
    forms = Forms()
    assert forms.read(body) == strictly(body)
    schema = bytes(encode("edca.record/1"))
    for form in forms._forms:
        *places, kind = module._cut(body)[2]
        kept = {place for place, scalar in enumerate(form.scalars) if place == kind or scalar == schema}
        form.scalars = [scalar if place in kept else None for place, scalar in enumerate(form.scalars)]
        gaps = [place for place, scalar in enumerate(form.scalars) if scalar is None]
        form.pieces, form.places = module._joined(form), tuple(gaps.index(place) for place in places)
    return forms


def altered(body: bytes, chance: random.Random) -> bytes:
    """Replace, insert or take out a few bytes somewhere."""
    at, some = chance.randrange(len(body)), chance.randbytes(chance.randrange(1, 4))
    head = bytes((chance.choice(HEADS),))
    new = chance.choice([body[at : at + 1], some, some[:1], head, head, head, b""])
    return body[:at] + new + body[at + chance.choice([0, 1, 1, 1, 3]) :]


@given(CONTENT, st.sampled_from(["c", "intake", "config", "x" * 40]), st.integers(0, 300), st.randoms())
@settings(max_examples=100, deadline=None)
def test_whatever_is_altered_in_a_body_forms_and_the_strict_decoder_say_the_same(
    content: dict[str, Data], chain: str, entry: int, chance: random.Random
) -> None:
    body = sealed(content, chain, entry)
    forms = widened(body)
    assert forms.read(body) == strictly(body)
    for _ in range(50):
        one = altered(body, chance)
        assert forms.read(one) == strictly(one)
        two = altered(one, chance)
        assert forms.read(two) == strictly(two)


@pytest.mark.parametrize("seed", range(8))
def test_every_byte_of_a_body_replaced_by_every_head_is_judged_as_by_the_strict_decoder(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  a seed, so that a failure comes again
    size = chance.randrange(40)
    content: dict[str, Data] = {
        "at": chance.choice([5, 200, 70_000, 1_774_008_000_000_000]),
        "list": [
            chance.choice([True, None, -5, -300]),
            {"b": "é" * chance.randrange(20), "c": bytes(size)},
        ],
        "text": "x" * chance.choice([0, 5, 31, 32, 300]),
    }
    body = sealed(content, chance.choice(["c", "intake", "y" * 33]), chance.choice([0, 127, 128, 70_000]))
    forms = widened(body)
    for at in range(len(body)):
        for head in HEADS:
            altered = body[:at] + bytes((head,)) + body[at + 1 :]
            assert forms.read(altered) == strictly(altered), (at, head)
        assert forms.read(body[:at]) is None


SPELLINGS = [  # of a value, and those of them that no canonical body holds
    ("00 7f cc80 ccff cd0100 cdffff ce00010000 ceffffffff cf0000000100000000 cfffffffffffffffff", True),
    ("cc00 cc7f cd0000 cd00ff ce00000000 ce0000ffff cf0000000000000000 cf00000000ffffffff", False),
    ("e0 ff d0df d080 d1ff7f d18000 d2ffff7fff d280000000 d3ffffffff7fffffff d38000000000000000", True),
    ("d0e0 d000 d1ff80 d10100 d2ffff8000 d2000f0000 d3ffffffff80000000 d30000000100000000", False),
    ("c0 c2 c3 a0 a161 a2c3a9 c400 c40100", True),
    ("c1 c7 ca00000000 cb0000000000000000 d400 d50000 a1 a1ff a2c328 a3eda080 c401 c50001 c50000 d900 d90161", False),
    ("da000161 db0000000161 c60000000100 80 90 81a16101 9101 dc0000 de0000", False),
]


@pytest.mark.parametrize(
    ("spelling", "is_canonical"), [(one, right) for spelled, right in SPELLINGS for one in spelled.split()]
)
def test_a_gap_takes_a_scalar_in_its_shortest_form_and_nothing_else(spelling: str, is_canonical: bool) -> None:
    forms, new = Forms(), bytes.fromhex(spelling)
    for value in (5, "five"):
        assert forms.read(sealed({"x": value, "y": value})) is not None
    for name in (b"x", b"y"):
        body = sealed({"x": 5, "y": 5})
        altered = body.replace(b"\xa1" + name + b"\x05", b"\xa1" + name + new)
        assert altered != body or spelling == "05"
        assert forms.read(altered) == strictly(altered)
        assert (strictly(altered) is not None) == (is_canonical or spelling in {"80", "90", "81a16101", "9101"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chain", ""), ("chain", "x" * (CHAIN_SIZE_MAX + 1)), ("chain", 5), ("chain", b"c"), ("chain", None),
        ("entry", True), ("entry", -1), ("entry", -200), ("entry", "0"), ("entry", None), ("entry", bytes(1)),
        ("prev", bytes(31)), ("prev", bytes(33)), ("prev", "p" * 32), ("prev", None), ("prev", 0),
        ("kind", ""), ("kind", 5), ("kind", None), ("kind", b"note"), ("schema", "edca.record/2"), ("schema", 1),
    ],
)  # fmt: skip
def test_an_envelope_that_is_no_records_is_none_in_a_form_that_is_known(name: str, value: Data) -> None:
    forms = Forms()
    for entry, kind in enumerate(("note", "other", "note")):
        assert forms.read(sealed({"a": entry}, entry=entry, kind=kind)) is not None
    envelope: dict[str, Data] = {"schema": "edca.record/1", "kind": "note", "chain": "c", "entry": 0, "prev": bytes(32)}
    body = encode({**envelope, "a": 1, name: value})
    assert strictly(body) is None
    assert forms.read(body) is None


def test_a_body_over_the_limit_is_none_in_a_form_that_is_known() -> None:
    forms = Forms()
    for text in ("a", "b"):
        assert forms.read(sealed({"text": text, "words": text})) is not None
    envelope: dict[str, Data] = {"schema": "edca.record/1", "kind": "note", "chain": "c", "entry": 0, "prev": bytes(32)}
    half = "x" * (RECORD_SIZE_MAX // 2)
    assert strictly(encode({**envelope, "text": half, "words": ""})) is not None
    long = encode({**envelope, "text": half, "words": half})
    assert strictly(long) is None
    assert forms.read(long) is None


def test_what_is_learned_is_bounded_and_bodies_of_forms_that_are_not_learned_are_read_as_well() -> None:
    forms = Forms()
    for number in range(FORMS_MAX + 50):
        body = sealed({f"key{number}": number})
        assert forms.read(body) == forms.read(body) == strictly(body)
    assert len(forms._forms) == FORMS_MAX
    large = sealed({"text": "x" * 100_000})
    assert Forms().read(large) == strictly(large)


def test_bodies_of_one_form_are_not_decoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = Forms()
    bodies = [
        sealed({"n": number, "t": "word " * (number % 5), "u": "é"}, f"c{number}", number) for number in range(300)
    ]
    for body in bodies:
        forms.read(body)
    expected = [strictly(body) for body in bodies]

    def refuse(_: bytes) -> None:
        raise AssertionError("a body of a known form was decoded")

    monkeypatch.setattr(module, "parse", refuse)
    assert [forms.read(body) for body in bodies] == expected


def test_who_writes_bodies_for_it_makes_no_body_be_compared_with_forms_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Forms that are the same but for their end, and gaps so many that to go past them takes longer than decoding."""
    forms, looked_at = Forms(), 0
    for key in range(20):
        for number in (5, 6):
            assert forms.read(sealed({"a": [number] * 200, f"key{key}": 5, "z": number})) is not None

    def counted(body: bytes, pieces: tuple[bytes, ...], starts: list[int]) -> bool:
        nonlocal looked_at
        result = fits(body, pieces, starts)
        looked_at += len(starts)
        return result

    fits = module._fits
    monkeypatch.setattr(module, "_fits", counted)
    body = sealed({"a": [7] * 200, "other": 5, "z": 7})
    assert forms.read(body) == strictly(body)
    assert 0 < looked_at <= 2 * module._GAPS_MAX


def test_forms_of_many_gaps_are_given_up_and_what_is_kept_of_them_is_small() -> None:
    forms = Forms()
    for number in (200, 201, 202):
        body = sealed({"a": [number] * (module._GAPS_MAX + 1)})
        assert forms.read(body) == strictly(body)
    assert forms._forms == []
    assert len(forms._known) == 1
    many = sealed({"a": [5] * (module._SCALARS_MAX + 1)})
    assert forms.read(many) == strictly(many)
    assert len(forms._known) == 1


def test_what_is_learned_from_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LESSONS_SIZE_MAX", 1000)
    forms = Forms()
    for number in range(50):
        body = sealed({f"key{number}": number})
        assert forms.read(body) == strictly(body)
    assert len(forms._known) == 1000 // len(sealed({"key10": 10}))
