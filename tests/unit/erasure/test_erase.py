"""Goal: a person can be erased: nothing of theirs is left in any file, and everything else is as it was."""

import shutil

import pytest
from complaints_desk import CLEO, bot

from edca.api.history import History
from edca.ledger import rows
from edca.ledger.backup import back_up, restore
from edca.ledger.opening import verify_open
from edca.ledger.record import parse
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.erasing import ErasureError
from edca.runtime.holds import HoldError
from edca.runtime.rebuild import compare_cells
from edca.runtime.replay import replay

C1, C2, C3, C9 = (f'/complaint:["c{number}"]' for number in (1, 2, 3, 9))
WHY = "her letter of 20 March"


def erased(desk, subject="mia"):
    """Erase a person, whatever state their cases are in."""
    return desk.kernel.erase(subject, by="otto", reason=WHY, even_open=True)


def assert_sound(desk):
    desk.settle()
    found = replay(desk.ledger)
    assert (found.mismatches, found.not_replayed, found.cells) == ((), (), ())
    assert compare_cells(desk.ledger) == ()
    assert verify_open(desk.ledger).is_sound
    return found


def test_nothing_of_the_person_is_left_anywhere(worked):
    vault = worked.ledger.vault
    scopes = [scope for scope, subject, _ in vault.scopes() if subject == "mia"]
    keys = [vault.key(scope).key for scope in (*scopes, "/#asker:mia")]
    assert any(key in content for key in keys for content in worked.files().values())
    done = erased(worked)
    assert done.records > 8
    assert done.values > 30
    for _ in range(2):
        assert not any(key in content for key in keys for content in worked.files().values())
        assert worked.planted() == []
        worked.close()


@pytest.mark.parametrize("only", ["overwriting", "building anew"])
def test_each_of_two_ways_rids_the_file_of_a_destroyed_key(desk, monkeypatch, only):
    """Deleted rows are overwritten with zeros; where a copy is left all the same, the file is built anew."""
    if only == "building anew":
        monkeypatch.setattr(rows, "FORGETFUL", "PRAGMA secure_delete = OFF")
    else:
        monkeypatch.setattr(SQLiteLedger, "clean", lambda *_: None)
    desk.work()
    keys = [desk.ledger.vault.key(scope).key for scope in (C1, C2)]
    erased(desk)
    assert not any(key in desk.path.read_bytes() for key in keys)


def outside(desk):
    """Return the encrypted values of what mia asked about a case that is nobody's, and whose key stays."""
    asked = desk.ledger.vault.records_asked_by("mia")
    found = [sealed for number, scope in asked if scope == C9 and (sealed := desk.ledger.vault.traces((), [number]))]
    assert found
    return [sealed for (sealed,) in found]


def test_values_under_a_key_that_stays_are_nowhere_either(desk, monkeypatch):
    """Whoever has the key could read a copy of them that a page has kept."""
    monkeypatch.setattr(rows, "FORGETFUL", "PRAGMA secure_delete = OFF")
    desk.work()
    values = outside(desk)
    erased(desk)
    assert not any(one in content for one in values for content in desk.files().values())
    assert desk.ledger.vault.key(C9) is not None


@pytest.mark.parametrize("nothing_else", [True, False])
def test_values_under_a_key_that_stays_are_erased_again_from_an_old_copy(desk, nothing_else):
    if nothing_else:
        for member in ("ned", "mia"):
            desk.note("c9", bot(member), f"PLANTED-nowhere-{member}")
    else:
        desk.work()
    values = outside(desk)
    desk.close()
    copy = desk.path.read_bytes()
    desk.reopen()
    erased(desk)
    desk.close()
    desk.path.write_bytes(copy)
    SQLiteLedger.open(desk.path).close()
    assert not any(one in content for one in values for content in desk.files().values())
    desk.reopen()
    assert_sound(desk)
    size = desk.ledger.size
    desk.reopen()
    assert desk.ledger.size == size


def test_what_nobody_declares_is_free_text_by_whatever_name(desk):
    """A model may write anything in the place of a transition's, a query's or an argument's name."""
    asked = [
        {"transition": "PLANTED call her on 555", "arguments": {"complaint_id": "c1"}, "key": "k"},
        {"transition": "note_it", "arguments": {"complaint_id": "c1", "words": "x", "PLANTED 555": 1}},
        {"transition": "note_it", "arguments": {"complaint_id": "c1", "words": {"PLANTED 555": 1}}},
        {"transition": "note_it", "arguments": {"complaint_id": "c1", "words": "x"}, "evidence": ["PLANTED 555"]},
        {"transition": "note_it", "arguments": {"complaint_id": ["PLANTED 555"], "words": "x"}, "key": "l"},
        {"transition": "nothing", "arguments": {"complaint_id": {"PLANTED 555": 1}, "words": "x"}},
    ]
    codes = [desk.kernel.submit(one, caller=bot("mia")).verdict.code for one in asked]
    assert codes[0] == "no_such_transition"
    said = desk.kernel.query({"query": "PLANTED 555", "arguments": {"complaint_id": "c1"}}, caller=bot("mia"))
    assert said.verdict.code == "no_such_query"
    assert desk.planted() == []
    assert len(assert_sound(desk).erased) == 0
    erased(desk)
    assert_sound(desk)


