"""Goal: callers that race each other, and a process that is replaced, get what one calm caller would get."""

import threading

import pytest
import refund_world as world

from edca.kernel.canonical import encode
from edca.kernel.verdict import Accepted
from edca.ledger.record import parse
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.answers import Outcome
from edca.runtime.effects import Course
from edca.runtime.loop import Runtime
from edca.runtime.ports import Performed, Report
from edca.runtime.recover import recover
from edca.runtime.replay import replay


@pytest.fixture
def start(tmp_path):
    """Open runtimes one after the other over one ledger and one world."""
    world.create_world(tmp_path / "world.db", "o1", "o2")
    opened = []

    def start(router=None, machine=world.MACHINE):
        for ledger in opened:
            ledger.close()
        opened.append(SQLiteLedger.open(tmp_path / "ledger.db", durable=False))
        clock = world.TickingClock(world.START + opened[-1].size * 1_000_000_000)
        router = router or world.OrderRouter(tmp_path / "world.db")
        return Runtime(machine, router, opened[-1], world.ROSTER, clock, admit=_admit)

    yield start
    for ledger in opened:
        ledger.close()


def _admit(payload, caller):
    raise AssertionError((payload, caller))


def _together(calls):
    """Run the calls in threads that start at once, and return their results in order."""
    results, barrier = [None] * len(calls), threading.Barrier(len(calls))

    def run(place):
        barrier.wait()
        results[place] = calls[place]()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _submit(runtime, transition, key, **arguments):
    return runtime.submit(world.candidate(transition, key, **arguments), world.SUPERVISOR)


def test_one_candidate_delivered_twenty_times_at_once_has_one_effect(start, tmp_path):
    runtime = start()
    _submit(runtime, "approve", "a", order_id="o1", amount="20.00")
    size = runtime.context.store.size
    answers = _together([lambda: _submit(runtime, "pay", "p", order_id="o1")] * 20)
    assert answers == [answers[0]] * 20
    assert answers[0].outcome is Outcome.CONFIRMED
    assert runtime.context.store.size == size + 3  # the verdict, the permit spent, the outcome
    assert world.row(tmp_path / "world.db", "o1")[1] == 2000


def test_of_two_candidates_on_one_revision_exactly_one_is_accepted(start):
    runtime = start()
    answers = _together(
        [
            lambda key=key: _submit(runtime, "approve", key, order_id="o1", amount="20.00", revision=0)
            for key in ("left", "right")
        ]
    )
    codes = sorted(answer.verdict.code for answer in answers)
    assert codes == ["accepted", "stale_revision"]


def test_creations_at_once_each_get_a_case_of_their_own(start, tmp_path):
    runtime = start()
    answers = _together([lambda n=n: _submit(runtime, "open", f"k{n}", amount="20.00") for n in range(8)])
    assert {answer.outcome for answer in answers} == {Outcome.CONFIRMED}
    chains = {parse(runtime.context.store.read(answer.record.index).body).chain for answer in answers}
    assert chains == {f'/order:["new{n}"]' for n in range(8)}
    assert world.row(tmp_path / "world.db", "new7") == (2000, 0, 0)


def test_a_new_process_decides_as_the_old_one_would_have(start, tmp_path):
    runtime = start()
    _submit(runtime, "approve", "a", order_id="o1", amount="20.00")
    _submit(runtime, "approve", "a", order_id="o2", amount="20.00")
    first = _submit(runtime, "pay", "p", order_id="o1")
    runtime = start()
    recover(runtime)
    second = _submit(runtime, "pay", "p", order_id="o2")
    alike = [encode(a.verdict.to_raw()).replace(b"o2", b"o1") for a in (first, second)]
    assert alike[0] == alike[1]


class _Stop(BaseException):
    """Ends a submission as a killed process would: nothing in the runtime catches it."""


def _dangling(start, runtime, router_method, order="o1", transition="pay"):
    """Leave an accepted verdict without an outcome: the router's method never returns."""
    _submit(runtime, "approve", f"a-{order}", order_id=order, amount="20.00")

    def stop(*_):
        raise _Stop

    setattr(runtime.context.router, router_method, stop)
    with pytest.raises(_Stop):
        _submit(runtime, transition, "p", order_id=order)


