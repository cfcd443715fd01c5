"""Goal: write calls change the data, and the internal database beside it, as the recorded tools did."""

import copy
import hashlib
import json
import sqlite3
from types import ModuleType
from typing import Any

import pytest

CANCEL = {"order_id": "#W3", "reason": "no longer needed"}
ADDRESS = {"address1": "9 Oak Road", "address2": "", "city": "Reno", "state": "NV", "country": "USA", "zip": "89501"}
ITEMS: dict[str, Any] = {
    "order_id": "#W3",
    "item_ids": ["101", "102"],
    "new_item_ids": ["102", "101"],
    "payment_method_id": "gift_card_1",
}
EXCHANGE: dict[str, Any] = {
    "order_id": "#W2",
    "item_ids": ["102", "101"],
    "new_item_ids": ["101", "102"],
    "payment_method_id": "paypal_1",
}
RETURN: dict[str, Any] = {"order_id": "#W2", "item_ids": ["102", "101"], "payment_method_id": "credit_card_1"}
PAYMENT = {"order_id": "#W1", "payment_method_id": "paypal_1"}


def _apply_as_recorded(world: ModuleType, data: dict[str, Any], name: str, args: dict[str, Any]) -> str:
    change = world.plan_call(data, name, args, recorded=True)
    data["orders"].update(change.orders)
    data["users"].update(change.users)
    answer: str = change.result
    return answer


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((key, _tuples(value[key])) for key in sorted(value))
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


class _Hash:
    """The recordings' own digest of a world: SHA-256 of its sorted, nested tuples as Python writes them.

    Texts of untouched entries are kept, by identity, as all worlds share them.
    """

    def __init__(self, untouched: dict[str, Any]) -> None:
        self._texts = {id(entry): str(_tuples(entry)) for entries in untouched.values() for entry in entries.values()}

    def of(self, data: dict[str, Any]) -> str:
        parts = [
            f"({part!r}, ({', '.join(f'({key!r}, {self._text(data[part][key])})' for key in sorted(data[part]))}))"
            for part in sorted(data)
        ]
        return hashlib.sha256(f"({', '.join(parts)})".encode()).hexdigest()

    def _text(self, entry: Any) -> str:
        return self._texts.get(id(entry)) or str(_tuples(entry))


def test_ground_truth_writes_reach_the_recorded_hash(
    world: ModuleType, recorded: dict[str, Any], tasks: list[dict[str, Any]]
) -> None:
    assert len(tasks) == 80
    digest = _Hash(recorded)
    untouched = digest.of(recorded)
    assert untouched == hashlib.sha256(str(_tuples(recorded)).encode()).hexdigest()
    for task in tasks:
        data = world.branch(recorded)
        writes = [action for action in task["actions"] if action["kind"] == "write"]
        for action in writes:
            answer = _apply_as_recorded(world, data, action["name"], action["kwargs"])
            assert answer.startswith("Error") is action["gt_replay_error"], task["task_id"]
        assert digest.of(data) == task["gt_db_hash"], (task["split"], task["task_id"])
    assert digest.of(recorded) == untouched


def test_recorded_writes_have_the_recorded_answers(
    world: ModuleType, recorded: dict[str, Any], runs: list[dict[str, Any]]
) -> None:
    seen = 0
    for run in runs:
        data = world.branch(recorded)
        for call in run["events"]:
            if call["t"] == "call" and call["kind"] == "write":
                seen += 1
                before = world.branch(data)
                answer = _apply_as_recorded(world, data, call["name"], call["args"])
                assert (before != data) is call["mutated"], call
                if call["error"]:
                    assert answer == call["result"]
                else:
                    assert json.loads(answer) == json.loads(call["result"])
    assert seen == 80


def test_recorded_writes_are_followed(
    world: ModuleType,
    recorded: dict[str, Any],
    recorded_template: sqlite3.Connection,
    tasks: list[dict[str, Any]],
    runs: list[dict[str, Any]],
) -> None:
    """Data and internal database stay in step, and end where the recording says they do."""
    truths = {}
    for task in tasks:
        truth = world.branch(recorded)
        for action in task["actions"]:
            if action["kind"] == "write":
                world.apply_call(truth, action["name"], action["kwargs"])
        truths[task["split"], task["task_id"]] = truth
    for run in runs:
        data, connection = world.branch(recorded), world.fresh(recorded_template)
        for call in run["events"]:
            if call["t"] == "call" and call["kind"] == "write":
                _, data = world.follow(connection, data, call["name"], call["args"])
        if run["n_writes"]:
            assert world.project(connection, recorded) == data, run["traj_id"]
        assert (data == truths["test", run["task_id"]]) is run["db_match"], run["traj_id"]
        connection.close()


