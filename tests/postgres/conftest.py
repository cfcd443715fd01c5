"""A PostgreSQL server for the tests of this folder, and an empty schema of it for each of them."""

import sys
from itertools import count
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from postgres_server import Server, programs

_schemas = count()


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
