"""Goal: each sentence of the policy is held by its own clause; a call that breaks none does what the recorded tool did.

The calls differ from an allowed one in one thing each. They are run as a trial on the small world, each run on a fresh
copy of it.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
ANN, BO = "ann_lee_1", "bo_ray_2"
PLACE = {"address1": "9 Oak Road", "address2": "", "city": "Reno", "state": "NV", "country": "USA", "zip": "89501"}
SWAP = {"item_ids": ["101"], "new_item_ids": ["102"], "payment_method_id": "paypal_1"}

Call = tuple[str, dict[str, Any]]


def _cancel(order: str, reason: str = "no longer needed") -> Call:
    return "cancel_pending_order", {"order_id": order, "reason": reason}


def _send(order: str) -> Call:
    return "modify_pending_order_address", {"order_id": order, **PLACE}


def _pay(order: str, method: str) -> Call:
    return "modify_pending_order_payment", {"order_id": order, "payment_method_id": method}


def _modify(order: str, **other: Any) -> Call:
    return "modify_pending_order_items", {"order_id": order, **SWAP, **other}


def _exchange(order: str, **other: Any) -> Call:
    return "exchange_delivered_order_items", {"order_id": order, **SWAP, **other}


def _return(order: str, items: list[str], method: str) -> Call:
    return "return_delivered_order_items", {"order_id": order, "item_ids": items, "payment_method_id": method}


def _move(user: str) -> Call:
    return "modify_user_address", {"user_id": user, **PLACE}


# Who asks, the calls, and the code of the verdict on each.
RUNS: dict[str, tuple[str, list[Call], list[str]]] = {
    "cancel": (ANN, [_cancel("#W1", "ordered by mistake")], ["accepted"]),
    "cancel-paid-by-gift-card": (ANN, [_cancel("#W3")], ["accepted"]),
    "cancel-other-reason": (ANN, [_cancel("#W1", "too dear")], ["bad_argument"]),
    "cancel-processed": (ANN, [_cancel("#W4")], ["not_pending"]),
    "cancel-delivered": (ANN, [_cancel("#W2")], ["not_pending"]),
    "cancel-twice": (ANN, [_cancel("#W1"), _cancel("#W1")], ["accepted", "no_such_transition"]),
    "cancel-of-another-customer": (ANN, [_cancel("#W5")], ["not_yours"]),
    "cancel-unknown-order": (ANN, [_cancel("#W9")], ["unknown_case"]),
    "address": (ANN, [_send("#W1"), _send("#W3")], ["accepted", "accepted"]),
    "address-delivered": (ANN, [_send("#W2")], ["not_pending"]),
    "address-of-another-customer": (BO, [_send("#W1")], ["not_yours"]),
    "address-then-items": (ANN, [_send("#W1"), _modify("#W1")], ["accepted", "accepted"]),
    "home": (BO, [_move(BO), _move(BO)], ["accepted", "accepted"]),
    "home-of-another-customer": (ANN, [_move(BO)], ["not_you"]),
    "home-of-nobody": (ANN, [_move("nobody")], ["unknown_case"]),
    "payment": (ANN, [_pay("#W1", "paypal_1")], ["accepted"]),
    "payment-from-gift-card": (ANN, [_pay("#W3", "paypal_1")], ["accepted"]),
    "payment-same": (ANN, [_pay("#W1", "credit_card_1")], ["same_payment"]),
    "payment-of-another-customer": (ANN, [_pay("#W1", "paypal_2")], ["unknown_payment"]),
    "payment-gift-card-too-low": (ANN, [_pay("#W1", "gift_card_1")], ["balance_too_low"]),
    "payment-then-items": (ANN, [_pay("#W1", "paypal_1"), _modify("#W1")], ["accepted", "accepted"]),
    "payment-processed": (ANN, [_pay("#W4", "paypal_1")], ["not_pending"]),
    "items": (ANN, [_modify("#W1")], ["accepted"]),
    "items-all": (
        ANN,
        [_modify("#W3", item_ids=["101", "102", "101"], new_item_ids=["102", "101", "102"])],
        ["accepted"],
    ),
    "items-gift-card-refund": (ANN, [_modify("#W3", payment_method_id="gift_card_1")], ["accepted"]),
    "items-twice": (ANN, [_modify("#W1"), _modify("#W1")], ["accepted", "not_pending"]),
    "items-then-cancel": (ANN, [_modify("#W1"), _cancel("#W1")], ["accepted", "not_pending"]),
    "items-not-matched": (ANN, [_modify("#W1", new_item_ids=[])], ["not_matched"]),
    "items-not-in-order": (ANN, [_modify("#W1", item_ids=["102"], new_item_ids=["101"])], ["not_in_order"]),
    "items-more-than-in-order": (
        ANN,
        [_modify("#W1", item_ids=["101", "101"], new_item_ids=["102", "102"])],
        ["not_in_order"],
    ),
    "items-not-available": (ANN, [_modify("#W1", new_item_ids=["103"])], ["not_available"]),
    "items-unknown": (ANN, [_modify("#W1", new_item_ids=["999"])], ["not_available"]),
    "items-other-product": (ANN, [_modify("#W1", new_item_ids=["201"])], ["other_product"]),
    "items-same-option": (ANN, [_modify("#W1", new_item_ids=["101"])], ["same_option"]),
    "items-unknown-payment": (ANN, [_modify("#W1", payment_method_id="paypal_2")], ["unknown_payment"]),
    "items-gift-card-too-low": (
        ANN,
        [_modify("#W1", item_ids=["201"], new_item_ids=["202"], payment_method_id="gift_card_1")],
        ["balance_too_low"],
    ),
    "exchange": (ANN, [_exchange("#W2")], ["accepted"]),
    "exchange-all": (
        ANN,
        [_exchange("#W2", item_ids=["102", "101", "101"], new_item_ids=["101", "102", "102"])],
        ["accepted"],
    ),
    "exchange-pending": (ANN, [_exchange("#W1")], ["not_delivered"]),
    "exchange-twice": (ANN, [_exchange("#W2"), _exchange("#W2")], ["accepted", "no_such_transition"]),
    "exchange-then-return": (
        ANN,
        [_exchange("#W2"), _return("#W2", ["102"], "credit_card_1")],
        ["accepted", "no_such_transition"],
    ),
    "exchange-not-matched": (ANN, [_exchange("#W2", item_ids=["101", "102"])], ["not_matched"]),
    "exchange-not-in-order": (ANN, [_exchange("#W2", item_ids=["201"], new_item_ids=["202"])], ["not_in_order"]),
    "exchange-not-available": (ANN, [_exchange("#W2", new_item_ids=["103"])], ["not_available"]),
    "exchange-other-product": (ANN, [_exchange("#W2", new_item_ids=["202"])], ["other_product"]),
    "exchange-same-option": (ANN, [_exchange("#W2", new_item_ids=["101"])], ["same_option"]),
    "exchange-unknown-payment": (ANN, [_exchange("#W2", payment_method_id="paypal_9")], ["unknown_payment"]),
    "exchange-of-another-customer": (BO, [_exchange("#W2")], ["not_yours"]),
    "return-to-original": (ANN, [_return("#W2", ["101", "102"], "credit_card_1")], ["accepted"]),
    "return-to-gift-card": (ANN, [_return("#W2", ["101", "101", "102"], "gift_card_1")], ["accepted"]),
    "return-to-other-card": (ANN, [_return("#W2", ["101"], "paypal_1")], ["wrong_refund"]),
    "return-to-unknown-gift-card": (ANN, [_return("#W2", ["101"], "gift_card_9")], ["wrong_refund"]),
    "return-not-in-order": (ANN, [_return("#W2", ["102", "102"], "credit_card_1")], ["not_in_order"]),
    "return-nothing": (ANN, [_return("#W2", [], "credit_card_1")], ["bad_argument"]),
    "return-processed": (ANN, [_return("#W4", ["202"], "credit_card_1")], ["not_delivered"]),
    "return-of-another-customer": (ANN, [_return("#W6", ["202"], "paypal_2")], ["not_yours"]),
}


def _trial(folder: Path, small: dict[str, Any], *options: str) -> Any:
    """Run all runs as a trial on the small world."""
    (folder / "db").mkdir()
    for part, entries in small.items():
        (folder / "db" / f"{part}.json").write_text(json.dumps(entries))
    rows = [
        {
            "task_id": number,
            "user_id": user,
            "instruction": name,
            "actions": [{"name": call, "kwargs": args, "gt_replay_mutated": True} for call, args in calls],
        }
        for number, (name, (user, calls, _)) in enumerate(RUNS.items())
    ]
    trace = folder / "tasks.jsonl"
    trace.write_text("".join(json.dumps(row) + "\n" for row in rows))
    retail = ROOT / "specs" / "retail"
    command = [sys.executable, "-m", "edca.cli", "trial", str(retail / "retail.edca"), "--routes"]
    command += [str(retail / "retail.arp"), "--trace", str(trace), "--data", str(folder), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _codes(trial: Any) -> dict[str, list[str]]:
    names = list(RUNS)
    codes: dict[str, list[str]] = {name: [] for name in names}
    for row in trial["rows"]:
        codes[names[int(row["run"].removeprefix("task-"))]].append(row["code"])
    return codes


@pytest.mark.timeout(120)
def test_each_rule_is_held_by_its_own_clause(tmp_path: Path, small: dict[str, Any]) -> None:
    trial = _trial(tmp_path, small, "--assume-confirmed")
    assert _codes(trial) == {name: expected for name, (_, _, expected) in RUNS.items()}
    for row in trial["rows"]:
        assert row["outcome"] == ("confirmed" if row["verdict"] == "accepted" else None), row
        # One thing was changed, so one clause fails; an item that nobody knows has no product either.
        unknown = row["run"] == f"task-{list(RUNS).index('items-unknown')}"
        late = row["code"] in ("not_pending", "not_delivered")  # what came before may break more than the status
        assert unknown or late or len(row["clauses"]) <= 1, row
    # A call that the kernel accepts leaves what the recorded tool would have left, and one that it refuses leaves
    # nothing: the databases are equal but where the tool knows no rule.
    lenient = {name for name, (_, _, codes) in RUNS.items() if {"not_yours", "not_you", "same_option"} & {*codes}}
    lenient.add("return-nothing")
    equal = {run["run"]: run["equal"] for run in trial["runs"]}
    assert {name for number, name in enumerate(RUNS) if not equal[f"task-{number}"]} == lenient
    assert trial["replay"]["ok"] and trial["verification"]["ok"]


@pytest.mark.timeout(120)
def test_nothing_happens_without_an_explicit_yes(tmp_path: Path, small: dict[str, Any]) -> None:
    trial = _trial(tmp_path, small)
    assert "accepted" not in {row["code"] for row in trial["rows"]}
    first = {name: codes[0] for name, codes in _codes(trial).items()}
    for name, (_, _, expected) in RUNS.items():
        assert first[name] == ("agreed" if expected[0] == "accepted" else expected[0]), name
