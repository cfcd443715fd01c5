"""Goal: on PostgreSQL a person is erased as on SQLite, and many nodes make one key for a scope, and destroy it for all.

The tests of `tests/unit/erasure` that are about what every store owes are run here again, over a desk on the server.
"""

import json
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "erasure"))

from complaints_desk import bot
from nodes import Node, WatchedDesk
from postgres_server import programs
from server_desk import MASTER, ServerDesk
from test_erase import (  # noqa: F401  # collected here, too
    C1,
    C2,
    C3,
    WHY,
    assert_sound,
    erased,
    test_a_case_that_has_not_come_to_its_end_is_erased_only_by_express_order,
    test_a_case_that_waits_for_people_is_not_erased,
    test_a_legal_hold_keeps_everything_until_it_is_lifted,
    test_erasing_again_does_nothing,
    test_every_hash_and_every_other_verdict_stays,
    test_nothing_more_is_done_in_an_erased_case,
    test_the_record_of_it_says_what_by_whom_and_why_and_not_who,
    test_what_was_looked_up_about_a_person_is_theirs,
    test_who_orders_it_is_a_person_with_a_reason,
)
from test_retention import (  # noqa: F401  # collected here, too
    rules,
    test_nothing_is_erased_before_its_time_and_all_of_it_after,
    test_what_is_kept_has_a_date_by_its_class,
)

from edca.cli.main import main
from edca.ledger.errors import LedgerError, StaleError
from edca.ledger.postgres import PostgresLedger
from edca.ledger.record import Draft
from edca.ledger.sealing import Personal
from edca.ledger.vault import ErasedError, scope_of_cell
from edca.runtime.recover import recover
from edca.runtime.vault_check import check_vault


@pytest.fixture
def desk(tmp_path, server, schema, monkeypatch):
    monkeypatch.setenv("EDCA_VAULT_KEY", MASTER)
    made = ServerDesk(tmp_path, server, schema)
    yield made
    made.close()
    made.engine.dispose()


@pytest.fixture
def worked(desk):
    desk.work()
    return desk


def stored_keys(desk):
    with psycopg.connect(desk.server.dsn, options=f"-c search_path={desk.schema}") as connection:
        return dict(connection.execute("SELECT scope, key FROM vault_keys").fetchall())


