"""Goal: internal names change, and nothing else does: neither the spec's digest, nor a transcript, nor an old ledger.

The same attempts are made over the shop as it is, over one whose tables and columns have other names, and over an HTTP
service; then all of the ledger is decided anew.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from shop_service import ARP as HTTP_ARP
from shop_service import FOLDER, TOKEN, Shop, start

from edca.api import Caller, FixedClock, Kernel, for_model, open_engine
from edca.diagnostics import Source
from edca.kernel.canonical import encode
from edca.routing.connections import Connection
from edca.semantic.candidate import admit

BOT = Caller("desk-bot", "assistant", subject="carla", model="small-model-2026-01-15")
SVEN = Caller("sven", "supervisor", subject="carla")
SQL_ARP = (FOLDER / "refund.arp").read_text("utf-8")
RENAMED = {"t_so": "Orders_v2", "tot_c": "gross", "hold_f": "blocked_x", "t_sol": "positions_v2", "back_c": "given"}
OFFERS = (("o1", "20.00"), ("o1", "90.00"), ("o3", "5.00"), ("o9", "5.00"), ("o1", "0.00"))

Opened = Callable[..., Kernel]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    with ExitStack() as stack:

        def make(routes: str, engines: dict[str, Connection] | None, ledger: str) -> Kernel:
            return stack.enter_context(
                Kernel.open(
                    FOLDER / "refund.edca",
                    routes=Source("shop.arp", routes),
                    roster=FOLDER / "roster.toml",
                    ledger=tmp_path / ledger,
                    clock=FixedClock("2026-03-20T12:00:00Z"),
                    engines=engines,
                )
            )

        yield make


def _shop(folder: Path, renamed: dict[str, str]) -> dict[str, Connection]:
    """Return the shop's own database; tables and columns have the other names where `renamed` has any."""
    path = folder / f"shop{len(renamed)}.db"
    schema = (FOLDER / "shop.sql").read_text("utf-8")
    schema = _named(schema, renamed)
    database = sqlite3.connect(path)
    database.executescript(schema)
    database.close()
    return {"shop": open_engine(f"sqlite:///{path}")}


def _routes(renamed: dict[str, str]) -> str:
    text = SQL_ARP.replace('version "1.0.0"', 'version "2.0.0"') if renamed else SQL_ARP
    return _named(text, renamed)


def _named(text: str, renamed: dict[str, str]) -> str:
    return re.sub(r"\w+", lambda word: renamed.get(word.group(), word.group()), text)


def _transcript(kernel: Kernel) -> list[bytes]:
    """Return every byte that a model sees of some attempts, and people of a payment."""
    seen: list[bytes] = []
    why = kernel.attest("reason", "It broke.", by="carla", role="customer", source="form")
    yes = kernel.attest("agreed", True, by="carla", role="customer", source="form")
    for number, amount in OFFERS:
        seen.append(encode(kernel.view("order", [number], caller=BOT).to_raw()))
        arguments = {"order_id": number, "amount": amount, "picks": [{"sku": "a1", "count": 1}]}
        payload = json.dumps({"transition": "approve_refund", "arguments": arguments, "confidence": 0.93}).encode()
        answer = kernel.submit(payload, caller=BOT, attestations=[why, yes])
        seen.append(encode(for_model(kernel.machine, admit(payload, BOT), answer.verdict).to_raw()))
    paid = kernel.submit({"transition": "pay", "arguments": {"order_id": "o1"}}, caller=SVEN)
    seen.append(str(paid.outcome).encode())
    seen.append(encode(kernel.view("order", ["o1"], caller=BOT).to_raw()))
    return seen


def test_other_internal_names_and_other_kinds_of_source_change_no_byte_that_is_seen(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = opened(SQL_ARP, _shop(tmp_path, {}), "plain.db")
    renamed = opened(_routes(RENAMED), _shop(tmp_path, RENAMED), "renamed.db")
    server, url = start(Shop())
    monkeypatch.setenv("REFUND_SHOP_API", url)
    monkeypatch.setenv("REFUND_SHOP_TOKEN", TOKEN)
    served = opened(HTTP_ARP, None, "served.db")
    assert plain.machine.digest == renamed.machine.digest == served.machine.digest
    first = _transcript(plain)
    assert first == _transcript(renamed)
    assert first == _transcript(served)
    for word in (*RENAMED, *RENAMED.values(), "so_no", "/v1/"):
        assert not any(word.encode() in each for each in first), word
    server.shutdown()
    server.server_close()


def test_an_old_ledger_replays_and_goes_on_under_new_routes(opened: Opened, tmp_path: Path) -> None:
    old = opened(SQL_ARP, _shop(tmp_path, {}), "one.db")
    _transcript(old)
    before = old.replay()
    assert (before.equal, before.total) == (before.total, before.total) and before.total > 5
    old.close()
    shop = sqlite3.connect(tmp_path / "shop0.db")
    for table in ("t_so", "t_sol"):
        shop.execute(f"ALTER TABLE {table} RENAME TO {RENAMED[table]}")
    for column in ("tot_c", "hold_f", "back_c"):
        shop.execute(f"ALTER TABLE {RENAMED['t_so']} RENAME COLUMN {column} TO {RENAMED[column]}")
    shop.close()
    new = opened(_routes(RENAMED), {"shop": open_engine(f"sqlite:///{tmp_path / 'shop0.db'}")}, "one.db")
    assert new.view("order", ["o1"], caller=BOT).state == "paid", "the case is where it was"
    after = new.replay()
    assert after.equal == after.total >= before.total
    answer = new.submit({"transition": "decline", "arguments": {"order_id": "o2"}}, caller=SVEN)
    assert type(answer.verdict).__name__ == "Accepted"
    assert new.replay().equal == new.replay().total > after.total
