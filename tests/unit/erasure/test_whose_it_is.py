"""Goal: what the vault says of whose something is agrees with the records, or is named and nothing is erased by it.

No digest covers the columns that an erasure goes by. Each column of each row of the vault is edited in turn.
"""

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from complaints_desk import CLEO, Desk, bot
from test_erase import C1, C2, C3, WHY, erased
from typer.testing import CliRunner

from edca.api import ErasureError
from edca.cli.main import app
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.retention_rules import RetentionClass, RetentionRules
from edca.runtime.vault_check import check_vault

COLUMNS = {"vault": ("number", "scope", "asker", "sealed"), "vault_keys": ("scope", "subject", "key", "name")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A desk after its work, and after one of its two members was erased."""
    made = Desk(tmp_path_factory.mktemp("desk"))
    made.work()
    erased(made, "ned")
    made.note("c9", bot("ned"), "PLANTED-again")
    made.close()
    made.engine.dispose()
    return made.folder


@pytest.fixture
def path(folder, tmp_path):
    return Path(shutil.copy(folder / "desk.ledger", tmp_path / "desk.ledger"))


def rows(path, table):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT {', '.join(COLUMNS[table])} FROM {table}").fetchall()


def edited(path, *statements):
    """Do to the file what somebody does who has it and no kernel, and return what is found."""
    with closing(sqlite3.connect(path)) as connection:
        for statement, parameters in statements:
            connection.execute(statement, parameters)
        connection.commit()
    with SQLiteLedger.open(path, readonly=True) as ledger:
        return check_vault(ledger).findings


def altered(value, others):
    """Return other values for a column: what other rows have there, nothing, and made-up ones."""
    match value:
        case int():
            made = [value + 1000, -1]
        case str():
            made = ["", value + "x"]
        case bytes():
            made = [b"", value[:-1] + bytes([value[-1] ^ 1]) if value else b"\1" * 32]
    return [one for one in (*made, *others[:2]) if one != value]


def test_a_sound_vault_has_nothing_to_find(path):
    assert edited(path) == ()
    with SQLiteLedger.open(path, readonly=True) as ledger:
        assert check_vault(ledger, values=False).findings == ()


@pytest.mark.parametrize("table", COLUMNS)
def test_each_edited_column_absent_and_surplus_row_is_named(path, table):
    """By the record or the scope that it is of; a row that no record has, by its number."""
    whole, tried = path.read_bytes(), Counter()

    def named(place, scope, *statements):
        try:
            found = edited(path, *statements)
        except sqlite3.IntegrityError:
            return
        finally:
            path.write_bytes(whole)
        numbers = {place} if table == "vault" else {row[0] for row in rows(path, "vault") if row[1] == scope}
        assert any(one.index in numbers or one.scope == scope for one in found), (place, scope, statements, found)

    all_rows, key = rows(path, table), COLUMNS[table][0]
    for row in all_rows:
        scope = row[1] if table == "vault" else row[0]
        named(row[0], scope, (f"DELETE FROM {table} WHERE {key} = ?", (row[0],)))
        for column, value in zip(COLUMNS[table], row, strict=True):
            others = [other[COLUMNS[table].index(column)] for other in all_rows]
            for changed in altered(value, others):
                named(row[0], scope, (f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (changed, row[0])))
                tried[column] += 1
    assert tried.keys() == set(COLUMNS[table])
    assert min(tried.values()) >= len(all_rows)


def test_rows_that_the_runtime_has_not_written_are_named(path):
    (_, scope, _, sealed), *_ = rows(path, "vault")
    (stray,) = edited(path, ("INSERT INTO vault VALUES(4000, ?, '', ?)", (scope, sealed)))
    assert (stray.index, stray.misleads, "number 4000" in stray.detail) == (None, True, True)
    edited(path, ("DELETE FROM vault WHERE number = 4000", ()))
    copied = "INSERT INTO vault_keys SELECT '-', '', key, name FROM vault_keys WHERE scope = ?"
    (surplus,) = edited(path, (copied, (C1,)))
    assert (surplus.scope, surplus.misleads, "nothing that any record" in surplus.detail) == ("-", True, True)
    key = ("INSERT INTO vault_keys VALUES('/complaint:[\"x\"]', 'mia', ?, ?)", (bytes(32), bytes(16)))
    assert '/complaint:["x"]' in [one.scope for one in edited(path, key)]


def test_what_was_erased_and_is_there_again_is_named(folder, tmp_path):
    """Also where the list of erasures was lost: that the key was destroyed stands in a record."""
    desk = Desk(tmp_path)
    desk.work()
    before = {row[0]: row for row in rows(desk.path, "vault_keys")}
    values = [row for row in rows(desk.path, "vault") if row[1] == C3]
    erased(desk, "ned")
    desk.close()
    desk.engine.dispose()
    desk.path.with_name("desk.ledger.erasures").unlink()
    found = edited(desk.path, ("INSERT INTO vault VALUES(?, ?, ?, ?)", values[0]))
    assert [(one.index, "erased on record" in one.detail) for one in found] == [(values[0][0], True)]
    back = ("INSERT OR REPLACE INTO vault_keys VALUES(?, ?, ?, ?)", before[C3])
    assert C3 in [one.scope for one in edited(desk.path, back)]


def test_swapped_names_of_two_scopes_are_named(path):
    """Consistently, in both tables: every value opens, under the name of somebody else."""
    rename = "UPDATE {} SET scope = ? WHERE scope = ?"
    for one, other in ((C1, C2), ("/#asker:mia", "/#asker:ned")):
        steps = (("-", one), (one, other), (other, "-"))
        found = edited(path, *((rename.format(table), step) for table in COLUMNS for step in steps))
        assert any(finding.misleads for finding in found), (one, found)


@pytest.mark.parametrize("subject", ["", "ned"])
@pytest.mark.parametrize("command", ["verify", "replay"])
def test_the_commands_name_it_and_end_with_findings(path, subject, command):
    before = CliRunner().invoke(app, [command, str(path)])
    assert before.exit_code == 0, before.output
    edited(path, ("UPDATE vault_keys SET subject = ? WHERE scope = ?", (subject, C1)))
    after = CliRunner().invoke(app, [command, str(path)])
    assert after.exit_code == 1
    assert f"key of {C1}: personal values: the vault says that it is " in after.output
    assert "the records say `mia`'s" in after.output


@pytest.mark.parametrize("about", ["mia", "ned"])
@pytest.mark.parametrize("order", ["subject", "case", "retention"])
def test_nothing_is_erased_by_a_vault_that_contradicts_the_records(worked, about, order):
    """Neither what the person's rows hide, nor somebody else's who was put in their place; nor against a hold."""
    worked.kernel.hold_subject("mia", by="otto", reason="a suit")
    worked.close()
    (found,) = edited(worked.path, ("UPDATE vault_keys SET subject = 'ned' WHERE scope = ?", (C1,)))
    assert (found.scope, found.misleads) == (C1, True)
    worked.reopen()
    keys = rows(worked.path, "vault_keys")
    with pytest.raises(ErasureError, match="contradict the records, first the key of") as refused:
        match order:
            case "subject":
                worked.kernel.erase(about, by="otto", reason=WHY, even_open=True)
            case "case":
                worked.kernel.erase_case(C1, by="otto", reason=WHY, even_open=True)
            case "retention":
                worked.kernel.purge(RetentionRules((RetentionClass("answered", "complaints", (), 0),)), by="otto")
    assert "`edca verify` names each" in str(refused.value)
    assert rows(worked.path, "vault_keys") == keys
    assert worked.ledger.vault.erasures.listed == []
    assert "erased" not in [record.kind for record in worked.records()]
    worked.close()
    edited(worked.path, ("UPDATE vault_keys SET subject = 'mia' WHERE scope = ?", (C1,)))
    worked.reopen()
    worked.kernel.hold_subject("mia", by="otto", reason="settled", on=False)
    assert C1 in erased(worked).scopes


def test_what_was_asked_about_nothing_is_found_by_a_person_again(worked):
    """Whoever edits the asker of what stands under another key hides it from the erasure."""
    worked.close()
    (number,) = [row[0] for row in rows(worked.path, "vault") if row[2] == "mia" and row[1] == '/complaint:["c9"]']
    edited(worked.path, ("UPDATE vault SET asker = '' WHERE number = ?", (number,)))
    worked.reopen()
    with pytest.raises(ErasureError, match=f"first the row of record {number}"):
        erased(worked)


def test_a_case_that_is_lost_to_the_table_of_keys_stops_nobody_else_s_erasure(worked):
    """Nothing can be read of it any more, and nothing wrong is destroyed: `edca verify` names it."""
    worked.close()
    found = edited(worked.path, ("DELETE FROM vault_keys WHERE scope = ?", (C3,)))
    assert found
    assert not any(one.misleads for one in found)
    worked.reopen()
    assert erased(worked).scopes == ("/#asker:mia", C1, C2)


def test_without_the_master_key_nobody_is_erased_on_the_vaults_word(tmp_path, monkeypatch):
    monkeypatch.setenv("EDCA_VAULT_KEY", "7a" * 32)
    desk = Desk(tmp_path)
    desk.note("c1", bot("mia"), "PLANTED-words")
    desk.kernel.query({"query": "mine", "arguments": {"complaint_id": "c1"}}, caller=CLEO)
    desk.close()
    assert edited(desk.path) == ()
    monkeypatch.delenv("EDCA_VAULT_KEY")
    with SQLiteLedger.open(desk.path, readonly=True) as ledger:
        found = check_vault(ledger)
    assert (found.findings, "set `EDCA_VAULT_KEY`" in str(found.unread)) == ((), True)
    (hidden,) = edited(desk.path, ("UPDATE vault SET asker = 'ned'", ()))[:1]
    assert hidden.misleads
    desk.engine.dispose()