def test_cancelling_pays_a_gift_card_back(
    world: ModuleType, small: dict[str, Any], database: sqlite3.Connection
) -> None:
    answer, data = world.follow(database, small, "cancel_pending_order", CANCEL)
    order = data["orders"]["#W3"]
    assert json.loads(answer) == order
    assert (order["status"], order["cancel_reason"]) == ("cancelled", "no longer needed")
    assert [(entry["transaction_type"], entry["amount"]) for entry in order["payment_history"]] == [
        ("payment", 140.6),
        ("refund", 140.6),
    ]
    assert data["users"]["ann_lee_1"]["payment_methods"]["gift_card_1"]["balance"] == 191.6
    assert database.execute("SELECT st, cxl, ver FROM t_hd WHERE ono = '#W3'").fetchone() == (90, "N", 1)
    assert world.project(database, small) == data


def test_modified_items_stay_in_their_places(
    world: ModuleType, small: dict[str, Any], database: sqlite3.Connection
) -> None:
    """The tool changes the first line that carries the item, be it one that the same call has put there."""
    _, data = world.follow(database, small, "modify_pending_order_items", ITEMS)
    order = data["orders"]["#W3"]
    assert [item["item_id"] for item in order["items"]] == ["101", "102", "101"]
    assert order["status"] == "pending (item modified)"
    assert order["payment_history"][1:] == [
        {"transaction_type": "refund", "amount": 0, "payment_method_id": "gift_card_1"}
    ]
    assert database.execute("SELECT st FROM t_hd WHERE ono = '#W3'").fetchone() == (15,)
    assert world.project(database, small) == data


def test_amounts_are_exact_unless_the_recorded_ones_are_asked_for(world: ModuleType, small: dict[str, Any]) -> None:
    small["products"]["100"]["variants"]["102"]["price"] = 50.14
    args = ITEMS | {"item_ids": ["101"], "new_item_ids": ["102"]}
    exact = world.plan_call(small, "modify_pending_order_items", args).orders["#W3"]["payment_history"][1]
    binary = world.plan_call(small, "modify_pending_order_items", args, recorded=True).orders["#W3"]
    assert exact["amount"] == 0.09
    assert binary["payment_history"][1]["amount"] == 50.14 - 50.05 != 0.09


def test_moving_a_payment_refunds_the_first(
    world: ModuleType, small: dict[str, Any], database: sqlite3.Connection
) -> None:
    _, data = world.follow(database, small, "modify_pending_order_payment", PAYMENT)
    history = data["orders"]["#W1"]["payment_history"]
    assert [(entry["transaction_type"], entry["payment_method_id"]) for entry in history] == [
        ("payment", "credit_card_1"),
        ("payment", "paypal_1"),
        ("refund", "credit_card_1"),
    ]
    assert {entry["amount"] for entry in history} == {150.04}
    assert world.project(database, small) == data


def test_an_exchange_keeps_its_pairs_in_the_database_only(
    world: ModuleType, small: dict[str, Any], database: sqlite3.Connection
) -> None:
    _, data = world.follow(database, small, "exchange_delivered_order_items", EXCHANGE)
    order = data["orders"]["#W2"]
    assert (order["exchange_items"], order["exchange_new_items"]) == (["101", "102"], ["101", "102"])
    assert order["exchange_price_difference"] == 0
    pairs = database.execute("SELECT out_a, in_a FROM t_rml ORDER BY rid").fetchall()
    assert pairs == [("102", "101"), ("101", "102")]
    assert world.project(database, small) == data


def test_a_return_changes_no_payment(world: ModuleType, small: dict[str, Any], database: sqlite3.Connection) -> None:
    history = small["orders"]["#W2"]["payment_history"]
    _, data = world.follow(database, small, "return_delivered_order_items", RETURN)
    order = data["orders"]["#W2"]
    assert (order["return_items"], order["return_payment_method_id"]) == (["101", "102"], "credit_card_1")
    assert order["payment_history"] == history
    assert database.execute("SELECT st, dif_c FROM t_hd JOIN t_rma USING (ono)").fetchone() == (40, None)
    assert world.project(database, small) == data


