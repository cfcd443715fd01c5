"""A case stands where its records left it: an edited, deleted or restored row stops all instead of paying twice."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edca.api import Accepted, Caller, FixedClock, Kernel, LedgerError
from edca.kernel import canonical
from edca.ledger.leaf import Leaf
from edca.routing.engine import open_engine

PAY = {"transition": "pay", "arguments": {"order_id": "o1"}}
OFFER = {"order_id": "o1", "amount": "20.00", "picks": [{"sku": "a1", "count": 1}]}
APPROVE = {"transition": "approve_refund", "arguments": OFFER, "confidence": 0.93}
BOT = Caller("desk-bot", "assistant", subject="carla", model="small-model-2026-01-15")
SVEN = Caller("sven", "supervisor", subject="carla")


@pytest.fixture
def folder(repository: Path, tmp_path: Path) -> Path:
    shop = sqlite3.connect(tmp_path / "shop.db")
    shop.executescript((repository / "specs" / "refund" / "shop.sql").read_text("utf-8"))
    shop.close()
    return tmp_path


def _open(repository: Path, folder: Path) -> Kernel:
    refund = repository / "specs" / "refund"
    return Kernel.open(
        refund / "refund.edca",
        routes=refund / "refund.arp",
        roster=refund / "roster.toml",
        ledger=folder / "ledger.db",
        engines={"shop": open_engine(f"sqlite:///{folder / 'shop.db'}")},
        clock=FixedClock("2026-03-20T12:00:00Z"),
    )


def _paid(folder: Path) -> int:
    shop = sqlite3.connect(folder / "shop.db")
    (count,) = shop.execute("SELECT count(*) FROM t_bank").fetchone()
    shop.close()
    return int(count)


def _approve_and_pay(repository: Path, folder: Path) -> None:
    with _open(repository, folder) as kernel:
        said = [
            kernel.attest("agreed", True, by="carla", role="customer"),
            kernel.attest("reason", "Broken.", by="carla", role="customer"),
        ]
        assert isinstance(kernel.submit(APPROVE, caller=BOT, attestations=said).verdict, Accepted)
        assert isinstance(kernel.submit(PAY, caller=SVEN).verdict, Accepted)
    assert _paid(folder) == 1


def _surgery(folder: Path, statement: str, *parameters: object) -> None:
    ledger = sqlite3.connect(folder / "ledger.db")
    ledger.execute(statement, parameters)
    ledger.commit()
    ledger.close()


def _row(folder: Path) -> tuple[str, dict[str, dict[str, object]]]:
    ledger = sqlite3.connect(folder / "ledger.db")
    key, value = ledger.execute("SELECT key, value FROM cells WHERE space = 'case'").fetchone()
    ledger.close()
    data = canonical.decode(value)
    assert isinstance(data, dict)
    return key, data  # type: ignore[return-value]  # a row's own shape


@pytest.mark.parametrize(
    ("part", "value"),
    [("state", "approved"), ("revision", 1), ("memory", {"promised": 9000}), ("key", ["o2"]), ("touched", 0)],
)
def test_an_edited_row_is_not_believed(repository: Path, folder: Path, part: str, value: object) -> None:
    _approve_and_pay(repository, folder)
    key, data = _row(folder)
    data["case"][part] = value
    encoded = canonical.encode(data)  # type: ignore[arg-type]  # a row is canonical data
    _surgery(folder, "UPDATE cells SET value = ? WHERE space = 'case' AND key = ?", encoded, key)
    with _open(repository, folder) as kernel, pytest.raises(LedgerError, match="newest record left it"):
        kernel.submit(PAY, caller=SVEN)
    assert _paid(folder) == 1


def test_a_row_of_another_machine_is_not_believed_either(repository: Path, folder: Path) -> None:
    _approve_and_pay(repository, folder)
    key, data = _row(folder)
    data["case"] |= {"machine": bytes(32), "revision": 0, "pending": None}
    encoded = canonical.encode(data)  # type: ignore[arg-type]  # a row is canonical data
    _surgery(folder, "UPDATE cells SET value = ? WHERE space = 'case' AND key = ?", encoded, key)
    _surgery(folder, "DELETE FROM cells WHERE space = 'key'")
    with _open(repository, folder) as kernel, pytest.raises(LedgerError, match="newest record left it"):
        kernel.submit(APPROVE, caller=BOT)
    assert _paid(folder) == 1


def test_recovery_does_not_believe_an_edited_row_either(repository: Path, folder: Path) -> None:
    _approve_and_pay(repository, folder)
    key, data = _row(folder)
    ledger = sqlite3.connect(folder / "ledger.db")
    (index,) = ledger.execute("SELECT leaf - 1 FROM chains WHERE chain = ?", (key,)).fetchone()  # the payment's verdict
    (header,) = ledger.execute("SELECT header FROM ledger WHERE leaf = ?", (index,)).fetchone()
    ledger.close()
    data["case"] |= {"state": "approved", "revision": 1, "pending": Leaf.from_bytes(header).body_digest}
    data["record"] = index
    encoded = canonical.encode(data)  # type: ignore[arg-type]  # a row is canonical data
    _surgery(folder, "UPDATE cells SET value = ? WHERE space = 'case' AND key = ?", encoded, key)
    with pytest.raises(LedgerError, match="newest record left it"):
        _open(repository, folder)
    assert _paid(folder) == 1


def test_a_row_that_is_none_is_a_ledger_error(repository: Path, folder: Path) -> None:
    _approve_and_pay(repository, folder)
    for garbage in (b"\x80", b"\xc1", b"\x93\x01\x02\x03"):
        _surgery(folder, "UPDATE cells SET value = ? WHERE space = 'case'", garbage)
        with pytest.raises(LedgerError, match="can't be read"):
            _open(repository, folder)


def test_a_deleted_row_is_missed(repository: Path, folder: Path) -> None:
    _approve_and_pay(repository, folder)
    _surgery(folder, "DELETE FROM cells WHERE space = 'case'")
    with _open(repository, folder) as kernel, pytest.raises(LedgerError, match="disagree on whether it exists"):
        kernel.submit(PAY, caller=SVEN)
    assert _paid(folder) == 1


@pytest.mark.parametrize("statement", ["DELETE FROM chains WHERE chain LIKE '/order%'", "UPDATE chains SET entry = 0"])
def test_a_chain_that_would_start_anew_is_noticed_on_opening(repository: Path, folder: Path, statement: str) -> None:
    _approve_and_pay(repository, folder)
    _surgery(folder, statement)
    with pytest.raises(LedgerError, match="newest records of the chains"):
        _open(repository, folder)
