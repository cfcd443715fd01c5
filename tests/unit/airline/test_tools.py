"""Goal: write calls change the data, and the internal database beside it, as the recorded tools did."""

import copy
import json
import sqlite3
from types import ModuleType
from typing import Any

import pytest

BOOKING: dict[str, Any] = {
    "user_id": "ann_lee_1",
    "origin": "PHL",
    "destination": "LGA",
    "flight_type": "one_way",
    "cabin": "economy",
    "flights": [{"flight_number": "HAT001", "date": "2024-05-20"}],
    "passengers": [{"first_name": "Ann", "last_name": "Lee", "dob": "1990-04-05"}],
    "payment_methods": [
        {"payment_id": "certificate_1", "amount": 100},
        {"payment_id": "gift_card_1", "amount": 80},
    ],
    "total_baggages": 2,
    "nonfree_baggages": 1,
    "insurance": "yes",
}
REBOOKING: dict[str, Any] = {
    "reservation_id": "AAAAAA",
    "cabin": "economy",
    "flights": [{"flight_number": "HAT001", "date": "2024-05-20"}],
    "payment_id": "gift_card_1",
}
BAGS = {"reservation_id": "AAAAAA", "total_baggages": 3, "nonfree_baggages": 1, "payment_id": "credit_card_1"}


def test_ground_truth_writes_reach_the_recorded_hash(
    world: ModuleType, recorded: dict[str, Any], tasks: list[dict[str, Any]]
) -> None:
    assert len(tasks) == 30
    untouched = world.data_hash(recorded)
    for task in tasks:
        data = world.branch(recorded)
        writes = [action for action in task["actions"] if action["kind"] == "write"]
        for action in writes:
            answer = world.apply_call(data, action["name"], action["kwargs"])
            assert answer.startswith("Error") is action["gt_replay_error"], task["task_id"]
        found = world.data_hash(data) if writes else untouched
        assert found == task["gt_db_hash"], task["task_id"]
    assert world.data_hash(recorded) == untouched


def test_recorded_writes_are_followed(
    world: ModuleType,
    recorded: dict[str, Any],
    recorded_template: sqlite3.Connection,
    tasks: list[dict[str, Any]],
    runs: list[dict[str, Any]],
) -> None:
    """Each recorded write gives the recorded answer; data and internal database stay in step.

    The ground truth's own hashes are tested above, so comparing data suffices here.
    """
    truths = {}
    for task in tasks:
        truth = truths[task["task_id"]] = world.branch(recorded)
        for action in task["actions"]:
            if action["kind"] == "write":
                world.apply_call(truth, action["name"], action["kwargs"])
    for run in runs:
        data, connection = world.branch(recorded), world.fresh(recorded_template)
        writes = [event for event in run["events"] if event["t"] == "call" and event["kind"] == "write"]
        for call in writes:
            before = world.branch(data)
            answer, data = world.follow(connection, data, call["name"], call["args"])
            assert (before != data) is call["mutated"], call
            if call["error"]:
                assert answer == call["result"]
            else:
                assert json.loads(answer) == json.loads(call["result"])
        if writes:
            assert world.project(connection, recorded) == data, run["traj_id"]
        assert (data == truths[run["task_id"]]) is run["db_match"], run["traj_id"]
        connection.close()


