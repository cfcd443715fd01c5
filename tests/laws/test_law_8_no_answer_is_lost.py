"""Law 8 for answers: what counted is heard by the next verdict on its candidate, whatever happens in between."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import refund_world as world
from asking import BOTH

from edca.kernel.machine import Mode
from edca.kernel.verdict import Escalated, Refused
from edca.ledger.record import parse
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime import inbox
from edca.runtime.approving import Said
from edca.runtime.loop import Runtime
from edca.runtime.recover import recover
from edca.runtime.replay import replay

CALM = Mode("calm", "Calm.", ("pay",), (), ("supervisor",), (), ("supervisor",))
MACHINE = dataclasses.replace(BOTH, modes=(CALM,))


def _refuse(payload: Any, caller: Any) -> Any:
    raise AssertionError((payload, caller))


class Desk:
    """One ledger, and a runtime over it that can be opened again and again."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.db"
        self.router = world.OrderRouter(folder / "world.db")
        world.create_world(folder / "world.db", "o1")

    def open(self) -> SQLiteLedger:
        self.ledger = SQLiteLedger.open(self.path, durable=False)
        clock = world.TickingClock(world.START + self.ledger.size * 1_000_000_000)
        self.runtime = Runtime(MACHINE, self.router, self.ledger, world.ROSTER, clock, admit=_refuse)
        return self.ledger

    def say(self, by: str, code: str, *, yes: bool = True) -> Any:
        (found,) = self.runtime.open_questions()
        return self.runtime.answer(Said(found.id, by, "supervisor", code, yes, found.preview.digest))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    with desk.open():
        asked = world.candidate("approve", "k", order_id="o1", amount="20.00")
        assert isinstance(desk.runtime.submit(asked, world.ASSISTANT).verdict, Escalated)
    yield desk
    desk.ledger.close()


def _decline_and_die(desk: Desk) -> None:
    """Kill a process between the record of a no and the verdict that it leads to."""
    child = os.fork()
    if child == 0:
        desk.open()
        desk.runtime.reconsider = lambda found: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign,assignment,return-value]
        desk.say("sam", "lavish", yes=False)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL


@pytest.mark.parametrize("others", [(), ("sia",), ("sia", "sven")])
def test_a_no_that_counted_refuses_whoever_answers_after_it(desk: Desk, others: tuple[str, ...]) -> None:
    _decline_and_die(desk)
    with desk.open():
        desk.runtime.enter_mode("calm", "sven", "supervisor")
    with desk.open():
        assert recover(desk.runtime) == ()  # the mode holds the decision up
        desk.runtime.reconsider = lambda found: None  # type: ignore[method-assign,assignment,return-value]
        for other in others:
            assert desk.say(other, "twice").void is not None  # nothing can be decided now, so nothing counts
    with desk.open():
        desk.runtime.leave_mode("sven", "supervisor")
        assert desk.runtime.open_questions() == ()
        last = _last_verdict(desk.ledger)
        assert (last["outcome"], last["code"]) == ("refused", "lavish")
        assert replay(desk.ledger).mismatches == ()


def test_answers_whose_decisions_never_came_are_all_heard_in_order(desk: Desk) -> None:
    with desk.open():
        desk.runtime.reconsider = lambda found: None  # type: ignore[method-assign,assignment,return-value]
        for by, code, yes in (("sam", "lavish", False), ("sia", "twice", True), ("sven", "twice", True)):
            assert desk.say(by, code, yes=yes).void is None
    with desk.open():
        (decided,) = recover(desk.runtime)
        assert isinstance(decided.verdict, Refused)
        assert decided.verdict.code == "lavish"
        content: Any = parse(desk.ledger.read(decided.record.index).body).content
        assert [said["by"] for said in content["attestations"]] == ["sam", "sia", "sven"]
        assert replay(desk.ledger).mismatches == ()


def test_a_replay_misses_an_answer_that_counted_and_was_not_heard(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the verdict follows from what it says it heard."""
    with desk.open():
        desk.say("sia", "twice")
        assert replay(desk.ledger).mismatches == ()
        monkeypatch.setattr(inbox, "is_heard", lambda content, roster: content["by"] != "sia")
        answered = desk.say("sam", "twice")
        (mismatch,) = replay(desk.ledger).mismatches
    assert mismatch.index == answered.answer.record.index
    assert mismatch.path.startswith("answers heard")


def _last_verdict(ledger: SQLiteLedger) -> Any:
    (*_, last) = (record for stored in ledger.records() if (record := parse(stored.body)).kind == "verdict")
    content: Any = last.content
    return content["verdict"]
