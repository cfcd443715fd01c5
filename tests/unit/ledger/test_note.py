"""Signed notes and checkpoints: what others' tools wrote is read, and nothing altered is believed."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edca.ledger.checkpoint import Checkpoint, attested
from edca.ledger.ed25519 import new_key
from edca.ledger.errors import LedgerFormatError
from edca.ledger.note import NOTE_SIZE_MAX, SIGNATURES_MAX, KeyKind, Note, SigningKey, VerifierKey

# A published example of the format: the documentation of Go's golang.org/x/mod/sumdb/note.
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()

LOG = SigningKey("refunds.example/desk", KeyKind.LOG, bytes(range(32)))
NEXT = SigningKey("refunds.example/desk", KeyKind.LOG, bytes(range(1, 33)))
WITNESSES = tuple(SigningKey(f"witness.example/w{place}", KeyKind.WITNESS, bytes([place] * 32)) for place in (1, 2))
CHECKPOINT = Checkpoint("refunds.example/desk", 20_852_163, bytes(range(32)))
TRUSTED = tuple(key.verifier for key in (LOG, *WITNESSES))


def cosigned() -> Note:
    note = CHECKPOINT.signed(LOG)
    for place, key in enumerate(WITNESSES):
        note = note.signed_by(key, time=1_700_000_000 + place)
    return note


def test_a_note_that_another_tool_signed_is_read() -> None:
    key = VerifierKey.parse(PUBLISHED_KEY)
    note = Note.parse(PUBLISHED)
    assert str(key) == PUBLISHED_KEY
    assert note.to_bytes() == PUBLISHED
    assert [signer.key for signer in note.signers((key,))] == [key]


def test_a_checkpoint_is_the_text_of_the_specification() -> None:
    root = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert Checkpoint("example.com/behind-the-sofa", 20_852_163, root).text == text
    assert Checkpoint.parse(text).text == text


def test_a_signed_checkpoint_says_who_signed_it_and_when() -> None:
    found = attested(cosigned().to_bytes(), TRUSTED, witnesses=2)
    assert found.checkpoint == CHECKPOINT
    assert [(signer.key.name, signer.time) for signer in found.signers] == [
        ("refunds.example/desk", None),
        ("witness.example/w1", 1_700_000_000),
        ("witness.example/w2", 1_700_000_001),
    ]


def test_a_witness_signs_the_lines_of_the_specification() -> None:
    key = WITNESSES[0]
    line = CHECKPOINT.signed(LOG).signed_by(key, time=1_679_315_147).signatures[-1]
    signed = f"cosignature/v1\ntime 1679315147\n{CHECKPOINT.text}".encode()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    assert line.data[:8] == (1_679_315_147).to_bytes(8, "big")
    Ed25519PublicKey.from_public_bytes(key.verifier.public).verify(line.data[8:], signed)


def test_lines_of_keys_that_nobody_trusts_are_passed_over() -> None:
    found = attested(cosigned().signed_by(NEXT).to_bytes(), (LOG.verifier,))
    assert [signer.key for signer in found.signers] == [LOG.verifier]


def test_a_new_key_signs_beside_the_old_one() -> None:
    raw = CHECKPOINT.signed(LOG).signed_by(NEXT).to_bytes()
    assert attested(raw, (LOG.verifier,)).checkpoint == attested(raw, (NEXT.verifier,)).checkpoint == CHECKPOINT


def test_without_the_ledgers_own_signature_nothing_is_believed() -> None:
    raw = Note(CHECKPOINT.text).signed_by(WITNESSES[0], time=1).to_bytes()
    with pytest.raises(LedgerFormatError, match=r"no trusted key of `refunds\.example/desk`"):
        attested(raw, TRUSTED)
    stranger = SigningKey("other.example", KeyKind.LOG, new_key()[0])
    with pytest.raises(LedgerFormatError, match="no trusted key"):
        attested(Note(CHECKPOINT.text).signed_by(stranger).to_bytes(), (stranger.verifier,))


def test_one_witness_does_not_count_twice() -> None:
    key = WITNESSES[0]
    other_name = SigningKey("witness.example/again", KeyKind.WITNESS, key.private)
    note = CHECKPOINT.signed(LOG).signed_by(key, time=1).signed_by(key, time=2).signed_by(other_name, time=3)
    trusted = (LOG.verifier, key.verifier, other_name.verifier)
    assert len(attested(note.to_bytes(), trusted, witnesses=1).signers) == 4
    with pytest.raises(LedgerFormatError, match="1 of the trusted witnesses"):
        attested(note.to_bytes(), trusted, witnesses=2)


def test_every_flipped_bit_of_a_signed_checkpoint_is_noticed() -> None:
    raw = cosigned().to_bytes()
    for place in range(len(raw)):
        for bit in range(8):
            damaged = bytearray(raw)
            damaged[place] ^= 1 << bit
            with pytest.raises(LedgerFormatError):
                attested(bytes(damaged), TRUSTED, witnesses=2)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_note_are_refused(raw: bytes) -> None:
    try:
        note = Note.parse(raw)
    except LedgerFormatError:
        return
    assert note.to_bytes() == raw


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("", "at least three lines"),
        ("a\n1\n", "at least three lines"),
        ("a\n01\nAAAA\n", "how many records"),
        ("a\n-1\nAAAA\n", "how many records"),
        ("a\n٣\nAAAA\n", "how many records"),
        (f"a\n{2**63}\nAAAA\n", "how many records"),
        ("a\n1\nAAAA\n", "a root, in base64"),
        ("a\n1\n" + "A" * 42 + "B=\n", "a root, in base64"),
        ("a\n1\n" + "A" * 43 + "=\n\nmore\n", "none of them empty"),
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(text: str, about: str) -> None:
    with pytest.raises(LedgerFormatError, match=about):
        Checkpoint.parse(text)


def test_lines_after_the_root_are_kept_in_what_is_signed_and_passed_over() -> None:
    note = Note(f"{CHECKPOINT.text}more\n").signed_by(LOG)
    assert attested(note.to_bytes(), TRUSTED).checkpoint == CHECKPOINT


@pytest.mark.parametrize(
    "text",
    ["", "name", "name+00000000", "name+c74f20a3+AQ==", PUBLISHED_KEY.replace("c74f", "c74e"), f" {PUBLISHED_KEY}",
     PUBLISHED_KEY.replace("+AR", "+Ag")],
)  # fmt: skip
def test_a_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(LedgerFormatError):
        VerifierKey.parse(text)


def test_a_key_needs_a_name_without_spaces() -> None:
    for name in ("", "a b", "a+b", "a\u2003b", "a\nb", "a\u200bb\u2028"):
        with pytest.raises(ValueError, match="name of a key"):
            VerifierKey(name, KeyKind.LOG, bytes(32))
    with pytest.raises(ValueError, match="has 32 bytes, not 31"):
        VerifierKey("a", KeyKind.LOG, bytes(31))


def test_only_its_own_ledgers_key_signs_a_checkpoint() -> None:
    for key in (
        WITNESSES[0],
        SigningKey("other", KeyKind.LOG, bytes(32)),
        SigningKey(LOG.name, KeyKind.WITNESS, bytes(32)),
    ):
        with pytest.raises(ValueError, match="is signed by that ledger's own key"):
            CHECKPOINT.signed(key)


def test_a_private_key_is_kept_as_text_and_read_again() -> None:
    for key in (LOG, WITNESSES[0]):
        text = key.to_secret()
        assert SigningKey.parse(text) == key
        for place in range(len(text)):
            other = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
            with pytest.raises(LedgerFormatError) as refused:
                SigningKey.parse(other)
            assert other not in str(refused.value)


def test_a_private_key_is_not_in_its_representation() -> None:
    assert LOG.private.hex() not in repr(LOG) and repr(LOG.private) not in repr(LOG)


def test_sizes_are_bounded() -> None:
    with pytest.raises(LedgerFormatError, match="at most"):
        Note.parse(b"x" * (NOTE_SIZE_MAX + 1))
    note = Note("x\n")
    for _ in range(SIGNATURES_MAX):
        note = note.signed_by(LOG)
    assert len(Note.parse(note.to_bytes()).signatures) == SIGNATURES_MAX
    with pytest.raises(LedgerFormatError, match="at most 64 signatures"):
        Note.parse(note.signed_by(LOG).to_bytes())
    with pytest.raises(ValueError, match="no time"):
        note.signed_by(WITNESSES[0], time=2**63)
