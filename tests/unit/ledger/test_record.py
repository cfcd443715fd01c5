"""The envelope: every body carries its chain, entry and predecessor, and a wrong one is refused on both sides."""

from typing import Any

import pytest

from edca.kernel.canonical import CanonicalError, Data, encode
from edca.ledger.errors import LedgerError, LedgerFormatError
from edca.ledger.record import RECORD_SIZE_MAX, Draft, Record, parse, seal

SOUND: dict[str, Data] = {
    "schema": "edca.record/1",
    "kind": "verdict",
    "chain": "c1",
    "entry": 0,
    "prev": bytes(32),
    "code": "ok",
}


def test_parse_undoes_seal() -> None:
    body = seal(Draft("c1", "verdict", {"code": "ok"}), 0, bytes(32))
    assert body == encode(SOUND)
    assert parse(body) == Record("verdict", "c1", 0, bytes(32), {"code": "ok"})


@pytest.mark.parametrize("key", ["schema", "kind", "chain", "entry", "prev"])
def test_content_may_not_use_the_envelope(key: str) -> None:
    with pytest.raises(LedgerError, match=f"`{key}`, which belongs to the envelope"):
        seal(Draft("c1", "verdict", {key: 1}), 0, bytes(32))


@pytest.mark.parametrize("draft", [Draft("", "verdict", {}), Draft("c" * 257, "verdict", {}), Draft("c1", "", {})])
def test_a_draft_names_its_chain_and_kind(draft: Draft) -> None:
    with pytest.raises(LedgerError):
        seal(draft, 0, bytes(32))


def test_a_large_body_is_refused() -> None:
    with pytest.raises(LedgerError, match="over the limit of 1048576"):
        seal(Draft("c1", "verdict", {"evidence": bytes(RECORD_SIZE_MAX)}), 0, bytes(32))


def test_content_without_canonical_bytes_is_refused() -> None:
    unfit: Any = 0.5
    with pytest.raises(CanonicalError):
        seal(Draft("c1", "verdict", {"score": unfit}), 0, bytes(32))


@pytest.mark.parametrize("key", ["schema", "kind", "chain", "entry", "prev"])
def test_every_envelope_key_is_required(key: str) -> None:
    body = encode({name: value for name, value in SOUND.items() if name != key})
    with pytest.raises(LedgerFormatError, match=f"the body has no `{key}`"):
        parse(body)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", "edca.record/2"),
        ("kind", ""),
        ("kind", 1),
        ("chain", ""),
        ("chain", "c" * 257),
        ("chain", None),
        ("entry", -1),
        ("entry", True),
        ("entry", "0"),
        ("prev", bytes(31)),
        ("prev", "0" * 32),
    ],
)
def test_a_wrong_envelope_is_refused(key: str, value: Data) -> None:
    with pytest.raises(LedgerFormatError, match=f"`{key}`"):
        parse(encode({**SOUND, key: value}))


@pytest.mark.parametrize("body", [b"", b"\xc1", encode([1]), encode(SOUND) + b"\xc0"])
def test_other_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(LedgerFormatError):
        parse(body)
