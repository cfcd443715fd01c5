"""Goal: an explicit yes or no of the customer's last text is found, and anything else is neither."""

from types import ModuleType
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("text", "agreed"),
    [
        ("Yes, please.", True),
        ("I confirm.", True),
        ("Go ahead, thanks!", True),
        ("Everything looks correct.", True),
        ("Yeah, yeah, whatever, just do it.", True),
        ("No, nothing else. Please go ahead.", True),
        ("No, thank you.", False),
        ("Please don\u2019t proceed.", False),
        ("Yes, but do not go ahead yet.", False),
        ("I'd like to return the lamp.", None),
        ("Could you proceed with just that for now?", None),
        ("I'm not sure.", None),
        ("Yes, if it costs less than $100.", None),
        ("Sure, my name is Ann Lee.", None),
    ],
)
def test_agreed(world: ModuleType, text: str, agreed: bool | None) -> None:
    expected: dict[str, Any] = {} if agreed is None else {"agreed": agreed}
    assert world.claims([("agent", "Yes?"), ("user", text)], "cancel_pending_order") == expected


def test_only_the_customers_last_text_agrees(world: ModuleType) -> None:
    dialogue = [("user", "Yes."), ("agent", "Which card?"), ("user", "The visa card.")]
    assert world.claims(dialogue, "cancel_pending_order") == {}
    assert world.claims([("agent", "Yes, go ahead.")], "cancel_pending_order") == {}
    assert world.claims([], "cancel_pending_order") == {}
