"""Goal: an accepted verdict gets one outcome and its effect one performer, whoever else takes it for unfinished."""

import dataclasses
import threading

import refund_world as world
from versions import NEW, OLD

from edca.ledger.record import parse
from edca.runtime import effects
from edca.runtime.answers import Outcome
from edca.runtime.effects import Acceptance, Course
from edca.runtime.lanes import Lanes
from edca.runtime.loop import Runtime
from edca.runtime.question import Question
from edca.runtime.recording import CarriedOut
from edca.runtime.recover import recover

WAIT_S = 20


class Held:
    """Holds up the first effect of a bench until `go` is set, and counts the calls."""

    def __init__(self, bench):
        self.started, self.go, self.calls = threading.Event(), threading.Event(), []
        self._perform = bench.router.perform
        bench.router.perform = self.perform

    def perform(self, permit):
        self.calls.append(permit.key)
        if len(self.calls) == 1:
            self.started.set()
            assert self.go.wait(WAIT_S)
        return self._perform(permit)


def pay_in_a_thread(bench, answers):
    thread = threading.Thread(target=lambda: answers.append(bench.submit("pay", "p", order_id="o1")), daemon=True)
    thread.start()
    return thread


def other_runtime(bench, machine, *, own_lanes):
    other = Runtime(machine, bench.router, bench.ledger, world.ROSTER, bench.clock, admit=bench.runtime._admit)
    if own_lanes:
        other.context = dataclasses.replace(other.context, lanes=Lanes())
    return other


def recovered_meanwhile(bench, machine, *, own_lanes):
    """Let another runtime of the ledger recover while the first one's effect is under way; return all that came out."""
    bench.reopen(OLD)
    bench.approved()
    held, answers = Held(bench), []
    paying = pay_in_a_thread(bench, answers)
    assert held.started.wait(WAIT_S)
    recovered = recover(other_runtime(bench, machine, own_lanes=own_lanes))
    held.go.set()
    paying.join(WAIT_S)
    assert not paying.is_alive()
    return held, answers[0], recovered


def test_a_second_runtime_leaves_a_live_effect_to_whoever_is_at_it(bench):
    held, paid, recovered = recovered_meanwhile(bench, OLD, own_lanes=False)
    assert (recovered, len(held.calls), paid.outcome) == ((), 1, Outcome.CONFIRMED)
    assert len(bench.records("outcome")) == 1
    bench.assert_replays()


def test_the_runtime_of_another_version_does_not_quarantine_a_live_effect(bench):
    _, paid, recovered = recovered_meanwhile(bench, NEW, own_lanes=False)
    assert (recovered, paid.outcome, bench.row().quarantined) == ((), Outcome.CONFIRMED, False)
    assert len(bench.records("outcome")) == 1
    bench.assert_replays()


def test_where_another_one_was_first_its_outcome_is_the_answer(bench):
    """As where nothing but the turns is between the two: the second outcome is never recorded."""
    _, paid, recovered = recovered_meanwhile(bench, OLD, own_lanes=True)
    assert [one.outcome for one in recovered] == [paid.outcome] == [Outcome.CONFIRMED]
    assert len(bench.records("outcome")) == 1
    assert world.row(bench.world, "o1")[1] == 2000
    bench.assert_replays()


def test_a_late_outcome_does_not_lift_a_quarantine(bench):
    _, paid, recovered = recovered_meanwhile(bench, NEW, own_lanes=True)
    assert [one.outcome for one in recovered] == [paid.outcome] == [Outcome.QUARANTINED]
    assert bench.row().quarantined
    assert len(bench.records("outcome")) == 1
    bench.assert_replays()


def test_who_comes_to_the_permit_too_late_answers_with_what_is_on_record(bench, monkeypatch):
    bench.approved()
    other, spend, recovered = other_runtime(bench, world.MACHINE, own_lanes=True), effects.spend, []

    def overtaken(*args, **parts):
        if not recovered:
            recovered.append(())
            recovered.extend(recover(other))
        return spend(*args, **parts)

    monkeypatch.setattr(effects, "spend", overtaken)
    assert bench.submit("pay", "p", order_id="o1") == recovered[-1]
    assert recovered[-1].outcome is Outcome.CONFIRMED
    assert world.row(bench.world, "o1")[1] == 2000
    bench.assert_replays()


def test_an_outcome_does_not_set_back_a_case_that_has_moved_on(bench):
    bench.approved()
    confirmed, runtime = [], bench.runtime
    confirm = runtime._confirm
    runtime._confirm = lambda performed: confirmed.append(performed) or confirm(performed)
    paid = bench.submit("pay", "p", order_id="o1")
    runtime._confirm = confirm
    (performed,) = confirmed
    assert isinstance(performed, CarriedOut)
    size = bench.ledger.size
    assert runtime._confirm(dataclasses.replace(performed, outcome=Outcome.FAILED)) == paid
    assert (bench.ledger.size, bench.row().case.state) == (size, "paid")


def test_who_finds_the_permit_spent_by_another_performs_nothing(bench):
    bench.reopen(OLD)
    bench.approved()
    held, answers = Held(bench), []
    paying = pay_in_a_thread(bench, answers)
    assert held.started.wait(WAIT_S)
    other = other_runtime(bench, OLD, own_lanes=True)
    stored = next(one for one in bench.ledger.records() if one.leaf.body_digest == bench.row().case.pending)
    course = course_of(other, stored)
    course._spent = {}  # as where it was looked up just before the other one spent it
    try:
        course.run()
    except RuntimeError as error:
        found = str(error)
    held.go.set()
    paying.join(WAIT_S)
    assert (found, len(held.calls), answers[0].outcome) == ("it has been spent already", 1, Outcome.CONFIRMED)
    bench.assert_replays()


def course_of(runtime, stored):
    content = parse(stored.body).content
    question = Question.from_data(content, runtime.context.machine, world.ROSTER)
    return Course(runtime.context, Acceptance.of(question, stored))
