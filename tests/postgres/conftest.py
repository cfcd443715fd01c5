"""A PostgreSQL server for the tests of this folder, and an empty schema of it for each of them."""

import sqlite3
import sys
from contextlib import closing
from itertools import count
from pathlib import Path

import psycopg
import pytest

from edca.api import FixedClock, Kernel, open_engine
from edca.cli.main import main

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from postgres_server import Server, programs
from refund_desk import REFUND

_schemas = count()
_databases = count()


@pytest.fixture(scope="session")
def server():
    """A running server of this process's own."""
    found = programs()
    if found is None:
        pytest.skip("the package `pgserver`, which brings a PostgreSQL server, is not installed")
    made = Server(found)
    yield made
    made.stop()


@pytest.fixture
def schema():
    """A schema that no other test uses."""
    return f"test_{next(_schemas)}"


@pytest.fixture
def opened(server, schema):
    """Open the test's ledger: each call is one more node. All are closed in the end."""
    from edca.ledger.postgres import PostgresLedger  # noqa: PLC0415  # not before the server is there

    nodes = []

    def node(**parts):
        nodes.append(PostgresLedger.open(server.dsn, schema=schema, **parts))
        return nodes[-1]

    yield node
    for one in nodes:
        one.close()


@pytest.fixture
def url(server):
    """An empty database of the test's own, by its URL."""
    name = f"by_url_{next(_databases)}"
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.dsn.replace("///postgres", f"///{name}")


@pytest.fixture
def shop(tmp_path):
    """A shop's own database, by its URL."""
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript((REFUND / "shop.sql").read_text("utf-8"))
    return f"sqlite:///{tmp_path / 'shop.db'}"


@pytest.fixture
def kernel(url, shop):
    """The refund desk over a ledger in PostgreSQL."""
    with Kernel.open(
        REFUND / "refund.edca",
        routes=REFUND / "refund.arp",
        roster=REFUND / "roster.toml",
        ledger=url,
        clock=FixedClock("2026-03-20T12:00:00Z"),
        engines={"shop": open_engine(shop)},
    ) as opened:
        yield opened


@pytest.fixture
def edca(capsys):
    """The program."""

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run