def test_what_was_looked_up_about_a_person_is_theirs(worked):
    kinds = [record.kind for record in worked.records()]
    assert kinds.count("query") == 4
    erased(worked)
    asked = [index for index, kind in enumerate(kinds) if kind == "query"]
    assert [index in assert_sound(worked).erased for index in asked] == [True, True, False, False]


def test_every_hash_and_every_other_verdict_stays(worked):
    worked.settle()
    before = [stored.body for stored in worked.ledger.records()]
    root = worked.ledger.root()
    other = [stored.number for stored in worked.ledger.records() if b'"c3"' in stored.body]
    erased(worked)
    worked.settle()
    after = [stored.body for stored in worked.ledger.records()]
    assert after[:-1] == before
    assert parse(after[-1]).kind == "erased"
    assert worked.ledger.root() != root
    found = assert_sound(worked)
    assert found.equal + len(found.erased) == found.total
    assert set(other).isdisjoint(found.erased)
    assert len(found.erased) > 8


def test_the_record_of_it_says_what_by_whom_and_why_and_not_who(worked):
    erased(worked)
    record = worked.records()[-1]
    content = record.content
    assert (record.chain, content["by"], content["reason"], content["of"]) == ("/#erasure", "otto", WHY, "subject")
    assert [scope for scope, _ in content["keys"]] == ["/#asker:mia", C1, C2]
    assert content["subject"] != bytes(32)
    assert content["forced"] is True


def test_erasing_again_does_nothing(worked):
    erased(worked)
    size = worked.ledger.size
    assert erased(worked).record is None
    assert worked.ledger.size == size


def test_nothing_more_is_done_in_an_erased_case(worked):
    erased(worked)
    refused = worked.note("c2", bot("mia"), "PLANTED-later")
    assert refused.verdict.code == "unknown_case"
    assert worked.planted() == []
    assert_sound(worked)
    # The person may come back with something new: what they ask for outside of a case has a new key.
    assert worked.ledger.vault.key("/#asker:mia") is not None
    assert erased(worked).records == 1
    assert_sound(worked)


def test_tables_of_what_was_looked_up_tell_nothing_personal(worked):
    told = [row for table, row in History(worked.ledger.records()).rows() if table.name in ("queries", "readings")]
    assert len(told) > 4
    assert "PLANTED" not in str(told)


def test_what_was_erased_is_not_looked_up_again(worked):
    """The source still has it: the answer is a refusal, and neither it nor its record tells anything."""
    asked = {"query": "mine", "arguments": {"complaint_id": "c1"}}
    assert worked.kernel.query(asked, caller=CLEO).verdict.code == "returned"
    erased(worked)
    refused = worked.kernel.query(asked, caller=CLEO).verdict
    assert (refused.code, [clause.reason.value for clause in refused.clauses]) == ("no_phone", ["input_erased"])
    refused = worked.kernel.query(asked | {"query": "whether"}, caller=CLEO).verdict
    assert (refused.code, refused.clauses) == ("input_erased", ())
    assert worked.planted() == []
    assert worked.kernel.query({**asked, "arguments": {"complaint_id": "c3"}}, caller=CLEO).verdict.code == "returned"
    last = assert_sound(worked)
    assert last.total - 1 not in last.erased


def test_through_another_instance_it_is_not_looked_up_either(worked):
    asked = {"query": "neighbour", "arguments": {"complaint_id": "c3"}}
    assert worked.kernel.query(asked, caller=CLEO).verdict.values == {"premium": True}
    erased(worked)
    refused = worked.kernel.query(asked, caller=CLEO).verdict
    assert (refused.code, refused.clauses) == ("input_erased", ())
    assert_sound(worked)


@pytest.mark.parametrize("question", ["open", "final"])
def test_a_case_that_has_not_come_to_its_end_is_erased_only_by_express_order(worked, question):
    if question == "open":
        with pytest.raises(ErasureError, match="has not come to its end"):
            worked.kernel.erase("mia", by="otto", reason=WHY)
    else:
        assert worked.kernel.erase_case(C1, by="otto", reason=WHY).scopes == (C1,)
        assert worked.ledger.vault.key(C2) is not None
        assert_sound(worked)


def test_a_case_that_waits_for_people_is_not_erased(desk):
    desk.note("c2", bot("mia"), "PLANTED-asked")
    with pytest.raises(ErasureError, match="waits for people"):
        erased(desk)


