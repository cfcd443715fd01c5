"""Goal: "did you mean" names what was likely meant, and is silent otherwise."""

import pytest

from edca.diagnostics import closest

_NAMES = ["amount", "approved", "owner", "order", "id"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ammount", "amount"),
        ("amuont", "amount"),
        ("Amount", "amount"),
        ("apprvd", "approved"),
        ("ordre", "order"),
        ("ID", "id"),
    ],
)
def test_suggests(written: str, meant: str) -> None:
    assert closest(written, _NAMES) == meant


@pytest.mark.parametrize("written", ["", "x", "it", "customer", "amount_of_everything", "a" * 1000])
def test_is_silent(written: str) -> None:
    assert closest(written, _NAMES) is None


def test_a_name_is_not_its_own_repair() -> None:
    assert closest("amount", ["amount"]) is None


def test_order_of_candidates_never_shows() -> None:
    assert closest("cats", ["cars", "bats"]) == closest("cats", ["bats", "cars"]) == "bats"