def test_booking(world: ModuleType, small: dict[str, Any], database: sqlite3.Connection) -> None:
    answer, data = world.follow(database, small, "book_reservation", BOOKING)
    booked = data["reservations"]["HATHAT"]
    assert json.loads(answer) == booked
    assert booked["flights"] == [
        {"flight_number": "HAT001", "date": "2024-05-20", "price": 100, "origin": "PHL", "destination": "LGA"}
    ]
    assert booked["created_at"] == "2024-05-15T15:00:00"
    user = data["users"]["ann_lee_1"]
    assert user["reservations"] == ["AAAAAA", "HATHAT"]
    assert "certificate_1" not in user["payment_methods"]
    assert user["payment_methods"]["gift_card_1"]["amount"] == 10.5
    assert data["flights"]["HAT001"]["dates"]["2024-05-20"]["available_seats"]["economy"] == 2
    assert world.project(database, small) == data
    assert world.plan_call(data, "book_reservation", BOOKING).result == (
        "Error: payment method certificate_1 not found"
    )


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"user_id": "nobody"}, "user not found"),
        ({"flights": [{"flight_number": "HAT009", "date": "2024-05-20"}]}, "flight HAT009 not found"),
        (
            {"flights": [{"flight_number": "HAT001", "date": "2024-06-20"}]},
            "flight HAT001 not found on date 2024-06-20",
        ),
        (
            {"flights": [{"flight_number": "HAT001", "date": "2024-05-21"}]},
            "flight HAT001 not available on date 2024-05-21",
        ),
        ({"cabin": "business"}, "not enough seats on flight HAT001"),
        ({"cabin": "first"}, "cabin must be one of basic_economy, economy, business"),
        ({"insurance": "no"}, "payment amount does not add up, total price is 150, but paid 180"),
        (
            {"payment_methods": [{"payment_id": "gift_card_1", "amount": 180}]},
            "not enough balance in payment method gift_card_1",
        ),
        (
            {"payment_methods": [{"payment_id": "certificate_1", "amount": 90}] * 2},
            "payment method certificate_1 not found",
        ),
        ({"payment_methods": [{"payment_id": "certificate_1", "amount": "90"}]}, "amount must be a number"),
        (
            {"payment_methods": [{"payment_id": "certificate_1", "amount": 90.005}]},
            "amount: 90.005 isn't a whole number of cents",
        ),
        ({"passengers": "Ann"}, "passengers must be a list of objects"),
        ({"nonfree_baggages": True}, "nonfree_baggages must be a whole number"),
    ],
)
def test_bookings_the_tool_turns_down(
    world: ModuleType,
    small: dict[str, Any],
    database: sqlite3.Connection,
    change: dict[str, Any],
    answer: str,
) -> None:
    before = copy.deepcopy(small)
    assert world.follow(database, small, "book_reservation", BOOKING | change) == (f"Error: {answer}", before)
    assert world.project(database, before) == before


def test_a_kept_segment_keeps_its_price_and_needs_no_seats(
    world: ModuleType, small: dict[str, Any], database: sqlite3.Connection
) -> None:
    small["flights"]["HAT001"]["dates"]["2024-05-20"] = {"status": "on time"}
    before = copy.deepcopy(small["reservations"])
    _, data = world.follow(database, small, "update_reservation_flights", REBOOKING)
    assert data["reservations"] == before
    assert database.execute("SELECT amd_n FROM t_hdr").fetchone() == (0,)


def test_a_new_cabin_shows_in_the_segments_only(
    world: ModuleType, small: dict[str, Any], database: sqlite3.Connection
) -> None:
    _, data = world.follow(database, small, "update_reservation_flights", REBOOKING | {"cabin": "basic_economy"})
    changed = data["reservations"]["AAAAAA"]
    assert changed["cabin"] == "economy"  # the recorded tool's own fault, preserved
    assert changed["payment_history"][1:] == [{"payment_id": "gift_card_1", "amount": -60}]
    assert data["users"]["ann_lee_1"]["payment_methods"]["gift_card_1"]["amount"] == 150.5
    assert database.execute("SELECT bkd_cls, amd_n FROM t_hdr").fetchone() == ("Y", 1)
    assert database.execute("SELECT cls, fare_c FROM t_leg WHERE old_f = 0").fetchall() == [("M", 5000)]
    _, data = world.follow(database, data, "update_reservation_baggages", BAGS)
    assert database.execute("SELECT cls FROM t_leg WHERE old_f = 0").fetchall() == [("M",)]
    assert database.execute("SELECT bkd_cls, amd_n FROM t_hdr").fetchone() == ("Y", 2)
    assert world.project(database, small) == data


