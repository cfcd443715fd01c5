"""Goal: only what a route calls transient is tried again, as often as the schedule says, under one key."""

import pytest
import refund_world as world

from edca.runtime.answers import Outcome
from edca.runtime.ports import Performed, Report
from edca.runtime.retries import Schedule

SECOND = 1_000_000


class Faulty:
    """A router's `perform` that answers with faults first, and notes keys and pauses."""

    def __init__(self, bench, *faults, machine=world.MACHINE, schedule=None):
        self.keys, self.pauses = [], []
        bench.reopen(machine, schedule=schedule, pause=self._pause)
        bench.approved()
        self._clock, perform, left = bench.clock, bench.router.perform, list(faults)

        def answer(permit):
            self.keys.append(permit.key)
            return Report(left.pop(0), "busy") if left else perform(permit)

        bench.router.perform = answer

    def _pause(self, delay_us):
        self.pauses.append(delay_us)
        self._clock.instant += delay_us


def test_a_transient_fault_is_tried_again_under_the_same_key(bench):
    faulty = Faulty(bench, Performed.TRANSIENT, Performed.TRANSIENT)
    assert bench.submit("pay", "p", order_id="o1").outcome is Outcome.CONFIRMED
    assert (faulty.pauses, len(faulty.keys), len(set(faulty.keys))) == ([200_000, 1_000_000], 3, 1)
    (outcome,) = bench.records("outcome")
    assert outcome.content["schedule"] == {"attempts": 3, "delays_us": [200_000, 1_000_000]}
    assert [a["report"] for a in outcome.content["effects"][0]["attempts"]] == ["transient", "transient", "done"]
    bench.assert_replays()


def test_a_fault_that_stays_transient_has_failed(bench):
    faulty = Faulty(bench, *[Performed.TRANSIENT] * 9)
    answer = bench.submit("pay", "p", order_id="o1")
    assert (answer.outcome, len(faulty.keys)) == (Outcome.FAILED, 3)
    assert bench.records("outcome")[0].content["effects"][0]["report"] == "failed"
    bench.assert_replays()


@pytest.mark.parametrize("fault", [Performed.FAILED, Performed.PRECONDITION_LOST, Performed.UNKNOWN])
def test_nothing_else_is_tried_again(bench, fault):
    faulty = Faulty(bench, fault)
    bench.submit("pay", "p", order_id="o1")
    assert (len(faulty.keys), faulty.pauses) == (1, [])


def test_no_attempt_is_made_past_the_deadline(bench):
    schedule = Schedule(10, (2 * SECOND,))
    faulty = Faulty(bench, *[Performed.TRANSIENT] * 9, machine=world.timed(9 * SECOND), schedule=schedule)
    answer = bench.submit("pay", "p", order_id="o1")
    assert answer.outcome is Outcome.FAILED  # transient faults change nothing, so this is known
    assert 1 < len(faulty.keys) < 5
    step = bench.records("outcome")[0].content["effects"][0]
    assert all(attempt["at"] < step["expires"] for attempt in step["attempts"])


@pytest.mark.parametrize("parts", [(0, (1,)), (21, (1,)), (2, ()), (2, (-1,))])
def test_a_schedule_begins_and_ends(parts):
    with pytest.raises(ValueError, match="schedule"):
        Schedule(*parts)


def test_the_last_delay_is_made_again():
    assert [Schedule(5, (1, 2)).delay_us(attempt) for attempt in range(4)] == [1, 2, 2, 2]
    assert Schedule(1, ()).attempts == 1
