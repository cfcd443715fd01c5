"""Goal: whose a row of a vault on a server is agrees with the records, or it is named, and nobody is erased by it."""

from collections import Counter

import psycopg
import pytest
from server_desk import MASTER, ServerDesk
from test_erase import C1, erased

from edca.api import ErasureError
from edca.runtime.vault_check import check_vault


@pytest.fixture
def worked(tmp_path, server, schema, monkeypatch):
    monkeypatch.setenv("EDCA_VAULT_KEY", MASTER)
    made = ServerDesk(tmp_path, server, schema)
    made.work()
    yield made
    made.close()
    made.engine.dispose()


def test_each_edited_column_absent_and_surplus_row_of_the_vault_is_named(worked):
    """By the record or the scope that it is of; and by a vault that contradicts the records nobody is erased."""
    worked.settle()
    columns = {"vault": ("number", "scope", "asker", "sealed"), "vault_keys": ("scope", "subject", "key", "name")}
    tried = Counter()

    def found():
        with worked.ledger.whole():
            return check_vault(worked.ledger).findings

    assert found() == ()
    with psycopg.connect(worked.server.dsn, options=f"-c search_path={worked.schema}", autocommit=True) as connection:

        def named(table, row, statement, parameters):
            connection.execute(f"CREATE TABLE kept AS SELECT * FROM {table}")
            connection.execute(statement, parameters)
            scope = row[columns[table].index("scope")]
            numbers = {row[0]} if table == "vault" else {one for one, of, *_ in rows["vault"] if of == scope}
            known = {stored.leaf.index for stored in worked.ledger.records() if stored.number in numbers}
            assert any(one.index in known or one.scope == scope for one in found()), (statement, row)
            connection.execute(f"TRUNCATE {table}")
            connection.execute(f"INSERT INTO {table} SELECT * FROM kept")
            connection.execute("DROP TABLE kept")

        rows = {
            table: connection.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY 1").fetchall()
            for table, names in columns.items()
        }
        for table, names in columns.items():
            for row in rows[table][::3]:
                named(table, row, f"DELETE FROM {table} WHERE {names[0]} = %s", (row[0],))
                for name, value in zip(names, row, strict=True):
                    changed = {str: f"{value}x", int: 4000000}.get(type(value), bytes(60))
                    named(table, row, f"UPDATE {table} SET {name} = %s WHERE {names[0]} = %s", (changed, row[0]))
                    tried[name] += 1
        assert set(tried) == {name for names in columns.values() for name in names}
        connection.execute("INSERT INTO vault VALUES(4000000, %s, '', 'x')", (C1,))
        assert ["number 4000000" in one.detail for one in found()] == [True]
        connection.execute("DELETE FROM vault WHERE number = 4000000")
        connection.execute(
            "INSERT INTO vault_keys SELECT 'x', subject, key, name FROM vault_keys WHERE scope = %s", (C1,)
        )
        assert [one.scope for one in found()] == ["x"]
        connection.execute("DELETE FROM vault_keys WHERE scope = 'x'")
        connection.execute("UPDATE vault_keys SET subject = 'ned' WHERE scope = %s", (C1,))
        with pytest.raises(ErasureError, match="the vault says that it is `ned`'s, and the records say `mia`'s"):
            erased(worked)
        assert worked.ledger.vault.key(C1) is not None
        connection.execute("UPDATE vault_keys SET subject = 'mia' WHERE scope = %s", (C1,))
    assert C1 in erased(worked).scopes
    assert found() == ()
