"""Where a candidate came from is kept on record: trace, model parameters, prompt, delegation. Nothing depends on it."""

from __future__ import annotations

import dataclasses
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edca.api import Caller, FixedClock, Kernel, open_engine
from edca.kernel.candidate import DELEGATION_MAX, PRINCIPAL_LENGTH_MAX
from edca.ledger.record import parse
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.replay import replay

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
BARE = Caller("desk-bot", "assistant", subject="carla", model="small-model-2026-01-15")
FULL = dataclasses.replace(
    BARE,
    trace=TRACE,
    parameters=hashlib.sha256(b"temperature 0").digest(),
    prompt=hashlib.sha256(b"You are ...").digest(),
    delegation=("carla", "front-desk"),
)
PICKS = [{"sku": "a1", "count": 1}]
CANDIDATE = {"transition": "approve_refund", "arguments": {"order_id": "o1", "amount": "90.00", "picks": PICKS}}


def records(repository: Path, folder: Path, caller: Caller, payload: Any = CANDIDATE) -> list[dict[str, Any]]:
    """Submit once on a ledger of its own, and return what its records hold. Replay must find nothing."""
    folder.mkdir()
    spec = repository / "specs" / "refund"
    with closing(sqlite3.connect(folder / "shop.db")) as shop:
        shop.executescript((spec / "shop.sql").read_text("utf-8"))
    files = {"routes": spec / "refund.arp", "roster": spec / "roster.toml", "ledger": folder / "ledger.db"}
    engines = {"shop": open_engine(f"sqlite:///{folder / 'shop.db'}")}
    clock = FixedClock("2026-03-20T12:00:00Z")
    with Kernel.open(spec / "refund.edca", engines=engines, clock=clock, **files) as kernel:
        kernel.submit(payload, caller=caller)
    with SQLiteLedger.open(folder / "ledger.db", readonly=True) as ledger:
        found = replay(ledger)
        assert (found.mismatches, found.not_replayed, found.cells) == ((), (), ())
        return [dict(parse(stored.body).content) for stored in ledger.records()]


@pytest.mark.parametrize("payload", [CANDIDATE, b"{ no candidate"], ids=["a candidate", "garbage"])
def test_it_is_kept_and_replayed_and_nothing_else_of_the_record_changes(
    repository: Path, tmp_path: Path, payload: Any
) -> None:
    *_, bare = records(repository, tmp_path / "bare", BARE, payload)
    *_, full = records(repository, tmp_path / "full", FULL, payload)
    assert "provenance" not in bare
    assert full.pop("provenance") == {
        "trace": TRACE,
        "parameters": FULL.parameters,
        "prompt": FULL.prompt,
        "delegation": ["carla", "front-desk"],
    }
    assert full == bare


def test_what_is_not_known_does_not_stand_there(repository: Path, tmp_path: Path) -> None:
    *_, last = records(repository, tmp_path / "one", dataclasses.replace(BARE, trace=TRACE))
    assert last["provenance"] == {"trace": TRACE}


@pytest.mark.parametrize(
    "wrong",
    [
        {"trace": TRACE.upper()},
        {"trace": f"01{TRACE[2:]}"},
        {"trace": f"00-{'0' * 32}-b7ad6b7169203331-01"},
        {"trace": f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01"},
        {"trace": TRACE + "-more"},
        {"parameters": b"temperature 0"},
        {"prompt": "You are ..."},
        {"delegation": ("",)},
        {"delegation": ("x" * (PRINCIPAL_LENGTH_MAX + 1),)},
        {"delegation": ("x",) * (DELEGATION_MAX + 1)},
    ],
)
def test_what_is_no_such_thing_is_refused_before_anything_is_decided(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"trace|digest|delegation"):
        dataclasses.replace(BARE, **wrong)


@pytest.mark.parametrize("payload", [{"query": "order", "arguments": {"order_id": "o1"}}, b"{ no query"])
def test_it_is_kept_of_what_is_looked_up_as_well(repository: Path, tmp_path: Path, payload: Any) -> None:
    """And the answer is the same without it."""
    kept, bare = (
        _asked(repository, tmp_path / str(place), caller, payload) for place, caller in enumerate((FULL, BARE))
    )
    told = kept.pop("provenance")
    assert told == {
        "trace": TRACE,
        "parameters": FULL.parameters,
        "prompt": FULL.prompt,
        "delegation": ["carla", "front-desk"],
    }
    assert kept == bare


def _asked(repository: Path, folder: Path, caller: Caller, payload: Any) -> dict[str, Any]:
    folder.mkdir()
    spec = repository / "specs" / "refund"
    with closing(sqlite3.connect(folder / "shop.db")) as shop:
        shop.executescript((spec / "shop.sql").read_text("utf-8"))
    files = {"routes": spec / "refund.arp", "roster": spec / "roster.toml", "ledger": folder / "ledger.db"}
    engines = {"shop": open_engine(f"sqlite:///{folder / 'shop.db'}")}
    with Kernel.open(
        spec / "refund.edca", engines=engines, clock=FixedClock("2026-03-20T12:00:00Z"), **files
    ) as kernel:
        kernel.query(payload, caller=caller)
    with SQLiteLedger.open(folder / "ledger.db", readonly=True) as ledger:
        assert replay(ledger).mismatches == ()
        *_, stored = ledger.records()
        return dict(parse(stored.body).content)