@pytest.mark.parametrize(
    ("name", "key"),
    [("modify_pending_order_address", {"order_id": "#W1"}), ("modify_user_address", {"user_id": "bo_ray_2"})],
)
def test_addresses(
    world: ModuleType, small: dict[str, Any], database: sqlite3.Connection, name: str, key: dict[str, str]
) -> None:
    answer, data = world.follow(database, small, name, key | ADDRESS)
    assert json.loads(answer)["address"] == ADDRESS
    assert world.project(database, small) == data


@pytest.mark.parametrize(
    ("name", "args", "answer"),
    [
        ("cancel_pending_order", CANCEL | {"order_id": "#W9"}, "order not found"),
        ("cancel_pending_order", CANCEL | {"order_id": "#W4"}, "non-pending order cannot be cancelled"),
        ("cancel_pending_order", CANCEL | {"reason": "too dear"}, "invalid reason"),
        ("cancel_pending_order", {"reason": "no longer needed"}, "order_id must be text"),
        ("modify_pending_order_address", ADDRESS | {"order_id": "#W2"}, "non-pending order cannot be modified"),
        ("modify_user_address", ADDRESS | {"user_id": "nobody"}, "user not found"),
        ("modify_user_address", {"user_id": "ann_lee_1"}, "address1 must be text"),
        ("modify_pending_order_payment", PAYMENT | {"payment_method_id": "paypal_2"}, "payment method not found"),
        (
            "modify_pending_order_payment",
            PAYMENT | {"payment_method_id": "credit_card_1"},
            "the new payment method should be different from the current one",
        ),
        (
            "modify_pending_order_payment",
            PAYMENT | {"payment_method_id": "gift_card_1"},
            "insufficient gift card balance",
        ),
        ("modify_pending_order_items", ITEMS | {"item_ids": ["201", "102"]}, "201 not found"),
        ("modify_pending_order_items", ITEMS | {"item_ids": ["102", "102"]}, "102 not found"),
        (
            "modify_pending_order_items",
            ITEMS | {"new_item_ids": []},
            "the number of items to be exchanged should match",
        ),
        ("modify_pending_order_items", ITEMS | {"item_ids": "101"}, "item_ids must be a list of texts"),
        (
            "modify_pending_order_items",
            ITEMS | {"new_item_ids": ["102", "201"]},
            "new item 201 not found or available",
        ),
        (
            "exchange_delivered_order_items",
            EXCHANGE | {"new_item_ids": ["103", "102"]},
            "new item 103 not found or available",
        ),
        ("exchange_delivered_order_items", EXCHANGE | {"order_id": "#W1"}, "non-delivered order cannot be exchanged"),
        ("return_delivered_order_items", RETURN | {"order_id": "#W4"}, "non-delivered order cannot be returned"),
        (
            "return_delivered_order_items",
            RETURN | {"payment_method_id": "paypal_1"},
            "payment method should be either the original payment method or a gift card",
        ),
    ],
)
def test_calls_the_tool_turns_down(
    world: ModuleType,
    small: dict[str, Any],
    database: sqlite3.Connection,
    name: str,
    args: dict[str, Any],
    answer: str,
) -> None:
    before = copy.deepcopy(small)
    assert world.follow(database, small, name, args) == (f"Error: {answer}", before)
    assert world.project(database, before) == before


def test_an_order_is_changed_once_by_items_return_or_exchange(world: ModuleType, small: dict[str, Any]) -> None:
    for name, args in (
        ("modify_pending_order_items", ITEMS),
        ("return_delivered_order_items", RETURN),
    ):
        assert not world.apply_call(small, name, args).startswith("Error")
        assert world.apply_call(small, name, args).startswith("Error: non-")
    assert world.apply_call(small, "exchange_delivered_order_items", EXCHANGE).startswith("Error: non-")
    world.apply_call(small, "modify_pending_order_payment", PAYMENT)
    assert world.apply_call(small, "modify_pending_order_payment", PAYMENT) == (
        "Error: there should be exactly one payment for a pending order"
    )


def test_reads_aren_t_write_calls(world: ModuleType, small: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="isn't a write tool"):
        world.plan_call(small, "get_order_details", {"order_id": "#W1"})
    for name in world.WRITE_TOOLS:
        assert world.plan_call(small, name, {}).result.startswith("Error: ")