def test_a_legal_hold_keeps_everything_until_it_is_lifted(worked):
    worked.kernel.hold_subject("mia", by="otto", reason="a suit")
    with pytest.raises(ErasureError, match="legal hold"):
        erased(worked)
    with pytest.raises(ErasureError, match="legal hold"):
        worked.kernel.erase_case(C1, by="otto", reason=WHY)
    worked.kernel.hold_subject("mia", by="otto", reason="it was settled", on=False)
    worked.kernel.hold_case(C1, by="otto", reason="another suit")
    with pytest.raises(HoldError, match="already"):
        worked.kernel.hold_case(C1, by="otto", reason="another suit")
    with pytest.raises(ErasureError, match="legal hold"):
        erased(worked)
    worked.kernel.hold_case(C1, by="otto", reason="settled", on=False)
    assert erased(worked).records > 8
    assert_sound(worked)


@pytest.mark.parametrize(("by", "reason"), [("bot", WHY), ("", WHY), ("otto", " ")])
def test_who_orders_it_is_a_person_with_a_reason(worked, by, reason):
    with pytest.raises(ErasureError):
        worked.kernel.erase("mia", by=by, reason=reason, even_open=True)
    assert_sound(worked)


def test_an_old_copy_is_erased_again_before_it_is_read(worked):
    worked.close()
    copy = worked.path.read_bytes()
    worked.reopen()
    erased(worked)
    worked.close()
    worked.path.write_bytes(copy)
    with SQLiteLedger.open(worked.path, readonly=True) as ledger:
        assert ledger.vault.key(C1) is None  # also for who may not write
        assert ledger.vault.key(C3) is not None
    worked.reopen()
    assert worked.ledger.vault.key(C1) is None
    assert worked.records()[-1].content["again"] is True
    assert_sound(worked)
    size = worked.ledger.size
    worked.reopen()
    assert worked.ledger.size == size


@pytest.mark.parametrize("where", ["given", "where the ledger was", "beside the backup"])
def test_a_backup_is_erased_again_before_it_stands_in_the_ledgers_place(worked, tmp_path, where):
    worked.close()
    backup, listed = tmp_path / "old.backup", worked.path.with_name(f"{worked.path.name}.erasures")
    back_up(worked.path, backup)
    worked.reopen()
    keys = [worked.ledger.vault.key(scope).key for scope in (C1, C2)]
    erased(worked)
    worked.close()
    assert any(key in backup.read_bytes() for key in keys)
    worked.path.unlink()
    newest = {"given": tmp_path / "kept", "beside the backup": tmp_path / "old.backup.erasures"}.get(where)
    if newest is not None:
        listed.rename(newest)
    restore(backup, worked.path, erasures=newest if where == "given" else None)
    assert not any(key in worked.path.read_bytes() for key in keys)
    assert listed.exists() and not list(worked.path.parent.glob("*.unfinished*"))
    worked.reopen()
    assert worked.ledger.vault.key(C1) is None
    assert worked.records()[-1].content["again"] is True
    assert_sound(worked)


@pytest.mark.parametrize("step", ["listed", "half a line", "durable"])
def test_an_erasure_that_is_cut_short_is_finished_at_the_next_opening(worked, monkeypatch, step):
    keys = [worked.ledger.vault.key(scope).key for scope in (C1, C2)]

    class Cut(BaseException):
        pass

    def cut(*_):
        raise Cut

    if step == "durable":
        monkeypatch.setattr(SQLiteLedger, "clean", cut)
    else:
        monkeypatch.setattr(SQLiteLedger, "_write", cut)
    with pytest.raises(Cut):
        erased(worked)
    monkeypatch.undo()
    worked.close()
    listed = worked.path.with_name(worked.path.name + ".erasures")
    if step == "half a line":
        listed.write_bytes(listed.read_bytes()[:-20])
    worked.reopen()
    if step == "half a line":  # it was being written when the power went: then nothing had been destroyed
        assert worked.ledger.vault.key(C1) is not None
        erased(worked)
    assert not any(key in content for key in keys for content in worked.files().values())
    assert [record.kind for record in worked.records()].count("erased") == 1
    assert_sound(worked)


def test_a_list_of_erasures_that_was_altered_is_refused(worked):
    erased(worked)
    worked.close()
    listed = worked.path.with_name(worked.path.name + ".erasures")
    listed.write_bytes(b"x" + listed.read_bytes())
    with pytest.raises(Exception, match="line 1 of"):
        SQLiteLedger.open(worked.path)


def test_a_backup_without_its_key_tells_nothing(worked, tmp_path):
    """Even the copy of a vault without a master key holds no plain text."""
    worked.close()
    shutil.copy(worked.path, tmp_path / "backup.ledger")
    worked.reopen()
    erased(worked)
    assert worked.planted() == []
