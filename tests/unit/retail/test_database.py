"""Goal: the internal database holds exactly the data, under other names, and gives it back."""

import sqlite3
from types import ModuleType
from typing import Any

import pytest


def test_projection_returns_what_was_loaded(
    world: ModuleType, small: dict[str, Any], database: sqlite3.Connection
) -> None:
    assert world.project(database, small) == small


def test_projection_returns_the_recorded_data(
    world: ModuleType, recorded: dict[str, Any], recorded_template: sqlite3.Connection
) -> None:
    assert (len(recorded["orders"]), len(recorded["users"]), len(recorded["products"])) == (1000, 500, 50)
    assert world.project(recorded_template, recorded) == recorded


def test_finished_orders_are_loaded_too(world: ModuleType, small: dict[str, Any]) -> None:
    swap = {"item_ids": ["102"], "new_item_ids": ["101"], "payment_method_id": "paypal_1"}
    for name, args in (
        ("cancel_pending_order", {"order_id": "#W1", "reason": "ordered by mistake"}),
        ("modify_pending_order_items", {"order_id": "#W3", **swap}),
        ("exchange_delivered_order_items", {"order_id": "#W2", **swap}),
        ("return_delivered_order_items", {"order_id": "#W6", "item_ids": ["202"], "payment_method_id": "paypal_2"}),
    ):
        assert not world.apply_call(small, name, args).startswith("Error"), name
    connection = sqlite3.connect(":memory:")
    world.load(small, connection)
    assert world.project(connection, small) == small
    connection.close()


def test_codes_and_units(database: sqlite3.Connection) -> None:
    statuses = database.execute("SELECT st FROM t_hd ORDER BY ono").fetchall()
    assert statuses == [(10,), (30,), (10,), (20,), (10,), (30,)]
    tenders = database.execute("SELECT tid, kd, bal_c FROM t_tnd WHERE cno = 'ann_lee_1' ORDER BY pos").fetchall()
    assert tenders == [("credit_card_1", "C", None), ("gift_card_1", "G", 5100), ("paypal_1", "P", None)]
    assert database.execute("SELECT amt_c FROM t_bk WHERE ono = '#W1'").fetchall() == [(15004,)]


def test_an_amendment_changes_the_first_line_that_carries_the_article(database: sqlite3.Connection) -> None:
    insert = "INSERT INTO t_amd (ono, out_a, in_a, prc_c) VALUES ('#W3', ?, ?, 1)"
    database.execute(insert, ["101", "103"])
    assert database.execute("SELECT ano, prc_c FROM t_ln WHERE ono = '#W3' ORDER BY lid").fetchall() == [
        ("103", 1),
        ("102", 4050),
        ("101", 5005),
    ]
    with pytest.raises(sqlite3.IntegrityError, match="no such line"):
        database.execute(insert, ["201", "202"])


def test_no_public_code_or_key_is_stored_internally(database: sqlite3.Connection) -> None:
    tables = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 't%'").fetchall()
    columns = {row[1] for (table,) in tables for row in database.execute(f"PRAGMA table_info({table})")}
    assert not columns & {"status", "order_id", "user_id", "item_id", "payment_method_id", "amount", "price", "balance"}
    rows = (row for (table,) in tables for row in database.execute(f"SELECT * FROM {table}"))
    values = {value for row in rows for value in row}
    assert not values & {"pending", "delivered", "processed", "gift_card", "credit_card", "paypal", "payment"}
