"""Shared by the airline tests: the world module, loaded by path, and the recordings where present."""

import importlib.util
import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
RECORDINGS = ROOT.parent / "shared" / "data" / "taubench" / "airline"


@pytest.fixture(scope="session")
def world() -> ModuleType:
    """Return `specs/airline/world.py`, which belongs to no package."""
    name = "airline_world"
    spec = importlib.util.spec_from_file_location(name, ROOT / "specs" / "airline" / "world.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (RECORDINGS / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def folder() -> Path:
    if not RECORDINGS.is_dir():
        pytest.skip("the recordings aren't beside the checkout (../shared/data)")
    return RECORDINGS


@pytest.fixture(scope="session")
def tasks(folder: Path) -> list[dict[str, Any]]:
    return _lines("tasks.jsonl")


@pytest.fixture(scope="session")
def runs(folder: Path) -> list[dict[str, Any]]:
    return _lines("trajectories.jsonl")


@pytest.fixture(scope="session")
def recorded(world: ModuleType, folder: Path) -> dict[str, Any]:
    """Return the recordings' data; tests branch it and never change it."""
    data: dict[str, Any] = world.read_data(folder / "db")
    return data


@pytest.fixture(scope="session")
def recorded_template(world: ModuleType, folder: Path) -> Iterator[sqlite3.Connection]:
    connection: sqlite3.Connection = world.template(folder / "db")
    yield connection
    connection.close()


@pytest.fixture
def small() -> dict[str, Any]:
    """Return the small world."""
    return small_world()


def small_world() -> dict[str, Any]:
    """Return a world of one customer, one reservation and two flights; it needs no recordings."""
    seats = {"basic_economy": 9, "economy": 2, "business": 0}
    prices = {"basic_economy": 50, "economy": 100, "business": 300}
    open_day = {"status": "available", "available_seats": seats, "prices": prices}
    flown_day = {
        "status": "landed",
        "actual_departure_time_est": "2024-05-01T06:26:00",
        "actual_arrival_time_est": "2024-05-01T06:58:00",
    }
    flights = {
        number: {
            "flight_number": number,
            "origin": origin,
            "destination": destination,
            "scheduled_departure_time_est": "06:00:00",
            "scheduled_arrival_time_est": "07:00:00",
            "dates": {"2024-05-01": flown_day, "2024-05-20": open_day, "2024-05-21": {"status": "cancelled"}},
        }
        for number, origin, destination in (("HAT001", "PHL", "LGA"), ("HAT002", "LGA", "PHL"))
    }
    leg = {"flight_number": "HAT001", "date": "2024-05-20", "price": 80}
    people = [
        {"first_name": "Ann", "last_name": "Lee", "dob": "1990-04-05"},
        {"first_name": "Bo", "last_name": "Lee", "dob": "1991-04-05"},
    ]
    reservation = {
        "reservation_id": "AAAAAA",
        "user_id": "ann_lee_1",
        "origin": "PHL",
        "destination": "LGA",
        "flight_type": "one_way",
        "cabin": "economy",
        "flights": [{**leg, "origin": "PHL", "destination": "LGA"}],
        "passengers": people,
        "payment_history": [{"payment_id": "gift_card_1", "amount": 160}],
        "created_at": "2024-05-14T16:03:16",
        "total_baggages": 1,
        "nonfree_baggages": 0,
        "insurance": "no",
    }
    user = {
        "name": {"first_name": "Ann", "last_name": "Lee"},
        "email": "ann@example.com",
        "payment_methods": {
            "credit_card_1": {
                "source": "credit_card",
                "brand": "visa",
                "last_four": "1111",
                "id": "credit_card_1",
            },
            "gift_card_1": {"source": "gift_card", "amount": 90.5, "id": "gift_card_1"},
            "certificate_1": {"source": "certificate", "amount": 100, "id": "certificate_1"},
        },
        "membership": "silver",
        "reservations": ["AAAAAA"],
    }
    return {"flights": flights, "reservations": {"AAAAAA": reservation}, "users": {"ann_lee_1": user}}


@pytest.fixture
def database(world: ModuleType, small: dict[str, Any]) -> Iterator[sqlite3.Connection]:
    """Yield the small world's internal database."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    world.load(small, connection)
    yield connection
    connection.close()
