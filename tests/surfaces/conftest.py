"""Shared by the tests of the command line: a small theatre, and the program run in this process."""

import io
import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edca.cli.main import main

FIXTURES = Path(__file__).parent / "fixtures"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of the program left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


Edca = Submit = Callable[..., Ran]


@pytest.fixture
def edca(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Edca:
    """The program: `edca("check", path)`; `stdin` is what it reads."""

    def run(*arguments: object, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsysbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Ran(code, out.decode("utf-8"), err.decode("utf-8"))

    return run


@pytest.fixture
def theatre(tmp_path: Path) -> Path:
    """A folder with spec, routes, roster, trial settings, traces, and the house's database `house.db`."""
    folder = tmp_path / "theatre"
    shutil.copytree(FIXTURES, folder)
    connection = sqlite3.connect(folder / "house.db")
    connection.executescript(
        "CREATE TABLE t_st (sno TEXT PRIMARY KEY, prc_c INTEGER NOT NULL, tk INTEGER NOT NULL);"
        "CREATE TABLE t_done (op_key TEXT PRIMARY KEY, body TEXT NOT NULL);"
        "INSERT INTO t_st VALUES ('a1', 2000, 0), ('a2', 2000, 0), ('a3', 2000, 1);"
    )
    connection.close()
    return folder


@pytest.fixture
def host(theatre: Path) -> list[object]:
    """The options of a host that knows routes, source, time and proposer."""
    options: list[object] = ["--routes", theatre / "seats.arp", "--source", f"house=sqlite:///{theatre / 'house.db'}"]
    options += ["--now", "2026-03-20T12:00:00Z", "--as", "bot", "--role", "assistant", "--model", "m-1", "--for", "ann"]
    return options


@pytest.fixture
def submit(edca: Edca, theatre: Path, host: list[object]) -> Submit:
    """Submit a candidate: `submit({"transition": …}, "--json")`; bytes go as they are."""

    def run(candidate: dict[str, object] | bytes, *options: object) -> Ran:
        payload = candidate if isinstance(candidate, bytes) else json.dumps(candidate).encode("utf-8")
        kept = ["--roster", theatre / "roster.toml", "--ledger", theatre / "seats.ledger"]
        return edca("submit", theatre / "seats.edca", "-", *host, *kept, *options, stdin=payload)

    return run


@pytest.fixture
def ledger(theatre: Path, submit: Submit) -> Path:
    """A ledger with an escalated, an accepted, a refused and a malformed candidate."""
    sell: dict[str, object] = {"transition": "sell_seat", "arguments": {"seat_id": "a1", "offer": 20}, "key": "k1"}
    submit(sell)
    submit(sell, "--attest", "agreed=true:ann:guest")
    submit({"transition": "sell_seat", "arguments": {"seat_id": "a2", "offer": 1}, "key": "k2"})
    submit(b"not JSON")
    return theatre / "seats.ledger"