def test_a_new_cabin_at_the_same_price_is_an_amendment(
    world: ModuleType, small: dict[str, Any], database: sqlite3.Connection
) -> None:
    small["flights"]["HAT001"]["dates"]["2024-05-20"]["prices"]["basic_economy"] = 80
    before = copy.deepcopy(small)
    _, data = world.follow(database, small, "update_reservation_flights", REBOOKING | {"cabin": "basic_economy"})
    assert data == before
    assert database.execute("SELECT amd_n FROM t_hdr").fetchone() == (1,)
    assert database.execute("SELECT cls FROM t_leg WHERE old_f = 0").fetchall() == [("M",)]


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"reservation_id": "BBBBBB"}, "reservation not found"),
        ({"payment_id": "gift_card_2"}, "payment method not found"),
        ({"payment_id": "certificate_1"}, "certificate cannot be used to update reservation"),
        (
            {"flights": [{"flight_number": number, "date": "2024-05-20"} for number in ("HAT001", "HAT002")]},
            "gift card balance is not enough",
        ),
    ],
)
def test_flight_updates_the_tool_turns_down(
    world: ModuleType, small: dict[str, Any], change: dict[str, Any], answer: str
) -> None:
    before = copy.deepcopy(small)
    assert world.apply_call(small, "update_reservation_flights", REBOOKING | change) == f"Error: {answer}"
    assert small == before


def test_cancelling_books_every_payment_back(
    world: ModuleType, small: dict[str, Any], database: sqlite3.Connection
) -> None:
    _, data = world.follow(database, small, "cancel_reservation", {"reservation_id": "AAAAAA"})
    cancelled = data["reservations"]["AAAAAA"]
    assert cancelled["status"] == "cancelled"
    assert [payment["amount"] for payment in cancelled["payment_history"]] == [160, -160]
    assert data["users"]["ann_lee_1"]["payment_methods"]["gift_card_1"]["amount"] == 90.5
    assert database.execute("SELECT st, amd_n FROM t_hdr").fetchone() == ("X", 0)
    assert world.project(database, small) == data


def test_bags_cost_only_what_is_added(world: ModuleType, small: dict[str, Any], database: sqlite3.Connection) -> None:
    _, data = world.follow(database, small, "update_reservation_baggages", BAGS)
    assert data["reservations"]["AAAAAA"]["payment_history"][1:] == [{"payment_id": "credit_card_1", "amount": 50}]
    _, data = world.follow(database, data, "update_reservation_baggages", BAGS | {"nonfree_baggages": 0})
    assert len(data["reservations"]["AAAAAA"]["payment_history"]) == 2
    assert world.project(database, small) == data


def test_passengers_change_but_not_their_number(
    world: ModuleType, small: dict[str, Any], database: sqlite3.Connection
) -> None:
    people = [{"first_name": name, "last_name": "Ray", "dob": "2000-01-01"} for name in ("Cy", "Di")]
    args = {"reservation_id": "AAAAAA", "passengers": people}
    _, data = world.follow(database, small, "update_reservation_passengers", args)
    assert data["reservations"]["AAAAAA"]["passengers"] == people
    assert database.execute("SELECT fn FROM t_pax ORDER BY pid").fetchall() == [("Cy",), ("Di",)]
    answer = world.apply_call(data, "update_reservation_passengers", args | {"passengers": people[:1]})
    assert answer == "Error: number of passengers does not match"


def test_certificates_take_the_first_free_number(
    world: ModuleType, small: dict[str, Any], database: sqlite3.Connection
) -> None:
    data = small
    for amount in (100, 50):
        _, data = world.follow(database, data, "send_certificate", {"user_id": "ann_lee_1", "amount": amount})
    sent = [data["users"]["ann_lee_1"]["payment_methods"][f"certificate_322132{digit}"] for digit in (2, 3)]
    assert [method["amount"] for method in sent] == [100, 50]
    assert world.project(database, small) == data


def test_sync_goes_back_as_well_as_forth(
    world: ModuleType, small: dict[str, Any], database: sqlite3.Connection
) -> None:
    before = copy.deepcopy(small)
    _, after = world.follow(database, world.branch(small), "book_reservation", BOOKING)
    world.sync(database, after, before)
    assert world.project(database, before) == before


def test_reads_aren_t_write_calls(world: ModuleType, small: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="isn't a write tool"):
        world.plan_call(small, "get_user_details", {"user_id": "ann_lee_1"})
    for name in world.WRITE_TOOLS:
        assert world.plan_call(small, name, {}).result.startswith("Error: ")
