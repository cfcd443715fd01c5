"""A ledger as a real desk fills it: promises, payments, refusals, questions that wait, configuration."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from edca.api import Attestation, Caller, FixedClock, Kernel, open_engine
from edca.ledger.sqlite import SQLiteLedger

REFUND = Path(__file__).resolve().parents[3] / "specs" / "refund"
NOON = "2026-03-20T12:00:00Z"
BOT = Caller("desk-bot", "assistant", subject="carla", model="small-model-2026-01-15")
SVEN = Caller("sven", "supervisor", subject="carla")
_HOUR = 3600 * 1_000_000
_ORDERS_A_DAY = 40


def fill(folder: Path, records: int, *, otherwise_from: int | None = None) -> Path:
    """Write a ledger of at least so many records into `folder`, and return its file. Equal calls write equal bytes.

    From so many records on it goes another way, where `otherwise_from` is given.
    """
    with closing(sqlite3.connect(folder / "shop.db")) as shop, shop:
        shop.executescript((REFUND / "shop.sql").read_text("utf-8"))
        orders = [(f"n{number}", f"i{number}") for number in range(records)]
        copied = "INSERT INTO t_so SELECT ?, cst, cls, st, tot_c, 0, dlv_us, 0 FROM t_so WHERE so_no = 'o1'"
        shop.executemany(copied, [(order,) for order, _ in orders])
        shop.executemany("INSERT INTO t_sol VALUES (?, ?, 8000, 1)", orders)
    path, clock = folder / "ledger.db", FixedClock(NOON)
    engines = {"shop": open_engine(f"sqlite:///{folder / 'shop.db'}")}
    spec, routes, roster = REFUND / "refund.edca", REFUND / "refund.arp", REFUND / "roster.toml"
    with (
        SQLiteLedger.open(path, durable=False) as ledger,
        Kernel.open(spec, routes=routes, roster=roster, ledger=ledger, engines=engines, clock=clock) as kernel,
    ):
        number = 0
        while ledger.size < records:
            clock.advance(24 * _HOUR // _ORDERS_A_DAY)
            _serve(kernel, number, otherwise_from is not None and ledger.size >= otherwise_from)
            number += 1
    return path


def _serve(kernel: Kernel, number: int, otherwise: bool) -> None:
    """Let the desk take one order: most are promised and paid, some are refused, some left to wait for a person."""
    amount = ("20.00", "20.00", "90.00", "20.00", "0.00")[number % 5] if not otherwise else "10.00"
    candidate = {
        "transition": "approve_refund",
        "arguments": {"order_id": f"n{number}", "amount": amount, "picks": [{"sku": f"i{number}", "count": 1}]},
        "confidence": 0.93 if number % 7 else 0.40,
        "key": f"k{number}",
    }
    kernel.submit(candidate, caller=BOT, attestations=_said(kernel))
    kernel.submit({"transition": "pay", "arguments": {"order_id": f"n{number}"}}, caller=SVEN)
    if number % 20 == 0:
        kernel.submit(b"{ no candidate", caller=BOT)


def _said(kernel: Kernel) -> list[Attestation]:
    return [
        kernel.attest("agreed", True, by="carla", role="customer"),
        kernel.attest("reason", "It arrived broken.", by="carla", role="customer"),
    ]