def test_until_it_is_recovered_a_dangling_effect_blocks_its_case(start):
    runtime = start()
    _dangling(start, runtime, "perform")
    runtime = start()
    answer = _submit(runtime, "pay_and_stamp", "other", order_id="o1")
    assert answer.verdict.code == "effect_pending"
    (recovered,) = recover(runtime)
    assert (recovered.outcome, recovered.state) == (Outcome.CONFIRMED, "paid")
    assert recover(runtime) == ()
    assert _submit(runtime, "pay", "p", order_id="o1") == recovered


def test_a_route_that_cannot_tell_after_a_crash_is_quarantined(start, tmp_path):
    runtime = start()
    _dangling(start, runtime, "perform")
    runtime = start()
    runtime.context.router.performed = lambda permit: Performed.UNKNOWN
    (recovered,) = recover(runtime)
    assert recovered.outcome is Outcome.QUARANTINED
    assert world.row(tmp_path / "world.db", "o1")[1] == 0


def test_what_was_accepted_under_other_routes_is_quarantined(start, tmp_path):
    runtime = start()
    _dangling(start, runtime, "perform")

    class OtherRouter(world.OrderRouter):
        document = b"other routes"
        digest = world.canonical.digest("routes", document)

    runtime = start(OtherRouter(tmp_path / "world.db"))
    (recovered,) = recover(runtime)
    assert recovered.outcome is Outcome.QUARANTINED
    assert world.row(tmp_path / "world.db", "o1")[1] == 0


def test_a_taking_back_that_was_begun_is_finished_and_not_reversed(start, tmp_path):
    runtime = start()
    router, perform = runtime.context.router, runtime.context.router.perform

    def stop_at_undo(permit):
        if permit.effect == "stamp":
            return Report(Performed.FAILED)
        report = perform(permit)
        if permit.effect == "recall_money":
            raise _Stop
        return report

    _submit(runtime, "approve", "a", order_id="o1", amount="20.00")
    router.perform = stop_at_undo
    with pytest.raises(_Stop):
        _submit(runtime, "pay_and_stamp", "p", order_id="o1")
    # After the restart the stamp would work, and the money's postcondition would have to be read anew.
    runtime = start()
    (recovered,) = recover(runtime)
    assert (recovered.outcome, recovered.state) == (Outcome.UNDONE, "stuck")
    assert world.row(tmp_path / "world.db", "o1") == (10000, 0, 0)


def test_a_taking_back_is_finished_even_if_nothing_shows_that_it_was_begun(start, tmp_path):
    runtime = start()
    router, perform = runtime.context.router, runtime.context.router.perform

    def stop_at_undo(permit):
        if permit.effect == "recall_money":
            perform(permit)
            raise _Stop
        return Report(Performed.FAILED) if permit.effect == "stamp" else perform(permit)

    # Nothing is promised, so the postcondition of sending it holds before, after, and taken back.
    _submit(runtime, "approve", "a", order_id="o1", amount="0.00")
    router.perform = stop_at_undo
    with pytest.raises(_Stop):
        _submit(runtime, "pay_and_stamp", "p", order_id="o1")
    (recovered,) = recover(start())
    assert recovered.outcome is Outcome.UNDONE
    assert world.row(tmp_path / "world.db", "o1") == (10000, 0, 0)


def test_a_ledger_that_fails_after_an_effect_leaves_it_to_recovery(start, tmp_path, monkeypatch):
    runtime = start()
    _submit(runtime, "approve", "a", order_id="o1", amount="20.00")
    run = Course.run

    def run_then_lose_the_disk(course):
        outcome = run(course)
        runtime.context.store.close()
        return outcome

    monkeypatch.setattr(Course, "run", run_then_lose_the_disk)
    with pytest.raises(Exception, match="closed"):
        _submit(runtime, "pay", "p", order_id="o1")
    monkeypatch.undo()
    runtime = start()
    (recovered,) = recover(runtime)
    assert recovered.outcome is Outcome.CONFIRMED
    assert world.row(tmp_path / "world.db", "o1")[1] == 2000


def test_accepted_verdicts_without_an_outcome_show_in_a_replay(start):
    runtime = start()
    _dangling(start, runtime, "perform")
    found = replay(runtime.context.store)
    assert found.equal == found.total
    assert found.unfinished == (runtime.context.store.size - 2,)  # its permit is spent already
    assert isinstance(recover(start())[0].verdict, Accepted)
