"""The complaints desk of the tests of erasure, with its ledger on a server."""

import sys
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "erasure"))

from complaints_desk import Desk

from edca.ledger.postgres import PostgresLedger

TABLES = ("records", "cells", "vault", "vault_keys", "leaves")
MASTER = "5a" * 32


class ServerDesk(Desk):
    """The desk with its ledger on a server."""

    def __init__(self, folder, server, schema):
        self.server, self.schema = server, schema
        self.list = folder / "kept.erasures"
        super().__init__(folder)

    def open_ledger(self, **parts):
        return PostgresLedger.open(self.server.dsn, schema=self.schema, **{"erasures": self.list, **parts})

    def settle(self):
        assert self.ledger.wait_sequenced(30)

    def files(self):
        """Return what lies beside the world, and every table of the ledger, as bytes."""
        with psycopg.connect(self.server.dsn, options=f"-c search_path={self.schema}") as connection:
            tables = {name: b"" for name in TABLES}
            for name in TABLES:
                for row in connection.execute(f"SELECT * FROM {name}").fetchall():
                    parts = (part if isinstance(part, bytes) else str(part).encode() for part in row)
                    tables[name] += b"|".join(parts)
        return super().files() | tables
