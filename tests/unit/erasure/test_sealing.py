"""Goal: personal values stand in no record and in no file; records hold commitments, and replay opens the vault."""

import hashlib
import sqlite3
from contextlib import closing

import pytest
from complaints_desk import Desk, bot
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from edca.kernel.canonical import decode, encode
from edca.ledger.errors import LedgerError, TamperedError
from edca.ledger.record import parse
from edca.ledger.sealing import ScopeKey, check, commitments
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verify import verify
from edca.runtime.opened import opened
from edca.runtime.rebuild import compare_cells
from edca.runtime.replay import replay

KEY = ScopeKey('/complaint:["c1"]', "mia", bytes(range(32)))


def counted_keys():
    """Return a maker of keys that makes the same ones each time."""
    made = iter(range(1000))
    return lambda: hashlib.sha256(str(next(made)).encode()).digest()


def test_no_file_holds_a_personal_value(worked):
    assert worked.planted() == []
    worked.close()
    assert worked.planted() == []


def test_the_plain_values_are_there_where_they_belong(worked):
    """The marks are what the searches look for: so they must be found where nothing is sealed."""
    assert b"PLANTED-phone-mia-1" in worked.database.read_bytes()
    read = b"".join(stored.body for stored in opened(worked.ledger).records())
    for mark in ("phone-mia-1", "words-mia", "story-mia", "why-c1", "nowhere-ned", "odd-mia"):
        assert f"PLANTED-{mark}".encode() in read


def test_everything_is_decided_again_from_the_vault(worked):
    found = replay(worked.ledger)
    assert (found.equal, found.mismatches, found.not_replayed, found.cells) == (found.total, (), (), ())
    assert compare_cells(worked.ledger) == ()


def test_a_ledger_goes_on_after_it_was_closed(worked):
    size = worked.ledger.size
    worked.reopen()
    again = worked.note("c1", bot("mia"), "PLANTED-words-mia", key="mia-1")
    assert again.verdict.code == "accepted"  # the same candidate: its digest is the same under the stored key
    assert worked.ledger.size == size
    assert replay(worked.ledger).equal == worked.ledger.size


def test_law_1_equal_keys_make_equal_records(tmp_path):
    roots = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made = Desk(tmp_path / name, key=counted_keys())
        made.work()
        roots.append(made.ledger.root())
        made.close()
        made.engine.dispose()
    assert roots[0] == roots[1]


def test_other_keys_make_other_commitments_of_the_same_values(worked):
    """Nobody can tell from two records whether they hold the same value, nor try values out."""
    seen = [commitment for record in worked.records() for _, commitment in commitments(record.content)]
    assert len(seen) > 50
    assert len(set(seen)) == len(seen)


def test_whose_case_it_is_follows_from_its_facts(worked):
    subjects = {scope: subject for scope, subject, _ in worked.ledger.vault.scopes()}
    assert subjects['/complaint:["c1"]'] == "mia"
    assert subjects['/complaint:["c4"]'] == "ned"
    assert subjects['/complaint:["c9"]'] == ""  # there is none such: who asked stands with the values


@pytest.mark.parametrize("place", ["byte", "other", "missing"])
def test_a_vault_that_was_altered_is_named_by_its_record(worked, place):
    worked.close()
    with closing(sqlite3.connect(worked.path)) as connection:
        (leaf, sealed), (_, other) = connection.execute("SELECT number, sealed FROM vault LIMIT 2").fetchall()
        changed = {"byte": sealed[:-1] + bytes((sealed[-1] ^ 1,)), "other": other, "missing": sealed[:-40]}[place]
        connection.execute("UPDATE vault SET sealed = ? WHERE number = ?", (changed, leaf))
        connection.commit()
    with SQLiteLedger.open(worked.path, readonly=True) as ledger:
        assert verify(ledger).is_sound  # the records are as they were
        with pytest.raises(TamperedError, match=f"record {leaf}: "):
            opened(ledger).read(leaf)


def test_a_value_is_checked_against_its_commitment():
    content = {"a": {"sealed": KEY.commitment("c", 0, "a", "x")}}
    body = encode(content)
    digest = hashlib.sha256(body).digest()
    row = KEY.row("c", 0, digest, ["x"])
    assert KEY.values("c", 0, digest, row) == ["x"]
    for chain, entry, of in (("d", 0, digest), ("c", 1, digest), ("c", 0, bytes(32))):
        with pytest.raises(TamperedError):
            KEY.values(chain, entry, of, row)


def test_other_values_under_the_same_key_are_not_those_that_were_committed_to():
    content = {"a": {"sealed": KEY.commitment("c", 0, "a", "x")}, "b": [{"sealed": KEY.commitment("c", 0, "b[0]", 7)}]}
    check(content, KEY, "c", 0, ["x", 7])
    for values in (["y", 7], ["x", 8], [7, "x"], ["x"], ["x", 7, 7], ["x", True]):
        with pytest.raises(TamperedError):
            check(content, KEY, "c", 0, values)


def test_the_key_derivation_is_that_of_rfc_5869():
    """Test case 1 of its appendix A: the expand step from the pseudorandom key there."""
    prk = bytes.fromhex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
    key = ScopeKey("s", "", prk)
    info = b"edca/vault\0" + encode(["c", 3])
    assert key.derived("vault", ["c", 3], 44) == HKDFExpand(SHA256(), 44, info).derive(prk)


def test_a_wrapped_key_is_needed_and_no_plain_one_is_in_the_file(tmp_path, monkeypatch):
    keys = [bytes([number]) * 32 for number in range(1, 60)]
    monkeypatch.setenv("EDCA_VAULT_KEY", "ab" * 32)
    made = Desk(tmp_path, key=iter(keys).__next__)
    made.work()
    assert replay(made.ledger).equal == made.ledger.size
    made.close()
    made.engine.dispose()
    assert not any(key in content for content in made.files().values() for key in keys)
    monkeypatch.delenv("EDCA_VAULT_KEY")
    with SQLiteLedger.open(made.path, readonly=True) as ledger, pytest.raises(LedgerError, match="EDCA_VAULT_KEY"):
        list(opened(ledger).records())
    monkeypatch.setenv("EDCA_VAULT_KEY", "ba" * 32)
    with SQLiteLedger.open(made.path, readonly=True) as ledger, pytest.raises(TamperedError, match="unwrapped"):
        list(opened(ledger).records())


def test_the_size_of_what_nobody_seals_is_as_before(worked):
    """Configuration records hold nothing sealed, and everything sealed reads as one map of one key."""
    for stored in worked.ledger.records():
        record = parse(stored.body)
        assert (next(commitments(record.content), None) is None) == (b"\xa6sealed" not in stored.body)
        assert decode(stored.body)
