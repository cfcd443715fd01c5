"""Goal: a mode begins and ends by what is on record, and a replay follows it."""

import dataclasses
import threading

import pytest
import refund_world as world

from edca.kernel import canonical
from edca.kernel.inputs import HALTED, NORMAL
from edca.kernel.machine import Mode, Signal, Trigger, Window, WindowKind
from edca.kernel.verdict import Accepted, Stage
from edca.ledger.store import Cell
from edca.runtime.answers import Outcome
from edca.runtime.mode_changes import ModeError
from edca.runtime.ports import Performed, Report
from edca.runtime.replay import replay

SECOND = 1_000_000
HOUR = 3600 * SECOND


def _trigger(signal, count, *, exceeds=True, length_us=HOUR, kind=WindowKind.ROLLING):
    return Trigger(signal, exceeds, count, Window(kind, length_us))


def _mode(name, **parts):
    defaults = {
        "text": name,
        "allow": ("pay",),
        "enter": (),
        "enter_by": ("supervisor",),
        "leave": (),
        "leave_by": ("supervisor",),
    }
    return Mode(name=name, **(defaults | parts))


DEGRADED = _mode(
    "degraded",
    enter=(_trigger(Signal.FAILURES, 1),),
    leave=(_trigger(Signal.FAILURES, 0, exceeds=False, length_us=HOUR // 2),),
)
QUIET = _mode("quiet", enter=(_trigger(Signal.REFUSALS, 2),), allow=("wait",))


def _machine(*modes):
    return dataclasses.replace(world.MACHINE, modes=modes)


def _fail(bench, *effects):
    perform = bench.router.perform
    bench.router.perform = lambda permit: Report(Performed.FAILED) if permit.effect in effects else perform(permit)
    return perform


def _degrade(bench):
    """Let two effects fail: that begins the mode `degraded`."""
    bench.reopen(_machine(DEGRADED, QUIET))
    bench.approved("o1")
    bench.approved("o2")
    perform = _fail(bench, "send_money")
    bench.submit("pay", "p1", order_id="o1")
    assert bench.runtime.mode() == NORMAL
    bench.submit("pay", "p2", order_id="o2")
    assert bench.runtime.mode() == "degraded"
    bench.router.perform = perform


def test_a_trigger_begins_a_mode_in_the_transaction_of_what_met_it(bench):
    _degrade(bench)
    (change,) = bench.records("mode")
    assert (change.content["act"], change.content["from"], change.content["to"]) == ("enter", NORMAL, "degraded")
    assert (change.content["trigger"]["signal"], change.content["counted"], change.content["by"]) == (
        "failures",
        2,
        None,
    )
    assert bench.ledger.newest("/#mode:refund").leaf.index == bench.ledger.size - 1
    held = bench.submit("approve", "a", order_id="o1", amount="1.00")
    assert (held.verdict.stage, held.verdict.detail) == (Stage.MODE, "mode degraded does not allow it")
    assert bench.submit("pay", "p3", order_id="o1").outcome is Outcome.CONFIRMED
    bench.assert_replays()
    bench.reopen(_machine(DEGRADED, QUIET))
    assert bench.runtime.mode() == "degraded"


def test_a_trigger_ends_the_mode_that_a_trigger_began(bench):
    _degrade(bench)
    bench.clock.instant += HOUR // 2
    size = bench.ledger.size
    assert bench.runtime.mode() == NORMAL
    assert bench.ledger.size == size  # looking records nothing
    refused = bench.submit("approve", "a", order_id="o1", amount="1.00")
    assert refused.verdict.stage is Stage.NO_SUCH_TRANSITION
    assert [record.content["act"] for record in bench.records("mode")] == ["enter", "leave"]
    bench.assert_replays()


def test_no_trigger_ends_the_mode_that_a_person_began(bench):
    bench.reopen(_machine(DEGRADED))
    bench.runtime.enter_mode("degraded", "sven", "supervisor", "the bank is down")
    bench.submit("remind", "r", order_id="o1")
    assert bench.runtime.mode() == "degraded"
    bench.runtime.leave_mode("sia", "supervisor")
    assert bench.runtime.mode() == NORMAL
    assert [(r.content["by"], r.content["reason"]) for r in bench.records("mode")] == [
        ("sven", "the bank is down"),
        ("sia", ""),
    ]
    bench.assert_replays()


def test_the_trigger_of_another_mode_is_noted_once_and_ignored(bench):
    _degrade(bench)
    for number in range(4):
        bench.submit("approve", f"again-{number}", order_id="o1", amount="1.00")
    acts = [(record.content["act"], record.content["mode"]) for record in bench.records("mode")]
    assert acts == [("enter", "degraded"), ("ignored", "quiet")]
    assert bench.runtime.mode() == "degraded"
    bench.assert_replays()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (lambda r: r.enter_mode("calm", "sven", "supervisor"), "no mode `calm`"),
        (lambda r: r.enter_mode("degraded", "carla", "customer"), "may not begin"),
        (lambda r: r.enter_mode("degraded", "carla", "supervisor"), "no person in role"),
        (lambda r: r.enter_mode("degraded", "bot", "supervisor"), "no person in role"),
        (lambda r: r.leave_mode("sven", "supervisor"), "in force"),
        (lambda r: r.resume("ops"), "not halted"),
        (lambda r: r.halt("bot", "why not"), "stands a model"),
        (lambda r: r.halt(" ", "why not"), "has a name"),
        (lambda r: r.halt("ops", " "), "needs a reason"),
    ],
)
def test_who_may_not_change_the_mode_does_not(bench, command, message):
    bench.reopen(_machine(DEGRADED))
    size = bench.ledger.size
    with pytest.raises(ModeError, match=message):
        command(bench.runtime)
    assert bench.ledger.size == size


