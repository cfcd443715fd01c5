"""A column is written in the encoding it is read in; anything else is found when the routes are loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from edca.diagnostics import Source
from edca.routing.load import load
from edca.semantic.compile import compile_spec


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("back_c = back_c + amount as units", "back_c = back_c + amount"),
        ("amt_c = amount as units\n}", "amt_c = amount\n}"),
    ],
)
def test_money_in_two_encodings_is_found(repository: Path, right: str, wrong: str) -> None:
    refund = repository / "specs" / "refund"
    machine = compile_spec(Source("refund.edca", (refund / "refund.edca").read_text("utf-8"))).machine
    assert machine is not None
    text = (refund / "refund.arp").read_text("utf-8")
    assert load(Source("refund.arp", text), machine).diagnostics == ()
    changed = text.replace(right, wrong, 1)
    assert changed != text
    loaded = load(Source("refund.arp", changed), machine)
    read_back = "back_c" in right  # no entity reads the bank's rows, so nothing contradicts them
    assert bool([d for d in loaded.diagnostics if d.code.id == "R003"]) is read_back
