"""A desk on SQLite whose tickets, queues and accounts nobody can name."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from edca.api import Caller, Came, FixedClock, Kernel, Mandate, Principal, Roster
from edca.kernel.calendar import parse_time

_HERE = Path(__file__).resolve().parent
MODEL = "small-model-2024-05-01"
BOT = Caller("bot", "bot", subject="carla", model=MODEL)
SECRET = b"s" * 32
RAW = ("t-4711", "t-4712", "q-north", "q-south", "acc-0815", "carla", "mallory", "hanna")
NOW = "2026-03-20T12:00:00Z"


class World:
    """A desk on SQLite, opened as often as a test likes."""

    def __init__(self, folder: Path) -> None:
        """Fill the office's database."""
        self.ledger = folder / "ledger.db"
        self.office = folder / "office.db"
        with closing(sqlite3.connect(self.office)) as connection:
            connection.executescript("""
                CREATE TABLE t_que(qno TEXT PRIMARY KEY, ful_f INTEGER);
                CREATE TABLE t_tic(tno TEXT PRIMARY KEY, cno TEXT, hno TEXT, qno TEXT, acc TEXT, urg_f INTEGER);
                INSERT INTO t_que VALUES('q-north', 0), ('q-south', 0), ('q-west', 1);
                INSERT INTO t_tic VALUES('t-4711', 'carla', NULL, 'q-north', 'acc-0815', 1);
                INSERT INTO t_tic VALUES('t-4712', 'mallory', 'hanna', 'q-north', 'acc-9999', 1);""")

    def open(self, now: str = NOW) -> Kernel:
        """Open the desk's kernel."""
        start, end = parse_time("2026-01-01T00:00:00Z"), parse_time("2027-01-01T00:00:00Z")
        assert start is not None
        assert end is not None
        people = (
            Principal("bot", ("bot",), MODEL),
            Principal("other-bot", ("bot",), MODEL),
            *(Principal(name, ("person",)) for name in ("carla", "mallory")),
            Principal("hanna", ("clerk",)),
        )
        return Kernel.open(
            _HERE / "desk.edca",
            routes=_HERE / "desk.arp",
            roster=Roster(people, (Mandate("standing", "hanna", "clerk", "desk", (), start, end),)),
            ledger=self.ledger,
            clock=FixedClock(now),
        )


def close(ticket: Any, account: Any) -> dict[str, Any]:
    """Return what proposes to close a ticket."""
    return {"transition": "close", "arguments": {"ticket_id": ticket, "account": account}}


def altered(handle: str) -> str:
    """Return the handle with one character changed."""
    return f"{handle[:9]}{'b' if handle[9] == 'a' else 'a'}{handle[10:]}"


def told(came: Came) -> str:
    """Return what a model is told, as text."""
    return json.dumps(came.told.to_raw(), sort_keys=True)
