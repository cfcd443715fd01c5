"""Forms save the independent verifier decoding and change nothing: what it says of any body is what it says without."""

import importlib.util
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edca.kernel.canonical import Data, encode
from edca.ledger.errors import LedgerFormatError
from edca.ledger.record import SCHEMA, parse

PLACE = Path(__file__).resolve().parents[2] / "verifiers" / "verify_ledger.py"
HEADS = bytes(range(0xC0, 0xE0)) + bytes((0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xE0, 0xFF))


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_ledger", PLACE)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def said(program: ModuleType, forms: Any, body: bytes) -> list[Any] | None:
    """Return what the verifier reads in a body, null where it refuses it."""
    try:
        read: list[Any] = forms.read(body)
    except program.Flaw:
        return None
    return read


def strictly(body: bytes) -> list[Any] | None:
    """Return the same by the decoder of the ledger itself."""
    try:
        record = parse(body)
    except LedgerFormatError:
        return None
    return [record.chain, record.entry, record.prev]


def written(chance: random.Random) -> bytes:
    """A body of always the same form, with other scalars each time."""
    scalars: list[Data] = [
        chance.randrange(2**40), -chance.randrange(2**20), "x" * chance.randrange(50), "é" * chance.randrange(9),
        chance.randbytes(chance.randrange(40)), None, chance.random() < 0.5,
    ]  # fmt: skip
    chance.shuffle(scalars)
    content = {"a": scalars[0], "list": [scalars[1], [scalars[2]], {"b": scalars[3], "å": scalars[4]}], "z": scalars[5]}
    place: dict[str, Data] = {"chain": f"c{chance.randrange(10**9)}", "entry": chance.randrange(10**6)}
    return encode({**content, **place, "prev": chance.randbytes(32), "kind": "note", "schema": SCHEMA})


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_altered_in_a_body_it_is_judged_as_without_forms(program: ModuleType, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  a seed, so that a failure comes again
    forms = program.Forms()
    for _ in range(20):
        body = written(chance)
        assert forms.read(body) == strictly(body)
    assert len(forms.known) == 1
    body = written(chance)
    for at in range(len(body)):
        changed = [body[:at] + bytes((head,)) + body[at + 1 :] for head in HEADS]
        some = chance.randbytes(2)
        changed += [
            body[:at],
            body[:at] + body[at + 1 :],
            body[:at] + some + body[at:],
            body[:at] + some + body[at + 2 :],
        ]
        for one in changed:
            # A form that is learned of it shall not be one of those under test.
            known = dict(forms.known)
            assert said(program, forms, one) == strictly(one) == said(program, program.Forms(), one), (at, one)
            forms.known = known


@pytest.mark.parametrize("field", ["chain", "entry", "prev", "kind", "schema"])
@pytest.mark.parametrize("value", ["", 5, None, b"note", "x" * 300, True, -1, bytes(31), "edca.record/2"])
def test_an_envelope_that_is_no_records_is_refused_in_a_form_that_is_known(
    program: ModuleType, field: str, value: Data
) -> None:
    chance, forms = random.Random(1), program.Forms()  # noqa: S311
    envelope: dict[str, Data] = {"schema": SCHEMA, "kind": "note", "chain": "c", "entry": 0, "prev": bytes(32)}
    for entry, kind in enumerate(("note", "other", "note", "other")):
        place: dict[str, Data] = {"entry": entry, "prev": chance.randbytes(32), "chain": f"c{entry}", "kind": kind}
        forms.read(encode({**envelope, **place}))
    body = encode({**envelope, field: value})
    assert said(program, forms, body) == strictly(body)


def test_bodies_of_a_known_form_are_not_decoded(program: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, forms = random.Random(2), program.Forms()  # noqa: S311
    bodies = [written(chance) for _ in range(50)]
    read = [forms.read(body) for body in bodies]

    def refuse(*_: object) -> None:
        raise AssertionError("a body of a known form was decoded")

    monkeypatch.setattr(program, "decode", refuse)
    assert [forms.read(body) for body in bodies] == read


def test_a_body_is_not_compared_with_forms_for_longer_than_decoding_it_takes(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    place: dict[str, Data] = {"chain": "c", "entry": 0, "prev": bytes(32), "kind": "note", "schema": SCHEMA}
    forms, looked_at = program.Forms(), 0
    for key in range(20):
        for number in (5, 6):
            assert said(program, forms, encode({**place, "a": [number] * 200, f"key{key}": 5, "z": number}))

    def counted(*given: Any) -> Any:
        nonlocal looked_at
        looked_at += 1
        return value_of(*given)

    body = encode({**place, "a": [7] * 200, "other": 5, "z": 7})
    value_of = program._value
    monkeypatch.setattr(program, "_value", counted)
    assert program.Forms().read(body)
    decoding, looked_at = looked_at, 0
    assert forms.read(body)
    assert decoding < looked_at <= 2 * 256 + decoding + 10
    with_a_list, looked_at = encode({**place, "a": [[7] * 100, *[7] * 199], "other": 5, "z": 7}), 0
    assert forms.read(with_a_list)
    assert looked_at < 2 * decoding, "a list in a gap was gone through before it was found to be none"