def in_data(desk, needle, *, outside_of=()):
    """Tell whether any file of the server holds these bytes once it has written out all it knows."""
    with psycopg.connect(desk.server.dsn, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    files = (path for path in desk.server.data.rglob("*") if path.is_file())
    return any(needle in path.read_bytes() for path in files if not set(outside_of) & set(path.parts))


def test_nothing_of_the_person_is_left_in_any_table_and_no_key_in_any_file_of_them(worked):
    plain = [worked.ledger.vault.key(scope).key for scope in (C1, C2, "/#asker:mia")]
    stored = stored_keys(worked)
    wrapped = [stored[scope] for scope in (C1, C2, "/#asker:mia")]
    assert in_data(worked, wrapped[0], outside_of=["pg_wal"])
    done = erased(worked)
    assert done.records > 8
    assert done.values > 30
    assert stored_keys(worked)[C1] == b""
    assert not any(in_data(worked, key, outside_of=["pg_wal"]) for key in wrapped)
    assert worked.planted() == []
    # Not even the write-ahead log has had a key as it is, or a value.
    assert not any(in_data(worked, needle) for needle in (*plain, b"PLANTED"))
    assert_sound(worked)
    assert (check_vault(worked.ledger).findings, check_vault(worked.ledger).erased > 8) == ((), True)


def test_a_table_of_keys_that_is_another_accounts_is_not_taken_for_clean(worked):
    role = f"{worked.schema}_service"
    with psycopg.connect(worked.server.dsn, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute(f"GRANT USAGE ON SCHEMA {worked.schema} TO {role}")
        connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA {worked.schema} TO {role}")
        connection.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA {worked.schema} TO {role}")
    owner = worked.server
    worked.server = SimpleNamespace(dsn=owner.dsn.replace("user=edca", f"user={role}"))
    worked.reopen()
    with pytest.raises(LedgerError, match="only its owner"):
        erased(worked)
    assert worked.ledger.vault.key(C1) is None
    worked.server = owner
    worked.reopen()  # with the list, and as the owner: now it is finished
    assert worked.ledger.vault.erasures.is_clean
    assert [record.kind for record in worked.records()].count("erased") == 1
    assert_sound(worked)


def test_without_a_master_key_nothing_personal_is_recorded(desk, monkeypatch):
    monkeypatch.delenv("EDCA_VAULT_KEY")
    with pytest.raises(LedgerError, match="EDCA_VAULT_KEY"):
        desk.reopen()


def test_without_a_list_nothing_is_erased(worked, monkeypatch):
    monkeypatch.delenv("EDCA_ERASURES", raising=False)
    worked.list = None
    worked.reopen()
    with pytest.raises(LedgerError, match="EDCA_ERASURES"):
        erased(worked)
    assert worked.ledger.vault.key(C1) is not None
    assert_sound(worked)


def test_nodes_that_seal_in_one_scope_at_once_make_one_key(desk):
    nodes = [desk.open_ledger(erasures=None, sequences=False) for _ in range(6)]
    barrier, made = threading.Barrier(6), []

    def make(node):
        barrier.wait()
        made.extend([node.vault.key_for(f'/complaint:["x{number}"]').key for number in range(20)])

    threads = [threading.Thread(target=make, args=(node,)) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for node in nodes:
        node.close()
    assert len(made) == 120
    assert len(set(made)) == 20


def test_a_key_that_another_node_has_destroyed_seals_nothing_more(worked):
    """What was decided before an erasure and is to be written after it is taken again, and finds no key."""
    other = worked.open_ledger(sequences=False)
    key = other.vault.key_for(C1)
    before = worked.ledger.vault.records_of(C1)
    assert before
    erased(worked)
    with pytest.raises(ErasedError):
        other.vault.key_for(C1)
    assert other.vault.key(key.scope) is None
    other.close()
    assert worked.note("c1", bot("mia"), "PLANTED-later").verdict.code == "unknown_case"
    assert worked.planted() == []


def test_a_commit_that_was_sealed_with_a_key_destroyed_meanwhile_is_not_made(worked):
    other, scope = worked.open_ledger(sequences=False), '/complaint:["x"]'

    def write():
        draft = Draft(scope, "note", {"words": Personal("PLANTED-late")}, other.vault.key_for(scope))
        return other.commit([draft])

    with other.group():
        write()
    with pytest.raises(StaleError), other.group():
        write()
        with worked.ledger.group():
            worked.ledger.destroy([scope], ())
    with pytest.raises(ErasedError), other.group():
        write()
    assert len(list(other.records(chain=scope))) == 1
    other.close()


def test_no_cell_is_left_that_was_sealed_with_a_destroyed_key(worked):
    def scopes():
        ledger = worked.ledger
        return {scope_of_cell(value) for space in ledger.spaces() for _, value in ledger.cells(space)}

    assert {C1, C2, C3} <= scopes()
    erased(worked)
    assert C3 in scopes()
    assert not {C1, C2, "/#asker:mia"} & scopes()


def test_a_node_whose_machine_knows_nothing_personal_gets_along_with_one_that_does(desk):
    """It had opened the ledger before anything personal was in it."""
    node = Node(desk.server, desk.schema, WatchedDesk("j1"), desk.clock)
    desk.work()
    assert recover(node.runtime) == ()
    assert node.submit("spend", "k1", amount="40.00").verdict.code == "accepted"
    erased(desk)
    assert recover(node.runtime) == ()
    node.close()
    assert_sound(desk)


def test_an_erasure_takes_what_another_node_seals_meanwhile(worked, monkeypatch):
    """A record that is sealed between the plan and the commit of an erasure has the erasure planned again."""
    vault, late = worked.ledger.vault, []
    records_of = vault.records_of

    def then_another_node_writes(scope):
        numbers = records_of(scope)
        if scope == C2 and not late:
            late.append(True)
            with psycopg.connect(worked.server.dsn, options=f"-c search_path={worked.schema}") as connection:
                connection.execute("INSERT INTO vault VALUES(4000000, %s, '', 'late')", (C2,))
        return numbers

    monkeypatch.setattr(vault, "records_of", then_another_node_writes)
    with pytest.raises(LedgerError, match="no record of number 4000000"):  # the second plan has seen it
        erased(worked)
    assert late == [True]


def test_two_nodes_that_erase_at_once_erase_once(worked, tmp_path):
    other = ServerDesk.__new__(ServerDesk)
    other.__dict__.update({**worked.__dict__, "kernel": None})
    other.reopen()
    barrier, done = threading.Barrier(2), []

    def erase(desk):
        barrier.wait()
        done.append(erased(desk).record)

    threads = [threading.Thread(target=erase, args=(desk,)) for desk in (worked, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert sum(record is not None for record in done) == 1
    assert [record.kind for record in worked.records()].count("erased") == 1
    assert_sound(worked)


def test_a_dump_that_is_restored_is_erased_again_before_it_is_read(worked):
    worked.settle()
    tool, arguments = programs(), ["-h", str(worked.server.folder), "-U", "edca", "-d", "postgres"]
    dumped = subprocess.run([tool / "pg_dump", *arguments, "-n", worked.schema], capture_output=True, check=True)
    erased(worked)
    worked.close()
    with psycopg.connect(worked.server.dsn, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {worked.schema} CASCADE")
    subprocess.run([tool / "psql", "-q", *arguments], input=dumped.stdout, capture_output=True, check=True)
    assert stored_keys(worked)[C1]
    with worked.open_ledger(readonly=True) as ledger:
        assert ledger.vault.key(C1) is None  # also for who may not write
        assert ledger.vault.key(C3) is not None
    worked.reopen()
    assert stored_keys(worked)[C1] == b""
    assert worked.records()[-1].content["again"] is True
    assert_sound(worked)
    size = worked.ledger.size
    worked.reopen()
    assert worked.ledger.size == size


def test_an_erasure_whose_commit_was_lost_is_finished_at_the_next_opening(worked, monkeypatch):
    class Cut(BaseException):
        pass

    def cut(*_):
        raise Cut

    monkeypatch.setattr("edca.ledger.postgres.finish", cut)
    with pytest.raises(Cut):
        erased(worked)
    monkeypatch.undo()
    monkeypatch.setenv("EDCA_VAULT_KEY", MASTER)
    assert stored_keys(worked)[C1]
    worked.reopen()
    assert stored_keys(worked)[C1] == b""
    assert [record.kind for record in worked.records()].count("erased") == 1
    assert_sound(worked)


class URLDesk(ServerDesk):
    """The desk over a database of its own, in the schema that a URL means."""

    def __init__(self, folder, server, url):
        self.url = url
        super().__init__(folder, server, "edca")

    def open_ledger(self, **parts):
        return PostgresLedger.open(self.url, **{"erasures": self.list, **parts})


def test_the_commands_do_it_by_url_while_a_service_runs(tmp_path, server, schema, monkeypatch, capsys):
    monkeypatch.setenv("EDCA_VAULT_KEY", MASTER)
    monkeypatch.setenv("EDCA_ERASURES", str(tmp_path / "kept.erasures"))
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {schema}")
    url = server.dsn.replace("///postgres", f"///{schema}")
    desk = URLDesk(tmp_path, server, url)
    desk.work()
    kept = tmp_path / "retention.toml"
    kept.write_text('[[classes]]\nname = "answered"\nmachine = "complaints"\ndays = 0\n', "utf-8")

    def edca(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return ended.value.code, "".join(capsys.readouterr())

    order = ("--by", "otto", "--because", "her request", "--now", "2026-03-20T12:00:00Z")
    assert edca("hold", "mia", url, *order)[0] == 0
    code, told = edca("erase", "mia", url, "--even-open", *order)
    assert (code, "legal hold" in told) == (2, True)
    assert edca("hold", "mia", url, "--release", *order)[0] == 0
    code, told = edca("erase", "mia", url, "--even-open", *order)
    assert (code, f"destroyed the key of {C1}" in told) == (0, True)
    assert desk.note("c1", bot("mia"), "PLANTED-later").verdict.code == "unknown_case"  # the service has noticed
    purge = ("--rules", kept, "--purge", "--by", "otto", "--now", "2026-03-20T12:00:00Z")
    code, told = edca("retention", url, *purge, "--json")
    assert (code, [one["scopes"] for one in json.loads(told)]) == (0, [[C3]])
    desk.settle()
    for command, says in (("verify", "they were erased, on record"), ("replay", "input erased")):
        code, told = edca(command, url)
        assert (code, says in told) == (0, True)
    desk.close()
    desk.engine.dispose()
