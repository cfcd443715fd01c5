"""Whole recorded runs, reads included, through the kernel: what the recorded tool told is what the query returns."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from edca.ledger.record import parse
from edca.ledger.sqlite import SQLiteLedger

if TYPE_CHECKING:
    from pathlib import Path


def _reads(repository: Path, tmp_path: Path, domain: str) -> list[tuple[str, Any, dict[str, Any]]]:
    """Every read of the recorded runs: its name, what the recorded tool answered, and the kernel's verdict."""
    data = repository.parent / "shared" / "data" / "taubench" / domain
    if not data.is_dir():
        pytest.skip("the recorded runs are not beside this checkout (../shared/data)")
    spec, ledger = repository / "specs" / domain, tmp_path / "trial.ledger"
    command = [sys.executable, "-m", "edca.cli", "trial", str(spec / f"{domain}.edca")]
    command += ["--routes", str(spec / f"{domain}.arp"), "--trace", str(data / "trajectories.jsonl")]
    command += ["--assume-confirmed", "--follow", "recording", "--json", "--ledger", str(ledger)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    rows = {(row["run"], row["i"]): row for row in json.loads(done.stdout)["rows"] if row["label"] == "R"}
    found = []
    with closing(SQLiteLedger.open(ledger)) as opened:
        for text in (data / "trajectories.jsonl").read_text("utf-8").splitlines():
            run = json.loads(text)
            for event in run["events"]:
                if event["t"] == "call" and event["kind"] == "read":
                    row = rows.pop((run["traj_id"], event["i"]))
                    record = parse(opened.read(row["record"]).body)
                    assert record.kind == "query"
                    found.append((event["name"], event["result"], record.content["verdict"]))
    assert rows == {}
    return found


def _number(value: object) -> Decimal:
    return Decimal(str(value)).normalize()


def _flights(told: Any, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return sorted(tuple(_number(one[name]) if "price" in name else one[name] for name in names) for one in told)


_CABINS = ("basic_economy", "economy", "business")


def _direct(recorded: list[Any]) -> list[Any]:
    """The recorded flights, flat as the query returns them."""
    return [
        {
            "flight_number": one["flight_number"],
            "departs": one["scheduled_departure_time_est"],
            "arrives": one["scheduled_arrival_time_est"],
            **{f"{cabin}_seats": one["available_seats"][cabin] for cabin in _CABINS},
            **{f"{cabin}_price": one["prices"][cabin] for cabin in _CABINS},
        }
        for one in recorded
    ]


def test_every_read_of_the_airlines_runs_tells_what_the_tool_told(repository: Path, tmp_path: Path) -> None:
    names = ("flight_number", "departs", "arrives", *(f"{c}_{w}" for c in _CABINS for w in ("seats", "price")))
    compared = 0
    for name, result, verdict in _reads(repository, tmp_path, "airline"):
        if result.startswith("Error"):
            assert verdict["outcome"] == "refused", (name, result)
            continue
        recorded, values = json.loads(result), verdict["values"]
        match name:
            case "search_direct_flight":
                assert _flights(values["flights"], names) == _flights(_direct(recorded), names)
            case "search_onestop_flight":
                pairs = sorted((a["flight_number"], a["date"], b["flight_number"], b["date"]) for a, b in recorded)
                keys = ("first_number", "first_date", "second_number", "second_date")
                assert _flights(values["flights"], keys) == pairs
            case "get_user_details":
                assert values["name"] == list(recorded["name"].values())
                assert values["membership"] == recorded["membership"]
                assert [one["id"] for one in values["payment_methods"]] == list(recorded["payment_methods"])
                assert values["saved_passengers"] == recorded["saved_passengers"]
                assert values["reservations"] == recorded["reservations"]
            case "get_reservation_details":
                for part in ("reservation_id", "user_id", "origin", "destination", "cabin", "insurance", "passengers"):
                    assert values[part] == recorded[part]
                flights = [(one["flight_number"], one["date"], _number(one["price"])) for one in recorded["flights"]]
                told = [(one["flight_number"], one["date"], _number(one["price"])) for one in values["flights"]]
                assert told == flights
                payments = [(one["payment_id"], _number(one["amount"])) for one in recorded["payment_history"]]
                assert [(one["payment_id"], _number(one["amount"])) for one in values["payment_history"]] == payments
            case "list_all_airports":
                assert values["airports"] == sorted(recorded)
        compared += 1
    assert compared >= 98


def test_every_read_of_the_shops_runs_tells_what_the_tool_told(repository: Path, tmp_path: Path) -> None:
    compared = refused = 0
    for name, result, verdict in _reads(repository, tmp_path, "retail"):
        if result.startswith("Error"):
            assert verdict["outcome"] == "refused", (name, result)
            refused += 1
            continue
        values = verdict["values"]
        compared += 1
        if name.startswith("find_user_id"):
            assert values["user_id"] == result
            continue
        recorded = json.loads(result)
        match name:
            case "get_user_details":
                assert [values["first_name"], values["last_name"]] == list(recorded["name"].values())
                assert (values["address"], values["email"]) == (recorded["address"], recorded["email"])
                assert [one["id"] for one in values["payment_methods"]] == list(recorded["payment_methods"])
                assert values["orders"] == recorded["orders"]
            case "get_order_details":
                assert (values["order_id"], values["user_id"]) == (recorded["order_id"], recorded["user_id"])
                assert (values["status"], values["address"]) == (recorded["status"], recorded["address"])
                items = [(one["item_id"], one["name"], _number(one["price"])) for one in recorded["items"]]
                assert [(one["item_id"], one["name"], _number(one["price"])) for one in values["items"]] == items
                assert [json.loads(one["options"]) for one in values["items"]] == [
                    one["options"] for one in recorded["items"]
                ]
                tracked = [number for one in recorded["fulfillments"] for number in one["tracking_id"]]
                assert sorted(values["tracking"]) == sorted(tracked)
            case "get_product_details":
                variants = {one["item_id"]: (one["available"], _number(one["price"])) for one in values["variants"]}
                assert variants == {
                    item: (one["available"], _number(one["price"])) for item, one in recorded["variants"].items()
                }
            case "list_all_product_types":
                assert {one["name"]: one["product_id"] for one in values["products"]} == recorded
    assert (compared, refused) == (298, 8)
