"""Goal: a program that embeds the kernel can tell its operators what is missing and what would be let through."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edca.api import Caller, FixedClock, Kernel, LedgerError, change_line, missing, missing_line, nearest_changes
from edca.kernel.calendar import parse_time

REFUND = Path(__file__).resolve().parents[3] / "specs" / "refund"
BOT = Caller("desk-bot", "assistant", "carla", "small-model-2026-01-15")


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    for name in ("refund.edca", "refund.arp", "roster.toml"):
        shutil.copy(REFUND / name, tmp_path)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript((REFUND / "shop.sql").read_text("utf-8"))
    monkeypatch.setenv("REFUND_SHOP_URL", f"sqlite:///{tmp_path / 'shop.db'}")
    now = parse_time("2026-03-20T12:00:00Z")
    assert now is not None
    with Kernel.open(
        tmp_path / "refund.edca",
        routes=tmp_path / "refund.arp",
        roster=tmp_path / "roster.toml",
        ledger=tmp_path / "refunds.ledger",
        clock=FixedClock(now),
    ) as opened:
        yield opened


def test_the_question_of_an_answer_tells_more(kernel):
    arguments = {"order_id": "o2", "amount": "1300.00", "picks": [{"sku": "b1", "count": 1}]}
    answer = kernel.submit(
        {"transition": "approve_refund", "arguments": arguments, "confidence": 0.93, "key": "k"}, caller=BOT
    )
    question = kernel.question(answer.record.index)
    assert question.candidate.arguments["amount"] == "1300.00"
    assert [missing_line(lack) for lack in missing(question, answer.verdict)] == [
        "waiver of over_limit, by supervisor",
        "confirmation of agreed, by customer",
    ]
    assert [change_line(kernel.machine, change) for change in nearest_changes(question)] == [
        "would be escalated with amount from 0.01 to 1200.00; with 1200.00 it needs over_limit, agreed",
        "would be escalated with amount from 0.01 to 1000.00; with 1000.00 it needs agreed",
    ]


def test_a_record_that_is_no_verdict_has_no_question(kernel):
    with pytest.raises(LedgerError, match="record 0 is no verdict"):
        kernel.question(0)
