"""Goal: what the customer said becomes claims by stated phrases, and a claim not made stays absent."""

from types import ModuleType
from typing import Any

import pytest


def _claims(world: ModuleType, text: str, call: str) -> dict[str, object]:
    found: dict[str, object] = world.claims([("agent", "Yes, because of the weather?"), ("user", text)], call)
    return found


@pytest.mark.parametrize(
    ("text", "agreed"),
    [
        ("Yes, please.", True),
        ("I confirm.", True),
        ("Go ahead, thanks!", True),
        ("Please proceed with the booking.", True),
        ("That sounds good.", True),
        ("Everything looks correct.", True),
        ("Sure!", True),
        ("No worries, please go ahead.", True),
        ("No, nothing else. Please go ahead.", True),
        ("No, thank you.", False),
        ("Please don\u2019t proceed.", False),
        ("Yes, but do not go ahead yet.", False),
        ("I'd like to cancel my trip.", None),
        ("Could you go ahead and tell me the price?", None),
        ("Can you confirm the total?", None),
        ("I'm not sure.", None),
        ("Make sure it's cheap.", None),
        ("Before we proceed, what does it cost?", None),
        ("Before we proceed I need the price.", None),
        ("Only go ahead if it costs less than $100.", None),
        ("Yes, if it costs less than $100.", None),
        ("Sure, my user id is ann_lee_1.", None),
        ("No extra bags needed.", None),
    ],
)
def test_agreed(world: ModuleType, text: str, agreed: bool | None) -> None:
    expected: dict[str, Any] = {} if agreed is None else {"agreed": agreed}
    assert _claims(world, text, "book_reservation") == expected


def test_only_the_customers_last_text_agrees(world: ModuleType) -> None:
    dialogue = [("user", "Yes."), ("agent", "Which card?"), ("user", "The visa card.")]
    assert world.claims(dialogue, "book_reservation") == {}
    assert world.claims([("agent", "Yes, go ahead.")], "book_reservation") == {}
    assert world.claims([], "book_reservation") == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("My plans have changed.", "change_of_plan"),
        ("It's a change of plans.", "change_of_plan"),
        ("I feel sick.", "health"),
        ("I'm not feeling well.", "health"),
        ("I'm sick of waiting.", None),
        ("I am not sick.", None),
        ("There is a storm coming.", "weather"),
        ("My flight was cancelled.", "airline_cancelled"),
        ("It was cancelled by the airline.", "airline_cancelled"),
        ("I want to cancel my flight.", None),
        ("Cancel it because I have to work.", "other"),
        ("Cancel it because of my health.", "health"),
    ],
)
def test_reason(world: ModuleType, text: str, reason: str | None) -> None:
    expected = {} if reason is None else {"reason": reason}
    assert _claims(world, text, "cancel_reservation") == expected
    assert _claims(world, text, "update_reservation_flights") == {}


def test_the_latest_reason_counts(world: ModuleType) -> None:
    dialogue = [("user", "My plans changed."), ("agent", "I can't."), ("user", "Well, I'm ill.")]
    assert world.claims(dialogue, "cancel_reservation") == {"reason": "health"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("My flight was delayed. I want to be compensated.", "delayed_flight"),
        ("Your airline cancelled my flight! Give me a voucher.", "cancelled_flight"),
        ("My flight was delayed.", None),
        ("I want a voucher.", None),
        ("I use my certificate to move the delayed flight.", None),
    ],
)
def test_complaint(world: ModuleType, text: str, complaint: str | None) -> None:
    expected = {} if complaint is None else {"complaints": [complaint]}
    assert _claims(world, text, "send_certificate") == expected


def test_matching_runs_hold_an_explicit_yes(world: ModuleType, runs: list[dict[str, Any]]) -> None:
    """Runs that ended as they should asked first, so a phrase table that misses their yes is too narrow."""
    seen = 0
    for run in runs:
        dialogue: list[tuple[str, str]] = []
        for event in run["events"]:
            if event["t"] in ("user", "agent"):
                dialogue.append((event["t"], event["text"]))
            elif run["db_match"] and event.get("mutated"):
                seen += 1
                assert world.claims(dialogue, event["name"])["agreed"] is True, run["traj_id"]
    assert seen > 0
