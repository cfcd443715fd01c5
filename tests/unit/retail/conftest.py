"""Shared by the retail tests: the world module, loaded by path, a small world, and the recordings where present."""

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
RECORDINGS = ROOT.parent / "shared" / "data" / "taubench" / "retail"


@pytest.fixture(scope="session")
def world() -> ModuleType:
    """Return `specs/retail/world.py`, which belongs to no package."""
    name = "retail_world"
    spec = importlib.util.spec_from_file_location(name, ROOT / "specs" / "retail" / "world.py")
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
def recorded_template(world: ModuleType, recorded: dict[str, Any]) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    world.load(recorded, connection)
    yield connection
    connection.close()


def place(number: int) -> dict[str, str]:
    """Return an address."""
    return {
        "address1": f"{number} Elm Street",
        "address2": "",
        "city": "Austin",
        "country": "USA",
        "state": "TX",
        "zip": "78712",
    }


def _products() -> dict[str, Any]:
    def product(number: str, name: str, *variants: tuple[str, float, bool]) -> dict[str, Any]:
        return {
            "name": name,
            "product_id": number,
            "variants": {
                item_id: {"item_id": item_id, "options": {"size": item_id}, "available": there, "price": price}
                for item_id, price, there in variants
            },
        }

    return {
        "100": product("100", "Shirt", ("101", 50.05, True), ("102", 40.5, True), ("103", 60, False)),
        "200": product("200", "Shoe", ("201", 99.99, True), ("202", 199.99, True)),
    }


def _order(order_id: str, user_id: str, status: str, items: list[str], paid_by: str) -> dict[str, Any]:
    products = _products()
    lines = []
    for item_id in items:
        product = products[f"{item_id[0]}00"]
        variant = product["variants"][item_id]
        line = {"name": product["name"], "product_id": product["product_id"], "item_id": item_id}
        lines.append({**line, "price": variant["price"], "options": variant["options"]})
    total = round(sum(line["price"] for line in lines), 2)
    return {
        "order_id": order_id,
        "user_id": user_id,
        "address": place(1),
        "items": lines,
        "fulfillments": [] if status == "pending" else [{"tracking_id": ["1"], "item_ids": items}],
        "status": status,
        "payment_history": [{"transaction_type": "payment", "amount": total, "payment_method_id": paid_by}],
    }


@pytest.fixture
def small() -> dict[str, Any]:
    """Return the small world."""
    return small_world()


def small_world() -> dict[str, Any]:
    """Return a world of two customers, a few orders and two products; it needs no recordings."""
    orders = [
        _order("#W1", "ann_lee_1", "pending", ["101", "201"], "credit_card_1"),
        _order("#W2", "ann_lee_1", "delivered", ["101", "101", "102"], "credit_card_1"),
        _order("#W3", "ann_lee_1", "pending", ["101", "102", "101"], "gift_card_1"),
        _order("#W4", "ann_lee_1", "processed", ["202"], "credit_card_1"),
        _order("#W5", "bo_ray_2", "pending", ["202"], "paypal_2"),
        _order("#W6", "bo_ray_2", "delivered", ["202"], "paypal_2"),
    ]
    card = {"source": "credit_card", "brand": "visa", "last_four": "1111", "id": "credit_card_1"}
    users = {
        "ann_lee_1": {
            "name": {"first_name": "Ann", "last_name": "Lee"},
            "address": place(1),
            "email": "ann@example.com",
            "payment_methods": {
                "credit_card_1": card,
                "gift_card_1": {"source": "gift_card", "balance": 51, "id": "gift_card_1"},
                "paypal_1": {"source": "paypal", "id": "paypal_1"},
            },
            "orders": ["#W1", "#W2", "#W3", "#W4"],
        },
        "bo_ray_2": {
            "name": {"first_name": "Bo", "last_name": "Ray"},
            "address": place(2),
            "email": "bo@example.com",
            "payment_methods": {"paypal_2": {"source": "paypal", "id": "paypal_2"}},
            "orders": ["#W5", "#W6"],
        },
    }
    return {"orders": {order["order_id"]: order for order in orders}, "products": _products(), "users": users}


@pytest.fixture
def database(world: ModuleType, small: dict[str, Any]) -> Iterator[sqlite3.Connection]:
    """Yield the small world's internal database."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    world.load(small, connection)
    yield connection
    connection.close()