def test_one_mode_at_a_time(bench):
    bench.reopen(_machine(DEGRADED, QUIET))
    bench.runtime.enter_mode("degraded", "sven", "supervisor")
    with pytest.raises(ModeError, match="already"):
        bench.runtime.enter_mode("quiet", "sven", "supervisor")


@pytest.mark.parametrize(
    ("signal", "happen"),
    [
        (Signal.REFUSALS, lambda b: b.submit("approve", "x", order_id="o1", amount="900.00")),
        (Signal.ESCALATIONS, lambda b: b.submit("approve", "x", order_id="o1", amount="60.00")),
        (Signal.REFUSALS, lambda b: b.runtime.submit(b"junk", world.SUPERVISOR)),
    ],
)
def test_each_signal_is_counted(bench, signal, happen):
    bench.reopen(_machine(_mode("m", enter=(_trigger(signal, 0),))))
    happen(bench)
    assert bench.runtime.mode() == "m"
    bench.assert_replays()


def test_timeouts_are_counted(bench):
    made = world.timed(3 * SECOND, _machine(_mode("m", enter=(_trigger(Signal.TIMEOUTS, 0),))))
    bench.reopen(made)
    bench.approved()
    go = threading.Event()
    bench.router.perform = lambda permit: (go.wait(10), Report(Performed.FAILED))[1]
    assert bench.submit("pay", "p", order_id="o1").outcome is Outcome.TIMED_OUT
    assert bench.runtime.mode() == "m"
    bench.assert_replays()
    go.set()


def test_an_edited_count_begins_nothing_that_a_replay_does_not_miss(bench):
    bench.reopen(_machine(DEGRADED))
    bench.approved("o1")
    _fail(bench, "send_money")
    bench.submit("pay", "p1", order_id="o1")
    bench.ledger.commit((), [Cell("signal", "/#mode:refund", canonical.encode({}))])
    bench.submit("pay", "p2", order_id="o1")
    assert bench.runtime.mode() == NORMAL
    bench.submit("approve", "a3", order_id="o1", amount="1.00")
    assert [mismatch.path for mismatch in replay(bench.ledger).mismatches][:1] == ["mode changes left out[0]"]


def test_a_halt_refuses_everybody_and_leaves_the_mode_as_it_was(bench):
    _degrade(bench)
    bench.runtime.halt("ops", "stop it all")
    assert bench.runtime.mode() == HALTED
    assert bench.submit("pay", "p9", order_id="o1").verdict.stage is Stage.HALTED
    with pytest.raises(ModeError, match="only an operator"):
        bench.runtime.leave_mode("sven", "supervisor")
    with pytest.raises(ModeError, match="already"):
        bench.runtime.enter_mode("quiet", "sven", "supervisor")
    bench.reopen(_machine(DEGRADED, QUIET))
    assert bench.runtime.mode() == HALTED
    bench.runtime.halt("ops", "still")
    bench.runtime.resume("ops")
    assert bench.runtime.mode() == "degraded"
    bench.assert_replays()


def test_a_mode_that_the_machine_no_longer_declares_lets_nothing_through_until_an_operator_ends_it(bench):
    bench.reopen(_machine(DEGRADED))
    bench.runtime.enter_mode("degraded", "sven", "supervisor")
    bench.reopen()
    assert bench.submit("remind", "r", order_id="o1").verdict.stage is Stage.HALTED
    bench.runtime.resume("ops")
    assert isinstance(bench.submit("remind", "r2", order_id="o1").verdict, Accepted)
    bench.assert_replays()
