"""Goal: while people have a case, only they are heard; it comes back as it was."""

import dataclasses

import pytest
import refund_world as world

from edca.kernel.verdict import Accepted, Refused, Stage
from edca.runtime.answers import Outcome


def test_while_people_have_a_case_only_they_are_heard_and_it_comes_back_as_it_was(bench):
    bench.approved()
    before = bench.row().case
    bench.runtime.take_over('/order:["o1"]', "sven", "the customer called")
    bot = bench.submit("pay", "b1", world.ASSISTANT, order_id="o1")
    assert isinstance(bot.verdict, Refused)
    assert (bot.verdict.stage, bot.verdict.detail) == (Stage.MODE, "people have taken this case over")
    bench.reopen()
    assert bench.row().case.human_only
    assert bench.submit("pay", "b2", world.ASSISTANT, order_id="o1").verdict.stage is Stage.MODE
    other = bench.submit("approve", "b3", world.ASSISTANT, order_id="o2", amount="1.00")
    assert isinstance(other.verdict, Accepted)
    bench.runtime.hand_back('/order:["o1"]', "sia", "")
    after = bench.row().case
    assert dataclasses.replace(after, entry=before.entry, touched=before.touched) == before
    bench.assert_replays()
    assert bench.submit("pay", "b4", world.ASSISTANT, order_id="o1").outcome is Outcome.CONFIRMED
    bench.assert_replays()


def test_people_go_on_with_what_they_have_taken_over(bench):
    bench.approved()
    bench.runtime.take_over('/order:["o1"]', "sven", "")
    assert bench.submit("pay", "p", order_id="o1").outcome is Outcome.CONFIRMED
    assert bench.row().case.human_only
    bench.assert_replays()


def test_a_takeover_while_an_effect_is_held_up_lasts(bench):
    bench.approved()
    bench.runtime.context.stop.set()
    assert bench.submit("pay", "p", order_id="o1").outcome is None
    bench.runtime.context.stop.clear()
    bench.runtime.halt("ops", "stop")
    bench.runtime.take_over('/order:["o1"]', "sven", "")
    (resumed,) = bench.runtime.resume("ops")
    assert resumed.outcome is Outcome.CONFIRMED
    assert bench.row().case.human_only
    bench.assert_replays()


def test_a_case_that_was_only_refused_is_taken_over_too(bench):
    bench.submit("approve", "a", order_id="o1", amount="900.00")
    bench.runtime.take_over('/order:["o1"]', "sven", "")
    refused = bench.submit("approve", "b", world.ASSISTANT, order_id="o1", amount="10.00")
    assert refused.verdict.stage is Stage.MODE
    assert isinstance(bench.submit("approve", "c", order_id="o1", amount="10.00").verdict, Accepted)
    bench.assert_replays()


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda r: r.take_over('/order:["o9"]', "sven"), "no case"),
        (lambda r: r.take_over('other/order:["o1"]', "sven"), "no case"),
        (lambda r: r.take_over('/order:["o1"]', "bot"), "no person"),
        (lambda r: r.hand_back('/order:["o1"]', "sven"), "nobody has taken"),
    ],
)
def test_a_takeover_is_a_persons_and_of_a_case_that_is_there(bench, act, message):
    bench.approved()
    size = bench.ledger.size
    with pytest.raises(ValueError, match=message):
        act(bench.runtime)
    assert bench.ledger.size == size


def test_a_row_that_says_otherwise_about_a_takeover_is_not_believed(bench):
    bench.approved()
    bench.runtime.take_over('/order:["o1"]', "sven", "")
    row = bench.row()
    freed = dataclasses.replace(row, case=dataclasses.replace(row.case, human_only=False))
    bench.ledger.commit((), [freed.cell()])
    with pytest.raises(Exception, match="newest record left it"):
        bench.submit("pay", "b", world.ASSISTANT, order_id="o1")
