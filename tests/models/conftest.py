"""A refund desk with the repository's own spec and routes, and models that say what a test has them say."""

import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edca.api import Caller, FixedClock, Kernel, open_engine
from edca.ledger.sqlite import SQLiteLedger

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE)]

MODEL = "small-model-2026-01-15"


class Desk:
    """A folder with the refund desk's files and its database; kernels over it are closed at the end of the test."""

    def __init__(self, folder: Path, specs: Path) -> None:
        self.folder = folder
        self.files = {name: specs / name for name in ("refund.edca", "refund.arp", "roster.toml")}
        self.shop = folder / "shop.db"
        with closing(sqlite3.connect(self.shop)) as connection:
            connection.executescript((specs / "shop.sql").read_text("utf-8"))
        self.engine = open_engine(f"sqlite:///{self.shop}")
        self.clock = FixedClock("2026-03-20T12:00:00Z")
        self.bot = Caller("desk-bot", "assistant", subject="carla", model=MODEL)
        self.sven = Caller("sven", "supervisor", subject="carla")
        self.kernels: list[Kernel] = []

    def open(self, **options: object) -> Kernel:
        """A kernel over the desk."""
        files = {"routes": self.files["refund.arp"], "roster": self.files["roster.toml"]}
        given = {"ledger": self.folder / "refunds.ledger", "clock": self.clock, "engines": {"shop": self.engine}}
        kernel = Kernel.open(self.files["refund.edca"], **{**files, **given, **options})
        self.kernels.append(kernel)
        return kernel

    def run_sql(self, text: str) -> None:
        """Change the shop's database behind the kernel."""
        with closing(sqlite3.connect(self.shop)) as connection:
            connection.execute(text)
            connection.commit()

    def vouched(self, kernel: Kernel) -> tuple[object, ...]:
        """The customer's reason, and their yes."""
        return (
            kernel.attest("reason", "It arrived broken.", by="carla", role="customer", source="web form"),
            kernel.attest("agreed", True, by="carla", role="customer", source="web form"),
        )

    def close(self) -> None:
        for kernel in self.kernels:
            kernel.close()
        self.engine.dispose()


@pytest.fixture
def desk(tmp_path, repository):
    desk = Desk(tmp_path, repository / "specs" / "refund")
    yield desk
    desk.close()


@pytest.fixture
def tenants(desk, repository):
    """Two tenants with databases of their own, over one ledger."""
    other = desk.folder / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.executescript((repository / "specs" / "refund" / "shop.sql").read_text("utf-8"))
        connection.execute("UPDATE t_so SET so_no = 'p1' WHERE so_no = 'o1'")
        connection.execute("UPDATE t_sol SET so_no = 'p1' WHERE so_no = 'o1'")
        connection.commit()
    engine = open_engine(f"sqlite:///{other}")
    with SQLiteLedger.open(desk.folder / "both.ledger") as ledger:
        kernels = {
            "north": desk.open(ledger=ledger, tenant="north"),
            "south": desk.open(ledger=ledger, tenant="south", engines={"shop": engine}),
        }
        yield kernels
        desk.close()
    engine.dispose()


@pytest.fixture
def usage(tmp_path):
    """A kernel of a machine whose only limit is over the tokens that asking models costs."""
    path = tmp_path / "books.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE t_desk(dno TEXT PRIMARY KEY, opn_f INTEGER); INSERT INTO t_desk VALUES('d1', 1);"
        )
    shutil.copy(_HERE / "usage.edca", tmp_path)
    roster = tmp_path / "people.toml"
    roster.write_text('[[principals]]\nid = "host"\nroles = ["operator"]\n')
    engine = open_engine(f"sqlite:///{path}")
    with Kernel.open(
        tmp_path / "usage.edca",
        routes=_HERE / "usage.arp",
        roster=roster,
        ledger=tmp_path / "usage.ledger",
        clock=FixedClock("2026-03-20T12:00:00Z"),
        engines={"books": engine},
    ) as kernel:
        yield kernel
    engine.dispose()
