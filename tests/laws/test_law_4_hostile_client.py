"""Law 4 under a hostile client: a sample of `make campaign-hostile`, which says what is sent and what must hold."""

import random
import sys
from pathlib import Path

import pytest
from desks import DESKS, Desk

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "campaigns" / "hostile"))

from hostile import Findings, mcp_round, round_of


@pytest.mark.parametrize("desk", DESKS, ids=[desk.spec for desk in DESKS])
def test_law_4_a_hostile_client_gets_nothing_half_accepted_and_nothing_internal(desk: Desk) -> None:
    found = Findings()
    round_of(desk, random.Random(7), found, parsed=100, submitted=20, answered=15, forged=15)  # noqa: S311
    assert found.wrong == []
    assert sum(found.counted.values()) == 150


def test_law_4_a_server_goes_on_answering_whatever_is_sent() -> None:
    found = Findings()
    mcp_round(random.Random(7), found, 100)  # noqa: S311
    assert found.wrong == []
    assert found.counted["MCP messages"] == 100
